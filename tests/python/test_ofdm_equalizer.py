#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The OFDM equalizer block in real flowgraphs: frames, tags, messages, bad data."""

import threading
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir
from link_helpers import memory_growth
from links import QPSK, command, noise, same_bits, symbols, tag

ROOT = Path(__file__).resolve().parents[2]
FFT_LEN = 16
CP_LEN = 4
SYMBOL = FFT_LEN + CP_LEN
DATA = 3  # symbols of a frame
CARRIERS = [-6, -5, -4, -2, -1, 1, 2, 4, 5, 6]
PILOT_CARRIERS = [-3, 3]
CHUNKS = [1, 7, 64, 4096]
VECTOR = gr.sizeof_gr_complex * FFT_LEN  # bytes


def sync_words(num_tx, count=4, seed=5):
    """(num_tx, count, FFT_LEN), DC in the middle; independent on all carriers in use."""
    rng = np.random.default_rng(seed)
    words = np.zeros((num_tx, count, FFT_LEN), np.complex64)
    used = [k + FFT_LEN // 2 for k in CARRIERS + PILOT_CARRIERS]
    words[..., used] = symbols(num_tx * count * len(used), rng).reshape(
        num_tx, count, -1
    )
    return words


def make_grid(num_tx=1, **options):
    pilots = [[[1] * len(PILOT_CARRIERS)]] * num_tx
    given = dict(
        occupied_carriers=[CARRIERS],
        pilot_carriers=[PILOT_CARRIERS],
        pilot_symbols=pilots,
        sync_words=sync_words(num_tx),
    )
    return reservoir.ofdm_grid(FFT_LEN, CP_LEN, num_tx, **{**given, **options})


def lmmse(num_rx=1, num_tx=1, **options):
    return reservoir.ofdm_lmmse(
        fft_len=FFT_LEN, cp_len=[CP_LEN], num_rx=num_rx, num_tx=num_tx, **options
    )


def configured(num_rx=1, num_tx=1):
    return reservoir.ofdm_configured(
        fft_len=FFT_LEN, cp_len=[CP_LEN], num_rx=num_rx, num_tx=num_tx
    )


def network(num_rx=1, num_tx=1):
    return reservoir.ofdm_esn(
        fft_len=FFT_LEN, cp_len=[CP_LEN], num_rx=num_rx, num_tx=num_tx, window=8
    )


def modulated(carriers):
    """(streams, symbols, carriers with DC in the middle) to (streams, samples)."""
    samples = np.fft.ifft(np.fft.ifftshift(carriers, axes=-1)) * np.sqrt(FFT_LEN)
    with_prefix = np.concatenate([samples[..., -CP_LEN:], samples], -1)
    return with_prefix.reshape(len(carriers), -1)


def frame(grid, rng, num_data=DATA):
    """Its carriers, the sync words first, (num_tx, symbols, FFT_LEN)."""
    carriers, known = grid.known(grid.num_sync_words() + num_data)
    carriers[~known] = symbols(np.count_nonzero(~known), rng)
    return carriers


def received(parts, num_rx, rng, snr_db=30.0):
    """Frames and gaps (numbers of samples), (num_tx, ...) each, over one channel; where they start."""
    num_tx = next(len(part) for part in parts if np.ndim(part))
    rows, starts, position = [], [], 0
    for part in parts:
        if np.ndim(part):
            starts.append(position)
            rows.append(modulated(part))
        else:
            rows.append(np.zeros((num_tx, part)))
        position += rows[-1].shape[1]
    sent = np.concatenate(rows, 1)
    samples = noise((num_rx, sent.shape[1]), rng, snr_db)
    for r in range(num_rx):
        for t in range(num_tx):
            taps = noise(3, rng, 0) / 2
            taps[0] += 2 * (r == t)
            samples[r] += np.convolve(sent[t], taps)[: sent.shape[1]]
    return samples.astype(np.complex64), starts


def run(equalizer, samples, tags, chunk=0, other_tags=()):
    """Outputs (num_tx, vectors, FFT_LEN), the tags of each, and the messages of the port report."""
    top = gr.top_block()
    for i, row in enumerate(np.atleast_2d(samples)):
        these = tags if i == 0 else other_tags
        top.connect(
            blocks.vector_source_c(row.tolist(), False, 1, list(these)), (equalizer, i)
        )
    sinks = []
    for o in range(equalizer.output_signature().min_streams()):
        sinks.append(blocks.vector_sink_c(FFT_LEN))
        top.connect((equalizer, o), sinks[-1])
    messages = blocks.message_debug()
    top.msg_connect(equalizer, "report", messages, "store")
    top.run(chunk) if chunk else top.run()
    outputs = [np.array(s.data(), np.complex64).reshape(-1, FFT_LEN) for s in sinks]
    reports = [
        pmt.to_python(messages.get_message(i)) for i in range(messages.num_messages())
    ]
    return np.array(outputs), [found(sink) for sink in sinks], reports


def found(sink):
    """Tags as (vector, key, value), in order."""
    return sorted(
        ((t.offset, str(t.key), pmt.to_python(t.value)) for t in sink.tags()), key=str
    )


def start(offset, value=pmt.PMT_T):
    return tag(offset, "frame_start", value)


def lengths(tags):
    return [(place, value) for place, key, value in tags if key == "frame_len"]


def places(tags, key):
    return [place for place, name, _ in tags if name == key]


def link(num_frames=3, num_rx=1, num_tx=1, gap=33, seed=1, lead=11, num_data=DATA):
    rng = np.random.default_rng(seed)
    grid = make_grid(num_tx)
    frames = [frame(grid, rng, num_data) for _ in range(num_frames)]
    parts = [lead]
    for one in frames:
        parts += [one, gap]
    samples, starts = received(parts, num_rx, rng)
    return grid, samples, starts, frames


def expected(make, grid, samples, starts, num_data=DATA):
    """What the detector gives by itself."""
    count = grid.num_sync_words() + num_data
    samples = np.atleast_2d(samples)
    return np.concatenate(
        [make().receive(samples[:, s:], grid, count) for s in starts], axis=1
    )


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("num_rx, num_tx", [(1, 1), (2, 1), (2, 2), (3, 2)])
@pytest.mark.parametrize("make", [lmmse, configured, network])
@pytest.mark.parametrize("workers", [1, 3])
def test_flowgraph_equals_offline(make, num_rx, num_tx, chunk, workers):
    grid, samples, starts, frames = link(3, num_rx, num_tx)
    eq = reservoir.ofdm_equalizer(make(num_rx, num_tx), grid, DATA, workers=workers)
    out, tags, reports = run(eq, samples, [start(s) for s in starts], chunk)
    assert same_bits(out, expected(lambda: make(num_rx, num_tx), grid, samples, starts))
    sent = np.concatenate([one[:, grid.num_sync_words() :] for one in frames], 1)
    decided = np.sign(out.real) + 1j * np.sign(out.imag)
    used = [k + FFT_LEN // 2 for k in CARRIERS]
    wrong = np.abs(decided - np.sqrt(2) * sent)[..., used] > 1e-3
    assert np.mean(wrong) < (0.25 if make == network else 0.05)
    for one in tags:
        assert lengths(one) == [(0, DATA), (DATA, DATA), (2 * DATA, DATA)]
        assert places(one, "frame_start") == [0, DATA, 2 * DATA]
    assert [report["offset"] for report in reports] == starts
    assert [report["frames"] for report in reports] == [1, 2, 3]
    assert eq.frames() == 3 and eq.truncated_frames() == eq.dropped_frames() == 0


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("workers", [1, 3])
def test_many_frames_without_gaps(chunk, workers):
    grid, samples, starts, _ = link(40, gap=0, lead=0)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA, workers=workers)
    out, _, _ = run(eq, samples, [start(s) for s in starts], chunk)
    assert same_bits(out, expected(lmmse, grid, samples, starts))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_flowgraph_can_be_stopped_while_frames_wait(workers):
    grid, samples, starts, _ = link(20, 2, 2, gap=0)
    tags = [start(s) for s in starts]
    eq = reservoir.ofdm_equalizer(configured(2, 2), grid, DATA, workers=workers)
    top = gr.top_block()
    for i, row in enumerate(samples):
        source = blocks.vector_source_c(row.tolist(), True, 1, [] if i else tags)
        top.connect(source, (eq, i))
    for o in range(2):
        top.connect((eq, o), blocks.null_sink(gr.sizeof_gr_complex * FFT_LEN))
    top.start()
    time.sleep(0.2)
    top.stop()
    top.wait()
    assert eq.frames() > 0


def test_report_is_the_detectors():
    grid, samples, starts, _ = link(2)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    _, _, reports = run(eq, samples, [start(s) for s in starts])
    detector = lmmse()
    report = detector.fit(samples[:, starts[1] :], grid, grid.num_sync_words() + DATA)
    assert reports[1]["noise_variance"] == report.noise_variance
    assert eq.report().noise_variance == report.noise_variance
    names = {
        f["name"] for f in reservoir.training_report.fields() if not f["of_descent"]
    }
    own = {"offset", "frames", "truncated_frames", "dropped_frames", "bad_lengths"} | {
        "erased_frames"
    }
    assert set(reports[1]) == names | own
    block = ROOT / "grc" / "reservoir_ofdm_lmmse_equalizer.block.yml"
    reference = (ROOT / "docs" / "detectors.md").read_text()
    for key in names | own | {"warning"}:
        assert f"\n        {key}: " in block.read_text(), key
        assert f"| `{key}` |" in reference, key


@pytest.mark.parametrize("chunk", [1, 4096])
@pytest.mark.parametrize("make_value", [pmt.from_long, pmt.from_uint64])
def test_value_is_the_number_of_data_symbols(make_value, chunk):
    rng = np.random.default_rng(2)
    grid = make_grid()
    numbers = [1, 5, 2]
    frames = [frame(grid, rng, count) for count in numbers]
    samples, starts = received([frames[0], 8, frames[1], frames[2]], 1, rng)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    tags = [start(s, make_value(n)) for s, n in zip(starts, numbers)]
    out, (tags,), _ = run(eq, samples, tags, chunk)
    parts = [
        expected(lmmse, grid, samples, [s], count) for s, count in zip(starts, numbers)
    ]
    assert same_bits(out, np.concatenate(parts, 1))
    assert lengths(tags) == [(0, 1), (1, 5), (6, 2)]


@pytest.mark.parametrize(
    "value",
    [pmt.from_long(0), pmt.from_long(-3), pmt.from_long(16385)]
    + [pmt.from_uint64(2**63)],
)
def test_bad_value_drops_the_frame_and_is_said_once(value, capfd):
    grid, samples, starts, _ = link(4)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    tags = [start(s, value if i in (1, 2) else pmt.PMT_T) for i, s in enumerate(starts)]
    out, (tags,), reports = run(eq, samples, tags)
    assert same_bits(out, expected(lmmse, grid, samples, [starts[0], starts[3]]))
    assert eq.bad_lengths() == 2 and reports[-1]["bad_lengths"] == 2
    assert places(tags, "frame_start") == [0, DATA]
    said = "".join(capfd.readouterr())
    assert said.count("frame_start = ") == 1
    assert f"at sample {starts[1]}: must be 1 to 16384 data symbols" in said


def test_a_long_frame_takes_no_memory_before_its_samples_come():
    fft_len = 1024
    pilots = symbols(fft_len, np.random.default_rng(7)).reshape(1, -1)
    eq = reservoir.ofdm_equalizer(reservoir.ofdm_lmmse(fft_len, 16), pilots, DATA)
    tags = [start(offset, pmt.from_long(16384)) for offset in range(0, 1000, 100)]
    top = gr.top_block()
    top.connect(
        blocks.vector_source_c([0j] * 2000, False, 1, tags),
        eq,
        blocks.null_sink(gr.sizeof_gr_complex * fft_len),
    )
    assert memory_growth(top.run) < 20  # the grid of one such frame has 128 MiB
    assert eq.dropped_frames() == 10


@pytest.mark.parametrize("value", [pmt.PMT_NIL, pmt.intern("4"), pmt.from_double(7.0)])
def test_other_values_mean_the_parameter(value):
    grid, samples, starts, _ = link(2)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    out, _, _ = run(eq, samples, [start(s, value) for s in starts])
    assert same_bits(out, expected(lmmse, grid, samples, starts))


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("workers", [1, 3])
def test_tags_lie_on_their_symbols(chunk, workers):
    """One on every sample of two frames and of what is between them."""
    grid, samples, starts, _ = link(2, gap=9)
    marks = [tag(n, "mark", pmt.from_long(n)) for n in range(samples.shape[1])]
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA, workers=workers)
    _, (tags,), _ = run(eq, samples, [start(s) for s in starts] + marks, chunk)
    found = {value: place for place, key, value in tags if key == "mark"}
    front, length = grid.num_sync_words(), (grid.num_sync_words() + DATA) * SYMBOL
    for number, begin in enumerate(starts):
        for n in range(length):
            symbol = max(n // SYMBOL - front, 0)
            assert found.pop(begin + n) == number * DATA + symbol
    # the last one before each frame; nothing comes behind the second
    assert found == {starts[0] - 1: 0, starts[1] - 1: DATA}


def test_tags_between_frames_are_kept_by_key_and_input():
    grid, samples, starts, _ = link(1, 2, lead=30)
    tags = [tag(n, key, pmt.from_long(n)) for n, key in [(2, "a"), (4, "b"), (6, "a")]]
    eq = reservoir.ofdm_equalizer(lmmse(2), grid, DATA)
    _, (found,), _ = run(
        eq, samples, tags + [start(starts[0])], 0, [tag(3, "a", pmt.from_long(3))]
    )
    ours = [entry for entry in found if entry[1] in "ab"]
    assert ours == [(0, "a", 3), (0, "a", 6), (0, "b", 4)]


def test_length_tags_of_the_input_do_not_pass():
    grid, samples, starts, _ = link(1)
    tags = [start(starts[0]), tag(starts[0], "frame_len", pmt.from_long(99))]
    out, (found,), _ = run(reservoir.ofdm_equalizer(lmmse(), grid, DATA), samples, tags)
    assert lengths(found) == [(0, DATA)]


def test_no_length_tag():
    grid, samples, starts, _ = link(1)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA, length_tag_key="")
    _, (found,), _ = run(eq, samples, [start(starts[0])])
    assert [key for _, key, _ in found] == ["frame_start"]


