#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The command line: python3 -m gnuradio.reservoir."""

import json
import signal
import subprocess
import sys
import time

import pytest


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "gnuradio.reservoir", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "report"  # is made
    done = command("demo", "--quick", "--out", out)
    assert done.returncode == 0, done.stderr
    return done, out, json.loads((out / "results.json").read_text())


def test_every_file_is_written_and_named(demo):
    done, out, _ = demo
    for name in ("index.html", "results.json", "ser_curves.png", "constellations.png"):
        assert (out / name).stat().st_size > 1000
        assert str(out / name) in done.stdout
    for name in ("ser_curves.png", "constellations.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    page = (out / "index.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "$" not in page  # nothing of the template is left


def test_progress_without_a_terminal_is_a_line_per_stage(demo):
    lines = demo[0].stderr.splitlines()
    assert "\r" not in demo[0].stderr
    assert lines[0].startswith("0 of 8 steps: ") and lines[-1] == "8 of 8 steps: done"
    assert len(lines) == len(set(lines)) == 9


def test_results_say_what_was_run(demo):
    results = demo[2]
    assert results["experiment"] == "demo"
    assert {"processor", "cores"} <= results["machine"].keys()
    assert {"gnuradio", "python", "numpy"} <= results["versions"].keys()
    assert results["parameters"]["pilots"] == 64
    assert results["parameters"]["seed"] == 1
    for r in results["results"]:
        assert r["frames"] == results["parameters"]["frames"]
        assert r["symbols"] == 512 * r["frames"]
        assert r["ser"] == pytest.approx(r["symbol_errors"] / r["symbols"])
        assert 0 <= r["ser_ci95"] < 0.1
        assert r["symbols_per_second"] > 0
        assert (
            r["settings"].keys() == results["receivers"][r["receiver"]]["grid"].keys()
        )
        if r["receiver"] in ("fir", "esn"):
            assert r["training_seconds"] > 0


def test_error_rates_fall_with_the_noise(demo):
    curves = {}
    for r in demo[2]["results"]:
        curves.setdefault((r["receiver"], r["modulation"]), []).append(r)
    # maximum likelihood has too many states for 16-QAM; the in-tree DFE's errors feed more errors
    assert len(curves) == len(demo[2]["receivers"]) * 2 - 1
    curves = {where: curve for where, curve in curves.items() if where[0] != "dfe"}
    for curve in curves.values():
        curve.sort(key=lambda r: r["snr_db"])
        assert len(curve) >= 3
        assert curve[0]["ser"] > 1.5 * curve[-1]["ser"]
        if curve[0]["receiver"] != "mlse":  # decisions: without errors it has no EVM
            assert curve[0]["evm_db"] > curve[-1]["evm_db"] + 1
        for noisy, clean in zip(curve, curve[1:]):
            assert clean["ser"] <= noisy["ser"] + clean["ser_ci95"] + noisy["ser_ci95"]


def test_least_squares_beats_chance_and_lms(demo):
    ser = {
        (r["receiver"], r["modulation"], r["snr_db"]): r["ser"]
        for r in demo[2]["results"]
    }
    assert ser["fir", "QPSK", 20] < 0.02
    assert ser["esn", "QPSK", 20] < 0.03
    assert ser["lms", "QPSK", 20] < 0.3
    assert ser["fir", "QPSK", 20] < ser["lms", "QPSK", 20]


def test_the_configured_network_comes_next_to_the_bound(demo):
    ser = {
        (r["receiver"], r["modulation"], r["snr_db"]): r["ser"]
        for r in demo[2]["results"]
    }
    others = ("lms", "nlms", "dfe", "fir", "esn")
    for where in (("QPSK", 5), ("QPSK", 14), ("16-QAM", 19), ("16-QAM", 28)):
        assert ser["configured_esn", *where] < min(ser[name, *where] for name in others)
    assert 0.1 < ser["mlse", "QPSK", 5] < ser["configured_esn", "QPSK", 5] < 0.25


def test_table_is_printed(demo):
    done, _, results = demo
    lines = done.stdout.splitlines()
    assert lines[0].split()[0] == "Modulation"
    for label in (r["label"] for r in results["receivers"].values()):
        expected = 3 if label.startswith("MLSE") else 6
        assert sum(label in line and "dB" not in line for line in lines) >= expected


@pytest.mark.parametrize("arguments", [["dance"], ["dance", "--out", "x"]])
def test_unknown_subcommand_lists_what_exists(arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr == "There is no subcommand 'dance'; there is: demo, paper.\n"


def test_help_and_bad_options():
    assert "demo" in command("--help").stdout
    assert command().returncode == 2
    assert "--frames" in command("demo", "--help").stdout
    for options in (["--frames", "1"], ["--frames", "x"], ["--seed", "-1"], ["--no"]):
        done = command("demo", *options)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    done = command("demo", "--quick", "--out", tmp_path / "file" / "report")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_it_with_a_sentence(tmp_path):
    running = subprocess.Popen(
        [sys.executable, "-m", "gnuradio.reservoir", "demo", "--out", tmp_path],
        stderr=subprocess.PIPE,
        text=True,
        # where the tests run in the background, SIGINT is ignored and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        running.stderr.read(1)  # the progress bar: flowgraphs are about to run
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        stderr = running.communicate(timeout=20)[1]
    finally:
        running.kill()
    assert running.returncode == 130
    assert "Interrupted" in stderr
    assert "Traceback" not in stderr
    assert not (tmp_path / "results.json").exists()
