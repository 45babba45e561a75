#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The configured ESN in plain Python: physics, conventions, refusals."""

import numpy as np
import pytest
from gnuradio import digital, reservoir

QPSK = np.array([-1 - 1j, -1 + 1j, 1 - 1j, 1 + 1j]) / np.sqrt(2)
MIXED = np.array([0.5 + 0.2j, 1.0, -0.4 + 0.5j, 0.2j])


def frame(taps=(1.0,), payload=512, pilots=64, snr_db=25.0, seed=1, sps=1, points=QPSK):
    """Received samples from the first pilot on, with look-ahead, and all symbols."""
    rng = np.random.default_rng(seed)
    count = pilots + payload
    x = rng.choice(points, count + 100)
    taps = np.asarray(taps, complex)
    r = np.convolve(np.repeat(x, sps) if sps > 1 else x, taps)[: (count + 48) * sps]
    noise = rng.standard_normal((2, r.size)) * np.sqrt(10 ** (-snr_db / 10) / 2)
    return (r + noise[0] + 1j * noise[1]).astype(np.complex64), x[:count].astype(
        np.complex64
    )


def slice_to(points, y):
    return points[np.argmin(np.abs(y[:, None] - points), 1)]


def errors(y, x):
    count = min(y.size, x.size)
    return int(np.sum(np.abs(slice_to(QPSK, y[:count]) - x[:count]) > 0.1))


@pytest.mark.parametrize("taps", [(1.0,), (0.3j, 1.0, 0.4), (0.2, 0.9j, 1.0, -0.3)])
@pytest.mark.parametrize("feedback", [True, False])
def test_channels_are_undone(taps, feedback):
    r, x = frame(taps)
    det = reservoir.configured_esn(feedback=feedback)
    y = det.receive(r, x[:64], payload_len=512)
    assert y.shape == (576,) and y.dtype == np.complex64
    assert errors(y, x) == 0


def test_the_channel_is_reported():
    r, x = frame(MIXED, snr_db=40)
    report = reservoir.configured_esn(channel_len=4).fit(r, x[:64])
    assert np.allclose(report["channel"], MIXED, atol=0.02)
    # poles: roots inside the circle of the channel's spectrum
    zeros = np.roots(MIXED)
    expected = np.where(np.abs(zeros) > 1, 1 / zeros.conj(), zeros)
    for pole in report["poles"]:
        assert np.min(np.abs(expected - pole)) < 0.05
    assert report["noise_variance"] < 0.01


@pytest.mark.parametrize("gain", [1e-4, 3e3j])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_levels_do_not_matter(gain, scale):
    """digital.constellation_qpsk has power 4: it is used as it is or at unit power."""
    r, x = frame(MIXED)
    y = reservoir.configured_esn().receive(gain * r, scale * x[:64], payload_len=512)
    assert errors(y / scale, x) == 0
    assert np.mean(np.abs(y / scale - x) ** 2) < 0.02


def test_soft_output_has_the_reported_variance():
    r, x = frame(MIXED, snr_db=12)
    det = reservoir.configured_esn()
    y = det.receive(r, x[:64], payload_len=512)
    variance = np.mean(np.abs(y[64:] - x[64:]) ** 2)
    assert 0.7 < variance / det.report()["noise_variance"] < 1.4


@pytest.mark.parametrize("late", [-6, -2, 3, 5])
def test_the_tag_may_be_off(late):
    r, x = frame(MIXED, payload=400)
    shifted = (
        r[late:] if late > 0 else np.concatenate([np.zeros(-late, np.complex64), r])
    )
    y = reservoir.configured_esn().receive(shifted, x[:64], payload_len=300)
    assert errors(y, x) == 0


