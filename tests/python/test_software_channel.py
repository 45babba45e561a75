#
# SPDX-License-Identifier: GPL-3.0-or-later
#
import threading
import time

import numpy as np
import pytest
from gnuradio import blocks, digital, gr, reservoir
from link_helpers import CHUNKS, assert_rejects, gaussian, make_tag, offsets, run_block

RNG = np.random.default_rng(8)
X = gaussian(RNG, 200000)
QPSK = digital.constellation_qpsk()
PROFILE = [1.0, 0.5, 0.25]


def pass_through(x, tags=(), chunk=0, **arguments):
    return run_block(reservoir.software_channel(**arguments), x, tags, chunk)


def test_exponential_profile():
    profile = reservoir.exponential_profile(6, 2.0)
    expected = np.exp(-np.arange(6) / 2)
    np.testing.assert_allclose(profile, expected / expected.sum())
    for name, value in (
        ("num_taps", 0),
        ("num_taps", 1025),
        ("num_taps", 2.5),
        ("num_taps", np.nan),
        ("num_taps", "a"),
        ("num_taps", None),
    ):
        arguments = {"num_taps": 6, "decay": 2.0, name: value}
        assert_rejects(reservoir.exponential_profile, arguments, name, value)
    for value in (0, -1, np.nan, np.inf):
        arguments = {"num_taps": 6, "decay": value}
        assert_rejects(reservoir.exponential_profile, arguments, "decay", value)


@pytest.mark.parametrize("sps", [1, 65, 2.5, "2", np.nan])
def test_pulse_shaper_needs_whole_samples_per_symbol(sps):
    assert_rejects(reservoir.pulse_shaper, {"sps": sps}, "sps", sps)


def test_whole_floats_are_integers():
    np.testing.assert_array_equal(
        reservoir.exponential_profile(3.0, 1), reservoir.exponential_profile(3, 1)
    )
    reservoir.pulse_shaper(np.float64(2))
    reservoir.software_channel(num_tx=1.0, num_rx=np.int64(1), seed=2.0)


@pytest.mark.parametrize(
    "name, delay, spread",
    [("good", 0.5e-3, 0.1), ("moderate", 1e-3, 0.5), ("poor", 2e-3, 1.0)],
)
def test_named_ionospheres(name, delay, spread):
    paths = reservoir.named_channel(f"ccir_{name}", 4800)
    np.testing.assert_allclose(paths["power_delay_profile"], [0.5, 0.5])
    np.testing.assert_allclose(paths["path_delays"], [0, 4800 * delay])
    assert paths["doppler"] == pytest.approx(spread / 4800)
    assert paths["doppler_spectrum"] == "gaussian" and not paths["normalize"]


def test_named_mobile_channels():
    rate = 13e6 / 48
    for name, kmh, last, spread in (
        ("tu50", 50, 5.0e-6, 1.06e-6),  # root mean square delay spread, seconds
        ("ht100", 100, 17.2e-6, 3.92e-6),
    ):
        paths = reservoir.named_channel(f"cost207_{name}", rate)
        powers, delays = paths["power_delay_profile"], paths["path_delays"] / rate
        assert powers.sum() == pytest.approx(1) and len(powers) == len(delays) == 6
        assert delays[-1] == pytest.approx(last)
        mean = powers @ delays
        assert np.sqrt(powers @ (delays - mean) ** 2) == pytest.approx(spread, rel=0.02)
        # a wavelength of 33.3 cm
        assert paths["doppler"] * rate == pytest.approx(kmh / 3.6 / 0.3331, rel=1e-3)
        assert paths["doppler_spectrum"] == "clarke"


def test_named_channel_in_the_software_channel():
    """Two paths 9.6 samples apart: mean power 1, and the frequency correlation of two equal paths."""
    frame, num_frames = 600, 1500
    n = np.arange(frame)
    tones = [0.0, 0.02, 1 / 19.2]  # the last: half a turn between the paths
    x = np.tile(np.sum([np.exp(2j * np.pi * f * n) for f in tones], 0), num_frames)
    y = pass_through(
        x, snr_db=300, profile="ccir_poor", sample_rate=4800, frame_len=frame
    )[0][0]
    y = np.append(y[8:], np.zeros(8)).reshape(num_frames, frame)[:, 120:]
    basis = np.exp(2j * np.pi * np.outer(n[120:], tones))
    answers = np.linalg.lstsq(basis, y.T, rcond=None)[0]
    bound = 4 / np.sqrt(num_frames)
    assert np.all(np.abs((np.abs(answers) ** 2).mean(1) - 1) < bound)
    for tone, answer in zip(tones, answers):
        expected = (1 + np.exp(2j * np.pi * tone * 9.6)) / 2
        assert abs(np.mean(answers[0] * answer.conj()) - expected) < bound


