#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The scripts of examples/known_symbols: error rates, recordings, and the receivers of others."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "known_symbols"
sys.path.append(str(FOLDER))
import comparison  # noqa: E402
import known_bursts as kb  # noqa: E402


def run(script, *options, code=0):
    result = subprocess.run(
        [sys.executable, str(FOLDER / f"{script}.py"), *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
    )
    assert result.returncode == code, result.stdout
    return result.stdout


def rates(output):
    """{receiver: bit error rate at the last Es/N0}"""
    lines = re.findall(r"^(\S.*?)  +.*(\d\.\d{4})$", output, re.MULTILINE)
    return {name: float(rate) for name, rate in lines}


@pytest.mark.parametrize(
    "script, options, limits",
    [
        (
            "hf_serial_tone",
            ["--snr", 20, "--bursts", 3],
            {"configured_esn": 0.02, "interpolated DFE": 0.02},
        ),
        (
            "gsm_burst",
            ["--snr", 16, "--bursts", 80],
            {"configured_esn": 0.008, "LS + Viterbi": 0.012, "fir": 0.02},
        ),
        (
            "periodic_pilots",
            ["--snr", 16, "--bursts", 2],
            {"configured_esn": 0.001, "fir": 0.003, "esn": 0.003, "LMS": 0.01},
        ),
    ],
)
def test_scripts_compare_receivers(script, options, limits, tmp_path):
    found = rates(run(script, *options, "--out", tmp_path))
    for name, limit in limits.items():
        assert found[name] < limit, found
    if "fir" in found:
        assert found["configured_esn"] <= found["fir"]
    assert found["configured_esn"] < found["LMS"]
    assert len(list(tmp_path.glob("*.png"))) == 1


def test_script_refuses_a_receiver_that_it_has_not():
    output = run("gsm_burst", "--receivers", "rnn", code=2)
    assert "receivers are 'fir', 'configured_esn'" in output


def received_bursts(waveform, folder, name, *options):
    run(
        waveform,
        "--receivers",
        "configured_esn",
        "--recording",
        folder / name,
        "--out",
        folder,
        *options,
    )
    return np.load(folder / "symbols_configured_esn.npy")


@pytest.fixture(scope="module")
def shortwave(tmp_path_factory):
    """A folder with a recording of two bursts, what was sent, and its samples and rate."""
    folder = tmp_path_factory.mktemp("shortwave")
    run(
        "hf_serial_tone",
        "--record",
        folder / "modem.wav",
        *("--bursts", 2, "--snr", 25, "--channel", "good", "--out", folder),
    )
    sent = kb.serial_tone().random_bursts(2, np.random.default_rng(1))
    samples, rate = kb.read_wav(folder / "modem.wav")
    return folder, sent, samples, rate


def wrong_share(symbols, sent):
    waveform = kb.serial_tone()
    counts = [comparison.bit_errors(waveform, *pair) for pair in zip(symbols, sent)]
    return np.divide(*np.sum(counts, 0))


def test_wav_of_i_and_q(shortwave):
    folder, sent, _, rate = shortwave
    assert rate == 4800
    symbols = received_bursts("hf_serial_tone", folder, "modem.wav")
    assert symbols.shape == sent.shape and wrong_share(symbols, sent) < 0.01


def test_wav_of_a_receivers_audio(shortwave):
    import wave

    from scipy.signal import resample_poly

    folder, sent, samples, rate = shortwave
    audio = resample_poly(samples, 5, 2)  # 12 kHz
    audio = (audio * np.exp(2j * np.pi * 1800 / 12000 * np.arange(len(audio)))).real
    with wave.open(str(folder / "audio.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(12000)
        file.writeframes(np.round(20000 * audio).astype("<i2").tobytes())
    symbols = received_bursts(
        "hf_serial_tone", folder, "audio.wav", "--carrier", "1800"
    )
    assert symbols.shape == sent.shape and wrong_share(symbols, sent) < 0.01


@pytest.mark.parametrize("kind", ["cf32_le", "ci16_le"])
def test_sigmf_and_ones_own_known_symbols(shortwave, kind):
    folder, sent, samples, rate = shortwave
    about = {"global": {"core:datatype": kind, "core:sample_rate": rate}}
    (folder / "air.sigmf-meta").write_text(json.dumps(about))
    if kind == "cf32_le":
        data = samples.astype("<c8")
    else:
        pairs = np.stack([samples.real, samples.imag], 1)
        data = np.round(32767 * pairs).astype("<i2")
    data.tofile(folder / "air.sigmf-data")
    np.save(folder / "known.npy", kb.serial_tone().values)
    symbols = received_bursts(
        "hf_serial_tone", folder, "air.sigmf-meta", "--known", folder / "known.npy"
    )
    assert symbols.shape == sent.shape and wrong_share(symbols, sent) < 0.01


def test_recordings_that_are_none(tmp_path):
    def said(name, *options):
        options = ("--recording", tmp_path / name, "--out", tmp_path, *options)
        return run("gsm_burst", *options, code=2).splitlines()[-1]

    (tmp_path / "no.wav").write_bytes(b"RIFF, but no more")
    (tmp_path / "no.sigmf-meta").write_text("{}")
    (tmp_path / "cu8.sigmf-meta").write_text(
        json.dumps({"global": {"core:datatype": "cu8", "core:sample_rate": 1}})
    )
    np.save(tmp_path / "short.npy", np.ones(3))
    kb.write_wav(tmp_path / "noise.wav", kb.np.ones(2000) * 1j, 270833)
    assert "no.wav is no WAV file" in said("no.wav")
    assert "cannot read" in said("absent.wav")
    assert "no.sigmf-meta is no SigMF metadata" in said("no.sigmf-meta")
    assert "holds cu8; this script reads cf32_le" in said("cu8.sigmf-meta")
    assert "not one for each of the 148" in said(
        "x.wav", "--known", tmp_path / "short.npy"
    )
    assert "noise.wav: no burst found" in said("noise.wav")


@pytest.mark.parametrize(
    "rate", [0, -1, 1e-300, 1e14, math.nan, math.inf, True, None, "48000", [1], {}]
)
def test_sample_rates_that_are_none(rate, tmp_path):
    about = {"global": {"core:datatype": "cf32_le", "core:sample_rate": rate}}
    (tmp_path / "air.sigmf-meta").write_text(json.dumps(about))
    np.ones(2000, "<c8").tofile(tmp_path / "air.sigmf-data")
    with pytest.raises(kb.Unusable, match="sample rate is .*, and must be a number"):
        kb.read_recording(tmp_path / "air.sigmf-meta", kb.gsm_normal_burst())


def test_known_symbols_that_are_none(tmp_path):
    waveform, path = kb.gsm_normal_burst(), tmp_path / "known.npy"
    np.savez(tmp_path / "known.npz", waveform.values)
    (tmp_path / "known.npz").rename(path)
    not_numbers = [path.read_bytes(), path.read_bytes()[:90], b"", b"1 1 nan 1"]
    for content in not_numbers:
        path.write_bytes(content)
        with pytest.raises(kb.Unusable, match="known.npy is no NumPy file of numbers"):
            comparison.known_values(path, waveform)
    for value in (np.nan, 1, np.inf):
        np.save(path, np.full(148, value))
        with pytest.raises(kb.Unusable, match="some symbols must be known and finite"):
            comparison.known_values(path, waveform)
    np.save(path, waveform.values)
    np.testing.assert_array_equal(
        comparison.known_values(path, waveform), waveform.values
    )


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--out", "FILE"], "cannot use FILE: File exists"),
        (["--record", "FILE/x.wav"], "cannot use FILE/x.wav: Not a directory"),
        (
            ["--recording", "x.wav", "--known", "missing.npy"],
            "cannot use missing.npy: No such file",
        ),
        (
            ["--bursts", "0"],
            "argument --bursts: 0 must be a whole number within 1 ... ",
        ),
        (
            ["--bursts", "-1"],
            "argument --bursts: -1 must be a whole number within 1 ... ",
        ),
        (["--seed", "-1"], "argument --seed: -1 must be a whole number within 0 ... "),
        (["--snr", "nan"], "argument --snr: nan must be a number within -20 ... 100"),
        (["--carrier", "inf"], "argument --carrier: inf must be a number within"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_sentence(
    options, sentence, tmp_path
):
    file = tmp_path / "file"
    file.write_text("")
    options = [option.replace("FILE", str(file)) for option in options]
    if "--out" not in options:
        options += ["--out", tmp_path]
    said = run("gsm_burst", *options, "--receivers", "fir", code=2)
    assert sentence.replace("FILE", str(file)) in said.splitlines()[-1]
    assert "Traceback" not in said


def test_bursts_are_found_where_they_are():
    rng = np.random.default_rng(3)
    waveform = kb.gsm_normal_burst()
    sent = waveform.points[waveform.random_bursts(3, rng)]
    samples = 0.2 * (rng.standard_normal(900) + 1j * rng.standard_normal(900))
    for start, symbols in zip((10, 300, 600), sent):
        samples[start : start + 148] += symbols * 1j
    assert kb.find_bursts(samples, waveform).tolist() == [10, 300, 600]


def test_least_squares_and_viterbi_invert_a_known_channel():
    rng = np.random.default_rng(4)
    waveform = kb.gsm_normal_burst()
    sent = waveform.random_bursts(5, rng)
    taps = [0.4, 1, 0.6j, -0.5, 0.3]
    received = [np.convolve(waveform.points[row], taps)[:172] for row in sent]
    received = np.pad(received, ((0, 0), (0, 172 - len(received[0]))))
    symbols = kb.ls_viterbi(waveform, received.astype(np.complex64))
    for row, indices in zip(symbols, sent):
        assert comparison.bit_errors(waveform, row, indices) == (0, 116)


def test_the_modulators_symbols_are_real_ones_turned():
    """GNU Radio's GMSK, turned back, is the known symbols behind a short filter."""
    rng = np.random.default_rng(5)
    waveform = kb.gsm_normal_burst()
    bursts = waveform.random_bursts(4, rng)
    received = kb.simulate(waveform, bursts, 100, dict(taps=[1]))
    lags = np.arange(-3, 4)
    for row, indices in zip(received, bursts):
        x = np.pad(waveform.points[indices], 8).real
        rows = np.array([x[8 + n - lags] for n in range(4, 144)])
        h, *_ = np.linalg.lstsq(rows.astype(complex), row[4:144], rcond=None)
        left = np.mean(np.abs(row[4:144] - rows @ h) ** 2)
        assert left < 0.01 * np.mean(np.abs(row) ** 2)
        assert np.abs(h).argmax() == 3  # on time


@pytest.mark.skipif(not kb.liquid(), reason="no liquid-dsp")
def test_recursive_least_squares_of_liquid():
    rng = np.random.default_rng(6)
    waveform = kb.periodic_pilots(slots=1)
    bursts = waveform.random_bursts(1, rng)
    received = kb.simulate(waveform, bursts, 25, dict(taps=[1, 0, 0.4j]))
    symbols = kb.rls(forgetting=0.999)(waveform, received)
    assert np.divide(*comparison.bit_errors(waveform, symbols[0], bursts[0])) < 0.001
