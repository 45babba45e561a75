#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""A receiver for the packets of digital.ofdm_tx, with equalizers that can be chosen."""

import itertools

import numpy as np

from gnuradio import analog, blocks, digital, fft, gr

from .checks import check_integer
from .reservoir_python import ofdm_equalizer_configured

_HEADER_SYMBOLS = 1
_SCRAMBLER_MASK, _SCRAMBLER_SEED, _SCRAMBLER_LENGTH = 0x8A, 0x7F, 7
# carriers that those of digital.ofdm_tx need, -26 ... 26 and -21 ... 21
_DEFAULT_WIDTHS = {"occupied_carriers": 53, "pilot_carriers": 43}
_CONSTELLATIONS = {
    1: digital.constellation_bpsk,
    2: digital.constellation_qpsk,
    3: digital.constellation_8psk,
}


def _transmitter(fft_len, cp_len, **settings):
    """A digital.ofdm_tx, for the carriers, pilots and sync words that it uses by default. It is
    not connected. Its constructor sets the seed of numpy's generator, which is put back.
    """
    given = {key: value for key, value in settings.items() if value is not None}
    state = np.random.get_state()
    try:
        return digital.ofdm_tx(fft_len=fft_len, cp_len=cp_len, **given)
    finally:
        np.random.set_state(state)


def _constellation(name, bits):
    if bits not in _CONSTELLATIONS:
        raise ValueError(f"{name} = {bits}: must be one of {tuple(_CONSTELLATIONS)}")
    return _CONSTELLATIONS[bits]()


def _check(holds, name, value, allowed):
    if not holds:
        raise ValueError(f"{name} = {value}: must be {allowed}")


def _check_carriers(name, sets, fft_len, fewest, low, high):
    """Sets of at least `fewest` carriers; None: those of digital.ofdm_tx."""
    if sets is None:
        least = _DEFAULT_WIDTHS[name]
        allowed = f"at least {least} for digital.ofdm_tx's {name}: give your own {name}"
        return _check(fft_len >= least, "fft_len", fft_len, allowed)
    fits = len(sets) and all(np.ndim(row) == 1 and len(row) >= fewest for row in sets)
    _check(fits, name, sets, f"one list or more of at least {fewest} carriers each")
    for carrier in itertools.chain(*sets):
        check_integer(f"{name} element", carrier, low, high)


def _check_sync_word(name, word, fft_len, may_be_empty=False):
    if word is None or (may_be_empty and len(word) == 0):
        return
    _check(len(word) == fft_len, f"len({name})", len(word), fft_len)
    _check(np.isfinite(word).all(), name, word, "finite")
    _check(np.any(word), name, "zeros", "other than 0 on some carrier")


def _checked(fft_len, sync_threshold, bits, carriers, sync_words):
    """The constellations of header and payload, where all arguments fit."""
    _check(0 < sync_threshold < 1, "sync_threshold", sync_threshold, "above 0, below 1")
    points = [
        _constellation(name, value)
        for name, value in zip(("bps_header", "bps_payload"), bits)
    ]
    half, odd = divmod(fft_len, 2)
    occupied, pilots = carriers
    _check_carriers("occupied_carriers", occupied, fft_len, 1, -half, half - 1 + odd)
    _check_carriers("pilot_carriers", pilots, fft_len, 0, -fft_len, fft_len - 1)
    first, second = sync_words
    _check_sync_word("sync_word1", first, fft_len)
    _check_sync_word("sync_word2", second, fft_len, may_be_empty=True)
    return points


def _equalizers(fft_len, sent, points, given):
    """Those of header and payload: the given ones, or configured ones where they are None."""
    carriers = sent.occupied_carriers, sent.pilot_carriers, sent.pilot_symbols
    equalizers = []
    for name, skipped, constellation, equalizer in zip(
        ("header_equalizer", "payload_equalizer"), (0, _HEADER_SYMBOLS), points, given
    ):
        if equalizer is None:
            equalizer = ofdm_equalizer_configured(
                fft_len,
                *carriers,
                symbols_skipped=skipped,
                constellation=constellation.base(),
            )
        length = equalizer.fft_len()
        _check(length == fft_len, f"{name}.fft_len()", length, fft_len)
        equalizers.append(equalizer)
    return equalizers


