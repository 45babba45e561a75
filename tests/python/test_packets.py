#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Packets: bytes to symbols and back, as functions and as blocks; the gate for whole frames."""

import queue
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir
from link_helpers import assert_rejects

QPSK = digital.constellation_qpsk().base()
PILOTS = reservoir.random_pilots(QPSK, 32)
LDPC = "ldpc:n_0300_k_0152_gap_03"  # of those that GNU Radio installs
INSTALLED = Path(gr.prefix()) / "share" / "gnuradio" / "fec" / "ldpc"
CONSTELLATIONS = [
    digital.constellation_bpsk,
    digital.constellation_qpsk,
    digital.constellation_dqpsk,
    digital.constellation_8psk,
    digital.constellation_16qam,
]


def noise(rng, count, snr_db):
    values = rng.standard_normal(count) + 1j * rng.standard_normal(count)
    return np.sqrt(10 ** (-snr_db / 10) / 2) * values


@pytest.mark.parametrize("code", ["none", "cc", LDPC])
@pytest.mark.parametrize("make", CONSTELLATIONS)
def test_every_length_comes_back(make, code):
    form = reservoir.packet_format(make().base(), 300, code)
    rng = np.random.default_rng(1)
    for length in (0, 1, form.capacity // 2, form.capacity):
        data = rng.bytes(length)
        symbols = form.encode(data, 65535 - length)
        assert symbols.shape == (300,) and symbols.dtype == np.complex64
        assert form.decode(symbols) == (data, 65535 - length)


@pytest.mark.parametrize(
    "make, code, checksum",
    [
        (digital.constellation_qpsk, "none", 0x056987FE),
        (digital.constellation_16qam, "cc", 0x7FF6DEE2),
        (digital.constellation_qpsk, LDPC, 0x0C8C3E18),
        (digital.constellation_16qam, LDPC, 0x5575DB86),
    ],
)
def test_packets_on_the_air_stay_what_they_are(make, code, checksum):
    form = reservoir.packet_format(make().base(), 300, code)
    symbols = form.encode(b"the same on every machine", 258)
    labels = np.abs(symbols[:, None] - form.points).argmin(1)
    assert zlib.crc32(labels.astype(np.uint8)) == checksum


def test_capacity_is_the_formula():
    for make in CONSTELLATIONS:
        points = make().base()
        bits = 512 * points.bits_per_symbol()
        assert reservoir.packet_capacity(points) == bits // 8 - 8
        coded = (bits // 2 - 6) // 8 - 8
        assert reservoir.packet_capacity(points, 512, "cc") == coded
    assert reservoir.packet_capacity(QPSK) == 120
    assert reservoir.packet_capacity(QPSK, code="cc") == 55
    assert reservoir.packet_capacity(QPSK, code=LDPC) == 3 * 152 // 8 - 8 == 49
    assert reservoir.packet_capacity(QPSK, 150, LDPC) == 152 // 8 - 8
    assert reservoir.packet_capacity(digital.constellation_16qam(), 512, LDPC) == 106


def coded_bits(form, symbols):
    """A packet's bits before they were interleaved."""
    labels = np.abs(symbols[:, None] - form.points).argmin(1)
    bits = (labels[:, None] >> np.arange(form.bits_per_symbol)[::-1] & 1).ravel()
    stride = int(np.sqrt(len(bits))) | 1
    while np.gcd(stride, len(bits)) > 1:
        stride += 2 - len(bits) % 2
    coded = np.empty_like(bits)
    coded[np.arange(len(bits)) * stride % len(bits)] = bits
    return coded


def parity_checks(path):
    """The matrix of an alist file, by its columns."""
    lines = [[int(word) for word in line.split()] for line in path.open()]
    columns, rows = lines[0]
    matrix = np.zeros((rows, columns), int)
    for column, places in enumerate(lines[4 : 4 + columns]):
        matrix[[place - 1 for place in places if place > 0], column] = 1
    return matrix


@pytest.mark.parametrize(
    "make", [digital.constellation_qpsk, digital.constellation_8psk]
)
def test_ldpc_words_fulfil_the_checks_of_the_file(make):
    checks = parity_checks(INSTALLED / "n_0300_k_0152_gap_03.alist")
    assert checks.shape == (148, 300)
    form = reservoir.packet_format(make().base(), 512, LDPC)
    count = 512 * form.bits_per_symbol // 300
    rng = np.random.default_rng(6)
    seen = set()
    for sequence in range(20):
        bits = coded_bits(form, form.encode(rng.bytes(form.capacity), sequence))
        words = bits[: 300 * count].reshape(count, 300)
        assert not np.any(words @ checks.T % 2)
        seen |= {word.tobytes() for word in words}
    assert len(seen) == 20 * count


def test_every_installed_alist_file():
    for path in sorted(INSTALLED.iterdir()):
        form = reservoir.packet_format(
            digital.constellation_16qam(), 1200, f"ldpc:{path}"
        )
        checks = parity_checks(path)
        bits = coded_bits(form, form.encode(b"file", 1))
        count = len(bits) // checks.shape[1]
        words = bits[: count * checks.shape[1]].reshape(count, -1)
        assert not np.any(words @ checks.T % 2), path
        assert form.decode(form.encode(b"file", 1)) == (b"file", 1)
        if path.suffix == ".alist":
            for name in (path.name, path.stem):
                assert (
                    reservoir.packet_capacity(
                        digital.constellation_16qam(), 1200, f"ldpc:{name}"
                    )
                    == form.capacity
                )


SMALL = """12 6
2 4
1 2 2 2 1 2 2 2 2 2 1 2
3 3 4 4 4 3
1 0
1 2
2 3
1 4
5
2 6
3 4
3 5
4 6
5 6
3
4 5
1 2 4
2 3 6
3 7 8 11
4 7 9 12
5 8 10 12
6 9 10
"""


def test_alist_files_with_or_without_padding(tmp_path):
    """A format has read its file once: copies of it need no file."""
    path = tmp_path / "small code.alist"
    path.write_text(SMALL)
    form = reservoir.packet_format(QPSK, 300, f"ldpc:{path}")
    assert form.capacity == 50 * 6 // 8 - 8
    path.write_text(SMALL.replace("\n5\n", "\n5 0\n").replace("\n", " \r\n") + "\n\n")
    other = reservoir.packet_format(QPSK, 300, f"ldpc:{path}")
    path.unlink()
    assert np.array_equal(form.encode(b"small", 2), other.encode(b"small", 2))
    fir = reservoir.fir()
    receiver = reservoir.coded_receiver(fir, form)
    symbols = np.concatenate([PILOTS, form.encode(b"copied", 3)]).astype(np.complex64)
    assert (
        receiver.receive(symbols, np.array(PILOTS, np.complex64))["data"] == b"copied"
    )


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("12 6", "12", "line 1 has 1 numbers instead of 2"),
        ("12 6", "-12 6", "line 1 has something that is no number"),
        ("12 6", "999999 6", "999999, which is not within 1 ... 16384"),
        ("12 6", "99999999999999999999 6", "line 1 has something"),
        ("12 6", "11 6", "line 3 has 12 numbers instead of 11"),
        ("2 4\n1", "1 4\n1", "line 3 has 2"),
        ("\n1 0", "\n7 0", "line 5 has a one at 7"),
        ("\n1 0", "\n1 2", "line 5 has 2 ones instead of 1"),
        ("\n2 3\n", "\n2 2\n", "line 7 has a one twice"),
        ("\n2 3\n", "\n2 4\n", "line 19 is not what the columns say"),
        ("6 9 10\n", "", "line 22 is missing"),
        (SMALL, "", "line 1 is missing"),
        (SMALL, "2 2\n1 1\n1 1\n1 1\n1\n2\n1\n2\n", "no information bit"),
    ],
)
def test_broken_alist_files_are_refused(tmp_path, old, new, words):
    path = tmp_path / "broken"
    assert old in SMALL
    path.write_text(SMALL.replace(old, new, 1))
    with pytest.raises(ValueError) as caught:
        reservoir.packet_format(QPSK, 300, f"ldpc:{path}")
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"code = 'ldpc:{path}': must be 'ldpc:' and")


