#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The bound that the experiments draw: maximum likelihood with the true channel."""

import numpy as np
import pmt

from gnuradio import gr, reservoir

CHANNEL_TAG = "channel"


class MaximumLikelihood(gr.basic_block):
    """Maximum-likelihood sequence estimation of frames that follow each other without a break.

    The channel is read from the "channel" tag that block_fading_cc puts on each frame's first
    sample; one complex gain, the amplifier's, is fitted to the pilots. Pilots and gap come out as they were sent, decisions at unit power.
    """

    def __init__(self, frame):
        super().__init__("maximum likelihood", [np.complex64], [np.complex64])
        self._points = np.array(frame.constellation.points(), np.complex64)
        self._pilots = np.array(frame.pilots, np.complex64)
        self._payload_len, self._frame_len = frame.payload_len, len(frame)

    def forecast(self, noutput_items, ninputs):
        return [self._frame_len] * ninputs

    def general_work(self, input_items, output_items):
        length = self._frame_len
        if len(input_items[0]) < length or len(output_items[0]) < length:
            return 0
        output_items[0][:length] = self._decide(
            input_items[0][:length], self._channel()
        )
        self.consume(0, length)
        return length

    def _channel(self):
        key = pmt.intern(CHANNEL_TAG)
        (tag,) = self.get_tags_in_window(0, 0, 1, key)
        return np.array(pmt.c32vector_elements(tag.value), np.complex64)

    def _decide(self, received, channel):
        pilots, first = self._pilots, len(self._pilots)
        memory = len(channel) - 1
        model = np.convolve(pilots, channel)[memory:first]
        gain = np.vdot(model, received[memory:first]) / np.vdot(model, model).real
        end = first + self._payload_len
        look_ahead = min(memory, len(received) - end)
        decisions = reservoir.viterbi_equalizer(
            received[first : end + look_ahead],
            self._payload_len,
            gain * channel,
            self._points,
            pilots[::-1],
            np.zeros(look_ahead),
        )
        symbols = np.zeros(len(received), np.complex64)
        symbols[:first], symbols[first:end] = pilots, self._points[decisions]
        return symbols
