#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Frame sync in flowgraphs: tags, carrier offset, chunking, and a whole link behind it."""

import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir
from links import same_bits

PILOTS, PAYLOAD, GAP = 64, 256, 40
BURST = 2 * (124 + PILOTS + PAYLOAD + GAP)  # samples
DELAY = 2 * reservoir.pulse_shaper.SPAN


def link(frames, snr_db, frequency_offset=0.0, fading=None, seed=1):
    """Samples of bursts over a channel, and the source."""
    qpsk = digital.constellation_qpsk().base()
    source = reservoir.frame_source(
        qpsk,
        reservoir.random_pilots(qpsk, PILOTS),
        PAYLOAD,
        GAP,
        frames,
        preamble=reservoir.burst_preamble(),
    )
    profile = None
    if fading is not None:  # paths a symbol apart
        profile = np.zeros(2 * len(fading) - 1)
        profile[::2] = fading
    channel = reservoir.software_channel(
        snr_db - 3.0,  # of a sample
        power_delay_profile=profile,
        frequency_offset=frequency_offset,
        redraw_tag="burst_start",
        seed=seed,
    )
    top, sink = gr.top_block(), blocks.vector_sink_c()
    top.connect(source, reservoir.pulse_shaper(2), channel, sink)
    top.run()
    return np.array(sink.data(), np.complex64), source


def run(samples, *following, max_noutput_items=0, tags=(), **settings):
    """What comes out, its training tags as (offset, dictionary), and the block."""
    top = gr.top_block()
    sync, sink = reservoir.frame_sync(**settings), blocks.vector_sink_c()
    source = blocks.vector_source_c(samples.tolist(), False, 1, list(tags))
    top.connect(source, sync, *following, sink)
    top.run(*[max_noutput_items] * (max_noutput_items > 0))
    found = [
        (tag.offset, pmt.to_python(tag.value))
        for tag in sorted(sink.tags(), key=lambda tag: tag.offset)
        if pmt.symbol_to_string(tag.key) == "training_start"
    ]
    return np.array(sink.data(), np.complex64), found, sync


def test_tags_say_where_and_how():
    samples, _ = link(5, 15, 0.04)
    out, tags, sync = run(samples, sample_rate=1e6)
    assert len(out) == len(samples)
    assert sync.frames() == 5
    for k, (offset, tag) in enumerate(tags):
        assert offset == k * BURST + DELAY + 2 * 124
        assert set(tag) == {"cfo", "snr_db", "amplitude", "peak", "time", "frame"}
        assert tag["cfo"] == pytest.approx(0.04, abs=1.5e-4)
        assert tag["amplitude"] == pytest.approx(1, abs=0.1)
        assert tag["frame"] == k
        assert tag["time"] == pytest.approx(offset / 1e6)
    # one estimate is within 1.5 dB mostly
    assert np.mean([tag["snr_db"] for _, tag in tags]) == pytest.approx(15, abs=1.5)


def test_the_carrier_offset_is_taken_out():
    turned, _ = link(3, 60, 0.03)
    straight, _ = link(3, 60)
    out, tags, _ = run(turned)
    for offset, _ in tags:
        part = slice(offset, offset + 2 * (PILOTS + PAYLOAD))
        gain = np.vdot(straight[part], out[part]) / np.vdot(
            straight[part], straight[part]
        )
        assert abs(gain) == pytest.approx(1, abs=0.01)
        error = out[part] - gain * straight[part]
        assert np.mean(np.abs(error) ** 2) < 1e-3


def test_without_bursts_nothing_changes():
    rng = np.random.default_rng(1)
    samples = (rng.normal(size=5000) + 1j * rng.normal(size=5000)).astype(np.complex64)
    out, tags, _ = run(samples)
    assert same_bits(out, samples) and not tags
    for few in (0, 1, 247):
        assert same_bits(run(samples[:few])[0], samples[:few])


@pytest.mark.parametrize("chunk", [1, 50, 1000])
def test_chunks_do_not_matter(chunk):
    samples, _ = link(2 if chunk == 1 else 6, 12, -0.02)
    whole, tags, _ = run(samples)
    pieces, others, _ = run(samples, max_noutput_items=chunk)
    assert same_bits(whole, pieces)
    assert tags == others


def test_other_tags_stay_on_their_samples():
    samples, _ = link(2, 20)
    mark = gr.tag_t()
    mark.offset, mark.key, mark.value = 777, pmt.intern("mark"), pmt.PMT_T
    top, sink = gr.top_block(), blocks.vector_sink_c()
    source = blocks.vector_source_c(samples.tolist(), False, 1, [mark])
    top.connect(source, reservoir.frame_sync(), sink)
    top.run()
    offsets = [t.offset for t in sink.tags() if pmt.symbol_to_string(t.key) == "mark"]
    assert offsets == [777]


