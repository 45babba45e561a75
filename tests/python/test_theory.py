#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The lemmas on learning poles, each against another way to compute the same thing."""

import itertools
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from gnuradio.reservoir import theory

ROUNDING = np.finfo(float).eps
POLES = np.array([0.8, 0.5j, -0.6 + 0.2j])
GAINS = np.array([1, -0.7, 0.8j])
CHANNEL = np.array([1, 0.6 + 0.3j, 0.4, -0.2j])

seeds = st.integers(0, 2**32 - 1)
orders = st.integers(1, 5)
in_circle = st.builds(
    lambda radius, angle: radius * np.exp(1j * angle),
    st.floats(0, 0.97),
    st.floats(-np.pi, np.pi),
)


def for_any(*strategies):
    """Hypothesis with the same examples each run, and without its clock."""
    return lambda test: settings(max_examples=50, deadline=None, derandomize=True)(
        given(*strategies)(test)
    )


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / math.sqrt(2)


def random_network(rng, order, radius=0.95):
    angles = rng.uniform(-np.pi, np.pi, order)
    poles = radius * np.sqrt(rng.uniform(size=order)) * np.exp(1j * angles)
    return poles, complex_normal(rng, order)


def separate_network(rng, order):
    """Poles in sectors of their own and gains of modulus 1: well conditioned."""
    angles = (np.arange(order) + rng.uniform(-0.2, 0.2, order)) / order
    poles = rng.uniform(0.7, 0.95, order) * np.exp(2j * np.pi * angles)
    return poles, np.exp(2j * np.pi * rng.uniform(size=order))


def largest_error(found, reference):
    poles, gains = found
    matched = theory.match_poles(poles, reference[0])
    return (
        np.abs(poles[matched] - reference[0]).max(),
        np.abs(gains[matched] - reference[1]).max(),
    )


def output(x, poles, gains):
    return np.convolve(x, theory.impulse_response(poles, gains, len(x)))[: len(x)]


def numerical_hessian(function, where, step):
    """Central second differences of a function of a real vector."""
    size = len(where)
    hessian = np.zeros((size, size))
    for i, j in itertools.product(range(size), repeat=2):
        for s, t in itertools.product((1, -1), repeat=2):
            shift = np.zeros(size)
            shift[i] += s * step
            shift[j] += t * step
            hessian[i, j] += s * t * function(where + shift)
    return hessian / (4 * step**2)


# --- the network ---


def test_network_is_its_recursion():
    state = np.zeros(3, complex)
    recursion = []
    for x in [1, *[0] * 11]:
        state = POLES * state + x
        recursion.append(GAINS @ state)
    np.testing.assert_allclose(
        theory.impulse_response(POLES, GAINS, 12), recursion, atol=1e-14
    )


def test_a_pole_at_zero_is_a_direct_path():
    assert theory.impulse_response([0], [2], 3).tolist() == [2, 0, 0]
    assert theory.sample_jacobian([0], [2], 3).tolist() == [[0, 1], [2, 0], [0, 0]]


@pytest.mark.parametrize("column", range(6))
def test_jacobian_is_the_derivative(column):
    step = np.zeros(6, complex)
    step[column] = 1e-6 * (1 + 2j)  # holomorphic: in any direction
    high, low = (
        theory.impulse_response(*np.split(np.append(POLES, GAINS) + s * step, 2), 12)
        for s in (1, -1)
    )
    np.testing.assert_allclose(
        theory.sample_jacobian(POLES, GAINS, 12)[:, column],
        (high - low) / (2 * step[column]),
        atol=1e-9,
    )


@for_any(seeds, orders)
def test_matching_undoes_a_renumbering(seed, order):
    rng = np.random.default_rng(seed)
    poles, _ = separate_network(rng, order)
    shuffled = rng.permutation(poles) + 1e-3 * complex_normal(rng, order)
    matched = shuffled[theory.match_poles(shuffled, poles)]
    assert np.abs(matched - poles).max() < 0.01


# --- recovery by algebra ---


@pytest.mark.parametrize("seed", range(20))
def test_five_random_poles_from_ten_samples(seed):
    network = random_network(np.random.default_rng(seed), 5, radius=1)
    h = theory.impulse_response(*network, 10)
    error, _ = largest_error(theory.recover_poles(h, 5), network)
    assert error < 1e-8
    expected = ROUNDING * theory.recovery_condition_number(*network, 10)
    assert error < 10 * expected + 1e-14


@pytest.mark.parametrize("seed", range(10))
def test_eight_poles_on_a_circle_from_sixteen_samples(seed):
    rng = np.random.default_rng(seed)
    poles = 0.9 * np.exp(2j * np.pi * (np.arange(8) + rng.uniform()) / 8)
    network = poles, complex_normal(rng, 8)
    h = theory.impulse_response(*network, 16)
    assert max(largest_error(theory.recover_poles(h, 8), network)) < 1e-10
    assert theory.recovery_condition_number(*network, 16) < 1e4


