#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Equalizers that GNU Radio ships, in flowgraphs: the frames of a block follow each other in a stream.

They have no decision delay, so that their tags are moved; each frame starts with the taps of the one
before.
"""

import numpy as np
import pmt

from gnuradio import blocks, digital, gr

from .links import SingleCarrier
from .peers import Unsuitable, check

TRAINING_TAG = "training_start"


def _tag(offset):
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = int(offset), pmt.intern(TRAINING_TAG), pmt.PMT_T
    return tag


class StreamEqualizer:
    """What the others share; the training tag is moved `offset` symbols later."""

    links = SingleCarrier
    MOST_OFFSET = 64

    def __init__(self, link, offset):
        if link.streams > 1 or link.antennas > 1:
            raise Unsuitable("it takes one antenna and one stream")
        if link.known_period:
            raise Unsuitable("it knows the pilots in front only")
        if not link.same_pilots:
            raise Unsuitable("it has one training sequence: set same_pilots = true")
        check("offset", offset, 0, self.MOST_OFFSET)
        self._link, self._offset = link, int(offset)
        # they need the points at unit power
        self._constellation = digital.constellation_calcdist(
            list(link.points()), [], 4, 1, digital.constellation.POWER_NORMALIZATION
        )

    def receive(self, frames):
        link = self._link
        sps, size = link.samples_per_symbol, frames[0].received.shape[1]
        behind = np.zeros(self.MOST_OFFSET * sps)
        samples = np.concatenate([*(frame.received[0] for frame in frames), behind])
        tags = [_tag(k * size + self._offset * sps) for k in range(len(frames))]
        pilots = frames[0].pilots[0].tolist()
        top = gr.top_block()
        sink = blocks.vector_sink_c()
        top.connect(
            blocks.vector_source_c(samples.tolist(), False, 1, tags),
            self._equalizer(pilots),
            sink,
        )
        top.run()
        symbols = np.array(sink.data(), np.complex64)
        begins = [k * size // sps + self._offset for k in range(len(frames))]
        return [self._payload(symbols, begin, pilots)[None] for begin in begins]

    def _payload(self, symbols, begin, pilots):
        """begin: place of the first pilot."""
        begin += len(pilots)
        return symbols[begin : begin + self._link.payload]


class _Linear(StreamEqualizer):
    """digital.linear_equalizer; adapt: on the payload as well."""

    def __init__(
        self,
        link,
        num_taps: int = 16,
        offset: int = 4,
        step_size: float = 0.03,
        adapt: bool = False,
    ):
        super().__init__(link, offset)
        check("num_taps", num_taps, 1, 1024)
        check("step_size", step_size, 0, 10)
        self._num_taps, self._step_size, self._adapt = num_taps, step_size, adapt

    def _equalizer(self, pilots):
        return digital.linear_equalizer(
            self._num_taps,
            self._link.samples_per_symbol,
            self._algorithm().base(),
            self._adapt,
            pilots,
            TRAINING_TAG,
        )


class Lms(_Linear):
    def _algorithm(self):
        return digital.adaptive_algorithm_lms(
            self._constellation.base(), self._step_size
        )


class Nlms(_Linear):
    def __init__(
        self,
        link,
        num_taps: int = 16,
        offset: int = 4,
        step_size: float = 0.3,
        adapt: bool = False,
    ):
        super().__init__(link, num_taps, offset, step_size, adapt)

    def _algorithm(self):
        return digital.adaptive_algorithm_nlms(
            self._constellation.base(), self._step_size
        )


class Cma(_Linear):
    """Blind: it knows the modulus only. The pilots tell delay and phase of what it converges to."""

    MOST_LAG = 12  # symbols

    def _algorithm(self):
        return digital.adaptive_algorithm_cma(
            self._constellation.base(), self._step_size, 2
        )

    def _payload(self, symbols, begin, pilots):
        def gain(lag):
            seen = symbols[begin + lag :][: len(pilots)]
            return np.vdot(seen, pilots) / max(np.vdot(seen, seen).real, 1e-12)

        lags = range(-min(begin, self.MOST_LAG), self.MOST_LAG + 1)
        lag = max(lags, key=lambda lag: abs(gain(lag)))
        return gain(lag) * super()._payload(symbols, begin + lag, pilots)


class DecisionFeedback(StreamEqualizer):
    """digital.decision_feedback_equalizer with LMS. Unless it adapts, it feeds back zeros."""

    def __init__(
        self,
        link,
        forward: int = 16,
        feedback: int = 8,
        offset: int = 4,
        step_size: float = 0.03,
    ):
        super().__init__(link, offset)
        check("forward", forward, 1, 1024)
        check("feedback", feedback, 1, 1024)
        check("step_size", step_size, 0, 10)
        self._forward, self._feedback, self._step_size = forward, feedback, step_size

    def _equalizer(self, pilots):
        algorithm = digital.adaptive_algorithm_lms(
            self._constellation.base(), self._step_size
        )
        return digital.decision_feedback_equalizer(
            self._forward,
            self._feedback,
            self._link.samples_per_symbol,
            algorithm.base(),
            True,
            pilots,
            TRAINING_TAG,
        )


KINDS = {"lms": Lms, "nlms": Nlms, "cma": Cma, "dfe": DecisionFeedback}
