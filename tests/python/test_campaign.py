#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Campaigns: files, frames, the same figures from any workers, resuming, closed forms."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from gnuradio.reservoir.campaign import engine, pools, statistics, store
from gnuradio.reservoir.campaign.fields import FieldError
from gnuradio.reservoir.campaign.links import (
    SingleCarrier,
    front_end,
    minimum_phase,
    root_raised_cosine,
)
from gnuradio.reservoir.campaign.ofdm_link import Ofdm
from gnuradio.reservoir.campaign.receivers import KINDS, unsuitable
from gnuradio.reservoir.campaign.specification import SpecificationError, load, parse
from gnuradio.reservoir.campaign.work import count_errors
from gnuradio.reservoir.commands import sweep
from gnuradio.reservoir.modulations import nearest
from gnuradio.reservoir.report import campaign_plots
from scipy.integrate import quad
from scipy.special import erfc

ROOT = Path(__file__).resolve().parents[2]
SMALL = """
title = "small"
frames = 40
block = 10
[link]
snr_db = [8, 14]
pilots = 48
payload = 128
same_pilots = true
[[receivers]]
kind = "fir"
[[receivers]]
kind = "configured_esn"
[[receivers]]
kind = "lms"
tune.offset = [4, 8]
"""


def figures(folder):
    """What must not depend on who did the work: everything but times."""
    found = json.loads((folder / "results.json").read_text())
    for point in found["points"]:
        for receiver in point["receivers"].values():
            receiver.pop("seconds")
    return found["points"], found["comparisons"]


def command(campaign, out, *options):
    return [
        sys.executable,
        "-m",
        "gnuradio.reservoir",
        "sweep",
        str(campaign),
        "--out",
        str(out),
        *map(str, options),
    ]


