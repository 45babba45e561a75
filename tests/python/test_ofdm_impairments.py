#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""ofdm_configured under impairments of the receiver and of the channel."""


import numpy as np
import pytest
from gnuradio import digital, reservoir

from gnuradio.reservoir.campaign.links import (
    Paths,
    amplified,
    gaussian,
    moving_gains,
    through,
)
from ofdm_links import LINKS, QAM16, Frame, impaired_frame, make_frame

POINTS = digital.constellation_16qam().base()
FRAMES = 8


def make(kind, link, **more):
    shape = link.fft_len, link.cp_len, link.antennas, link.antennas
    return kind(*shape, constellation=POINTS, **more)


def receive(detector, frame):
    return detector.receive(frame.received, frame.pilots.astype(np.complex64))


def wrong(detector, link, impairment, frames=FRAMES, seed=1):
    made = (impaired_frame(link, impairment, seed, n) for n in range(frames))
    return sum(frame.errors(receive(detector, frame))[0] for frame in made)


# symbol errors over maximum likelihood's: at most. On sixty frames (campaigns/ofdm_impairments.toml) they
# are about half of that or less
RATIOS = {
    "tone 0 dB": 0.05,
    "tone 10 dB": 0.03,
    "half carrier 0 dB": 0.05,
    "half carrier 10 dB": 0.03,
    "narrow band 0 dB": 0.1,
    "one direction -15 dB": 0.5,
    "I/Q imbalance": 0.35,
    "phase noise 0.005": 0.35,
    "phase noise 0.01": 0.15,
    "Doppler": 0.25,
}


@pytest.mark.parametrize("impairment", RATIOS)
@pytest.mark.parametrize("name", ["T6c", "T6p4"])
def test_errors_beside_maximum_likelihood(name, impairment):
    link = LINKS[name]
    limit = RATIOS[impairment] * (1.0 if name == "T6c" else 1.5)
    configured = wrong(make(reservoir.ofdm_configured, link), link, impairment)
    ml = wrong(make(reservoir.ofdm_lmmse, link, detection="ml"), link, impairment)
    assert ml > 100
    assert configured <= limit * ml


@pytest.mark.parametrize(
    "impairment", ["I/Q imbalance", "phase noise 0.005", "phase noise 0.01"]
)
def test_what_can_be_taken_out_leaves_nothing(impairment):
    """The same frames have as many errors as without the impairment, but for a fifth. Stronger phase
    noise may cost one frame its phase."""
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link)

    def errors(impairment):
        frames = (impaired_frame(link, impairment, 1, n) for n in range(12))
        return np.array([f.errors(receive(detector, f))[0] for f in frames])

    plain, impaired = errors("none"), errors(impairment)
    assert plain.sum() > 20
    kept = impaired < plain + 20
    assert np.all(kept) or (impairment == "phase noise 0.01" and kept.sum() == 11)
    assert impaired[kept].sum() <= 1.2 * plain[kept].sum() + 5


@pytest.mark.parametrize("impairment", ["none", "tone 0 dB", "I/Q imbalance"])
def test_reported_channel_is_the_channels_own(impairment):
    """Without the filter that makes the noise white."""
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link)
    for number in range(4):
        frame = impaired_frame(link, impairment, 1, number)
        receive(detector, frame)
        rows = np.array(detector.report().channel)
        taps = rows.reshape(2, 2, -1) / np.sqrt(link.fft_len / len(link.carriers()))
        length = min(taps.shape[2], link.taps)
        found = np.zeros(frame.channel.shape, complex)
        found[..., :length] = taps[..., :length]
        # a mixer's gain is in it
        found *= np.vdot(found, frame.channel) / np.vdot(found, found)
        error = np.sum(np.abs(found - frame.channel) ** 2)
        assert error < 0.02 * np.sum(np.abs(frame.channel) ** 2)


def test_residuals_and_refits_are_counted_once():
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link)
    for impairment in ("tone 0 dB", "phase noise 0.01", "Doppler"):
        receive(detector, impaired_frame(link, impairment, 1, 0))
        report = detector.report()
        assert report.refits == 2 and len(report.residuals) == 3
        assert np.isfinite(report.noise_variance) and report.noise_variance > 0


@pytest.mark.parametrize("impairment", ["tone 10 dB", "phase noise 0.01", "Doppler"])
def test_frames_leave_nothing_behind(impairment):
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link)
    plain = make_frame(link, 25, 1, 0)
    first = receive(detector, plain)
    receive(detector, impaired_frame(link, impairment, 1, 1))
    np.testing.assert_array_equal(receive(detector, plain), first)


@pytest.mark.parametrize("impairment", ["tone 0 dB", "phase noise 0.01", "Doppler"])
def test_without_refits(impairment):
    """Better than maximum likelihood, and all values are finite."""
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link, refits=0)
    ml = make(reservoir.ofdm_lmmse, link, detection="ml")
    frame = impaired_frame(link, impairment, 1, 2)
    found = receive(detector, frame)
    assert np.all(np.isfinite(found))
    assert frame.errors(found)[0] < 0.7 * frame.errors(receive(ml, frame))[0]


