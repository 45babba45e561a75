#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The BCJR decoder, packets from ratios, and the receiver that equalizes and decodes in turns."""

import time

import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir
from link_helpers import make_tag, memory_growth
from links import noise, rayleigh, through

QPSK = digital.constellation_qpsk().base()
POWERS = np.exp(-np.arange(6) / 2)
P, D = 64, 512
LDPC = "ldpc:n_0300_k_0152_gap_03"
CONSTELLATIONS = [
    digital.constellation_bpsk,
    digital.constellation_qpsk,
    digital.constellation_8psk,
    digital.constellation_16qam,
]


def encode(info, polynomials, length):
    """A terminated code of rate 1/2, the first polynomial's bit first."""
    state, coded = 0, []
    for bit in [*info, *[0] * (length - 1)]:
        state = (state << 1 | int(bit)) & ((1 << length) - 1)
        coded += [bin(state & polynomial).count("1") & 1 for polynomial in polynomials]
    return np.array(coded)


@pytest.mark.parametrize("polynomials, length", [([79, 109], 7), ([7, 5], 3)])
def test_ratios_are_those_of_gnuradios_siso(polynomials, length):
    trellis = pytest.importorskip("gnuradio.trellis")
    rng = np.random.default_rng(1)
    num_info, states = 60, 1 << (length - 1)
    steps = num_info + length - 1
    info = rng.integers(0, 2, num_info)
    sent = encode(info, polynomials, length)
    ratios = (4 * (sent - 0.5) + 2 * rng.standard_normal(2 * steps)).astype(np.float32)
    coded, decided = reservoir.convolutional_bcjr(ratios, polynomials, length)

    outputs, following = [], []
    for state in range(states):
        for bit in range(2):
            bits = state << 1 | bit
            parities = [bin(bits & g).count("1") & 1 for g in polynomials]
            outputs.append(2 * parities[0] + parities[1])
            following.append(bits % states)
    fsm = trellis.fsm(2, states, 4, following, outputs)
    pairs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    costs = -(ratios.reshape(-1, 2) @ pairs.T)  # of the four pairs of coded bits
    siso = trellis.siso_f(fsm, steps, 0, 0, True, True, trellis.TRELLIS_SUM_PRODUCT)
    inputs = blocks.vector_source_f(np.zeros(2 * steps).tolist())
    given = blocks.vector_source_f(costs.ravel().tolist())
    sink = blocks.vector_sink_f()
    top = gr.top_block()
    top.connect(inputs, (siso, 0))
    top.connect(given, (siso, 1))
    top.connect(siso, sink)
    top.run()
    found = np.reshape(sink.data(), (steps, 6))  # costs, without what was given
    expected_info = (found[:, 0] - found[:, 1])[:num_info]
    whole = -(found[:, 2:] + costs)
    sums = lambda mask: np.logaddexp.reduce(whole[:, mask], axis=1)
    expected = np.stack(
        [sums(pairs[:, k] == 1) - sums(pairs[:, k] == 0) for k in range(2)], 1
    )
    np.testing.assert_allclose(decided, expected_info, atol=0.03)
    np.testing.assert_allclose(coded, expected.ravel(), atol=0.03)
    assert np.ptp(coded) > 10


def exact_ratios(form, symbols, variance):
    """log p(1)/p(0) of each symbol's bits, the most significant first."""
    distances = -np.abs(symbols[:, None] - form.points) ** 2 / variance
    labels = np.arange(len(form.points))
    sums = lambda mask: np.logaddexp.reduce(distances[:, mask], axis=1)
    return np.stack(
        [
            sums(labels >> bit & 1 == 1) - sums(labels >> bit & 1 == 0)
            for bit in reversed(range(form.bits_per_symbol))
        ],
        1,
    )