@for_any(seeds, orders, st.integers(0, 20))
def test_more_samples_give_the_same_network(seed, order, more):
    network = separate_network(np.random.default_rng(seed), order)
    h = theory.impulse_response(*network, 2 * order + more)
    assert max(largest_error(theory.recover_poles(h, order), network)) < 1e-9


@for_any(seeds, orders)
def test_condition_number_is_reached_by_the_worst_error_of_the_samples(seed, order):
    network = separate_network(np.random.default_rng(seed), order)
    num_samples = 2 * order
    h = theory.impulse_response(*network, num_samples)
    inverse = linalg.inv(theory.sample_jacobian(*network, num_samples))[:order]
    worst = linalg.svd(inverse)[2][0].conj()
    number = theory.recovery_condition_number(*network, num_samples)
    size = 1e-5 * linalg.norm(h) / max(number, 1)
    found, _ = theory.recover_poles(h + size * worst, order)
    moved = linalg.norm(found[theory.match_poles(found, network[0])] - network[0])
    relative = (moved / linalg.norm(network[0])) / (size / linalg.norm(h))
    assert relative == pytest.approx(number, rel=1e-2)


def test_recovery_of_near_poles_is_badly_conditioned():
    numbers = [
        theory.recovery_condition_number([0.5, 0.5 + d], [1, 1], 4)
        for d in (1e-1, 1e-2, 1e-3)
    ]
    assert numbers[1] > 50 * numbers[0]
    assert numbers[2] == pytest.approx(100 * numbers[1], rel=0.1)  # as 1/d**2


@pytest.mark.parametrize("num_samples", [6, 7, 12, 64, 400])
def test_any_input_and_output_give_the_network(num_samples):
    network = separate_network(np.random.default_rng(7), 3)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x = 1j ** rng.integers(0, 4, num_samples)  # a small x[0] would cost accuracy
        found = theory.recover_poles_from_io(x, output(x, *network), 3)
        assert max(largest_error(found, network)) < 1e-9


@for_any(seeds, st.integers(1, 12))
def test_toeplitz_inverse_is_the_impulse_response(seed, num_samples):
    rng = np.random.default_rng(seed)
    network = random_network(rng, 3)
    x = np.append(4, complex_normal(rng, num_samples - 1))
    np.testing.assert_allclose(
        theory.impulse_response_from_io(x, output(x, *network)),
        theory.impulse_response(*network, num_samples),
        atol=1e-7,
    )


def test_all_of_a_noisy_output_is_used():
    errors = []
    for num_samples in (32, 512):
        squares = []
        for seed in range(20):
            rng = np.random.default_rng(seed)
            x = complex_normal(rng, num_samples)
            y = output(x, POLES, GAINS) + 0.03 * complex_normal(rng, num_samples)
            found = theory.recover_poles_from_io(x, y, 3)
            squares.append(largest_error(found, (POLES, GAINS))[0] ** 2)
        errors.append(np.sqrt(np.mean(squares)))
    assert errors[1] < 0.4 * errors[0]  # 1/4, as the square root of the samples' ratio
    assert errors[1] < 0.01


# --- with noise ---

NOISY = np.array([0.95 * np.exp(0.4j), 0.9 * np.exp(-1j), 0.85 * np.exp(2.2j)])
NOISY_GAINS = np.array([1, 0.8j, -1.2])
NUM_NOISY = 48


def noisy_samples(snr_db, trials, seed=1):
    h = theory.impulse_response(NOISY, NOISY_GAINS, NUM_NOISY)
    variance = np.mean(np.abs(h) ** 2) * 10 ** (-snr_db / 10)
    noise = complex_normal(np.random.default_rng(seed), trials, NUM_NOISY)
    return h + math.sqrt(variance) * noise, variance


def test_recovery_reaches_the_cramer_rao_bound():
    received, variance = noisy_samples(20, 300)
    pencil, refined = [], []
    for h in received:
        first = theory.recover_poles(h, 3)
        for network, squares in (
            (first, pencil),
            (theory.refine_poles(h, *first), refined),
        ):
            matched = theory.match_poles(network[0], NOISY)
            difference = [
                found[matched] - true
                for found, true in zip(network, (NOISY, NOISY_GAINS))
            ]
            squares.append(np.abs(difference).ravel() ** 2)
    bound = np.concatenate(
        theory.cramer_rao_bound(NOISY, NOISY_GAINS, variance, NUM_NOISY)
    )
    # the mean of 300 squares of a complex normal number is within 4/sqrt(300) = 23 %
    ratios = np.mean(refined, axis=0) / bound
    assert np.all((0.77 < ratios) & (ratios < 1.23))
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)
    assert np.mean(np.mean(pencil, axis=0)[:3] / bound[:3]) < 1.35
    assert np.mean(pencil) >= np.mean(refined)