@pytest.mark.parametrize("offset", [0.0, 1e-3, -2e-3, 4e-3])
@pytest.mark.parametrize("sps", [1, 2])
def test_a_carrier_offset_is_taken_out(offset, sps):
    r, x = frame(MIXED, payload=2000, pilots=128, sps=sps)
    r = r * np.exp(2j * np.pi * offset * np.arange(r.size) / sps)
    det = reservoir.configured_esn()
    assert errors(det.receive(r, x[:128], sps=sps, payload_len=900), x[:1028]) == 0
    assert abs(det.report()["carrier_offset"] - offset) < 1e-4
    det.fit(r, x[:128], sps=sps)
    assert errors(det.detect(r, sps=sps), x) == 0  # a stream
    assert abs(det.report()["carrier_offset"] - offset) < 1e-4


def test_what_a_frame_showed_is_reported():
    r, x = frame(MIXED, snr_db=12)
    det = reservoir.configured_esn()
    det.receive(np.roll(r, 2), x[:64], payload_len=400)
    report = det.report()
    assert report["timing"] == -2
    assert 0 <= report["refits"] < report["residuals"].size <= 3
    assert np.argmin(report["residuals"]) == report["refits"]
    assert np.all(report["residuals"] < 0.2)  # noise of variance 0.063
    assert not report["tracked"]
    assert np.all(report["condition_number"] >= 1)
    assert np.allclose(report["channel"][:4], MIXED, atol=0.1)
    det = reservoir.configured_esn(tracking="on")
    assert errors(det.receive(r, x[:64], payload_len=400), x) < 5
    assert not det.report()["tracked"]  # tried, and not better


def test_a_limiter_behind_the_noise_costs_little():
    """tanh of real and imaginary part: without its inverse there are more than twice the errors."""
    wrong = np.zeros(3)
    plain, off = (
        reservoir.configured_esn(receiver_linearization=on) for on in (True, False)
    )
    for seed in range(101, 121):
        r, x = frame(MIXED, snr_db=7.0, seed=seed)
        limited = (np.tanh(r.real) + 1j * np.tanh(r.imag)).astype(np.complex64)
        for k, (det, samples) in enumerate(
            [(plain, r), (plain, limited), (off, limited)]
        ):
            wrong[k] += errors(det.receive(samples, x[:64], payload_len=512), x)
    linear, undone, left = wrong
    assert linear > 30
    assert undone < 1.3 * linear
    assert left > 2 * undone


@pytest.mark.parametrize("bits", [6, 12, 16])
def test_a_converter_that_is_full_is_no_limiter(bits):
    """Its samples at the limit have no inverse: the frame is received as if none were looked for."""
    plain, off = (
        reservoir.configured_esn(receiver_linearization=on) for on in (True, False)
    )
    for seed in range(101, 107):
        r, x = frame(MIXED, snr_db=12.0, seed=seed)
        step = np.float32(2.0 ** (1 - bits))
        parts = np.clip(np.round(r.view(np.float32) / step) * step, -1, 1)
        full = parts.view(np.complex64)
        assert np.array_equal(
            plain.receive(full, x[:64], payload_len=512),
            off.receive(full, x[:64], payload_len=512),
        )


def test_real_noise_shows_no_limiter():
    """Of BPSK over real taps: the modulus is one part, not an area."""
    bpsk = digital.constellation_bpsk().base()
    plain, off = (
        reservoir.configured_esn(bpsk, receiver_linearization=on)
        for on in (True, False)
    )
    for seed in range(101, 121):
        rng = np.random.default_rng(seed)
        x = rng.choice([-1.0, 1.0], 800).astype(np.complex64)
        r = np.convolve(x, np.exp(-0.5 * np.arange(4)))[:800]
        r = (r + 0.3 * rng.standard_normal(800)).astype(np.complex64)
        found = [det.receive(r, x[:400], payload_len=300) for det in (plain, off)]
        assert np.array_equal(*found)


def test_a_stream_behind_a_limited_frame_is_that_of_its_samples():
    in_frames = in_streams = 0
    for seed in range(101, 113):
        det = reservoir.configured_esn()
        r, x = frame(MIXED, snr_db=12.0, seed=seed)
        limited = (np.tanh(r.real) + 1j * np.tanh(r.imag)).astype(np.complex64)
        in_frames += errors(det.receive(limited, x[:64], payload_len=512), x)
        det.reset()
        in_streams += errors(det.detect(limited), x)
    assert in_frames == 0
    assert in_streams < 10  # with the weights of the inverse's samples 59


