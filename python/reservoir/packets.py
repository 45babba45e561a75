#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Packets over bursts: bytes to a burst's symbols and back, as functions and as blocks."""

import ctypes
import math
import queue

import numpy as np
import pmt

from gnuradio import digital, fec, gr

from .link import _check_range
from .reservoir_python import burst_preamble

_CODES = ("none", "cc")
_HEADER_LEN = (
    4  # payload length and sequence number, 16 bits each, most significant byte first
)
_CRC_LEN = 4
_OVERHEAD = _HEADER_LEN + _CRC_LEN
_MAX_SYMBOLS = 1 << 17
_SEQUENCES = 1 << 16
_CONSTRAINT_LEN = 7  # of the code of rate 1/2
_POLYNOMIALS = [79, 109]
_CODE_TAIL = _CONSTRAINT_LEN - 1

_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def _buffer(array):
    """An array's memory as gr-fec's encoders and decoders take it."""
    return _capsule(array.ctypes.data, None, None)


def _check_code(code):
    if code not in _CODES:
        raise ValueError(f"code = {code!r}: must be one of {_CODES}")


def _check_constellation(constellation):
    points = np.array(constellation.points(), np.complex64)
    bits = constellation.bits_per_symbol()
    if constellation.dimensionality() != 1 or len(points) != 1 << bits or bits < 1:
        raise ValueError(
            f"constellation of {len(points)} points, {constellation.dimensionality()} per "
            "symbol: must have one complex number per symbol and 2, 4, 8 ... points"
        )
    if constellation.apply_pre_diff_code():
        points = points[np.array(constellation.pre_diff_code())]
    return points / np.sqrt(np.mean(np.abs(points) ** 2))


def _whitening(count):
    """The first bits of the register x^9 + x^5 + 1 that starts with ones, (count,)."""
    register = digital.lfsr(0x21, 0x1FF, 8)
    return np.array([register.next_bit() for _ in range(count)], np.uint8)