def test_cramer_rao_bound_of_one_pole_is_the_inverse_information():
    pole, gain, variance = 0.7 * np.exp(1j), 1.5 - 0.5j, 0.02
    n = np.arange(20)
    columns = np.stack([gain * n * pole ** (n - 1.0), pole**n])
    # Kay 1993, section 15.7, by the four real parameters
    real = np.concatenate([columns, 1j * columns])
    information = 2 / variance * (real.conj() @ real.T).real
    variances = np.diag(linalg.inv(information))
    by_poles, by_gains = theory.cramer_rao_bound([pole], [gain], variance, 20)
    assert by_poles[0] == pytest.approx(variances[0] + variances[2], rel=1e-9)
    assert by_gains[0] == pytest.approx(variances[1] + variances[3], rel=1e-9)


@pytest.mark.parametrize("snr_db", [15, 30, 60])
def test_rank_is_chosen(snr_db):
    received, _ = noisy_samples(snr_db, 60)
    orders_found = [theory.estimate_order(h) for h in received]
    assert np.mean(np.equal(orders_found, 3)) >= 0.9
    for automatic in (0, None):
        poles, gains = theory.recover_poles(received[0], automatic)
        assert len(poles) == len(gains) == orders_found[0]


def test_noise_alone_has_no_poles():
    noise = complex_normal(np.random.default_rng(3), 60, 48)
    assert np.mean([theory.estimate_order(h) == 0 for h in noise]) >= 0.9
    assert theory.estimate_order(np.zeros(12)) == 0
    assert [len(part) for part in theory.recover_poles(np.zeros(12))] == [0, 0]


@for_any(seeds, st.integers(1, 6))
def test_rank_without_noise_is_the_order(seed, order):
    network = separate_network(np.random.default_rng(seed), order)
    assert theory.estimate_order(theory.impulse_response(*network, 40)) == order


@for_any(seeds)
def test_refining_never_fits_worse(seed):
    rng = np.random.default_rng(seed)
    h = complex_normal(rng, 16)  # nothing that two poles explain
    start = random_network(rng, 2)
    refined = theory.refine_poles(h, *start, max_steps=5)
    before, after = (
        linalg.norm(h - theory.impulse_response(*network, 16))
        for network in (start, refined)
    )
    assert after <= before


# --- what 2K-1 samples leave open ---


@for_any(seeds, orders)
def test_counter_example_agrees_but_for_sample_2k(seed, order):
    poles, _ = separate_network(np.random.default_rng(seed), 2 * order)
    one, other = theory.counter_example(poles)
    difference = theory.impulse_response(*one, 2 * order) - theory.impulse_response(
        *other, 2 * order
    )
    scale = max(1, np.abs(one[1]).max())
    assert np.abs(difference[:-1]).max(initial=0) < 1e-12 * scale
    assert difference[-1] == pytest.approx(1, abs=1e-9)
    assert not set(one[0]) & set(other[0])


@for_any(seeds, orders)
def test_no_network_is_determined_by_2k_minus_1_samples(seed, order):
    poles, gains = separate_network(np.random.default_rng(seed), order)
    change = 1e-4j
    others = theory.indistinguishable_network(poles, gains, change)
    difference = theory.impulse_response(*others, 2 * order) - theory.impulse_response(
        poles, gains, 2 * order
    )
    assert np.abs(difference[:-1]).max() < 1e-10
    assert difference[-1] == pytest.approx(change, abs=1e-9)
    # to first order, pole k moves by change * w[k]**2 / gains[k]
    moved = others[0][theory.match_poles(others[0], poles)] - poles
    for k, pole in enumerate(poles):
        weight = 1 / np.prod(pole - np.delete(poles, k))
        assert moved[k] == pytest.approx(change * weight**2 / gains[k], rel=0.05)


# --- the objectives and their permutations ---


@for_any(seeds, orders, orders)
def test_dtft_error_is_the_time_domain_error(seed, order, target_order):
    rng = np.random.default_rng(seed)
    network, target = random_network(rng, order), random_network(rng, target_order)
    frequencies = np.exp(-2j * np.pi * np.arange(2048) / 2048)
    responses = [
        sum(c / (1 - p * frequencies) for p, c in zip(*each))
        for each in (network, target)
    ]
    residues = theory.dtft_error(*network, *target)
    assert residues == pytest.approx(
        np.mean(np.abs(responses[0] - responses[1]) ** 2), rel=1e-9
    )
    assert residues == pytest.approx(
        theory.time_domain_error(*network, *target, 1000), rel=1e-9
    )
    assert residues == theory.time_domain_error(*network, *target)


def equalization_error_by_residues(poles, gains, channel, noise_variance, delay):
    """1 - 2 Re <x, y> + E|y|^2, from the received signal's autocorrelation."""
    size = len(channel)
    correlation = np.convolve(
        channel, channel[::-1].conj()
    )  # E r[n+t] r*[n], t = 1-L...
    correlation[size - 1] += noise_variance
    response = theory.impulse_response(poles, gains, delay + 1)
    cross = sum(
        channel[lag] * response[delay - lag] for lag in range(min(size, delay + 1))
    )
    power = 0
    for p, c in zip(poles, gains):
        for q, d in zip(poles, gains):
            total = sum(
                correlation[size - 1 + t]
                * (q.conjugate() ** t if t >= 0 else p ** (-t))
                for t in range(1 - size, size)
            )
            power += c * d.conjugate() * total / (1 - p * q.conjugate())
    return (1 - 2 * cross + power).real


