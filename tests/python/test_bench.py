#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The benchmark program runs; how fast anything is, is not asked here."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gnuradio import reservoir

BENCH = Path(__file__).resolve().parents[1] / "bench"
sys.path.insert(0, str(BENCH))
import bench
import bench_check
import bench_report
import peers

PARTS = (
    "kernels",
    "blocks",
    "frames",
    "retraining",
    "workers",
    "real time",
    "radio to bytes",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "report"  # is made
    done = subprocess.run(
        [
            sys.executable,
            BENCH / "bench.py",
            "--quick",
            "--out",
            out,
            "--parts",
            *PARTS,
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def results(folder):
    return json.loads((folder / "bench.json").read_text())


def rows_of(results, part):
    return {row["name"]: row for row in results["rows"] if row["part"] == part}


def test_report_shows_every_row(folder, results):
    page = (folder / "bench.md").read_text()
    picture = (folder / "bench.svg").read_text()
    assert {"processor", "cores", "load"} <= results["machine"].keys()
    assert {"gnuradio", "numpy"} <= results["versions"].keys()
    for part in PARTS:
        assert f"\n## {part}\n" in page
    for row in results["rows"]:
        assert f"\n| {row['name']} |" in page
        if row["part"] == "blocks" and row["value"] is not None:
            assert f">{row['name']}<" in picture


def test_every_row_has_a_figure_or_a_reason(results):
    for row in results["rows"]:
        assert (row["value"] is None) == bool(row["note"]), row
        assert row["value"] is None or row["value"] > 0, row


def test_blocks_of_gnuradio_and_of_this_module(results):
    rows = rows_of(results, "blocks")
    assert rows[bench_report.ESN]["value"] and not rows[bench_report.ESN]["peer"]
    lms = rows["digital.linear_equalizer, LMS, 16 taps"]
    assert lms["value"] and lms["peer"]
    ratio = rows[bench_report.ESN]["value"] / lms["value"]
    bar = next(b for b in rows[bench_report.ESN]["bars"] if "LMS" in b["unit"])
    assert bar["figure"] == pytest.approx(ratio)
    assert bar["verdict"] == ("met" if ratio >= 1.3 else "missed")


def test_kernels_are_shown_as_shares_of_the_peak(results):
    rows = [row for row in results["rows"] if row["part"] == "kernels"]
    if rows[0]["note"] == "not built":
        pytest.skip("bench_kernels is not built")
    listed = subprocess.run(
        [bench.KERNELS, "--benchmark_list_tests"], capture_output=True, text=True
    )
    counted = {
        name for name in listed.stdout.split() if not name.startswith("eigenvalues")
    }  # these count no items
    assert counted and counted <= {row["name"] for row in rows}
    assert all(0 < row["value"] < math.inf for row in rows if not row["note"])
    shares = {r["name"]: r["value"] for r in rows if r["column"] == "% of FMA peak"}
    assert shares["fma_peak<float>"] == pytest.approx(100)
    assert "fir/32" in shares


@pytest.mark.parametrize(
    "bar, verdict",
    [
        (bench_report.Bar("ours", "ms", 4, over="theirs"), "met"),
        (bench_report.Bar("ours", "ms", 6, over="theirs"), "missed"),
        (bench_report.Bar("ours", "ms", 3, at_least=False), "met"),
        (bench_report.Bar("ours", "ms", 1, at_least=False), "missed"),
        (bench_report.Bar("ours", "ms", 1, over="nobody"), "not measured"),
    ],
)
def test_bars_on_times(bar, verdict):
    ours, theirs = bench_report.Row("ours", 2, "ms"), bench_report.Row(
        "theirs", 10, "ms"
    )
    rows = {(row.name, row.column): row for row in (ours, theirs)}
    assert bar.judge(rows)["verdict"] == verdict


def test_numpy_computes_the_same_network():
    network = reservoir.esn()
    rng = np.random.default_rng(1)
    received = (rng.standard_normal((50, 2)) @ [1, 1j]).astype(np.complex64)
    seen = peers.windows(received, peers.WINDOW, len(received))
    states = peers.numpy_states(
        network.recurrent_weights(), network.input_weights(), seen
    )
    assert np.allclose(states, network.states(received).T, atol=1e-5)


def speed(ratio, scatter=0.02):
    return dict(ratio=ratio, scatter=scatter, beside="LMS")


@pytest.mark.parametrize(
    "share, scatter, word",
    [
        (1, 0.02, ""),
        (0.82, 0.02, ""),
        (0.78, 0.02, "FELL"),
        (0.78, 0.12, ""),  # twice the scatter
        (0.74, 0.12, "FELL"),
        (0.62, 0.5, ""),
        (0.58, 0.5, "FELL"),  # as much scatter would hide everything
        (1.22, 0.02, "better"),
    ],
)
def test_speeds_that_fell_beyond_their_scatter(share, scatter, word):
    found, text = bench_check.judge_speed(speed(0.4, scatter), 0.4 * share)
    assert found == word
    assert text.startswith("0.4 -> ") and "of LMS" in text


def errors(*frames, unit="symbols"):
    return dict(
        wrong=sum(frames), of=6000, unit=unit, frames=" ".join(map(str, frames))
    )


@pytest.mark.parametrize(
    "before, after, word",
    [
        ((7, 0, 0, 5), (7, 0, 0, 5), ""),
        ((7, 0, 0, 5), (7, 1, 0, 5), ""),
        ((7, 0, 0, 5), (7, 40, 0, 6), "FELL"),
        ((7, 40, 0, 6), (7, 0, 0, 5), "better"),
        ((7, 40, 0, 6), (7, 0, 40, 6), "changed"),
        ((7, 0, 0, 5), (7, 0, 0), "GONE"),
    ],
)
def test_errors_on_the_same_frames(before, after, word):
    found, text = bench_check.judge_errors(errors(*before), errors(*after))
    assert found == word
    if word == "FELL":
        half = 1.96 * np.std([0, 40, 0, 1], ddof=1) * 2  # of the sum of four
        assert f"12 -> 53 of 6000 symbols wrong (+41 ± {half:.1f})" in text
        assert "1 (0 -> 40), 3 (5 -> 6)" in text


def test_what_is_lost_or_new_is_named():
    rows = bench_check.judged(bench_check.judge_speed, {"a": speed(1)}, {"b": 1.0})
    assert [row[:2] for row in rows] == [("GONE", "a"), ("new", "b")]


def guard(baseline, *arguments):
    """Errors of a few frames; the exit status, and what is said."""
    command = [sys.executable, BENCH / "bench_check.py", "--only", "errors"]
    command += ["--frames", "3", "--baseline", baseline, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


def test_guard_names_what_fell_and_what_is_better(tmp_path):
    path = tmp_path / "baseline.json"
    assert guard(path)[0] == 2  # there is none
    assert guard(path, "--write")[0] == 0
    baseline = json.loads(path.read_text())
    rows = baseline["errors"]["rows"]
    worse, better = "2 x 2: fir", "six paths, 10 dB: esn"
    assert rows[worse]["wrong"] > 50
    rows[worse].update(wrong=0, frames="0 0 0")
    rows[better].update(wrong=600, frames="200 200 200")
    path.write_text(json.dumps(baseline))
    status, said = guard(path)
    assert status == 1 and f"FELL    {worse}: 0 -> " in said
    assert f"better  {better}: 600 -> " in said
    assert (
        f"Something fell or is gone: 1 FELL, 1 better, {len(rows) - 2} as before"
        in said
    )