def test_a_channel_that_moves_is_followed():
    (still, x), (other, _) = frame(MIXED), frame(MIXED * [1, 0.2j, -1, 3])
    moved = np.linspace(0, 1, still.size)
    moving = ((1 - moved) * still + moved * other).astype(np.complex64)
    det = reservoir.configured_esn()
    assert errors(det.receive(moving, x[:64], payload_len=512), x) == 0
    assert det.report()["tracked"]
    det = reservoir.configured_esn(tracking="off")
    assert errors(det.receive(moving, x[:64], payload_len=512), x) > 5
    assert not det.report()["tracked"]


def test_antennas_are_combined():
    r0, x = frame((0.6, 0.5j, 0.3), snr_db=6, seed=5)
    r1, _ = frame((0.1, 0.9, -0.4j), snr_db=6, seed=5)
    rng = np.random.default_rng(6)  # noise of its own
    r1 = r1 + 0.3 * (rng.standard_normal(r1.size) + 1j * rng.standard_normal(r1.size))
    both = np.array([r0, r1], np.complex64)
    y = reservoir.configured_esn(num_inputs=2).receive(both, x[:64], payload_len=512)
    one = reservoir.configured_esn().receive(r1, x[:64], payload_len=512)
    assert errors(y, x) < errors(one, x)
    # a permutation of antennas changes nothing else
    swapped = reservoir.configured_esn(num_inputs=2).receive(
        both[::-1], x[:64], payload_len=512
    )
    assert np.mean(slice_to(QPSK, y) == slice_to(QPSK, swapped)) > 0.995


@pytest.mark.parametrize("sps", [2, 4])
@pytest.mark.parametrize("feedback", [True, False])
def test_several_samples_a_symbol(sps, feedback):
    r, x = frame((0.5, 1.0, 0.3j, 0.4), sps=sps)
    det = reservoir.configured_esn(feedback=feedback)
    assert errors(det.receive(r, x[:64], sps=sps, payload_len=512), x) == 0
    det.fit(r, x[:64], sps=sps)
    assert errors(det.detect(r, sps=sps), x) == 0


@pytest.mark.parametrize("feedback", [True, False])
@pytest.mark.parametrize("piece", [1, 7, 100])
def test_pieces_joined_are_the_whole(feedback, piece):
    r, x = frame(MIXED)
    det = reservoir.configured_esn(feedback=feedback)
    det.fit(r, x[:64])
    whole = det.detect(r)
    det.reset()
    pieces = np.concatenate(
        [det.detect(r[k : k + piece]) for k in range(0, r.size, piece)]
    )
    assert np.array_equal(whole, pieces)
    assert whole.size == r.size - det.report()["delay"]
    assert errors(whole, x) == 0


def test_a_long_stream_keeps_its_place():
    r, x = frame(MIXED, payload=20000)
    det = reservoir.configured_esn()
    det.fit(r[:200], x[:64])
    y = np.concatenate([det.detect(part) for part in np.array_split(r, 40)])
    assert errors(y, x) == 0


def test_the_linear_network_is_one_filter():
    r, x = frame(MIXED)
    det = reservoir.configured_esn(feedback=False, refits=0)
    det.fit(r, x[:64])
    y = det.detect(r)
    start = det.filter_start()
    rms = np.sqrt(np.mean(np.abs(r[:64]) ** 2))
    padded = np.concatenate([np.zeros(start), r]) / rms
    taps = det.filter()[0]
    output = np.convolve(padded, taps[::-1], "valid")[: y.size]
    gain = np.vdot(output, y) / np.vdot(output, output)
    assert np.allclose(gain * output, y, atol=1e-4)