@for_any(seeds, orders, st.integers(0, 6), st.floats(0, 2))
def test_equalization_error_is_the_sum_of_residues(seed, order, delay, variance):
    rng = np.random.default_rng(seed)
    network = random_network(rng, order, 0.9)
    channel = complex_normal(rng, rng.integers(1, 6))
    expected = equalization_error_by_residues(*network, channel, variance, delay)
    assert theory.equalization_error(
        *network, channel, variance, delay
    ) == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_equalization_error_is_that_of_a_long_signal():
    rng = np.random.default_rng(5)
    x = (rng.choice([-1, 1], 20000) + 1j * rng.choice([-1, 1], 20000)) / math.sqrt(2)
    received = np.convolve(x, CHANNEL)[: len(x)]
    received += math.sqrt(0.1) * complex_normal(rng, len(x))
    y = np.convolve(received, theory.impulse_response(POLES, 0.3 * GAINS, 200))
    measured = np.mean(np.abs(x[: len(x) - 2] - y[2 : len(x)]) ** 2)
    expected = theory.equalization_error(POLES, 0.3 * GAINS, CHANNEL, 0.1, delay=2)
    assert measured == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("delay", [0, 1, 2])
@pytest.mark.parametrize("noise_variance", [0.3, 0.003])
@pytest.mark.parametrize("channel", [CHANNEL, CHANNEL[::-1], [0.5, 0.8, 0.1, 0.6]])
def test_optimal_equalizer_is_as_good_as_any_causal_filter(
    channel, noise_variance, delay
):
    num_taps = 300
    rows = linalg.toeplitz(
        np.append(channel[0], np.zeros(num_taps - 1)),
        np.append(channel, np.zeros(num_taps - 1)),
    )
    covariance = rows @ rows.conj().T + noise_variance * np.eye(num_taps)
    wanted = rows[:, delay]
    least = 1 - (wanted.conj() @ linalg.solve(covariance, wanted)).real
    equalizer = theory.optimal_equalizer(channel, noise_variance, delay)
    assert theory.equalization_error(
        *equalizer, channel, noise_variance, delay
    ) == pytest.approx(least, rel=1e-6)


def test_min_phase_channel_is_inverted():
    poles, gains = theory.optimal_equalizer([1, 0.5, -0.24], 0)
    assert sorted(poles.real) == pytest.approx([-0.8, 0.3])  # the channel's zeros
    assert theory.equalization_error(poles, gains, [1, 0.5, -0.24], 0) < 1e-12


permutations = st.permutations(range(3)).filter(lambda order: order != [0, 1, 2])


@for_any(seeds, permutations, st.integers(6, 40))
def test_no_objective_is_convex_over_a_renumbering(seed, permutation, num_samples):
    rng = np.random.default_rng(seed)
    network = separate_network(rng, 3)
    start, renumbered, middle = theory.permutation_gap(
        *network, permutation, num_samples
    )
    assert start == 0
    assert renumbered < 1e-25
    assert middle > 1e-3
    start, renumbered, middle = theory.dtft_permutation_gap(*network, permutation)
    assert start == renumbered == 0
    assert middle > 1e-3
    assert middle == theory.permutation_gap(*network, permutation)[2]

    # at a random equalizer the middle may be lower: it is the optimum that counts
    equalizer = theory.optimal_equalizer(CHANNEL, 0.01, delay=1)
    start, renumbered, middle = theory.equalization_permutation_gap(
        *equalizer, permutation, CHANNEL, 0.01, delay=1
    )
    assert renumbered == pytest.approx(start, rel=1e-9)
    assert middle > start + 1e-3


def test_the_identity_has_no_gap():
    assert theory.permutation_gap(POLES, GAINS, [0, 1, 2], 12) == (0, 0, 0)
    assert theory.dtft_permutation_gap(POLES, GAINS, [0, 1, 2]) == (0, 0, 0)


def test_the_line_leads_from_the_network_to_its_renumbering():
    cycle = [1, 2, 0]
    for fraction, expected in (
        (0, POLES),
        (1, POLES[cycle]),
        (0.25, 0.75 * POLES + 0.25 * POLES[cycle]),
    ):
        poles, _ = theory.permuted_network(POLES, GAINS, cycle, fraction)
        np.testing.assert_allclose(poles, expected)


# --- curvature ---

KAPPAS = [(0.5, 0.3, "22.91"), (0.5, 0.45, "285.7"), (0.5, 0.501, "6.69e+05")]


@pytest.mark.parametrize("p1, p2, printed", KAPPAS)
def test_condition_number_of_two_poles(p1, p2, printed):
    kappa = theory.two_pole_condition_number(p1, p2)
    assert f"{kappa:.{3 if 'e' in printed else 4}g}" == printed
    assert theory.condition_number(theory.two_pole_hessian(p1, p2)) == pytest.approx(
        kappa, rel=1e-8
    )
    numerical = numerical_hessian(
        lambda poles: theory.time_domain_error(poles, [1, 1], [p1, p2], [1, 1], 100),
        np.array([p1, p2]),
        1e-5,
    )
    np.testing.assert_allclose(theory.two_pole_hessian(p1, p2), numerical, rtol=1e-5)
    assert theory.condition_number(numerical) == pytest.approx(kappa, rel=1e-3)