@pytest.mark.parametrize("key", ["frame_start", "rx_time"])
@pytest.mark.parametrize("on_input", [0, 1])
def test_frames_of_other_inputs_do_not_count_but_their_overruns_do(key, on_input):
    grid, samples, starts, _ = link(1, 2)
    cut = starts[0] + 6 * SYMBOL + 1
    extra = [tag(cut, key)]
    eq = reservoir.ofdm_equalizer(lmmse(2), grid, DATA)
    tags = [start(starts[0])] + (extra if on_input == 0 else [])
    out, (found,), _ = run(eq, samples, tags, 0, extra if on_input == 1 else [])
    if key == "frame_start" and on_input == 1:
        assert lengths(found) == [(0, 3)]
        assert places(found, key) == [0, 2]
        return
    assert same_bits(out, expected(lambda: lmmse(2), grid, samples, starts, 2))
    assert eq.truncated_frames() == 1
    # of the frame that begins there the stream has no data symbol
    assert eq.dropped_frames() == (key == "frame_start")


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize(
    "whole, more",
    [(n, m) for n in (0, 3, 4, 5, 6) for m in (0, 1, SYMBOL - 1) if n + m > 0],
)
@pytest.mark.parametrize("key", ["frame_start", "rx_time"])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_tag_cuts_the_frame_before_it(key, whole, more, chunk, workers):
    """The first frame has whole symbols and some samples more, then the second begins."""
    rng = np.random.default_rng(3)
    grid = make_grid()
    two = [frame(grid, rng) for _ in range(2)]
    samples, _ = received([*two, 5], 1, rng)
    length = two[0].shape[1] * SYMBOL
    cut = whole * SYMBOL + more
    samples = np.concatenate([samples[:, :cut], samples[:, length:]], 1)
    tags = [start(0), start(cut)] + ([tag(cut, key)] if key == "rx_time" else [])
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA, workers=workers)
    out, (found,), _ = run(eq, samples, tags, chunk)
    count = max(whole - grid.num_sync_words(), 0)
    parts = [expected(lmmse, grid, samples, [0], count)] if count else []
    parts.append(expected(lmmse, grid, samples, [cut]))
    assert same_bits(out, np.concatenate(parts, 1))
    assert lengths(found) == ([(0, count)] if count else []) + [(count, DATA)]
    assert (eq.truncated_frames(), eq.dropped_frames()) == (count > 0, count == 0)
    if key == "rx_time":
        assert places(found, key) == [count]