def test_alist_files_with_random_damage(tmp_path):
    path = tmp_path / "damaged"
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(300):
        text = bytearray(SMALL.encode())
        for _ in range(rng.integers(1, 4)):
            place = rng.integers(len(text))
            text[place : place + rng.integers(0, 3)] = rng.choice(
                [b"0", b"3", b"\n", b"\xff"]
            )
        path.write_bytes(text)
        try:
            form = reservoir.packet_format(QPSK, 300, f"ldpc:{path}")
            assert form.decode(form.encode(b"a", 1)) == (b"a", 1)
        except ValueError:
            refused += 1
    assert refused > 200


def test_labels_are_the_constellations():
    """Without noise GNU Radio's own decisions give the bits that were sent, whitened."""
    form = reservoir.packet_format(QPSK, 512)
    zeros = form.encode(bytes(form.capacity))
    other = form.encode(b"\x80" + bytes(form.capacity - 1))
    scale = np.sqrt(np.mean(np.abs(QPSK.points()) ** 2))
    values = [[QPSK.decision_maker_v([scale * y]) for y in x] for x in (zeros, other)]
    assert np.allclose(scale * zeros, np.array(QPSK.points())[values[0]], atol=1e-6)
    flipped = np.bitwise_xor(*values)
    assert (
        1 <= np.sum((flipped & 1) + (flipped >> 1)) <= 33
    )  # one data bit, and the CRC's


