#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""ofdm_configured under impairments of the receiver and of the channel."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from gnuradio import digital, reservoir

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import ofdm_impairments  # noqa: E402
from ofdm_impairments import IMPAIRMENTS, impaired_frame  # noqa: E402
from ofdm_links import LINKS, clarke_paths, convolved, make_frame  # noqa: E402

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


# symbol errors over maximum likelihood's: at most. On sixty frames (tests/bench/ofdm_impairments.py) they
# are about half of that or less
RATIOS = {
    "tone 0 dB": 0.05,
    "tone 10 dB": 0.03,
    "half carrier 0 dB": 0.05,
    "half carrier 10 dB": 0.03,
    "narrow band 0 dB": 0.1,
    "one direction -15 dB": 0.5,
    "I/Q 1 dB 5 deg": 0.35,
    "phase noise 0.005": 0.35,
    "phase noise 0.01": 0.15,
    "Doppler 5e-5": 0.25,
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
    "impairment", ["I/Q 1 dB 5 deg", "phase noise 0.005", "phase noise 0.01"]
)
def test_what_can_be_taken_out_leaves_nothing(impairment):
    """The same frames have as many errors as without the impairment, but for a fifth."""
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link)
    plain = wrong(detector, link, "none")
    assert plain > 20
    assert wrong(detector, link, impairment) <= 1.2 * plain + 5


@pytest.mark.parametrize("impairment", ["none", "tone 0 dB", "I/Q 1 dB 5 deg"])
def test_reported_channel_is_the_channels_own(impairment):
    """Without the filter that makes the noise white."""
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link)
    for number in range(4):
        frame = impaired_frame(link, impairment, 1, number)
        receive(detector, frame)
        rows = np.array(detector.report().channel)
        taps = rows.reshape(2, 2, -1) / np.sqrt(link.fft_len / len(link.active))
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
    for impairment in ("tone 0 dB", "phase noise 0.01", "Doppler 5e-5"):
        receive(detector, impaired_frame(link, impairment, 1, 0))
        report = detector.report()
        assert report.refits == 2 and len(report.residuals) == 3
        assert np.isfinite(report.noise_variance) and report.noise_variance > 0


@pytest.mark.parametrize(
    "impairment", ["tone 10 dB", "phase noise 0.01", "Doppler 5e-5"]
)
def test_frames_leave_nothing_behind(impairment):
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link)
    plain = make_frame(link, 25, 1, 0)
    first = receive(detector, plain)
    receive(detector, impaired_frame(link, impairment, 1, 1))
    np.testing.assert_array_equal(receive(detector, plain), first)


@pytest.mark.parametrize(
    "impairment", ["tone 0 dB", "phase noise 0.01", "Doppler 5e-5"]
)
def test_without_refits(impairment):
    """Better than maximum likelihood, and all values are finite."""
    link = LINKS["T6c"]
    detector = make(reservoir.ofdm_configured, link, refits=0)
    ml = make(reservoir.ofdm_lmmse, link, detection="ml")
    frame = impaired_frame(link, impairment, 1, 2)
    found = receive(detector, frame)
    assert np.all(np.isfinite(found))
    assert frame.errors(found)[0] < 0.7 * frame.errors(receive(ml, frame))[0]


@pytest.mark.parametrize(
    "name, seed, number",
    [("full1", 103, 7), ("full1r", 101, 14), ("full1r", 103, 10)],
)
def test_what_pilots_seem_to_show_is_given_up(name, seed, number):
    """In these frames one pilot symbol shows an impairment that is not there; decisions do not."""
    link = LINKS[name]
    frame = make_frame(link, 28, seed, number)
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


# ----------------------------------------------------------- the benchmark


def test_impairments_are_as_strong_as_they_say():
    link = LINKS["T6c"]
    plain = make_frame(link, 25, 1, 0).received
    added = {
        name: impaired_frame(link, name, 1, 0).received - plain
        for name, what in IMPAIRMENTS.items()
        if what and not isinstance(what, dict)
    }
    powers = {name: np.mean(np.abs(one) ** 2, 1) for name, one in added.items()}
    for name in "tone", "half carrier":
        np.testing.assert_allclose(powers[f"{name} 0 dB"], 1, rtol=1e-3)
        np.testing.assert_allclose(powers[f"{name} 10 dB"], 10, rtol=1e-3)
    # ten lines of noise: their power has a deviation of a third
    np.testing.assert_allclose(powers["narrow band 0 dB"], 1, rtol=0.6)
    np.testing.assert_allclose(powers["one direction -15 dB"], 10**-1.5, rtol=0.1)
    # half of a tone between two carriers' is on the two nearest, the rest on all
    tone = np.abs(np.fft.fft(added["half carrier 0 dB"][0, 16:80])) ** 2
    assert 0.7 < np.sort(tone)[-2:].sum() / tone.sum() < 0.9
    image = added["I/Q 1 dB 5 deg"] - 0.063 * plain
    ratio = np.mean(np.abs(image) ** 2) / np.mean(np.abs(plain) ** 2)
    assert -24 < 10 * np.log10(ratio) < -20
    quantized = impaired_frame(link, "converter 4 bits", 1, 0).received
    assert len(np.unique(quantized.real)) == 16


def test_paths_of_the_moving_channel():
    rng = np.random.default_rng(1)
    doppler, lag = 1e-3, 200
    paths = clarke_paths(rng, (400,), lag + 1, doppler)
    assert np.mean(np.abs(paths) ** 2) == pytest.approx(1, abs=0.1)
    correlation = np.mean(paths[:, lag] * paths[:, 0].conj())
    assert correlation == pytest.approx(0.642, abs=0.15)  # J0(2 pi 0.2)
    sent = rng.normal(size=(2, 50)) + 1j * rng.normal(size=(2, 50))
    taps = rng.normal(size=(3, 2, 4))
    for r, row in enumerate(convolved(sent, taps)):
        wanted = sum(np.convolve(sent[t], taps[r, t])[:50] for t in range(2))
        np.testing.assert_allclose(row, wanted)


def test_the_program(tmp_path, capsys):
    out = tmp_path / "impairments.json"
    given = ["--links", "T6c", "--impairments", "tone 10 dB", "--frames", "2"]
    options = ofdm_impairments.arguments([*given, "--out", str(out)])
    assert ofdm_impairments.run(options)
    (row,) = json.loads(out.read_text())
    assert row["wrong"].keys() == set(ofdm_impairments.RECEIVERS)
    ((text, value, limit, _),) = row["bars"]
    assert text.startswith("configured over") and value < 0.5 and limit == 1.1
    printed = capsys.readouterr().out
    assert "T6c, tone 10 dB" in printed and "1 of 1 bars are met." in printed


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
        first = link.num_pilots * (link.fft_len + link.cp_len)
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
    paths = clarke_paths(rng, (2, 2, 60), samples.shape[1], 0.02 / 320) / 10
    received = convolved(samples, paths).astype(np.complex64)
    detector = reservoir.ofdm_configured(256, 64, 2, 2)
    assert np.isfinite(detector.receive(received, pilots)).all()
