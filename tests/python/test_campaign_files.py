#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Campaigns with Python files beside them, and known symbols between those of the payload."""

import re
from pathlib import Path

import distributed
import numpy as np
import pytest
from gnuradio import gr
from gnuradio.reservoir.__main__ import THREADS
from gnuradio.reservoir.campaign.links import SingleCarrier
from gnuradio.reservoir.campaign.receivers import KINDS, unsuitable
from gnuradio.reservoir.campaign.specification import SpecificationError, load
from gnuradio.reservoir.commands import sweep
from gnuradio.reservoir.modulations import nearest
from test_campaign import figures, run

DOCS = Path(__file__).resolve().parents[2] / "docs" / "campaigns.md"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The example of the documentation, and a folder of what it finds in one process."""
    folder = tmp_path_factory.mktemp("own")
    part = DOCS.read_text().split("## Your own links and receivers")[1]
    (python,) = re.findall("```python\n(.*?)```", part, re.DOTALL)
    (toml,) = re.findall("```toml\n(.*?)```", part, re.DOTALL)
    (folder / "own.py").write_text(python)
    (folder / "own.toml").write_text(toml + "[[receivers]]\nkind = 'esn'\n")
    run(folder / "own.toml", folder / "out", "--workers", 0)
    return folder


def copied(own, folder, old="", new="", name="own.py"):
    """The example with a change; returns its campaign file."""
    for file in (own / "own.py", own / "own.toml"):
        text = file.read_text()
        if file.name == name and old:
            assert text.count(old) == 1
            text = text.replace(old, new)
        (folder / file.name).write_text(text)
    return folder / "own.toml"


def ser(points, receiver):
    return [point["receivers"][receiver]["ser"]["value"] for point in points]


def test_what_the_example_finds(own):
    points, _ = figures(own / "out")
    still, clicks = ser(points, "fir"), ser(points, "limited")
    assert still[1] > 1.5 * still[0]
    assert clicks[1] < 0.8 * still[1]


def test_workers_that_do_not_have_the_file_find_the_same(own, tmp_path):
    campaign = copied(own, tmp_path)
    run(campaign, tmp_path / "two", "--workers", 2)
    assert figures(tmp_path / "two") == figures(own / "out")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path),
    ) as cluster:
        # the same workers run another file of the same name
        options = "--scheduler", cluster.scheduler_address
        run(campaign, tmp_path / "first", *options)
        run(
            copied(own, tmp_path, "10 * frame", "30 * frame"),
            tmp_path / "second",
            *options,
        )
    assert figures(tmp_path / "first") == figures(own / "out")
    first, second = (
        ser(figures(tmp_path / name)[0], "fir") for name in ("first", "second")
    )
    assert first[0] == second[0] and first[1] < second[1]


def test_a_changed_file_is_noticed(own, tmp_path):
    campaign = copied(own, tmp_path)
    run(campaign, tmp_path / "out", "--workers", 0)
    copied(own, tmp_path, "10 * frame", "30 * frame")
    done = run(campaign, tmp_path / "out", "--workers", 0)
    assert "also holds 14 blocks" in done.stderr  # with those that tell what was tuned
    before, after = figures(own / "out")[0], figures(tmp_path / "out")[0]
    assert ser(before, "fir")[0] == ser(after, "fir")[0]
    assert ser(before, "fir")[1] < ser(after, "fir")[1]


def test_a_changed_code_is_noticed(tmp_path):
    installed = Path(gr.prefix(), "share", "gnuradio", "fec", "ldpc")
    names = "n_0300_k_0103_gap_24.alist", "n_0300_k_0152_gap_03.alist"
    code, campaign = tmp_path / "code.alist", tmp_path / "coded.toml"
    campaign.write_text(
        f'frames = 4\n[link]\npayload = 450\ncode = "ldpc:{code}"\nchannel = "none"\n'
        '[[receivers]]\nkind = "fir"\n'
    )
    kept = []
    for name in names[0], names[0], names[1]:
        code.write_bytes((installed / name).read_bytes())
        assert (
            sweep.main([str(campaign), "--workers", "0", "--out", str(tmp_path)]) == 0
        )
        kept.append((tmp_path / "blocks.jsonl").read_text().count("\n"))
    assert kept == [1, 1, 2]


def test_an_installed_code_is_found_by_its_bare_name():
    link = SingleCarrier(payload=450, code="ldpc:n_0300_k_0152_gap_03")
    assert link.code_files()[0].startswith("300 ")
    assert SingleCarrier(payload=450, code="cc").code_files() == []


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("import dataclasses", "import dataclases", "own.py, line 1: ModuleNotFound"),
        ("links = SingleCarrier", "links =", "own.py, line 26: SyntaxError: invalid"),
        ("RECEIVERS = {", "RECEIVERS = {'fir': Limited, ", "['fir']: this name is"),
        ("RECEIVERS = {", "RECEIVERS = {3: Limited, ", "[3]: its name must be text"),
        ('{"limited": Limited}', "[Limited]", "own.py: RECEIVERS = [<class "),
        ('{"clicks": Clicks}', "None", "own.py: LINKS = None: must be a dict of names"),
        ("def receive(", "def receives(", "must be a class with the method receive"),
        (
            "Clicks(SingleCarrier)",
            "Clicks",
            "must be a link with the method make_frame",
        ),
        ("LINKS = {", "LINKS = [{", "own.py, line 44: SyntaxError"),
        ("level: float", "level: str", "own.toml, line 13: [receivers] level = 1.5:"),
        ("= link, level", "= link, levle", "own.py, line 29: NameError: name 'levle'"),
        (
            "0.01, 0, 1",
            "0.01, 0.005, 1",
            "own.toml, line 6: [link] clicks = 0: must be",
        ),
    ],
)
def test_errors_of_a_file_are_said_before_anything_runs(own, tmp_path, old, new, words):
    with pytest.raises(SpecificationError) as error:
        load(copied(own, tmp_path, old, new))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", ["nan", "[-inf]", "{ a = inf }", "1979-05-27"])
@pytest.mark.parametrize("tuned", [False, True])
def test_parameters_that_no_report_can_hold_are_refused(own, tmp_path, value, tuned):
    """Of a type that the receiver does not say."""
    copied(own, tmp_path, "level: float =", "level=")
    line = f"tune.level = [1, {value}]" if tuned else f"level = {value}"
    campaign = tmp_path / "own.toml"
    campaign.write_text(re.sub("tune.level.*", line, campaign.read_text()))
    with pytest.raises(
        SpecificationError, match=r"line 13: \[receivers\] level = .*fini"
    ):
        load(campaign)


def test_a_file_that_is_not_there(own, tmp_path):
    campaign = copied(own, tmp_path, '"own.py"', '"owl.py"', "own.toml")
    with pytest.raises(SpecificationError, match=r"line 1: owl.py cannot be read"):
        load(campaign)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    "old, new, words",
    [
        ("samples / loud", "samples / lout", r"limited: \S*own.py, line 39: NameError"),
        ("rng.random(", "rng.randon(", r"own.py, line 18: AttributeError"),
    ],
)
def test_errors_while_it_runs_are_said(own, tmp_path, workers, old, new, words):
    campaign = copied(own, tmp_path, old, new)
    done = run(campaign, tmp_path / "out", "--workers", workers, status=1)
    assert re.search(words, done.stderr)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("given, seen", [(None, "1"), ("2", "2")])
def test_numpy_has_as_many_threads_with_and_without_workers(
    own, tmp_path, monkeypatch, workers, given, seen
):
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
        if given:
            monkeypatch.setenv(name, given)
    told = f"import os; raise ValueError([os.environ[name] for name in {[*THREADS]}])"
    campaign = copied(own, tmp_path, "loud = np", f"{told}; loud = np")
    done = run(campaign, tmp_path / "out", "--workers", workers, status=1)
    assert str([seen] * len(THREADS)) in done.stderr


@pytest.mark.parametrize(
    "given, words",
    [
        (
            "[self._receive(frames[0])]",
            r"limited: receive gave 1 frames: must .* of 50",
        ),
        ("[self._receive(f)[:1] for f in frames]", r"shape \(1,\) .* be \(1, 512\)"),
        ("[self._receive(f)[:, None] for f in frames]", r"shape \(512, 1\) for"),
        ("None", "receive gave None: must be a list"),
    ],
)
def test_symbols_in_another_shape_than_the_payload_are_refused(
    own, tmp_path, given, words
):
    old = "[self._receive(frame) for frame in frames]"
    campaign = copied(own, tmp_path, old, given)
    done = run(campaign, tmp_path / "out", "--workers", 0, status=1)
    assert re.search(words, done.stderr)


# --- known symbols between those of the payload ---

PATTERN = dict(pilots=32, payload=200, known_period=48, known_length=16)


def test_frames_have_the_known_symbols_where_the_link_says():
    link = SingleCarrier(channel="none", snr_db=60.0, streams=2, antennas=2, **PATTERN)
    frame = link.make_frame(1, 0)
    known = ~np.isnan(frame.known)
    assert known[:, :32].all() and not known[:, 32:64].any()
    assert known[:, 64:80].all() and (~known).sum(1).tolist() == [200, 200]
    assert not known[:, -8:].any()  # 200 = 6 * 32 + 8
    heard = frame.received[:, : known.shape[1]]
    np.testing.assert_allclose(heard[known], frame.known[known], atol=0.02)
    decided = nearest(link.points(), heard[~known].reshape(2, -1))
    assert np.array_equal(decided, frame.payload)


def test_without_known_symbols_a_frame_is_what_it_was():
    one, other = (
        SingleCarrier(payload=200, **more) for more in ({}, dict(known_period=0))
    )
    assert one.make_frame(1, 2).known is None
    assert np.array_equal(
        one.make_frame(1, 2).received, other.make_frame(1, 2).received
    )


@pytest.mark.parametrize("kind", ["fir", "esn", "rnn", "configured_esn"])
def test_detectors_are_told_and_give_the_unknown_symbols(kind):
    link = SingleCarrier(snr_db=30.0, taps=2, streams=1, **PATTERN)
    frames = [link.make_frame(1, number) for number in range(2)]
    found = KINDS[kind](link).receive(frames)
    errors = 0
    for frame, symbols in zip(frames, found):
        assert symbols.shape == frame.payload.shape
        errors += np.sum(nearest(link.points(), symbols) != frame.payload)
    assert errors < 20


def test_known_symbols_help_on_a_channel_that_moves():
    entries = dict(doppler=2e-3, snr_db=15.0, taps=2, pilots=32, payload=480)
    errors = []
    for pattern in ({}, dict(known_period=48, known_length=16)):
        link = SingleCarrier(**entries, **pattern)
        frames = [link.make_frame(1, number) for number in range(10)]
        symbols = KINDS["configured_esn"](link).receive(frames)
        pairs = zip(frames, symbols)
        errors.append(
            sum(np.sum(nearest(link.points(), s) != f.payload) for f, s in pairs)
        )
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("kind", ["mlse", "lms"])
def test_peers_that_know_the_pilots_only_take_no_part(kind):
    reason = unsuitable(kind, SingleCarrier(**PATTERN), {})
    assert reason == "it knows the pilots in front only"


@pytest.mark.parametrize("period, length", [(48, 0), (48, 48), (0, 16)])
def test_bad_patterns_are_refused(period, length):
    with pytest.raises(ValueError, match="known_"):
        SingleCarrier(known_period=period, known_length=length).check()
