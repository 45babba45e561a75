#
# SPDX-License-Identifier: GPL-3.0-or-later
#
import numpy as np
import pmt
import pytest
from gnuradio import reservoir
from link_helpers import CHUNKS, assert_rejects, gaussian, make_tag, offsets, run_block

RNG = np.random.default_rng(7)
X = gaussian(RNG, 3000)
PROFILE = [1.0, 0.5, 0.25, 0.1]


def channels(tags):
    return {
        tag.offset: np.array(pmt.c32vector_elements(tag.value))
        for tag in tags
        if pmt.symbol_to_string(tag.key) == "channel"
    }


def matrix(value):
    return np.array(
        [
            [
                pmt.c32vector_elements(pmt.vector_ref(row, t))
                for t in range(pmt.length(row))
            ]
            for row in (pmt.vector_ref(value, r) for r in range(pmt.length(value)))
        ]
    )


def test_identity_channel_is_the_identity():
    y, _ = run_block(reservoir.block_fading_cc(taps=[1]), X)
    assert np.array_equal(y[0], X)


@pytest.mark.parametrize("num_taps", [1, 2, 6, 700])
def test_fixed_taps_equal_numpy(num_taps):
    h = gaussian(RNG, num_taps)
    y, tags = run_block(reservoir.block_fading_cc(taps=h), X)
    expected = np.convolve(X, h)[: len(X)]
    np.testing.assert_allclose(y[0], expected, atol=1e-5 * np.sqrt(num_taps) * 4)
    np.testing.assert_array_equal(channels(tags[0])[0], h)


def test_mimo_equals_numpy():
    x, h = gaussian(RNG, (3, 500)), gaussian(RNG, (2, 3, 5))
    block = reservoir.block_fading_cc(taps=h, num_tx=3, num_rx=2)
    y, tags = run_block(block, x, num_outputs=2)
    expected = [
        sum(np.convolve(x[t], h[r, t])[:500] for t in range(3)) for r in range(2)
    ]
    np.testing.assert_allclose(y, expected, atol=1e-5)
    channel = [t for t in tags[0] if pmt.symbol_to_string(t.key) == "channel"]
    assert [t.offset for t in channel] == [0]
    np.testing.assert_array_equal(matrix(channel[0].value), h)
    np.testing.assert_array_equal(block.taps(), h)


def test_permuting_antennas_permutes_nothing_else():
    x, h = gaussian(RNG, (2, 500)), gaussian(RNG, (3, 2, 4))
    order = [2, 0, 1]
    y, _ = run_block(
        reservoir.block_fading_cc(taps=h, num_tx=2, num_rx=3), x, num_outputs=3
    )
    z, _ = run_block(
        reservoir.block_fading_cc(taps=h[order], num_tx=2, num_rx=3), x, num_outputs=3
    )
    assert np.array_equal(z, y[order])


def test_frames_are_redrawn_exactly_at_tags():
    starts = [3, 4, 515, 1024, 1025, 2999]
    tags = [make_tag(n) for n in starts] + [make_tag(100, "other")]
    y, out_tags = run_block(reservoir.block_fading_cc(PROFILE), X, tags)
    taps = channels(out_tags[0])
    assert sorted(taps) == [0] + starts
    assert len({h.tobytes() for h in taps.values()}) == len(taps)
    assert offsets(out_tags[0], "other") == [100]
    assert offsets(out_tags[0], "frame_start") == starts
    # the delay line carries over: the taps of sample n's frame see all earlier samples
    edges = sorted(taps) + [len(X)]
    for first, end in zip(edges, edges[1:]):
        expected = np.convolve(X, taps[first])[first:end]
        np.testing.assert_allclose(y[0, first:end], expected, atol=1e-5)


def test_frame_len_counts_frames_and_tags_do_not():
    block = reservoir.block_fading_cc(PROFILE, frame_len=700)
    _, tags = run_block(block, X, [make_tag(5)])
    assert sorted(channels(tags[0])) == [0, 700, 1400, 2100, 2800]


def test_two_tags_at_one_sample_draw_once():
    _, once = run_block(reservoir.block_fading_cc(PROFILE), X, [make_tag(9)])
    twice = [make_tag(9), make_tag(9, value=pmt.PMT_NIL)]
    _, tags = run_block(reservoir.block_fading_cc(PROFILE), X, twice)
    a, b = channels(once[0]), channels(tags[0])
    assert sorted(b) == [0, 9] and np.array_equal(a[9], b[9])