def test_symbols_are_white_and_of_unit_power():
    form = reservoir.packet_format(QPSK, 512)
    symbols = form.encode(bytes(form.capacity))
    assert np.isclose(np.mean(np.abs(symbols) ** 2), 1)
    assert abs(np.mean(symbols)) < 0.15
    correlation = np.correlate(symbols, symbols, "full")[512:] / 512
    assert np.abs(correlation).max() < 0.2


def test_soft_decisions_gain():
    """Rate 1/2, K = 7: no packet is lost at Eb/N0 = 5 dB, where hardly one survives uncoded."""
    rng = np.random.default_rng(2)
    arrived = {}
    for code in ("none", "cc", LDPC):
        form = reservoir.packet_format(QPSK, 512, code)
        data = rng.bytes(form.capacity)
        symbols = form.encode(data)
        arrived[code] = sum(
            form.decode(symbols + noise(rng, 512, 5.0)) is not None for _ in range(40)
        )
    assert arrived["cc"] == 40 == arrived[LDPC] and arrived["none"] <= 2


@pytest.mark.parametrize("code", ["cc", LDPC])
def test_scale_of_noise_does_not_matter_to_the_code(code):
    form = reservoir.packet_format(digital.constellation_16qam().base(), 256, code)
    symbols = form.encode(b"level")
    error = noise(np.random.default_rng(3), 256, 14.0)
    for scale in (0.0, 0.1, 1.0):
        assert form.decode(symbols + scale * error) == (b"level", 0)


def test_wrong_symbols_give_no_packet():
    rng = np.random.default_rng(4)
    form = reservoir.packet_format(QPSK, 128)
    symbols = form.encode(b"fragile", 7)
    for position in range(0, 96):  # 24 bytes
        broken = symbols.copy()
        broken[position] *= -1
        assert form.decode(broken) in (None, (b"fragile", 7))  # or what is left over
    assert form.decode(symbols * np.nan) is None
    garbage = noise(rng, (2000, 128), 0.0)
    assert all(form.decode(row) is None for row in garbage)


def test_error_vector_magnitude():
    form = reservoir.packet_format(QPSK, 4096)
    symbols = form.encode(b"")
    noisy = symbols + noise(np.random.default_rng(5), 4096, 20.0)
    assert abs(form.decode_with_evm(noisy)[1] + 20.0) < 0.3


@pytest.mark.parametrize(
    "arguments, name, value",
    [
        ({"payload_len": 0}, "payload_len", 0),
        ({"payload_len": 20}, "payload_len", 20),
        ({"code": "turbo"}, "code", "turbo"),
        ({"code": "ldpc:"}, "code", "ldpc:"),
        ({"code": "ldpc:nowhere"}, "code", "ldpc:nowhere"),
        ({"code": "ldpc:/"}, "code", "ldpc:/"),
        ({"code": LDPC, "payload_len": 149}, "payload_len", 149),
    ],
)
def test_arguments_out_of_range(arguments, name, value):
    assert_rejects(
        lambda **a: reservoir.packet_format(QPSK, **a), arguments, name, value
    )
    assert_rejects(
        lambda **a: reservoir.packet_encoder(QPSK, PILOTS, **a), arguments, name, value
    )
    assert_rejects(
        lambda **a: reservoir.packet_decoder(QPSK, 32, **a), arguments, name, value
    )


