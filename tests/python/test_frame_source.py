#
# SPDX-License-Identifier: GPL-3.0-or-later
#
import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir
from link_helpers import CHUNKS, assert_rejects, offsets

QPSK = digital.constellation_qpsk()
PILOTS = reservoir.random_pilots(QPSK, 8)


def run_source(source, chunk=0, num_samples=None):
    top, sink = gr.top_block(), blocks.vector_sink_c()
    if num_samples is None:
        top.connect(source, sink)
    else:
        top.connect(source, blocks.head(gr.sizeof_gr_complex, num_samples), sink)
    if chunk:
        top.run(chunk)
    else:
        top.run()
    return np.array(sink.data(), np.complex64), list(sink.tags())


def test_frames_are_pilots_payload_gap():
    source = reservoir.frame_source(QPSK, PILOTS, payload_len=20, gap=5, num_frames=3)
    samples, _ = run_source(source)
    assert source.frame_length() == 33 and source.payload_length() == 20
    frames = samples.reshape(3, 33)
    points = np.array(QPSK.points()) / 2
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame[:8], PILOTS)
        payload = source.payload_indices(index)
        np.testing.assert_allclose(frame[8:28], points[payload], atol=1e-6)
        assert not frame[28:].any()
    assert not np.array_equal(frames[0], frames[1])
    np.testing.assert_array_equal(source.pilots(), PILOTS)
    np.testing.assert_allclose(source.points(), points, atol=1e-6)


def test_tags():
    source = reservoir.frame_source(QPSK, PILOTS, payload_len=20, gap=5, num_frames=3)
    _, tags = run_source(source)
    assert offsets(tags, "frame_start") == offsets(tags, "corr_est") == [0, 33, 66]
    values = {pmt.symbol_to_string(t.key): t.value for t in tags if t.offset == 66}
    assert pmt.to_python(values["frame_start"]) == {
        "frame": 2,
        "pilots": 8,
        "payload": 20,
    }
    frame = pmt.dict_ref(values["frame_start"], pmt.intern("frame"), pmt.PMT_NIL)
    assert pmt.is_uint64(frame) and pmt.to_double(values["corr_est"]) == 1.0


def test_no_tags_where_there_is_no_key():
    source = reservoir.frame_source(
        QPSK, PILOTS, num_frames=2, frame_tag="", training_tag=""
    )
    assert run_source(source)[1] == []


def test_endless_and_without_gap():
    source = reservoir.frame_source(QPSK, [], payload_len=7, gap=0)
    samples, tags = run_source(source, num_samples=700)
    np.testing.assert_allclose(np.abs(samples), 1, atol=1e-6)
    assert [n for n in offsets(tags, "frame_start") if n < 700] == list(
        range(0, 700, 7)
    )


def test_payload_is_uniform_and_depends_on_seed_and_frame():
    source = reservoir.frame_source(
        digital.constellation_16qam().base(), [], payload_len=16000, seed=3
    )
    counts = np.bincount(source.payload_indices(10**12), minlength=16)
    assert len(counts) == 16 and np.all(np.abs(counts - 1000) < 5 * np.sqrt(1000))
    first = source.payload_indices(0)
    assert first.dtype.kind == "i"
    np.testing.assert_array_equal(first, source.payload_indices(0))
    for seed, frame in ((3, 1), (4, 0), (2, 1)):
        other = reservoir.frame_source(
            digital.constellation_16qam(), [], payload_len=16000, seed=seed
        ).payload_indices(frame)
        assert abs(np.mean(first == other) - 1 / 16) < 0.01


def test_chunks_change_no_bit():
    def run(chunk):
        source = reservoir.frame_source(QPSK, PILOTS, payload_len=100, num_frames=9)
        samples, tags = run_source(source, chunk)
        return samples.tobytes(), offsets(tags, "corr_est")

    runs = [run(chunk) for chunk in CHUNKS]
    assert all(result == runs[0] for result in runs)


def test_ends_once_and_starts_again_after_reset():
    source = reservoir.frame_source(QPSK, PILOTS, num_frames=2)
    first, _ = run_source(source)
    assert len(first) == 2 * source.frame_length()
    assert len(run_source(source)[0]) == 0
    source.reset()
    np.testing.assert_array_equal(run_source(source)[0], first)


def test_random_pilots():
    pilots = reservoir.random_pilots(digital.constellation_16qam(), 4000, seed=9)
    assert pilots.dtype == np.complex64 and pilots.shape == (4000,)
    assert np.mean(np.abs(pilots) ** 2) == pytest.approx(1, abs=0.05)
    again = reservoir.random_pilots(
        constellation=digital.constellation_16qam(), num_pilots=4000, seed=9
    )
    np.testing.assert_array_equal(pilots, again)
    assert len(set(pilots.tolist())) == 16


@pytest.mark.parametrize(
    "name, value",
    [
        ("constellation", None),
        ("pilots", [np.nan]),
        ("pilots", [[1, 1]]),
        ("payload_len", -1),
        ("payload_len", 2**24 + 1),
        ("gap", -1),
        ("gap", 2**24 + 1),
        ("num_frames", -1),
        ("seed", -1),
    ],
)
def test_invalid_arguments(name, value):
    arguments = {"constellation": QPSK, "pilots": PILOTS, name: value}
    shown = value if isinstance(value, int) else None
    assert_rejects(reservoir.frame_source, arguments, name, shown)


def test_other_invalid_arguments():
    empty = {"constellation": QPSK, "pilots": [], "payload_len": 0}
    assert_rejects(reservoir.frame_source, empty, "payload_len", 0)
    two = digital.constellation_calcdist([1, -1, 1j, -1j], [], 1, 2)
    assert_rejects(
        reservoir.frame_source,
        {"constellation": two, "pilots": []},
        "constellation dimensionality",
        2,
    )
    source = reservoir.frame_source(QPSK, PILOTS)
    assert_rejects(source.payload_indices, {"frame": -1}, "frame", -1)
    for name, value in (("constellation", None), ("num_pilots", -1), ("seed", -1)):
        arguments = {"constellation": QPSK, "num_pilots": 4, name: value}
        assert_rejects(reservoir.random_pilots, arguments, name, None)
