#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Why learning a linear recurrent network's poles hurts, and what algebra does instead.

A diagonal linear recurrent network of K neurons is the filter h[n] = sum_k gains[k] *
poles[k]**n, n >= 0. Its parameters are (poles, gains); those of a target network are to
be found. Each lemma is a function here; report/theory_plots.py draws them.

Throughout, poles and gains are complex vectors of K elements (anything that numpy makes
such vectors of), samples are counted from n = 0, and "stable" means |pole| < 1. All
functions raise ValueError naming the parameter, its value and what it may be.
"""

import math

import numpy as np
from scipy import linalg, optimize

from .checks import is_whole

# --- arguments ---


def _vector(name, values, min_len=1):
    vector = np.asarray(values, dtype=complex)
    if vector.ndim != 1 or len(vector) < min_len:
        raise ValueError(
            f"{name} has shape {vector.shape}: must be a vector of at least {min_len}"
        )
    if not np.all(np.isfinite(vector)):
        raise ValueError(f"{name} = {values}: must be finite")
    return vector


def _integer(name, value, low, high=math.inf):
    if not (is_whole(value) and low <= value <= high):
        allowed = f"in {low} ... {high}" if high < math.inf else f"of at least {low}"
        raise ValueError(f"{name} = {value!r}: must be an integer {allowed}")
    return int(value)


def _variance(name, value):
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} = {value}: must be finite and at least 0")
    return float(value)


def _stable(name, poles):
    if not np.all(np.abs(poles) < 1):
        raise ValueError(f"{name} = {poles}: must be within the unit circle")
    return poles


def _network(poles, gains, stable=False, names=("poles", "gains")):
    poles, gains = _vector(names[0], poles), _vector(names[1], gains)
    if len(poles) != len(gains):
        raise ValueError(
            f"{names[1]} has {len(gains)} elements: must have {len(poles)}, "
            f"as {names[0]} has"
        )
    return (_stable(names[0], poles) if stable else poles), gains


def _target(poles, gains):
    return _network(poles, gains, stable=True, names=("target_poles", "target_gains"))


# --- the network ---


def _powers(poles, num_samples):
    return poles ** np.arange(num_samples)[:, np.newaxis]


def impulse_response(poles, gains, num_samples):
    """h[n] = sum_k gains[k] * poles[k]**n for n = 0 ... num_samples-1, complex128.

    num_samples: at least 1
    """
    poles, gains = _network(poles, gains)
    num_samples = _integer("num_samples", num_samples, 1)
    return _powers(poles, num_samples) @ gains


def sample_jacobian(poles, gains, num_samples):
    """Derivatives of the impulse response, (num_samples, 2K) complex.

    Columns 0 ... K-1 are by the poles, n * gains[k] * poles[k]**(n-1), the others by
    the gains, poles[k]**n: a confluent Vandermonde matrix with scaled columns.
    """
    poles, gains = _network(poles, gains)
    num_samples = _integer("num_samples", num_samples, 1)
    powers = _powers(poles, num_samples)
    by_poles = np.zeros_like(powers)
    by_poles[1:] = np.arange(1, num_samples)[:, np.newaxis] * powers[:-1] * gains
    return np.hstack([by_poles, powers])


def pole_gradient_norm(pole, num_samples=math.inf):
    """Euclidean norm over n of dh[n]/dpole = n * pole**(n-1), h[n] = pole**n; |pole| < 1 or finite N.

    pole: complex
    num_samples: N, at least 1; infinity: sqrt((1 + x) / (1 - x)**3) with x = |pole|**2

    Each lag's share decays or grows exponentially, as |pole|**(n-1). The norm does so in N beyond
    the unit circle alone: within it, it lies between 1 and the value at infinity, a power of
    1 / (1 - |pole|).
    """
    square = abs(_vector("pole", [pole])[0]) ** 2
    if num_samples == math.inf:
        _stable("pole", np.array([pole]))
        return math.sqrt((1 + square) / (1 - square) ** 3)
    num_samples = _integer("num_samples", num_samples, 1)
    return float(linalg.norm(sample_jacobian([pole], [1], num_samples)[:, 0]))


def match_poles(poles, reference):
    """The indices that bring poles into the reference's order, least total distance.

    A network does not change when its neurons are renumbered, so two lists of poles can
    only be compared after matching: poles[match_poles(poles, reference)] - reference.
    """
    poles, reference = _network(poles, reference, names=("poles", "reference"))
    distance = np.abs(reference[:, np.newaxis] - poles)
    return optimize.linear_sum_assignment(distance)[1]


# --- recovery by algebra ---


def _fitted_gains(h, poles):
    return np.linalg.lstsq(_powers(poles, len(h)), h, rcond=None)[0]


def _signal_space(h):
    """Right singular vectors of the Hankel matrix of h, one a row, the strongest first.

    The pencil parameter len(h)//2 is within the range of least variance, and with 2K
    samples it is K, Prony's square system.
    """
    last = len(h) - len(h) // 2
    return linalg.svd(linalg.hankel(h[:last], h[last - 1 :]), full_matrices=False)[2]


def _pencil(h, space, order):
    basis = space[:order].T
    rotation = np.linalg.lstsq(basis[:-1], basis[1:], rcond=None)[0]
    poles = linalg.eigvals(rotation)
    return poles, _fitted_gains(h, poles)


def estimate_order(h, max_order=0):
    """Number of poles in noisy samples h, by a Bayesian information criterion.

    h: (N,) samples of an impulse response in white noise of unknown power, N >= 3
    max_order: 1 ... N//3; 0: N//3 or 32, whichever is less (more has no redundancy left
        to tell a pole from noise)

    Each order is fitted from as many singular vectors of the Hankel matrix. A real
    number of a gain costs log(2N) (Schwarz 1978) and one of a pole twice that, as the
    best pole in noise is one of many (Djuric 1996 has three times for a frequency
    without damping). Returns 0 where noise alone explains h.
    """
    h = _vector("h", h, 3)
    most = len(h) // 3
    max_order = _integer("max_order", max_order, 0, most) or min(most, 32)
    space = _signal_space(h)
    # without noise, what rounding leaves over is not to be explained by more poles
    floor = (100 * np.finfo(float).eps * linalg.norm(h)) ** 2
    residuals = [linalg.norm(h) ** 2]
    for order in range(1, max_order + 1):
        poles, gains = _pencil(h, space, order)
        residuals.append(linalg.norm(h - _powers(poles, len(h)) @ gains) ** 2)
    if floor == 0:
        return 0
    orders = np.arange(len(residuals))
    misfit = 2 * len(h) * np.log(np.maximum(residuals, floor))
    return int(np.argmin(misfit + 6 * orders * math.log(2 * len(h))))


def recover_poles(h, order=0):
    """The network behind an impulse response h: (poles, gains), each (order,).

    h: (N,) samples from n = 0 on, N >= 2*order; with noise, the more the better
    order: K, at least 1; 0 or None: chosen by estimate_order (and then maybe 0)

    2K samples determine K distinct poles with gains that are not zero (Prony 1795): two
    such networks differ by at most 2K exponentials, whose Vandermonde matrix over 2K
    samples is regular. The method is the matrix pencil with the singular value
    decomposition cut to rank K (Hua and Sarkar 1990), which averages noise in further
    samples; refine_poles then reaches the Cramer-Rao bound. The poles come in no
    particular order. recovery_condition_number says what accuracy to expect. Costs the
    singular value decomposition of an N/2 x N/2 matrix.
    """
    if not order:
        order = estimate_order(h)
        if order == 0:
            return np.zeros(0, complex), np.zeros(0, complex)
    order = _integer("order", order, 1)
    h = _vector("h", h, 2 * order)
    return _pencil(h, _signal_space(h), order)


def _input_output(x, y, min_len=1):
    x, y = _vector("x", x, min_len), _vector("y", y, min_len)
    if len(x) != len(y):
        raise ValueError(f"y has {len(y)} elements: must have {len(x)}, as x has")
    if x[0] == 0:
        raise ValueError(f"x[0] = {x[0]}: must not be 0")
    return x, y


def impulse_response_from_io(x, y):
    """h from input x and output y = x * h, all (N,): a triangular Toeplitz system.

    x: x[0] must not be 0, as the output before the first input says nothing of h.
    The output y starts from a network at rest.
    """
    x, y = _input_output(x, y)
    toeplitz = linalg.toeplitz(x, np.zeros(len(x)))
    return linalg.solve_triangular(toeplitz, y, lower=True)


def recover_poles_from_io(x, y, order):
    """The network behind an input and its output: (poles, gains), each (order,).

    x, y: (N,) input and output from n = 0 on, of a network at rest; N >= 2*order,
        x[0] not 0
    order: K, at least 1

    Any such input will do: 2K samples of each give 2K samples of the impulse response,
    and those the network. Where undoing the input amplifies noise, more samples help:
    then y[n] + sum_j a_j y[n-j] = sum_j b_j x[n-j] is solved by least squares for the
    denominator, all of whose samples count (Ljung 1999, section 4.2), and refine_poles
    removes the bias that noise gives it.
    """
    order = _integer("order", order, 1)
    x, y = _input_output(x, y, 2 * order)
    if len(x) == 2 * order:
        return recover_poles(impulse_response_from_io(x, y), order)
    inputs = linalg.toeplitz(x, np.zeros(order))
    outputs = linalg.toeplitz(y, np.zeros(order + 1))[:, 1:]
    equations = np.hstack([-outputs, inputs])
    denominator = np.linalg.lstsq(equations, y, rcond=None)[0][:order]
    poles = np.roots(np.append(1, denominator))
    columns = _convolved(x, _powers(poles, len(x)))
    gains = np.linalg.lstsq(columns, y, rcond=None)[0]
    return refine_poles(y, poles, gains, x=x)


def _convolved(x, columns):
    if x is None:
        return columns
    length = len(columns)
    return np.stack([np.convolve(x, column)[:length] for column in columns.T], axis=1)


def refine_poles(y, poles, gains, x=None, max_steps=50):
    """Least-squares estimate near a start: (poles, gains), each (K,).

    y: (N,) noisy output, N >= 2K
    poles, gains: where to start, as recover_poles gives it
    x: (N,) the input; None: a unit impulse, so that y is the impulse response
    max_steps: at least 1

    Levenberg-Marquardt on sum |y - x * h|**2 (Nocedal and Wright 2006, section 10.3), the
    maximum likelihood for white Gaussian noise. It never returns a worse fit than its start.
    """
    poles, gains = _network(poles, gains)
    y = _vector("y", y, 2 * len(poles))
    if x is not None:
        x, y = _input_output(x, y)
    max_steps = _integer("max_steps", max_steps, 1)

    def network(real):
        return np.split(real[: len(real) // 2] + 1j * real[len(real) // 2 :], 2)

    def parts(values):
        return np.concatenate([values.real, values.imag])

    def residual(real):
        h = impulse_response(*network(real), len(y))[:, np.newaxis]
        return parts(_convolved(x, h)[:, 0] - y)

    def jacobian(real):
        columns = _convolved(x, sample_jacobian(*network(real), len(y)))
        return np.hstack([parts(columns), parts(1j * columns)])

    start = parts(np.concatenate([poles, gains]))
    most = dict(max_nfev=max_steps + 1, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    with np.errstate(over="ignore", invalid="ignore"):
        found = optimize.least_squares(residual, start, jacobian, method="lm", **most)
    return tuple(network(found.x))


# --- what recovery can and cannot do ---


def counter_example(poles):
    """Two networks of K poles whose first 2K-1 samples are the same, the next one not.

    poles: (2K,) distinct poles, the first K for one network, the others for the other
    Returns ((poles, gains), (poles, gains)); sample 2K-1 of the first is that of the
    second plus 1.

    The gains are the weights 1 / prod_{j != k} (poles[k] - poles[j]) of the divided
    difference over all poles, which is 0 for z**n, n < 2K-1, and 1 for z**(2K-1).
    """
    poles = _vector("poles", poles, 2)
    if len(poles) % 2:
        raise ValueError(f"poles has {len(poles)} elements: must have an even number")
    weights = _divided_difference_weights(poles)
    half = len(poles) // 2
    return (poles[:half], weights[:half]), (poles[half:], -weights[half:])


def _divided_difference_weights(poles):
    differences = poles[:, np.newaxis] - poles
    np.fill_diagonal(differences, 1)
    if np.any(differences == 0):
        raise ValueError(f"poles = {poles}: must be distinct")
    return 1 / np.prod(differences, axis=1)


def indistinguishable_network(poles, gains, change):
    """Another network with the same first 2K-1 samples: (poles, gains), each (K,).

    poles, gains: a network; its poles distinct, its gains not 0
    change: what is added to sample 2K-1, not 0. A small one moves pole k by
        change * w[k]**2 / gains[k], w the weights of the poles' divided difference

    So no network at all is determined by 2K-1 samples. The characteristic polynomial
    a(z) = prod (z - poles[k]), which Prony's equations give, becomes
    a(z) - change * sum_k w[k]**2 / gains[k] * prod_{j != k} (z - poles[j]).
    """
    poles, gains = _network(poles, gains)
    if np.any(gains == 0):
        raise ValueError(f"gains = {gains}: must not be 0")
    if not 0 < abs(change) < math.inf:
        raise ValueError(f"change = {change}: must be finite and not 0")
    moves = change * _divided_difference_weights(poles) ** 2 / gains
    polynomial = np.poly(poles).astype(complex)
    for k, move in enumerate(moves):
        polynomial[1:] -= move * np.poly(np.delete(poles, k))
    others = np.roots(polynomial)
    first_samples = _powers(poles, len(poles)) @ gains
    return others, linalg.solve(_powers(others, len(poles)), first_samples)


def _parameter_errors(poles, gains, num_samples):
    """M with M @ M^H the inverse of J^H @ J, J the Jacobian of the samples."""
    poles, gains = _network(poles, gains)
    num_samples = _integer("num_samples", num_samples, 2 * len(poles))
    triangle = linalg.qr(sample_jacobian(poles, gains, num_samples), mode="r")[0]
    triangle = triangle[: 2 * len(poles)]
    if np.any(np.diag(triangle) == 0):
        raise ValueError(
            f"poles = {poles}, gains = {gains}: poles must be distinct, gains not 0"
        )
    return linalg.solve_triangular(triangle, np.eye(2 * len(poles)))


def recovery_condition_number(poles, gains, num_samples):
    """How much larger the relative error of the poles is than that of the samples.

    num_samples: at least 2K

    The worst (|dp|/|p|) / (|dh|/|h|) in Euclidean norms, for small errors and the
    least-squares estimate; with 2K samples no method does better. Recovery in double
    precision from exact samples is accurate to about 1e-16 times this.
    """
    errors = _parameter_errors(poles, gains, num_samples)[: len(poles)]
    h = impulse_response(poles, gains, num_samples)
    if not np.any(poles):
        return math.inf
    return float(linalg.norm(errors, 2) * linalg.norm(h) / linalg.norm(poles))


def cramer_rao_bound(poles, gains, noise_variance, num_samples):
    """Least mean square errors E|dp|**2, E|dc|**2 of unbiased estimates, each (K,).

    noise_variance: E|w|**2 of circular white Gaussian noise on each sample, at least 0
    num_samples: N >= 2K samples of the impulse response

    The diagonal of noise_variance * (J^H J)^-1, J the Jacobian of the samples (Kay
    1993, section 15.7, for a mean that is holomorphic in its parameters).
    """
    noise_variance = _variance("noise_variance", noise_variance)
    errors = _parameter_errors(poles, gains, num_samples)
    bound = noise_variance * np.sum(np.abs(errors) ** 2, axis=1)
    return tuple(np.split(bound, 2))


# --- the objectives, in closed form ---


def _difference(poles, gains, target_poles, target_gains):
    """The network minus the target as one network, equal poles merged.

    Merging makes the error of a renumbered network exactly 0, where sums over all pairs
    of poles would leave rounding.
    """
    poles, where = np.unique(np.append(poles, target_poles), return_inverse=True)
    merged = np.zeros(len(poles), complex)
    np.add.at(merged, where, np.append(gains, -target_gains))
    return poles, merged


def dtft_error(poles, gains, target_poles, target_gains):
    """Mean over all frequencies of |H - H_target|**2; both networks stable.

    The integral around the unit circle is the sum of residues at the poles q of the
    difference, sum_ij d_i * d_j^* / (1 - q_i * q_j^*).
    """
    network = _network(poles, gains, stable=True)
    target = _target(target_poles, target_gains)
    q, d = _difference(*network, *target)
    energy = np.vdot(d, (d / (1 - np.outer(q.conj(), q))).sum(axis=1))
    return max(0.0, float(energy.real))


def time_domain_error(poles, gains, target_poles, target_gains, num_samples=math.inf):
    """sum |h[n] - h_target[n]|**2 over n = 0 ... num_samples-1.

    num_samples: at least 1; infinity, for stable networks, is dtft_error by Parseval
    """
    if num_samples == math.inf:
        return dtft_error(poles, gains, target_poles, target_gains)
    h = impulse_response(poles, gains, num_samples)
    return float(
        linalg.norm(h - impulse_response(target_poles, target_gains, num_samples)) ** 2
    )


def _equalizer_covariance(poles, channel, noise_variance, delay):
    """Covariance of [x[n], x[n-1], ..., s_1[n], ..., s_K[n]], and where x[n-delay] is.

    The state obeys z[n] = A z[n-1] + B [x[n], w[n]], so its covariance solves the Stein
    equation X = A X A^H + B B^H.
    """
    poles = _stable("poles", _vector("poles", poles))
    channel = _vector("channel", channel)
    noise_variance = _variance("noise_variance", noise_variance)
    memory = max(len(channel), delay + 1)
    size = memory + len(poles)
    transition = np.zeros((size, size), complex)
    transition[np.arange(1, memory), np.arange(memory - 1)] = 1
    transition[memory:, : len(channel) - 1] = channel[1:]
    transition[memory:, memory:] = np.diag(poles)
    drive = np.zeros((size, 2), complex)
    drive[0, 0] = 1
    drive[memory:] = channel[0], math.sqrt(noise_variance)
    covariance = linalg.solve_discrete_lyapunov(transition, drive @ drive.conj().T)
    return covariance, memory


def equalization_error(poles, gains, channel, noise_variance, delay=0):
    """Mean square error of a network as an equalizer: E|x[n-delay] - y[n]|**2.

    poles, gains: the equalizer, stable; y = h * r
    channel: (L,) taps; r[n] = sum_l channel[l] * x[n-l] + w[n], x white of unit power
    noise_variance: E|w|**2, at least 0
    delay: of the decision, at least 0 samples
    """
    poles, gains = _network(poles, gains)
    delay = _integer("delay", delay, 0)
    covariance, memory = _equalizer_covariance(poles, channel, noise_variance, delay)
    error = np.zeros(len(covariance), complex)
    error[delay] = 1
    error[memory:] = -gains
    return max(0.0, float((error @ covariance @ error.conj()).real))


def optimal_equalizer(channel, noise_variance, delay=0):
    """The best causal equalizer of a channel: a network (poles, gains), each (L-1,).

    channel: (L,) taps, L >= 2; the first and the last not 0
    noise_variance: at least 0; above 0 if the channel has a zero on the unit circle
    delay: 0 ... L-2, up to which the Wiener filter is a sum of L-1 first-order filters

    The poles are the roots inside the unit circle of the received signal's spectrum,
    C(z) C^*(1/z^*) + noise_variance (Kailath, Sayed and Hassibi 2000, chapter 7); the
    gains follow from the normal equations.
    """
    channel = _vector("channel", channel, 2)
    noise_variance = _variance("noise_variance", noise_variance)
    delay = _integer("delay", delay, 0, len(channel) - 2)
    if channel[0] == 0 or channel[-1] == 0:
        raise ValueError(f"channel = {channel}: its end taps must not be 0")
    spectrum = np.convolve(channel, channel[::-1].conj())
    spectrum[len(channel) - 1] += noise_variance
    roots = np.roots(spectrum)
    poles = roots[np.argsort(np.abs(roots))][: len(channel) - 1]
    if not np.all(np.abs(poles) < 1 - 1e-7):  # a double root is found to 1e-8
        raise ValueError(
            f"noise_variance = {noise_variance}: must be above 0, "
            "as the channel has a zero on the unit circle"
        )
    covariance, memory = _equalizer_covariance(poles, channel, noise_variance, delay)
    states = covariance[memory:, memory:]
    return poles, linalg.solve(states, covariance[memory:, delay]).conj()


# --- permutation non-convexity ---


def permuted_network(poles, gains, permutation, fraction=1.0):
    """The network on the straight line from (poles, gains) to its renumbering.

    permutation: (K,) the neurons in their new order, each of 0 ... K-1 once
    fraction: 0 (the network) ... 1 (the same network, renumbered)
    """
    poles, gains = _network(poles, gains)
    if sorted(permutation) != list(range(len(poles))):
        raise ValueError(
            f"permutation = {permutation}: must have each of "
            f"0 ... {len(poles) - 1} once"
        )
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction = {fraction}: must be within 0 ... 1")
    permutation = np.asarray(permutation, dtype=int)
    return tuple(
        (1 - fraction) * values + fraction * values[permutation]
        for values in (poles, gains)
    )


def _gap(objective, poles, gains, permutation):
    return tuple(
        objective(*permuted_network(poles, gains, permutation, fraction))
        for fraction in (0.0, 1.0, 0.5)
    )


def permutation_gap(poles, gains, permutation, num_samples=math.inf):
    """Time-domain objective at the target, renumbered, and halfway: J, J_sigma, J_mid.

    num_samples: of time_domain_error

    J = J_sigma = 0. For distinct neurons, at least 2K samples and a permutation that
    moves something J_mid > 0, so J is not convex: the squared norms of the halfway
    neurons (pole, gain) have a smaller sum than those of the target (strict convexity),
    so they are no renumbering of it, and 2K samples tell different networks apart.
    """
    return _gap(
        lambda p, c: time_domain_error(p, c, poles, gains, num_samples),
        poles,
        gains,
        permutation,
    )


def dtft_permutation_gap(poles, gains, permutation):
    """permutation_gap of the objective dtft_error."""
    return _gap(lambda p, c: dtft_error(p, c, poles, gains), poles, gains, permutation)


def equalization_permutation_gap(
    poles, gains, permutation, channel, noise_variance, delay=0
):
    """permutation_gap of the objective equalization_error.

    J = J_sigma, the error of the equalizer given. If that is optimal_equalizer, whose
    response is unique, then J_mid > J: equalization is not convex either. At another
    equalizer J_mid may lie below.
    """
    return _gap(
        lambda p, c: equalization_error(p, c, channel, noise_variance, delay),
        poles,
        gains,
        permutation,
    )


# --- curvature at the solution ---


def _two_poles(p1, p2):
    return _stable("(p1, p2)", _vector("(p1, p2)", (p1, p2)))


def two_pole_hessian(p1, p2):
    """Hessian by the poles of sum |h[n] - h_target[n]|**2 at the target p1**n + p2**n.

    p1, p2: within the unit circle. (2, 2): real for real poles; Hermitian for complex
    ones, where the Hessian by real and imaginary parts has the same eigenvalues, twice
    each. With x = p_i^* p_j its elements are 2 * (1 + x) / (1 - x)**3, that is
    2 * sum n**2 * x**(n-1).
    """
    poles = _two_poles(p1, p2)
    x = np.outer(poles.conj(), poles)
    hessian = 2 * (1 + x) / (1 - x) ** 3
    return hessian if np.any(poles.imag) else hessian.real


def two_pole_condition_number(p1, p2):
    """Largest over least eigenvalue of two_pole_hessian; infinity where p1 = p2.

    By the singular values of an orthonormal factor of the Hessian: the relative error is about
    1e-17 over the distance of the poles.
    """
    if p1 == p2:
        _two_poles(p1, p2)  # refuses what is wrong
        return math.inf
    factor = _orthonormal_coordinates(_two_poles(p1, p2), np.ones(2))
    return _squared_condition(factor[:, :2])


def two_pole_condition_limit(pole):
    """Limit of two_pole_condition_number * |p1 - p2|**2 as both poles approach one.

    (1 - |p|**4)**2 / (1 + |p|**2 + |p|**4): halving the distance makes it four times as
    bad, wherever in the circle.
    """
    square = abs(_stable("pole", _vector("pole", [pole]))[0]) ** 2
    return float((1 - square**2) ** 2 / (1 + square + square**2))


def pole_gain_hessian(poles, gains):
    """Hessian of sum |h[n] - h_target[n]|**2 by all parameters, at h = h_target.

    poles, gains: the target, stable. (4K, 4K) real symmetric, in the order
    (Re poles, Im poles, Re gains, Im gains).

    It is 2 * J^H J written in real parameters, J the derivatives of all samples.
    """
    by_poles, by_gains = np.hsplit(
        _orthonormal_coordinates(*_network(poles, gains, stable=True)), 2
    )
    columns = np.hstack([by_poles, 1j * by_poles, by_gains, 1j * by_gains])
    factor = np.sqrt(2) * np.vstack([columns.real, columns.imag])
    return factor.T @ factor


def _orthonormal_coordinates(poles, gains):
    """T with T^H T = J^H J of all samples: J in an orthonormal basis, (2K, 2K).

    The Takenaka-Malmquist functions of each pole twice span the columns of J (Ninness
    and Gustafsson 1997). Their coordinates of poles[k]**n are the functions' values at
    poles[k], those of n*poles[k]**(n-1) the derivatives: products without differences.
    """
    value, slope = np.ones(len(poles), complex), np.zeros(len(poles), complex)
    rows = []
    for q in np.repeat(poles, 2):
        near = 1 / (1 - q.conjugate() * poles)
        scale = math.sqrt(1 - abs(q) ** 2) * near
        rows.append(
            np.append(
                gains * scale * (q.conjugate() * near * value + slope), scale * value
            )
        )
        allpass = (poles - q) * near
        slope = slope * allpass + value * (1 - abs(q) ** 2) * near**2
        value = value * allpass
    return np.array(rows)


def _squared_condition(factor):
    """Of factor^H factor."""
    singular = linalg.svdvals(factor)
    with np.errstate(divide="ignore", over="ignore"):
        return float((singular[0] / singular[-1]) ** 2)


def pole_gain_condition_number(poles, gains):
    """Condition number of pole_gain_hessian, accurate to about 1e28.

    Singular values of an orthonormal factor of the Hessian, as the Hessian itself is
    lost in rounding from 1e16 on: K poles at distance e make it about e**(2-4K).
    """
    poles, gains = _network(poles, gains, stable=True)
    return _squared_condition(_orthonormal_coordinates(poles, gains))


def polar_condition_number(poles, gains):
    """pole_gain_condition_number by the modulus and the angle of each pole; no pole 0.

    As dp = e**(i angle) (d|p| + i |p| d angle), the parts of a pole are turned and its angle's
    column is scaled by |p|. So the ratio to pole_gain_condition_number lies within min |p|**2 ...
    1 / min |p|**2, and it is 1 / |p|**2 for the pole alone: poles near the unit circle, which are
    those that remember, gain nothing.
    """
    poles, gains = _network(poles, gains, stable=True)
    if np.any(poles == 0):
        raise ValueError(f"poles = {poles}: must not be 0, whose angle is none")
    by_poles, by_gains = np.hsplit(_orthonormal_coordinates(poles, gains), 2)
    turned = by_poles * (poles / np.abs(poles))
    columns = np.hstack([turned, 1j * by_poles * poles, by_gains, 1j * by_gains])
    return _squared_condition(np.vstack([columns.real, columns.imag]))


def _symmetric(hessian):
    hessian = np.asarray(hessian)
    if hessian.ndim != 2 or not 0 < hessian.shape[0] == hessian.shape[1]:
        raise ValueError(f"hessian has shape {hessian.shape}: must be square")
    asymmetry = np.abs(hessian - hessian.conj().T).max()
    if not asymmetry <= 1e-9 * np.abs(hessian).max():  # NaN too
        raise ValueError("hessian: must be symmetric or Hermitian")
    return hessian


def condition_number(hessian):
    """Largest over least eigenvalue of a symmetric or Hermitian matrix.

    Infinity where the least one is not positive, or is below rounding.
    """
    eigenvalues = linalg.eigvalsh(_symmetric(hessian))
    if eigenvalues[0] <= len(eigenvalues) * np.finfo(float).eps * eigenvalues[-1]:
        return math.inf
    return float(eigenvalues[-1] / eigenvalues[0])


def restricted_condition_number(hessian, indices):
    """Condition number by the parameters named in indices, the others held fixed.

    hessian: (M, M) symmetric or Hermitian
    indices: distinct ones of 0 ... M-1, at least one

    The restriction lemma: it is at most condition_number(hessian), as the eigenvalues
    of a principal submatrix lie between the least and the largest of the whole (Cauchy
    interlacing; Horn and Johnson 2013, theorem 4.3.28). So two poles near each other
    spoil every larger network that contains them.
    """
    hessian = _symmetric(hessian)
    last = len(hessian) - 1
    indices = np.asarray(indices)
    if indices.ndim != 1 or not 0 < len(np.unique(indices)) == len(indices):
        raise ValueError(f"indices = {indices}: must be distinct ones of 0 ... {last}")
    indices = [_integer("indices element", index, 0, last) for index in indices]
    return condition_number(hessian[np.ix_(indices, indices)])


# --- gradient descent ---


def pole_gradient(poles, gains, target_poles, target_gains):
    """Gradient of dtft_error by the poles: d/d Re + i d/d Im, (K,) complex.

    2 c_k^* sum_n n p_k^*(n-1) e[n] of the error e; both networks stable.
    """
    poles, gains = _network(poles, gains, stable=True)
    target = _target(target_poles, target_gains)
    q, d = np.append(poles, target[0]), np.append(gains, -target[1])
    return 2 * gains.conj() * (d * q / (1 - np.outer(poles.conj(), q)) ** 2).sum(axis=1)


def gradient_descent(
    poles, target_poles, target_gains, step_size, num_steps, max_radius=0.99
):
    """Path of gradient descent on dtft_error over the poles, (num_steps+1, K) complex.

    poles: (K,) the start; the gains are the target's from the start on, a help that no
        training has
    step_size: above 0; 2 over the largest eigenvalue of the Hessian is the stable limit
    num_steps: at least 1
    max_radius: above 0, below 1; a pole that leaves this circle is set back onto it
    """
    target_poles, gains = _target(target_poles, target_gains)
    now = _network(poles, gains, stable=True)[0]
    if not 0 < step_size < math.inf:
        raise ValueError(f"step_size = {step_size}: must be finite and above 0")
    if not 0 < max_radius < 1:
        raise ValueError(f"max_radius = {max_radius}: must be above 0 and below 1")
    path = [now]
    for _ in range(_integer("num_steps", num_steps, 1)):
        now = now - step_size * pole_gradient(now, gains, target_poles, gains)
        now = now / np.maximum(1, np.abs(now) / max_radius)
        path.append(now)
    return np.array(path)


def loss_surface(target_poles, target_gains, first, second):
    """dtft_error over two poles with the target's gains, (len(second), len(first)).

    target_poles, target_gains: (2,) each, stable
    first, second: values of the two poles, stable
    """
    target = _target(target_poles, target_gains)
    if len(target[0]) != 2:
        raise ValueError(f"target_poles has {len(target[0])} elements: must have 2")
    first = _stable("first", _vector("first", first))
    second = _stable("second", _vector("second", second))
    return np.array(
        [[dtft_error((p1, p2), target[1], *target) for p1 in first] for p2 in second]
    )
