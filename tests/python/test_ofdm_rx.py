#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The equalizer inside GNU Radio's OFDM frame equalizer, and packets through ofdm_rx."""

import sys
from pathlib import Path

import numpy as np
import pmt
import pytest

from gnuradio import blocks, digital, gr, reservoir

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import ofdm_packets  # noqa: E402

BPSK, QPSK = digital.constellation_bpsk(), digital.constellation_qpsk()
LENGTH_TAG, TAPS_TAG = "frame_len", "ofdm_sync_chan_taps"
FFT_LEN = 64
DATA = [k for k in range(-26, 27) if k and abs(k) not in (7, 21)]
PILOTS = [-21, -7, 7, 21]
ACTIVE = sorted(DATA + PILOTS)
MIDDLE = FFT_LEN // 2


def tag(key, value):
    made = gr.tag_t()
    made.offset, made.key, made.value = 0, pmt.intern(key), value
    return made


def equalized(equalizer, *frames):
    """Each of (symbols, taps or None) through one GNU Radio block: symbols, and the channel state
    behind the frame."""
    fft_len = equalizer.fft_len()
    tags, samples = [], []
    for symbols, taps in frames:
        new = [tag(LENGTH_TAG, pmt.from_long(len(symbols)))]
        if taps is not None:
            new.append(
                tag(TAPS_TAG, pmt.init_c32vector(fft_len, np.complex64(taps).tolist()))
            )
        for one in new:
            one.offset = sum(map(len, samples))
        tags += new
        samples.append(np.array(symbols, np.complex64))
    stream = np.concatenate(samples)
    top = gr.top_block()
    source = blocks.vector_source_c(stream.ravel().tolist(), False, fft_len, tags)
    block = digital.ofdm_frame_equalizer_vcvc(equalizer.base(), 16, LENGTH_TAG, True)
    sink = blocks.vector_sink_c(fft_len)
    top.connect(source, block, sink)
    top.run()
    out = np.array(sink.data()).reshape(-1, fft_len)
    states = {
        one.offset: np.array(pmt.c32vector_elements(one.value))
        for one in sink.tags()
        if pmt.symbol_to_string(one.key) == TAPS_TAG
    }
    begins = np.cumsum([0] + [len(frame) for frame in samples])
    return [(out[begin:end], states[begin]) for begin, end in zip(begins, begins[1:])]


def response(taps, begin=0, fft_len=FFT_LEN):
    """Of a channel whose first tap is at sample `begin` of the FFT's window; DC in the middle."""
    k = np.arange(fft_len) - fft_len // 2
    places = begin + np.arange(len(taps))
    return np.exp(-2j * np.pi * np.outer(k, places) / fft_len) @ np.array(taps)


def qpsk_frame(count, rng, pilot_sets=((1, 1, 1, -1),), skipped=0):
    """(count, 64), DC in the middle."""
    frame = np.zeros((count, FFT_LEN), complex)
    points = np.array(QPSK.points())
    frame[:, np.array(DATA) + MIDDLE] = points[rng.integers(0, 4, (count, len(DATA)))]
    for n in range(count):
        frame[n, np.array(PILOTS) + MIDDLE] = pilot_sets[
            (n + skipped) % len(pilot_sets)
        ]
    return frame


def noise(rng, shape, variance):
    return np.sqrt(variance / 2) * (
        rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    )


def ours(pilot_sets=((1, 1, 1, -1),), constellation=QPSK, **settings):
    return reservoir.ofdm_equalizer_configured(
        FFT_LEN,
        [DATA],
        [PILOTS],
        pilot_sets,
        constellation=constellation.base(),
        **settings,
    )


def wrong_decisions(symbols, frame, constellation=QPSK):
    points = np.array(constellation.points())
    at = np.array(DATA) + MIDDLE
    decided = points[np.argmin(np.abs(symbols[:, at, None] - points), -1)]
    return np.count_nonzero(np.abs(decided - frame[:, at]) > 1e-3)