def cascade(poles, samples):
    """States of a Takenaka-Malmquist cascade run on the samples, recursively, without end."""
    states, drive = [], np.asarray(samples, complex)
    for pole in poles:
        state, before, following = 0j, np.empty_like(drive), np.empty_like(drive)
        for n, value in enumerate(drive):
            before[n] = state
            state = pole * state + value
            following[n] = state
        states.append(following)
        drive = before - np.conj(pole) * following
    return np.array(states).T


def pole_banks(poles, samples):
    """Anticausal and causal states a sample: what the filter is the readout of."""
    anticausal = cascade([0, *np.conj(poles)], samples[::-1])[::-1]
    causal = cascade(poles, np.concatenate([[0], samples[:-1]]))
    return np.hstack([anticausal, causal])


def filter_and_banks(taps, snr_db):
    """A linear network's output, its poles, and the weights by which its filter reads the banks."""
    r, x = frame(taps, snr_db=snr_db)
    det = reservoir.configured_esn(feedback=False, refits=0, channel_len=len(taps))
    poles = det.fit(r, x[:64])["poles"]
    coefficients, start = det.filter()[0], det.filter_start()
    impulse = np.zeros(2 * start + 1)
    impulse[start] = 1.0
    responses = pole_banks(poles, impulse)[
        ::-1
    ]  # coefficient j is that of r[n - start + j]
    weights, *_ = np.linalg.lstsq(responses, coefficients, rcond=None)
    assert np.allclose(
        responses @ weights, coefficients, atol=1e-5 * np.abs(coefficients).max()
    )
    return r, det.detect(r), poles, weights, start


def assert_proportional(y, bank):
    gain = np.vdot(bank, y) / np.vdot(bank, bank)
    assert np.allclose(gain * bank, y, atol=1e-4)


def test_the_filter_is_the_readout_of_pole_banks():
    r, y, poles, weights, _ = filter_and_banks((1.0, 0.5j, 0.2), snr_db=15)
    assert 0.7 < np.abs(poles).max() < 0.75  # 40 symbols later 1e-5 is left
    assert_proportional(y, (pole_banks(poles, r) @ weights)[: y.size])


def test_the_filter_is_the_readout_of_pole_banks_at_rest_40_symbols_away():
    """As they are built: of a pole this near to the circle more would be left."""
    r, y, poles, weights, start = filter_and_banks((1.0, 1.2j, -0.9), snr_db=30)
    assert np.abs(poles).max() > 0.9
    assert start == 40
    padded = np.concatenate([np.zeros(start), r])
    windows = [padded[n : n + 2 * start + 1] for n in range(100)]
    bank = [pole_banks(poles, window)[start] @ weights for window in windows]
    assert_proportional(y[:100], np.array(bank))


def test_any_waveform_without_decisions():
    rng = np.random.default_rng(3)
    x = (rng.standard_normal(900) + 1j * rng.standard_normal(900)).astype(np.complex64)
    r = np.convolve(x, (1, 0.4j, -0.2))[:900].astype(np.complex64)
    det = reservoir.configured_esn(feedback=False, refits=0)
    y = det.receive(r, x[:200], payload_len=600)
    assert np.mean(np.abs(y - x[:800]) ** 2) < 1e-3


def test_statistics_need_no_channel_estimate():
    r, x = frame((0.9, 0.4j, 0.2), snr_db=30, pilots=128)
    det = reservoir.configured_esn(
        feedback=False,
        refits=0,
        poles="statistics",
        power_delay_profile=[1, 0.5, 0.25],
        num_neurons=8,
    )
    assert errors(det.receive(r, x[:128], payload_len=512), x) == 0
    assert det.report()["poles"].size == 8


def test_arbitrary_pilots():
    """They are not snapped to the constellation."""
    r, x = frame(MIXED)
    x = x * 1.0
    rng = np.random.default_rng(2)
    pilots = np.exp(2j * np.pi * rng.random(64)).astype(np.complex64)
    clean = np.concatenate([pilots, x[64:], np.zeros(50)])
    r = np.convolve(clean, MIXED)[: 576 + 48].astype(np.complex64)
    y = reservoir.configured_esn().receive(r, pilots, payload_len=512)
    assert errors(y[64:], x[64:]) == 0


