#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The equalizers of liquid-dsp (Debian: libliquid1): LMS and RLS, trained on the pilots."""

import ctypes

import numpy as np

from gnuradio.reservoir.campaign.links import SingleCarrier
from gnuradio.reservoir.campaign.peers import Unsuitable, check


def library():
    for name in ("libliquid.so.1", "libliquid.so"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            pass
    raise Unsuitable("liquid-dsp is not installed (Debian: libliquid1)")


def address(values):
    return ctypes.c_void_p(values.ctypes.data)


class Liquid:
    """Taps from liquid-dsp's training, `passes` times over the pilots; they then stay as they are. The
    decision delay is half the taps."""

    links = SingleCarrier
    kind = ""  # of liquid-dsp's objects

    def __init__(
        self, link, num_taps: int = 16, bandwidth: float = 0.3, passes: int = 1
    ):
        if link.streams > 1 or link.antennas > 1 or link.samples_per_symbol > 1:
            raise Unsuitable("it takes one antenna, at one sample per symbol")
        check("num_taps", num_taps, 1, 1024)
        check("passes", passes, 1, 1000)
        self._link, self._library = link, library()
        self._taps, self._delay = num_taps, num_taps // 2
        self._bandwidth, self._passes = bandwidth, passes

    def _call(self, verb, *arguments, result=ctypes.c_int):
        function = getattr(self._library, f"{self.kind}_cccf_{verb}")
        function.restype = result
        return function(*arguments)

    def receive(self, frames):
        return [self._receive(frame) for frame in frames]

    def _receive(self, frame):
        received, pilots = frame.received[0], frame.pilots[0]
        taps = self._trained(received, pilots)
        symbols = np.convolve(received, taps)[self._delay :]
        return symbols[len(pilots) :][: self._link.payload]

    def _trained(self, received, pilots):
        """The taps that turn samples into the symbols `delay` before them."""
        seen = np.ascontiguousarray(received[: len(pilots) + self._delay])
        wanted = np.concatenate([np.zeros(self._delay), pilots]).astype(np.complex64)
        taps = np.zeros(self._taps, np.complex64)
        taps[self._delay] = 1.0
        handle = ctypes.c_void_p(
            self._call(
                "create",
                address(taps),
                ctypes.c_uint(len(taps)),
                result=ctypes.c_void_p,
            )
        )
        self._call("set_bw", handle, ctypes.c_float(self._bandwidth))
        for _ in range(self._passes):
            arguments = address(taps), address(seen), address(wanted)
            self._call("train", handle, *arguments, ctypes.c_uint(len(seen)))
        self._call("destroy", handle)
        return taps


class Lms(Liquid):
    kind = "eqlms"


class Rls(Liquid):
    kind = "eqrls"


RECEIVERS = {"liquid_lms": Lms, "liquid_rls": Rls}