@pytest.mark.parametrize("code", ["none", "cc", LDPC])
@pytest.mark.parametrize("make", CONSTELLATIONS)
def test_packets_come_from_ratios(make, code):
    form = reservoir.packet_format(make().base(), 301, code)
    rng = np.random.default_rng(2)
    data = rng.bytes(form.capacity)
    sent = form.encode(data, 77)
    variance = {"none": 0.01, "cc": 0.3 / len(form.points)}
    variance = variance.get(code, variance["cc"])
    ratios = exact_ratios(form, sent + np.sqrt(variance) * noise(301, rng, 0), variance)
    packet, judged = form.decode_ratios(ratios)
    assert packet == (data, 77)
    assert judged.shape == (301, form.bits_per_symbol) and judged.dtype == np.float32
    truth = exact_ratios(form, sent, 0.1) > 0
    assert np.array_equal(judged > 0, truth)
    # a bit of the labels the wrong way round: not even the header is right
    for bit in range(form.bits_per_symbol):
        turned = ratios.copy()
        turned[:, bit] *= -1
        assert form.decode_ratios(turned)[0] is None


def test_code_corrects_and_tells_how_sure_it_is():
    form = reservoir.packet_format(QPSK, 300, "cc")
    rng = np.random.default_rng(3)
    sent = form.encode(b"soft", 1)
    truth = np.where(exact_ratios(form, sent, 1.0) > 0, 1, -1)
    ratios = (4 * truth + 3 * rng.standard_normal(truth.shape)).astype(np.float32)
    ratios[rng.random(truth.shape) < 0.02] *= -1
    ratios[100:110] = np.nan
    assert np.sum(ratios * truth < 0) > 40
    packet, judged = form.decode_ratios(ratios)
    assert packet == (b"soft", 1)
    assert np.all(judged * truth > 0)
    assert np.median(np.abs(judged)) > 2 * np.nanmedian(np.abs(ratios))
    # what the code leaves over of 600 bits carries nothing, and is certain
    assert np.sum(np.abs(judged) == 80) >= 600 - 2 * (8 * (form.capacity + 8) + 6)
    nothing, said = form.decode_ratios(np.zeros((300, 2)))
    assert nothing is None and np.sum(np.abs(said) > 1) <= 20


def test_bad_ratios():
    form = reservoir.packet_format(QPSK, 300, "cc")
    for bad in (np.nan, np.inf, -np.inf, 1e30):
        packet, judged = form.decode_ratios(np.full((300, 2), bad))
        assert packet is None and np.isfinite(judged).all()
    with pytest.raises(ValueError, match="ratios size = 599: must be"):
        form.decode_ratios(np.zeros(599))
    for arguments, name in (
        ((np.zeros(13),), "ratios"),
        ((np.zeros(12),), "ratios"),
        ((np.full(40, np.nan),), "ratios: every one must be finite"),
        ((np.zeros(40), [79, 79]), "polynomials"),
        ((np.zeros(40), [79, 128]), "polynomials"),
        ((np.zeros(40), [7, 5], 10), "constraint_len"),
    ):
        with pytest.raises(ValueError, match=name):
            reservoir.convolutional_bcjr(*arguments)


def configured(**arguments):
    return reservoir.configured_esn(constellation=QPSK, **arguments)


def draw(form, number, snr_db, around=32, taps=None, **channel):
    """data, pilots, samples from the first pilot on"""
    rng = np.random.default_rng([11, number])
    points = form.points
    data = rng.bytes(form.capacity)
    sent = points[rng.integers(0, len(points), around + P + form.payload_len + around)]
    sent[around + P : around + P + form.payload_len] = form.encode(data, number)
    if taps is None:
        taps = rayleigh(POWERS, rng)
        taps /= np.linalg.norm(taps)
    received = through(sent, taps, rng, snr_db)[around:]
    return data, sent[around : around + P].astype(np.complex64), received


def test_gains_packets_and_loses_none():
    """At 5 dB a fourth of the packets is lost behind the equalizer; two iterations leave few."""
    form = reservoir.packet_format(QPSK, D, "cc")
    receiver = reservoir.coded_receiver(configured(), form)
    alone, count = configured(), 150
    behind, together, gained = 0, 0, 0
    for number in range(count):
        data, pilots, received = draw(form, number, 5.0)
        plain = form.decode(alone.receive(received, pilots, payload_len=D)[P:])
        found = receiver.receive(received, pilots)
        behind += plain is not None
        together += found["data"] == data
        gained += found["gained"]
        if plain:
            assert found["data"] == plain[0] and found["sequence"] == plain[1]
        if found["data"] is not None:
            assert found["sequence"] == number and found["iterations"] <= 2
            assert found["gained"] or found["iterations"] == 0
        else:
            assert found["iterations"] == 2 and found["sequence"] is None
        assert found["evm_db"] < 0
    assert 0.55 < behind / count < 0.9
    assert count - together <= 0.04 * count
    assert gained > 0.1 * count


