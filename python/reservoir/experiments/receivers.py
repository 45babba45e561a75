#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The receivers that the experiments compare. A new one is one more entry of RECEIVERS."""

import dataclasses
import typing

from gnuradio import blocks, digital, gr, reservoir

from .maximum_likelihood import MaximumLikelihood

TRAINING_TAG = "corr_est"


@dataclasses.dataclass(frozen=True)
class Frame:
    """What is sent: pilots, payload_len random symbols, a gap of zeros; unit power."""

    constellation: digital.constellation
    pilots: tuple
    payload_len: int = 512
    gap: int = 16

    def __len__(self):
        return len(self.pilots) + self.payload_len + self.gap


@dataclasses.dataclass(frozen=True)
class Receiver:
    """A receiver and how it is drawn.

    make(frame, **settings) returns blocks to be connected one after the other; its output symbol
    k, counted from the frame's tag, is symbol k of the frame. grid has the values of each setting
    that are tried on calibration frames; those with the least symbol error rate are used.
    """

    name: str
    label: str
    description: str
    make: typing.Callable
    style: dict
    grid: dict = dataclasses.field(default_factory=dict)
    max_points: int = 4096


LINEAR_TAPS = 16
FORWARD_TAPS, FEEDBACK_TAPS = 16, 8
OFFSETS = tuple(range(0, 13, 2))  # of tags, symbols


def late_tags(offset):
    """In-tree equalizers have no decision delay: their tags are moved offset symbols later."""
    block = blocks.copy(gr.sizeof_gr_complex)
    block.declare_sample_delay(offset)
    return block


def make_linear(algorithm):
    """A maker of the in-tree linear equalizer with an adaptive algorithm."""

    def make(frame, offset, step_size, adapt_after_training):
        equalizer = digital.linear_equalizer(
            LINEAR_TAPS,
            1,
            algorithm(frame.constellation.base(), step_size).base(),
            adapt_after_training,
            frame.pilots,
            TRAINING_TAG,
        )
        return [late_tags(offset), equalizer]

    return make


def make_dfe(frame, offset, step_size):
    """In-tree decision feedback equalizer. Unless it adapts, it feeds back zeros."""
    equalizer = digital.decision_feedback_equalizer(
        FORWARD_TAPS,
        FEEDBACK_TAPS,
        1,
        digital.adaptive_algorithm_lms(frame.constellation.base(), step_size).base(),
        True,
        frame.pilots,
        TRAINING_TAG,
    )
    return [late_tags(offset), equalizer]


def make_with(detector):
    """A maker of reservoir.equalizer with what detector(frame) returns."""

    def make(frame):
        return [
            reservoir.equalizer(
                detector(frame),
                training_sequence=frame.pilots,
                training_start_tag=TRAINING_TAG,
                payload_len=frame.payload_len,
            )
        ]

    return make


# Colours of Okabe and Ito, which colour-blind readers tell apart.
RECEIVERS = (
    Receiver(
        "lms",
        "LMS",
        f"digital.linear_equalizer with adaptive_algorithm_lms, {LINEAR_TAPS} taps, its tags "
        "moved by an offset, as it has no decision delay; each frame starts with the taps of "
        "the one before",
        make_linear(digital.adaptive_algorithm_lms),
        dict(color="#D55E00", marker="^", linestyle="-.", markersize=7),
        dict(
            offset=OFFSETS,
            step_size=(0.01, 0.03, 0.06, 0.1),
            adapt_after_training=(False, True),
        ),
    ),
    Receiver(
        "nlms",
        "NLMS",
        "the same with adaptive_algorithm_nlms",
        make_linear(digital.adaptive_algorithm_nlms),
        dict(color="#CC79A7", marker="v", linestyle="-.", markersize=7),
        dict(
            offset=OFFSETS,
            step_size=(0.1, 0.3, 0.6, 1.0),
            adapt_after_training=(False, True),
        ),
    ),
    Receiver(
        "dfe",
        "LMS-DFE",
        f"digital.decision_feedback_equalizer with adaptive_algorithm_lms, {FORWARD_TAPS} forward "
        f"and {FEEDBACK_TAPS} feedback taps, its tags moved by an offset",
        make_dfe,
        dict(color="#56B4E9", marker="P", linestyle="-.", markersize=7),
        dict(offset=OFFSETS, step_size=(0.01, 0.03, 0.06, 0.1)),
    ),
    Receiver(
        "fir",
        "LS-FIR",
        "reservoir.equalizer(reservoir.fir()): least squares, 24 taps, delay 12",
        make_with(lambda frame: reservoir.fir()),
        dict(
            color="#0072B2", marker="o", linestyle="-", markersize=11, fillstyle="none"
        ),
    ),
    Receiver(
        "esn",
        "Random ESN",
        "reservoir.equalizer(reservoir.esn()): 32 random neurons, window 24, delay 12",
        make_with(lambda frame: reservoir.esn()),
        dict(color="#E69F00", marker="s", linestyle="--", markersize=5),
    ),
    Receiver(
        "configured_esn",
        "Configured ESN",
        "reservoir.equalizer(reservoir.configured_esn(constellation)): whole frames, 8 survivors, "
        "2 refits. It wins because it estimates the channel from the pilots and sets its poles by "
        "it, where the others fit a filter to few pilots or draw a network at random. Decisions "
        "of several survivors are fed back, which takes away echoes that a linear filter can "
        "only undo by raising the noise, and the receiver is fitted again on the decided frame",
        make_with(
            lambda frame: reservoir.configured_esn(
                constellation=frame.constellation.base()
            )
        ),
        dict(color="#009E73", marker="D", linestyle="-", markersize=5),
    ),
    Receiver(
        "mlse",
        "MLSE, channel known",
        "the bound: the Viterbi algorithm with the true channel, but for one complex gain. Its "
        "states are the points to the power of the channel's memory: QPSK only",
        lambda frame: [MaximumLikelihood(frame)],
        dict(color="black", marker="", linestyle=":"),
        max_points=4,
    ),
)


def receivers(frame):
    """Those that can be run on the frame's constellation."""
    size = len(frame.constellation.points())
    return [r for r in RECEIVERS if size <= r.max_points]
