#
# SPDX-License-Identifier: GPL-3.0-or-later
#
import numpy as np
import pytest
from gnuradio import reservoir
from link_helpers import CHUNKS, assert_rejects, gaussian, make_tag, offsets, run_block

RNG = np.random.default_rng(5)
X = gaussian(RNG, 3000)


def amplify(x, **arguments):
    return run_block(reservoir.power_amplifier_cc(**arguments), x)[0][0]


def rapp(x, backoff_db, p):
    saturation = 10 ** (backoff_db / 20)
    return x / (1 + (np.abs(x) / saturation) ** (2 * p)) ** (1 / (2 * p))


def delayed(x, q):
    return np.concatenate([np.zeros(q), x[: len(x) - q]])


def memory_polynomial(x, coefficients):
    return sum(
        c * delayed(x * np.abs(x) ** (2 * k), q)
        for k, row in enumerate(coefficients)
        for q, c in enumerate(row)
    )


def test_linear_is_the_identity():
    assert np.array_equal(amplify(X, model="linear"), X)


@pytest.mark.parametrize("p", [0.5, 1, 2, 3.3, 20])
@pytest.mark.parametrize("backoff_db", [-6, 0, 3, 20])
def test_rapp_formula(p, backoff_db):
    y = amplify(X, model="rapp", input_backoff_db=backoff_db, smoothness=p)
    np.testing.assert_allclose(y, rapp(X, backoff_db, p), atol=1e-5)


def test_rapp_saturates_at_any_drive():
    x = np.array([1e3, 1e10j, -1e30, 3e38j])
    y = amplify(x, model="rapp", input_backoff_db=3, smoothness=50)
    np.testing.assert_allclose(y, 10 ** (3 / 20) * x / np.abs(x), rtol=1e-5)


@pytest.mark.parametrize("backoff_db", [0, 4])
def test_saleh_formula(backoff_db):
    g = 10 ** (-backoff_db / 20)
    r = g * np.abs(X)
    amplitude = 2.1587 * r / (1 + 1.1517 * r**2) / g
    phase = np.angle(X) + 4.0033 * r**2 / (1 + 9.1040 * r**2)
    y = amplify(X, model="saleh", input_backoff_db=backoff_db)
    np.testing.assert_allclose(y, amplitude * np.exp(1j * phase), atol=1e-5)


@pytest.mark.parametrize("backoff_db", [0, 3])
def test_memory_polynomial_formula(backoff_db):
    coefficients = [
        [1.0, 0.08 - 0.05j, -0.03 + 0.02j],
        [-0.14 - 0.07j, -0.03 + 0.02j, 0.01],
        [0.012 + 0.012j, 0.0, 0.0],
    ]
    g = 10 ** (-backoff_db / 20)
    y = amplify(X, model="memory_polynomial", input_backoff_db=backoff_db)
    expected = memory_polynomial(g * X, coefficients) / g
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_own_coefficients():
    coefficients = gaussian(RNG, (2, 5))
    y = amplify(
        X, model="memory_polynomial", input_backoff_db=0, coefficients=coefficients
    )
    expected = memory_polynomial(X, coefficients)
    np.testing.assert_allclose(y, expected, atol=1e-5 * np.abs(expected).max())


def test_small_signal_gain_does_not_depend_on_the_backoff():
    for backoff_db in (-20, 0, 20):
        y = amplify(1e-4 * X, model="rapp", input_backoff_db=backoff_db)
        np.testing.assert_allclose(y, 1e-4 * X, atol=1e-9)


@pytest.mark.parametrize("model", ["rapp", "saleh", "memory_polynomial", "linear"])
def test_mean_output_power(model):
    rng = np.random.default_rng(6)
    points = np.array([-3, -1, 1, 3]) + 1j * np.array([[-3], [-1], [1], [3]])
    points = points.ravel() / np.sqrt(10)
    for reference, x in (
        ([], gaussian(rng, 200000)),
        (points, rng.choice(points, 200000)),
    ):
        block = reservoir.power_amplifier_cc(model=model, input_backoff_db=2)
        power = block.mean_output_power(2, reference)
        block.set_operating_point(2, 1 / np.sqrt(power))
        y = run_block(block, x)[0][0]
        assert np.mean(np.abs(y) ** 2) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1j * np.nan])
def test_bad_samples_count_as_zero(bad):
    x = X[:100].copy()
    x[[0, 50, 99]] = 0
    expected = amplify(x, model="memory_polynomial")
    x[[0, 50, 99]] = bad
    assert np.array_equal(amplify(x, model="memory_polynomial"), expected)


@pytest.mark.parametrize("model", ["rapp", "saleh", "memory_polynomial", "linear"])
def test_chunks_change_no_bit(model):
    runs = [
        run_block(reservoir.power_amplifier_cc(model=model), X, chunk=chunk)[0]
        for chunk in CHUNKS
    ]
    assert all(np.array_equal(run, runs[0]) for run in runs)


def test_tags_pass():
    tags = [make_tag(0, "a"), make_tag(77, "b")]
    _, out_tags = run_block(reservoir.power_amplifier_cc(), X, tags)
    assert offsets(out_tags[0], "a") == [0] and offsets(out_tags[0], "b") == [77]


def test_setters():
    block = reservoir.power_amplifier_cc(model="rapp")
    block.set_input_backoff_db(-3)
    block.set_output_gain(2)
    assert block.input_backoff_db() == -3 and block.output_gain() == 2
    assert block.model() == "rapp"
    y = run_block(block, X)[0][0]
    np.testing.assert_allclose(y, 2 * rapp(X, -3, 2), atol=1e-5)
    for setter in (block.set_input_backoff_db, block.set_output_gain):
        with pytest.raises(ValueError):
            setter(float("nan"))


@pytest.mark.parametrize(
    "name, value",
    [
        ("model", "rap"),
        ("input_backoff_db", -61),
        ("input_backoff_db", 101),
        ("input_backoff_db", np.nan),
        ("smoothness", 0),
        ("smoothness", 101),
        ("smoothness", np.nan),
        ("saleh", [1, 2, 3]),
        ("saleh", [0, 1, 1, 1]),
        ("saleh", [1, -1, 1, 1]),
        ("saleh", [1, 1, np.inf, 1]),
        ("saleh", [1, 1, 1, -1]),
        ("coefficients", []),
        ("coefficients", [[]]),
        ("coefficients", [[1, 2], [3]]),
        ("coefficients", [[np.nan]]),
        ("coefficients", [[1]] * 9),
        ("output_gain", 0),
        ("output_gain", 2000000),
        ("output_gain", np.nan),
    ],
)
def test_invalid_arguments(name, value):
    shown = None if isinstance(value, list) else value
    assert_rejects(reservoir.power_amplifier_cc, {name: value}, name, shown)
