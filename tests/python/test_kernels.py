#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The physics of amplifier and fading called with arrays: the blocks' bits, and closed forms."""

import numpy as np
import pytest
from gnuradio import reservoir
from link_helpers import assert_rejects, gaussian, make_tag, run_block

RNG = np.random.default_rng(11)
X = gaussian(RNG, 3000)
PROFILE = [1.0, 0.5, 0.25, 0.1]
MODELS = ["rapp", "saleh", "memory_polynomial", "linear"]


def in_pieces(kernel, x, lengths):
    """What calls with so many samples each give, the rest in one."""
    ends = np.cumsum(lengths)
    return np.concatenate([kernel(piece) for piece in np.split(x, ends, -1)], -1)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("backoff_db", [-3, 0, 6])
def test_amplifier_is_the_block_bit_for_bit(model, backoff_db):
    arguments = dict(model=model, input_backoff_db=backoff_db, output_gain=1.3)
    block = reservoir.power_amplifier_cc(**arguments)
    y = reservoir.amplifier(**arguments)(X)
    assert y.dtype == np.complex64 and y.shape == X.shape
    assert np.array_equal(y, run_block(block, X)[0][0])
    assert np.array_equal(
        in_pieces(reservoir.amplifier(**arguments), X, [1, 7, 1500]), y
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("points", [[], [1, 1j, -1, -1j], [1, 2j, -3 + 1j]])
def test_amplifier_output_power_is_the_blocks(model, points):
    block, kernel = reservoir.power_amplifier_cc(model), reservoir.amplifier(model)
    assert kernel.mean_output_power(2.0, points) == block.mean_output_power(2.0, points)


@pytest.mark.parametrize("p", [0.5, 1, 2, 20])
@pytest.mark.parametrize("backoff_db", [0, 3])
def test_rapp_is_its_formula(p, backoff_db):
    # Rapp: F(u) = u/(1 + |u|^(2p))^(1/(2p))
    g = 10 ** (-backoff_db / 20)
    u = g * X.astype(complex)
    expected = u / (1 + np.abs(u) ** (2 * p)) ** (1 / (2 * p)) / g
    y = reservoir.amplifier("rapp", backoff_db, p)(X)
    np.testing.assert_allclose(y, expected, rtol=2e-7)


def test_saleh_is_its_formula():
    r = np.abs(X.astype(complex))
    phase = 4.0033 * r**2 / (1 + 9.1040 * r**2)
    expected = 2.1587 / (1 + 1.1517 * r**2) * np.exp(1j * phase) * X
    np.testing.assert_allclose(reservoir.amplifier("saleh", 0)(X), expected, rtol=3e-7)


def test_one_tap_of_an_odd_polynomial_is_its_formula():
    coefficients = [[1.0], [-0.1 - 0.05j]]
    expected = X * (1 + (-0.1 - 0.05j) * np.abs(X) ** 2)
    y = reservoir.amplifier("memory_polynomial", 0, coefficients=coefficients)(X)
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_amplifier_forgets():
    amplifier = reservoir.amplifier("memory_polynomial")
    first, second = amplifier(X), amplifier(X)
    assert not np.array_equal(first[:2], second[:2])  # the memory taps saw X's end
    assert np.array_equal(first[2:], second[2:])
    amplifier.forget()
    assert np.array_equal(amplifier(X), first)


def test_amplifier_takes_any_shape_and_sets_its_operating_point():
    amplifier = reservoir.amplifier()
    y = amplifier(X.reshape(3, -1))
    assert np.array_equal(y.ravel(), amplifier(X))
    amplifier.set_operating_point(6.0, 2.0)
    assert (amplifier.input_backoff_db(), amplifier.output_gain()) == (6.0, 2.0)
    assert amplifier.model() == "rapp"
    expected = reservoir.amplifier(input_backoff_db=6.0, output_gain=2.0)(X)
    assert np.array_equal(amplifier(X), expected)
    with pytest.raises(ValueError, match="input_backoff_db = 101"):
        amplifier.set_operating_point(101, 1.0)
    with pytest.raises(ValueError, match="output_gain = 0"):
        amplifier.set_operating_point(0.0, 0.0)
    assert np.array_equal(amplifier(X), expected)  # neither was taken


@pytest.mark.parametrize("doppler", [0, 0.001, 0.2])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("frequency_offset", [0, 0.0123])
@pytest.mark.parametrize("spectrum", ["clarke", "gaussian"])
def test_fading_is_the_block_bit_for_bit(
    doppler, normalize, frequency_offset, spectrum
):
    arguments = dict(
        power_delay_profile=PROFILE,
        frame_len=700,
        doppler=doppler,
        seed=4,
        normalize=normalize,
        frequency_offset=frequency_offset,
        doppler_spectrum=spectrum,
    )
    block = reservoir.block_fading_cc(**arguments)
    y = reservoir.fading(**arguments)(X)
    assert y.dtype == np.complex64 and y.shape == X.shape
    assert np.array_equal(y, run_block(block, X)[0][0])
    pieces = in_pieces(reservoir.fading(**arguments), X, [1, 63, 513, 700])
    assert np.array_equal(pieces, y)


def test_frames_that_are_begun_are_frames_at_tags():
    starts = [3, 600, 1700]
    block = reservoir.block_fading_cc(PROFILE, seed=9)
    expected, _ = run_block(block, X, [make_tag(n) for n in starts])
    fading = reservoir.fading(PROFILE, seed=9)
    assert fading.taps().shape == (0, 0, 0)
    pieces = []
    for piece in np.split(X, starts):
        fading.begin_frame()
        pieces.append(fading(piece))
    assert np.array_equal(np.concatenate(pieces), expected[0])
    assert np.array_equal(fading.taps(), block.taps())


def test_antennas_and_fixed_taps():
    x, h = gaussian(RNG, (3, 500)), gaussian(RNG, (2, 3, 5))
    y = reservoir.fading(taps=h, num_tx=3, num_rx=2)(x)
    block = reservoir.block_fading_cc(taps=h, num_tx=3, num_rx=2)
    assert np.array_equal(y, run_block(block, x, num_outputs=2)[0])
    expected = [
        sum(np.convolve(x[t], h[r, t])[:500] for t in range(3)) for r in range(2)
    ]
    np.testing.assert_allclose(y, expected, atol=1e-5)
    assert reservoir.fading(taps=[1])(x[:1]).shape == (1, 500)
    assert reservoir.fading(taps=h[:, :1], num_rx=2)(x[0]).shape == (2, 500)


@pytest.mark.parametrize("doppler", [0, 0.01])
def test_mean_powers_are_the_profile(doppler):
    fading = reservoir.fading(PROFILE, doppler=doppler, normalize=False)
    taps = []
    for _ in range(8000):
        fading.begin_frame()
        taps.append(fading.taps()[0, 0])
    power = np.abs(taps) ** 2
    bound = 4 * power.std(0) / np.sqrt(len(power))
    assert np.all(np.abs(power.mean(0) - np.array(PROFILE) / np.sum(PROFILE)) < bound)


def test_the_carrier_turns_by_its_frequency():
    fading = reservoir.fading(taps=[1], frequency_offset=0.01)
    n = np.arange(len(X))
    turned = X * np.exp(2j * np.pi * 0.01 * n)
    np.testing.assert_allclose(fading(X), turned, rtol=2e-7)
    fading.set_frequency_offset(-0.02)  # the phase goes on
    turned = X * np.exp(2j * np.pi * (0.01 * len(X) - 0.02 * n))
    np.testing.assert_allclose(fading(X), turned, rtol=2e-7)


def test_setters_of_fading():
    fading = reservoir.fading(PROFILE, frame_len=100)
    fading(X[:50])
    fading.set_taps([1])
    later = fading(X[50:150])
    assert np.array_equal(later[4:], X[54:150])
    fading.set_power_delay_profile([1, 1])
    fading(X[150:200])
    assert fading.taps().shape == (1, 1, 1)  # the frame goes on with the fixed tap
    fading(X[200:201])
    assert fading.taps().shape == (1, 1, 2)


@pytest.mark.parametrize("kernel", ["amplifier", "fading"])
def test_samples_that_are_not_finite_count_as_zero(kernel):
    make = {"amplifier": reservoir.amplifier, "fading": reservoir.fading}[kernel]
    first = "memory_polynomial" if kernel == "amplifier" else PROFILE
    bad, zero = X.copy(), X.copy()
    bad[[5, 700]] = np.nan, np.inf
    zero[[5, 700]] = 0
    assert np.array_equal(make(first)(bad), make(first)(zero))


@pytest.mark.parametrize(
    "name,value",
    [
        ("model", "tube"),
        ("input_backoff_db", -61),
        ("smoothness", 0),
        ("saleh", [1, 2, 3]),
        ("coefficients", []),
        ("output_gain", 0),
    ],
)
def test_amplifier_rejects(name, value):
    shown = None if isinstance(value, list) else value
    assert_rejects(reservoir.amplifier, {name: value}, name, shown)


@pytest.mark.parametrize(
    "name,value",
    [
        ("power_delay_profile", []),
        ("num_tx", 0),
        ("num_rx", 17),
        ("frame_len", -1),
        ("doppler", 0.6),
        ("seed", -1),
        ("frequency_offset", 0.51),
    ],
)
def test_fading_rejects(name, value):
    arguments = {"power_delay_profile": PROFILE, name: value}
    assert_rejects(reservoir.fading, arguments, name, None if value == [] else value)


def test_fading_rejects_other_shapes():
    with pytest.raises(ValueError, match="samples rows = 1: must be num_tx = 2"):
        reservoir.fading(PROFILE, num_tx=2)(X)
    with pytest.raises(ValueError, match="samples dimensions = 3"):
        reservoir.fading(PROFILE)(X.reshape(1, 1, -1))