def draws(num_frames, **arguments):
    x = np.zeros(num_frames)
    _, tags = run_block(reservoir.block_fading_cc(PROFILE, frame_len=1, **arguments), x)
    taps = channels(tags[0])
    return np.array([taps[n] for n in range(num_frames)])


@pytest.mark.parametrize("doppler", [0.0, 0.01])
def test_profile_statistics(doppler):
    h = draws(8000, normalize=False, doppler=doppler)
    power = np.abs(h) ** 2
    expected = np.array(PROFILE) / np.sum(PROFILE)
    bound = 4 * power.std(0) / np.sqrt(len(h))
    assert np.all(np.abs(power.mean(0) - expected) < bound)
    assert np.all(np.abs(h.mean(0)) < 4 * np.sqrt(expected / len(h)))
    # circular, and independent from tap to tap and from frame to frame
    assert np.all(np.abs((h**2).mean(0)) < 6 * expected / np.sqrt(len(h)))
    correlation = np.abs(h.T @ h.conj()) / len(h)
    np.fill_diagonal(correlation, 0)
    assert correlation.max() < 0.03
    assert np.all(np.abs((h[1:] * h[:-1].conj()).mean(0)) < 0.03)


def test_normalized_draws_have_unit_energy():
    h = draws(100)
    np.testing.assert_allclose(np.sum(np.abs(h) ** 2, 1), 1, atol=1e-6)


def of_clarke(turns):
    from scipy.special import j0

    return j0(2 * np.pi * turns)


def of_gaussian(turns):
    """Of a spectrum with half of that as its standard deviation."""
    return np.exp(-0.5 * (np.pi * turns) ** 2)


@pytest.mark.parametrize(
    "name, correlation_of", [("clarke", of_clarke), ("gaussian", of_gaussian)]
)
def test_doppler_autocorrelation_is_the_spectrums(name, correlation_of):
    doppler, num_frames, length = 0.01, 800, 100
    block = reservoir.block_fading_cc(
        [1.0],
        frame_len=length,
        doppler=doppler,
        normalize=False,
        doppler_spectrum=name,
    )
    y, _ = run_block(block, np.ones(num_frames * length))
    h = y[0].reshape(num_frames, length)
    correlation = (h * h[:, :1].conj()).mean(0)
    expected = correlation_of(doppler * np.arange(length))
    assert np.abs(correlation - expected).max() < 4 / np.sqrt(num_frames)


def test_doppler_moves_from_the_announced_taps():
    block = reservoir.block_fading_cc(PROFILE, doppler=1e-3, frame_len=1000)
    impulses = np.zeros(1000)
    impulses[0] = 1
    y, tags = run_block(block, impulses)
    h = channels(tags[0])[0]
    assert y[0, 0] == h[0]
    np.testing.assert_allclose(y[0, :4], h, atol=0.1)


def test_doppler_frame_has_unit_mean_energy():
    block = reservoir.block_fading_cc([1.0], doppler=2e-3, frame_len=1000)
    y, _ = run_block(block, np.ones(5000))
    energy = (np.abs(y[0].reshape(5, 1000)) ** 2).mean(1)
    np.testing.assert_allclose(energy, 1, atol=0.05)


LATENCY = 8  # samples, of a channel with path delays


@pytest.mark.parametrize("delay", [0.0, 0.5, 2.4, 9.6, 63.27])
def test_path_delay_is_that_of_the_phase(delay):
    """A path turns and scales a tone as exp(-i 2 pi f delay) does, up to 0.35 cycles/sample."""
    n = np.arange(400)
    answers = []
    for frequency in (0, 0.01, 0.2, -0.3, 0.35):
        block = reservoir.block_fading_cc([1.0], path_delays=[delay])
        y, _ = run_block(block, np.exp(2j * np.pi * frequency * n))
        late = np.exp(2j * np.pi * frequency * (n - LATENCY - delay))
        answers.append(y[0, 200:] / late[200:])
    gain = answers[0].mean()
    assert abs(gain) == pytest.approx(1, abs=1e-5)  # normalized
    np.testing.assert_allclose(np.array(answers) / gain, 1, atol=0.003)


def test_taps_of_paths_hold_their_sum():
    delays, powers = np.array([0, 0.75, 11.3]), [1.0, 0.5, 0.5]
    block = reservoir.block_fading_cc(powers, path_delays=delays, normalize=False)
    y, tags = run_block(block, X)
    taps = channels(tags[0])[0]
    np.testing.assert_allclose(y[0], np.convolve(X, taps)[: len(X)], atol=1e-5)
    frequencies = np.linspace(-0.35, 0.35, 41)[:, None]
    answer = np.exp(-2j * np.pi * frequencies * np.arange(len(taps))) @ taps
    paths = np.exp(-2j * np.pi * frequencies * (LATENCY + delays))
    gains = np.linalg.lstsq(paths, answer, rcond=None)[0]
    assert np.abs(answer - paths @ gains).max() < 0.005 * np.abs(gains).max()


