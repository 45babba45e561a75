#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What others offer outside of GNU Radio, as bench.py measures it: symbols a second, or seconds.

A function raises NotInstalled where its library is not there.
"""

import ctypes
import importlib.metadata
import time

import numpy as np

NEURONS, WINDOW, TAPS = 32, 24, 16


class NotInstalled(Exception):
    pass


clock = time.perf_counter  # bench_check.py counts the processor's time


def timed(call, *arguments):
    start = clock()
    call(*arguments)
    return clock() - start


def installed_versions():
    versions = {}
    for name in ("torch", "reservoirpy"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return versions


def windows(received, window, count):
    """Row n: the last `window` samples at n, newest first, zeros before the first."""
    padded = np.concatenate([np.zeros(window - 1), received]).astype(np.complex64)
    return np.array([padded[n : n + window][::-1] for n in range(count)])


def real_pairs(values):
    """For libraries of real numbers: real parts, then imaginary parts, as columns."""
    values = values.reshape(len(values), -1)
    return np.hstack([values.real, values.imag]).astype(np.float32)


def numpy_states(recurrent, inputs, seen):
    """A state at a time, as pyESN goes through its samples."""
    states = np.zeros((len(seen), len(recurrent)), np.complex64)
    for n in range(len(seen)):
        z = recurrent @ states[n - 1] + inputs @ seen[n]
        magnitude = np.maximum(np.abs(z), 1e-20)
        states[n] = np.tanh(magnitude) / magnitude * z
    return states


def numpy_esn(network, received, count=1000):
    """The network of a reservoir.esn, and its readout."""
    seen = windows(received, WINDOW, count)
    recurrent, inputs = network.recurrent_weights(), network.input_weights()

    def detect():
        states = numpy_states(recurrent, inputs, seen)
        return np.hstack([states, seen]) @ network.readout()[0]

    return count / timed(detect)


def reservoirpy_esn(received, pilots, count=1000):
    """As many neurons, of real numbers: a third of the work of complex ones."""
    try:
        import reservoirpy
        from reservoirpy.nodes import Reservoir, Ridge
    except ImportError as error:
        raise NotInstalled(error) from error
    if hasattr(reservoirpy, "verbosity"):
        reservoirpy.verbosity(0)
    seen = real_pairs(windows(received, WINDOW, count))
    model = Reservoir(NEURONS, sr=0.4, lr=1.0) >> Ridge(ridge=1e-3)
    model.fit(seen[: len(pilots)], real_pairs(pilots))
    return count / timed(model.run, seen)


def imported_torch():
    try:
        import torch
    except ImportError as error:
        raise NotInstalled(error) from error
    torch.set_num_threads(1)
    return torch


def torch_rnn(received, count=8192):
    """torch.nn.RNN of as many real neurons and a linear layer, over all symbols in one call."""
    torch = imported_torch()
    seen = torch.tensor(real_pairs(windows(received, WINDOW, count)))
    network = torch.nn.RNN(2 * WINDOW, NEURONS)
    readout = torch.nn.Linear(NEURONS, 2)
    with torch.no_grad():
        return count / timed(lambda: readout(network(seen[:, None])[0]))


def torch_epoch(weights, delay, received, pilots):
    """Seconds an epoch of training the same network as reservoir.rnn: the state equation step by
    step, split tanh, gradients by autograd, Adam."""
    torch = imported_torch()
    weights = [torch.nn.Parameter(torch.tensor(w)) for w in weights]
    neurons, window = weights[1].shape
    steps = len(pilots) + delay
    seen = torch.tensor(windows(received, window, steps))
    target = torch.tensor(pilots)
    rule = torch.optim.Adam(weights, lr=3e-3)

    def epoch():
        rule.zero_grad()
        w, u, c = weights
        driven = seen @ u.T
        s, states = torch.zeros(neurons, dtype=torch.complex64), []
        for n in range(steps):
            z = w @ s + driven[n]
            s = torch.complex(torch.tanh(z.real), torch.tanh(z.imag))
            states.append(s)
        y = torch.stack(states[delay:]) @ c[0]
        (y - target).abs().square().mean().backward()
        rule.step()

    epoch()
    return min(timed(epoch) for _ in range(3))


def liquid(kind, received, known):
    """kind "eqlms" or "eqrls" of liquid-dsp: pushes, detects and adapts, in one call of C."""
    for name in ("libliquid.so.1", "libliquid.so"):
        try:
            library = ctypes.CDLL(name)
            break
        except OSError:
            pass
    else:
        raise NotInstalled("libliquid")
    create, train, destroy = (
        getattr(library, f"{kind}_cccf_{verb}")
        for verb in ("create", "train", "destroy")
    )
    create.restype = ctypes.c_void_p
    equalizer = ctypes.c_void_p(create(None, TAPS))
    weights, received, known = (
        np.ascontiguousarray(a, np.complex64) for a in (np.zeros(TAPS), received, known)
    )
    seconds = timed(
        train,
        equalizer,
        *(ctypes.c_void_p(a.ctypes.data) for a in (weights, received, known)),
        len(received),
    )
    destroy(equalizer)
    return len(received) / seconds
