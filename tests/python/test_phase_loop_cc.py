#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""phase_loop_cc: decision-directed loop behind an equalizer."""

import math

import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir

TAG = "training_start"


def constellation(name):
    return getattr(digital, f"constellation_{name}")().base()


def unit_points(name):
    points = np.array(constellation(name).points())
    return points / np.sqrt(np.mean(np.abs(points) ** 2))


def symbols(name, count, seed=1):
    return np.random.default_rng(seed).choice(unit_points(name), count)


def tag(offset, key=TAG):
    made = gr.tag_t()
    made.offset, made.key, made.value = offset, pmt.intern(key), pmt.PMT_T
    return made


def looped(received, name="qpsk", tags=(), max_noutput=8191, **arguments):
    top = gr.top_block()
    source = blocks.vector_source_c(received.astype(np.complex64), False, 1, list(tags))
    loop = reservoir.phase_loop_cc(constellation(name), **arguments)
    sink = blocks.vector_sink_c()
    top.connect(source, loop, sink)
    top.run(max_noutput)
    return np.array(sink.data(), np.complex64), loop, sink.tags()


def turned(sent, frequency, noise=0.0, seed=2):
    """Turned by frequency rad/symbol, with noise of that standard deviation."""
    rng = np.random.default_rng(seed)
    shape = len(sent)
    received = sent * np.exp(1j * frequency * np.arange(shape))
    return received + noise * math.sqrt(0.5) * (
        rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    )


def errors(name, sent, output):
    points = unit_points(name)
    decided = points[np.argmin(np.abs(output[:, None] - points), axis=1)]
    return np.mean(np.abs(decided - sent) > 1e-3)


@pytest.mark.parametrize("name, noise", [("qpsk", 0.2), ("8psk", 0.1), ("16qam", 0.1)])
@pytest.mark.parametrize("frequency", [3e-3, -3e-3])
def test_follows_an_offset(name, noise, frequency):
    # 3 rad over the frame: without the loop most symbols are wrong
    sent = symbols(name, 1000)
    received = turned(sent, frequency, noise)
    output, loop, _ = looped(received, name, loop_bandwidth=0.03)
    assert errors(name, sent, received) > 0.5
    assert (
        errors(name, sent, output)
        <= errors(name, sent, turned(sent, 0.0, noise)) + 0.005
    )
    assert loop.frequency() == pytest.approx(frequency, abs=2e-3)


def test_random_walk_of_the_phase():
    rng = np.random.default_rng(3)
    sent = symbols("16qam", 4000)
    received = sent * np.exp(1j * np.cumsum(0.01 * rng.standard_normal(4000)))
    assert errors("16qam", sent, received) > 0.1
    assert errors("16qam", sent, looped(received, "16qam", loop_bandwidth=0.1)[0]) == 0


def test_starts_anew_at_each_tag():
    one = turned(symbols("qpsk", 300), 3e-3, 0.1)
    other = turned(symbols("qpsk", 300, seed=5), -2e-3, 0.1, seed=6)
    whole, _, tags = looped(np.concatenate((one, other)), tags=[tag(0), tag(300)])
    apart = np.concatenate([looped(frame, tags=[tag(0)])[0] for frame in (one, other)])
    assert np.array_equal(whole, apart)
    assert [t.offset for t in tags] == [0, 300]
    ignored, _, _ = looped(np.concatenate((one, other)), tags=[tag(300, "other")])
    assert not np.array_equal(ignored, whole)


@pytest.mark.parametrize("max_noutput", [1, 7, 100])
def test_any_chunking_gives_the_same_bits(max_noutput):
    received = turned(symbols("qpsk", 1000), 2e-3, 0.3)
    tags = [tag(n) for n in (0, 123, 700)]
    assert np.array_equal(
        looped(received, tags=tags)[0],
        looped(received, tags=tags, max_noutput=max_noutput)[0],
    )


def test_bad_symbols_pass_and_do_no_harm():
    received = turned(symbols("qpsk", 500), 2e-3, 0.1).astype(np.complex64)
    bad = received.copy()
    bad[[100, 101]] = np.nan, complex(np.inf, 1)
    output, loop, _ = looped(bad)
    assert np.isnan(output[100]) and np.isinf(output[101])
    rest = np.delete(output, [100, 101])
    assert np.array_equal(rest, looped(np.delete(received, [100, 101]))[0])
    assert math.isfinite(loop.phase())
    assert np.all(np.abs(looped(np.full(50, 1e30 + 0j))[0]) > 1e29)
    assert np.array_equal(looped(np.zeros(50, np.complex64))[0], np.zeros(50))


def test_bandwidth_zero_lets_symbols_pass():
    received = turned(symbols("qpsk", 100), 1e-2).astype(np.complex64)
    assert np.array_equal(looped(received, loop_bandwidth=0.0)[0], received)


def test_bandwidth_may_change():
    loop = reservoir.phase_loop_cc(constellation("qpsk"))
    loop.set_loop_bandwidth(0.2)
    with pytest.raises(ValueError, match="loop_bandwidth = 2: must be"):
        loop.set_loop_bandwidth(2)


def test_bad_arguments():
    qpsk = constellation("qpsk")
    for value in (-0.1, 0.6, math.nan):
        with pytest.raises(ValueError, match="loop_bandwidth"):
            reservoir.phase_loop_cc(qpsk, value)
    with pytest.raises(ValueError, match="constellation"):
        reservoir.phase_loop_cc(None)