@pytest.mark.parametrize("chunk", CHUNKS)
def test_what_follows_an_overrun_is_dropped(chunk):
    grid, samples, starts, _ = link(2)
    lost = starts[0] + 5 * SYMBOL + 3
    tags = [start(s) for s in starts] + [tag(lost, "rx_time")]
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    out, (found,), _ = run(eq, samples, tags, chunk)
    parts = [
        expected(lmmse, grid, samples, starts[:1], 1),
        expected(lmmse, grid, samples, starts[1:]),
    ]
    assert same_bits(out, np.concatenate(parts, 1))
    assert places(found, "rx_time") == [1]


def test_rx_time_on_the_first_sample_cuts_nothing():
    grid, samples, starts, _ = link(1)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    out, (found,), _ = run(eq, samples, [start(starts[0]), tag(starts[0], "rx_time")])
    assert same_bits(out, expected(lmmse, grid, samples, starts))
    assert places(found, "rx_time") == [0] and eq.truncated_frames() == 0


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("missing", [0, 1, SYMBOL, 3 * SYMBOL])
@pytest.mark.parametrize("workers", [1, 3])
def test_end_of_stream(missing, chunk, workers):
    """Two whole frames wait when the stream ends, then one that is cut."""
    grid, samples, starts, _ = link(3, gap=0)
    samples = samples[:, : samples.shape[1] - missing]
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA, workers=workers)
    out, _, _ = run(eq, samples, [start(s) for s in starts], chunk)
    left = DATA - -(-missing // SYMBOL)
    parts = [expected(lmmse, grid, samples, starts[:2])]
    if left:
        parts.append(expected(lmmse, grid, samples, starts[2:], left))
    assert same_bits(out, np.concatenate(parts, 1))
    assert eq.truncated_frames() == (0 < left < DATA)
    assert eq.dropped_frames() == (left == 0)


def test_tag_on_the_last_sample():
    grid, samples, starts, _ = link(1)
    end = samples.shape[1] - 1
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    out, _, _ = run(eq, samples, [start(starts[0]), start(end)])
    assert same_bits(out, expected(lmmse, grid, samples, starts))
    assert eq.dropped_frames() == 1


def test_inputs_of_different_length():
    grid, samples, starts, _ = link(2, 2)
    eq = reservoir.ofdm_equalizer(lmmse(2), grid, DATA)
    top = gr.top_block()
    tags = [start(s) for s in starts]
    shorter = samples[1, : starts[1] + 10]
    for i, row in enumerate([samples[0], shorter]):
        source = blocks.vector_source_c(row.tolist(), False, 1, [] if i else tags)
        top.connect(source, (eq, i))
    sink = blocks.vector_sink_c(FFT_LEN)
    top.connect(eq, sink)
    top.run()
    out = np.array(sink.data(), np.complex64).reshape(1, -1, FFT_LEN)
    assert same_bits(out, expected(lambda: lmmse(2), grid, samples, starts[:1]))


@pytest.mark.parametrize("chunk", CHUNKS)
def test_without_tags_nothing_comes_out_and_it_is_said(chunk, capfd):
    grid, samples, _, _ = link(2)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    out, _, reports = run(eq, samples, [tag(3, "corr_est")], chunk)
    assert out.size == 0 and reports == []
    text = (
        f"no training tag 'frame_start' in the {samples.shape[1]} samples of the stream: "
        "does the frame source write that key? (tags that came: 'corr_est')"
    )
    assert eq.warnings() == [text]
    assert "".join(capfd.readouterr()).count(text) == 1


@pytest.mark.parametrize("make", [lmmse, configured, network])
@pytest.mark.parametrize("workers", [1, 3])
def test_wrong_pilots_are_said_once(make, workers, capfd):
    _, samples, starts, _ = link(20)
    grid = make_grid(sync_words=sync_words(1, seed=6))
    eq = reservoir.ofdm_equalizer(make(), grid, DATA, workers=workers)
    *_, reports = run(eq, samples, [start(s) for s in starts])
    (text,) = eq.warnings()
    assert "is what the pilots or the grid say is known what was sent" in text
    assert [("warning" in report) for report in reports] == [n == 7 for n in range(20)]
    assert reports[7]["warning"] == text
    assert "".join(capfd.readouterr()).count(text) == 1


@pytest.mark.parametrize("make", [lmmse, configured, network])
def test_noise_is_no_mistake(make):
    rng = np.random.default_rng(8)
    grid = make_grid()
    parts = [part for _ in range(12) for part in (frame(grid, rng), 5)]
    samples, starts = received(parts, 1, rng, snr_db=5)
    eq = reservoir.ofdm_equalizer(make(), grid, DATA)
    *_, reports = run(eq, samples, [start(s) for s in starts])
    assert len(reports) == 12 and eq.warnings() == []


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("make_value", [pmt.from_long, pmt.from_double])
def test_a_carrier_offset_that_a_tag_tells_is_taken_out(make_value, chunk):
    """Sample by sample: shifted bins would leave prefix and channel turned."""
    grid, samples, starts, _ = link(3, num_rx=2, num_tx=2)
    offsets = [2, -1, 0]
    ends = [*starts[1:], samples.shape[1]]
    turned, tags = samples.copy(), []
    for first, last, carriers in zip(starts, ends, offsets):
        n = np.arange(last - first)
        turned[:, first:last] *= np.exp(2j * np.pi * carriers * n / FFT_LEN)
        tags += [
            start(first),
            tag(first, "ofdm_sync_carr_offset", make_value(carriers)),
        ]
    make = lambda: lmmse(2, 2)  # noqa: E731
    eq = reservoir.ofdm_equalizer(make(), grid, DATA)
    out, (passed, _), _ = run(eq, turned, tags, chunk)
    np.testing.assert_allclose(out, expected(make, grid, samples, starts), atol=1e-4)
    assert places(passed, "ofdm_sync_carr_offset") == [0, DATA, 2 * DATA]


@pytest.mark.parametrize(
    "value", [pmt.intern("2"), pmt.from_double(np.nan), pmt.from_double(np.inf)]
)
def test_a_carrier_offset_that_is_no_number_is_none(value):
    grid, samples, starts, _ = link(1)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    tags = [start(starts[0]), tag(starts[0], "ofdm_sync_carr_offset", value)]
    out, _, _ = run(eq, samples, tags)
    assert same_bits(out, expected(lmmse, grid, samples, starts))


def test_plain_pilots_and_natural_order():
    rng = np.random.default_rng(4)
    pilots = np.fft.ifftshift(sync_words(2), axes=-1)
    grid = make_grid(2, pilot_carriers=[], pilot_symbols=[])
    samples, starts = received([frame(grid, rng), 20, frame(grid, rng)], 2, rng)
    eq = reservoir.ofdm_equalizer(lmmse(2, 2), pilots, DATA)
    out, _, _ = run(eq, samples, [start(s) for s in starts])
    parts = [lmmse(2, 2).receive(samples[:, s:], pilots, 4 + DATA) for s in starts]
    assert same_bits(out, np.concatenate(parts, 1))


def test_symbols_that_are_known_as_a_whole_do_not_come_out():
    """Of sets in turns, the second has pilots only."""
    rng = np.random.default_rng(6)
    options = dict(
        occupied_carriers=[CARRIERS, []],
        pilot_carriers=[PILOT_CARRIERS, PILOT_CARRIERS],
        pilot_symbols=[[1, 1], [1, -1]],
    )
    grid = make_grid(1, **options)
    samples, starts = received([frame(grid, rng, 5)], 1, rng)
    marks = [tag(n, "mark", pmt.from_long(n)) for n in range(0, 9 * SYMBOL, SYMBOL)]
    eq = reservoir.ofdm_equalizer(lmmse(), grid, 5)
    out, (tags,), _ = run(eq, samples, [start(0)] + marks)
    assert same_bits(out, lmmse().receive(samples, grid, 9))
    assert lengths(tags) == [(0, 3)]
    assert sorted(places(tags, "mark")) == [0, 0, 0, 0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize("cp_len", [[4, 2, 1], [0]])
def test_prefixes_in_turns(cp_len):
    rng = np.random.default_rng(7)
    options = dict(occupied_carriers=[CARRIERS], sync_words=sync_words(1)[0])
    grid = reservoir.ofdm_grid(FFT_LEN, cp_len, **options)
    carriers = frame(grid, rng)
    symbols = np.fft.ifft(np.fft.ifftshift(carriers[0], axes=-1)) * np.sqrt(FFT_LEN)
    lengths = [cp_len[n % len(cp_len)] for n in range(len(symbols))]
    pieces = [np.append(s[FFT_LEN - n :], s) for s, n in zip(symbols, lengths)]
    samples = np.concatenate(pieces)
    samples = (samples + noise(len(samples), rng, 30)).astype(np.complex64)
    make = lambda: reservoir.ofdm_lmmse(fft_len=FFT_LEN, cp_len=cp_len)
    eq = reservoir.ofdm_equalizer(make(), grid, DATA)
    out, _, _ = run(eq, samples, [start(0)])
    assert out.shape[1] == DATA
    assert same_bits(out, make().receive(samples, grid))


@pytest.mark.parametrize("shifted", [True, False])
def test_serializer_gets_the_data_carriers(shifted):
    rng = np.random.default_rng(8)
    grid = make_grid()
    frames = [frame(grid, rng, count) for count in (3, 2)]
    samples, starts = received([frames[0], 7, frames[1]], 1, rng, 40)
    if not shifted:
        words = np.fft.ifftshift(sync_words(1), axes=-1)
        grid = make_grid(sync_words=words, shifted=False)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, 3)
    serializer = digital.ofdm_serializer_vcc(
        FFT_LEN, [CARRIERS], "frame_len", input_is_shifted=shifted
    )
    tags = [start(starts[0]), start(starts[1], pmt.from_long(2))]
    source = blocks.vector_source_c(samples[0].tolist(), False, 1, tags)
    sink = blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(source, eq, serializer, sink)
    top.run()
    used = [k + FFT_LEN // 2 for k in CARRIERS]
    sent = np.concatenate([one[0, 4:, used].T.ravel() for one in frames])
    out = np.array(sink.data())
    assert len(out) == len(sent)
    assert np.mean(np.abs(out - sent) ** 2) < 0.05
    lengths = [pmt.to_python(t.value) for t in sink.tags() if str(t.key) == "frame_len"]
    assert lengths == [3 * len(CARRIERS), 2 * len(CARRIERS)]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("workers", [1, 3])
def test_bad_samples_are_counted_and_count_as_zero(bad, workers):
    grid, samples, starts, _ = link(2)
    samples[0, starts[0] + 50] = bad
    samples[0, starts[1] - 1] = bad  # between frames
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA, workers=workers)
    out, _, reports = run(eq, samples, [start(s) for s in starts])
    samples[0, starts[0] + 50] = 0
    assert same_bits(out, expected(lmmse, grid, samples, starts))
    assert eq.bad_samples() == 1
    assert [report["bad_samples"] for report in reports] == [1, 1]


@pytest.mark.parametrize("workers", [1, 3])
def test_block_runs_again(workers):
    """Offsets and counts begin at 0 again."""
    grid, samples, starts, _ = link(2)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA, workers=workers)
    tags = [start(s) for s in starts]
    first, _, _ = run(eq, samples[:, : starts[1] + 90], tags)
    eq_again, _, reports = run(eq, samples, tags)
    assert same_bits(eq_again, expected(lmmse, grid, samples, starts))
    assert reports[0]["frames"] == 1 and reports[0]["truncated_frames"] == 0