def run(campaign, out, *options, status=0):
    done = subprocess.run(
        command(campaign, out, *options), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def worked_off(campaign, folder):
    """Its points, by this process."""
    kept = store.Store(folder)
    points = [engine.PointWork(campaign, point, kept) for point in campaign.points]
    engine.run(points, pools.Here())
    kept.close()
    return points


def run_here(text, folder, name="campaign"):
    """{receiver: Measured} of each point, in this process."""
    return [point.measured() for point in worked_off(parse(text, name), folder)]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A campaign file and a finished folder of it, by this process alone."""
    folder = tmp_path_factory.mktemp("campaign")
    (folder / "small.toml").write_text(SMALL)
    run(folder / "small.toml", folder / "here", "--workers", 0)
    return folder / "small.toml", folder / "here"


# --- the same figures from any workers ---


def test_without_dask_one_process_works(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    options = SimpleNamespace(scheduler=None, workers=None)
    assert isinstance(sweep.make_pool(options), pools.Here)
    assert "python3-distributed" in capsys.readouterr().err
    options.workers = 2
    with pytest.raises(pools.WorkError, match="python3-distributed"):
        sweep.make_pool(options)


def test_two_workers_find_the_same(small, tmp_path):
    campaign, here = small
    done = run(campaign, tmp_path / "two", "--workers", 2)
    assert figures(tmp_path / "two") == figures(here)
    assert "LISTEN" not in done.stdout


def start_long(campaign, folder):
    """A run of the small campaign with many more frames, which has begun; where it keeps them."""
    slow = folder / "slow.toml"
    slow.write_text(campaign.read_text().replace("frames = 40", "frames = 4000"))
    running = subprocess.Popen(
        command(slow, folder / "out", "--workers", 2),
        stderr=subprocess.PIPE,
        start_new_session=True,
        # what runs in the background of a shell ignores it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        text=True,
    )
    kept = folder / "out" / store.Store.FILE
    deadline = time.monotonic() + 60
    while not (kept.exists() and kept.read_bytes().count(b"\n") > 20):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.05)
    return running, kept


def test_control_c_is_a_sentence(small, tmp_path):
    campaign, _ = small
    running, _ = start_long(campaign, tmp_path)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    errors = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert "Interrupted" in errors and "goes on from there" in errors
    assert "Traceback" not in errors


def test_an_interrupt_while_workers_start_comes_afterwards():
    """And children that are started meanwhile do not get theirs."""
    before, steps = signal.pthread_sigmask(signal.SIG_BLOCK, []), []
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), pools.interrupt_later():
        child = subprocess.Popen(["sleep", "60"])
        os.kill(child.pid, signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.3)
        steps.append(child.poll())
    child.kill()
    child.wait()
    assert steps == [None]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    with pytest.raises(ZeroDivisionError), pools.interrupt_later():
        steps = 1 / 0
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    signal.signal(signal.SIGINT, handler)


def test_killed_in_the_middle_and_run_again(small, tmp_path):
    campaign, here = small
    running, kept = start_long(campaign, tmp_path)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    with open(kept, "ab") as file:  # what a torn write leaves
        file.write(b'{"link":"0123')
    before = kept.read_bytes().count(b"\n")
    # the blocks of the longer campaign are those of the shorter one
    run(campaign, tmp_path / "out", "--workers", 0)
    assert figures(tmp_path / "out") == figures(here)
    lines = kept.read_text().splitlines()
    assert len(lines) >= before
    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_nothing_is_done_twice(small):
    campaign, here = small
    kept = (here / store.Store.FILE).read_bytes()
    expected = figures(here)
    run(campaign, here, "--workers", 0)
    assert (here / store.Store.FILE).read_bytes() == kept
    assert figures(here) == expected


def test_another_campaign_in_the_same_folder_is_said(small, tmp_path):
    campaign, here = small
    changed = tmp_path / "changed.toml"
    changed.write_text(campaign.read_text().replace("pilots = 48", "pilots = 49"))
    folder = tmp_path / "out"
    run(campaign, folder, "--workers", 0, "--frames", 10)
    done = run(changed, folder, "--workers", 0, "--frames", 10)
    assert "also holds 8 blocks of links or receivers" in done.stderr
    assert figures(folder)[0] != figures(here)[0]


def test_two_runs_do_not_write_into_one_folder(tmp_path):
    first = store.Store(tmp_path)
    with pytest.raises(store.Busy, match="another run is writing into"):
        store.Store(tmp_path)
    first.close()
    store.Store(tmp_path).close()


def start_worker(address, folder):
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            address,
            "--nthreads=1",
            "--no-dashboard",
            "--host=127.0.0.1",
            f"--local-directory={folder}",
        ],
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # the nanny's child too can be killed by its group
    )


@contextlib.contextmanager
def a_scheduler(folder):
    """A process, and its address."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler",
            "--host=127.0.0.1",
            "--port=0",
            "--no-dashboard",
            f"--scheduler-file={folder}/scheduler.json",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not (folder / "scheduler.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.2)
        yield process, json.loads((folder / "scheduler.json").read_text())["address"]
    finally:
        process.kill()


def test_an_external_scheduler_and_a_worker_that_dies(small, tmp_path):
    campaign, here = small
    with a_scheduler(tmp_path) as (_, address):
        workers = [start_worker(address, tmp_path) for _ in range(2)]
        try:
            running = subprocess.Popen(
                command(campaign, tmp_path / "out", "--scheduler", address),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            kept = tmp_path / "out" / store.Store.FILE
            deadline = time.monotonic() + 60
            while not (kept.exists() and kept.read_bytes().count(b"\n") > 2):
                assert time.monotonic() < deadline and running.poll() is None
                time.sleep(0.02)
            os.killpg(workers[0].pid, signal.SIGKILL)
            errors = running.communicate(timeout=120)[1]
            assert running.returncode == 0, errors
            assert figures(tmp_path / "out") == figures(here)
        finally:
            for worker in workers:
                if worker.poll() is None:
                    os.killpg(worker.pid, signal.SIGKILL)


def test_a_scheduler_that_is_lost_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "small.toml").write_text(SMALL)
    with a_scheduler(tmp_path) as (process, address):
        # no worker: the pieces are under way when it dies
        before = pools.Cluster.submit

        def submit(pool, *piece):
            before(pool, *piece)
            process.kill()
            process.wait()

        monkeypatch.setattr(pools.Cluster, "submit", submit)
        options = ["--scheduler", address, "--out", str(tmp_path / "out")]
        assert sweep.main([str(tmp_path / "small.toml"), *options]) == 1
    assert "the connection to the scheduler is lost; the" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9"])
def test_a_scheduler_that_is_not_there_is_said(small, tmp_path, address):
    campaign, _ = small
    done = run(campaign, tmp_path / "out", "--scheduler", address, status=1)
    assert address in done.stderr and "Traceback" not in done.stderr


def test_the_stop_rule_does_not_see_what_comes_later(tmp_path):
    text = SMALL.replace("frames = 40", "frames = 400\nerrors = 60").replace(
        "[8, 14]", "8"
    )
    (measured,) = run_here(text, tmp_path)
    frames = {found.frames for found in measured.values()}
    assert len(frames) == 1
    (count,) = frames
    assert 10 <= count < 400 and count % 10 == 0
    for found in measured.values():
        assert found.wrong.sum() >= 60
    before = [found.wrong[: count - 10].sum() for found in measured.values()]
    assert min(before) < 60
    # with more blocks in the store than are needed nothing changes
    run_here(text.replace("errors = 60", "errors = 0").replace("400", "60"), tmp_path)
    (again,) = run_here(text, tmp_path)
    for name, found in measured.items():
        assert np.array_equal(again[name].wrong, found.wrong)


def test_a_shorter_last_block_is_not_taken_for_a_whole_one(tmp_path):
    run_here(SMALL.replace("frames = 40", "frames = 15"), tmp_path)
    for measured in run_here(SMALL, tmp_path):
        assert all(found.frames == 40 for found in measured.values())


# --- files ---


@pytest.mark.parametrize(
    "old, new, line, words",
    [
        ("pilots = 48", 'pilots = "many"', 7, "pilots = 'many': must be an integer"),
        ("pilots = 48", "pilots = 0", 7, "within 1 ... 65536"),
        ("snr_db = [8, 14]", "snr_db = [8, 400]", 6, "within -100 ... 300"),
        ("snr_db = [8, 14]", "snr_db = []", 6, "must have a value"),
        ("pilots = 48", "pilot = 48", 7, "no such entry; there is: amplifier"),
        ("frames = 40", "frames = 1.5", 3, "must be an integer"),
        ("frames = 40", "frame = 40", 3, "frame: no such entry"),
        ('kind = "fir"', 'kind = "fire"', 11, "must be one of cma, coded_receiver"),
        ('kind = "fir"', 'kind = "fir"\ntaps = 3', 12, "fir has no such parameter"),
        ('kind = "fir"', 'kind = "fir"\nnum_taps = 0', 12, "num_taps"),
        ('kind = "fir"', 'kind = "fir"\nnum_taps = "a"', 12, "must be of type int"),
        ('kind = "fir"', 'kind = "ls_dfe"\nforward = 0', 12, "within 1 ... 1024"),
        ('kind = "fir"', 'kind = "fir"\nname = "lms"', 15, "a text of its own"),
        ('kind = "fir"', 'kind = "ofdm_esn"', 11, "ofdm_esn is for Ofdm"),
        ("tune.offset = [4, 8]", "tune.offset = 4", 16, "lists of values"),
        ("tune.offset = [4, 8]", "tune.offset = [99]", 16, "within 0 ... 64"),
        ("snr_db = [8, 14]", 'channel = "fixed"', 5, "impulse_response"),
        ('title = "small"', 'horizontal = "taps"', 2, "a list of values (snr_db)"),
        ('title = "small"', "title = small", 2, "Invalid value"),
        ('title = "small"', 'horizontal = "modulation"', 2, "a list of values"),
        ('kind = "fir"', 'kind = ["fir"]', 11, "must be one of cma"),
        ('kind = "fir"', 'kind = "fir"\nnum_inputs = 2', 12, "no such parameter"),
        ("tune.offset = [4, 8]", "offset = 4\ntune.offset = [4]", 16, "and tuned"),
        ("pilots = 48", "delays = [3, 0]", 7, "ascending"),
        ("pilots = 48", "powers = [0, 0]", 7, "of a sum above 0"),
        ("pilots = 48", "timing_offset = 0.4", 7, "0, or 1 and more"),
        ("pilots = 48", 'code = "turbo"', 7, "'ldpc:FILE'"),
        ('kind = "fir"', 'kind = "soft_decoder"', 11, "for links with a code"),
    ],
)
def test_errors_name_line_key_and_what_is_allowed(old, new, line, words):
    assert SMALL.count(old) == 1
    with pytest.raises(SpecificationError) as error:
        parse(SMALL.replace(old, new), "file.toml")
    assert str(error.value).startswith("file.toml")
    assert f"line {line}" in str(error.value)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "channel, entry, readers",
    [
        ("rayleigh", dict(impulse_response=(1, 0.5)), "fixed, periodic"),
        ("rayleigh", dict(periods=(3,)), "periodic, matrix"),
        ("rayleigh", dict(symbol_rate=5), "ccir_good, "),
        ("minimum_phase", dict(delays=(0, 2)), "rayleigh"),
        ("fixed", dict(impulse_response=(1, 0.5), doppler=0.01), "rayleigh"),
        ("ccir_poor", dict(powers=(1,)), "rayleigh, minimum_phase"),
        ("ccir_poor", dict(taps=3), "rayleigh, minimum_phase"),
        ("ccir_poor", dict(doppler=0.05), "rayleigh"),
        ("none", dict(delays=(1, 5)), "rayleigh"),
    ],
)
@pytest.mark.parametrize("made", [SingleCarrier, Ofdm])
def test_entries_that_the_channel_does_not_read_are_refused(
    made, channel, entry, readers
):
    with pytest.raises(FieldError) as error:
        made(channel=channel, **entry).check()
    assert error.value.name == list(entry)[-1]
    assert f"left out where channel = '{channel}'; it is for {readers}" in str(
        error.value
    )


@pytest.mark.parametrize(
    "limit, words",
    [
        ('receiver = "rls"', "must be one of configured_esn, fir, lms"),
        ('receiver = "fir"\nover = "rls"', "over = 'rls'"),
        ('receiver = "fir"\nsnr_db = 9', "it concerns no point"),
        ('receiver = "fir"\nlink = "x"', "link = 'x'"),
        ('receiver = "fir"\nat_moist = 1', "no such entry"),
        ('receiver = "fir"\nfigure = "per"', "needs links with code"),
    ],
)
def test_bad_limits(limit, words):
    with pytest.raises(SpecificationError, match="line") as error:
        parse(SMALL + "[[limits]]\n" + limit, "file.toml")
    assert words in str(error.value)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("campaigns/**/*.toml")), ids=lambda path: path.stem
)
def test_files_of_the_repository_can_be_read(path):
    campaign = load(path, quick=True)
    assert len(campaign.points) > 1 and len(campaign.receivers) > 2