# --------------------------------------------------------------------- one frame


def test_phase_jumps_with_a_pilot_symbol():
    """Eight carriers, four in use; the channel turns by a right angle where all are pilots."""
    carriers = (1, 2, 6, 7)
    at = (np.array(carriers) + 4) % 8
    rng = np.random.default_rng(1)
    frame = np.zeros((8, 8), complex)
    frame[:, at] = rng.choice([-1, 1], (8, 4))
    frame[4, at] = 1, -1, 1, -1
    channel = np.repeat([[1.0], [1j]], 4, 0) * np.ones(8)
    equalizer = reservoir.ofdm_equalizer_configured(
        8,
        [carriers],
        [(), (), (), (), carriers, (), (), ()],
        [(), (), (), (), (1, -1, 1, -1), (), (), ()],
        constellation=BPSK.base(),
    )
    ((symbols, state),) = equalized(equalizer, (frame * channel, np.ones(8)))
    np.testing.assert_allclose(symbols[:, at], frame[:, at], atol=1e-4)
    np.testing.assert_allclose(state[at], 1j, atol=1e-4)


def test_channel_that_changes_is_followed():
    rng = np.random.default_rng(2)
    frame = qpsk_frame(60, rng)
    start = np.array([1, 0.5 - 0.3j, 0.2j])
    turn = np.exp(2j * np.pi * np.outer(np.arange(60), [0.001, 0.01, -0.008]))
    channel = np.array([response(taps) for taps in turn * start])
    ((symbols, state),) = equalized(ours(), (frame * channel, channel[0]))
    assert wrong_decisions(symbols, frame) == 0
    at = np.array(ACTIVE) + MIDDLE
    assert np.mean(np.abs(state - channel[-1])[at] ** 2) < 0.01


def test_common_phase_may_jump_from_symbol_to_symbol():
    rng = np.random.default_rng(3)
    frame = qpsk_frame(20, rng)
    channel = response([1, 0.4j])
    phases = np.exp(2j * np.pi * rng.uniform(size=(20, 1)))
    received = frame * channel * phases + noise(rng, frame.shape, 0.01)
    ((symbols, state),) = equalized(ours(), (received, channel))
    assert wrong_decisions(symbols, frame) == 0
    at = np.array(ACTIVE) + MIDDLE
    np.testing.assert_allclose(state[at], (channel * phases[-1])[at], atol=0.1)


@pytest.mark.parametrize("begin", [-10, 0, 9])
def test_initial_taps_are_smoothed_wherever_the_window_lies(begin):
    """Of 52 noisy carriers three taps are estimated: some 12 dB less noise."""
    rng = np.random.default_rng(4)
    channel = response([0.8, 0.5j, -0.3], begin)
    at = np.array(ACTIVE) + MIDDLE
    errors = []
    for _ in range(20):
        frame = qpsk_frame(1, rng)
        taps = np.zeros(FFT_LEN, complex)
        taps[at] = (channel + noise(rng, FFT_LEN, 0.01))[at]
        ((symbols, state),) = equalized(ours(), (frame * channel, taps))
        errors.append(np.mean(np.abs(state - channel)[at] ** 2))
    assert np.mean(errors) < 0.01 / 8


def test_pilot_sets_are_taken_in_turns():
    """Also more sets of symbols than of carriers, of which GNU Radio's base class keeps one."""
    rng = np.random.default_rng(5)
    sets = rng.choice([-1, 1], (7, 4)).tolist()
    frame = qpsk_frame(20, rng, sets, skipped=3)
    phases = np.exp(2j * np.pi * rng.uniform(size=(20, 1)))
    equalizer = ours(sets, symbols_skipped=3)
    ((symbols, _),) = equalized(equalizer, (frame * phases, np.ones(FFT_LEN)))
    np.testing.assert_allclose(symbols, frame, atol=1e-4)