@for_any(in_circle, in_circle)
def test_two_pole_condition_number_is_that_of_the_hessian(p1, p2):
    hessian = theory.two_pole_hessian(p1, p2)
    np.testing.assert_allclose(hessian, hessian.conj().T)
    eigenvalues = linalg.eigvalsh(hessian)
    kappa = theory.two_pole_condition_number(p1, p2)
    if kappa < 1e10:
        ratio = eigenvalues[1] / eigenvalues[0]
        assert kappa == pytest.approx(ratio, rel=1e-14 * kappa + 1e-9)


@for_any(in_circle, st.floats(-np.pi, np.pi), st.sampled_from([1e-5, 1e-7]))
def test_near_poles_are_badly_conditioned_anywhere(pole, direction, distance):
    other = pole + distance * np.exp(1j * direction)
    kappa = theory.two_pole_condition_number(pole, other)
    limit = theory.two_pole_condition_limit(pole)
    # the distance that was stored, not the one that was meant
    assert kappa * abs(other - pole) ** 2 == pytest.approx(limit, rel=1e-2)
    assert kappa > 1e6


@for_any(in_circle, in_circle)
def test_complex_poles_have_each_eigenvalue_twice_in_real_parameters(p1, p2):
    by_parts = theory.pole_gain_hessian([p1, p2], [1, 1])[:4, :4]
    eigenvalues = linalg.eigvalsh(by_parts)
    np.testing.assert_allclose(
        eigenvalues,
        np.repeat(linalg.eigvalsh(theory.two_pole_hessian(p1, p2)), 2),
        atol=1e-13 * eigenvalues[-1],
    )


def test_equal_poles_have_no_curvature_between_them():
    for pole in (0.5, 0.3 + 0.4j, -0.9):
        assert theory.two_pole_condition_number(pole, pole) == math.inf
    assert theory.condition_number(theory.two_pole_hessian(0.5, 0.5)) == math.inf


@pytest.mark.parametrize("least", [1e-17, 0, -0.5])
def test_a_minimum_without_curvature_has_no_condition_number(least):
    assert theory.condition_number(np.diag([1, least])) == math.inf


def test_pole_gain_hessian_is_the_numerical_one():
    parameters = np.concatenate([POLES.real, POLES.imag, GAINS.real, GAINS.imag])

    def loss(values):
        re_p, im_p, re_c, im_c = np.split(values, 4)
        return theory.time_domain_error(
            re_p + 1j * im_p, re_c + 1j * im_c, POLES, GAINS, 200
        )

    np.testing.assert_allclose(
        theory.pole_gain_hessian(POLES, GAINS),
        numerical_hessian(loss, parameters, 1e-5),
        atol=1e-5,
    )


@for_any(seeds, orders)
def test_pole_gain_hessian_is_the_gram_matrix_of_the_jacobian(seed, order):
    network = random_network(np.random.default_rng(seed), order, 0.9)
    jacobian = theory.sample_jacobian(*network, 600)
    hessian = theory.pole_gain_hessian(*network)
    np.testing.assert_array_equal(hessian, hessian.T)
    np.testing.assert_allclose(
        linalg.eigvalsh(hessian),
        np.sort(np.repeat(2 * linalg.svdvals(jacobian) ** 2, 2)),
        atol=1e-13 * hessian.trace(),
    )


@for_any(seeds, st.integers(1, 3))
def test_condition_number_of_all_parameters(seed, order):
    network = random_network(np.random.default_rng(seed), order, 0.9)
    kappa = theory.pole_gain_condition_number(*network)
    singular = linalg.svdvals(theory.sample_jacobian(*network, 600))
    if kappa < 1e24:
        ratio = (singular[0] / singular[-1]) ** 2
        assert kappa == pytest.approx(ratio, rel=1e-13 * math.sqrt(kappa) + 1e-9)


def test_condition_number_grows_as_the_sixth_power_beyond_rounding():
    near, nearer = (
        theory.pole_gain_condition_number([0.5, 0.5 + d], [1, 1]) for d in (1e-3, 1e-4)
    )
    assert near > 1e18  # eigenvalues in double precision end at 1e16
    assert nearer / near == pytest.approx(1e6, rel=0.05)


def test_two_poles_are_the_corner_of_all_parameters():
    hessian = theory.pole_gain_hessian([0.5, 0.3], [1, 1])
    np.testing.assert_allclose(
        hessian[:2, :2], theory.two_pole_hessian(0.5, 0.3), rtol=1e-12
    )
    assert theory.restricted_condition_number(hessian, [0, 1]) == pytest.approx(
        theory.two_pole_condition_number(0.5, 0.3)
    )