@pytest.mark.parametrize("pilots", [1, 2, 5, 16])
def test_few_pilots_are_survived(pilots):
    r, x = frame(pilots=pilots, payload=100)
    y = reservoir.configured_esn().receive(r, x[:pilots], payload_len=100)
    assert np.all(np.isfinite(y))
    if pilots >= 5:
        assert errors(y, x) == 0


def test_no_payload():
    r, x = frame(MIXED)
    assert reservoir.configured_esn().receive(r, x[:64], payload_len=0).size == 64


@pytest.mark.parametrize("feedback", [True, False])
def test_nonsense_stays_finite(feedback):
    rng = np.random.default_rng(4)
    x = rng.choice(QPSK, 64).astype(np.complex64)
    noise = (rng.standard_normal(700) + 1j * rng.standard_normal(700)).astype(
        np.complex64
    )
    broken = noise.copy()
    broken[[3, 50, 300]] = np.nan, np.inf, -1j * np.inf
    for r in (np.zeros(700, np.complex64), noise, broken):
        det = reservoir.configured_esn(feedback=feedback)
        assert np.all(np.isfinite(det.receive(r, x, payload_len=500)))
    assert det.bad_samples() == 3
    assert det.report()["evm_db"] > -6  # and it says so


@pytest.mark.parametrize("feedback", [True, False])
@pytest.mark.parametrize("sps", [1, 2])
def test_saved_and_loaded(tmp_path, feedback, sps):
    r, x = frame(MIXED, sps=sps)
    qpsk = digital.constellation_qpsk()
    det = reservoir.configured_esn(constellation=qpsk.base(), feedback=feedback)
    det.fit(r, x[:64], sps=sps)
    path = str(tmp_path / "saved")
    det.save(path)
    loaded = reservoir.load(path)
    assert (
        isinstance(loaded, reservoir.configured_esn)
        and loaded.kind() == "configured_esn"
    )
    assert np.array_equal(loaded.detect(r, sps=sps), det.detect(r, sps=sps))
    assert np.array_equal(loaded.points(), np.array(qpsk.points(), np.complex64))
    assert loaded.labels() == det.labels() and len(loaded.labels()) == 4
    for key in ("mse", "delay", "noise_variance"):
        assert loaded.report()[key] == det.report()[key]
    assert np.array_equal(loaded.report()["poles"], det.report()["poles"])
    fresh = reservoir.configured_esn(feedback=feedback)
    fresh.save(path)
    assert not reservoir.load(path).trained()


@pytest.mark.parametrize("payload_len", [512, 0])
@pytest.mark.parametrize("feedback", [True, False])
def test_in_a_flowgraph(feedback, payload_len):
    from gnuradio import blocks, gr
    import pmt

    r, x = frame(MIXED)
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = 0, pmt.intern("corr_est"), pmt.PMT_T
    equalizer = reservoir.equalizer(
        reservoir.configured_esn(feedback=feedback),
        training_sequence=list(x[:64]),
        payload_len=payload_len,
    )
    source = blocks.vector_source_c(r.tolist(), False, 1, [tag])
    sink = blocks.vector_sink_c()
    flowgraph = gr.top_block()
    flowgraph.connect(source, equalizer, sink)
    flowgraph.run()
    output = np.array(sink.data(), np.complex64)
    alone = reservoir.configured_esn(feedback=feedback)
    if payload_len:
        expected = alone.receive(r, x[:64], payload_len=512)
    else:
        alone.fit(r, x[:64])
        expected = alone.detect(r)
        assert (
            output.size == r.size
        )  # the last ones, whose look-ahead is missing, come out too
    assert np.array_equal(output[: expected.size], expected)
    assert errors(output[:576], x) == 0