@pytest.mark.parametrize("sure", [2.0, 30.0, 80.0])
def test_ldpc_decoder_with_unknown_and_wrong_bits(sure):
    form = reservoir.packet_format(QPSK, 512, LDPC)
    rng = np.random.default_rng(4)
    for number in range(20):
        data = rng.bytes(form.capacity)
        sent = exact_ratios(form, form.encode(data, number), 1.0)
        ratios = np.where(sent > 0, sure, -sure).astype(np.float32)
        ratios[rng.random(ratios.shape) < 0.15] = np.nan
        ratios[rng.random(ratios.shape) < 0.01] *= -1
        packet, judged = form.decode_ratios(ratios)
        assert packet == (data, number)
        assert np.all(np.isfinite(judged)) and np.array_equal(judged > 0, sent > 0)


def test_turns_with_an_ldpc_code():
    form = reservoir.packet_format(QPSK, D, LDPC)
    frames = [draw(form, number, 5.0) for number in range(60)]
    alone = configured()
    plain = [
        form.decode(alone.receive(y, pilots, payload_len=D)[P:])
        for _, pilots, y in frames
    ]
    arrived = [sum(packet is not None for packet in plain)]
    for iterations in (0, 2):
        receiver = reservoir.coded_receiver(configured(), form, iterations)
        found = [receiver.receive(y, pilots) for _, pilots, y in frames]
        for packet, (data, *_), one in zip(plain, frames, found):
            assert one["data"] in (data, None) and one["iterations"] <= iterations
            assert packet is None or one["data"] == packet[0]
        arrived.append(sum(one["data"] is not None for one in found))
    assert arrived[0] < arrived[1] < arrived[2] - 10
    assert arrived[2] >= 56


def test_more_iterations_gain_more():
    form = reservoir.packet_format(QPSK, D, "cc")
    frames = [draw(form, number, 4.0) for number in range(60)]
    arrived = []
    for iterations in (0, 1, 4):
        receiver = reservoir.coded_receiver(configured(), form, iterations)
        assert receiver.iterations == iterations
        arrived.append(
            sum(
                receiver.receive(y, pilots)["data"] == data
                for data, pilots, y in frames
            )
        )
    assert arrived[0] + 5 < arrived[1] < arrived[2]


@pytest.mark.parametrize("kind", ["fir", "esn"])
def test_works_with_detectors_that_estimate_no_channel(kind):
    form = reservoir.packet_format(QPSK, D, "cc")
    receiver = reservoir.coded_receiver(getattr(reservoir, kind)(), form)
    found = [
        receiver.receive(y, p) for _, p, y in (draw(form, n, 7.0) for n in range(40))
    ]
    gained = sum(one["gained"] for one in found)
    lost = sum(one["data"] is None for one in found)
    assert gained >= 5 and lost <= 2


@pytest.mark.parametrize(
    "make, snr_db", [(c, s) for c, s in zip(CONSTELLATIONS, (0, 5, 8, 14))]
)
def test_every_constellation(make, snr_db):
    form = reservoir.packet_format(make().base(), D, "cc")
    detector = reservoir.configured_esn(constellation=make().base())
    receiver = reservoir.coded_receiver(detector, form, 3)
    gained = lost = 0
    for number in range(40):
        data, pilots, received = draw(form, number, snr_db)
        found = receiver.receive(received, pilots)
        gained += found["gained"]
        lost += found["data"] != data
    assert gained >= 4 and lost <= 10


def test_two_antennas_are_worth_three_decibels():
    form = reservoir.packet_format(QPSK, D, "cc")
    receiver = reservoir.coded_receiver(configured(num_inputs=2), form)
    lost = gained = 0
    for number in range(60):
        data, pilots, one = draw(form, number, 1.5)
        rng = np.random.default_rng([12, number])
        sent = np.append(pilots, form.encode(data, number))
        taps = rayleigh(POWERS, rng)
        two = through(sent, taps / np.linalg.norm(taps), rng, 1.5)
        found = receiver.receive(np.stack([one[: P + D], two]), pilots)
        lost += found["data"] != data
        gained += found["gained"]
    assert lost <= 3 and gained >= 3