@for_any(seeds, st.integers(2, 4), st.data())
def test_no_restriction_is_worse_than_the_whole(seed, order, data):
    network = random_network(np.random.default_rng(seed), order, 0.9)
    whole = theory.pole_gain_condition_number(*network)
    parameters = st.integers(0, 4 * order - 1)
    indices = data.draw(st.lists(parameters, min_size=1, unique=True))
    hessian = theory.pole_gain_hessian(*network)
    part = theory.restricted_condition_number(hessian, indices)
    rounding = 4 * order * np.finfo(float).eps * whole  # of part's least eigenvalue
    assert part <= whole * (1 + 1e-9 + 4 * rounding) or rounding > 0.01
    everything = theory.restricted_condition_number(hessian, range(4 * order))
    assert everything == theory.condition_number(hessian)


# --- the gradient, and modulus and angle ---


@pytest.mark.parametrize("pole", [0.3, 0.9j, -0.6 + 0.5j])
def test_gradient_norm_of_a_pole(pole):
    n = np.arange(2000)
    powers = np.append(0, n[1:] * np.abs(pole) ** (n[1:] - 1.0))
    for count in (1, 2, 7, 2000):
        norm = theory.pole_gradient_norm(pole, count)
        assert norm == pytest.approx(np.linalg.norm(powers[:count]), abs=1e-12)
    limit = theory.pole_gradient_norm(pole)
    assert limit == pytest.approx(theory.pole_gradient_norm(pole, 2000), rel=1e-9)
    square = 1 - abs(pole) ** 2
    assert 1 <= limit <= math.sqrt(2 / square**3)


def test_beyond_the_unit_circle_the_gradient_grows_with_the_samples():
    few, many = (theory.pole_gradient_norm(1.2, count) for count in (100, 150))
    assert math.log(many / few) == pytest.approx(50 * math.log(1.2), rel=0.1)


def test_polar_condition_number_of_one_pole_and_its_bounds():
    # of the pole alone: the gain held
    jacobian = theory.sample_jacobian([0.4j], [1], 400)[:, :1]
    polar = np.hstack([jacobian * 1j, jacobian * 1j * 0.4j])
    singular = np.linalg.svd(np.vstack([polar.real, polar.imag]), compute_uv=False)
    assert (singular[0] / singular[1]) ** 2 == pytest.approx(1 / 0.4**2)
    rng = np.random.default_rng(101)
    for _ in range(20):
        poles = rng.uniform(0.2, 0.9, 3) * np.exp(2j * np.pi * rng.random(3))
        gains = rng.standard_normal(3) + 1j * rng.standard_normal(3)
        ratio = theory.polar_condition_number(poles, gains)
        ratio /= theory.pole_gain_condition_number(poles, gains)
        least = np.min(np.abs(poles)) ** 2
        assert least * (1 - 1e-6) <= ratio <= (1 + 1e-6) / least


def test_polar_condition_number_is_that_of_the_numerical_jacobian():
    poles, gains = np.array([0.5, -0.3 + 0.4j]), np.array([1, 0.7 - 0.2j])
    point = np.concatenate([np.abs(poles), np.angle(poles), gains.real, gains.imag])

    def response(values):
        modulus, angle, real, imaginary = np.split(values, 4)
        h = theory.impulse_response(
            modulus * np.exp(1j * angle), real + 1j * imaginary, 200
        )
        return np.concatenate([h.real, h.imag])

    jacobian = np.stack(
        [
            (response(point + step) - response(point - step)) / 2e-6
            for step in 1e-6 * np.eye(8)
        ],
        axis=1,
    )
    assert theory.polar_condition_number(poles, gains) == pytest.approx(
        np.linalg.cond(jacobian) ** 2, rel=1e-5
    )


# --- gradient descent ---


@for_any(seeds, orders)
def test_gradient_is_the_numerical_one(seed, order):
    rng = np.random.default_rng(seed)
    poles, gains = random_network(rng, order, 0.9)
    target = random_network(rng, 2, 0.9)
    gradient = theory.pole_gradient(poles, gains, *target)
    direction = complex_normal(rng, order)
    high, low = (
        theory.dtft_error(poles + step * direction, gains, *target)
        for step in (1e-6, -1e-6)
    )
    slope = np.vdot(gradient, direction).real
    scale = linalg.norm(gradient) * linalg.norm(direction)
    assert (high - low) / 2e-6 == pytest.approx(slope, abs=1e-5 * scale + 1e-6)


def test_gradient_descent_takes_as_long_as_the_condition_number_says():
    steps = {}
    for second in (0.4, 0.5):
        target = np.array([0.6, second])
        largest = linalg.eigvalsh(theory.two_pole_hessian(*target))[-1]
        path = theory.gradient_descent([0.7, 0.2], target, [1, 1], 1 / largest, 3000)
        distance = linalg.norm(path.real - target, axis=1)
        assert np.all(path.imag == 0)
        # the last decades are linear: the slowest direction shrinks by 1 - 1/kappa
        within = [np.argmax(distance < limit) for limit in (1e-6, 1e-8)]
        kappa = theory.two_pole_condition_number(*target)
        decay = math.log(100) / -math.log1p(-1 / kappa)
        assert within[1] - within[0] == pytest.approx(decay, rel=0.02)
        steps[second] = within[1]
    assert steps[0.5] > 2 * steps[0.4]