def test_a_length_that_is_no_whole_number_is_no_argument():
    for make in (
        reservoir.packet_format,
        lambda *a: reservoir.packet_encoder(a[0], PILOTS, a[1]),
        lambda *a: reservoir.packet_decoder(a[0], 32, a[1]),
    ):
        with pytest.raises(TypeError, match="payload_len"):
            make(QPSK, float("nan"))


def test_data_is_anything_that_makes_bytes():
    form = reservoir.packet_format(QPSK, 64)
    wanted = form.encode(b"abc", 5)
    for data in (bytearray(b"abc"), memoryview(b"abc"), [97, 98, 99]):
        assert np.array_equal(form.encode(data, 5), wanted)
    for data in ("abc", 3, None, [256]):
        with pytest.raises(TypeError, match="data"):
            form.encode(data)


def test_a_point_is_sent_by_its_label():
    """With a pre-differential code the points are in another order than their labels."""
    code = digital.constellation_dqpsk()
    points = np.array(code.points())[list(code.pre_diff_code())]
    form = reservoir.packet_format(code.base(), 64)
    assert np.allclose(form.points, points / np.sqrt(np.mean(np.abs(points) ** 2)))
    assert (form.payload_len, form.code, form.capacity) == (64, "none", 8)


def test_arguments_of_blocks_out_of_range():
    def encoder(**a):
        return reservoir.packet_encoder(QPSK, **{"pilots": PILOTS, **a})

    assert_rejects(encoder, {"pilots": []}, "pilots", 0)
    assert_rejects(encoder, {"pilots": [1, np.nan]}, "pilots", None)
    assert_rejects(encoder, {"gap": -1}, "gap", -1)
    assert_rejects(encoder, {"max_queue": 0}, "max_queue", 0)
    decoder = reservoir.packet_decoder
    assert_rejects(decoder, {"constellation": QPSK, "num_pilots": -1}, "num_pilots", -1)
    tag = {"constellation": QPSK, "training_tag": ""}
    assert_rejects(decoder, tag, "training_tag", "''")
    assert_rejects(reservoir.frame_gate, {"frame_len": 0}, "frame_len", 0)
    gate = {"frame_len": 1, "max_frames": 0}
    assert_rejects(reservoir.frame_gate, gate, "max_frames", 0)
    gate = {"frame_len": 1, "training_tag": ""}
    assert_rejects(reservoir.frame_gate, gate, "training_tag", "''")
    form = reservoir.packet_format(QPSK, 64)
    with pytest.raises(ValueError, match="at most 8"):
        form.encode(bytes(9))
    with pytest.raises(ValueError, match="sequence = 65536"):
        form.encode(b"", 65536)
    with pytest.raises(ValueError, match=r"\(64,\)"):
        form.decode(np.zeros(63))


def encoded(packets, **arguments):
    """The stream that packets give, its tags and the block."""
    encoder = reservoir.packet_encoder(
        QPSK, PILOTS, 64, max_queue=len(packets) + 1, **arguments
    )
    for packet in packets:
        encoder.send(packet)
    encoder.finish()
    sink = blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(encoder, sink)
    top.run()
    return np.array(sink.data(), np.complex64), sink.tags(), encoder


def test_burst_is_preamble_pilots_payload_gap():
    packets = [b"one", b"two", b"12345678"]
    stream, tags, encoder = encoded(packets, gap=20)
    assert encoder.packets() == 3
    burst = 124 + 32 + 64 + 20
    assert len(stream) == 3 * burst + encoder.TAIL
    form = reservoir.packet_format(QPSK, 64)
    for n, packet in enumerate(packets):
        row = stream[n * burst : (n + 1) * burst]
        assert np.array_equal(row[:124], np.array(reservoir.burst_preamble()))
        assert np.array_equal(row[124:156], np.array(PILOTS, np.complex64))
        assert form.decode(row[156:220]) == (packet, n)
        assert not row[220:].any()
    assert not stream[3 * burst :].any()
    found = [(t.offset, pmt.symbol_to_string(t.key)) for t in tags]
    for n in range(3):
        assert (n * burst, "burst_start") in found
        assert (n * burst + 124, "frame_start") in found
    assert len(found) == 6


