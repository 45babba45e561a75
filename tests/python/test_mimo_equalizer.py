#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""configured_esn with several streams: error rates, permutations, flowgraphs, bad data."""

import zlib

import numpy as np
import pmt
import pytest
from gnuradio import digital, reservoir
from links import run, same_bits, training_tag
from mimo_links import LINKS, Link, make_frame

SHORT = Link(num_pilots=64, payload_len=100)


def make(link=SHORT, **options):
    return reservoir.configured_esn(
        link.constellation().base(),
        num_inputs=link.antennas,
        num_outputs=link.streams,
        **options,
    )


def receive(detector, frame, **more):
    link = frame.link
    received = frame.received if link.antennas > 1 else frame.received[0]
    pilots = frame.pilots if link.streams > 1 else frame.pilots[0]
    return detector.receive(received, pilots, link.sps, link.payload_len, **more)


def errors(link, frames, seed=1, make_detector=make):
    """By streams."""
    detector = make_detector(link)
    made = (make_frame(link, seed, number) for number in range(frames))
    return sum(frame.errors(np.atleast_2d(receive(detector, frame))) for frame in made)


def decided(symbols, link):
    return np.abs(symbols[..., None] - link.points()).argmin(-1)


# ------------------------------------------------------------------ error rates


def fir(link):
    return reservoir.fir(delay=-1, num_inputs=link.antennas, num_outputs=link.streams)


def test_a_tenth_of_the_linear_equalizers_errors():
    wrong, linear = (errors(LINKS["2x2"], 10, make_detector=m) for m in (make, fir))
    assert np.all(linear > 100)
    assert np.all(wrong <= 0.1 * linear), (wrong, linear)


# symbol error rates of each stream, at most: about three times what is found
LIMITS = {
    "2x2_64": 0.003,
    "2x2_late": 0.003,
    "2x2_early": 0.003,
    "2x2_offset": 0.003,
    "2x2_offset_down": 0.003,
    "2x2_fractional": 0.003,
    "2x2_16qam": 0.003,
    "2x3": 0.01,
    "2x3_interferer": 0.003,
    "3x2": 0.003,
    "4x4": 0.003,
}


@pytest.mark.parametrize("name", LIMITS)
def test_error_rates(name):
    link, frames = LINKS[name], 6
    rates = errors(link, frames) / (frames * link.payload_len)
    assert np.all(rates <= LIMITS[name]), rates


@pytest.mark.parametrize("make_detector, snr_db", [(fir, 12.0), (make, 8.0)])
def test_two_antennas_gain_5_db(make_detector, snr_db):
    """At a symbol error rate about 2e-3; configured_esn, which gains 5 dB, has 4.5 here."""
    frames, gain = 30, 5.0 if make_detector is fir else 4.5
    two = errors(Link(streams=1, snr_db=snr_db), frames, 1, make_detector)
    alone = Link(streams=1, antennas=1, snr_db=snr_db + gain)
    one = errors(alone, frames, 1, make_detector)
    assert 10 < two < one, (two, one)


# ------------------------------------------------------------------ symmetry


@pytest.mark.parametrize("name", ["2x2", "2x3"])
def test_antennas_in_another_order(name):
    link = LINKS[name]
    frame = make_frame(link, 2)
    found = receive(make(link), frame)
    turned = make(link).receive(
        frame.received[::-1], frame.pilots, payload_len=link.payload_len
    )
    np.testing.assert_array_equal(decided(turned, link), decided(found, link))
    np.testing.assert_allclose(turned, found, atol=1e-3)


def test_streams_in_another_order():
    link = Link(antennas=3, streams=3)
    frame = make_frame(link, 3)
    found = receive(make(link), frame)
    order = [2, 0, 1]
    turned = make(link).receive(
        frame.received, frame.pilots[order], payload_len=link.payload_len
    )
    np.testing.assert_allclose(turned, found[order], atol=1e-3)


