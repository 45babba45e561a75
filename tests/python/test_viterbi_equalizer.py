#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Maximum-likelihood sequence estimation against a search of every sequence."""

import itertools

import numpy as np
import pytest
from gnuradio import reservoir
from links import QPSK


def likelihoods(received, channel, past, future, count):
    """Squared distance of every sequence of count symbols."""
    first = len(channel) - 1
    for sequence in itertools.product(range(4), repeat=count):
        sent = np.concatenate([past[:first][::-1], QPSK[list(sequence)], future])
        model = np.convolve(sent, channel)[first : first + len(received)]
        yield np.sum(np.abs(received - model) ** 2), list(sequence)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("known_after", [0, 2])
def test_it_finds_the_most_likely_sequence(seed, known_after):
    rng = np.random.default_rng(seed)
    gaussian = lambda size: rng.standard_normal(size) + 1j * rng.standard_normal(size)
    channel, past, future = gaussian(3), gaussian(2), gaussian(known_after)
    received = 2 * gaussian(5 + known_after)
    found = reservoir.viterbi_equalizer(received, 5, channel, QPSK, past, future)
    assert found == min(likelihoods(received, channel, past, future, 5))[1]


def test_a_single_tap_is_slicing():
    received = 1j * QPSK[[2, 0, 3]]
    assert reservoir.viterbi_equalizer(received, 3, [1j], QPSK, []) == [2, 0, 3]


@pytest.mark.parametrize(
    "changes, name",
    [
        (dict(channel=[]), "channel"),
        (dict(channel=np.ones(11), past=np.ones(10)), "channel"),
        (dict(points=[1]), "points"),
        (dict(past=[1]), "past"),
        (dict(num_symbols=6), "num_symbols"),
        (dict(num_symbols=3), "num_symbols"),
        (dict(num_symbols=-5), "num_symbols = -5"),
    ],
)
def test_bad_arguments_are_named(changes, name):
    good = dict(
        received=np.ones(5), num_symbols=5, channel=[1, 1, 1], points=QPSK, past=[1, 1]
    )
    assert len(reservoir.viterbi_equalizer(**good)) == 5
    with pytest.raises(ValueError, match=f"^{name}"):
        reservoir.viterbi_equalizer(**{**good, **changes})