class ofdm_rx(gr.hier_block2):
    """Receives what digital.ofdm_tx sends: complex samples in, bytes of packets out.

    The blocks around the equalizers are those of digital.ofdm_rx: packets are found by the first
    sync word (Schmidl and Cox, 1997), the channel is estimated from the second one, the header
    tells the payload's length, and packets whose CRC-32 is wrong are dropped. The equalizers are
    reservoir.ofdm_equalizer_configured where none are given; any gr-digital OFDM equalizer will do.

    A packet is found where Schmidl and Cox's metric, which is about (1 + 1/SNR)^-2 with the SNR of
    the sync word, is above sync_threshold. GNU Radio's 0.9 needs 12.7 dB. With QPSK the sync words
    of digital.ofdm_tx are 6 dB weaker than the payload, as constellation_qpsk has power 4. So at
    12 dB on average no QPSK packet is found, and the equalizer has no part in it. 0.7 needs 7.1 dB,
    0.6 needs 5.4 dB.

    fft_len: carriers, 8 ... 65536; below 53 give occupied_carriers, pilot_carriers, pilot_symbols
    cp_len: samples of the cyclic prefix, 1 ... fft_len
    frame_length_tag_key: tag inside the receiver with a frame's number of OFDM symbols
    packet_length_tag_key: tag at the output with a packet's number of bytes
    packet_num_tag_key: tag inside the receiver with a packet's number
    occupied_carriers, pilot_carriers, pilot_symbols: as in digital.ofdm_tx; None: its own
    bps_header, bps_payload: bits per symbol: 1 (BPSK), 2 (QPSK) or 3 (8-PSK)
    sync_word1, sync_word2: values of the carriers, DC in the middle; None: those of digital.ofdm_tx;
        sync_word2 may be empty, then there is none
    scramble_bits: whether the transmitter scrambles
    header_equalizer: for the header's one symbol, with symbols_skipped=0
    payload_equalizer: for the symbols behind it, with symbols_skipped=1
    sync_threshold: above 0, below 1
    """

    def __init__(
        self,
        fft_len=64,
        cp_len=16,
        frame_length_tag_key="frame_length",
        packet_length_tag_key="packet_length",
        packet_num_tag_key="packet_num",
        occupied_carriers=None,
        pilot_carriers=None,
        pilot_symbols=None,
        bps_header=1,
        bps_payload=1,
        sync_word1=None,
        sync_word2=None,
        *,
        scramble_bits=False,
        header_equalizer=None,
        payload_equalizer=None,
        sync_threshold=0.9,
    ):
        gr.hier_block2.__init__(
            self,
            "ofdm_rx",
            gr.io_signature(1, 1, gr.sizeof_gr_complex),
            gr.io_signature(1, 1, gr.sizeof_char),
        )
        fft_len = check_integer("fft_len", fft_len, 8, 65536)
        cp_len = check_integer("cp_len", cp_len, 1, fft_len)
        header_points, payload_points = _checked(
            fft_len,
            sync_threshold,
            (bps_header, bps_payload),
            (occupied_carriers, pilot_carriers),
            (sync_word1, sync_word2),
        )
        sent = _transmitter(
            fft_len,
            cp_len,
            occupied_carriers=occupied_carriers,
            pilot_carriers=pilot_carriers,
            pilot_symbols=pilot_symbols,
            sync_word1=sync_word1,
            sync_word2=sync_word2,
        )
        header_equalizer, payload_equalizer = _equalizers(
            fft_len,
            sent,
            (header_points, payload_points),
            (header_equalizer, payload_equalizer),
        )
        form = digital.packet_header_ofdm(
            sent.occupied_carriers,
            _HEADER_SYMBOLS,
            packet_length_tag_key,
            frame_length_tag_key,
            packet_num_tag_key,
            bps_header,
            bps_payload,
            scramble_header=scramble_bits,
        )
        parts = self._front(fft_len, cp_len, sent, frame_length_tag_key, sync_threshold)
        self._header_chain(
            parts,
            sent,
            cp_len,
            header_equalizer,
            header_points,
            form,
            frame_length_tag_key,
        )
        self._payload_chain(
            parts,
            sent,
            cp_len,
            payload_equalizer,
            payload_points,
            scramble_bits,
            (frame_length_tag_key, packet_length_tag_key),
        )

    def _front(self, fft_len, cp_len, sent, frame_length_tag_key, sync_threshold):
        """Finds packets: the demultiplexer of their headers and payloads."""
        # packets' begins, and the carrier's offset within a carrier's width
        found = digital.ofdm_sync_sc_cfb(fft_len, cp_len, False, sync_threshold)
        carrier = analog.frequency_modulator_fc(-2.0 / fft_len)
        aligned = blocks.delay(gr.sizeof_gr_complex, fft_len + cp_len)
        turned = blocks.multiply_cc()
        words = [word for word in (sent.sync_word1, sent.sync_word2) if len(word)]
        parts = digital.header_payload_demux(
            len(words) + _HEADER_SYMBOLS,
            fft_len,
            cp_len,
            frame_length_tag_key,
            "",  # begins come at the second input
            True,  # whole OFDM symbols
        )
        self.connect(self, found)
        self.connect((found, 0), carrier, (turned, 1))
        self.connect(self, aligned, turned, parts)
        self.connect((found, 1), (parts, 1))
        return parts

    def _header_chain(
        self, parts, sent, cp_len, equalizer, points, form, frame_length_tag_key
    ):
        fft_len = equalizer.fft_len()
        parser = digital.packet_headerparser_b(form.formatter())
        self.connect(
            (parts, 0),
            fft.fft_vcc(fft_len, True, (), True),
            digital.ofdm_chanest_vcvc(
                sent.sync_word1, sent.sync_word2, _HEADER_SYMBOLS
            ),
            digital.ofdm_frame_equalizer_vcvc(
                equalizer.base(),
                cp_len,
                frame_length_tag_key,
                True,  # hands its channel to the payload's
                _HEADER_SYMBOLS,
            ),
            digital.ofdm_serializer_vcc(
                fft_len, sent.occupied_carriers, frame_length_tag_key
            ),
            digital.constellation_decoder_cb(points.base()),
            parser,
        )
        self.msg_connect(parser, "header_data", parts, "header_data")

    def _payload_chain(
        self, parts, sent, cp_len, equalizer, points, scramble_bits, tag_keys
    ):
        fft_len = equalizer.fft_len()
        frame_length_tag_key, packet_length_tag_key = tag_keys
        self.connect(
            (parts, 1),
            fft.fft_vcc(fft_len, True, (), True),
            digital.ofdm_frame_equalizer_vcvc(
                equalizer.base(), cp_len, frame_length_tag_key
            ),
            digital.ofdm_serializer_vcc(
                fft_len,
                sent.occupied_carriers,
                frame_length_tag_key,
                packet_length_tag_key,
                _HEADER_SYMBOLS,
            ),
            digital.constellation_decoder_cb(points.base()),
            blocks.repack_bits_bb(
                points.bits_per_symbol(), 8, packet_length_tag_key, True
            ),
            digital.additive_scrambler_bb(
                _SCRAMBLER_MASK,
                _SCRAMBLER_SEED if scramble_bits else 0,
                _SCRAMBLER_LENGTH,
                0,
                bits_per_byte=8,
                reset_tag_key=packet_length_tag_key,
            ),
            digital.crc32_bb(True, packet_length_tag_key),
            self,
        )
