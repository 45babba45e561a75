#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""One epoch of training the recurrent network, beside the same network in torch, on one core.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/bench_rnn.py
"""

import os
import time

import numpy as np
from gnuradio import reservoir

WINDOW, DELAY, EPOCHS = 8, 4, 200
SIZES = [(32, 64), (32, 512), (128, 512)]


def ours(neurons, r, pilots):
    det = reservoir.rnn(num_neurons=neurons, epochs=EPOCHS, eigenvalues_every=0)
    return min(det.fit(r, pilots).seconds for _ in range(3)) / EPOCHS


def torchs(torch, neurons, r, pilots):
    """The state equation step by step, split tanh, gradients by autograd, Adam."""
    weights = [
        torch.nn.Parameter(torch.tensor(w))
        for w in reservoir.rnn(num_neurons=neurons).weights()[:3]
    ]
    padded = np.concatenate([np.zeros(WINDOW - 1), r]).astype(np.complex64)
    steps = len(pilots) + DELAY
    seen = torch.tensor(np.array([padded[n : n + WINDOW][::-1] for n in range(steps)]))
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
        y = torch.stack(states[DELAY:]) @ c[0]
        (y - target).abs().square().mean().backward()
        rule.step()

    epoch()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    try:
        import torch

        torch.set_num_threads(1)
    except ImportError:
        torch = None
        print("torch is not installed: no comparison")
    rng = np.random.default_rng(1)
    for neurons, count in SIZES:
        x = np.exp(0.5j * np.pi * rng.integers(0, 4, count + 16)).astype(np.complex64)
        r = np.convolve(x, [1, 0.4j, 0.2])[: len(x)].astype(np.complex64)
        seconds = ours(neurons, r, x[:count])
        line = f"{neurons:4d} neurons, {count:4d} pilots: {seconds * 1e3:8.3f} ms an epoch"
        if torch:
            theirs = torchs(torch, neurons, r, x[:count])
            line += f", torch {theirs * 1e3:8.1f} ms ({theirs / seconds:.0f} times)"
        print(line)


if __name__ == "__main__":
    main()
