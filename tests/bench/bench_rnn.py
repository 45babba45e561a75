#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""One epoch of training the recurrent network, beside the same network in torch, on one core;
and what training in the background does to a flowgraph's rate and memory, on all cores.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/bench_rnn.py
"""

import os
import threading
import time

import numpy as np
import pmt
from gnuradio import blocks, gr, reservoir

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


def megabytes():
    """Resident memory of this process."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def stream(det, pilots, frames, background):
    """Symbols a second through the block, a training tag every 264; how much memory grew from
    the middle of the frames to the end."""
    rng = np.random.default_rng(1)
    r = (rng.standard_normal(264) + 1j * rng.standard_normal(264)).tolist()
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = 0, pmt.intern("corr_est"), pmt.PMT_T
    eq = reservoir.equalizer(det, 1, pilots, background_training=background)
    eq.set_freeze(not background)
    top = gr.top_block()
    top.connect(
        blocks.vector_source_c(r, True, 1, [tag]),
        blocks.head(gr.sizeof_gr_complex, frames * len(r)),
        eq,
        blocks.null_sink(gr.sizeof_gr_complex),
    )
    start = time.perf_counter()
    top.start()
    waiting = threading.Thread(target=top.wait)
    waiting.start()
    memory = []
    while waiting.is_alive():
        memory.append(megabytes())
        time.sleep(0.01)
    rate = frames * len(r) / (time.perf_counter() - start)
    return rate, memory[-1] - memory[len(memory) // 2], eq


def background(frames):
    """A training that never ends, beside frozen weights: the flowgraph should not notice."""
    pilots = np.exp(0.5j * np.pi * np.arange(64)).astype(np.complex64)
    weights = reservoir.rnn(epochs=1, eigenvalues_every=0)
    weights.fit(np.tile(pilots, 2), pilots)
    for name, training in (("frozen weights", False), ("training in the background", True)):
        det = reservoir.rnn(epochs=1_000_000, eigenvalues_every=0)
        det.adopt(weights)
        rate, growth, eq = stream(det, pilots, frames, training)
        print(
            f"{name}: {rate / 1e6:.2f} Msymbol/s over {frames} frames, memory grew by "
            f"{growth:.1f} MB, {eq.skipped_trainings()} trainings skipped"
        )


def main():
    background(20_000)
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
