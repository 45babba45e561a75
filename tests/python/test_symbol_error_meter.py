#
# SPDX-License-Identifier: GPL-3.0-or-later
#
import math

import numpy as np
import pmt
import pytest
from gnuradio import analog, blocks, digital, gr, reservoir
from link_helpers import CHUNKS, assert_rejects, make_tag
from scipy.stats import norm

QPSK = digital.constellation_qpsk()
QAM16 = digital.constellation_16qam()


def frame_tag(offset, frame):
    value = pmt.dict_add(pmt.make_dict(), pmt.intern("frame"), frame)
    return make_tag(offset, value=value)


def frame_samples(source, frame):
    payload = source.points()[source.payload_indices(frame)]
    return np.concatenate([source.pilots(), payload])


def feed(meter, samples, tags, chunk=0):
    """The reports of the meter."""
    top, debug = gr.top_block(), blocks.message_debug()
    samples = np.asarray(samples, np.complex64)
    top.connect(blocks.vector_source_c(samples.tolist(), False, 1, tags), meter)
    top.msg_connect(meter, "report", debug, "store")
    if chunk:
        top.run(chunk)
    else:
        top.run()
    return [pmt.to_python(debug.get_message(n)) for n in range(debug.num_messages())]


def make_source(constellation=QPSK, **arguments):
    pilots = reservoir.random_pilots(constellation, 8)
    return reservoir.frame_source(
        constellation, pilots, **{"payload_len": 50, "gap": 5, **arguments}
    )


@pytest.mark.parametrize(
    "constellation",
    [digital.constellation_bpsk(), QPSK, QAM16, digital.constellation_8psk()],
)
def test_clean_link_has_no_errors(constellation):
    source = make_source(constellation, num_frames=12)
    meter = reservoir.symbol_error_meter(constellation, source, warmup_frames=2)
    top = gr.top_block()
    top.connect(source, meter)
    top.run()
    assert meter.total_frames() == 10 and meter.total_symbols() == 500
    assert meter.total_bits() == 500 * constellation.bits_per_symbol()
    assert (
        meter.ser() == meter.ber() == meter.symbol_errors() == meter.bit_errors() == 0
    )
    assert meter.evm_db() < -100
    assert meter.incomplete_frames() == 0
    assert meter.frame_ser() == [(0, 50)] * 10


def awgn(constellation, snr_db, num_frames=200):
    source = make_source(constellation, payload_len=1000, num_frames=num_frames)
    meter = reservoir.symbol_error_meter(constellation, source)
    noise = analog.noise_source_c(analog.GR_GAUSSIAN, 10 ** (-snr_db / 20), 3)
    adder, top = blocks.add_cc(), gr.top_block()
    top.connect(source, adder, meter)
    top.connect(noise, (adder, 1))
    top.run()
    return meter


def assert_rate(errors, trials, rate):
    assert abs(errors - trials * rate) < 4 * math.sqrt(trials * rate * (1 - rate))


def test_qpsk_formula_in_noise():
    meter = awgn(QPSK, 8)
    q = norm.sf(math.sqrt(10**0.8))
    assert_rate(meter.symbol_errors(), meter.total_symbols(), 2 * q - q**2)
    assert_rate(meter.bit_errors(), meter.total_bits(), q)
    assert meter.evm_db() == pytest.approx(-8, abs=0.05)
    errors, symbols = np.array(meter.frame_ser()).T
    assert errors.sum() == meter.symbol_errors() and set(symbols) == {1000}


def test_16qam_formula_in_noise():
    meter = awgn(QAM16, 14)
    p = 1.5 * norm.sf(math.sqrt(10**1.4 / 5))
    assert_rate(meter.symbol_errors(), meter.total_symbols(), 1 - (1 - p) ** 2)


def test_bits_are_those_of_the_index_or_of_the_code_where_applied():
    points = [1, 1j, -1, -1j]
    for code, applied, bits in (([], False, 2), ([0, 1, 3, 2], True, 1)):
        constellation = digital.constellation_calcdist(points, code, 4, 1)
        constellation.set_pre_diff_code(applied)
        source = reservoir.frame_source(constellation, [], payload_len=400)
        meter = reservoir.symbol_error_meter(constellation, source)
        sent = source.payload_indices(0)
        received = np.array(points)[np.where(sent == 2, 1, sent)]  # 2 taken for 1
        feed(meter, received, [frame_tag(0, pmt.from_uint64(0))])
        assert meter.symbol_errors() == np.sum(sent == 2)
        assert meter.bit_errors() == bits * np.sum(sent == 2)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_any_order_and_offset_of_frames(chunk):
    source = make_source()
    meter = reservoir.symbol_error_meter(QPSK, source)
    samples, tags = [np.zeros(3)], []
    for frame in (7, 7, 2, 10**15):
        tags.append(frame_tag(sum(map(len, samples)), pmt.from_uint64(frame)))
        samples += [frame_samples(source, frame), np.zeros(frame % 5)]
    reports = feed(meter, np.concatenate(samples), tags, chunk)
    assert [report["frame"] for report in reports] == [7, 7, 2, 10**15]
    assert meter.total_symbols() == 200 and meter.ser() == 0
    assert reports[-1]["totals"]["symbols"] == 200
    assert reports[-1]["totals"]["frames"] == 4


