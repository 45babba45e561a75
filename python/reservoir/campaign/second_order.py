#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The rnn detector's network, trained by optimizers that know more than the gradient.

The loss, its gradient and its Jacobian are those of rnn with activation = "split_tanh" and without
skip, by back-propagation through time in numpy; the trained weights then receive in rnn itself.
"""

import numpy as np


class Network:
    """Outputs and their derivatives by W, U and W_out, whose real and imaginary parts are one vector."""

    def __init__(self, weights, windows, targets, delay):
        self._shapes = [weights[k].shape for k in range(3)]
        self._windows, self._targets, self._delay = windows, targets, delay
        self.start = self.packed(weights[:3])

    @staticmethod
    def packed(weights):
        values = np.concatenate([np.ravel(one) for one in weights]).astype(complex)
        return np.concatenate([values.real, values.imag])

    def unpacked(self, parameters):
        values = parameters[: len(parameters) // 2] + 1j * np.split(parameters, 2)[1]
        ends = np.cumsum([rows * columns for rows, columns in self._shapes])[:-1]
        parts = np.split(values, ends)
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes)]

    def _forward(self, weights):
        recurrent, gains, _ = weights
        driven = self._windows @ gains.T
        states = np.zeros((len(driven) + 1, len(recurrent)), complex)
        for n, drive in enumerate(driven):
            z = recurrent @ states[n] + drive
            states[n + 1] = np.tanh(z.real) + 1j * np.tanh(z.imag)
        return states

    def residuals(self, parameters):
        """Real parts, then imaginary ones; their squares add up to the loss."""
        weights = self.unpacked(parameters)
        outputs = self._forward(weights)[1 + self._delay :] @ weights[2][0]
        error = (outputs - self._targets) / np.sqrt(len(self._targets))
        return np.concatenate([error.real, error.imag])

    def _back(self, weights, states, seeds):
        """Rows of derivatives of sum Re(seeds^* output), one for each row of seeds."""
        recurrent, _, readout = weights
        steps, rows = len(self._windows), len(seeds)
        deltas = np.zeros((steps, rows, len(recurrent)), complex)
        adjoint = np.zeros((rows, len(recurrent)), complex)
        for n in range(steps - 1, -1, -1):
            adjoint = adjoint @ recurrent.conj()
            if n >= self._delay:
                adjoint += seeds[:, n - self._delay, None] * readout.conj()
            state = states[n + 1]
            slopes = 1 - state.real**2, 1 - state.imag**2
            adjoint = slopes[0] * adjoint.real + 1j * slopes[1] * adjoint.imag
            deltas[n] = adjoint
        by_sums = deltas.transpose(1, 2, 0)
        parts = (
            by_sums @ states[:-1].conj(),
            by_sums @ self._windows.conj(),
            seeds @ states[1 + self._delay :].conj(),
        )
        flat = np.concatenate([part.reshape(rows, -1) for part in parts], axis=1)
        return np.concatenate([flat.real, flat.imag], axis=1)

    def jacobian(self, parameters):
        weights = self.unpacked(parameters)
        each = np.eye(len(self._targets)) / np.sqrt(len(self._targets))
        seeds = np.concatenate([each, 1j * each])
        return self._back(weights, self._forward(weights), seeds)

    def loss(self, parameters):
        """And its gradient."""
        error = self.residuals(parameters)
        real, imaginary = np.split(error, 2)
        seeds = 2 * (real + 1j * imaginary)[None] / np.sqrt(len(self._targets))
        weights = self.unpacked(parameters)
        return error @ error, self._back(weights, self._forward(weights), seeds)[0]


def trained(network, method, iterations):
    """The parameters after so many iterations: levenberg_marquardt in its trust-region form, as there
    are more parameters than pilots (Moré, 1978), or l_bfgs."""
    from scipy import optimize  # slow to import, and few campaigns want it

    if method == "levenberg_marquardt":
        settings = dict(jac=network.jacobian, max_nfev=iterations + 1, x_scale=1.0)
        return optimize.least_squares(network.residuals, network.start, **settings).x
    settings = dict(method="L-BFGS-B", jac=True, options=dict(maxiter=iterations))
    return optimize.minimize(network.loss, network.start, **settings).x