def test_occupied_sets_are_taken_in_turns():
    rng = np.random.default_rng(6)
    low, high = DATA[:20], DATA[20:]
    frame = qpsk_frame(10, rng)
    frame[0::2, np.array(high) + MIDDLE] = 0
    frame[1::2, np.array(low) + MIDDLE] = 0
    channel = response([1, 0.5, 0.2j])
    equalizer = reservoir.ofdm_equalizer_configured(
        FFT_LEN, [low, high], [PILOTS], [(1, 1, 1, -1)], constellation=QPSK.base()
    )
    ((symbols, _),) = equalized(equalizer, (frame * channel, channel))
    np.testing.assert_allclose(symbols, frame, atol=1e-3)


def test_soft_output_and_carriers_that_are_not_used():
    rng = np.random.default_rng(7)
    frame = qpsk_frame(4, rng)
    received = frame + noise(rng, frame.shape, 0.01)
    ((symbols, _),) = equalized(ours(), (received, np.ones(FFT_LEN)))
    unused = np.setdiff1d(np.arange(FFT_LEN), np.array(ACTIVE) + MIDDLE)
    np.testing.assert_array_equal(symbols[:, unused], np.complex64(received[:, unused]))
    pilots = np.array(PILOTS) + MIDDLE
    np.testing.assert_array_equal(symbols[:, pilots], frame[:, pilots])
    data = np.array(DATA) + MIDDLE
    error = np.mean(np.abs(symbols - frame)[:, data] ** 2)
    assert 0.005 < error < 0.015


def test_carriers_in_natural_order():
    rng = np.random.default_rng(8)
    frame = qpsk_frame(5, rng)
    channel = response([1, 0.5j])
    received = frame * channel + noise(rng, frame.shape, 0.01)
    ((shifted, shifted_state),) = equalized(ours(), (received, channel))
    natural = [np.fft.ifftshift(value, -1) for value in (received, channel)]
    ((symbols, state),) = equalized(ours(input_is_shifted=False), natural)
    np.testing.assert_array_equal(np.fft.fftshift(symbols, -1), shifted)
    np.testing.assert_array_equal(np.fft.fftshift(state), shifted_state)


def test_without_initial_taps_pilots_tell_the_channel():
    rng = np.random.default_rng(9)
    frame = qpsk_frame(6, rng)
    points = np.array(QPSK.points())
    known = points[rng.integers(0, 4, len(ACTIVE))]
    frame[0, np.array(ACTIVE) + MIDDLE] = known
    channel = response([0.3, 1, -0.5j], -1)
    equalizer = reservoir.ofdm_equalizer_configured(
        FFT_LEN,
        [DATA],
        [ACTIVE] + 5 * [PILOTS],
        [known] + 5 * [(1, 1, 1, -1)],
        constellation=QPSK.base(),
    )
    ((symbols, state),) = equalized(equalizer, (frame * channel, np.zeros(FFT_LEN)))
    assert wrong_decisions(symbols, frame) == 0
    at = np.array(ACTIVE) + MIDDLE
    np.testing.assert_allclose(state[at], channel[at], atol=1e-3)