def test_tags_stay_with_the_signal_on_a_named_channel():
    source = reservoir.frame_source(
        QPSK, reservoir.random_pilots(QPSK, 64), payload_len=400, num_frames=40
    )
    channel = reservoir.software_channel(
        snr_db=30, profile="cost207_tu50", sample_rate=13e6 / 48
    )
    equalizer = reservoir.equalizer(
        reservoir.fir(),
        training_sequence=reservoir.random_pilots(QPSK, 64),
        training_start_tag="frame_start",
        payload_len=400,
    )
    meter = reservoir.symbol_error_meter(QPSK, source)
    top = gr.top_block()
    top.connect(source, channel, equalizer, meter)
    top.run()
    assert meter.total_frames() >= 39 and meter.ser() < 0.05


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(profile="ccir_bad"), "profile = 'ccir_bad': must be one of"),
        (dict(profile="ccir_poor", sample_rate=0), "sample_rate = 0: must be"),
        (dict(profile="ccir_poor", sample_rate=np.nan), "sample_rate = nan: must be"),
        (dict(profile="ccir_poor", sample_rate=1.0), "doppler = 1: must be within"),
        (dict(profile="ccir_poor", sample_rate=1e6), "path_delays element = 2000"),
        (dict(power_delay_profile=[1.0]), "power_delay_profile = .*must be left"),
        (dict(taps=[1.0]), "taps = .*must be left"),
        (dict(path_delays=[1.0]), "path_delays = .*must be left"),
        (dict(doppler=0.1), "doppler = 0.1: must be left"),
        (
            dict(doppler_spectrum="gaussian"),
            "doppler_spectrum = gaussian: must be left",
        ),
    ],
)
def test_named_channel_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        reservoir.software_channel(
            **{"profile": "ccir_poor", "sample_rate": 4800, **arguments}
        )


@pytest.mark.parametrize("snr_db", [-5, 10, 30])
@pytest.mark.parametrize("amplifier", ["linear", "rapp", "saleh", "memory_polynomial"])
def test_snr(snr_db, amplifier):
    clean, _ = pass_through(X, snr_db=300, amplifier=amplifier)
    noisy, _ = pass_through(X, snr_db=snr_db, amplifier=amplifier)
    signal = np.mean(np.abs(clean) ** 2)
    noise = np.mean(np.abs(noisy - clean) ** 2)
    assert 10 * np.log10(signal) == pytest.approx(0, abs=0.05)
    assert 10 * np.log10(signal / noise) == pytest.approx(snr_db, abs=0.1)


def test_snr_of_a_constellation_through_a_fading_channel():
    x = RNG.choice(reservoir.random_pilots(QPSK, 4), 200000)
    arguments = {
        "power_delay_profile": PROFILE,
        "amplifier": "rapp",
        "input_backoff_db": 0,
        "constellation": QPSK,
        "frame_len": 1000,
    }
    clean, _ = pass_through(x, snr_db=300, **arguments)
    noisy, _ = pass_through(x, snr_db=12, **arguments)
    noise = np.mean(np.abs(noisy - clean) ** 2)
    assert 10 * np.log10(np.mean(np.abs(clean) ** 2)) == pytest.approx(0, abs=0.05)
    assert 10 * np.log10(noise) == pytest.approx(-12, abs=0.1)


def test_noise_is_white_and_circular():
    noise = pass_through(np.zeros(200000), snr_db=0)[0][0]
    for lag in (1, 2, 7):
        assert abs(np.mean(noise[lag:] * noise[:-lag].conj())) < 0.015
    assert abs(np.mean(noise**2)) < 0.015


def test_noises_of_the_outputs_and_seeds_differ():
    block = reservoir.software_channel(snr_db=0, num_tx=2, num_rx=2)
    y, _ = run_block(block, np.zeros((2, 100000)), num_outputs=2)
    assert abs(np.mean(y[0] * y[1].conj())) < 0.02
    other, _ = pass_through(np.zeros(100000), snr_db=0, seed=2)
    assert abs(np.mean(y[0] * other[0].conj())) < 0.02


def test_direct_paths_by_default():
    x = gaussian(RNG, (2, 1000))
    block = reservoir.software_channel(snr_db=300, num_tx=2, num_rx=2)
    y, _ = run_block(block, x, num_outputs=2)
    np.testing.assert_allclose(y, x, atol=1e-6)


