#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What a worker does: functions of plain arguments, the same result wherever they run."""

import contextlib
import time

import numpy as np

from ..modulations import nearest

FIRST_TUNING_FRAME = 2**40  # other frames than those that are counted


def receive_block(kinds, link, seed, first, count, receivers):
    """{receiver: record} of frames first ... first + count - 1; receivers: {name: (kind, parameters)}.

    kinds: kinds.Kinds; link: its kind and entries
    A record has, for each frame: wrong symbols, wrong bits, squared error of the payload's symbols,
    which have unit power, and what count_errors has more; and the seconds that the receiver took for all.
    """
    with said(kinds, "frames"):
        link = kinds.link(**link)
        frames = [link.make_frame(seed, first + k) for k in range(count)]
    found = {}
    for name, (kind, parameters) in receivers.items():
        with said(kinds, name):
            receiver = kinds.receivers[kind](link, **parameters)
            begin = time.perf_counter()
            symbols = receiver.receive(frames)
            seconds = time.perf_counter() - begin
            found[name] = dict(count_errors(link, frames, symbols), seconds=seconds)
    return found


@contextlib.contextmanager
def said(kinds, what):
    """Errors are sentences that say what fails."""
    try:
        yield
    except Exception as error:
        raise RuntimeError(f"{what}: {kinds.described(error)}") from error


def check_shapes(frames, symbols):
    """Of each frame its payload's, or all in one row: numpy would repeat what is too short."""
    given = f"{len(symbols)} frames" if hasattr(symbols, "__len__") else repr(symbols)
    if given != f"{len(frames)} frames":
        raise ValueError(
            f"receive gave {given}: must be a list of the symbols of {len(frames)} frames"
        )
    for frame, found in zip(frames, symbols):
        shape, wanted = np.shape(found), frame.payload.shape
        if shape not in (wanted, (frame.payload.size,)):
            raise ValueError(
                f"receive gave an array of shape {shape} for a frame: must be {wanted}, "
                "as its payload"
            )


def count_errors(link, frames, symbols):
    """Of all frames, by their payloads; symbols that are not finite count as zeros. Where the payload is
    a packet, lost_packets are those that cannot be decoded from the symbols."""
    check_shapes(frames, symbols)
    points = link.points()
    sent = np.array([frame.payload.ravel() for frame in frames])
    found = np.array([np.ravel(one) for one in symbols])
    found = np.where(np.isfinite(found), found, 0)
    differing = (nearest(points, found) ^ sent).astype(np.uint8)
    counted = dict(
        wrong=np.count_nonzero(differing, axis=1).tolist(),
        bits=np.unpackbits(differing, axis=1).sum(axis=1).tolist(),
        error=np.sum(np.abs(found - points[sent]) ** 2, axis=1).tolist(),
    )
    if form := link.packet_format():
        data = [(form.decode(row) or [None])[0] for row in found]
        lost = [one != frame.data for one, frame in zip(data, frames)]
        counted["lost_packets"] = list(map(int, lost))
    return counted


def tune(kinds, link, seed, count, block, kind, parameters, settings):
    """The place of the settings with the fewest wrong symbols; where they are equal, the least error."""
    with said(kinds, kind):
        link = kinds.link(**link)
        frames = [link.make_frame(seed, FIRST_TUNING_FRAME + k) for k in range(count)]
        scores = []
        for which, setting in enumerate(settings):
            receiver = kinds.receivers[kind](link, **parameters, **setting)
            wrong = error = 0
            for first in range(0, count, block):
                here = frames[first : first + block]
                counted = count_errors(link, here, receiver.receive(here))
                wrong += sum(counted["wrong"])
                error += sum(counted["error"])
            scores.append((wrong, error, which))
    return min(scores)[2]
