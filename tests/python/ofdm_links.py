#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""MIMO-OFDM frames of the links in campaigns/ofdm.toml, for the tests."""

import dataclasses
from pathlib import Path

import numpy as np
from gnuradio.reservoir.campaign.ofdm_link import Ofdm
from gnuradio.reservoir.campaign.receivers import KINDS
from gnuradio.reservoir.campaign.specification import load
from gnuradio.reservoir.modulations import nearest

CAMPAIGNS = Path(__file__).resolve().parents[2] / "campaigns"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link(Ofdm):
    """Links that differ in what disturbs them have the same symbols and channels."""

    def generator(self, seed, number):
        return np.random.default_rng([seed, number])


LINKS = {
    point.group: Link(**dataclasses.asdict(point.link))
    for point in load(CAMPAIGNS / "ofdm.toml").points
}
DISTURBED = load(CAMPAIGNS / "ofdm_impairments.toml").points  # the first one is not
IMPAIRMENTS = {
    point.group: dict(
        point.link.entries().items() - DISTURBED[0].link.entries().items()
    )
    for point in DISTURBED
    if point.link.amplifier == "linear"
}
QAM16 = LINKS["T6c"].points()


@dataclasses.dataclass(frozen=True)
class Frame:
    """symbols: (streams, symbols, carriers), the pilots first; channel: of a genie."""

    link: Link
    received: np.ndarray
    symbols: np.ndarray
    channel: np.ndarray
    noise_variance: float

    @property
    def pilots(self):
        return self.symbols[:, : self.link.pilots]

    @property
    def data(self):
        return self.symbols[:, self.link.pilots :][..., self.link.carriers()]

    def errors(self, detected):
        """Wrong decisions among the data of detected, and how many data there are."""
        wrong = decide(detected[..., self.link.carriers()]) != self.data
        return np.count_nonzero(wrong), wrong.size


def decide(symbols):
    return QAM16[nearest(QAM16, symbols)]


def make_frame(link, snr_db, seed, number, **disturbed):
    link = dataclasses.replace(link, snr_db=float(snr_db), **disturbed)
    made = link.make_frame(seed, number)
    places = link.data_places()
    symbols = np.zeros((link.streams, *places.shape), complex)
    symbols[:, places] = QAM16[made.payload]
    # to the last bit, as they come as complex64
    pilots = made.pilots[..., link.carriers()]
    symbols[:, : link.pilots, link.carriers()] = decide(pilots)
    return Frame(link, made.received, symbols, made.channel, made.noise_variance)


def impaired_frame(link, impairment, seed, number, snr_db=25):
    return make_frame(link, snr_db, seed, number, **IMPAIRMENTS[impairment])


def reference_receiver(frame):
    """Least squares and LMMSE; data symbols as a detector gives them."""
    link = frame.link
    taps = max(16, frame.channel.shape[2])
    (found,) = KINDS["ofdm_reference"](link, taps).receive([frame])
    symbols = np.zeros((link.streams, link.payload, link.fft_len), complex)
    symbols[..., link.carriers()] = found.reshape(link.streams, link.payload, -1)
    return symbols


def frequency_response(taps, fft_len):
    """(receiving, transmitting, taps) to (carriers, receiving, transmitting)."""
    return np.moveaxis(np.fft.fft(taps, fft_len), -1, 0)
