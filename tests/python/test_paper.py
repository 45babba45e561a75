#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The paper subcommand: trained recurrent networks against configured ones."""

import html
import json
import shutil
import types

import numpy as np
import pytest
from gnuradio.reservoir.paper import claims
from gnuradio.reservoir.paper import measurements as paper_measurements
from gnuradio.reservoir.paper import plots as paper_plots
from gnuradio.reservoir.paper import report as paper_report
from gnuradio.reservoir.campaign.receivers import KINDS
from gnuradio.reservoir.campaign.kinds import kinds
from gnuradio.reservoir.campaign.work import receive_block
from gnuradio.reservoir.paper import study as paper

TINY = dict(
    paper.QUICK,
    frames=6,
    tuning_frames=2,
    curve_frames=2,
    curve_epochs=41,
    eigenvalue_frames=3,
    eigenvalue_epochs=(0, 20, 100),
    cost_pilots=(32, 64),
    cost_frames=2,
    fine_frames=4,
    fine_epochs=(0, 10, 100),
    plateau_frames=3,
    plateau_epochs=60,
)
PICTURES = (
    *paper_plots.FIGURES,
    *(f"{name}_{k}" for name in ("error_rates", "ofdm") for k in (1, 2)),
)
RECEIVERS = (*claims.TRAINED, *claims.FIXED)


def arguments(out):
    return ["--quick", "--workers", "0", "--out", str(out)]