def pdu(data):
    return pmt.cons(pmt.make_dict(), pmt.init_u8vector(len(data), list(data)))


def test_pdus_too_long_or_too_many_are_refused(capfd):
    encoder = reservoir.packet_encoder(QPSK, PILOTS, 64, max_queue=4)
    sink = blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(encoder, sink)
    # posted before the flowgraph runs, all of them are taken before the first burst leaves
    for message in [
        *(pdu(b"123456789"), pmt.intern("text"), pdu(b"")),
        *(5 * [pdu(b"ok")]),
        pmt.PMT_EOF,
    ]:
        encoder.to_basic_block()._post(pmt.intern("pdus"), message)
    top.run()
    assert (encoder.refused(), encoder.dropped()) == (2, 2)
    assert encoder.packets() == 4
    said = "".join(capfd.readouterr())
    assert said.count("9 bytes was refused") == said.count("a packet was dropped") == 1


def test_pdus_arrive_as_messages():
    encoder = reservoir.packet_encoder(QPSK, PILOTS, 64)
    decoder = reservoir.packet_decoder(QPSK, 32, 64, training_tag="frame_start")
    store = blocks.message_debug()
    top = gr.top_block()
    top.connect(encoder, decoder)
    top.msg_connect(decoder, "pdus", store, "store")
    top.start()
    port = pmt.intern("pdus")
    for data in (b"first", b"far too long a packet", b"second"):
        encoder.to_basic_block()._post(port, pdu(data))
    encoder.to_basic_block()._post(port, pmt.PMT_EOF)
    top.wait()
    got = [bytes(pmt.u8vector_elements(pmt.cdr(m))) for m in messages(store)]
    assert got == [b"first", b"second"]
    assert encoder.refused() == 1


def messages(store):
    return [store.get_message(n) for n in range(store.num_messages())]


@pytest.mark.parametrize(
    "make", [digital.constellation_qpsk, digital.constellation_16qam]
)
def test_ldpc_packets_through_noise_in_a_flowgraph(make):
    points, snr_db = make().base(), {2: 5.0, 4: 13.0}[make().bits_per_symbol()]
    encoder = reservoir.packet_encoder(points, PILOTS, 512, LDPC, max_queue=40)
    sent = [b"packet %d" % n for n in range(30)]
    for data in sent:
        encoder.send(data)
    encoder.finish()
    error = noise(np.random.default_rng(8), 30 * (124 + 32 + 512 + 80) + 1024, snr_db)
    source, add = blocks.vector_source_c(error.tolist()), blocks.add_cc()
    decoder = reservoir.packet_decoder(points, 32, 512, LDPC, "frame_start")
    got = []
    decoder.set_handler(lambda data, metadata: got.append(data))
    top = gr.top_block()
    top.connect(encoder, (add, 0))
    top.connect(source, (add, 1))
    top.connect(add, decoder)
    top.run()
    assert got == sent
    assert (decoder.packets(), decoder.crc_failures()) == (30, 0)


def test_send_waits_for_a_place():
    encoder = reservoir.packet_encoder(QPSK, PILOTS, 64, max_queue=1)
    encoder.send(b"a", timeout=0)
    with pytest.raises(queue.Full):
        encoder.send(b"b", timeout=0.01)
    with pytest.raises(ValueError, match="at most 8"):
        encoder.send(bytes(9))


