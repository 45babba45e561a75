#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Flowgraphs that several experiments run, and the figures taken from them."""

import dataclasses
import itertools
import math
import time

import numpy as np
import pmt

from gnuradio import blocks, digital, gr, reservoir

from .receivers import TRAINING_TAG, Frame

FRAME_TAG = "frame_start"
NUM_TAPS, DECAY = 6, 2.0
INPUT_BACKOFF_DB, SMOOTHNESS = 3.0, 2.0

CONSTELLATIONS = {
    "QPSK": digital.constellation_qpsk,
    "16-QAM": digital.constellation_16qam,
}


@dataclasses.dataclass
class Outcome:
    """What one receiver did on the frames of one flowgraph."""

    frame_ser: np.ndarray  # symbol error rate of each frame
    symbol_errors: int
    symbols: int
    evm_db: float
    training_seconds: float  # median over the frames; NaN where no training is reported

    @property
    def ser(self):
        return self.symbol_errors / self.symbols

    @property
    def ci95(self):
        """Half the normal 95 % interval. Frames have independent channels, symbols have not."""
        return half_interval(self.frame_ser)


def half_interval(values):
    """Half the 95 % interval of the mean of independent values."""
    return 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))


def make_frame(modulation, num_pilots=64, payload_len=512, seed=1):
    """A frame of the named modulation. In-tree equalizers need the points at unit power."""
    points = CONSTELLATIONS[modulation]().points()
    constellation = digital.constellation_calcdist(
        points, [], 4, 1, digital.constellation.POWER_NORMALIZATION
    )
    pilots = reservoir.random_pilots(constellation.base(), num_pilots, seed)
    return Frame(constellation, tuple(pilots), payload_len)


def run(top):
    """Run a flowgraph to its end; Ctrl-C stops it and is passed on."""
    top.handle_sigint = False
    top.start()
    try:
        top.wait()
    except BaseException:
        top.stop()
        top.wait()
        raise


class Link(gr.top_block):
    """Frames over a saturating amplifier, a fading channel and noise to receivers side by side.

    chains: one list of blocks per receiver, as Receiver.make returns them
    capture: keep the symbols received, for pictures
    """

    def __init__(self, frame, snr_db, chains, num_frames, seed, capture=False):
        super().__init__("link")
        constellation = frame.constellation.base()
        self._source = reservoir.frame_source(
            constellation,
            frame.pilots,
            payload_len=frame.payload_len,
            gap=frame.gap,
            num_frames=num_frames,
            seed=seed,
            frame_tag=FRAME_TAG,
            training_tag=TRAINING_TAG,
        )
        channel = reservoir.software_channel(
            snr_db=snr_db,
            power_delay_profile=reservoir.exponential_profile(NUM_TAPS, DECAY),
            amplifier="rapp",
            smoothness=SMOOTHNESS,
            input_backoff_db=INPUT_BACKOFF_DB,
            seed=seed,
            redraw_tag=FRAME_TAG,
            constellation=constellation,
        )
        self.connect(self._source, channel)
        self._meters, self._reports, self.sinks = [], [], []
        for chain in chains:
            meter = reservoir.symbol_error_meter(
                constellation, self._source, frame_tag=FRAME_TAG
            )
            self.connect(channel, *chain, meter)
            self._meters.append(meter)
            self._reports.append(self._store_reports(chain[-1]))
        if capture:
            self.sinks = [blocks.vector_sink_c() for _ in range(1 + len(chains))]
            for chain, sink in zip([[], *chains], self.sinks):
                self.connect(*(chain[-1:] or [channel]), sink)
        self._frame, self._num_frames = frame, num_frames

    def _store_reports(self, block):
        ports = pmt.to_python(block.message_ports_out())
        if "report" not in ports:
            return None
        store = blocks.message_debug()
        self.msg_connect(block, "report", store, "store")
        return store

    def outcomes(self):
        """The Outcome of each receiver, after the run."""
        return [
            self._outcome(meter, store)
            for meter, store in zip(self._meters, self._reports)
        ]

    def _outcome(self, meter, store):
        if meter.total_frames() != self._num_frames:
            raise RuntimeError(
                f"{meter.total_frames()} of {self._num_frames} frames were received"
            )
        errors, symbols = np.array(meter.frame_ser()).T
        return Outcome(
            errors / symbols,
            meter.symbol_errors(),
            meter.total_symbols(),
            meter.evm_db(),
            _median_seconds(store),
        )

    def captured(self):
        """Payload symbols: as received, then those out of each receiver."""
        return [self._payload(sink) for sink in self.sinks]

    def _payload(self, sink):
        symbols = np.array(sink.data(), np.complex64)
        first = len(self._frame.pilots)
        starts = [
            tag.offset + first
            for tag in sink.tags()
            if pmt.symbol_to_string(tag.key) == FRAME_TAG
        ]
        return np.concatenate(
            [symbols[start : start + self._frame.payload_len] for start in starts]
        )


def _median_seconds(store):
    if store is None or not store.num_messages():
        return float("nan")
    reports = map(store.get_message, range(store.num_messages()))
    key = pmt.intern("seconds")
    return float(
        np.median(
            [
                pmt.to_double(pmt.dict_ref(report, key, pmt.PMT_NIL))
                for report in reports
                if pmt.dict_has_key(report, key)  # else a warning without a training
            ]
        )
    )


def calibrate(receiver, frame, snr_db, num_frames, seed):
    """The settings of the receiver's grid with the fewest errors on frames of their own."""
    settings = [
        dict(zip(receiver.grid, values))
        for values in itertools.product(*receiver.grid.values())
    ]
    if len(settings) == 1:
        return settings[0]
    chains = [receiver.make(frame, **setting) for setting in settings]
    link = Link(frame, snr_db, chains, num_frames, seed)
    run(link)
    # equal error rates (none at all, say): the error vector decides
    best = min(
        zip(link.outcomes(), settings), key=lambda item: (item[0].ser, item[0].evm_db)
    )
    return best[1]


RECORDED_FRAMES = 64


def symbol_rate(receiver, frame, settings, snr_db, seed, seconds):
    """Symbols per second (pilots, payload and gap) of the receiver alone, after a vector source.

    The run is made to last about the given time, start and end of the flowgraph included.
    """
    record = Link(frame, snr_db, [], RECORDED_FRAMES, seed, capture=True)
    run(record)
    (sink,) = record.sinks

    def timed(num_frames):
        top = gr.top_block()
        # a flowgraph does not keep a block alive that is written in Python
        chain = receiver.make(frame, **settings)
        top.connect(
            blocks.vector_source_c(sink.data(), True, 1, sink.tags()),
            blocks.head(gr.sizeof_gr_complex, num_frames * len(frame)),
            *chain,
            blocks.null_sink(gr.sizeof_gr_complex),
        )
        begin = time.perf_counter()
        run(top)
        return time.perf_counter() - begin

    num_frames = math.ceil(RECORDED_FRAMES * seconds / timed(RECORDED_FRAMES))
    return num_frames * len(frame) / timed(num_frames)
