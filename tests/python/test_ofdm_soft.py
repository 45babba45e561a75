#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Log-likelihood ratios of OFDM detectors: their order and sign, how much they tell, and whether they are as
sure as they may be."""


import numpy as np
import pytest
from gnuradio import digital, reservoir
from test_ofdm import KINDS, QAM16, each_kind, grid_frame, lte_like, make, receive

from ofdm_links import LINKS, make_frame

POINTS = np.array(QAM16.points())
LABELS = np.array(QAM16.pre_diff_code() or range(16))
BITS = LABELS[:, None] >> np.arange(3, -1, -1) & 1  # of each point
LARGEST = 8.0


def nearest_bits(symbols):
    return BITS[np.argmin(np.abs(symbols[..., None] - POINTS), -1)]


def soft_frames(kind, name, snr_db, frames=6):
    """Bits that were sent, decided, and their ratios, of all frames."""
    link = LINKS[name]
    detector = make(kind, link)
    sent, decided, ratios = [], [], []
    for number in range(frames):
        frame = make_frame(link, snr_db, 3, number)
        pilots = frame.pilots.astype(np.complex64)
        symbols, llrs = detector.receive(frame.received, pilots, soft=True)
        assert llrs.dtype == np.float32 and llrs.shape == (*symbols.shape, 4)
        assert np.all(np.abs(llrs) <= LARGEST)
        np.testing.assert_array_equal(symbols, receive(detector, frame))
        unused = np.setdiff1d(np.arange(link.fft_len), link.carriers())
        assert not np.any(llrs[:, :, unused])
        sent.append(nearest_bits(frame.data))
        decided.append(nearest_bits(symbols[:, :, link.carriers()]))
        ratios.append(llrs[:, :, link.carriers()])
    return np.array(sent), np.array(decided), np.array(ratios)


def information(bits, ratios):
    """Mutual information, bits per bit."""
    return 1 - np.mean(np.log2(1 + np.exp((1 - 2 * bits) * ratios)))


def hard_information(rate):
    return 1 + rate * np.log2(rate) + (1 - rate) * np.log2(1 - rate)


@each_kind
@pytest.mark.parametrize("name, snr_db", [("T6c", 16), ("T6r", 20)])
def test_soft_bits_tell_more_than_decisions(kind, name, snr_db):
    sent, decided, ratios = soft_frames(kind, name, snr_db)
    rate = np.mean(decided != sent)
    assert np.mean((ratios > 0) != decided) < 0.02  # the ratios sum over points
    assert information(sent, ratios) > hard_information(rate) + 0.05
    # not far from what they could tell if they were scaled
    best = max(information(sent, scale * ratios) for scale in (0.3, 0.5, 0.7, 1, 1.4))
    assert information(sent, ratios) > best - 0.03


@pytest.mark.parametrize("kind", ["lmmse", "ml", "configured"])
def test_ratios_are_as_sure_as_they_may_be(kind):
    """In noise alone, bits are wrong as often as their ratios say."""
    sent, _, ratios = soft_frames(kind, "T6c", 16)
    said = np.mean(1 / (1 + np.exp(np.abs(ratios))))
    assert 0.8 < said / np.mean((ratios > 0) != sent) < 1.1


def test_the_joint_search_tells_more_than_lmmse():
    told = {}
    for kind in ("lmmse", "ml"):
        sent, _, ratios = soft_frames(kind, "T6c", 16)
        told[kind] = information(sent, ratios)
    assert told["ml"] > told["lmmse"] + 0.04


def test_four_streams():
    sent, _, ratios = soft_frames("ml", "4x4", 20)
    assert information(sent, ratios) > 0.7


@each_kind
def test_known_carriers_have_none(kind):
    grid = lte_like(2)
    received, sent = grid_frame(grid, 14, np.random.default_rng(1), num_rx=2)
    detector = KINDS[kind](128, grid.cp_len(), 2, 2)
    symbols, llrs = detector.receive(received, grid, soft=True)
    assert llrs.shape == (*symbols.shape, 2)
    _, mask = grid.known(14)
    assert not np.any(llrs[mask])
    assert np.mean(np.abs(llrs[~mask])) > 1


def test_one_bit_per_symbol():
    bpsk = digital.constellation_bpsk().base()
    detector = reservoir.ofdm_lmmse(64, 16, constellation=bpsk)
    rng = np.random.default_rng(4)
    used = np.r_[1:27, 38:64]
    sent = np.zeros((1, 6, 64), np.complex64)
    sent[:, :, used] = rng.choice([-1, 1], (1, 6, len(used)))
    samples = np.fft.ifft(sent) * 8
    samples = np.concatenate([samples[..., 48:], samples], -1).reshape(1, -1)
    samples = samples + 0.3 * rng.normal(size=samples.shape)
    symbols, llrs = detector.receive(
        samples.astype(np.complex64), sent[:, :2], soft=True
    )
    assert llrs.shape == (1, 4, 64, 1)
    positive = np.array(bpsk.points())[1].real > 0  # the bit of point 1 is 1
    signs = llrs[0, :, used, 0] > 0
    assert np.mean(signs == ((sent[0, 2:, used].real > 0) == positive)) > 0.95
    np.testing.assert_array_equal(signs, (symbols[0, :, used].real > 0) == positive)


def test_labels_must_be_those_of_a_power_of_two():
    points = [1, 1j, -1]
    odd = digital.constellation_calcdist(points, [], 1, 1).base()
    detector = reservoir.ofdm_lmmse(64, 16, constellation=odd)
    frame = np.ones((1, 320), np.complex64), np.ones((1, 1, 64), np.complex64)
    assert detector.receive(*frame).shape == (1, 3, 64)
    with pytest.raises(ValueError, match="must be 2, 4, 8"):
        detector.receive(*frame, soft=True)


@each_kind
def test_a_symbol_in_which_nothing_came_says_nothing(kind):
    link = LINKS["T6c"]
    frame = make_frame(link, 25, 3, 0)
    length = link.fft_len + link.cp_len
    pilots = frame.pilots.astype(np.complex64)
    begin = (pilots.shape[1] + 2) * length
    frame.received[:, begin : begin + length] = 0
    _, llrs = make(kind, link).receive(frame.received, pilots, soft=True)
    assert not np.any(llrs[:, 2])
    assert np.all(np.any(llrs[:, 3][:, link.carriers()], axis=-1))