def test_taps_and_frequency_offset():
    taps, frequency = np.array([1, -0.5j, 0.2]), 1e-3
    y, _ = pass_through(X, snr_db=300, taps=taps, frequency_offset=frequency)
    turned = np.exp(2j * np.pi * frequency * np.arange(len(X)))
    expected = np.convolve(X, taps)[: len(X)] * turned
    np.testing.assert_allclose(y[0], expected, atol=1e-5)


@pytest.mark.parametrize("doppler", [0.0, 0.002])
def test_chunks_and_runs_change_no_bit(doppler):
    tags = [make_tag(n) for n in (0, 100, 1501)]
    runs = [
        pass_through(
            X[:4000],
            tags,
            chunk,
            power_delay_profile=PROFILE,
            amplifier="memory_polynomial",
            frequency_offset=0.01,
            doppler=doppler,
            seed=4,
        )
        for chunk in CHUNKS + [4096]
    ]
    assert all(np.array_equal(output, runs[0][0]) for output, _ in runs)
    for _, out_tags in runs:
        assert offsets(out_tags[0], "frame_start") == [0, 100, 1501]
        assert offsets(out_tags[0], "channel") == [0, 100, 1501]


def test_setters():
    channel = reservoir.software_channel(snr_db=0, amplifier="rapp")
    channel.set_snr_db(300)
    channel.set_frequency_offset(0.25)
    channel.set_input_backoff_db(-3)
    channel.set_taps([0, 1])
    y = run_block(channel, X)[0][0]
    saturation = 10 ** (-3 / 20)
    expected = X / (1 + (np.abs(X) / saturation) ** 4) ** 0.25
    expected /= np.sqrt(np.mean(np.abs(expected) ** 2))
    turned = expected[:-1] * 1j ** (np.arange(1, len(X)) % 4)
    np.testing.assert_allclose(y[1:], turned, atol=0.01)
    for setter, name in (
        (channel.set_snr_db, "snr_db"),
        (channel.set_frequency_offset, "frequency_offset"),
        (channel.set_input_backoff_db, "input_backoff_db"),
    ):
        with pytest.raises(ValueError, match=name):
            setter(float("nan"))
    for profile in ([], [-1.0], [0.0]):
        with pytest.raises(ValueError, match="power_delay_profile"):
            channel.set_power_delay_profile(profile)


def test_setters_while_it_runs():
    channel = reservoir.software_channel(
        power_delay_profile=PROFILE, amplifier="rapp", frame_len=100
    )
    source = reservoir.frame_source(QPSK, reservoir.random_pilots(QPSK, 16))
    top, probe = gr.top_block(), blocks.probe_signal_c()
    top.connect(source, channel, probe)
    top.start()
    stop = time.monotonic() + 0.5

    def turn_knobs(seed):
        rng = np.random.default_rng(seed)
        while time.monotonic() < stop:
            channel.set_snr_db(rng.uniform(0, 30))
            channel.set_frequency_offset(rng.uniform(-0.1, 0.1))
            channel.set_input_backoff_db(rng.uniform(0, 10))
            channel.set_power_delay_profile(np.ones(rng.integers(1, 20)))
            channel.set_taps(gaussian(rng, rng.integers(1, 20)))

    threads = [threading.Thread(target=turn_knobs, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    top.stop()
    top.wait()
    assert np.isfinite(probe.level())


def test_whole_link():
    source = reservoir.frame_source(
        QPSK, reservoir.random_pilots(QPSK, 16), payload_len=500, num_frames=50
    )
    channel = reservoir.software_channel(snr_db=25, taps=[1], constellation=QPSK.base())
    meter = reservoir.symbol_error_meter(QPSK, source)
    top = gr.top_block()
    top.connect(source, channel, meter)
    top.run()
    assert meter.total_frames() == 50 and meter.ser() == 0
    assert meter.evm_db() == pytest.approx(-25, abs=0.15)


@pytest.mark.parametrize(
    "name, value",
    [
        ("snr_db", -101),
        ("snr_db", np.nan),
        ("power_delay_profile", [-1.0]),
        ("taps", [np.nan]),
        ("amplifier", "none"),
        ("input_backoff_db", 101),
        ("frequency_offset", 0.6),
        ("snr_db", "20"),
        ("seed", -1),
        ("seed", 1.5),
        ("num_tx", 1.5),
        ("num_rx", np.inf),
        ("doppler", 0.6),
        ("frame_len", -1),
        ("num_tx", 0),
        ("num_rx", 17),
        ("num_rx", 2),
        ("smoothness", 0),
        ("saleh", [1]),
        ("coefficients", [[np.inf]]),
    ],
)
def test_invalid_arguments(name, value):
    shown = None if isinstance(value, list) else value
    assert_rejects(reservoir.software_channel, {name: value}, name, shown)