def test_bad_samples_become_zero():
    samples, _ = link(2, 30)
    samples[5] = np.nan
    samples[BURST + 700] = np.inf
    out, tags, sync = run(samples)
    assert len(tags) == 2 and sync.bad_samples() == 2
    assert np.isfinite(out).all() and out[5] == 0


@pytest.mark.parametrize("level", [1e6, 1e10, 1e15, 1e20])
def test_a_wild_sample_costs_no_frame(level):
    samples, _ = link(12, 20)
    _, tags, _ = run(samples)
    samples[2 * BURST - 20] = level  # in a gap
    assert [offset for offset, _ in run(samples)[1]] == [offset for offset, _ in tags]


def test_a_flowgraph_can_be_started_again():
    samples, _ = link(3, 20)
    sync = reservoir.frame_sync()
    for _ in range(2):
        top, sink = gr.top_block(), blocks.vector_sink_c()
        top.connect(blocks.vector_source_c(samples.tolist()), sync, sink)
        top.run()
        assert sync.frames() == 3 and len(sink.data()) == len(samples)


@pytest.mark.parametrize(
    "detector, snr_db, limit",
    [
        (lambda c: reservoir.configured_esn(constellation=c), 15, 0),  # 0 of 40 frames
        (lambda c: reservoir.fir(24, 12), 25, 0.2),
    ],
)
def test_frames_are_received_behind_it(detector, snr_db, limit):
    """Six Rayleigh paths, drawn for each burst; carrier offset 0.03 cycles/sample."""
    frames = 40
    samples, source = link(
        frames, snr_db, 0.03, fading=reservoir.exponential_profile(6, 2.0)
    )
    equalizer = reservoir.equalizer(
        detector(digital.constellation_qpsk().base()),
        2,
        source.pilots(),
        "training_start",
        PAYLOAD,
    )
    out, tags, sync = run(samples, equalizer)
    assert sync.frames() == frames
    wrong = 0
    for frame, (offset, _) in enumerate(tags):
        symbols = out[offset + PILOTS : offset + PILOTS + PAYLOAD]
        decided = np.abs(symbols[:, None] - source.points()).argmin(1)
        wrong += np.any(decided != source.payload_indices(frame))
    assert wrong <= limit * frames


@pytest.mark.parametrize(
    "name, value",
    [
        ("sps", 1),
        ("sps", 17),
        ("excess_bandwidth", 0.0),
        ("excess_bandwidth", 1.5),
        ("threshold", 0.0),
        ("threshold", np.nan),
        ("max_frequency_offset", -0.1),
        ("max_frequency_offset", 0.6),
        ("sample_rate", 0.0),
        ("tag_key", ""),
    ],
)
def test_wrong_arguments_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        reservoir.frame_sync(**{name: value})


@pytest.mark.parametrize(
    "arguments, name", [((1,), "sps"), ((2, 0.0), "excess_bandwidth")]
)
def test_wrong_pulses_are_named(arguments, name):
    with pytest.raises(ValueError, match=name):
        reservoir.pulse_shaper(*arguments)


def test_shaped_symbols_have_unit_power_and_no_interference():
    qpsk = digital.constellation_qpsk().base()
    source = reservoir.frame_source(qpsk, [], payload_len=2000, gap=20, num_frames=1)
    top, sink = gr.top_block(), blocks.vector_sink_c()
    top.connect(source, reservoir.pulse_shaper(4), sink)
    top.run()
    samples = np.array(sink.data())
    assert np.mean(np.abs(samples[200:7800]) ** 2) == pytest.approx(1, abs=0.03)


def test_the_preamble_comes_before_the_pilots():
    qpsk = digital.constellation_qpsk().base()
    preamble = [1.0, -1j, 0.5]
    source = reservoir.frame_source(qpsk, [1j, 1], 5, 2, 2, preamble=preamble)
    assert source.frame_length() == 3 + 2 + 5 + 2
    assert np.array_equal(source.preamble(), np.array(preamble, np.complex64))
    assert np.array_equal(source.pilots(), np.array([1j, 1], np.complex64))
    top, sink = gr.top_block(), blocks.vector_sink_c()
    top.connect(source, sink)
    top.run()
    out = np.array(sink.data(), np.complex64)
    places = {}
    for tag in sink.tags():
        places.setdefault(pmt.symbol_to_string(tag.key), []).append(tag.offset)
    assert places == {
        "burst_start": [0, 12],
        "frame_start": [3, 15],
        "corr_est": [3, 15],
    }
    for frame in range(2):
        one = out[12 * frame : 12 * frame + 12]
        assert np.array_equal(one[:5], np.array([*preamble, 1j, 1], np.complex64))
        assert np.array_equal(one[5:10], source.points()[source.payload_indices(frame)])
    with pytest.raises(ValueError, match="preamble"):
        reservoir.frame_source(qpsk, [1], preamble=[np.nan])