def read(out):
    return json.loads((out / "results.json").read_text())


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(paper, "QUICK", TINY)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished run."""
    out = tmp_path_factory.mktemp("paper") / "report"  # is made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paper, "QUICK", TINY)
        assert paper.main(arguments(out)) == 0
    return out


@pytest.fixture
def copied(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


# --- the run ---


def test_every_file_is_written(finished):
    names = [f"{name}.png" for name in PICTURES]
    assert len(names) == 9
    for name in names:
        assert (finished / name).read_bytes().startswith(b"\x89PNG")
    page = (finished / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 9
    assert "$" not in page  # nothing of the template is left
    assert "nan" not in page.lower().split("base64")[0]


def test_results_say_what_was_run_and_found(finished):
    results = read(finished)
    assert results["experiment"] == "paper"
    assert {"processor", "cores"} <= results["machine"].keys()
    parameters = results["parameters"]
    assert parameters["seed"] == 1
    for one in results["campaigns"].values():
        assert one["parameters"]["frames"] == TINY["frames"]
        assert one["parameters"]["seed"] == 1
    for curves in results["curves"].values():
        assert len(curves["loss"]["median"]) == TINY["curve_epochs"]
        assert len(curves["condition_number"]["median"]) == 3
        assert curves["gradient_norm"]["median"][0] > 0
    assert [e["epoch"] for e in results["eigenvalues"]["rnn"]] == [0, 20, 100]
    points = results["campaigns"]["error_rates"]["points"]
    assert len(points) == 6
    for point in points:
        assert point["receivers"].keys() == set(RECEIVERS)
        for one in point["receivers"].values():
            ser, ber = one["ser"]["value"], one["ber"]["value"]
            assert 0 <= ber <= ser <= 2 * ber <= 2
            assert one["ser"]["low"] <= ser <= one["ser"]["high"]
    assert len(results["costs"]) == 2 * 6
    for rows in results["fine_tuning"].values():
        assert [row["epochs"] for row in rows] == [0, 10, 100]
    assert results["findings"].keys() == {
        "curves",
        "eigenvalues",
        "costs",
    }


def test_every_claim_has_a_verdict(finished):
    table = read(finished)["claims"]
    assert [row[0] for row in table] == [f"({letter})" for letter in "abcdefghi"]
    page = html.unescape((finished / "report.html").read_text())
    for _, claim, verdict, figures in table:
        assert verdict in ("true", "false") or verdict.startswith("depends on ")
        assert 30 < len(figures) < 700
        assert 0 < page.index(claim) < page.index(figures) < page.index("<img")


def test_a_second_run_computes_nothing_and_finds_the_same(copied):
    before, kept = read(copied), (copied / "blocks.jsonl").read_bytes()
    assert kept.count(b"\n") > 100
    assert paper.main(arguments(copied)) == 0
    assert (copied / "blocks.jsonl").read_bytes() == kept
    after = read(copied)
    for one in (
        before,
        after,
        *before["campaigns"].values(),
        *after["campaigns"].values(),
    ):
        del one["date"], one["run_seconds"]
        for point in one.get("points", []):
            for receiver in point["receivers"].values():
                del receiver["seconds"]  # two campaigns have the same link
    assert after == before


def test_an_interrupted_run_goes_on_where_it_was(copied, monkeypatch, capsys):
    before = read(copied)["fine_tuning"]
    (copied / "results.json").unlink()
    kept = (copied / "blocks.jsonl").read_text().splitlines(keepends=True)
    lost = [line for line in kept if '"link":"fine_tuning"' in line]
    assert len(lost) == 3
    rest = [line for line in kept if line not in lost]
    # one has no result, one is damaged, one cut off
    no_result = json.dumps(dict(json.loads(lost[0]), found=[])) + "\n"
    damaged = [lost[1][:100] + "\n", no_result, *rest, lost[2][:100]]
    (copied / "blocks.jsonl").write_text("".join(damaged))

    def fine_tuning(**_):
        raise KeyboardInterrupt

    fine_tuning.__name__ = "fine_tuning"
    with monkeypatch.context() as patch:
        patch.setattr(paper_measurements, "fine_tuning", fine_tuning)
        assert paper.main(arguments(copied)) == 130
    said = capsys.readouterr().err
    assert "What was found is kept" in said and str(copied) in said
    assert not (copied / "results.json").exists()
    assert paper.main(arguments(copied)) == 0
    now = (copied / "blocks.jsonl").read_text().splitlines(keepends=True)
    assert sorted(now[-3:]) == sorted(lost) and len(now) == len(kept) + 2
    assert read(copied)["fine_tuning"] == before


def test_wrong_arguments_are_refused_in_plain_words(capsys, tmp_path):
    for arguments, words in (
        (["--seed", "-1"], "must be a whole number within 0 ..."),
        (["--seed", "x"], "x must be a whole number within"),
        (["--slow"], "unrecognized arguments"),
    ):
        with pytest.raises(SystemExit) as refused:
            paper.main(arguments)
        assert refused.value.code == 2
        assert words in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert paper.main(["--out", str(tmp_path / "file" / "report")]) == 1
    assert "cannot be written" in capsys.readouterr().err


# --- what is said follows from the figures ---


def rates_at(results):
    """{(pilots, SNR): {receiver: its symbol error rate}}"""
    return {
        (p["link"].get("pilots", 64), p["link"].get("snr_db", 20)): {
            name: one["ser"]["value"] for name, one in p["receivers"].items()
        }
        for p in results["campaigns"]["error_rates"]["points"]
    }


def test_verdicts_follow_from_the_rates(finished):
    results = read(finished)
    at = rates_at(results)
    assert len(results["comparisons"]) == len(at) * 3 * 4
    for c in results["comparisons"]:
        rates = at[c["pilots"], c["snr_db"]]
        apart = rates[c["receiver"]] - rates[c["other"]]
        assert c["difference"] == pytest.approx(apart, abs=1e-12)
        assert (c["verdict"] == "fewer") == (apart < -c["ci95"])
        assert (c["verdict"] == "more") == (apart > c["ci95"])


def test_the_best_epoch_is_never_worse_than_the_tuned_one(finished):
    for rates in rates_at(read(finished)).values():
        assert rates["rnn_best"] <= min(rates["rnn_tuned"], rates["rnn_final"])


def counted(wrong):
    return types.SimpleNamespace(wrong=wrong, symbols=512, group=1)


def test_a_difference_counts_beyond_its_interval_only():
    rng = np.random.default_rng(1)
    channels = rng.integers(0, 200, 400)  # the same for both: cancel in the difference
    few = rng.integers(0, 9, 400)
    for more, verdict in ((-5, "fewer"), (5, "more"), (0, "undecided")):
        found = claims.difference(
            counted(channels + few + more), counted(channels + rng.permutation(few))
        )
        assert found["verdict"] == verdict
        assert found["difference"] == pytest.approx(more / 512, abs=1e-3)
        assert 0 < found["ci95"] < 1e-3


def test_sentences_follow_the_figures_either_way(finished):
    results = read(finished)
    curve = results["curves"]["adam"]
    for kappa, loss, words in (
        (1e6, 1e-3, ("more than", "below")),
        (2, 0.5, ("no more than", "above")),
    ):
        curve["condition_number"]["median"][-1] = kappa
        curve["loss"]["median"][-1] = loss
        found = paper_report.findings(results)
        assert f": {words[0]} the epochs" in found["curves"][0]
        assert f"{words[1]} the noise's 0.079" in found["curves"][0]


# --- the measurements ---


def test_the_same_seed_gives_the_same_errors():
    link = paper_measurements.make_link(pilots=32, snr_db=5)
    for kind, parameters in (
        ("drawn_rnn", dict(epochs=5)),
        ("drawn_esn", {}),
        ("configured_esn", {}),
    ):
        first, again, other = (
            receive_block(
                kinds(),
                dict(link.entries(), kind="single_carrier"),
                seed,
                0,
                3,
                dict(one=(kind, parameters)),
            )["one"]
            for seed in (1, 1, 2)
        )
        assert first["wrong"] == again["wrong"] != other["wrong"]


def test_a_random_network_is_another_one_for_each_frame():
    link = paper_measurements.make_link(pilots=32, snr_db=5)
    frame = link.make_frame(1, 0)
    one, other, *_ = KINDS["drawn_esn"](link, window=16).receive([frame] * 3)
    assert not np.allclose(one, other)
    alone = KINDS["esn"](link, window=16, delay=8, seed=2).receive([frame])[0]
    assert np.array_equal(other, alone)


def test_fine_tuning_starts_from_the_least_squares_solution():
    # the loss before the first step is what numpy computes for this network
    link = paper_measurements.make_link()
    frame = link.make_frame(1, 0)
    recurrent, gains, readout, skip = paper_measurements.configured_start(link, frame)
    assert np.abs(np.linalg.eigvals(recurrent)).max() < 1
    received = frame.received[0] / np.sqrt(np.mean(np.abs(frame.received[0, :64]) ** 2))
    state, outputs = np.zeros(len(recurrent)), []
    for n in range(64 + 8):
        window = np.zeros(16, complex)
        window[: n + 1] = received[max(n - 15, 0) : n + 1][::-1]
        state = recurrent @ state + gains @ window
        outputs.append(readout[0] @ state + skip[0] @ window)
    loss = np.mean(np.abs(np.array(outputs[8:]) - frame.pilots[0]) ** 2)
    rows = paper_measurements.fine_tuning(1, 1, [0], dict(optimizer="gd"))
    assert rows[0][0][0] == pytest.approx(loss, rel=1e-3)


def test_fine_tuning_learns_the_pilots_and_forgets_the_payload():
    # loss .126 to .092, 338 to 1975 symbol errors
    settings = paper.FINE_TUNINGS["adam, all weights"]
    rows = np.array(paper_measurements.fine_tuning(1, 8, [0, 300], settings))
    before, after = np.median(rows[:, :, 0], axis=0)
    assert after < 0.9 * before
    errors_before, errors_after = rows[:, :, 1].sum(axis=0)
    assert errors_after > 2 * errors_before


def test_costs_are_those_of_the_textbook(finished):
    one = paper_measurements.multiply_adds(64, "rnn_tuned", 1)
    neurons, window, steps = 32, 16, 64 + 8
    assert one == pytest.approx(
        steps * (3 * neurons**2 + 2 * neurons * window), rel=0.05
    )
    assert paper_measurements.multiply_adds(64, "rnn_tuned", 400) == 400 * one
    costs = {
        (c["receiver"], c["epochs"]): c
        for c in read(finished)["costs"]
        if c["pilots"] == 64
    }
    assert (
        costs["linear", 0]["multiply_adds"] < costs["complete", 0]["multiply_adds"] / 9
    )


def test_random_poles_stay_and_configured_ones_are_inside(finished):
    found = read(finished)["eigenvalues"]
    for moduli in (found["esn"], found["rnn"][0]):
        assert moduli["largest"] == pytest.approx(0.9, abs=1e-3)
    assert found["linear"]["outside"] == found["statistics"]["outside"] == 0
    for moduli in (*found["rnn"], found["esn"], found["linear"]):
        area = np.sum(moduli["density"] * np.diff(found["edges"]))
        assert area == pytest.approx(1)


# --- the pictures, from the file alone ---


def drawn(finished, name):
    figure = paper_plots.FIGURES[name](read(finished))
    figure.canvas.draw()
    return figure, figure.axes


def labels(axis):
    return axis.get_legend_handles_labels()[1]


def test_curves_are_drawn_in_three_panels(finished):
    _, axes = drawn(finished, "curves")
    assert len(axes) == 3
    for axis in axes:
        assert len(axis.lines) == len(paper.OPTIMIZERS)
        assert axis.get_yscale() == "log"


def test_eigenvalues_are_drawn_as_the_text_says(finished):
    _, (axis, _) = drawn(finished, "eigenvalues")
    styles = {
        patch.get_label(): (patch.get_edgecolor(), patch.get_linestyle())
        for patch in axis.patches
    }
    assert [f"RNN, epoch {epoch}" in styles for epoch in (0, 20, 100)] == [True] * 3
    assert styles["random ESN"] == ((0, 0, 0, 1), "--")
    red, green, blue, _ = styles["configured, from the estimate"][0]
    assert blue > max(red, green)


def test_error_rates_have_every_receiver_and_bands(finished):
    found = paper.measure(TINY, paper.parse(arguments(finished)))
    drawn = paper_report.pictures(read(finished), found)
    for name, receivers in (
        ("error_rates_1", len(RECEIVERS)),
        ("error_rates_2", len(RECEIVERS)),
        ("ofdm_1", 4),
        ("ofdm_2", 4),
    ):
        (axis,) = drawn[name].axes
        assert len(axis.lines) == len(axis.collections) == receivers
        assert axis.get_yscale() == "log"
        names = [one.label for one in found[name[:-2]].campaign.receivers]
        assert labels(axis) == names


def test_costs_and_fine_tuning_are_drawn(finished):
    _, axes = drawn(finished, "costs")
    for axis in axes[:2]:
        assert len(axis.lines) == 6
        assert all(len(line.get_xdata()) == 2 for line in axis.lines)
    _, axes = drawn(finished, "fine_tuning")
    assert "least squares alone" in labels(axes[0])
    for axis in axes:
        assert set(paper.FINE_TUNINGS) <= set(labels(axis))
