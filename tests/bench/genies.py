#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Receivers that know what no receiver knows: what the channel lost, and no more, is lost to them.

All know the pilots, and so what the payload's first symbols follow; none knows the symbols before
the pilots or behind the payload. The Viterbi algorithm decides the 32 behind it as if they were
payload, and its decisions there are thrown away.
"""

import sys
from pathlib import Path

import numpy as np
from gnuradio import reservoir
from lossy_links import FIRST, LINKS, PILOTS, UNKNOWN

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
NO_REFERENCE = (
    "The reference code is not beside the repository: links T2 and T4 have no genie."
)


def viterbi(frames):
    """Maximum likelihood (Forney, 1972) with the true taps."""
    found = []
    for frame in frames:
        memory = len(frame.taps) - 1
        decided = reservoir.viterbi_equalizer(
            frame.received[FIRST:],
            frame.payload_len + UNKNOWN,
            frame.taps,
            frame.points,
            frame.pilots[PILOTS - memory :][::-1],
        )
        found.append(decided[: frame.payload_len])
    return np.array(found)


def viterbi_moving(frames):
    """Maximum likelihood with the true taps at each sample; all frames at once.

    A state is the last symbols before sample n, a branch the symbol of sample n and those; digits
    in the number of points, the newest first.
    """
    points = frames[0].points
    order = len(points)
    received = np.array([frame.received[FIRST:] for frame in frames])
    # a frame's taps: (samples, taps), or (taps,) where they stand still
    taps = np.array(
        [
            np.broadcast_to(frame.taps, (len(frame.received), frame.taps.shape[-1]))
            for frame in frames
        ]
    )[:, FIRST:].astype(np.complex64)
    num_frames, count, num_taps = taps.shape
    num_branches = order**num_taps
    num_states = num_branches // order
    scale = order ** np.arange(num_taps - 1, -1, -1)
    symbols = points[
        np.arange(num_branches) // scale[:, None] % order
    ]  # (taps, branches)
    symbols = symbols.astype(np.complex64)

    each = np.arange(num_frames)
    past = np.array([frame.indices[FIRST - num_taps + 1 : FIRST] for frame in frames])
    metric = np.full((num_frames, num_states), np.inf, np.float32)
    metric[each, past[:, ::-1] @ scale[1:]] = 0
    forgotten = np.empty((count, num_frames, num_states), np.uint8)
    for n in range(count):
        error = received[:, n, None] - taps[:, n] @ symbols
        cost = (error.real**2 + error.imag**2).reshape(
            num_frames, order, num_states
        )
        # the new state is the branch without its last digit
        cost = (cost + metric[:, None, :]).reshape(num_frames, num_states, order)
        forgotten[n] = cost.argmin(2)
        metric = cost.min(2)
        metric -= metric.min(1, keepdims=True)

    decided = np.empty((num_frames, count), int)
    state = metric.argmin(1)
    for n in range(count - 1, -1, -1):
        branch = state * order + forgotten[n, each, state]
        decided[:, n] = branch // num_states
        state = branch % num_states
    return decided[:, : frames[0].payload_len]


def oracle(frames):
    """The research code's receiver, its readout trained on the true payload; 64 survivors.

    A near-bound. It knows the carrier's true phase where there is one.
    """
    receiver = research_code()
    one = frames[0]
    count = len(one.indices)
    indices = np.array([frame.indices for frame in frames])
    first, end = FIRST, FIRST + one.payload_len
    sim = dict(
        r=np.array([frame.received for frame in frames]).astype(complex),
        x=one.points[indices],
        C=one.points,
        F=len(frames),
        N=count,
        D=one.payload_len,
        sps=one.sps,
        pil=slice(UNKNOWN, first),
        dat=slice(first, end),
    )
    phase = None
    if one.phase is not None:
        phase = np.array([frame.phase for frame in frames])
    return receiver.oracle(sim, indices[:, first:end], phase=phase)


def research_code():
    """The module receiver of ../shared/reference; None where it is not there."""
    if not (REFERENCE / "receiver.py").exists():
        return None
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    if str(REFERENCE) not in sys.path:
        sys.path.append(str(REFERENCE))
    try:
        import receiver
    finally:
        sys.dont_write_bytecode = keep
    return receiver


def available(name):
    """Whether the link's genie can be asked on this machine."""
    return LINKS[name].genie != "oracle" or (REFERENCE / "receiver.py").exists()


def decide(name, frames):
    """Indices of the payloads, (frames, payload_len), as the link's genie decides them."""
    return globals()[LINKS[name].genie](frames)