# --------------------------------------------------------------------- bad data


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
@pytest.mark.parametrize("where", ["a carrier", "a symbol", "the frame", "the taps"])
def test_bad_data_does_not_reach_later_frames(bad, where):
    rng = np.random.default_rng(10)
    channel = response([1, 0.5j, 0.2])
    good = qpsk_frame(6, rng) * channel + noise(rng, (6, FFT_LEN), 0.01)
    broken, taps = good.copy(), channel.copy()
    if where == "a carrier":
        broken[2, DATA[5] + MIDDLE] = bad
    elif where == "a symbol":
        broken[2] = bad
    elif where == "the frame":
        broken[:] = bad
    else:
        taps[:] = bad
    equalizer = ours()
    alone = equalized(equalizer, (good, channel))[0]
    (spoilt, state), again = equalized(equalizer, (broken, taps), (good, channel))
    np.testing.assert_array_equal(again[0], alone[0])
    np.testing.assert_array_equal(again[1], alone[1])
    at = np.array(ACTIVE) + MIDDLE
    assert np.isfinite(spoilt[:, at]).all() and np.isfinite(state[at]).all()
    # and without new taps the channel is still there
    if where in ("a carrier", "a symbol"):
        later = equalized(equalizer, (broken, taps), (good, None))[1]
        np.testing.assert_allclose(later[0][:, at], alone[0][:, at], atol=0.3)


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(fft_len=1), r"fft_len = 1: must be within 2 \.\.\. 65536"),
        (dict(fft_len=-64), r"fft_len = -64"),
        (
            dict(occupied_carriers=[[1, 64]]),
            r"occupied_carriers\[0\]\[1\] = 64: must be within -64 \.\.\. 63",
        ),
        (
            dict(pilot_carriers=[[-65]], pilot_symbols=[[1]]),
            r"pilot_carriers\[0\]\[0\] = -65: must be within -64 \.\.\. 63",
        ),
        (dict(pilot_carriers=[[7]]), r"len\(pilot_symbols\) = 0: must be 1 or more"),
        (dict(pilot_symbols=[[1]]), r"len\(pilot_symbols\) = 1: must be 0"),
        (
            dict(pilot_carriers=[[7]], pilot_symbols=[[1], [1, 1]]),
            r"len\(pilot_symbols\[1\]\) = 2: must be 1",
        ),
        (
            dict(pilot_carriers=[[7]], pilot_symbols=[[0]]),
            r"pilot_symbols\[0\]\[0\] = \(0,0\): must be finite and not zero",
        ),
        (
            dict(pilot_carriers=[[7]], pilot_symbols=[[np.nan]]),
            r"pilot_symbols\[0\]\[0\] = \(nan,0\): must be finite",
        ),
        (
            dict(symbols_skipped=-1),
            r"symbols_skipped = -1: must be within 0 \.\.\. 1048576",
        ),
    ],
)
def test_wrong_arguments_of_the_equalizer(settings, message):
    values = dict(fft_len=64, occupied_carriers=[[1, 2]])
    with pytest.raises(ValueError, match=message):
        reservoir.ofdm_equalizer_configured(**{**values, **settings})


# --------------------------------------------------------------------- packets


def channel_named(name):
    return next(one for one in ofdm_packets.CHANNELS if one.name.startswith(name))


@pytest.mark.parametrize("bits", [1, 2])
def test_every_packet_arrives_on_a_clean_channel(bits):
    clean = ofdm_packets.Channel("clean", 40)
    assert ofdm_packets.compare(clean, 10, bits, seed=1) == (10, 10)


def test_more_packets_arrive_over_multipath():
    stock, with_ours = ofdm_packets.compare(channel_named("mild"), 40, 2, seed=1)
    assert with_ours >= stock + 5
    assert with_ours >= 35


def test_packets_arrive_below_12_db_where_the_sync_lets_them():
    noisy = ofdm_packets.Channel("12 dB", 12)
    assert ofdm_packets.compare(noisy, 20, 2, seed=1)[1] <= 2
    assert ofdm_packets.compare(noisy, 20, 2, seed=1, sync_threshold=0.6)[1] >= 18


def test_equalizers_can_be_chosen():
    """With GNU Radio's the packets are those of digital.ofdm_rx."""
    stock, same = ofdm_packets.compare(
        channel_named("mild"),
        40,
        2,
        seed=1,
        header_equalizer=ofdm_packets.simpledfe(1, 0),
        payload_equalizer=ofdm_packets.simpledfe(2, 1),
    )
    assert same == stock


