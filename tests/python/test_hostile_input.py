#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Whatever comes is received, refused with a reason, or counted; nothing that follows is damaged.

The examples are drawn by hypothesis from a fixed seed. tests/fuzz looks deeper, in C++.
"""

import json
import zlib
from types import SimpleNamespace

import described
import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from link_helpers import memory_growth
from links import run, same_bits, symbols, tag, training_tag

from gnuradio.reservoir.ota.program import Unusable
from gnuradio.reservoir.ota.recordings import file_source


def hostile(examples):
    """Settings of a test: the same examples each time, however long one takes."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
    )


KINDS = reservoir.detector_kinds()
DETECTORS = reservoir.detectors()
each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind["name"] for kind in KINDS])
# What makes a network large or a training long: from the low end of the range.
COSTLY = {"num_taps", "num_neurons", "window", "epochs", "restarts", "survivors"}
COSTLY |= {"refits", "patience", "condition_every", "warm_up", "num_inputs", "delay"}
COSTLY |= {"num_outputs"}


def small(kind):
    """Arguments for a detector that trains in an instant."""
    arguments = {"num_taps": 6, "num_neurons": 4, "window": 6, "delay": 3, "epochs": 3}
    names = {parameter["name"] for parameter in kind["parameters"]}
    return {name: value for name, value in arguments.items() if name in names}


def good_values(parameter):
    """In the range, but none that takes long."""
    low, high = parameter["low"], parameter["high"]
    if parameter["name"] in COSTLY:
        return st.integers(int(low), min(int(high), int(low) + 9))
    if parameter["name"] == "sparsity":  # with few neurons more leaves no weight
        return st.floats(0, 0.3)
    if parameter["type"] == "int":
        return st.integers(int(low), min(int(high or 2**31), 2**31))
    if parameter["type"] == "float":
        return st.floats(
            low,
            min(high or 1e6, 1e6),
            exclude_min=parameter["low_excluded"],
            exclude_max=parameter["high_excluded"],
        )
    return st.sampled_from(described.allowed(parameter))


@st.composite
def arguments(draw, kind):
    """(arguments, names of those that are out of range); many keep their default."""
    chosen, wrong = small(kind), set()
    for parameter in kind["parameters"]:
        name, bad = parameter["name"], described.out_of_range(parameter)
        how = draw(st.integers(0, 19))
        if how < 5:
            chosen[name] = draw(good_values(parameter))
        elif how == 19 and bad:
            chosen[name] = draw(st.sampled_from(bad))
            wrong.add(name)
    return chosen, wrong


@each_kind
def test_parameters_are_accepted_or_refused_by_name(kind):
    @hostile(60)
    @given(arguments(kind))
    def check(drawn):
        chosen, wrong = drawn
        if not wrong:  # the rules' conditions are of values in their range
            wrong = described.refused_by_rules(kind, chosen)
        try:
            DETECTORS[kind["name"]](**chosen)
        except ValueError as error:
            assert str(error).split()[0] in wrong
        else:
            assert not wrong

    check()


STRANGE = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e30, 1e-42, -1e-42, 0.0, 1e-20]


@st.composite
def waveforms(draw, count):
    """Silence, noise or symbols at any level, with a few samples that are none."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    level = draw(st.sampled_from([0.0, 1.0, 1.0, 1e-42, 1e-25, 1e30, 3e38]))
    with np.errstate(over="ignore"):
        samples = np.float32(level) * symbols(count, rng)
    for _ in range(draw(st.integers(0, 3)) if count else 0):
        at = draw(st.integers(0, count - 1))
        samples[at] = complex(*draw(st.tuples(*[st.sampled_from(STRANGE)] * 2)))
    return samples.astype(np.complex64)


@st.composite
def frames(draw):
    """Samples, pilots, samples per symbol and payload, which seldom fit together."""
    sps = draw(st.integers(1, 3))
    num_pilots, payload = draw(st.integers(1, 30)), draw(st.integers(0, 40))
    missing = draw(st.sampled_from([0, 0, 0, 1, 60]))
    received = draw(waveforms(max(0, sps * (num_pilots + payload) - missing)))
    pilots = symbols(num_pilots, np.random.default_rng(num_pilots))
    return received, pilots, sps, payload


def clean_frame():
    rng = np.random.default_rng(5)
    sent = symbols(80, rng)
    received = np.convolve(sent, [1, 0.5j])[:80] + 0.05 * symbols(80, rng)
    return received.astype(np.complex64), sent[:30]


@each_kind
def test_a_hostile_frame_leaves_no_trace(kind):
    @hostile(12)
    @given(st.lists(frames(), min_size=1, max_size=3))
    def check(hostile_frames):
        one, untouched = (DETECTORS[kind["name"]](**small(kind)) for _ in range(2))
        for received, pilots, sps, payload in hostile_frames:
            try:
                found = one.receive(received, pilots, sps=sps, payload_len=payload)
            except ValueError as error:
                assert "must be" in str(error)
            else:
                assert np.isfinite(found).all()
        received, pilots = clean_frame()
        found = one.receive(received, pilots, payload_len=50)
        assert same_bits(found, untouched.receive(received, pilots, payload_len=50))

    check()


def test_samples_that_are_not_finite_are_counted():
    received, pilots = clean_frame()
    received[[3, 40, 41]] = np.nan, np.inf, complex(0, np.nan)
    det = reservoir.fir(num_taps=6, delay=3)
    det.receive(received, pilots, payload_len=50)
    assert det.bad_samples() == 3


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats()
    | st.complex_numbers()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4).map(tuple)
    | st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def tags(draw, count):
    """Training tags and others, on any samples, in any order, with any values."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, count - 1),
                st.sampled_from(["corr_est", "corr_est", "rx_time", "other"]),
                VALUES,
            ),
            max_size=6,
        )
    )
    return [tag(at, key, pmt.to_pmt(value)) for at, key, value in drawn]


