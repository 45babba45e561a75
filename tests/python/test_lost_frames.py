#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The script that counts lost frames: its links, genies and rules; not how many are lost."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import genies
import lost_frames
import lost_frames_table as table
import receive_links
from lossy_links import FIRST, LINKS, UNKNOWN, make_frame

NOISELESS_DB = 100
link = pytest.mark.parametrize("name", LINKS)


def frames(name, snr_db, count=2):
    return [make_frame(name, snr_db, 1, number) for number in range(count)]


@link
def test_the_same_seed_gives_the_same_frames(name):
    first, second = frames(name, 20)
    again = make_frame(name, 20, 1, 1)
    assert second.received.tobytes() == again.received.tobytes()
    assert np.array_equal(second.indices, again.indices)
    assert not np.array_equal(first.indices, second.indices)
    assert len(first.received) == first.sps * (FIRST + first.payload_len + UNKNOWN)


@link
def test_a_genie_loses_nothing_without_noise(name):
    if not genies.available(name):
        pytest.skip("the reference code is not on this machine")
    sent = frames(name, NOISELESS_DB)
    assert np.array_equal(genies.decide(name, sent), [frame.payload for frame in sent])


@link
def test_the_receiver_and_what_is_said_of_it(name):
    for number, frame in enumerate(
        receive_links.ours(name, range(2), snr_db=30, seed=1)
    ):
        assert frame["wrong"] == []
        assert 0 < frame["evm"] < 0.3 and frame["seconds"] > 0
        sent = make_frame(name, 30, 1, number)
        assert frame["samples"] == len(sent.received) - UNKNOWN * sent.sps
        assert frame["report"]["taps"] >= 1


@link
def test_a_received_symbol_has_unit_energy_in_the_mean(name):
    count = 20 if name.startswith("T5") else 100
    energies = [
        LINKS[name].sps * np.mean(np.abs(frame.received) ** 2)
        for frame in frames(name, NOISELESS_DB, count)
    ]
    spread = 4 * np.std(energies) / np.sqrt(count) + 0.01
    assert np.mean(energies) == pytest.approx(1, abs=spread)


def test_both_viterbi_algorithms_agree():
    sent = frames("T3", 8)
    assert np.array_equal(genies.viterbi(sent), genies.viterbi_moving(sent))
    assert np.any(genies.viterbi(sent) != [frame.payload for frame in sent])


def test_a_shortened_frame_is_the_beginning_of_the_long_one():
    long = make_frame("T1", 15, 1, 0, longest=1200)
    short = long.shortened(900)
    assert np.array_equal(short.payload, long.payload[:900])
    assert np.array_equal(short.received, long.received[: FIRST + 900 + UNKNOWN])


@pytest.mark.parametrize(
    "new_only, old_only, verdict",
    [(0, 0, "equal"), (4, 0, "equal"), (5, 0, "WORSE"), (0, 5, "better")],
)
def test_the_rule_for_two_builds(new_only, old_only, verdict):
    assert table.paired(new_only, old_only) == verdict


def frame_with(errors, genie_errors):
    return dict(
        link="T3",
        snr_db=10,
        wrong=list(range(errors)),
        genie_errors=genie_errors,
        evm=0.1,
        seconds=1e-3,
        report={},
    )


def test_bars():
    clean, lost = frame_with(0, 0), frame_with(60, 0)
    row = table.summary([clean] * 198 + [lost] * 2)
    assert (row["lost"], row["genie_lost"], row["any_error"]) == (2, 0, 2)
    assert row["bars"] == dict(lost=True, any_error=True, rate=False)
    row = table.summary([clean] * 197 + [lost] * 3)
    assert row["bars"] == dict(lost=False, any_error=True, rate=False)


def test_errors_in_groups():
    assert table.bursts(np.array([3, 5, 40])) == [(3, 5, 2), (40, 40, 1)]
    assert table.bursts(np.array([], int)) == []


def test_the_program(tmp_path, capsys):
    out = tmp_path / "lost.json"
    given = ["--links", "T3", "--snr", "8", "--frames", "2", "--out", str(out)]
    lost_frames.main(given)
    kept = json.loads(out.read_text())
    assert len(kept["frames"]) == 2 and kept["rows"][0]["link"] == "T3"
    assert kept["frames"][0]["genie_errors"] > 0
    (file,) = (tmp_path / "genies").iterdir()
    before = file.stat().st_mtime_ns
    lost_frames.main([*given, "--against", str(module_folder())])
    assert file.stat().st_mtime_ns == before  # the genie was not asked again
    assert "lost 0/0 equal, symbols wrong 0/0 equal" in capsys.readouterr().out


def module_folder():
    from gnuradio import reservoir

    return Path(reservoir.__file__).parents[2]