@pytest.mark.parametrize(
    "settings, name",
    [
        (dict(channel_len=-1), "channel_len"),
        (dict(channel_len=65), "channel_len"),
        (dict(survivors=0), "survivors"),
        (dict(survivors=257), "survivors"),
        (dict(refits=-1), "refits"),
        (dict(refits=17), "refits"),
        (dict(prior_weight=-1.0), "prior_weight"),
        (dict(prior_weight=float("nan")), "prior_weight"),
        (dict(poles="random"), "poles"),
        (dict(poles="statistics", power_delay_profile=[1, 1]), "feedback"),
        (
            dict(poles="statistics", feedback=False, power_delay_profile=[1, 1]),
            "refits",
        ),
        (dict(poles="statistics", feedback=False, refits=0), "power_delay_profile"),
        (dict(power_delay_profile=[1, 1]), "power_delay_profile"),
        (dict(num_neurons=0), "num_neurons"),
        (dict(max_frequency_offset=-1e-3), "max_frequency_offset"),
        (dict(max_frequency_offset=0.6), "max_frequency_offset"),
        (dict(phase_noise=-1.0), "phase_noise"),
        (dict(tracking="sometimes"), "tracking"),
        (dict(tracking="on", feedback=False), "tracking"),
        (dict(num_inputs=0), "num_inputs"),
        (dict(num_outputs=0), "num_outputs"),
        (dict(num_outputs=9), "num_outputs"),
    ],
)
def test_bad_parameters_are_named(settings, name):
    with pytest.raises(ValueError, match=f"^{name}"):
        reservoir.configured_esn(**settings)


def test_without_decisions_it_does_not_adapt():
    with pytest.raises(ValueError, match="adapt_after_training"):
        reservoir.configured_esn(feedback=False).set_tracking(
            digital.constellation_qpsk().base()
        )


def fading_stream(payload=4000, doppler=2e-4, snr_db=25.0, seed=5, pilots=96):
    """A channel of two taps that turn by themselves, in opposite directions."""
    rng = np.random.default_rng(seed)
    count = pilots + payload
    x = rng.choice(QPSK, count + 100).astype(np.complex64)
    turn = np.exp(2j * np.pi * doppler * np.arange(x.size))
    r = turn * x + 0.6 * np.append(0, x[:-1]) / turn
    noise = rng.standard_normal((2, r.size)) * np.sqrt(10 ** (-snr_db / 10) / 2)
    return (r + noise[0] + 1j * noise[1]).astype(np.complex64), x[:count]


@pytest.fixture(scope="module")
def tracked():
    r, x = fading_stream()
    det = reservoir.configured_esn()
    det.set_tracking(digital.constellation_qpsk().base())
    det.fit(r, x[:96])
    return det, r, x, det.detect(r)


def test_a_tracked_stream_follows_a_fading_channel(tracked):
    _, r, x, y = tracked
    fixed = reservoir.configured_esn()
    fixed.fit(r, x[:96])
    assert errors(fixed.detect(r), x) > 500
    assert errors(y, x) == 0
    assert len(y) >= 4000


@pytest.mark.parametrize("size", [1, 37, 1000])
def test_pieces_of_a_tracked_stream_give_the_same_bits(tracked, size):
    det, r, _, whole = tracked
    det.reset()
    pieces = [det.detect(r[n : n + size]) for n in range(0, r.size, size)]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


@pytest.mark.parametrize("sps", [1, 2])
def test_a_tracked_stream_delivers_what_its_delay_promises(sps):
    r, x = frame(MIXED, sps=sps)
    det = reservoir.configured_esn()
    det.set_tracking(digital.constellation_qpsk().base())
    delay = det.fit(r, x[:64], sps=sps).delay
    assert delay <= det.look_ahead()
    for length in (1, 64, 65, 70, 200):
        det.reset()
        y = det.detect(r[: (length - 1 + delay) * sps + 1], sps=sps)
        assert len(y) == length and errors(y, x) == 0