@pytest.mark.parametrize("sps", [2, 3])
def test_samples_of_a_symbol_are_combined(sps):
    form = reservoir.packet_format(QPSK, D, "cc")
    receiver = reservoir.coded_receiver(configured(), form)
    lost = gained = 0
    for number in range(40):
        rng = np.random.default_rng([13, number])
        data = rng.bytes(form.capacity)
        pilots = form.points[rng.integers(0, 4, P)].astype(np.complex64)
        sent = np.zeros((P + D + 40) * sps, complex)
        sent[: (P + D) * sps : sps] = np.append(pilots, form.encode(data, number))
        taps = rayleigh(np.exp(-np.arange(6 * sps) / (2 * sps)), rng)
        taps *= np.sqrt(sps) / np.linalg.norm(taps)
        received = through(sent, taps, rng, 4.0 - 10 * np.log10(sps))
        found = receiver.receive(received, pilots, sps)
        lost += found["data"] != data
        gained += found["gained"]
    assert lost <= 3 and gained >= 4


def test_carrier_offset_and_phase_noise():
    form = reservoir.packet_format(QPSK, D, "cc")
    receiver = reservoir.coded_receiver(configured(), form)
    lost = gained = 0
    for number in range(60):
        data, pilots, received = draw(form, number, 80.0)
        rng = np.random.default_rng([14, number])
        wander = np.cumsum(rng.standard_normal(len(received))) * np.sqrt(2e-4)
        phase = 2 * np.pi * 1e-4 * np.arange(len(received)) + wander
        received = received * np.exp(1j * phase) + noise(len(received), rng, 6.0)
        found = receiver.receive(received.astype(np.complex64), pilots)
        lost += found["data"] != data
        gained += found["gained"]
    assert gained >= 5 and lost <= gained / 2