def test_every_curve_has_its_name_in_the_legend(tmp_path):
    """Those too that are not in the first panel."""
    text = """
    frames = 2
    [link]
    snr_db = [10, 15]
    payload = 40
    [links.two]
    streams = 2
    antennas = 2
    [links.one]
    [[receivers]]
    kind = "mmse_le"
    [[receivers]]
    kind = "fir"
    """
    campaign = parse(text)
    results = engine.Results(campaign, "two.toml", worked_off(campaign, tmp_path))
    two, one = campaign_plots.curves(results).axes
    assert [len(axis.lines) for axis in (two, one)] == [1, 2]
    names = two.get_legend().get_texts()
    assert [name.get_text() for name in names] == ["mmse_le", "fir"]


def test_a_missed_limit_is_an_exit_status(tmp_path):
    file = tmp_path / "limits.toml"
    limits = '[[limits]]\nreceiver = "fir"\nat_most = {}\nsnr_db = {}\n'
    file.write_text(SMALL + limits.format(1.0, 8) + limits.format(1e-9, 8.0))
    done = run(file, tmp_path / "out", "--workers", 0, "--frames", 20, status=1)
    assert "1 of 2 limits are met." in done.stdout
    assert "MISSED" in done.stdout


def test_files_that_are_not_there(tmp_path):
    done = run(tmp_path / "no.toml", tmp_path / "out", status=2)
    assert "cannot be read" in done.stderr