def test_daemon_threads_that_send_outlive_python():
    """Threads come back from send() while the process ends, behind Python's own end."""
    program = """
import ctypes, threading, time
from gnuradio import digital, reservoir
encoder = reservoir.packet_encoder(digital.constellation_qpsk(), [1] * 8, 64, max_queue=1)
encoder.send(b"first")
for _ in range(40):  # one of them wakes soon behind Python's end
    threading.Thread(target=lambda: encoder.send(b"late", timeout=10), daemon=True).start()
    time.sleep(0.0025)
libc = ctypes.CDLL(None)
libc.on_exit(ctypes.cast(libc.sleep, ctypes.c_void_p), None)  # sleeps as many seconds as the status
raise SystemExit(1)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=30
    )
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_continuous_sends_silence():
    encoder = reservoir.packet_encoder(QPSK, PILOTS, 64, continuous=True)
    sink = blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(encoder, blocks.head(gr.sizeof_gr_complex, 100000), sink)
    top.run()
    assert len(sink.data()) == 100000 and not np.any(sink.data())


def test_last_packet_is_followed_by_a_tail_while_it_waits():
    encoder = reservoir.packet_encoder(QPSK, PILOTS, 64, gap=16)
    sink = blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(encoder, sink)
    encoder.send(b"last")
    top.start()
    wanted = 124 + 32 + 64 + 16 + encoder.TAIL
    for _ in range(200):
        if len(sink.data()) == wanted:
            break
        time.sleep(0.01)
    assert len(sink.data()) == wanted
    top.stop()
    top.wait()


def tagged(stream, offsets, key="training_start", value=pmt.PMT_T, overruns=()):
    tags = []
    for offset, name, content in [
        *((offset, key, value) for offset in offsets),
        *((offset, "rx_time", pmt.PMT_T) for offset in overruns),
    ]:
        tag = gr.tag_t()
        tag.offset, tag.key, tag.value = int(offset), pmt.intern(name), content
        tags.append(tag)
    return blocks.vector_source_c(np.asarray(stream).tolist(), False, 1, tags)


def decoded(stream, offsets, value=pmt.PMT_T, chunk=0, **arguments):
    decoder = reservoir.packet_decoder(QPSK, 32, 64, **arguments)
    store, reports = blocks.message_debug(), blocks.message_debug()
    top = gr.top_block()
    top.connect(tagged(stream, offsets, value=value), decoder)
    top.msg_connect(decoder, "pdus", store, "store")
    top.msg_connect(decoder, "report", reports, "store")
    top.run(*([chunk] if chunk else []))
    packets = [
        (pmt.to_python(pmt.car(m)), bytes(pmt.u8vector_elements(pmt.cdr(m))))
        for m in messages(store)
    ]
    return packets, [pmt.to_python(m) for m in messages(reports)], decoder


def frames(sequences, broken=()):
    form = reservoir.packet_format(QPSK, 64)
    rows = []
    for sequence in sequences:
        payload = form.encode(b"p%d" % (sequence % 1000), sequence)
        if sequence in broken:
            payload[:8] *= -1
        rows.append(np.concatenate((PILOTS, payload, np.zeros(10))))
    return np.concatenate(rows), np.arange(len(rows)) * 106


def test_crc_failures_and_lost_numbers_are_counted():
    stream, offsets = frames([65533, 65534, 65535, 0, 1, 5, 6], broken=[65535, 6])
    packets, reports, decoder = decoded(stream, offsets)
    assert [info["sequence"] for info, _ in packets] == [65533, 65534, 0, 1, 5]
    assert [data for _, data in packets] == [b"p533", b"p534", b"p0", b"p1", b"p5"]
    assert (decoder.frames(), decoder.packets(), decoder.crc_failures()) == (7, 5, 2)
    assert decoder.lost() == 1 + 3
    assert decoder.packet_error_rate() == pytest.approx(4 / 9)
    assert len(reports) == 7 and reports[-1]["lost"] == 4


def test_a_transmitter_that_starts_again_loses_nothing():
    stream, offsets = frames([100, 101, 0, 1])
    _, _, decoder = decoded(stream, offsets)
    assert decoder.lost() == 0


def test_metadata_is_the_tags():
    stream, offsets = frames([3])
    value = pmt.to_pmt({"cfo": 0.01, "snr_db": 17.0, "frame": 4})
    packets, reports, _ = decoded(stream, offsets, value)
    info = packets[0][0]
    assert (info["sequence"], info["frame"]) == (3, 4)
    assert (info["cfo"], info["snr_db"]) == (0.01, 17.0)
    assert info["evm_db"] < -60
    assert reports[0]["snr_db"] == 17.0


@pytest.mark.parametrize("chunk", [1, 7, 97, 0])
def test_scheduler_does_not_matter(chunk):
    stream, offsets = frames(range(12), broken=[4])
    packets, _, decoder = decoded(stream, offsets, chunk=chunk)
    assert [info["sequence"] for info, _ in packets] == [0, 1, 2, 3, *range(5, 12)]
    assert decoder.truncated() == 0


def test_truncated_frames_are_counted():
    stream, offsets = frames(range(3))
    cut = np.concatenate((stream[:50], stream[106:]))
    offsets = [0, 50, 156]
    packets, _, decoder = decoded(cut[:240], offsets)
    assert [info["sequence"] for info, _ in packets] == [1]
    assert decoder.truncated() == 2


def test_a_handler_gets_what_the_port_does():
    stream, offsets = frames([3, 4], broken=[4])
    value = {"cfo": 0.01, "snr_db": 17.0, "frame": 4, "name": "x", "new": True}
    decoder, taken = reservoir.packet_decoder(QPSK, 32, 64), []
    decoder.set_handler(lambda data, info: taken.append((info, data)))
    store = blocks.message_debug()
    top = gr.top_block()
    top.connect(tagged(stream, offsets, value=pmt.to_pmt(value)), decoder)
    top.msg_connect(decoder, "pdus", store, "store")
    top.run()
    sent = store.get_message(0)
    info, data = taken[0]
    assert len(taken) == 1 and data == b"p3"
    assert data == bytes(pmt.u8vector_elements(pmt.cdr(sent)))
    assert info == pmt.to_python(pmt.car(sent))
    assert info == {**value, "sequence": 3, "evm_db": info["evm_db"]}
    snr_db, cfo, evm_db = decoder.take_means()
    assert (snr_db, cfo) == (17.0, 0.01) and -150 < evm_db < 0
    assert np.isnan(decoder.take_means()).all()
    decoder.set_handler(None)


def test_a_handler_that_raises_stops_nothing(monkeypatch):
    raised, taken = [], []
    monkeypatch.setattr(sys, "unraisablehook", lambda error: raised.append(error))

    def handler(data, info):
        taken.append(data)
        raise ValueError("a mistake in a handler")

    stream, offsets = frames([3, 4])
    decoder = reservoir.packet_decoder(QPSK, 32, 64)
    decoder.set_handler(handler)
    top = gr.top_block()
    top.connect(tagged(stream, offsets), decoder)
    top.run()
    assert taken == [b"p3", b"p4"] and decoder.packets() == 2
    assert [str(error.exc_value) for error in raised] == 2 * ["a mistake in a handler"]


def test_a_handler_gets_keys_that_python_has_no_word_for():
    stream, offsets = frames([3])
    key = pmt.init_u8vector(2, [1, 2])
    value = pmt.dict_add(pmt.make_dict(), key, pmt.from_long(7))
    decoder, taken = reservoir.packet_decoder(QPSK, 32, 64), []
    decoder.set_handler(lambda data, info: taken.append(info))
    top = gr.top_block()
    top.connect(tagged(stream, offsets, value=value), decoder)
    top.run()
    assert taken[0][pmt.write_string(key)] == 7


@pytest.mark.parametrize("chunk", [1, 0])
def test_a_tag_for_each_antenna_begins_one_frame(chunk):
    """Behind an equalizer with two antennas that both had tags."""
    stream, offsets = frames(range(4))
    twice = np.repeat(offsets, 2)
    packets, _, decoder = decoded(stream, twice, chunk=chunk)
    assert len(packets) == 4 and decoder.truncated() == 0
    data, tags, gate = gated(stream, twice, chunk, frame_len=100, drop=False)
    assert (gate.passed(), gate.dropped(), len(tags)) == (4, 0, 4)


@pytest.mark.parametrize("chunk", [1, 50, 0])
def test_an_overrun_ends_the_frame_that_it_cuts(chunk):
    """rx_time on a frame's first symbol, inside the next, behind the third."""
    stream, offsets = frames(range(4))
    source = tagged(stream, offsets, overruns=[0, 106 + 40, 2 * 106 + 96])
    decoder, taken = reservoir.packet_decoder(QPSK, 32, 64), []
    decoder.set_handler(lambda data, info: taken.append(info["sequence"]))
    top = gr.top_block()
    top.connect(source, decoder)
    top.run(*([chunk] if chunk else []))
    assert taken == [0, 2, 3] and decoder.truncated() == 1
    assert decoder.frames() == decoder.packets() == 3 and decoder.lost() == 1