def test_other_units():
    """Raw points of the constellation, of another mean power, and another gain of the receiver."""
    frame = make_frame(SHORT, 4)
    raw = np.sqrt(np.mean(np.abs(SHORT.constellation().points()) ** 2))
    found = receive(make(), frame)
    detector = make()
    scaled = detector.receive(
        100 * frame.received, raw * frame.pilots, payload_len=SHORT.payload_len
    )
    np.testing.assert_allclose(scaled, raw * found, rtol=1e-4, atol=1e-4)


# ------------------------------------------------------------------ the report


def test_report():
    link = Link(antennas=3, snr_db=20.0)
    rng = np.random.default_rng(5)
    count = link.num_pilots + link.payload_len
    points = link.points()
    sent = points[rng.integers(4, size=(2, count))]
    channel = rng.normal(size=(2, 3, 4, 2)) @ (1, 1j) / 4
    noise = 0.05 * rng.normal(size=(3, count, 2)) @ (1, 1j)
    received = noise + [
        sum(np.convolve(sent[m], channel[m, a])[:count] for m in range(2))
        for a in range(3)
    ]
    detector = make(link)
    found = detector.receive(
        received.astype(np.complex64), sent[:, : link.num_pilots], payload_len=512
    )
    report = detector.report()
    assert np.shape(report.channel) == (6, 4)  # streams x antennas
    np.testing.assert_allclose(report.channel, channel.reshape(6, 4), atol=0.02)
    assert report.timing == 0 and len(report.poles) == 2 * 3
    # a matched filter's
    variance = np.mean(0.005 / np.sum(np.abs(channel) ** 2, axis=(1, 2)))
    assert report.noise_variance == pytest.approx(variance, rel=0.1)
    assert report.evm_db == pytest.approx(10 * np.log10(variance), abs=0.5)
    spread = np.mean(np.abs(found - sent)[:, link.num_pilots : -4] ** 2)
    assert spread == pytest.approx(variance, rel=0.2)
    assert report.confidence > 0.99


def test_carrier_offset_is_found():
    link = LINKS["2x2_offset"]
    detector = make(link)
    receive(detector, make_frame(link, 6))
    assert detector.report().carrier_offset == pytest.approx(3e-4, abs=1e-4)


# ------------------------------------------------------------------ in a flowgraph


@pytest.mark.parametrize("chunk", [0, 7, 64])
@pytest.mark.parametrize("workers", [1, 2])
def test_frames_in_a_flowgraph(chunk, workers):
    frame, count = make_frame(SHORT, 7), 3
    length = frame.received.shape[1]
    alone = receive(make(), frame)
    assert np.all(frame.errors(alone) == 0)
    equalizer = reservoir.equalizer(
        make(),
        training_sequence=frame.pilots,
        payload_len=SHORT.payload_len,
        workers=workers,
    )
    tags = [training_tag(number * length) for number in range(count)]
    found, _ = run(equalizer, np.tile(frame.received, count), tags, chunk)
    assert found.shape == (2, count * length)
    for part in np.split(found, count, axis=1):
        assert same_bits(part[:, : alone.shape[1]].copy(), alone)


@pytest.mark.parametrize("chunk", [0, 5, 300])
@pytest.mark.parametrize("output", ["decided", "forward"])
def test_streams_in_a_flowgraph(chunk, output):
    link = Link(payload_len=1500, antennas=3)
    frame = make_frame(link, 8)
    detector = make(link, output=output)
    detector.fit(frame.received, frame.pilots)
    alone = detector.detect(frame.received)
    assert alone.shape[1] == frame.received.shape[1] - detector.report().delay
    equalizer = reservoir.equalizer(
        make(link, output=output), training_sequence=frame.pilots
    )
    found, _ = run(equalizer, frame.received, [training_tag(0)], chunk)
    assert same_bits(found[:, : alone.shape[1]].copy(), alone)
    end = link.num_pilots + link.payload_len
    wrong = frame.errors(found[:, :end])
    assert np.all(wrong <= (2 if output == "decided" else 15)), wrong
    if output == "decided":  # points
        payload = found[:, link.num_pilots : end]
        nearest = link.points()[decided(payload, link)]
        np.testing.assert_allclose(payload, nearest, atol=1e-6)