def test_unknown_symbols_before_known_ones():
    """A midamble: half of the payload lies before what is known."""
    form = reservoir.packet_format(QPSK, D, "cc")
    receiver = reservoir.coded_receiver(configured(), form)
    gained = lost = 0
    for number in range(40):
        rng = np.random.default_rng([15, number])
        data = rng.bytes(form.capacity)
        known = form.points[rng.integers(0, 4, P)]
        payload = form.encode(data, number)
        sent = np.concatenate([payload[: D // 2], known, payload[D // 2 :]])
        taps = rayleigh(POWERS, rng)
        received = through(sent, taps / np.linalg.norm(taps), rng, 5.0)
        pilots = np.append(np.full(D // 2, np.nan), known)
        found = receiver.receive(received, pilots.astype(np.complex64))
        gained += found["gained"]
        lost += found["data"] != data
    assert gained >= 3 and lost <= 5
    with pytest.raises(ValueError, match="pilots = 513 symbols"):
        receiver.receive(np.zeros(2000), np.append(np.full(D + 1, np.nan), known))


@pytest.mark.parametrize(
    "damage", ["nan", "infinite", "silence", "huge", "noise", "tiny"]
)
def test_bad_samples_never_crash(damage):
    form = reservoir.packet_format(QPSK, D, "cc")
    receiver = reservoir.coded_receiver(configured(), form)
    data, pilots, received = draw(form, 1, 20.0)
    bad = received.copy()
    if damage == "nan":
        bad[300:320] = np.nan
    elif damage == "infinite":
        bad[::97] = np.inf
    elif damage == "silence":
        bad[:] = 0
    elif damage == "huge":
        bad *= np.float32(1e15)
    elif damage == "tiny":
        bad *= np.float32(1e-15)
    else:
        bad = noise(len(bad), np.random.default_rng(1), 0).astype(np.complex64)
    found = receiver.receive(bad, pilots)
    if damage in ("huge", "tiny"):
        assert found["data"] == data
    elif damage in ("silence", "noise"):
        assert found["data"] is None
    assert receiver.receive(received, pilots)["data"] == data  # nothing of it is left


def test_a_second_try_counts_no_bad_sample_again():
    form = reservoir.packet_format(QPSK, D, "cc")
    detector = configured()
    receiver = reservoir.coded_receiver(detector, form)
    _, pilots, received = draw(form, 0, 0.0)
    received[P + 5 : P + 8] = np.nan
    assert receiver.receive(received, pilots)["data"] is None  # tried with refits, too
    assert detector.bad_samples() == 3


def test_arguments_are_checked():
    form = reservoir.packet_format(QPSK, D, "cc")
    make = reservoir.coded_receiver
    with pytest.raises(ValueError, match="code = 'none': must be"):
        make(configured(), reservoir.packet_format(QPSK, D))
    for iterations in (-1, 33):
        with pytest.raises(ValueError, match=f"iterations = {iterations}"):
            make(configured(), form, iterations)
    with pytest.raises(ValueError, match="detector = None"):
        make(None, form)
    with pytest.raises(ValueError, match="outputs"):
        make(reservoir.fir(num_outputs=2), form)
    detector = configured()
    receiver = make(detector, form)
    with pytest.raises(ValueError, match="another block"):
        make(detector, form)
    with pytest.raises(ValueError, match="pilots rows = 2"):
        receiver.receive(np.zeros(2000), np.zeros((2, P)))
    with pytest.raises(ValueError, match="payload_len"):
        receiver.receive(np.zeros(P + D - 1), form.points[[0] * P])
    block = reservoir.packet_receiver
    pilots = form.points[[0, 1, 2, 3]]
    for arguments, name in (
        ((None, 1, pilots), "receiver"),
        ((receiver, 0, pilots), "sps"),
        ((receiver, 1, []), "training_sequence"),
        ((receiver, 1, [np.nan]), "training_sequence"),
        ((receiver, 1, np.ones((2, 4))), "training_sequence"),
        ((receiver, 1, pilots, ""), "training_tag"),
        ((receiver, 1, pilots, "tag", 0), "workers"),
        ((receiver, 1, pilots, "tag", 65), "workers"),
    ):
        with pytest.raises(ValueError, match=name):
            block(*arguments)
    block(receiver, 1, pilots)
    with pytest.raises(ValueError, match="receiver"):
        block(receiver, 1, pilots)


# --- in a flowgraph


def stream(form, numbers, snr_db, gap=60):
    """Frames with gaps: samples, offsets of the first pilots, all data, pilots (the same in all)."""
    rng = np.random.default_rng(20)
    pilots = form.points[rng.integers(0, 4, P)].astype(np.complex64)
    parts, offsets, sent = [np.zeros(7)], [], []
    for number in numbers:
        draws = np.random.default_rng([21, number])
        data = draws.bytes(form.capacity)
        taps = rayleigh(POWERS, draws)
        frame = np.concatenate([pilots, form.encode(data, number), np.zeros(gap)])
        offsets.append(sum(len(part) for part in parts))
        parts.append(np.convolve(frame, taps / np.linalg.norm(taps))[: len(frame)])
        sent.append(data)
    samples = np.concatenate(parts)
    samples = samples + noise(len(samples), rng, snr_db)
    return samples.astype(np.complex64), offsets, sent, pilots


def received(form, samples, tags, pilots, chunk=0, workers=1, iterations=2):
    """All PDUs (data, metadata), reports, and the block."""
    block = reservoir.packet_receiver(
        reservoir.coded_receiver(configured(), form, iterations),
        1,
        pilots,
        workers=workers,
    )
    source = blocks.vector_source_c(samples.tolist(), False, 1, tags)
    pdus, reports = blocks.message_debug(), blocks.message_debug()
    top = gr.top_block()
    top.connect(source, block)
    top.msg_connect((block, "pdus"), (pdus, "store"))
    top.msg_connect((block, "report"), (reports, "store"))
    handled = []
    block.set_handler(lambda data, metadata: handled.append((data, metadata)))
    top.run(chunk) if chunk else top.run()
    messages = lambda store: [store.get_message(k) for k in range(store.num_messages())]
    found = [
        (bytes(pmt.u8vector_elements(pmt.cdr(one))), pmt.to_python(pmt.car(one)))
        for one in messages(pdus)
    ]
    return found, [pmt.to_python(one) for one in messages(reports)], block, handled


def marks(offsets, value=pmt.PMT_T):
    return [make_tag(offset, "training_start", value) for offset in offsets]


@pytest.mark.parametrize(
    "chunk, workers", [(0, 1), (1, 1), (97, 1), (4096, 3), (61, 2)]
)
def test_flowgraph_gives_the_packets_of_the_receiver(chunk, workers):
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, sent, pilots = stream(form, range(12), 4.5)
    receiver = reservoir.coded_receiver(configured(), form)
    expected = [
        receiver.receive(samples[offset : offset + P + D + 48], pilots)
        for offset in offsets
    ]
    arrived = [one for one in expected if one["data"] is not None]
    gained = [one["gained"] for one in expected]
    assert 2 <= sum(gained) < 12
    found, reports, block, handled = received(
        form, samples, marks(offsets), pilots, chunk, workers
    )
    assert [one[0] for one in found] == [one["data"] for one in arrived]
    assert [one[1]["sequence"] for one in found] == [one["sequence"] for one in arrived]
    assert [one[0] for one in handled] == [one[0] for one in found]
    assert [report["iterations"] for report in reports] == [
        one["iterations"] for one in expected
    ]
    assert [report["gained"] for report in reports] == gained
    np.testing.assert_allclose(
        [report["evm_db"] for report in reports], [one["evm_db"] for one in expected]
    )
    assert [report["frames"] for report in reports] == list(range(1, 13))
    assert block.frames() == 12 and block.packets() == len(arrived)
    assert block.gained() == sum(gained)
    assert block.crc_failures() == 12 - len(arrived) and block.truncated() == 0
    assert reports[-1]["lost"] == block.lost()


def test_metadata_is_the_tags():
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, sent, pilots = stream(form, range(3), 20.0)
    values = [
        pmt.to_pmt({"snr_db": 10.0 + k, "cfo": 1e-4 * k, "time": k}) for k in range(3)
    ]
    tags = [make_tag(o, "training_start", v) for o, v in zip(offsets, values)]
    found, reports, block, _ = received(form, samples, tags, pilots)
    assert [one[1]["snr_db"] for one in found] == [10.0, 11.0, 12.0]
    assert [one[1]["time"] for one in found] == [0, 1, 2]
    assert [report["cfo"] for report in reports] == [0.0, 1e-4, 2e-4]
    assert block.take_means()[0] == pytest.approx(11.0)
    assert np.isnan(block.take_means()[0])


@pytest.mark.parametrize("chunk", [0, 50])
def test_frames_that_are_cut_short_are_counted(chunk):
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, sent, pilots = stream(form, range(4), 20.0)
    tags = marks([offsets[0], offsets[1], offsets[2] - 90, offsets[2], offsets[3]])
    # a tag in the training of the third, an overrun in the second's payload; the last one's end misses
    tags = marks([*offsets[:3], offsets[2] + 20, offsets[3]])
    tags.append(make_tag(offsets[1] + 300, "rx_time"))
    tags.sort(key=lambda tag: tag.offset)
    found, reports, block, _ = received(
        form, samples[: offsets[3] + 400], tags, pilots, chunk
    )
    assert [one[0] for one in found] == [sent[0]]
    assert block.frames() == 2  # the first, and the third at a wrong place
    assert block.crc_failures() == 1
    assert block.truncated() == 3
    assert [report["truncated"] for report in reports] == [0, 2]


def test_tags_anywhere_and_bad_samples_never_stop_it():
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, sent, pilots = stream(form, range(6), 20.0)
    bad = samples.copy()
    bad[offsets[1] + 200 : offsets[1] + 700] = np.nan
    bad[offsets[2] : offsets[2] + 600] = 0
    bad[offsets[4] : offsets[4] + 600] = np.inf
    places = sorted([*offsets, 0, 3, len(samples) - 1, offsets[3] + 590])
    found, _, block, _ = received(form, bad, marks(places), pilots)
    arrived = {one[0] for one in found}
    assert {sent[0], sent[3], sent[5]} <= arrived
    assert block.frames() + block.truncated() == len(places)


def test_last_frames_packet_leaves_before_the_flowgraph_ends():
    """Look-ahead is missing; other blocks end when this one does."""
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, sent, pilots = stream(form, range(2), 20.0, gap=0)
    for _ in range(20):
        found, _, block, _ = received(form, samples, marks(offsets), pilots)
        assert [one[0] for one in found] == sent


def test_a_flowgraph_that_is_stopped_and_run_again():
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, sent, pilots = stream(form, range(2), 20.0)
    for workers in (1, 2):
        block = reservoir.packet_receiver(
            reservoir.coded_receiver(configured(), form), 1, pilots, workers=workers
        )
        source = blocks.vector_source_c(samples.tolist(), True, 1, marks(offsets))
        top = gr.top_block()
        top.connect(source, block)
        for run in range(2):
            before = block.packets()
            top.start()
            for _ in range(400):
                time.sleep(0.01)
                if block.packets() > before + 3:
                    break
            top.stop()
            top.wait()
            assert block.packets() > before + 3


def test_a_detector_behind_a_flowgraph_is_as_a_new_one():
    """A packet that needed no refits does not leave them out for later frames."""
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, sent, pilots = stream(form, range(2), 20.0)
    detector = configured()
    block = reservoir.packet_receiver(
        reservoir.coded_receiver(detector, form), 1, pilots
    )
    top = gr.top_block()
    top.connect(
        blocks.vector_source_c(samples.tolist(), False, 1, marks(offsets)), block
    )
    top.run()
    assert block.packets() == 2
    fresh = configured()
    for number in range(10):
        _, pilots, received = draw(form, number, 5.0)
        assert np.array_equal(
            detector.receive(received, pilots, payload_len=D),
            fresh.receive(received, pilots, payload_len=D),
        )


@pytest.mark.parametrize("pause", [0.02, 0.1])
def test_a_flowgraph_can_be_stopped_twice(pause):
    """As by Ctrl-C and then by a window that closes, while workers have frames."""
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, _, pilots = stream(form, range(2), 3.0)
    detector = configured(refits=8, survivors=64)
    block = reservoir.packet_receiver(
        reservoir.coded_receiver(detector, form), 1, pilots, workers=4
    )
    source = blocks.vector_source_c(samples.tolist(), True, 1, marks(offsets))
    top = gr.top_block()
    top.connect(source, block)
    top.start()
    time.sleep(0.3)
    top.stop()
    time.sleep(pause)
    top.stop()
    top.wait()
    assert block.frames() > 0


class silence_with_tags(gr.sync_block):
    """A mark every 40 samples, each with facts of its own: no frame is ever whole."""

    def __init__(self):
        gr.sync_block.__init__(self, "silence_with_tags", None, [np.complex64])

    def work(self, _, outputs):
        begin = self.nitems_written(0)
        for offset in range(-(-begin // 40) * 40, begin + len(outputs[0]), 40):
            facts = pmt.to_pmt({f"fact {k}": offset + k for k in range(8)})
            self.add_item_tag(0, offset, pmt.intern("training_start"), facts)
        outputs[0][:] = 0
        return len(outputs[0])


def test_frames_that_are_cut_short_leave_no_memory_behind():
    form = reservoir.packet_format(QPSK, D, "cc")
    block = reservoir.packet_receiver(
        reservoir.coded_receiver(configured(), form), 1, form.points[[0] * P]
    )

    def run(num_tags):
        top = gr.top_block()
        source = silence_with_tags()  # a flowgraph does not keep Python's blocks
        top.connect(source, blocks.head(8, 40 * num_tags), block)
        top.run()

    run(1000)  # what is made once
    assert memory_growth(lambda: run(20000)) < 5  # kept, their facts are 30 MiB
    assert block.truncated() == 21000 and block.frames() == 0


def test_ldpc_packets_in_a_flowgraph():
    form = reservoir.packet_format(QPSK, D, LDPC)
    samples, offsets, sent, pilots = stream(form, range(12), 6.0)
    found, reports, block, _ = received(form, samples, marks(offsets), pilots)
    assert {one[0] for one in found} <= set(sent) and block.packets() >= 10
    assert len(reports) == 12
    again, *_ = received(form, samples, marks(offsets), pilots, chunk=97, workers=2)
    assert [one[0] for one in again] == [one[0] for one in found]


def test_two_antennas_in_a_flowgraph():
    form = reservoir.packet_format(QPSK, D, "cc")
    samples, offsets, sent, pilots = stream(form, range(3), 20.0)
    block = reservoir.packet_receiver(
        reservoir.coded_receiver(configured(num_inputs=2), form), 1, pilots
    )
    top = gr.top_block()
    for port, row in enumerate((samples, 1j * samples[:-100])):  # one ends earlier
        tags = marks(offsets) if port == 0 else []
        top.connect(blocks.vector_source_c(row.tolist(), False, 1, tags), (block, port))
    top.run()
    assert block.packets() == 2 and block.truncated() == 1
