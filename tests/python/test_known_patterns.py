#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The campaigns of bursts with known symbols inside: links and baselines."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

from test_campaign import run_here

FOLDER = Path(__file__).resolve().parents[2] / "campaigns" / "known_symbols"
sys.path.append(str(FOLDER))
import baselines  # noqa: E402
import waveforms as links  # noqa: E402

# each waveform on the worst of its channels
WORST = [("m2400s", "poor"), ("s4285", "poor"), ("hfdl", "poor"), ("gsm", "ht100")]
each_link = pytest.mark.parametrize("name, channel", WORST)


def test_patterns_are_the_standards():
    known = {name: waveform.known for name, waveform in links.WAVEFORMS.items()}
    assert known["m2400s"][:144].all() and not known["m2400s"][144:176].any()
    assert known["m2400s"][176:192].all() and len(known["m2400s"]) == 144 + 48 * 62
    assert len(links.STANAG_BLOCK) == 256 and links.STANAG_BLOCK.sum() == 80 + 3 * 16
    assert known["hfdl"][174:189].all() and not known["hfdl"][144:174].any()
    assert np.flatnonzero(known["gsm"]).tolist() == [
        *range(3),
        *range(61, 87),
        *range(145, 148),
    ]
    burst = links.make_burst("gsm", "tu50", 8, 1, 0)
    midamble = (1 - burst.symbols[61:87].real) / 2
    assert "".join(str(int(bit)) for bit in midamble) == links.GSM_TRAINING


@each_link
def test_a_burst_is_the_same_in_any_subset(name, channel):
    one, same = (links.make_burst(name, channel, 14, 5, 3) for _ in range(2))
    assert np.array_equal(one.received, same.received)
    other = links.make_burst(name, channel, 14, 5, 4)
    assert not np.array_equal(one.indices, other.indices)
    louder = links.make_burst(name, channel, 34, 5, 3)
    assert np.array_equal(one.indices, louder.indices)
    assert np.array_equal(one.gains, louder.gains)


@each_link
def test_taps_and_noise_explain_what_came(name, channel):
    """What is left beside the true taps is noise of the stated variance."""
    left, length = [], len(links.WAVEFORMS[name].known)
    for number in range(5):
        burst = links.make_burst(name, channel, 10, 1, number, carrier=True)
        taps = burst.taps(np.arange(length))
        x = baselines.lagged(burst.symbols, burst.lags)
        came = burst.received.reshape(-1, burst.sps)[:length]
        left.append(came - np.einsum("nl,nlq->nq", x, taps))
    power = np.mean(np.abs(left) ** 2)
    assert power == pytest.approx(0.1, rel=0.1)


@each_link
def test_a_received_symbol_has_unit_energy(name, channel):
    """On the mean over the channels that may be drawn."""
    energies = []
    for number in range(300):
        rng = np.random.default_rng(number)
        waveform, paths = links.WAVEFORMS[name], links.CHANNELS[channel]
        gains = links.path_gains(paths, waveform, 400, rng)
        energies.append(np.sum(np.abs(gains) ** 2, 0).mean())
    assert np.mean(energies) == pytest.approx(1, abs=4 * np.std(energies) / 300**0.5)


def test_pulses_have_unit_energy_and_no_intersymbol_interference():
    t = np.arange(-320, 321) / 8
    shape = links.root_raised_cosine(t)
    assert np.sum(shape**2) / 8 == pytest.approx(1, abs=1e-4)
    both = np.convolve(shape, shape, "same") / 8
    middle = np.abs(t) < 5
    expected = links.raised_cosine(t[middle])
    np.testing.assert_allclose(both[middle], expected, atol=2e-4)
    np.testing.assert_allclose(links.raised_cosine(np.arange(1, 9)), 0, atol=1e-12)