class packet_format:
    """How a packet lies in the payload of a burst: its bytes to symbols, and symbols to bytes.

    A packet is a header (length of the data and sequence number, 16 bits each, most significant
    byte first), the data, zeros up to the capacity, and the CRC-32 of all that. Its bits, the
    most significant of a byte first, are whitened with x^9 + x^5 + 1, coded if wanted,
    interleaved, and become the points of the constellation that bear these labels, scaled to
    unit mean power. With code="cc" a terminated convolutional code of rate 1/2 and constraint
    length 7 (gr-fec, polynomials 79 and 109) is decoded from soft decisions.

    constellation: one complex number per symbol, 2**n points
    payload_len: symbols per packet, 1 ... 2**17
    code: "none" or "cc"
    """

    def __init__(self, constellation, payload_len=512, code="none"):
        _check_range("payload_len", payload_len, 1, _MAX_SYMBOLS)
        _check_code(code)
        self.points = _check_constellation(constellation)
        self.payload_len = int(payload_len)
        self.code = code
        self._bits_per_symbol = (len(self.points) - 1).bit_length()
        num_bits = self.payload_len * self._bits_per_symbol
        available = num_bits if code == "none" else num_bits // 2 - _CODE_TAIL
        self.capacity = available // 8 - _OVERHEAD
        if not 1 <= self.capacity < 1 << 16:
            raise ValueError(
                f"payload_len = {payload_len}: holds {self.capacity} bytes of data with "
                f"{len(self.points)} points and code {code!r}; must be 1 ... 65535"
            )
        self._num_info = 8 * (self.capacity + _OVERHEAD)
        self._crc = digital.crc(32, 0x04C11DB7, 0xFFFFFFFF, 0xFFFFFFFF, True, True)
        self._whitening = _whitening(num_bits)
        self._num_coded = self._num_info
        if code == "cc":
            arguments = self._num_info, _CONSTRAINT_LEN, 2, _POLYNOMIALS, 0
            self._encoder = fec.cc_encoder.make(*arguments, fec.CC_TERMINATED)
            self._decoder = fec.cc_decoder.make(*arguments, 0, fec.CC_TERMINATED)
            self._num_coded = self._encoder.get_output_size()
        # Symbols that are wrong one after another are spread: the stride has no common divisor.
        stride = math.isqrt(num_bits) | 1
        while math.gcd(stride, num_bits) > 1:
            stride += 2 - num_bits % 2
        self._order = np.arange(num_bits) * stride % num_bits
        labels = np.arange(len(self.points))
        shifts = np.arange(self._bits_per_symbol)[::-1]
        self._label_bits = (labels[:, None] >> shifts & 1).astype(np.uint8)
        self._weights = 1 << shifts

    def encode(self, data, sequence=0):
        """The symbols, complex64 (payload_len,), of a packet.

        data: bytes, at most capacity of them
        sequence: 0 ... 65535
        """
        if len(data) > self.capacity:
            raise ValueError(
                f"data of {len(data)} bytes: must be at most {self.capacity}"
            )
        _check_range("sequence", sequence, 0, _SEQUENCES - 1)
        header = len(data).to_bytes(2, "big") + int(sequence).to_bytes(2, "big")
        packet = header + bytes(data) + bytes(self.capacity - len(data))
        packet += self._crc.compute(list(packet)).to_bytes(_CRC_LEN, "big")
        info = np.unpackbits(np.frombuffer(packet, np.uint8))
        info ^= self._whitening[: self._num_info]
        bits = self._whitening.copy()  # what is left over
        if self.code == "none":
            bits[: self._num_coded] = info
        else:
            coded = np.empty(self._num_coded, np.uint8)
            self._encoder.generic_work(_buffer(info), _buffer(coded))
            bits[: self._num_coded] = coded
        labels = bits[self._order].reshape(self.payload_len, -1) @ self._weights
        return self.points[labels]

    def decode(self, symbols):
        """(data, sequence) of a packet, or None where its CRC is wrong.

        symbols: complex (payload_len,), at the scale of encode
        """
        return self.decode_with_evm(symbols)[0]

    def decode_with_evm(self, symbols):
        """What decode returns, and the error vector magnitude to the nearest points.

        The latter in dB of the constellation's power, NaN where a symbol is not finite.
        """
        symbols = np.asarray(symbols)
        if symbols.shape != (self.payload_len,):
            raise ValueError(
                f"symbols of shape {symbols.shape}: must be ({self.payload_len},)"
            )
        errors = self.points[:, None] - symbols
        distances = errors.real**2 + errors.imag**2
        evm = float(np.mean(distances.min(0)))
        if not math.isfinite(evm):
            return None, math.nan
        return self._packet(distances), 10 * math.log10(max(evm, 1e-12))

    def _packet(self, distances):
        received = np.empty(len(self._order), np.float32)
        if self.code == "none":
            received[self._order] = self._label_bits[distances.argmin(0)].ravel()
            info = received[: self._num_info].astype(np.uint8)
        else:
            received[self._order] = self._soft_bits(distances).ravel()
            info = self._viterbi(received[: self._num_coded])
        packet = np.packbits(info ^ self._whitening[: self._num_info]).tobytes()
        body, crc = packet[:-_CRC_LEN], packet[-_CRC_LEN:]
        length = int.from_bytes(body[:2], "big")
        if length > self.capacity:
            return None
        if self._crc.compute(list(body)) != int.from_bytes(crc, "big"):
            return None
        data = body[_HEADER_LEN : _HEADER_LEN + length]
        return data, int.from_bytes(body[2:_HEADER_LEN], "big")

    def _soft_bits(self, distances):
        """Log-likelihood ratios of the bits, max-log, times the noise variance; 1 is positive.

        distances: squared, (points, payload_len)
        """
        ratios = np.empty((self.payload_len, self._bits_per_symbol), np.float32)
        for bit, ones in enumerate(self._label_bits.T.astype(bool)):
            ratios[:, bit] = distances[~ones].min(0) - distances[ones].min(0)
        return ratios

    def _viterbi(self, ratios):
        # The noise variance is a factor common to the frame, which moves no decision of the
        # Viterbi algorithm; only the eight bits it works on must be filled.
        scale = 50.0 / max(float(np.mean(np.abs(ratios))), 1e-9)
        soft = np.clip(np.rint(127.5 + scale * ratios), 0, 255).astype(np.uint8)
        info = np.zeros(self._num_info + 64, np.uint8)
        self._decoder.generic_work(_buffer(soft), _buffer(info))
        return info[: self._num_info]