def test_gradient_descent_from_the_diagonal_stays_there():
    path = theory.gradient_descent([0.1, 0.1], [0.6, 0.4], [1, 1], 0.1, 500)
    assert np.all(path[:, 0] == path[:, 1])
    gradient = theory.pole_gradient(path[-1], [1, 1], [0.6, 0.4], [1, 1])
    assert linalg.norm(gradient) < 1e-9  # a stationary point
    assert (
        theory.dtft_error(path[-1], [1, 1], [0.6, 0.4], [1, 1]) > 1e-4
    )  # not a solution


def test_gradient_descent_keeps_its_poles_inside():
    path = theory.gradient_descent([0.9, -0.2], [0.95, 0.3], [1, 1], 1.0, 20, 0.97)
    assert np.abs(path).max() == pytest.approx(0.97)


def test_loss_surface_has_its_two_minima_at_the_two_numberings():
    grid = np.array([0.2, 0.3, 0.6])
    surface = theory.loss_surface([0.6, 0.3], [1, 1], grid, grid)
    np.testing.assert_allclose(surface, surface.T, atol=1e-14)
    assert np.argwhere(surface == 0).tolist() == [[1, 2], [2, 1]]
    # different gains: one minimum, and rows are the second pole
    surface = theory.loss_surface([0.6, 0.3], [1, 2], grid, grid)
    assert np.argwhere(surface == 0).tolist() == [[1, 2]]


# --- wrong arguments ---

WRONG = [
    (theory.impulse_response, ([0.5], [1, 2], 4), "gains"),
    (theory.impulse_response, ([[0.5]], [1], 4), "poles"),
    (theory.impulse_response, ([], [], 4), "poles"),
    (theory.impulse_response, ([np.nan], [1], 4), "poles"),
    (theory.impulse_response, ([0.5], [np.inf], 4), "gains"),
    (theory.impulse_response, ([0.5], [1], 0), "num_samples"),
    (theory.impulse_response, ([0.5], [1], math.inf), "num_samples = inf"),
    (theory.impulse_response, ([0.5], [1], "5"), "num_samples = '5'"),
    (theory.sample_jacobian, ([0.5], [1], 2.5), "num_samples"),
    (theory.sample_jacobian, ([0.5], [1], math.inf), "num_samples = inf"),
    (theory.match_poles, ([0.5, 0.4], [0.5]), "reference"),
    (theory.recover_poles, (np.ones(9), 5), "h"),
    (theory.recover_poles, (np.ones(9), -1), "order"),
    (theory.recover_poles, (np.ones(9), math.inf), "order = inf"),
    (theory.recover_poles, ([1, 2, np.nan, 4], 1), "h"),
    (theory.estimate_order, (np.ones(2),), "h"),
    (theory.estimate_order, (np.ones(12), 5), "max_order"),
    (theory.impulse_response_from_io, ([0, 1], [1, 1]), "x[0]"),
    (theory.impulse_response_from_io, ([1, 1], [1]), "y"),
    (theory.recover_poles_from_io, (np.ones(3), np.ones(3), 2), "x"),
    (theory.recover_poles_from_io, ([0, 1, 1, 1], np.ones(4), 1), "x[0]"),
    (theory.recover_poles_from_io, (np.ones(4), np.ones(4), 0), "order"),
    (theory.refine_poles, (np.ones(3), [0.5, 0.4], [1, 1]), "y"),
    (theory.refine_poles, (np.ones(4), [0.5], [1], None, 0), "max_steps"),
    (theory.refine_poles, (np.ones(4), [0.5], [1], None, math.inf), "max_steps = inf"),
    (theory.counter_example, ([0.5, 0.4, 0.3],), "poles"),
    (theory.counter_example, ([0.5, 0.5],), "poles"),
    (theory.indistinguishable_network, ([0.5], [0], 1), "gains"),
    (theory.indistinguishable_network, ([0.5], [1], 0), "change"),
    (theory.recovery_condition_number, ([0.5, 0.4], [1, 1], 3), "num_samples"),
    (theory.recovery_condition_number, ([0.5], [0], 4), "gains"),
    (theory.recovery_condition_number, ([0.5], [1], math.inf), "num_samples = inf"),
    (theory.cramer_rao_bound, ([0.5], [1], -1, 4), "noise_variance"),
    (theory.cramer_rao_bound, ([0.5], [1], 1, math.inf), "num_samples = inf"),
    (theory.dtft_error, ([1.0], [1], [0.5], [1]), "poles"),
    (theory.dtft_error, ([0.5], [1], [1j], [1]), "target_poles"),
    (theory.time_domain_error, ([1.5], [1], [0.5], [1]), "poles"),
    (theory.equalization_error, ([1.0], [1], [1], 0), "poles"),
    (theory.equalization_error, ([0.5], [1], [], 0), "channel"),
    (theory.equalization_error, ([0.5], [1], [1], np.nan), "noise_variance"),
    (theory.equalization_error, ([0.5], [1], [1], 0, -1), "delay"),
    (theory.equalization_error, ([0.5], [1], [1], 0, 0.5), "delay"),
    (theory.optimal_equalizer, ([1], 0.1), "channel"),
    (theory.optimal_equalizer, ([1, 0.5, 0], 0.1), "channel"),
    (theory.optimal_equalizer, ([1, 1], 0), "noise_variance"),
    (theory.optimal_equalizer, ([1, 0.5, 0.2], 0.1, 2), "delay"),
    (theory.permutation_gap, ([0.5, 0.4], [1, 1], [0, 0]), "permutation"),
    (theory.permutation_gap, ([0.5, 0.4], [1, 1], [1, 0], 0), "num_samples"),
    (theory.permuted_network, ([0.5], [1], [0], 1.5), "fraction"),
    (theory.pole_gradient_norm, (1.0,), "pole"),
    (theory.pole_gradient_norm, (np.nan, 4), "pole"),
    (theory.pole_gradient_norm, (0.5, 0), "num_samples"),
    (theory.polar_condition_number, ([0.5, 0], [1, 1]), "poles"),
    (theory.polar_condition_number, ([1.0], [1]), "poles"),
    (theory.polar_condition_number, ([0.5], [1, 1]), "gains"),
    (theory.two_pole_hessian, (0.5, 1.0), "(p1, p2)"),
    (theory.two_pole_condition_number, (np.nan, 0.5), "(p1, p2)"),
    (theory.two_pole_condition_limit, (1.0,), "pole"),
    (theory.pole_gain_hessian, ([1.0], [1]), "poles"),
    (theory.pole_gain_condition_number, ([0.5], [1, 1]), "gains"),
    (theory.condition_number, ([[1, 2]],), "hessian"),
    (theory.condition_number, ([[1, 2], [3, 4]],), "hessian"),
    (theory.restricted_condition_number, (np.eye(2), []), "indices"),
    (theory.restricted_condition_number, (np.eye(2), [0, 0]), "indices"),
    (theory.restricted_condition_number, (np.eye(2), [-1]), "indices"),
    (theory.restricted_condition_number, (np.eye(2), [2]), "indices"),
    (theory.restricted_condition_number, (np.eye(2), [0.5]), "indices"),
    (theory.restricted_condition_number, (np.eye(2), [[0], [1]]), "indices"),
    (theory.restricted_condition_number, (np.eye(2), [True]), "indices"),
    (theory.gradient_descent, ([1.5], [0.5], [1], 0.1, 1), "poles"),
    (theory.gradient_descent, ([0.5, 0.4], [0.5], [1], 0.1, 1), "gains"),
    (theory.gradient_descent, ([0.5], [0.5], [1], 0, 1), "step_size"),
    (theory.gradient_descent, ([0.5], [0.5], [1], 0.1, 0), "num_steps"),
    (theory.gradient_descent, ([0.5], [0.5], [1], 0.1, math.inf), "num_steps = inf"),
    (theory.gradient_descent, ([0.5], [0.5], [1], 0.1, 1, 1.0), "max_radius"),
    (theory.loss_surface, ([0.5], [1], [0.1], [0.1]), "target_poles"),
    (theory.loss_surface, ([0.5, 0.4], [1, 1], [1.0], [0.1]), "first"),
    (theory.loss_surface, ([0.5, 0.4], [1, 1], [0.1], [2.0]), "second"),
]