def test_what_is_copied_of_a_tracked_stream_is_not_tracked(tmp_path):
    r, x = frame(MIXED)
    det = reservoir.configured_esn()
    det.set_tracking(digital.constellation_qpsk().base())
    det.fit(r, x[:64])
    det.save(str(tmp_path / "tracked"))
    for copy in (det.clone(), reservoir.load(str(tmp_path / "tracked"))):
        y = copy.detect(r)
        assert len(y) == len(r) - copy.report().delay
        assert errors(y[: len(x)], x[: len(y)]) == 0


def test_a_known_channel_needs_few_pilots():
    """As many pilots as taps do not determine a channel; told, they need not."""
    taps = np.array([0.3, 1.0, -0.5j, 0.6, 0.2j, -0.3, 0.2, 0.1j])
    r, x = frame(taps, pilots=12, snr_db=20)
    det = reservoir.configured_esn(refits=0, tracking="off", max_frequency_offset=0)
    estimated = errors(det.receive(r, x[:12], payload_len=512), x)
    det.set_channel(3e3j * taps)  # its scale and phase are found by the pilots
    told = errors(det.receive(r, x[:12], payload_len=512), x)
    assert told == 0 < estimated
    assert np.allclose(det.report()["channel"], taps, atol=0.1)
    det.set_channel([])
    assert errors(det.receive(r, x[:12], payload_len=512), x) == estimated


def test_a_known_channel_at_two_samples_a_symbol_and_two_antennas():
    rng = np.random.default_rng(8)
    taps = rng.standard_normal((2, 7)) + 1j * rng.standard_normal((2, 7))
    rows = []
    for row in taps:
        x = np.zeros(2 * 700, complex)
        x[::2] = np.random.default_rng(9).choice(QPSK, 700)
        rows.append(np.convolve(x, row)[: x.size])
    sent = x[::2].astype(np.complex64)
    noise = rng.standard_normal((2, 2, x.size)) * 0.1
    r = (np.array(rows) + noise[0] + 1j * noise[1]).astype(np.complex64)
    det = reservoir.configured_esn(num_inputs=2, refits=0)
    det.set_channel(taps)
    y = det.receive(r, sent[:16], sps=2, payload_len=600)
    assert errors(y, sent) == 0
    assert np.allclose(det.report()["channel"][:, :7], taps, atol=0.1)


def test_mmse_equalizers_are_special_cases():
    """Output noise of the finite MMSE linear equalizer, from its normal equations."""
    taps, variance, ahead, behind = np.array([1.0, 0.7j, -0.4]), 0.05, 40, 40
    window = ahead + behind + 1
    response = np.zeros((window, window + 2), complex)
    for n in range(window):  # r[n - behind + i] = sum_l h[l] x[n - behind + i - l]
        response[n, n : n + 3] = taps[::-1]
    wanted = response[:, behind + 2]
    covariance = response @ response.conj().T + variance * np.eye(window)
    gain = np.real(wanted.conj() @ np.linalg.solve(covariance, wanted))
    expected = (1 - gain) / gain

    rng = np.random.default_rng(6)
    x = rng.choice(QPSK, 20_100).astype(np.complex64)
    noise = rng.standard_normal((2, x.size)) * np.sqrt(variance / 2)
    r = np.convolve(x, taps)[: x.size] + noise[0] + 1j * noise[1]
    det = reservoir.configured_esn(feedback=False, refits=0, prior_weight=1e6)
    det.set_channel(taps)
    y = det.receive(r, x[:2000], payload_len=18_000)
    assert np.mean(np.abs(y - x[:20_000]) ** 2) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    "channel", [np.zeros(3), np.ones((2, 3)), [1, np.nan], np.ones(1025)]
)
def test_a_bad_channel_is_refused(channel):
    with pytest.raises(ValueError, match="^channel"):
        reservoir.configured_esn().set_channel(channel)
    with pytest.raises(ValueError, match="^channel.*fir"):
        reservoir.fir().set_channel([1.0])