def test_other_carriers_one_sync_word_and_scrambled_bits():
    settings = dict(
        fft_len=128,
        cp_len=32,
        occupied_carriers=(list(range(-50, -8)) + list(range(8, 50)),),
        pilot_carriers=((-7, -3, 3, 7),),
        pilot_symbols=((1, -1, 1, 1), (1, 1, -1, 1)),
        bps_payload=2,
        scramble_bits=True,
    )
    packets = ofdm_packets.payloads(5, 1)
    samples = ofdm_packets.sent_samples(packets, **settings)
    samples = np.concatenate([np.zeros((5, 300)), samples], 1).ravel()
    receiver = reservoir.ofdm_rx(packet_length_tag_key=ofdm_packets.TAG, **settings)
    samples = np.append(samples, np.zeros(3000))
    assert ofdm_packets.delivered(receiver, samples, packets) == 5


def test_numpy_generator_is_left_alone():
    np.random.seed(7)
    first = np.random.get_state()[1].copy()
    reservoir.ofdm_rx()
    np.testing.assert_array_equal(np.random.get_state()[1], first)


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(fft_len=4), r"fft_len = 4: must be an integer within 8 \.\.\. 65536"),
        (
            dict(fft_len=8, cp_len=2),
            "fft_len = 8: must be at least 53 .* give your own",
        ),
        (
            dict(fft_len=42, cp_len=2, occupied_carriers=[[1]]),
            "fft_len = 42: must be at least 43 for digital.ofdm_tx's pilot_carriers",
        ),
        (dict(cp_len=65), r"cp_len = 65: must be an integer within 1 \.\.\. 64"),
        (dict(cp_len=2.5), r"cp_len = 2.5: must be an integer"),
        (dict(occupied_carriers=[]), r"occupied_carriers = \[\]: must be one list"),
        (
            dict(occupied_carriers=[[]]),
            r"occupied_carriers = \[\[\]\]: must be one list",
        ),
        (dict(occupied_carriers=[1, 2]), r"occupied_carriers = \[1, 2\]: must be one"),
        (dict(occupied_carriers=[[1, 32]]), r"occupied_carriers element = 32: .*-32 "),
        (dict(occupied_carriers=[[1.5]]), r"occupied_carriers element = 1.5"),
        (dict(pilot_carriers=[]), r"pilot_carriers = \[\]: must be one list"),
        (dict(pilot_carriers=[[64]]), r"pilot_carriers element = 64"),
        (dict(bps_header=4), r"bps_header = 4: must be one of \(1, 2, 3\)"),
        (dict(bps_payload=0), r"bps_payload = 0: must be one of \(1, 2, 3\)"),
        (dict(sync_threshold=1.0), r"sync_threshold = 1.0: must be above 0, below 1"),
        (dict(sync_threshold=float("nan")), r"sync_threshold = nan"),
        (dict(sync_word1=[1, 0]), r"len\(sync_word1\) = 2: must be 64"),
        (dict(sync_word2=[1, 0]), r"len\(sync_word2\) = 2: must be 64"),
        (dict(sync_word1=[]), r"len\(sync_word1\) = 0: must be 64"),
        (dict(sync_word1=[0] * 64), r"sync_word1 = zeros: must be other than 0"),
        (dict(sync_word2=[0] * 64), r"sync_word2 = zeros: must be other than 0"),
        (dict(sync_word1=[1] * 63 + [np.nan]), r"sync_word1 = .*nan\]: must be finite"),
        (dict(sync_word2=[1] * 63 + [np.inf]), r"sync_word2 = .*inf\]: must be finite"),
        (
            dict(header_equalizer=digital.ofdm_equalizer_static(32)),
            r"header_equalizer.fft_len\(\) = 32: must be 64",
        ),
    ],
)
def test_wrong_arguments_of_the_receiver(settings, message):
    with pytest.raises(ValueError, match=message):
        reservoir.ofdm_rx(**settings)


def test_shortest_fft():
    reservoir.ofdm_rx(53)  # -26 ... 26, as digital.ofdm_tx has them
    own = dict(occupied_carriers=[[-3, 3]], pilot_carriers=[[1]], pilot_symbols=[[1]])
    reservoir.ofdm_rx(8, 2, **own)