def gated(stream, offsets, chunk=0, **arguments):
    gate = reservoir.frame_gate(**arguments)
    sink = blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(tagged(stream, offsets), gate, sink)
    top.run(*([chunk] if chunk else []))
    data = np.array(sink.data(), np.complex64)
    return data, [tag.offset for tag in sink.tags()], gate


@pytest.mark.parametrize("chunk", [13, 0])
def test_gate_lets_whole_frames_pass(chunk):
    rng = np.random.default_rng(6)
    stream = noise(rng, 30000, 0).astype(np.complex64)
    offsets = [5, 900, 1000, 20000, 29990]  # two overlap, one is cut short
    data, tags, gate = gated(stream, offsets, chunk, frame_len=300, drop=False)
    padded = np.concatenate((stream, np.zeros(300, np.complex64)))
    wanted = np.concatenate([padded[o : o + 300] for o in offsets])
    assert np.array_equal(data, wanted)
    assert tags == [0, 300, 600, 900, 1200]
    assert (gate.passed(), gate.dropped()) == (5, 0)


@pytest.mark.parametrize("chunk", [1, 13, 0])
def test_gate_leaves_out_frames_that_an_overrun_cuts(chunk):
    """rx_time before all frames, in two that overlap, on the first sample of one, behind it."""
    stream = np.arange(3000).astype(np.complex64)
    source = tagged(
        stream, [100, 500, 600, 1000, 2000], overruns=[0, 650, 1000, 1300, 2299]
    )
    gate = reservoir.frame_gate(300, drop=False)
    sink = blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(source, gate, sink)
    top.run(*([chunk] if chunk else []))
    wanted = np.concatenate([stream[o : o + 300] for o in (100, 1000)])
    assert np.array_equal(sink.data(), wanted)
    assert (gate.passed(), gate.dropped(), gate.truncated()) == (2, 0, 3)