def frame_of_known_draws(link, snr_db, seed, number):
    """Drawn in another order than by the campaigns: symbols, channel, noise."""
    rng = np.random.default_rng((seed, number))
    levels = np.array([-3, -1, 1, 3]) / np.sqrt(10)
    points = (levels[:, None] + 1j * levels).ravel()
    shape = link.streams, link.pilots + link.payload, link.fft_len
    symbols = points[rng.integers(0, 16, shape)]
    powers = np.exp(-np.arange(link.taps) / link.decay)
    powers /= powers.sum() * link.streams
    channel = np.sqrt(powers) * gaussian(rng, link.antennas, link.streams, link.taps)
    sent = amplified(link, link.modulate(symbols))
    variance = 10 ** (-snr_db / 10)
    received = np.sqrt(variance) * gaussian(rng, *sent.shape)
    received += through(Paths(np.arange(link.taps), channel), sent)
    nearest = QAM16[np.abs(symbols[..., None] - QAM16).argmin(-1)]  # to the last bit
    return Frame(link, received.astype(np.complex64), nearest, channel, variance)


@pytest.mark.parametrize(
    "name, seed, number",
    [("full1", 103, 7), ("full1r", 101, 14), ("full1r", 103, 10)],
)
def test_what_pilots_seem_to_show_is_given_up(name, seed, number):
    """In these frames one pilot symbol shows an impairment that is not there; decisions do not."""
    link = LINKS[name]
    frame = frame_of_known_draws(link, 28, seed, number)
    found = receive(make(reservoir.ofdm_configured, link), frame)
    assert frame.errors(found)[0] <= 5


def test_a_prefix_that_is_too_short_under_a_tone():
    link = LINKS["T6n"]
    detector = make(reservoir.ofdm_configured, link)
    ml = make(reservoir.ofdm_lmmse, link, detection="ml")
    frames = [impaired_frame(link, "tone 0 dB", 1, n, 30) for n in range(4)]
    configured, other = (
        sum(frame.errors(receive(one, frame))[0] for frame in frames)
        for one in (detector, ml)
    )
    assert configured < 0.2 * other


def test_paths_of_the_moving_channel():
    rng = np.random.default_rng(1)
    doppler, lag = 1e-3, 200
    paths = moving_gains(rng, (400,), lag + 1, doppler, "clarke")
    assert np.mean(np.abs(paths) ** 2) == pytest.approx(1, abs=0.1)
    correlation = np.mean(paths[:, lag] * paths[:, 0].conj())
    assert correlation == pytest.approx(0.642, abs=0.15)  # J0(2 pi 0.2)
    sent = rng.normal(size=(2, 50)) + 1j * rng.normal(size=(2, 50))
    taps = rng.normal(size=(3, 2, 4))
    for r, row in enumerate(through(Paths(np.arange(4), taps), sent)):
        wanted = sum(np.convolve(sent[t], taps[r, t])[:50] for t in range(2))
        np.testing.assert_allclose(row, wanted)


@pytest.mark.parametrize("fft_len", [2, 8, 64])
def test_coloured_noise_and_a_channel_of_all_taps(fft_len):
    """The noise's filter makes the channel longer, but not longer than a symbol."""
    rng = np.random.default_rng(3)
    pilots = rng.choice([1, -1, 1j, -1j], (1, 40, fft_len)).astype(np.complex64)
    shape = 1, 44 * 2 * fft_len
    noise = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    received = np.convolve(noise[0], [1, 0.9, 0.5, -0.3, 0.2])[None, : shape[1]]
    detector = reservoir.ofdm_configured(fft_len, fft_len, channel_len=fft_len)
    found = detector.receive(received.astype(np.complex64), pilots)
    assert np.isfinite(found).all()


def test_a_stream_that_is_silent_in_front():
    """No prefix, so that a filter of the samples begins: it has nothing to learn of this stream."""
    rng = np.random.default_rng(4)
    word = rng.choice([1, -1, 1j, -1j], 16)
    grid = reservoir.ofdm_grid(
        16,
        0,
        2,
        occupied_carriers=[list(range(1, 14))],
        pilot_carriers=[[14, 15]],
        pilot_symbols=[[[1, 0]], [[0, 1]]],
        sync_words=[[word.tolist()], [[0] * 16]],
        shifted=False,
    )
    received = rng.normal(size=(2, 10 * 16)) + 1j * rng.normal(size=(2, 10 * 16))
    detector = reservoir.ofdm_configured(16, 0, 2, 2, channel_len=3)
    assert np.isfinite(detector.receive(received.astype(np.complex64), grid)).all()


@pytest.mark.parametrize("kind", [reservoir.ofdm_lmmse, reservoir.ofdm_configured])
def test_error_on_the_pilots_is_over_their_power(kind):
    link = LINKS["T6c"]
    frame = make_frame(link, 25, 5, 0)
    detector = make(kind, link)
    errors = []
    for strength in (1, 4):
        first = link.pilots * (link.fft_len + link.cp_len)
        received = frame.received.copy()
        received[:, :first] *= strength
        pilots = (strength * frame.pilots).astype(np.complex64)
        errors.append(detector.fit(received, pilots).mse)
    assert errors[0] == pytest.approx(errors[1], rel=0.3)
    assert 0.002 < errors[0] < 0.01
    assert detector.fit(np.zeros_like(frame.received), pilots).mse == 1


def test_long_frames_over_long_channels():
    """They are not followed, which would take seconds."""
    rng = np.random.default_rng(6)
    pilots = rng.choice([1, -1, 1j, -1j], (2, 4, 256)).astype(np.complex64)
    sent = rng.choice([1, -1, 1j, -1j], (2, 100, 256))
    sent[:, :4] = pilots
    samples = np.fft.ifft(sent) * 16
    samples = np.concatenate([samples[..., 192:], samples], -1).reshape(2, -1)
    gains = moving_gains(rng, (2, 2, 60), samples.shape[1], 0.02 / 320, "clarke") / 10
    received = through(Paths(np.arange(60), gains), samples).astype(np.complex64)
    detector = reservoir.ofdm_configured(256, 64, 2, 2)
    assert np.isfinite(detector.receive(received, pilots)).all()