def test_pieces_of_a_stream():
    link = Link(payload_len=700)
    frame = make_frame(link, 9)
    detector = make(link)
    detector.fit(frame.received, frame.pilots)
    whole = detector.detect(frame.received)
    detector.reset()
    cuts = [3, 50, 51, 128, 500]
    pieces = [
        detector.detect(part.copy()) for part in np.split(frame.received, cuts, axis=1)
    ]
    assert same_bits(np.concatenate(pieces, axis=1), whole)


# ------------------------------------------------------------------ soft bits


def test_soft_bits():
    link = Link(snr_db=8.0, antennas=3)
    frame = make_frame(link, 10)
    detector = make(link)
    symbols, llrs = receive(detector, frame, soft=True)
    assert same_bits(symbols, receive(make(link), frame))
    assert llrs.shape == (2, link.num_pilots + link.payload_len, 2)
    assert np.all(np.abs(llrs[:, : link.num_pilots]) == 8)
    labels = frame.payload  # of constellation_qpsk: the point's index
    bits = np.stack([labels >> 1, labels & 1], axis=-1)
    llrs = llrs[:, link.num_pilots :]
    wrong = (llrs > 0) != bits
    # as sure as they are right
    expected = np.mean(1 / (1 + np.exp(np.abs(llrs))))
    assert 0.002 < np.mean(wrong) < 0.1
    assert 0.5 * expected < np.mean(wrong) < 2 * expected


def test_forward_output_shows_its_noise():
    link = Link(snr_db=12.0, antennas=3)
    frame = make_frame(link, 11)
    detector = make(link, output="forward")
    found = receive(detector, frame)[:, link.num_pilots :]
    spread = np.mean(np.abs(found - link.points()[frame.payload]) ** 2)
    assert spread == pytest.approx(detector.report().noise_variance, rel=0.25)


# ------------------------------------------------------------------ state


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_bad_frames_do_not_harm_the_next(bad):
    frame = make_frame(SHORT, 12)
    detector = make()
    broken = np.full_like(frame.received, bad)
    found = detector.receive(broken, frame.pilots, payload_len=SHORT.payload_len)
    assert np.all(np.isfinite(found))
    broken = frame.received.copy()
    broken[1, 90:] = bad
    assert np.all(np.isfinite(receive_samples(detector, broken, frame)))
    detector.fit(broken, frame.pilots)
    assert np.all(np.isfinite(detector.detect(broken)))
    assert same_bits(receive(detector, frame), receive(make(), frame))


def receive_samples(detector, samples, frame):
    return detector.receive(samples, frame.pilots, payload_len=SHORT.payload_len)


def test_without_noise():
    link = Link(snr_db=200.0, payload_len=100)
    frame = make_frame(link, 13)
    assert np.all(frame.errors(receive(make(link), frame)) == 0)


def test_few_pilots():
    link = Link(num_pilots=3, payload_len=40)
    assert np.all(np.isfinite(receive(make(link), make_frame(link, 14))))