def packet_capacity(constellation, payload_len=512, code="none"):
    """Bytes of data that a packet holds.

    With n bits per symbol: payload_len * n // 8 - 8 without a code, (payload_len * n // 2 - 6) // 8
    - 8 with code="cc"; 120 and 55 for 512 symbols of QPSK.

    constellation, payload_len, code: as packet_format
    """
    return packet_format(constellation, payload_len, code).capacity


class packet_encoder(gr.sync_block):
    """Packets to bursts: preamble, pilots, the packet's symbols, a gap of zeros.

    Packets come as PDUs (message port "pdus") of bytes, at most capacity() of them, or by send().
    They wait in a queue of max_queue; a PDU that finds it full, or is too long, is dropped,
    logged and counted. pmt.PMT_EOF on the port, or finish(), ends the stream after the packets
    that wait. Whenever the queue runs empty a tail of 1024 zeros follows, so that receivers that
    look ahead give the last packet; then the block sends zeros if continuous, as transmitters that
    must not starve need it, or waits. packet_format tells how a packet lies in its payload.

    Tags: burst_start with the packet's number (uint64) on a burst's first symbol; frame_start with
    a dictionary {frame, pilots, payload} on its first pilot.

    constellation: one complex number per symbol, 2**n points
    pilots: complex values that receivers know, 1 ... 2**17 of them, sent as they are
    payload_len: symbols per packet, 1 ... 2**17
    code: "none" or "cc"
    gap: zeros after a burst, in symbols, 0 ... 2**17
    continuous: send zeros while there is no packet
    max_queue: packets that wait, 1 ... 65536
    """

    TAIL = 1024  # symbols

    def __init__(
        self,
        constellation,
        pilots,
        payload_len=512,
        code="none",
        gap=80,
        continuous=False,
        max_queue=64,
    ):
        self._format = packet_format(constellation, payload_len, code)
        pilots = np.asarray(pilots, np.complex64)
        if pilots.ndim != 1 or not np.isfinite(pilots).all():
            raise ValueError(f"pilots of shape {pilots.shape}: must be (P,) and finite")
        _check_range("pilots length", len(pilots), 1, _MAX_SYMBOLS)
        _check_range("gap", gap, 0, _MAX_SYMBOLS)
        _check_range("max_queue", max_queue, 1, 65536)
        gr.sync_block.__init__(self, "packet_encoder", None, [np.complex64])
        self._start = np.concatenate((burst_preamble(), pilots)).astype(np.complex64)
        self._num_pilots = len(pilots)
        self._gap = np.zeros(int(gap), np.complex64)
        self._continuous = bool(continuous)
        self._queue = queue.Queue(int(max_queue))
        self._finishing = False
        self._tail = False  # owed before the block may wait
        self._burst = np.zeros(0, np.complex64)
        self._position = 0
        self._packets = 0
        self._refused = 0
        self._dropped = 0
        self.message_port_register_in(pmt.intern("pdus"))
        self.set_msg_handler(pmt.intern("pdus"), self._receive)

    def capacity(self):
        """Bytes of data that a packet holds."""
        return self._format.capacity

    def packets(self):
        """Packets sent."""
        return self._packets

    def refused(self):
        """PDUs that were too long or held no bytes."""
        return self._refused

    def dropped(self):
        """PDUs that found the queue full."""
        return self._dropped

    def send(self, data, timeout=None):
        """Queue bytes as one packet, from any thread; waits for a place in the queue.

        data: bytes, at most capacity() of them
        timeout: seconds to wait, None: without end; queue.Full is raised after that
        """
        if len(data) > self.capacity():
            raise ValueError(
                f"data of {len(data)} bytes: must be at most {self.capacity()}"
            )
        self._queue.put(bytes(data), timeout=timeout)

    def finish(self):
        """End the stream when the packets that wait are sent."""
        self._finishing = True

    def _receive(self, message):
        if pmt.eq(message, pmt.PMT_EOF):
            self.finish()
            return
        data = pmt.cdr(message) if pmt.is_pair(message) else message
        if not pmt.is_u8vector(data):
            self._refused += 1
            self.logger.warn("a message that is no PDU of bytes was refused")
            return
        data = bytes(pmt.u8vector_elements(data))
        try:
            self.send(data, timeout=0)
        except ValueError as error:
            self._refused += 1
            self.logger.warn(f"packet refused: {error}")
        except queue.Full:
            self._dropped += 1
            self.logger.warn("packet dropped: the queue is full")

    def _next_burst(self, wait):
        """Fills the burst from the queue; False where nothing is to be sent."""
        finishing = self._finishing  # before the queue is looked at
        try:
            data = self._queue.get(timeout=wait) if wait else self._queue.get_nowait()
        except queue.Empty:
            if not self._tail:
                return None if finishing else False
            self._tail = False
            self._burst = np.zeros(self.TAIL, np.complex64)
            self._position = 0
            return True
        symbols = self._format.encode(data, self._packets % _SEQUENCES)
        self._burst = np.concatenate((self._start, symbols, self._gap))
        self._position = 0
        self._tail = True
        return True

    def _tag_burst(self, offset):
        number = pmt.from_uint64(self._packets)
        self.add_item_tag(0, offset, pmt.intern("burst_start"), number)
        frame = pmt.make_dict()
        frame = pmt.dict_add(frame, pmt.intern("frame"), number)
        frame = pmt.dict_add(
            frame, pmt.intern("pilots"), pmt.from_long(self._num_pilots)
        )
        length = pmt.from_long(self._format.payload_len)
        frame = pmt.dict_add(frame, pmt.intern("payload"), length)
        pilot = offset + len(self._start) - self._num_pilots
        self.add_item_tag(0, pilot, pmt.intern("frame_start"), frame)

    def work(self, input_items, output_items):
        out = output_items[0]
        done = 0
        while done < len(out):
            if self._position == len(self._burst):
                idle = done == 0 and not self._tail and not self._continuous
                more = self._next_burst(0.002 if idle else 0)
                if more is None:
                    return done or -1
                if not more:
                    if self._continuous and done == 0:
                        done = min(len(out), self.TAIL)
                        out[:done] = 0
                    return done
                if self._tail:
                    self._tag_burst(self.nitems_written(0) + done)
                    self._packets += 1
            count = min(len(out) - done, len(self._burst) - self._position)
            out[done : done + count] = self._burst[
                self._position : self._position + count
            ]
            done += count
            self._position += count
        return done