@hostile(10)
@given(st.data())
def test_the_output_does_not_depend_on_chunks(data):
    count = data.draw(st.integers(1, 400))
    samples = data.draw(waveforms(count))
    marks = data.draw(tags(count))
    kind = data.draw(st.sampled_from(KINDS))
    sps, payload_len = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([0, 20]))
    pilots = symbols(24, np.random.default_rng(1))
    found = []
    for chunk in (data.draw(st.integers(1, 50)), 0):
        block = reservoir.equalizer(
            DETECTORS[kind["name"]](**small(kind)),
            sps,
            pilots,
            payload_len=payload_len,
        )
        output, out_tags = run(block, samples, marks, chunk)
        places = sorted((t.offset, pmt.write_string(t.key)) for t in out_tags)
        found.append((output, places))
    assert same_bits(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


@hostile(10)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["freeze", "reset", "training_sequence", "channel", "no such command"]
            )
            | st.text(max_size=5),
            VALUES,
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(KINDS),
)
def test_messages_of_any_type_stop_nothing(messages, kind):
    received, pilots = clean_frame()
    block = reservoir.equalizer(DETECTORS[kind["name"]](**small(kind)), 1, pilots)
    top = gr.top_block()
    sink = blocks.vector_sink_c()
    source = blocks.vector_source_c(received, False, 1, [training_tag(0)])
    top.connect(source, block, sink)
    for key, value in messages:
        block.to_basic_block()._post(
            pmt.intern("command"), pmt.cons(pmt.intern(key), pmt.to_pmt(value))
        )
        block.to_basic_block()._post(pmt.intern("command"), pmt.to_pmt(value))
    top.run()
    assert len(sink.data()) == len(received)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What is saved of each kind, trained."""
    folder, saved = tmp_path_factory.mktemp("saved"), []
    received, pilots = clean_frame()
    for kind in KINDS:
        det = DETECTORS[kind["name"]](**small(kind))
        det.receive(received, pilots, payload_len=50)
        path = folder / kind["name"]
        det.save(str(path))
        saved.append(path.read_bytes())
    return saved


@hostile(40)
@given(st.data())
def test_damaged_files_are_refused(tmp_path, files, data):
    good = data.draw(st.sampled_from(files))
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.integers(0, 255)
        )
    del damaged[data.draw(st.integers(1, len(damaged)) | st.just(len(damaged))) :]
    path = tmp_path / "damaged"
    path.write_bytes(damaged)
    if damaged == good:
        reservoir.load(str(path))
        return
    with pytest.raises(
        RuntimeError, match="damaged|not a saved|has version"
    ) as refusal:
        reservoir.load(str(path))
    assert str(path) in str(refusal.value)


def with_checksum(body):
    return b"gr-reservoir detector 2 %d %d\n" % (len(body), zlib.crc32(body)) + body


@hostile(60)
@given(st.data())
def test_changed_files_with_the_right_checksum(tmp_path, files, data):
    """They are refused, or hold a detector that receives."""
    _, _, body = data.draw(st.sampled_from(files)).partition(b"\n")
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "changed"
    path.write_bytes(with_checksum(bytes(changed)))
    try:
        loaded = reservoir.load(str(path))
    except RuntimeError as error:
        assert str(path) in str(error)
        return
    if (loaded.num_inputs(), loaded.num_outputs()) != (1, 1):
        return
    received, pilots = clean_frame()
    if loaded.trained():
        try:
            assert np.isfinite(loaded.detect(received)).all()
        except ValueError as error:
            assert str(error).startswith("sps = 1: must be what fit was given")
    try:
        assert np.isfinite(loaded.receive(received, pilots, payload_len=50)).all()
    except ValueError as error:
        assert "must be" in str(error)


def uniform_vector(kind, count):
    return b"\x0a" + bytes([kind]) + count.to_bytes(4, "big") + b"\x01\x00"


CLAIMS = {
    "32 GiB of complex values": uniform_vector(10, 2**32 - 1) + bytes(64),
    "4 GiB of real values": uniform_vector(9, 2**29) + bytes(64),
    "a vector of 2^32 - 1 elements": b"\x08" + b"\xff" * 4 + bytes(64),
    "vectors in one another": b"\x08\x00\x00\x00\x01" * 200_000,
    "a list without end": b"\x07\x06" * 200_000 + b"\x06",
    "pairs in dictionaries": b"\x09\x07" * 200_000,
    "a tuple that is too long": b"\x0c\x00\x00\x00\x0b" + b"\x06" * 11,
    "a text that is cut": b"\x02\xff\xffa",
    "a number that is cut": b"\x04\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("body", CLAIMS.values(), ids=CLAIMS)
def test_nothing_is_reserved_for_what_is_not_there(tmp_path, body):
    path = tmp_path / "claims"
    path.write_bytes(with_checksum(body))

    def load():
        with pytest.raises(RuntimeError, match="damaged"):
            reservoir.load(str(path))

    assert memory_growth(load) < 100  # MiB


def test_the_length_in_the_first_line_is_not_believed(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(b"gr-reservoir detector 2 1000000000000 7\n" + bytes(10))
    with pytest.raises(RuntimeError, match="length is wrong"):
        reservoir.load(str(path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
SAMPLE_TYPES = st.sampled_from(["cf32_le", "ci16_le", "ci8", "cu8"])


@hostile(60)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "global": JSON
            | st.fixed_dictionaries(
                {"core:datatype": JSON | SAMPLE_TYPES},
                optional={"core:sample_rate": JSON},
            ),
            "captures": JSON
            | st.lists(
                st.fixed_dictionaries({}, optional={"core:frequency": JSON}), max_size=2
            ),
        },
    ),
    st.binary(max_size=40),
)
def test_recordings_with_any_metadata(tmp_path, content, samples):
    path = tmp_path / "recording.sigmf-meta"
    path.write_text(json.dumps(content))
    path.with_suffix(".sigmf-data").write_bytes(samples)
    options = SimpleNamespace(input=str(path), rate=1e6, frequency=2.4e9)
    try:
        chain = file_source(options)
    except Unusable as error:
        assert len(str(error)) < 400 and "recording" in str(error)
        return
    assert 0 < options.rate < 1e15 and 0 <= options.frequency < 1e15
    top = gr.top_block()
    sink = blocks.vector_sink_c()
    top.connect(*chain, sink)
    top.run()
    assert len(sink.data()) == len(samples) // chain_item_size(content)


def chain_item_size(content):
    sizes = {"cf32_le": 8, "ci16_le": 4, "ci8": 2, "cu8": 2}
    return sizes[content["global"]["core:datatype"]]


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"global": ' * 50_000, "\udcff", "nul", " " * (1 << 24)],
    ids=["lists", "dictionaries", "no UTF-8", "no word", "blanks"],
)
def test_metadata_that_is_none(tmp_path, text):
    path = tmp_path / "recording.sigmf-meta"
    path.write_bytes(text.encode("utf-8", "surrogateescape") + b" ")
    options = SimpleNamespace(input=str(path), rate=1e6, frequency=0)
    with pytest.raises(Unusable, match="no SigMF metadata"):
        file_source(options)


@hostile(30)
@given(st.integers(0, 5), waveforms(120), st.sampled_from(["none", "cc"]))
def test_what_comes_from_the_air_is_a_packet_or_none(trouble, samples, code):
    """Symbols of a packet, some replaced: the packet that was sent, or none."""
    packets = reservoir.packet_format(digital.constellation_qpsk(), 120, code)
    sent = bytes(range(5))
    received = np.array(packets.encode(sent, 65535), np.complex64)
    received[20 * trouble : 20 * trouble + 20] = samples[:20]
    found = packets.decode(received)
    assert found is None or found == (sent, 65535)
    packets.decode(samples)  # and of noise