# ------------------------------------------------------------------ setters


@pytest.mark.parametrize("workers", [1, 3])
def test_num_data_symbols_while_it_runs(workers):
    """Every frame comes out whole, with as many symbols as were set when it began."""
    rng = np.random.default_rng(31)
    grid = make_grid()
    count, in_front = 150, grid.num_sync_words()
    samples, starts = received([frame(grid, rng) for _ in range(count)], 1, rng)
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA, workers=workers)
    marks = [start(s, pmt.intern(str(i))) for i, s in enumerate(starts)]
    source = blocks.vector_source_c(samples[0].tolist(), False, 1, marks)
    sink = blocks.vector_sink_c(FFT_LEN)
    top = gr.top_block()
    # slowly enough that there is time to set it between frames
    slow = blocks.throttle(gr.sizeof_gr_complex, 4 * samples.shape[1])
    top.connect(source, slow, eq, sink)
    top.start(7)
    waiter = threading.Thread(target=top.wait)
    waiter.start()
    for turn in cycle(range(1, DATA + 1)):
        eq.set_num_data_symbols(turn)
        assert eq.num_data_symbols() == turn
        if not waiter.is_alive():
            break
        time.sleep(2e-4)
    waiter.join()
    out = np.array(sink.data(), np.complex64).reshape(-1, FFT_LEN)
    tags = found(sink)
    lengths = {place: value for place, key, value in tags if key == "frame_len"}
    numbers = {place: int(v) for place, key, v in tags if key == "frame_start"}
    assert sorted(numbers.values()) == list(range(count))
    assert len(set(lengths.values())) > 1
    places = sorted(lengths)
    assert np.diff([*places, len(out)]).tolist() == [lengths[p] for p in places]
    for place in places:
        symbol_count = in_front + lengths[place]
        begin = starts[numbers[place]]
        wanted = lmmse().receive(samples[0, begin:], grid, symbol_count)
        assert same_bits(out[place : place + lengths[place]], wanted[0])