class slow_sink(gr.sync_block):
    def __init__(self, sleep):
        gr.sync_block.__init__(self, "slow_sink", [np.complex64], None)
        self.sleep, self.parts, self.tags = sleep, [], []

    def work(self, input_items, output_items):
        time.sleep(self.sleep)
        samples = input_items[0]
        self.tags += [t.offset for t in self.get_tags_in_window(0, 0, len(samples))]
        self.parts.append(samples.copy())
        return len(samples)


def test_gate_drops_whole_frames_and_never_waits():
    frame_len, count = 5000, 200
    numbers = np.repeat(np.arange(count), frame_len).astype(np.complex64)
    gate = reservoir.frame_gate(frame_len, max_frames=2)
    sink = slow_sink(0.02)
    top = gr.top_block()
    source = tagged(numbers, np.arange(count) * frame_len)
    top.connect(source, gate, sink)
    top.run()
    assert gate.dropped() > 0
    assert gate.passed() + gate.dropped() == count
    data = np.concatenate(sink.parts).reshape(-1, frame_len)  # whole frames
    assert len(data) == gate.passed() == len(sink.tags)
    assert np.array_equal(data, np.repeat(data[:, :1], frame_len, 1))
    assert np.all(np.diff(data[:, 0].real) > 0)


@pytest.mark.parametrize("drop", [True, False])
def test_gate_stops_while_frames_wait(drop):
    source = tagged(np.zeros(10**6), range(0, 10**6, 1000))
    gate = reservoir.frame_gate(1000, max_frames=1, drop=drop)
    sink = slow_sink(0.05)  # blocks written in Python live as long as their variables
    top = gr.top_block()
    top.connect(source, gate, sink)
    top.start()
    time.sleep(0.3)
    begin = time.monotonic()
    top.stop()
    top.wait()
    assert time.monotonic() - begin < 2.0


def test_gate_runs_again_after_it_was_stopped():
    gate = reservoir.frame_gate(100, max_frames=1, drop=False)
    source = tagged(np.arange(1000), range(0, 1000, 100))
    sink = blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(source, gate, sink)
    for _ in range(20):
        top.start()
        top.stop()
        top.wait()
        source.rewind()
        sink.reset()
        top.run()
        assert np.array_equal(sink.data(), np.arange(1000))
