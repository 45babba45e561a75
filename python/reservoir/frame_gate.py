#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Between a front end that cannot wait and a receiver that may be slower."""

import queue
import threading

import numpy as np
import pmt

from gnuradio import gr

from .link import _check_range


class frame_gate(gr.hier_block2):
    """Lets frames pass, whole, and drops whole frames where the receiver behind cannot keep up.

    From each training tag on frame_len samples are one frame; frames may overlap, what lies
    between them is left out. Frames wait in a queue of max_frames. Where it is full, the newest is
    dropped and counted, so the input never waits (drop=True, for radios), or the input waits
    (drop=False, for files). The tag is passed on, on the first sample of its frame; no other tag
    is. A last frame that the stream's end cuts short is filled up with zeros.
    Like every block written in Python it must be kept in a variable while the flowgraph runs.

    frame_len: samples, 1 ... 2**22; an equalizer needs (pilots + payload_len + 48) * sps
    training_tag: key of the tag on the first pilot, not empty
    max_frames: that wait, 1 ... 65536
    drop: drop frames rather than make the input wait
    """

    def __init__(
        self, frame_len, training_tag="training_start", max_frames=32, drop=True
    ):
        _check_range("frame_len", frame_len, 1, 1 << 22)
        _check_range("max_frames", max_frames, 1, 65536)
        if not training_tag:
            raise ValueError(f"training_tag = {training_tag!r}: must not be empty")
        signature = gr.io_signature(1, 1, gr.sizeof_gr_complex)
        gr.hier_block2.__init__(self, "frame_gate", signature, signature)
        tag = pmt.intern(training_tag)
        frames = _waiting_frames(int(max_frames))
        self._entry = _entry(int(frame_len), tag, frames, bool(drop))
        self._exit = _exit(tag, frames)
        self.connect(self, self._entry)
        self.connect(self._exit, self)

    def passed(self):
        """Frames let in."""
        return self._entry.passed

    def dropped(self):
        """Frames dropped."""
        return self._entry.dropped


class _waiting_frames:
    """A bounded queue that ends: by who puts frames in, or by who takes them."""

    def __init__(self, max_frames):
        self._queue = queue.Queue(max_frames)
        self.complete = threading.Event()  # nothing more comes
        self.abandoned = threading.Event()  # nothing more is taken

    def put(self, frame, wait):
        """False where the frame found no place."""
        while not self.abandoned.is_set():
            try:
                self._queue.put(frame, block=wait, timeout=0.05)
                return True
            except queue.Full:
                if not wait:
                    break
        return False

    def take(self):
        """A frame, or None where none comes soon; EOFError behind the last."""
        complete = self.complete.is_set()  # before the queue is looked at
        try:
            return self._queue.get(timeout=0.01)
        except queue.Empty:
            if complete:
                raise EOFError
            return None


class _entry(gr.sync_block):
    def __init__(self, frame_len, tag, frames, drop):
        gr.sync_block.__init__(self, "frame_gate_entry", [np.complex64], None)
        self._frame_len, self._tag, self._drop = frame_len, tag, drop
        self._frames = frames
        self._open = (
            []
        )  # [samples, filled, tag's value] of frames that are not complete
        self.passed = self.dropped = 0

    def start(self):
        self._frames.complete.clear()
        return True

    def stop(self):
        for samples, filled, value in self._open:
            samples[filled:] = 0
            self._pass(samples, value)
        self._open = []
        self._frames.complete.set()
        return True

    def work(self, input_items, output_items):
        samples = input_items[0]
        first = self.nitems_read(0)
        for frame in self._open:
            self._fill(frame, samples)
        for tag in self.get_tags_in_window(0, 0, len(samples), self._tag):
            frame = [np.empty(self._frame_len, np.complex64), 0, tag.value]
            self._fill(frame, samples[tag.offset - first :])
            self._open.append(frame)
        while self._open and self._open[0][1] == self._frame_len:
            buffer, _, value = self._open.pop(0)
            self._pass(buffer, value)
        return len(samples)

    def _fill(self, frame, samples):
        buffer, filled, _ = frame
        count = min(len(samples), self._frame_len - filled)
        buffer[filled : filled + count] = samples[:count]
        frame[1] = filled + count

    def _pass(self, samples, value):
        if self._frames.put((samples, value), not self._drop):
            self.passed += 1
        else:
            self.dropped += 1


class _exit(gr.sync_block):
    def __init__(self, tag, frames):
        gr.sync_block.__init__(self, "frame_gate_exit", None, [np.complex64])
        self._tag, self._frames = tag, frames
        self._frame = np.zeros(0, np.complex64)
        self._position = 0

    def start(self):
        self._frames.abandoned.clear()
        return True

    def stop(self):
        self._frames.abandoned.set()
        return True

    def work(self, input_items, output_items):
        out = output_items[0]
        if self._position == len(self._frame):
            try:
                frame = self._frames.take()
            except EOFError:
                return -1
            if frame is None:
                return 0
            self._frame, value = frame
            self._position = 0
            self.add_item_tag(0, self.nitems_written(0), self._tag, value)
        count = min(len(out), len(self._frame) - self._position)
        out[:count] = self._frame[self._position : self._position + count]
        self._position += count
        return count