def test_set_pilots():
    """From the next frame on: here between two runs."""
    rng = np.random.default_rng(32)
    grid, other = make_grid(), make_grid(sync_words=sync_words(1, seed=6))
    natural = make_grid(
        sync_words=np.fft.ifftshift(sync_words(1, seed=6), axes=-1), shifted=False
    )
    eq = reservoir.ofdm_equalizer(lmmse(), grid, DATA)
    for known in (grid, other, natural):
        eq.set_pilots(known)
        samples, starts = received(
            [frame(known, rng)] if known is not natural else [frame(other, rng)], 1, rng
        )
        out, _, _ = run(eq, samples, [start(s) for s in starts])
        assert same_bits(out, lmmse().receive(samples, known))
    pilots = np.fft.ifftshift(sync_words(1, seed=6), axes=-1)
    eq.set_pilots(pilots)
    out, _, _ = run(eq, samples, [start(s) for s in starts])
    assert same_bits(out, lmmse().receive(samples, pilots))


def test_what_setters_refuse():
    eq = reservoir.ofdm_equalizer(lmmse(), make_grid(), DATA)
    for bad in (0, -1, 16385):
        with pytest.raises(
            ValueError, match=f"num_data_symbols = {bad}: must be within"
        ):
            eq.set_num_data_symbols(bad)
    empty = reservoir.ofdm_grid(FFT_LEN, CP_LEN, occupied_carriers=[CARRIERS])
    for bad, message in [
        (make_grid(2), "grid num_tx = 2"),
        (np.ones((2, 1, 16)), "pilots = those of 2 streams"),
        (np.ones((1, 8)), "pilots shape: must be"),
        (empty, "grid = one of frames without data"),
    ]:
        with pytest.raises(ValueError, match=message):
            eq.set_pilots(bad)
    assert eq.num_data_symbols() == DATA