def test_quick_takes_the_first_middle_and_last():
    text = SMALL.replace("[8, 14]", "[8, 10, 12, 14, 16]")
    campaign = parse(text, quick=True)
    assert [point.link.snr_db for point in campaign.points] == [8, 12, 16]
    assert campaign.head.frames == 13
    assert parse(text, quick=True, frames=7).head.frames == 7


def test_compare_needs_no_file(tmp_path):
    done = subprocess.run(
        [
            *[sys.executable, "-m", "gnuradio.reservoir", "compare", "fir", "mlse"],
            *["--link", "snr_db=8,12", "taps=3", "--frames", "10", "--workers", "0"],
            *["--out", str(tmp_path)],
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "mlse has" in done.stdout
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    "text, words",
    [
        ("receivers = [1, 2]", "must be a table, written"),
        ('[link]\nkind = ["ofdm"]\n[[receivers]]\nkind = "fir"', "must be one of"),
        ("x = " + 5000 * "[", "file.toml"),
        (
            '[link]\nchannel = "minimum_phase"\ntaps = 64\n[[receivers]]\nkind="fir"',
            "at most 32",
        ),
        (
            '[link]\nchannel = "fixed"\nimpulse_response = [0]\n[[receivers]]\nkind="fir"',
            "not all zero",
        ),
    ],
)
def test_other_bad_files(text, words):
    with pytest.raises(SpecificationError) as error:
        parse(text, "file.toml")
    assert words in str(error.value)


def test_a_file_in_another_encoding_is_said(tmp_path):
    (tmp_path / "latin.toml").write_bytes('title = "caf\xe9"'.encode("latin-1"))
    done = run(tmp_path / "latin.toml", tmp_path / "out", status=2)
    assert "must be UTF-8" in done.stderr


def test_quick_leaves_limits_of_other_values_out():
    text = SMALL.replace("[8, 14]", "[8, 10, 12, 14]")
    text += '[[limits]]\nreceiver = "fir"\nsnr_db = 10\n'
    assert len(parse(text).limits) == 1
    assert not parse(text, quick=True).limits


def test_receivers_that_do_not_fit_one_link_are_absent_there():
    text = """
    [links.wide]
    kind = "ofdm"
    streams = 3
    antennas = 2
    taps = 4
    [links.square]
    kind = "ofdm"
    streams = 2
    antennas = 2
    taps = 4
    [[receivers]]
    kind = "ofdm_configured"
    """
    wide, square = parse(text).points
    kind, settings = "ofdm_configured", {}
    assert "num_tx" in unsuitable(kind, wide.link, settings)
    assert unsuitable(kind, square.link, settings) is None
    for entries in (dict(pilots=4), dict(delays=(0, 0.5)), dict(interference_db=0.0)):
        assert unsuitable("mlse", SingleCarrier(**entries), {})


def test_limits_of_other_figures(tmp_path):
    """EVM, and a ratio of nothing to nothing, which is met."""
    file = tmp_path / "limits.toml"
    file.write_text(
        SMALL.replace("[8, 14]", "14").replace('"lms"', '"mlse"').split("tune")[0]
        + '[[limits]]\nreceiver = "fir"\nfigure = "evm_db"\nat_most = 0\n'
        + '[[limits]]\nreceiver = "configured_esn"\nfigure = "lost"\nover = "mlse"\n'
    )
    done = run(file, tmp_path / "out", "--workers", 0, "--frames", 20)
    assert "2 of 2 limits are met." in done.stdout
    assert (tmp_path / "out" / "report.html").exists()


def test_a_damaged_line_costs_its_own_work_only(tmp_path):
    first = run_here(SMALL, tmp_path)
    kept = tmp_path / store.Store.FILE
    lines = kept.read_bytes().splitlines(keepends=True)
    lines[3] = b"damaged" + lines[3][7:]
    kept.write_bytes(b"".join(lines))
    again = run_here(SMALL, tmp_path)
    assert kept.read_bytes().startswith(b"".join(lines))
    for one, other in zip(first, again):
        assert all(np.array_equal(one[n].wrong, other[n].wrong) for n in one)


DAMAGE = [
    dict(first=None),
    dict(first="a"),
    dict(first=-10),
    dict(wrong=3),
    dict(wrong=["a"] * 10),
    dict(wrong=[2**40] * 10),
    dict(bits=[1]),
    dict(error=None),
    dict(error=[[]] * 10),
    dict(seconds="1"),
    dict(seconds=float("inf")),
    dict(lost_packets=[0]),
    dict(link=[1]),
    dict(receiver={}),
    dict(tuned={}),
    dict(tuned=[1]),
]


def test_lines_that_are_no_records_cost_their_own_work_only(tmp_path):
    text = SMALL.replace("[8, 14]", "8").replace("frames = 40", "frames = 10")
    (first,) = run_here(text, tmp_path)
    kept = tmp_path / store.Store.FILE
    records = [json.loads(line) for line in kept.read_text().splitlines()]
    damaged = [dict(one, **other) for one in records[1:] for other in DAMAGE]
    damaged += [dict(records[0], tuned=tuned) for tuned in ([1], dict(nothing=1))]
    lines = [json.dumps(one) for one in damaged]
    lines += ["[1]", "3", "[" * 100_000, '{"link":"a","receiver":"b"}', "9" * 9999]
    kept.write_text("\n".join(lines) + "\n")
    (again,) = run_here(text, tmp_path)
    assert len(kept.read_text().splitlines()) == len(lines) + len(records)
    for name, found in first.items():
        assert np.array_equal(again[name].wrong, found.wrong)


# --- frames ---


def test_integers_and_numbers_are_the_same():
    one = SingleCarrier(amplifier="rapp", backoff_db=4).make_frame(1, 1)
    other = SingleCarrier(amplifier="rapp", backoff_db=4.0).make_frame(1, 1)
    assert np.array_equal(one.received, other.received)


@pytest.mark.parametrize("bits", [1, 3])
def test_a_converter_has_its_levels(bits):
    frame = SingleCarrier(converter_bits=bits, payload=4096).make_frame(1, 1)
    assert len(np.unique(frame.received.real)) == 2**bits


def test_frames_that_are_early_or_late_have_all_their_symbols():
    link = SingleCarrier(
        channel="none", snr_db=300.0, timing_offset=20.0, behind=0, payload=64
    )
    shifts = set()
    for number in range(8):
        frame = link.make_frame(1, number)
        assert frame.received.shape == (1, 64 + 64)
        sent = np.append(frame.pilots[0], link.points()[frame.payload[0]])
        for shift in range(-20, 21):
            here = frame.received[0][max(shift, 0) : 128 + min(shift, 0)]
            wanted = sent[max(-shift, 0) : 128 - max(shift, 0)]
            if np.allclose(here, wanted, atol=1e-4):
                shifts.add(shift)
    assert len(shifts) > 4 and max(map(abs, shifts)) <= 20


def test_frames_do_not_depend_on_the_noise_but_for_its_strength():
    one, other = (SingleCarrier(snr_db=snr).make_frame(3, 7) for snr in (10.0, 30.0))
    assert np.array_equal(one.payload, other.payload)
    assert np.array_equal(one.channel, other.channel)
    sent = SingleCarrier(snr_db=300.0).make_frame(3, 7).received
    ratio = (one.received - sent) / (other.received - sent)
    assert np.allclose(ratio, 10, atol=0.02)
    again = SingleCarrier(snr_db=10.0).make_frame(3, 7)
    assert np.array_equal(one.received, again.received)
    assert not np.array_equal(
        one.payload, SingleCarrier(snr_db=10.0).make_frame(3, 8).payload
    )


@pytest.mark.parametrize(
    "link",
    [
        SingleCarrier(),
        SingleCarrier(amplifier="rapp", modulation="16qam"),
        SingleCarrier(samples_per_symbol=2),
        SingleCarrier(samples_per_symbol=4, amplifier="rapp", delays=(0, 0.3, 1.7)),
        SingleCarrier(channel="ccir_poor", samples_per_symbol=2),
        SingleCarrier(channel="cost207_tu50", symbol_rate=270833.0),
        SingleCarrier(doppler=1e-3, rice_db=6.0),
        SingleCarrier(streams=2, antennas=3),
        Ofdm(streams=2, antennas=2, used=52),
        Ofdm(streams=2, antennas=2, used=52, amplifier="rapp", backoff_db=6.0),
    ],
)
def test_power_and_noise_are_as_said(link):
    """Unit power per antenna without noise, and noise of the variance that the frame tells."""
    quiet = dataclasses.replace(link, snr_db=300.0)
    power, noise, told = [], [], []
    for number in range(60):
        clean, noisy = quiet.make_frame(1, number), link.make_frame(1, number)
        power.append(np.mean(np.abs(clean.received) ** 2))
        noise.append(np.mean(np.abs(noisy.received - clean.received) ** 2))
        told.append(noisy.noise_variance)
    # the first and last pulses of a frame are not whole; fading leaves a spread
    assert np.mean(power) == pytest.approx(1.0, abs=0.15)
    assert np.mean(noise) == pytest.approx(np.mean(told), rel=0.02)
    sps = getattr(link, "samples_per_symbol", 1)
    assert told[0] == pytest.approx(sps * 10 ** (-link.snr_db / 10))


def test_minimum_phase_keeps_the_spectrum():
    taps = np.array([1, -2.5j, 0.7 + 1j, 0.2])
    reflected = minimum_phase(taps)
    np.testing.assert_allclose(
        np.abs(np.fft.fft(reflected, 64)), np.abs(np.fft.fft(taps, 64))
    )
    assert np.abs(np.roots(taps)).max() > 1.1
    assert np.abs(np.roots(reflected)).max() <= 1 + 1e-9
    np.testing.assert_allclose(minimum_phase(reflected), reflected, atol=1e-9)


def test_the_link_s_channels_are_of_minimum_phase():
    link = SingleCarrier(channel="minimum_phase", antennas=2)
    for number in range(3):
        channel = link.make_frame(101, number).channel
        for row in channel[:, 0]:
            assert np.abs(np.roots(row)).max() < 1
            assert np.linalg.norm(row) == pytest.approx(1)
    with pytest.raises(FieldError, match="minimum_phase"):
        SingleCarrier(channel="minimum_phase", doppler=0.01).check()


def test_the_pulse_is_free_of_interference_behind_its_matched_filter():
    places = np.arange(-40 * 8, 40 * 8 + 1) / 8
    pulse = root_raised_cosine(places, 0.35)
    through = np.convolve(pulse, pulse) / 8
    on_time = through[len(pulse) - 1 :: 8]
    assert on_time[0] == pytest.approx(1, abs=1e-3)
    assert np.max(np.abs(on_time[1:30])) < 1e-3


def test_a_pilot_is_on_time():
    """Without a channel, samples at symbol instants are the symbols."""
    link = SingleCarrier(channel="none", snr_db=300.0, before=5)
    frame = link.make_frame(1, 1)
    assert np.allclose(frame.received[0, :64], frame.pilots[0], atol=1e-6)
    payload = frame.received[0, 64 : 64 + link.payload]
    assert np.array_equal(nearest(link.points(), payload), frame.payload[0])


def at_the_receiver(samples, **entries):
    """What an otherwise perfect front end makes of samples."""
    link = SingleCarrier(snr_db=300.0, **entries)
    return front_end(link, samples, 1, np.random.default_rng(1))[0]


@pytest.mark.parametrize("gain_db, phase_deg", [(1.0, 5.0), (0.0, 5.0), (-2.0, 0.0)])
def test_image_of_unequal_mixers(gain_db, phase_deg):
    """Image rejection (Razavi, RF Microelectronics, ch. 4)."""
    places = 2j * np.pi * 10 * np.arange(64) / 64
    found = at_the_receiver(
        np.exp(places)[None], iq_gain_db=gain_db, iq_phase_deg=phase_deg
    )
    lines = np.abs(np.fft.fft(found[0])) ** 2
    gain, turn = 10 ** (gain_db / 20), np.cos(np.deg2rad(phase_deg))
    wanted = (1 - 2 * gain * turn + gain**2) / (1 + 2 * gain * turn + gain**2)
    assert lines[54] / lines[10] == pytest.approx(wanted, rel=1e-4)
    assert lines[[10, 54]].sum() == pytest.approx(lines.sum(), rel=1e-6)


def test_narrow_interference():
    silence = np.zeros((2, 6400))
    tone = dict(interference_db=10.0, interference_width=0.0, interference_at=0.25)
    found = at_the_receiver(silence, **tone)
    np.testing.assert_allclose(np.abs(found) ** 2, 10, rtol=1e-4)
    lines = np.abs(np.fft.fft(found)) ** 2
    assert np.all(lines[:, 1600] > 0.9999 * lines.sum(1))
    found = at_the_receiver(silence, **{**tone, "interference_width": 0.1})
    lines = np.abs(np.fft.fft(found)) ** 2
    assert np.all(lines[:, 1270:1930].sum(1) > 0.999 * lines.sum(1))
    assert np.all(lines[:, 1300:1600].sum(1) > 0.3 * lines.sum(1))
    assert np.mean(np.abs(found) ** 2) == pytest.approx(10, rel=0.15)
    link = Ofdm(interference_db=0.0, interference_width=0.0, used=32, snr_db=300.0)
    rng, places = np.random.default_rng(1), []
    for _ in range(200):
        row = front_end(link, np.zeros((1, 640)), 1, rng)[0][0]
        places.append(np.angle(np.vdot(row[:-1], row[1:])) / (2 * np.pi))
    assert -0.25 < min(places) < -0.22 and 0.22 < max(places) < 0.25


def test_range_of_a_converter():
    noise = np.random.default_rng(1).standard_normal((2, 1, 8192))
    for relative in (1.0, 2.6):
        found = at_the_receiver(
            noise[0] + 1j * noise[1], converter_bits=4, converter_range=relative
        )
        top = relative * np.sqrt(np.mean(noise**2)) * 15 / 16
        assert found.real.max() == pytest.approx(top, rel=1e-5)


@pytest.mark.parametrize("streams", [1, 2])
def test_combs_are_known_and_as_strong_as_a_symbol(streams):
    link = Ofdm(
        streams=streams,
        antennas=2,
        used=48,
        pilots=1,
        payload=13,
        combs=True,
        snr_db=300.0,
        modulation="16qam",
        taps=3,
    )
    frame = link.make_frame(1, 1)
    values, known = frame.pilots.known(14)
    places = link.data_places()
    assert np.array_equal(known, np.broadcast_to(~places, known.shape))
    energies = np.sum(np.abs(values) ** 2, axis=(1, 2))
    np.testing.assert_allclose(energies, 48, rtol=1e-5)
    # where one sends a pilot the other one is silent
    assert np.count_nonzero(values) == 48 // 6 * 4 * streams
    assert np.max(np.count_nonzero(values, axis=0)) == 1
    assert frame.payload.shape == (streams, 14 * 48 - 32 * streams)
    assert link.payload_symbols() == frame.payload.size
    (found,) = KINDS["ofdm_lmmse"](link).receive([frame])
    assert np.array_equal(nearest(link.points(), found), frame.payload)
    with pytest.raises(FieldError, match="combs"):
        dataclasses.replace(link, used=8).check()


def test_stages_of_a_cascade():
    link = Ofdm(streams=2, antennas=2, used=52)
    frames = [link.make_frame(1, 0)]
    later = dict(kind="ofdm_esn", seed=2, window=8, delay=4, input_scaling=0.5)
    one = KINDS["rcnet"](link, stages=[dict(kind="ofdm_esn"), later])
    np.testing.assert_array_equal(
        one.receive(frames), KINDS["rcnet"](link).receive(frames)
    )
    for wrong, words in (
        (dict(kind="fir_esn"), "must be one of"),
        (dict(kind="ofdm_esn", num_taps=3), "has no parameter num_taps"),
        (3, "must be tables"),
    ):
        with pytest.raises(ValueError, match=words):
            KINDS["rcnet"](link, stages=[wrong])


UNCODED = """
frames = 300
seed = 8
[link]
channel = "none"
code = "none"
snr_db = [10, 11]
payload = 500
[[receivers]]
kind = "mlse"
[[limits]]
receiver = "mlse"
figure = "per"
at_most = 0.9
"""


def test_packets_without_a_code_need_all_symbols(tmp_path):
    campaign = parse(UNCODED)
    for point, measured in zip(campaign.points, run_here(UNCODED, tmp_path)):
        found = measured["mlse"]
        exact = 1 - (1 - qpsk(10 ** (point.link.snr_db / 10))) ** 500
        # twice the interval: two comparisons that must both hold
        width = found.per.high - found.per.low
        assert abs(found.per.value - exact) < width
        assert np.array_equal(found.lost_packets > 0, found.wrong > 0)


CODED = f"""
python = ["{ROOT}/campaigns/turbo.py"]
frames = 40
seed = 101
[link]
snr_db = 5
before = 32
code = "cc"
[[receivers]]
name = "behind"
kind = "configured_esn"
[[receivers]]
kind = "soft_decoder"
[[receivers]]
name = "once"
kind = "coded_receiver"
iterations = 0
[[receivers]]
name = "four"
kind = "coded_receiver"
iterations = 4
[[receivers]]
name = "genie"
kind = "turbo_mmse"
"""


def test_what_is_lost_with_more_help_was_lost_with_less(tmp_path):
    (measured,) = run_here(CODED, tmp_path)
    lost = {name: found.lost_packets > 0 for name, found in measured.items()}
    assert 4 <= lost["behind"].sum() <= 20
    assert not np.any(lost["once"] & ~lost["behind"])
    assert not np.any(lost["four"] & ~lost["once"])
    assert lost["soft_decoder"].sum() <= lost["behind"].sum()
    assert lost["genie"].sum() <= lost["four"].sum() <= 2
    # symbols of a packet are all right, and there are none where it is lost
    assert np.array_equal(measured["four"].wrong > 0, lost["four"])


def test_packets_over_all_streams_and_carriers():
    """At so high a signal-to-noise ratio all arrive, at a low one none."""
    for snr_db, arrive in ((30.0, True), (-10.0, False)):
        link = Ofdm(streams=2, antennas=2, used=52, code="cc", snr_db=snr_db)
        frames = [link.make_frame(1, number) for number in range(4)]
        for made in KINDS["ofdm_configured"](link), KINDS["soft_decoder"](link):
            counted = count_errors(link, frames, made.receive(frames))
            assert counted["lost_packets"] == 4 * [int(not arrive)]


def test_every_receiver_decides_an_easy_frame():
    easy = dict(snr_db=30.0, taps=2, decay=0.2, same_pilots=True, pilots=256)
    links = [
        SingleCarrier(**easy, code="cc"),
        SingleCarrier(**dict(easy, taps=1)),
        Ofdm(snr_db=35.0, taps=2, antennas=2, streams=1, used=52, code="cc"),
    ]
    tried = set()
    for link in links:
        frames = [link.make_frame(2, number) for number in range(3)]
        for name, made in KINDS.items():
            if not unsuitable(name, link, {}):
                tried.add(name)
                wrong = 0
                for frame, found in zip(frames, made(link).receive(frames)):
                    assert found.shape == frame.payload.shape, name
                    decided = nearest(link.points(), found)
                    wrong += np.count_nonzero(decided != frame.payload)
                # blind, or by steps, or only some of its filter is trained in so few symbols
                steps = name in ("lms", "nlms", "dfe") or name.endswith("rnn")
                limit = 0.05 if steps else 0.002
                if name != "cma":
                    assert wrong <= limit * 3 * frames[0].payload.size, name
    assert tried == set(KINDS)


# --- closed forms ---


def q(x):
    return 0.5 * erfc(x / np.sqrt(2))


def qpsk(snr):
    return 2 * q(np.sqrt(snr)) - q(np.sqrt(snr)) ** 2


def in_fading(rate, snr):
    return quad(lambda x: rate(snr * x) * np.exp(-x), 0, 60)[0]


CLOSED = """
title = "closed forms"
frames = 300
seed = 8
[link]
snr_db = 7
pilots = 64
payload = 500
[links.awgn]
channel = "none"
modulation = ["bpsk", "qpsk", "16qam"]
[links.flat]
taps = 1
normalize = false
[[receivers]]
kind = "mlse"
[[receivers]]
kind = "mmse_le"
known = true
[[receivers]]
kind = "mmse_dfe"
known = true
[[receivers]]
kind = "fir"
num_taps = 1
delay = 0
regularization = 0.0
"""


def test_rates_agree_with_closed_forms(tmp_path):
    """Proakis, Digital Communications, ch. 5 and 14. fir fits one tap to 64 pilots, which adds
    1/64 of the noise, and is unbiased."""
    snr = 10**0.7
    square = lambda g: 1 - (1 - 1.5 * q(np.sqrt(g / 5))) ** 2
    expected = dict(bpsk=lambda g: q(np.sqrt(2 * g)), qpsk=qpsk, **{"16qam": square})
    campaign = parse(CLOSED)
    for point, measured in zip(campaign.points, run_here(CLOSED, tmp_path)):
        rate = expected[point.link.modulation]
        for name, found in measured.items():
            at = snr / (1 + 1 / 64) if name == "fir" else snr
            exact = rate(at) if point.group == "awgn" else in_fading(rate, at)
            low, high = found.ser.low, found.ser.high
            # four intervals wide on each side: 16 comparisons
            middle, half = found.ser.value, 2 * (high - low) / 2
            assert abs(middle - exact) < half, (point, name, exact, found.ser)


# --- statistics ---


def test_intervals_hold_what_they_promise():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        rates = rng.beta(0.5, 5, 80)  # frames differ
        wrong = rng.binomial(200, rates)
        found = statistics.mean_rate(wrong, 200, 80)
        inside += found.low <= 0.5 / 5.5 <= found.high
    assert 0.9 < inside / 300 < 0.99
    assert statistics.proportion(0, 100).high == pytest.approx(0.037, abs=0.001)
    none = statistics.mean_rate(np.zeros(50, int), 100, 50)
    assert none.value == none.low == 0 and 0 < none.high < 1e-3


def test_many_frames_are_counted_in_groups():
    rng = np.random.default_rng(2)
    wrong = rng.poisson(rng.gamma(0.02, 50, 20_001))
    tally = engine.Tally(lost=25)
    for some in np.array_split(wrong, 401):
        tally.add(dict(wrong=some, bits=some, error=0.5 * some))
    sums = tally.sums()
    assert tally.group == 8 and len(sums["wrong"]) == 2501 <= tally.MOST
    assert np.array_equal(sums["wrong"][:-1], wrong[:20_000].reshape(-1, 8).sum(1))
    assert sums["error"].sum() == 0.5 * wrong.sum()
    assert sums["lost_frames"].sum() == np.sum(wrong > 25)
    hit = sums["hit_frames"].sum()
    assert hit == np.count_nonzero(wrong)
    single = statistics.mean_rate(wrong, 512, len(wrong))
    groups = statistics.mean_rate(sums["wrong"], 512, tally.frames, tally.group, hit)
    assert groups.value == pytest.approx(single.value, rel=1e-12)
    width = (groups.high - groups.low) / (single.high - single.low)
    assert width == pytest.approx(1, abs=0.1)


def test_paired_ratio():
    rng = np.random.default_rng(1)
    theirs = rng.poisson(rng.gamma(1, 20, 100))
    found = statistics.ratio(theirs // 2, theirs)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.5, abs=0.02)
    assert found.high - found.low < 0.02
    assert np.isnan(statistics.ratio([1], [0]).value)
    # one frame tells nothing
    assert statistics.mean_rate([3], 512, 1).high == 1.0
    assert statistics.difference([3], [1], 512).low == -np.inf


def wrong_symbols(link, frame, symbols):
    decided = np.abs(symbols[..., None] - link.points()).argmin(-1)
    return np.sum(decided != frame.payload, axis=1)


def test_maximum_likelihood_of_streams_meets_the_closed_form():
    """A channel that turns its streams only; and of one that mixes them, by the true one and its estimate."""
    link = SingleCarrier(modulation="bpsk", channel="none", streams=2, antennas=2)
    link = dataclasses.replace(link, snr_db=4.0, payload=50_000)
    frame = link.make_frame(1, 1)
    wrong = wrong_symbols(link, frame, KINDS["ml"](link).receive([frame])[0])
    expected = 50_000 * 0.5 * erfc(np.sqrt(10**0.4))
    assert np.all(np.abs(wrong - expected) < 4 * np.sqrt(expected))
    mixing = dataclasses.replace(link, channel="matrix", snr_db=60.0)
    frame = mixing.make_frame(1, 1)
    for known in (True, False):
        symbols = KINDS["ml"](mixing, known=known).receive([frame])[0]
        assert not np.any(wrong_symbols(mixing, frame, symbols))
    tapped = dataclasses.replace(link, channel="rayleigh", taps=2)
    assert "one tap" in unsuitable("ml", tapped, {})


def test_channels_of_periods_fade():
    taps = dict(channel="periodic", impulse_response=(1, 0.5), normalize=False)
    long = SingleCarrier(**taps, periods=(100, 60), shortening=2.0)
    for number, periods in ((0, (100, 60)), (10, (80, 40)), (45, (20, 20))):
        expected = [1, 0.5] * (
            0.8 + 0.2 * np.cos(2 * np.pi * number / np.array(periods))
        )
        assert long.make_frame(1, number).channel[0, 0] == pytest.approx(expected)
    streams = dict(channel="matrix", streams=2, antennas=2)
    moved = SingleCarrier(**streams, periods=(4, 8)).make_frame(1, 2).channel[..., 0]
    still = SingleCarrier(**streams).make_frame(1, 2).channel[..., 0]
    assert moved == pytest.approx(still * [0.6, 0.8])
    for wrong in (dict(streams, periods=(3,)), dict(streams, shortening=1.0)):
        with pytest.raises(FieldError, match="periods"):
            SingleCarrier(**wrong).check()