def test_gmsk_pulse_is_laurents():
    """Neighbours of the first pulse against GMSK itself: projected on the other symbols, what one
    symbol contributes to the modulated signal."""
    rng = np.random.default_rng(1)
    steps, count = 16, 4000
    bits = rng.choice([-1, 1], count)
    fine = np.arange(-2 * steps, 2 * steps) / steps + 0.5 / steps
    sigma = np.sqrt(np.log(2)) / (2 * np.pi * 0.3)
    smooth = np.exp(-(fine**2) / (2 * sigma**2))
    frequency = np.convolve(smooth, np.ones(steps), "same")
    frequency *= np.pi / 2 / frequency.sum()
    impulses = np.zeros(count * steps)
    impulses[::steps] = bits
    signal = np.exp(1j * np.cumsum(np.convolve(impulses, frequency)[: count * steps]))
    # after n bits the phase has turned by their sum of quarter turns
    sent = 1j ** (np.cumsum(bits) % 4)
    waveform = []
    for shift in np.arange(-2 * steps, 5 * steps):
        at = np.arange(10, count - 10) * steps + shift
        waveform.append(np.mean(signal[at] * sent[10 : count - 10].conj()).real)
    waveform = np.array(waveform)
    middle = waveform.argmax()
    around = np.arange(middle - 16, middle + 17)
    found = waveform[around]
    center = np.sum(around * found**4) / np.sum(found**4)
    pulse = links.gmsk_pulse((around - center) / steps)
    np.testing.assert_allclose(found / found.max(), pulse / pulse.max(), atol=0.02)


def test_fading_has_the_spectrum_of_its_channel():
    spread, instants = 2e-3, 500 * np.arange(4)
    rng = np.random.default_rng(2)
    gains = [
        links.gaussian_fading(1600, spread, rng)[instants[:3]] for _ in range(3000)
    ]
    found = np.mean(np.array(gains) * np.conj(np.array(gains)[:, :1]), 0)
    expected = np.exp(-0.5 * (np.pi * spread * instants[:3]) ** 2)
    assert np.abs(found - expected).max() < 4 / np.sqrt(3000)


def static_burst(name, taps, snr_db=200.0, seed=1):
    """A burst on taps that stand still, at lags 0, 1, ... of each half-symbol phase."""
    burst = links.make_burst(name, links.WAVEFORMS[name].channels[0], 20, seed, 0)
    rng = np.random.default_rng(seed)
    taps = np.asarray(taps, complex).reshape(-1, burst.sps)
    length = len(burst.received) // burst.sps
    came = [np.convolve(burst.symbols, taps[:, q])[:length] for q in range(burst.sps)]
    came = np.array([np.pad(row, (0, length - len(row))) for row in came]).T
    noise = 10 ** (-snr_db / 20) * links.complex_normal(rng, *came.shape)
    received = (came + noise).ravel().astype(np.complex64)
    pulses = np.zeros((1, burst.sps, len(taps)))
    pulses[0, :, :] = 1  # which lags there are
    return burst.__class__(
        burst.points,
        burst.indices,
        burst.known,
        burst.sps,
        received,
        np.ones((1, len(received))),
        pulses,
        np.arange(len(taps)),
        1e-6,
    )


@pytest.mark.parametrize("name", ["m2400s", "s4285", "hfdl"])
@pytest.mark.parametrize("survivors", [1, 8])
def test_interpolated_equalizer_inverts_a_static_channel(name, survivors):
    burst = static_burst(name, [0.5, 0.3j, 1, 0.8, -0.4, 0.5j], snr_db=35)
    stack, lags = baselines.Stack.of([burst]), baselines.lags_of(burst)
    decided = baselines.interpolate_and_decide(stack, lags, survivors)
    assert np.array_equal(decided[0], burst.indices)


@pytest.mark.parametrize(
    "kind, setting", [("burst_nlms", dict(step=0.4)), ("burst_rls", {})]
)
def test_adaptive_filters_invert_a_static_channel(kind, setting):
    burst = static_burst("s4285", [1, 0.8, -0.4, 0.5j], snr_db=35)
    receiver = baselines.RECEIVERS[kind](links.LINKS["s4285"](), **setting)
    assert np.array_equal(receiver.decide([burst])[0], burst.indices)


