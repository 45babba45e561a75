#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The command line: python3 -m gnuradio.reservoir."""

import csv
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


def rates(results):
    """{(receiver, modulation, snr_db): symbol error rate}"""
    return {
        (name, point["link"].get("modulation", "qpsk"), point["varied"]["snr_db"]): r
        for point in results["points"]
        for name, r in point["receivers"].items()
    }


def test_every_file_is_written_and_named(demo):
    done, out, _ = demo
    pictures = "constellations.png", "poles.png", "ser_curves.png", "times.png"
    drawings = "ser_curves.svg", "ser_curves.pdf", "times.svg", "times.pdf"
    for name in ("report.html", "results.json", "results.csv", *pictures, *drawings):
        assert (out / name).stat().st_size > 1000
        assert str(out / name) in done.stdout
    for name in pictures:
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    page = (out / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(pictures)
    assert "$" not in page  # nothing of the template is left


def test_progress_without_a_terminal_is_a_line_per_stage(demo):
    lines = demo[0].stderr.splitlines()
    assert "\r" not in demo[0].stderr
    assert lines[0].startswith("0 of 6 blocks: ") and lines[-1] == "6 of 6 blocks: done"


def test_results_say_what_was_run(demo):
    results = demo[2]
    assert results["campaign"] == "gr-reservoir demo"
    assert {"processor", "cores"} <= results["machine"].keys()
    assert {"gnuradio", "python", "numpy"} <= results["versions"].keys()
    assert results["parameters"]["seed"] == 1
    for point in results["points"]:
        for name, r in point["receivers"].items():
            assert r["frames"] == results["parameters"]["frames"] == 46
            assert r["symbols"] == 512 * r["frames"]
            assert r["ser"]["value"] == pytest.approx(r["symbol_errors"] / r["symbols"])
            assert r["ser"]["low"] <= r["ser"]["value"] <= r["ser"]["high"] < 1
            assert r["settings"].keys() == results["receivers"][name]["tune"].keys()
            assert r["seconds"] > 0


def test_the_table_for_spreadsheets_has_the_same(demo):
    _, out, results = demo
    with open(out / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(point["receivers"]) for point in results["points"])
    first = results["points"][0]["receivers"][rows[0]["receiver"]]
    assert float(rows[0]["ser"]) == first["ser"]["value"]
    assert float(rows[0]["snr_db"]) == results["points"][0]["varied"]["snr_db"]


def test_error_rates_fall_with_the_noise(demo):
    curves = {}
    for (name, modulation, snr_db), r in rates(demo[2]).items():
        curves.setdefault((name, modulation), []).append((snr_db, r))
    # maximum likelihood has too many states for 16-QAM; the in-tree DFE's errors feed more errors
    assert len(curves) == len(demo[2]["receivers"]) * 2 - 1
    for (name, _), curve in curves.items():
        curve = [r for _, r in sorted(curve, key=lambda item: item[0])]
        assert len(curve) == 3
        if name == "dfe":
            continue
        assert curve[0]["ser"]["value"] > 1.5 * curve[-1]["ser"]["value"]
        if name != "mlse":  # decisions: without errors it has no EVM
            assert curve[0]["evm_db"] > curve[-1]["evm_db"] + 1
        for noisy, clean in zip(curve, curve[1:]):
            assert clean["ser"]["low"] <= noisy["ser"]["high"]


def test_least_squares_beats_chance_and_lms(demo):
    ser = {at: r["ser"]["value"] for at, r in rates(demo[2]).items()}
    assert ser["fir", "qpsk", 20] < 0.02
    assert ser["esn", "qpsk", 20] < 0.03
    assert ser["lms", "qpsk", 20] < 0.3
    assert ser["fir", "qpsk", 20] < ser["lms", "qpsk", 20]


def test_the_configured_network_comes_next_to_the_bound(demo):
    ser = {at: r["ser"]["value"] for at, r in rates(demo[2]).items()}
    others = ("lms", "nlms", "dfe", "fir", "esn")
    for where in (("qpsk", 5), ("qpsk", 14), ("16qam", 19), ("16qam", 28)):
        assert ser["configured_esn", *where] < min(ser[name, *where] for name in others)
    assert 0.1 < ser["mlse", "qpsk", 5] < ser["configured_esn", "qpsk", 5] < 0.25


def test_table_is_printed(demo):
    done, _, results = demo
    lines = done.stdout.splitlines()
    assert lines[0].split()[0] == "Link"
    for label in (r["label"] for r in results["receivers"].values()):
        expected = 3 if label.startswith("MLSE") else 6
        assert sum(f"  {label}  " in line for line in lines) >= expected


@pytest.mark.parametrize("arguments", [["dance"], ["dance", "--out", "x"]])
def test_unknown_subcommand_lists_what_exists(arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert (
        done.stderr
        == "There is no subcommand 'dance'; there is: demo, compare, sweep, paper.\n"
    )


def test_help_and_bad_options():
    assert "demo" in command("--help").stdout
    assert command().returncode == 2
    assert "--frames" in command("demo", "--help").stdout
    for options in (["--frames", "0"], ["--frames", "x"], ["--seed", "-1"], ["--no"]):
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
        running.stderr.read(1)  # the progress: workers are about to begin
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        stderr = running.communicate(timeout=20)[1]
    finally:
        running.kill()
    assert running.returncode == 130
    assert "Interrupted" in stderr
    assert "Traceback" not in stderr
    assert not (tmp_path / "results.json").exists()