def test_power_delay_profiles_can_be_changed():
    r, x = frame((0.9, 0.4j, 0.2), pilots=128)
    settings = dict(feedback=False, refits=0, poles="statistics", num_neurons=8)
    det = reservoir.configured_esn(power_delay_profile=[1.0, 0.5], **settings)
    det.set_power_delay_profile([1.0, 0.5, 0.25])
    other = reservoir.configured_esn(power_delay_profile=[1.0, 0.5, 0.25], **settings)
    poles = [d.fit(r, x[:128]).poles for d in (det, other)]
    assert np.array_equal(*poles)
    with pytest.raises(ValueError, match="power"):
        det.set_power_delay_profile([-1.0, 1.0])
    with pytest.raises(ValueError, match="^power_delay_profile"):
        reservoir.configured_esn().set_power_delay_profile([1.0])


def test_what_was_told_is_saved(tmp_path):
    r, x = frame(MIXED)
    det = reservoir.configured_esn()
    det.set_channel(MIXED)
    det.save(str(tmp_path / "told"))
    loaded = reservoir.load(str(tmp_path / "told"))
    y = [d.receive(r, x[:64], payload_len=512) for d in (det, loaded)]
    assert np.array_equal(*y)


def linear():
    return reservoir.configured_esn(feedback=False, refits=0)


def test_history_takes_the_place_of_the_zeros_before_the_pilots():
    """Without decisions the filter looks back; with them there is nothing to look back for."""
    assert reservoir.configured_esn().look_back() == 0
    before, first = linear().look_back(), {"zeros": 0, "history": 0}
    assert before > 40
    for seed in range(20):
        r, x = frame(MIXED, pilots=64 + before, seed=seed)
        known = x[before : before + 64]
        for name in first:
            given = {"history": r[:before]} if name == "history" else {}
            y = linear().receive(r[before:], known, payload_len=256, **given)
            error = np.abs(y - x[before : before + len(y)]) ** 2
            first[name] += error[:4].mean() / error[16:].mean() / 20
    assert first["zeros"] > 2
    assert first["history"] < 1.5


def test_confidence_is_the_probability_of_a_frame_without_errors():
    frames = {}
    for snr_db in (4, 8, 10, 12, 14, 20):
        for seed in range(20):
            r, x = frame(MIXED, snr_db=snr_db, seed=seed)
            detector = reservoir.configured_esn()
            y = detector.receive(r, x[:64], payload_len=512)
            decided = QPSK[np.abs(y[:, None] - QPSK).argmin(1)]
            wrong = np.any(np.abs(decided - x[:576]) > 0.1)
            frames.setdefault(bool(wrong), []).append(detector.report().confidence)
    good, bad = np.array(frames[False]), np.array(frames[True])
    assert len(good) > 30 and len(bad) > 20
    assert (bad > 0.9).sum() <= 1 and (bad < 0.5).mean() > 0.9
    assert (good > 0.9).mean() > 0.8
    total = good.sum() + bad.sum()  # as many as are expected
    assert abs(total - len(good)) < 2 * np.sqrt(len(good) + len(bad)) / 2


def test_confidence_is_nan_where_nothing_is_decided():
    r, x = frame(MIXED)
    for detector in (linear(), reservoir.fir()):
        detector.receive(r, x[:64])
        assert np.isnan(detector.report().confidence)
    detector = reservoir.configured_esn()
    assert np.isnan(detector.fit(r, x[:64]).confidence)


@pytest.mark.parametrize("offset", [0.0, 0.001])
def test_a_rotation_by_half_a_cycle_is_saved(offset, tmp_path):
    r, x = frame(payload=136)
    r *= np.exp(1j * (np.pi + 2 * np.pi * offset) * np.arange(r.size))
    det = reservoir.configured_esn(rotation=np.pi)
    y = det.receive(r, x[:64], payload_len=136)
    assert errors(y, x) == 0
    det.save(str(tmp_path / "detector"))
    det.reset()
    loaded = reservoir.load(str(tmp_path / "detector"))
    assert np.array_equal(loaded.detect(r), det.detect(r))