def test_readout_is_the_minimum_mean_square_error_one():
    """Against least squares on a long random burst."""
    rng = np.random.default_rng(3)
    taps = links.complex_normal(rng, 4, 2)
    x = links.WAVEFORMS["s4285"].points[rng.integers(0, 4, 40000)]
    y = np.array([np.convolve(x, taps[:, q])[: len(x)] for q in range(2)]).T
    y += np.sqrt(0.1) * links.complex_normal(rng, *y.shape)
    eye = np.eye(2 * baselines.LOOK_AHEAD)
    weights, feedback, error = baselines.readouts(taps, np.array(0.1), eye)
    n = np.arange(10, 39000)
    forward = np.array([y[m : m + baselines.LOOK_AHEAD].ravel() for m in n])
    past = np.array([x[n - d] for d in range(1, 4)]).T
    output = forward @ weights - past @ feedback
    residual = output - x[n]
    # unbiased, and its error is as stated
    assert np.mean(residual * x[n].conj()) == pytest.approx(0, abs=0.01)
    assert np.mean(np.abs(residual) ** 2) == pytest.approx(float(error), rel=0.03)
    features = np.concatenate([forward, past], 1)
    best = np.linalg.lstsq(features, x[n], rcond=None)[0]
    least = np.mean(np.abs(features @ best - x[n]) ** 2)
    bias = 1 / (1 + float(error))
    assert bias * float(error) == pytest.approx(least, rel=0.03)


def test_viterbi_finds_the_likeliest_bits():
    """Against all of them, on a short burst."""
    rng = np.random.default_rng(4)
    known = np.array([True, False, False, True, False, False, False, True])
    symbols = np.array([[1.0, 0, 0, -1, 0, 0, 0, 1]] * 20)
    taps = links.complex_normal(rng, 20, 3)
    lags = np.array([-1, 0, 1])
    candidates = np.array(list(itertools.product([-1.0, 1.0], repeat=5)))
    every = np.repeat(symbols[:1], len(candidates), 0)
    every[:, ~known] = candidates
    sent = every[rng.integers(0, len(every), 20)]
    clean = np.einsum("bnl,bl->bn", baselines.lagged(sent, lags), taps)
    received = clean + 0.8 * links.complex_normal(rng, *clean.shape)
    decided = baselines.viterbi(received, taps, lags, symbols, known)
    for row, h, found in zip(received, taps, decided):
        distance = np.abs(row - baselines.lagged(every, lags) @ h) ** 2
        # one more sample, before the burst, hears its first symbol, which is known
        assert np.array_equal(every[distance.sum(1).argmin()], found)


@pytest.mark.parametrize("name", links.WAVEFORMS)
def test_a_frame_tells_the_known_symbols_only(name):
    link = links.LINKS[name](carrier=True)
    frame = link.make_frame(1, 0)
    known = links.WAVEFORMS[name].known
    assert np.array_equal(~np.isnan(frame.known[0]), known)
    assert frame.payload.shape == (1, link.payload) == (1, np.sum(~known))
    assert np.array_equal(frame.payload[0], frame.burst.indices[~known])
    assert frame.pilots.shape[1] == known.argmin()


def test_who_knows_the_carrier_turns_it_back():
    burst = links.make_burst("m2400s", "good", 200, 1, 0)
    frame = links.LINKS["m2400s"](channel="good", snr_db=200.0, carrier=True)
    receiver = baselines.KnownCarrier(frame)
    turned = receiver._turned(frame.make_frame(1, 0)).received[0]
    np.testing.assert_allclose(turned, burst.received, atol=1e-5)


def test_the_campaign_of_gsm_finds_the_order_of_its_receivers(tmp_path):
    file = FOLDER / "gsm.toml"
    text = file.read_text().replace('["tu50", "ht100"]', '"ht100"')
    text = text.replace("[8, 12, 16]", "8").replace("frames = 1500", "frames = 100")
    text = text[: text.index("[[limits]]")]
    (measured,) = run_here(text, tmp_path, str(file))
    rates = {name: found.ber.value for name, found in measured.items()}
    order = "known_channel", "configured_esn", "refit", "viterbi"
    assert sorted(rates, key=rates.get) == list(order)
    assert rates["viterbi"] < 0.1