def test_commands():
    eq = reservoir.ofdm_equalizer(lmmse(), make_grid(), DATA)
    command(eq, pmt.to_pmt({"num_data_symbols": 7}), VECTOR)
    assert eq.num_data_symbols() == 7
    command(eq, pmt.cons(pmt.intern("num_data_symbols"), pmt.from_long(8)), VECTOR)
    assert eq.num_data_symbols() == 8
    for bad in (
        pmt.to_pmt({"num_data_symbols": 0}),
        pmt.to_pmt({"num_data_symbols": 2**32 + 1}),
        pmt.to_pmt({"num_data_symbols": "x"}),
        pmt.to_pmt({"num_data_symbols": 2.5}),
        pmt.to_pmt({"freeze": True}),
        pmt.to_pmt(3),
        pmt.PMT_NIL,
    ):
        command(eq, bad, VECTOR)
        assert eq.num_data_symbols() == 8


def test_detector_belongs_to_one_block():
    grid, detector = make_grid(), lmmse()
    reservoir.ofdm_equalizer(detector, grid, DATA)
    with pytest.raises(ValueError):
        reservoir.ofdm_equalizer(detector, grid, DATA)


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(detector=None), "detector = None: must be an ofdm_detector"),
        (dict(num_data_symbols=0), "num_data_symbols = 0: must be within 1 ... 16384"),
        (dict(num_data_symbols=16385), "num_data_symbols = 16385: must be within"),
        (dict(workers=0), "workers = 0: must be within 1 ... 64"),
        (dict(workers=65), "workers = 65: must be within 1 ... 64"),
        (dict(frame_start_tag=""), "frame_start_tag = '': must be a tag's key"),
        (
            dict(length_tag_key="frame_start"),
            "length_tag_key = frame_start: must be an",
        ),
        (dict(pilots=make_grid(2)), "grid num_tx = 2: must be that of the detector, 1"),
        (
            dict(detector=reservoir.ofdm_lmmse(fft_len=32, cp_len=[4])),
            "grid fft_len = 16: must be that of the detector, 32",
        ),
        (
            dict(detector=reservoir.ofdm_lmmse(fft_len=16, cp_len=[4, 5])),
            r"grid cp_len = \[4\]: must be that of the detector, \[4, 5\]",
        ),
        (dict(pilots=np.ones((2, 1, 16))), "pilots = those of 2 streams: must be"),
        (dict(pilots=np.ones(16)), "pilots shape: must be"),
        (dict(pilots=np.zeros((1, 16))), "pilots = all zero"),
        (dict(pilots=np.full((1, 16), np.nan)), "pilots = a value that is not finite"),
        (
            dict(
                pilots=reservoir.ofdm_grid(
                    FFT_LEN, CP_LEN, occupied_carriers=[CARRIERS]
                )
            ),
            "grid = one of frames without data, or without known carriers: must be",
        ),
    ],
)
def test_bad_arguments_are_refused(options, message):
    given = dict(detector=lmmse(), pilots=make_grid(), num_data_symbols=DATA)
    with pytest.raises(ValueError, match=message):
        reservoir.ofdm_equalizer(**{**given, **options})
    if "detector" not in options:  # it was not claimed
        reservoir.ofdm_equalizer(given["detector"], make_grid(), DATA)


@pytest.mark.parametrize("count", [-5, 0, 16385, 2**31 - 1])
def test_a_bad_number_of_data_symbols_with_prefixes_in_turns(count):
    detector = reservoir.ofdm_lmmse(FFT_LEN, [4, 2])
    pilots = np.fft.ifftshift(sync_words(1), axes=-1)
    with pytest.raises(ValueError, match="num_data_symbols = "):
        reservoir.ofdm_equalizer(detector, pilots, count)