@pytest.mark.parametrize(
    "name, correlation_of", [("clarke", of_clarke), ("gaussian", of_gaussian)]
)
def test_paths_fade_on_their_own(name, correlation_of):
    """Impulses show each path's gain over time: its power and spectrum, and no other path."""
    doppler, num_frames, between, length = 1e-3, 1500, 32, 640
    powers, delays = np.array([2, 1]) / 3, [0, 5]
    block = reservoir.block_fading_cc(
        powers,
        path_delays=delays,
        frame_len=length,
        doppler=doppler,
        normalize=False,
        doppler_spectrum=name,
    )
    x = np.zeros(num_frames * length)
    x[::between] = 1
    y = run_block(block, x)[0][0]
    gains = np.array([y[LATENCY + delay :: between] for delay in delays])
    gains = np.append(gains, np.zeros((2, (-gains.shape[1]) % (length // between))), 1)
    gains = gains.reshape(2, num_frames, -1)
    bound = 4 / np.sqrt(num_frames)
    mean_power = (np.abs(gains) ** 2).mean((1, 2))
    assert np.all(np.abs(mean_power / powers - 1) < bound)
    turns = doppler * between * np.arange(gains.shape[2])
    for gain, power in zip(gains, powers):
        correlation = (gain * gain[:, :1].conj()).mean(0) / power
        assert np.abs(correlation - correlation_of(turns)).max() < bound
    assert np.abs((gains[0] * gains[1].conj()).mean(0)).max() < bound


def test_signal_tags_and_frames_come_late_together():
    starts = [3, 4, 515, 1024, 2985]
    block = reservoir.block_fading_cc([1.0, 1.0], path_delays=[0, 2])
    y, tags = run_block(block, X, [make_tag(n) for n in starts + [2999]])
    assert offsets(tags[0], "frame_start") == [n + LATENCY for n in starts]
    taps = channels(tags[0])
    assert sorted(taps) == [0] + [n + LATENCY for n in starts]
    edges = sorted(taps) + [len(X)]
    for first, end in zip(edges, edges[1:]):
        h = taps[first]
        assert np.all(np.flatnonzero(np.abs(h) > 1e-6) == [LATENCY, LATENCY + 2])
        expected = np.convolve(X, h)[first:end]
        np.testing.assert_allclose(y[0, first:end], expected, atol=1e-5)
    block = reservoir.block_fading_cc([1.0], path_delays=[0.0], frame_len=700)
    _, tags = run_block(block, X)
    assert sorted(channels(tags[0])) == [0] + [
        n + LATENCY for n in (700, 1400, 2100, 2800)
    ]


def test_a_channel_with_paths_keeps_them():
    block = reservoir.block_fading_cc([1.0, 1.0], path_delays=[0, 2])
    block.set_power_delay_profile([0.0, 3.0])
    y, _ = run_block(block, X)
    np.testing.assert_allclose(
        np.abs(y[0, LATENCY + 2 :]), np.abs(X[: -LATENCY - 2]), atol=1e-5
    )
    with pytest.raises(
        ValueError, match="power_delay_profile length = 3: must be the number of"
    ):
        block.set_power_delay_profile(np.ones(3))
    with pytest.raises(
        ValueError, match="taps length = 1: must be 0 where path_delays"
    ):
        block.set_taps([1])


@pytest.mark.parametrize("frequency", [0.1, -0.5, 1e-4])
def test_frequency_offset(frequency):
    y, _ = run_block(reservoir.block_fading_cc(taps=[1], frequency_offset=frequency), X)
    expected = X * np.exp(2j * np.pi * frequency * np.arange(len(X)))
    np.testing.assert_allclose(y[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    "arguments",
    [
        {"taps": [1, 0.5j, 0.1]},
        {"power_delay_profile": PROFILE},
        {"power_delay_profile": PROFILE, "doppler": 0.003},
        {"power_delay_profile": PROFILE, "frame_len": 333, "doppler": 0.003},
        {"power_delay_profile": PROFILE, "frequency_offset": 0.0123},
        {"power_delay_profile": PROFILE, "path_delays": [0, 0.3, 7.7, 20]},
        {
            "power_delay_profile": PROFILE,
            "path_delays": [0, 0.3, 7.7, 20],
            "frame_len": 333,
            "doppler": 0.003,
        },
    ],
)
def test_chunks_change_no_bit(arguments):
    tags = [make_tag(n) for n in (0, 5, 777, 2222)]
    runs = [
        run_block(reservoir.block_fading_cc(**arguments), X, tags, chunk)
        for chunk in CHUNKS
    ]
    first = {n: h.tobytes() for n, h in channels(runs[0][1][0]).items()}
    for output, out_tags in runs:
        assert np.array_equal(output, runs[0][0])
        assert {n: h.tobytes() for n, h in channels(out_tags[0]).items()} == first


def test_seeds():
    a, b, c = (
        run_block(reservoir.block_fading_cc(PROFILE, seed=seed), X)[0]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_bad_samples_count_as_zero():
    x = X.copy()
    x[[0, 1000]] = 0
    expected, _ = run_block(reservoir.block_fading_cc(taps=[1, 1j, 2]), x)
    x[[0, 1000]] = np.nan, np.inf
    y, _ = run_block(reservoir.block_fading_cc(taps=[1, 1j, 2]), x)
    assert np.array_equal(y, expected)


def test_equal_tags_of_two_inputs_pass_once():
    x = gaussian(RNG, (2, 100))
    tags = [
        [make_tag(10), make_tag(20, "a", pmt.from_long(1))],
        [make_tag(10), make_tag(20, "a", pmt.from_long(2)), make_tag(30, "b")],
    ]
    block = reservoir.block_fading_cc(PROFILE, num_tx=2, num_rx=2)
    _, out_tags = run_block(block, x, tags, num_outputs=2)
    for port_tags in out_tags:
        assert offsets(port_tags, "frame_start") == [10]
        assert offsets(port_tags, "a") == [20, 20]
        assert offsets(port_tags, "b") == [30]
    assert offsets(out_tags[0], "channel") == [0, 10]
    assert offsets(out_tags[1], "channel") == []


def test_setters():
    block = reservoir.block_fading_cc(taps=[1])
    block.set_taps([0, 0, 2])
    y, tags = run_block(block, X)
    np.testing.assert_array_equal(y[0, 2:], 2 * X[:-2])
    assert offsets(tags[0], "channel") == [0]
    block = reservoir.block_fading_cc(taps=[1])
    block.set_power_delay_profile(PROFILE)
    _, tags = run_block(block, X, [make_tag(50)])
    assert [len(h) for h in channels(tags[0]).values()] == [4, 4]
    for taps in ([], [[1, 2]], [np.nan], np.ones((2, 1, 3)), np.ones(1025)):
        with pytest.raises(ValueError, match="taps"):
            block.set_taps(taps)
    with pytest.raises(ValueError, match="power_delay_profile"):
        block.set_power_delay_profile([])
    with pytest.raises(ValueError, match="frequency_offset"):
        block.set_frequency_offset(0.6)


@pytest.mark.parametrize(
    "name, value",
    [
        ("power_delay_profile", []),
        ("power_delay_profile", [0.0, 0.0]),
        ("power_delay_profile", [1.0, -1.0]),
        ("power_delay_profile", [np.nan]),
        ("power_delay_profile", np.ones(1025)),
        ("taps", [1.0]),  # both
        ("num_tx", 0),
        ("num_tx", 17),
        ("num_tx", -1),
        ("num_rx", 0),
        ("num_rx", 17),
        ("frame_len", -1),
        ("doppler", -0.1),
        ("doppler_spectrum", "jakes"),
        ("doppler", 0.51),
        ("doppler", np.nan),
        ("path_delays", [0.0, 1.0]),
        ("path_delays", [0.0, 1.0, 2.0, -0.1]),
        ("path_delays", [0.0, 1.0, 2.0, 1001.0]),
        ("path_delays", [0.0, 1.0, 2.0, np.nan]),
        ("seed", -1),
        ("frequency_offset", 0.51),
        ("frequency_offset", np.nan),
    ],
)
def test_invalid_arguments(name, value):
    arguments = {"power_delay_profile": PROFILE, name: value}
    shown = value if np.isscalar(value) else None
    assert_rejects(reservoir.block_fading_cc, arguments, name, shown)


@pytest.mark.parametrize(
    "arguments",
    [
        {"taps": np.ones((1, 2, 3))},
        {"taps": np.ones((2, 1, 3)), "num_tx": 2},
        {"taps": np.ones((2, 3))},
        {"taps": [np.inf]},
        {"taps": ["a"]},
        {"taps": [1], "doppler": 0.1},
        {"taps": [1], "path_delays": [0.0]},
    ],
)
def test_invalid_taps(arguments):
    assert_rejects(reservoir.block_fading_cc, arguments, "taps", None)