@pytest.mark.parametrize(
    "function, arguments, parameter",
    WRONG,
    ids=[f"{case[0].__name__}-{case[2]}-{i}" for i, case in enumerate(WRONG)],
)
def test_wrong_arguments_are_refused(function, arguments, parameter):
    with pytest.raises(ValueError) as refusal:
        function(*arguments)
    assert parameter in str(refusal.value).split(" must ")[0]


def test_whole_floats_are_integers():
    network = [0.5, 0.3], [1, 1]
    for delay in (0, 1):
        error = theory.equalization_error(*network, [1, 0.5], 0.1, delay)
        assert theory.equalization_error(*network, [1, 0.5], 0.1, float(delay)) == error
    hessian = np.diag([1.0, 2.0, 8.0])
    assert theory.restricted_condition_number(hessian, [0.0, 1.0]) == 2
    assert len(theory.impulse_response(*network, 3.0)) == 3


def test_scipy_is_loaded_only_for_the_theory():
    code = (
        "import sys; from gnuradio import reservoir; "
        "assert 'scipy' not in sys.modules; "
        "print(f'{reservoir.theory.two_pole_condition_number(0.5, 0.3):.2f}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "22.91\n", done.stderr


def test_theory_is_drawn(tmp_path):
    script = Path(__file__).parents[2] / "examples" / "why_learning_hurts.py"
    folder = tmp_path / "new" / "pictures"
    done = subprocess.run(
        [sys.executable, script, "--out", folder],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    pictures = sorted(folder.glob("*.png"))
    assert len(pictures) == 8
    for path in pictures:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert re.search(rf"^{re.escape(str(path))}: \S", done.stdout, re.MULTILINE)
    assert "κ(.5, .3) = 22.91" in done.stdout