@pytest.mark.parametrize("output", ["decided", "forward"])
def test_saved_and_cloned(output, tmp_path):
    frame = make_frame(SHORT, 15)
    detector = make(output=output)
    receive(detector, frame)
    whole = detector.detect(frame.received)
    path = str(tmp_path / "detector")
    detector.save(path)
    loaded = reservoir.load(path)
    assert (
        loaded.num_outputs() == 2 and loaded.report().delay == detector.report().delay
    )
    for other in (loaded, detector.clone()):
        assert same_bits(other.detect(frame.received), whole)
    adopted = make(output=output)
    adopted.adopt(detector)
    assert same_bits(adopted.detect(frame.received), whole)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A detector's file, what was trained in it, and a function that writes a file with other things, and a
    checksum that is right."""
    detector = make()
    receive(detector, make_frame(SHORT, 15))
    path = tmp_path_factory.mktemp("saved") / "detector"
    detector.save(str(path))
    header, content = path.read_bytes().split(b"\n", 1)
    start = b" ".join(header.split()[:-2])
    whole, state = pmt.deserialize_str(content), pmt.intern("state")

    def write(changed):
        data = pmt.serialize_str(pmt.dict_add(whole, state, changed))
        other = path.with_name("changed")
        other.write_bytes(b"%s %d %d\n" % (start, len(data), zlib.crc32(data)) + data)
        return str(other)

    return path, pmt.dict_ref(whole, state, pmt.PMT_NIL), write


def entry(saved, key):
    return pmt.dict_ref(saved, pmt.intern(key), pmt.PMT_NIL)


def other_sizes(value):
    """The same with a value less, one more and none, of rows in one of them, and a row less and more."""
    if pmt.is_c32vector(value):
        values = pmt.c32vector_elements(value)
        for changed in (values[:-1], [*values, 0j], []):
            yield pmt.init_c32vector(len(changed), changed)
    elif pmt.is_f64vector(value):
        values = pmt.f64vector_elements(value)
        for changed in (values[:-1], [*values, 0.0], []):
            yield pmt.init_f64vector(len(changed), changed)
    else:
        rows = [pmt.vector_ref(value, i) for i in range(pmt.length(value))]
        changes = [rows[:-1], [*rows, rows[0]], []]
        for row in other_sizes(rows[-1]):
            changes.append([*rows[:-1], row])
        for changed in changes:
            vector = pmt.make_vector(len(changed), pmt.PMT_NIL)
            for i, row in enumerate(changed):
                pmt.vector_set(vector, i, row)
            yield vector


ARRAYS = ["filter", "pilots", "order", "deviations", "feedback"]


def test_a_file_that_was_not_changed(saved):
    path, content, write = saved
    same = reservoir.load(write(content))
    samples = make_frame(SHORT, 15).received
    assert same_bits(same.detect(samples), reservoir.load(str(path)).detect(samples))


@pytest.mark.parametrize("key", ARRAYS)
def test_arrays_of_other_sizes_are_refused(key, saved):
    _, content, write = saved
    changes = list(other_sizes(entry(content, key)))
    assert len(changes) >= 3
    for changed in changes:
        path = write(pmt.dict_add(content, pmt.intern(key), changed))
        with pytest.raises(
            RuntimeError, match=f"the saved detector's {key} = .*: must"
        ):
            reservoir.load(path)


def doubles(*values):
    return pmt.init_f64vector(len(values), values)


@pytest.mark.parametrize(
    "key, value",
    [
        ("order", doubles(0, 0)),
        ("order", doubles(0, 2)),
        ("order", doubles(0, 0.5)),
        ("order", doubles(0, float("nan"))),
        ("deviations", doubles(0.1, 0)),
        ("deviations", doubles(float("nan"), 0.1)),
        ("timing", pmt.from_long(9)),
        ("timing", pmt.from_long(-41)),
        ("frequency", pmt.from_double(1.1)),
        ("input_gain", pmt.from_double(float("inf"))),
        ("input_gain", pmt.from_double(0)),
        ("symbol_scale", pmt.from_double(float("nan"))),
        ("alpha", pmt.from_double(-1)),
        ("beta", pmt.from_double(2)),
        ("power", pmt.from_double(0)),
        ("pilots", pmt.init_c32vector(2, [float("inf"), 1])),
    ],
)
def test_values_out_of_range_are_refused(key, value, saved):
    _, content, write = saved
    path = write(pmt.dict_add(content, pmt.intern(key), value))
    with pytest.raises(RuntimeError, match=f"the saved detector's {key} = .*: must be"):
        reservoir.load(path)


@pytest.mark.parametrize("key", [*ARRAYS, "timing", "power", "known_channel"])
def test_missing_and_mistaken_entries_are_refused(key, saved):
    _, content, write = saved
    with pytest.raises(RuntimeError, match=f"no entry {key}"):
        reservoir.load(write(pmt.dict_delete(content, pmt.intern(key))))
    mistaken = pmt.dict_add(content, pmt.intern(key), pmt.intern("text"))
    with pytest.raises(RuntimeError, match="load: "):
        reservoir.load(write(mistaken))


def test_a_channel_that_was_never_told_is_refused(saved):
    _, content, write = saved
    rows = pmt.make_vector(2, pmt.init_c32vector(2, [1, 1j]))
    path = write(pmt.dict_add(content, pmt.intern("known_channel"), rows))
    with pytest.raises(RuntimeError, match="channel = given: must be empty"):
        reservoir.load(path)


def test_truncated_files_are_refused(saved, tmp_path):
    path, _, _ = saved
    data = path.read_bytes()
    rng = np.random.default_rng(1)
    for length in [0, 1, len(data) - 1, *rng.integers(2, len(data) - 1, 40)]:
        short = tmp_path / "short"
        short.write_bytes(data[:length])
        with pytest.raises(RuntimeError, match="load: .*short"):
            reservoir.load(str(short))


def test_hurry_leaves_the_refits_out():
    frame = make_frame(LINKS["2x2_10dB"], 16)
    detector = make(refits=0)
    receive(detector, frame)
    assert detector.report().refits == 0 and len(detector.report().residuals) == 1
    detector = make()
    receive(detector, frame)
    assert len(detector.report().residuals) > 1


# ------------------------------------------------------------------ bad arguments

BAD = [
    (dict(num_outputs=9), "num_outputs"),
    (dict(feedback=False), "feedback"),
    (dict(rotation=0.5), "rotation"),
    (dict(tracking="on"), "tracking"),
    (dict(poles="statistics", power_delay_profile=[1, 1], refits=0), "feedback"),
]


@pytest.mark.parametrize("options, name", BAD)
def test_bad_arguments(options, name):
    options = dict(num_inputs=2, num_outputs=2) | options
    with pytest.raises(ValueError, match=name):
        reservoir.configured_esn(digital.constellation_qpsk().base(), **options)


def test_what_several_streams_do_not_have():
    frame = make_frame(SHORT, 17)
    detector = make()
    with pytest.raises(ValueError, match="pilots = 1 rows: must be num_outputs = 2"):
        detector.receive(frame.received, frame.pilots[:1])
    with pytest.raises(ValueError, match="channel = given: must be empty with num_out"):
        detector.set_channel(np.ones((2, 3), np.complex64))
    with pytest.raises(ValueError, match="adapt_after_training = true: must be false"):
        reservoir.equalizer(
            make(),
            training_sequence=frame.pilots,
            adapt_after_training=True,
            constellation=SHORT.constellation().base(),
        )
    gaps = frame.pilots.copy()
    gaps[:, 5] = np.nan
    with pytest.raises(ValueError, match="needs all known symbols in front"):
        detector.receive(frame.received, gaps)


def test_samples_per_symbol_are_those_of_the_last_frame(tmp_path):
    """Whatever trained it: receive as much as fit."""
    link = Link(num_pilots=64, sps=2, payload_len=60)
    frame = make_frame(link, 1, 0)
    detector = make(link)
    detector.fit(frame.received[:, ::2], frame.pilots)
    expected = detector.receive(frame.received, frame.pilots, sps=2, payload_len=60)
    detector.save(str(tmp_path / "network"))
    loaded = reservoir.load(str(tmp_path / "network"))
    for other in (detector, loaded):
        found = other.detect(frame.received, sps=2)
        assert found.shape[1] <= frame.received.shape[1] // 2
        wrong = decided(found[:, :100], link) != decided(expected[:, :100], link)
        assert np.mean(wrong) < 0.05
        with pytest.raises(ValueError, match="sps = 1: must be what fit was given, 2"):
            other.detect(frame.received, sps=1)
    assert detector.clone().num_outputs() == 2


@pytest.mark.parametrize("streams, pilots", [(2, 1), (3, 1), (3, 2), (4, 3)])
def test_fewer_pilots_than_streams(streams, pilots):
    rng = np.random.default_rng(7)
    received = rng.normal(size=(streams, 60)) + 1j * rng.normal(size=(streams, 60))
    known = rng.choice([1, -1, 1j, -1j], (streams, pilots))
    detector = reservoir.configured_esn(
        num_inputs=streams, num_outputs=streams, channel_len=4
    )
    assert np.isfinite(detector.receive(received, known, payload_len=8)).all()


def test_reset_before_any_training():
    make().reset()
