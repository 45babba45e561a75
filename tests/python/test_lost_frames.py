#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The campaign of lost frames: its links and its genie; not how many are lost."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from gnuradio.reservoir.campaign.receivers import KINDS, Unsuitable
from gnuradio.reservoir.campaign.specification import load
from gnuradio.reservoir.campaign.work import count_errors

CAMPAIGN = load(Path(__file__).resolve().parents[2] / "campaigns" / "lost_frames.toml")
GENIE = CAMPAIGN.kinds.receivers["genie"]
POINTS = {f"{p.group} {p.varied}": p.link for p in CAMPAIGN.points}
each_link = pytest.mark.parametrize("link", POINTS.values(), ids=POINTS)


def errors(link, receiver, seed=1, count=4):
    frames = [link.make_frame(seed, number) for number in range(count)]
    return sum(count_errors(link, frames, receiver.receive(frames))["wrong"])


@each_link
def test_the_genie_loses_nothing_with_little_noise(link):
    clear = dataclasses.replace(link, snr_db=45.0, phase_noise=0.0)
    assert errors(clear, GENIE(clear), count=2) == 0


@each_link
def test_a_received_sample_has_unit_power_in_the_mean(link):
    clear = dataclasses.replace(link, snr_db=100.0)
    count = 20 if link.doppler else 100
    powers = [
        np.mean(np.abs(clear.make_frame(1, number).received) ** 2)
        for number in range(count)
    ]
    spread = 4 * np.std(powers) / np.sqrt(count) + 0.01
    assert np.mean(powers) == pytest.approx(1, abs=spread)


@pytest.mark.parametrize("name", ["T1 {'snr_db': 10}", "T3 {'snr_db': 10}"])
def test_the_genie_is_nearly_the_likeliest(name):
    """Where the Viterbi algorithm with the true taps can be run, beside it."""
    link = POINTS[name]
    least = errors(link, KINDS["mlse"](link), count=20)
    found = errors(link, GENIE(link), count=20)
    assert 0 < 0.9 * least < found < 1.2 * least


def test_with_more_survivors_it_errs_less():
    link = POINTS["T2 {'snr_db': 20}"]
    few, many = (errors(link, GENIE(link, survivors=n), count=20) for n in (1, 64))
    assert many < few


def test_links_that_it_does_not_take():
    for more in (dict(streams=2, antennas=2), dict(known_period=48, known_length=16)):
        link = dataclasses.replace(next(iter(POINTS.values())), **more)
        with pytest.raises(Unsuitable, match="one stream behind pilots"):
            GENIE(link)