class packet_decoder(gr.sync_block):
    """Symbols to packets: the P + payload_len symbols from each training tag on.

    PDUs come out on the message port "pdus": the data, and a dictionary with sequence, evm_db (to
    the nearest points, dB), and what the tag's dictionary holds: snr_db, cfo, amplitude, time ....
    After each frame the message port "report" sends a dictionary {frames, packets, crc_failures,
    lost, truncated, evm_db, snr_db, cfo}. lost counts the numbers that are missing between packets
    that arrived, whatever became of them: packet error rate = lost / (lost + packets). A gap of
    32768 numbers or more is another transmitter's start and counts nothing. A frame that a new tag
    or the end cuts short is truncated, and gives no packet.

    constellation: one complex number per symbol, 2**n points
    num_pilots: symbols from the tag on before the payload, 0 ... 2**17
    payload_len: symbols per packet, 1 ... 2**17
    code: "none" or "cc"
    training_tag: key of the tag on the first pilot, not empty
    """

    def __init__(
        self,
        constellation,
        num_pilots=64,
        payload_len=512,
        code="none",
        training_tag="training_start",
    ):
        self._format = packet_format(constellation, payload_len, code)
        _check_range("num_pilots", num_pilots, 0, _MAX_SYMBOLS)
        if not training_tag:
            raise ValueError(f"training_tag = {training_tag!r}: must not be empty")
        gr.sync_block.__init__(self, "packet_decoder", [np.complex64], None)
        self._num_pilots = int(num_pilots)
        self._handler = None
        self._tag = pmt.intern(training_tag)
        self._frame = np.zeros(self._num_pilots + int(payload_len), np.complex64)
        self._filled = None  # symbols of the frame that are there
        self._info = {}
        self._last = None  # sequence number
        self._frames = self._packets = self._failures = self._lost = 0
        self._truncated = 0
        self.message_port_register_out(pmt.intern("pdus"))
        self.message_port_register_out(pmt.intern("report"))

    def frames(self):
        """Whole frames decoded."""
        return self._frames

    def packets(self):
        """Packets whose CRC was right."""
        return self._packets

    def crc_failures(self):
        """Frames whose CRC was wrong."""
        return self._failures

    def lost(self):
        """Numbers missing between packets that arrived."""
        return self._lost

    def truncated(self):
        """Frames cut short."""
        return self._truncated

    def packet_error_rate(self):
        """lost / (lost + packets); NaN before the first packet."""
        total = self._lost + self._packets
        return self._lost / total if total else math.nan

    def work(self, input_items, output_items):
        symbols = input_items[0]
        tags = self.get_tags_in_window(0, 0, len(symbols), self._tag)
        first = self.nitems_read(0)
        starts = sorted((tag.offset - first, tag.value) for tag in tags)
        position = 0
        for start, value in starts:
            self._take(symbols[position:start])
            if self._filled is not None:
                self._truncated += 1
            self._filled = 0
            self._info = _tag_values(value)
            position = start
        self._take(symbols[position:])
        return len(symbols)

    def stop(self):
        if self._filled is not None:
            self._truncated += 1
            self._filled = None
        return True

    def set_handler(self, handler):
        """Call handler(data, metadata) for each packet as well, in the block's thread; None: nothing.

        Where a flowgraph ends by itself, GNU Radio may end a block that only has message ports
        before it has taken the last PDUs; a handler gets them all.
        """
        self._handler = handler

    def _take(self, symbols):
        if self._filled is None:
            return
        count = min(len(symbols), len(self._frame) - self._filled)
        self._frame[self._filled : self._filled + count] = symbols[:count]
        self._filled += count
        if self._filled == len(self._frame):
            self._filled = None
            self._decode(self._frame[self._num_pilots :])

    def _decode(self, payload):
        self._frames += 1
        packet, evm_db = self._format.decode_with_evm(payload)
        info = dict(self._info, evm_db=evm_db)
        if packet is None:
            self._failures += 1
        else:
            data, sequence = packet
            self._count(sequence)
            meta = dict(info, sequence=sequence)
            vector = pmt.init_u8vector(len(data), list(data))
            self.message_port_pub(
                pmt.intern("pdus"), pmt.cons(pmt.to_pmt(meta), vector)
            )
            if self._handler:
                self._handler(data, meta)
        report = {key: info[key] for key in ("evm_db", "snr_db", "cfo") if key in info}
        report.update(
            frames=self._frames,
            packets=self._packets,
            crc_failures=self._failures,
            lost=self._lost,
            truncated=self._truncated,
        )
        self.message_port_pub(pmt.intern("report"), pmt.to_pmt(report))

    def _count(self, sequence):
        self._packets += 1
        if self._last is not None:
            missing = (sequence - self._last - 1) % _SEQUENCES
            if missing < _SEQUENCES // 2:
                self._lost += missing
        self._last = sequence


def _tag_values(value):
    """The numbers of a tag's dictionary; {} where the tag holds something else."""
    if not pmt.is_dict(value) or pmt.is_null(value):
        return {}
    return {key: entry for key, entry in pmt.to_python(value).items() if key}