def test_frames_cut_short_are_not_counted():
    source = make_source()
    meter = reservoir.symbol_error_meter(QPSK, source)
    whole = frame_samples(source, 1)
    samples = np.concatenate([frame_samples(source, 0)[:30], whole, whole[:57]])
    tags = [frame_tag(n, pmt.from_uint64(f)) for n, f in ((0, 0), (30, 1), (88, 1))]
    reports = feed(meter, samples, tags)
    assert [report["frame"] for report in reports] == [1]
    assert meter.incomplete_frames() == 2
    assert meter.total_symbols() == 50 and meter.ser() == 0


def test_a_tag_for_each_antenna_begins_one_frame():
    source = make_source()
    meter = reservoir.symbol_error_meter(QPSK, source, warmup_frames=1)
    samples = np.concatenate([frame_samples(source, frame) for frame in range(4)])
    tags = [frame_tag(58 * (n // 2), pmt.from_uint64(n // 2)) for n in range(8)]
    reports = feed(meter, samples, tags)
    assert [report["frame"] for report in reports] == [1, 2, 3]
    assert meter.incomplete_frames() == 0


def test_bad_symbols_are_errors_without_evm():
    source = make_source()
    meter = reservoir.symbol_error_meter(QPSK, source)
    samples = frame_samples(source, 0)
    samples[[0, 8, 20, 57]] = np.nan, np.nan, np.inf, 1j * np.inf  # the first a pilot
    (report,) = feed(meter, samples, [frame_tag(0, pmt.from_uint64(0))])
    assert meter.symbol_errors() == meter.nonfinite_symbols() == 3
    assert meter.bit_errors() == 6 and meter.evm_db() < -100
    assert report["ser"] == 3 / 50 and report["totals"]["nonfinite_symbols"] == 3


def test_nothing_but_bad_symbols_and_silence():
    source = make_source()
    meter = reservoir.symbol_error_meter(QPSK, source)
    samples = np.concatenate([np.full(58, np.nan), np.zeros(58), np.full(58, 3e38)])
    feed(meter, samples, [frame_tag(n, pmt.from_uint64(0)) for n in (0, 58, 116)])
    assert meter.total_frames() == 3 and meter.nonfinite_symbols() == 50


@pytest.mark.parametrize(
    "value",
    [
        pmt.PMT_NIL,
        pmt.PMT_T,
        pmt.from_double(1.0),
        pmt.cons(pmt.intern("frame"), pmt.from_long(1)),
        pmt.dict_add(pmt.make_dict(), pmt.intern("frame"), pmt.intern("x")),
        pmt.dict_add(pmt.make_dict(), pmt.intern("frame"), pmt.from_long(-1)),
        pmt.dict_add(pmt.make_dict(), pmt.intern("other"), pmt.from_long(1)),
    ],
)
def test_tags_without_a_frame_index_are_ignored(value):
    source = make_source()
    meter = reservoir.symbol_error_meter(QPSK, source)
    tags = [frame_tag(0, pmt.from_long(4)), make_tag(30, value=value)]
    feed(meter, frame_samples(source, 4), tags)
    assert meter.total_symbols() == 50 and meter.incomplete_frames() == 0


def test_reset_and_before_the_first_frame():
    source = make_source()
    meter = reservoir.symbol_error_meter(QPSK, source)
    assert all(map(math.isnan, (meter.ser(), meter.ber(), meter.evm_db())))
    feed(meter, frame_samples(source, 0), [frame_tag(0, pmt.from_long(0))])
    assert meter.total_symbols() == 50
    meter.reset()
    assert meter.total_symbols() == 0 and meter.frame_ser() == []


def test_invalid_arguments():
    source = make_source()
    for name, value in (
        ("constellation", None),
        ("constellation", QAM16),
        ("frame_source", None),
        ("frame_source", make_source(payload_len=0)),
        ("warmup_frames", -1),
        ("frame_tag", ""),
    ):
        arguments = {"constellation": QPSK, "frame_source": source, name: value}
        shown = value if isinstance(value, int) else None
        assert_rejects(reservoir.symbol_error_meter, arguments, name, shown)
    odd = digital.constellation_calcdist([1, 1j, -1, -1j], [0, 1, 1, 2], 4, 1)
    odd.set_pre_diff_code(True)
    arguments = {
        "constellation": odd,
        "frame_source": reservoir.frame_source(odd, [], payload_len=5),
    }
    assert_rejects(reservoir.symbol_error_meter, arguments, "pre_diff_code", 1)
