#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""A receiver's gain that jumps within a frame: taken out where it did, left alone where it did not."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from gnuradio import digital, reservoir
from gnuradio.reservoir.campaign.receivers import KINDS
from gnuradio.reservoir.campaign.specification import load
from gnuradio.reservoir.campaign.work import count_errors
from links import noise, same_bits, symbol_errors, symbols, through

CAMPAIGN = load(Path(__file__).resolve().parents[2] / "campaigns" / "level_steps.toml")
LINKS = {point.group: point.link for point in CAMPAIGN.points}
STEPS_DB = (-20.0, -10.0, 6.0, 20.0)
CHANNEL = np.array([1, 0.5j, -0.3, 0.2], np.complex64)
PILOTS, PAYLOAD = 64, 512


def error_rate(link, kind, step_db, count=8):
    stepped = dataclasses.replace(link, gain_step_db=step_db)
    frames = [stepped.make_frame(101, number) for number in range(count)]
    found = count_errors(stepped, frames, KINDS[kind](stepped).receive(frames))
    return np.mean(found["wrong"]) / np.size(frames[0].payload)


@pytest.mark.parametrize("name", LINKS)
def test_frames_are_received_as_without_the_step(name):
    link = LINKS[name]
    kind = "ofdm_configured" if name.startswith("OFDM") else "configured_esn"
    still = error_rate(link, kind, 0.0)
    for step_db in STEPS_DB:
        assert error_rate(link, kind, step_db) < still + 0.01, step_db


def test_a_filter_loses_them():
    """Or the frames above would show nothing."""
    assert error_rate(LINKS["16-QAM, 26 dB"], "fir", -10.0) > 0.2
    assert error_rate(LINKS["OFDM, 16-QAM, 28 dB"], "ofdm_lmmse", -10.0) > 0.2


def frame(seed, gains_db=(), snr_db=20.0):
    """(samples, symbols); gains_db: (first sample, dB) each."""
    rng = np.random.default_rng([102, seed])
    sent = symbols(PILOTS + PAYLOAD + 48, rng)
    received = through(sent, CHANNEL, rng, snr_db)
    for first, db in gains_db:
        received[first:] *= 10 ** (db / 20)
    return received, sent[: PILOTS + PAYLOAD]


def receive(detector, received, sent):
    return detector.receive(received, sent[:PILOTS], payload_len=PAYLOAD)


@pytest.mark.parametrize(
    "gains_db", [(), [(300, -10)], [(200, 12), (400, -12)]], ids=["0", "1", "2"]
)
def test_steps_are_reported(gains_db):
    for seed in range(5):
        detector = reservoir.configured_esn()
        received, sent = frame(seed, gains_db)
        assert symbol_errors(receive(detector, received, sent), sent) <= 2
        assert detector.report()["level_steps"] == len(gains_db)


def test_a_phase_that_jumps_with_the_gain_is_taken_out():
    received, sent = frame(1, [(300, -10)])
    received[300:] *= np.complex64(np.exp(0.5j))
    detector = reservoir.configured_esn()
    assert symbol_errors(receive(detector, received, sent), sent) <= 2
    assert detector.report()["level_steps"] == 1


def test_the_next_frame_does_not_know_of_it():
    detector, fresh = reservoir.configured_esn(), reservoir.configured_esn()
    receive(detector, *frame(1, [(300, -10)]))
    again = frame(2)
    assert same_bits(receive(detector, *again), receive(fresh, *again))
    assert detector.report()["level_steps"] == 0


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize("step_db", [-10, 10])
def test_a_stream_behind_the_frame_has_its_last_level(streams, step_db):
    rng = np.random.default_rng([104, streams])
    num_pilots, behind = PILOTS * streams, 300
    whole = num_pilots + PAYLOAD
    sent = np.array([symbols(whole + behind, rng) for _ in range(streams)])
    mixed = [[1, 0.3j], [-0.4, 0.9]][:streams]
    received = np.array([sent.T @ row[:streams] for row in np.array(mixed)])
    received = np.array([through(row, CHANNEL, rng, 25.0) for row in received])
    received[:, num_pilots + 100 :] *= 10 ** (step_db / 20)
    detector = reservoir.configured_esn(num_inputs=streams, num_outputs=streams)
    pilots = np.squeeze(sent[:, :num_pilots])
    samples = np.squeeze(received)
    detector.receive(samples[..., : whole + 16], pilots, payload_len=PAYLOAD)
    assert detector.report()["level_steps"] == streams
    output = np.atleast_2d(detector.detect(samples))[:, whole:]
    count = output.shape[1]
    assert count > 200
    assert symbol_errors(output, sent[:, whole : whole + count]) <= 2


def test_a_stream_is_trained_on_samples_as_they_are():
    """They come again, from the first pilot on, and what is behind them."""
    rng = np.random.default_rng(105)
    sent = symbols(1000, rng)
    received = through(sent, CHANNEL, rng, 25.0)
    received[200:] *= 10 ** (-10 / 20)
    known = np.where(np.arange(640) % 80 < 20, sent[:640], np.nan)
    detector = reservoir.configured_esn()
    detector.fit(received[:656], known.astype(np.complex64))
    output = detector.detect(received)
    assert symbol_errors(output[640:], sent[640 : len(output)]) <= 2


@pytest.mark.parametrize("gone", [slice(300, 340), slice(300, None)])
def test_silence_is_no_level(gone):
    """As where a driver lost samples, or a burst was shorter than it should be."""
    for scale in (0, 1e-3):  # nothing at all, and noise
        received, sent = frame(3)
        received[gone] = scale * noise(
            received[gone].shape, np.random.default_rng(1), 0
        )
        output = receive(reservoir.configured_esn(), received, sent)
        assert np.all(np.isfinite(output))
        assert symbol_errors(output[:290], sent[:290]) == 0


def test_pilots_stronger_than_the_payload_are_no_step():
    """By 9.5 dB. (Twice as strong they are points of GNU Radio's QPSK, and the payload is not.)"""
    rng = np.random.default_rng(5)
    sent = symbols(PILOTS + PAYLOAD + 48, rng)
    sent[:PILOTS] *= 3
    detector = reservoir.configured_esn()
    received = through(sent, CHANNEL, rng, 20.0)
    output = receive(detector, received, sent[: PILOTS + PAYLOAD])
    assert symbol_errors(output[PILOTS:], sent[PILOTS : PILOTS + PAYLOAD]) == 0
    assert detector.report()["level_steps"] == 0


def test_packets_that_need_the_decoder():
    """Where nearly all need turns of equalizer and decoder, as many arrive."""
    form = reservoir.packet_format(digital.constellation_qpsk().base(), PAYLOAD, "cc")

    def arrive(gains_db):
        receiver = reservoir.coded_receiver(reservoir.configured_esn(), form)
        count = 0
        for seed in range(20):
            rng = np.random.default_rng([103, seed])
            data = rng.bytes(form.capacity)
            sent = [symbols(PILOTS, rng), form.encode(data, seed), symbols(48, rng)]
            sent = np.concatenate(sent).astype(np.complex64)
            received = through(sent, CHANNEL / np.linalg.norm(CHANNEL), rng, 3.0)
            for first, db in gains_db:
                received[first:] *= 10 ** (db / 20)
            packet = receiver.receive(received, sent[:PILOTS])["data"]
            count += packet == data
        return count

    assert arrive([(300, -10)]) >= arrive([]) - 2
