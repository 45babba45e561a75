#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The benchmark program runs; how fast anything is, is not asked here."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gnuradio import reservoir

BENCH = Path(__file__).resolve().parents[1] / "bench"
sys.path.insert(0, str(BENCH))
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


def test_kernels_stay_below_the_peak(results):
    rows = [row for row in results["rows"] if row["part"] == "kernels"]
    if rows[0]["note"] == "not built":
        pytest.skip("bench_kernels is not built")
    shares = {r["name"]: r["value"] for r in rows if r["column"] == "% of FMA peak"}
    assert shares["fma_peak<float>"] == pytest.approx(100)
    assert 1 < shares["fir/32"] < 150  # the machine may have been busy during the peak


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
