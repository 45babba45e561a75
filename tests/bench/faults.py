#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What goes wrong with a frame on the air. Each function gets its samples (antennas, count), the place
of its first payload sample, another frame's samples and a random generator, and returns the samples
and tags ({offset: (key, value)}) that come instead."""

import numpy as np
import pmt

START = "frame_start"
TRUE = pmt.PMT_T


def drop(samples, first, other, rng):
    """The radio loses samples and does not say so."""
    place = rng.integers(first, samples.shape[1] - 64)
    return np.delete(samples, np.s_[place : place + 50], axis=1), {0: (START, TRUE)}


def overrun(samples, first, other, rng):
    """The radio loses samples and tells the time, as UHD does."""
    place = rng.integers(first, samples.shape[1] - 64)
    lost = np.delete(samples, np.s_[place : place + 50], axis=1)
    when = pmt.make_tuple(pmt.from_uint64(int(place)), pmt.from_double(0.5))
    return lost, {0: (START, TRUE), int(place): ("rx_time", when)}


def duplicate(samples, first, other, rng):
    place = rng.integers(first, samples.shape[1] - 64)
    parts = samples[:, : place + 50], samples[:, place:]
    return np.concatenate(parts, axis=1), {0: (START, TRUE)}


def not_finite(samples, first, other, rng):
    spoilt = samples.copy()
    places = rng.integers(0, samples.shape[1], 20)
    spoilt[:, places] = rng.choice([np.nan, np.inf, -np.inf, 1e38, 1e-40], 20)
    return spoilt, {0: (START, TRUE)}


def level_jump(samples, first, other, rng):
    """The gain control moves within the frame, by up to 40 dB."""
    place = rng.integers(first, samples.shape[1] - 64)
    gain = np.where(np.arange(samples.shape[1]) < place, 1, 100 ** rng.uniform(-1, 1))
    return (samples * gain).astype(np.complex64), {0: (START, TRUE)}


def retune(samples, first, other, rng):
    """Another channel from the middle of the frame on."""
    place = samples.shape[1] // 2
    tags = {0: (START, TRUE), place: ("rx_freq", pmt.from_double(2.4e9))}
    return np.concatenate([samples[:, :place], other[:, place:]], axis=1), tags


def two_tags(samples, first, other, rng):
    """The synchronization finds one frame twice."""
    place = int(rng.integers(1, samples.shape[1] - 64))
    return samples, {0: (START, TRUE), place: (START, TRUE)}


def early(samples, first, other, rng):
    """The next frame begins within this one."""
    end = rng.integers(1, samples.shape[1] - 64)
    return samples[:, :end], {0: (START, TRUE)}


def no_tag(samples, first, other, rng):
    """The synchronization misses the frame."""
    return samples, {}


def other_waveform(samples, first, other, rng):
    """Something else is taken for a frame: a tone and noise."""
    tone = np.exp(2j * np.pi * rng.random() * np.arange(samples.shape[1]))
    noise = rng.standard_normal((2, *samples.shape))
    return (tone + noise[0] + 1j * noise[1]).astype(np.complex64), {0: (START, TRUE)}


def silence(samples, first, other, rng):
    return np.zeros_like(samples), {0: (START, TRUE)}


def clipped(samples, first, other, rng):
    """The converter is driven far beyond its range."""
    parts = np.clip(samples.view(np.float32), -0.1, 0.1)
    return np.ascontiguousarray(parts).view(np.complex64), {0: (START, TRUE)}


FAULTS = [
    drop,
    overrun,
    duplicate,
    not_finite,
    level_jump,
    retune,
    two_tags,
    early,
    no_tag,
    other_waveform,
    silence,
    clipped,
]
