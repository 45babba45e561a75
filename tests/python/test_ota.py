#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Over the air without a radio: the two programs, recordings, rtl_tcp, simulated air."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir
from gnuradio.reservoir.ota.detectors import follows_phase, make_detector
from gnuradio.reservoir.ota.devices import set_up_usrp
from gnuradio.reservoir.ota.program import Unusable, exit_code
from gnuradio.reservoir.ota.receiver import overflow_counter, receiver
from gnuradio.reservoir.ota.recordings import file_source
from gnuradio.reservoir.ota.transmitter import feed
from bursts import burst, receive, symbol_errors
from link_helpers import assert_rejects
from rtl_tcp_server import (
    SET_FREQUENCY,
    SET_GAIN,
    SET_RATE,
    eight_bits,
    rtl_tcp_server,
    through_rtl_tcp,
)

APPS = Path(__file__).resolve().parents[2] / "apps"
TEXT = b"".join(b"line %d of a text that is to arrive\n" % n for n in range(120))
STATISTICS = re.compile(
    r"\d+ s  sent (?P<sent>\S+)  found (?P<found>\d+)  decoded (?P<decoded>\d+)"
    r"  no sync (?P<no_sync>\d+)  no CRC (?P<no_crc>\d+)  overrun (?P<overrun>\d+)"
    r"  dropped (?P<dropped>\d+)  PER (?P<per>\S+)  SNR (?P<snr>\S+) dB"
    r"  CFO (?P<cfo>\S+) Hz  EVM (?P<evm>\S+) dB"
)


def call(program, *options, timeout=60):
    """A program's result."""
    return subprocess.run(
        [sys.executable, str(APPS / program), *map(str, options)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )


def refusal(monkeypatch, capsys, program, *options):
    """The last line that a program writes before it gives up with exit code 2, in this process."""
    monkeypatch.setattr(sys, "argv", [program, *map(str, options)])
    try:
        code = exit_code(load(program).main)
    except SystemExit as end:  # argparse
        code = end.code
    assert code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def load(name):
    """A program as a module."""
    loader = SourceFileLoader(name, str(APPS / name))
    module = ModuleType(name)
    loader.exec_module(module)
    return module


@contextlib.contextmanager
def started(*options):
    """reservoir_receive in a process of its own, which ends with the test in any case."""
    process = subprocess.Popen(
        [sys.executable, str(APPS / "reservoir_receive"), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def last_line(result):
    lines = result.stderr.decode().strip().splitlines()
    return lines[-1] if lines else ""


def received(*options):
    """What reservoir_receive says at its end."""
    return statistics(last_line(call("reservoir_receive", *options)))


def statistics(line):
    """What the last line says, by name; every frame that was found is accounted for."""
    told = {
        name: float("nan" if value == "-" else value)
        for name, value in STATISTICS.search(line).groupdict().items()
    }
    became = ("decoded", "no_crc", "overrun", "dropped")
    assert told["found"] == sum(told[name] for name in became)
    return told


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(TEXT)
    return path


@pytest.fixture(scope="module")
def recording(text):
    """What a simulated channel makes of the text at 25 dB, on one path."""
    path = text.with_name("air.sigmf-meta")
    options = ["--sink", "sim", "--record", path, "--text", text]
    result = call("reservoir_transmit", *options, "--snr", 25, "--taps", 1)
    assert result.returncode == 0, result.stderr
    return path


def test_text_arrives_unharmed_and_a_replay_is_the_same(text, tmp_path):
    meta, output = tmp_path / "out.sigmf-meta", tmp_path / "text.txt"
    options = ["--text", text, "--snr", 20, "--ppm", 20, "--bits", 8]
    options += ["--source", "sim", "--output", output, "--record", meta]
    result = call("reservoir_receive", *options)
    assert result.returncode == 0, result.stderr
    assert output.read_bytes() == TEXT
    told = statistics(last_line(result))
    assert told["sent"] == told["found"] == told["decoded"] == -(-len(TEXT) // 120)
    assert told["per"] == 0 and abs(told["cfo"] - 0.01 * 2.048e6) < 200

    content = json.loads(meta.read_text())
    assert content["global"]["core:datatype"] == "cf32_le"
    assert content["global"]["core:sample_rate"] == 2.048e6
    assert content["captures"][0]["core:frequency"] == 433.92e6
    result = call("reservoir_receive", "--source", "file", "--input", meta)
    assert result.returncode == 0, result.stderr
    assert result.stdout == TEXT
    again = statistics(last_line(result))
    assert all(
        again[name] == told[name] for name in ("sent", "found", "decoded", "per")
    )


@pytest.mark.parametrize("detector", ["fir", "esn"])
@pytest.mark.parametrize("code", ["none", "cc", "ldpc:n_0300_k_0152_gap_03"])
def test_detectors_and_codes(code, detector, tmp_path):
    meta = tmp_path / "air.sigmf-meta"
    sent = ["--packets", 12, "--code", code, "--snr", 25, "--taps", 1]
    assert call("reservoir_transmit", "--record", meta, *sent).returncode == 0
    options = ["--source", "file", "--input", meta, "--detector", detector]
    result = call("reservoir_receive", *options, "--code", code)
    lines = result.stdout.split(b"\n")
    fox = b"packet %d: the quick brown fox jumps over the lazy dog"
    if code != "none":
        # lines are cut at the capacity
        assert statistics(last_line(result))["decoded"] == 12
    else:
        assert lines == [fox % n for n in range(12)] + [b""]


def test_a_new_kind_of_detector_is_offered(monkeypatch):
    class toy:
        def __init__(self, **given):
            self.given = given

        @staticmethod
        def parameters():
            return [{"name": "constellation"}, {"name": "window"}, {"name": "order"}]

    kinds = {**reservoir.detectors(), "toy": toy}
    monkeypatch.setattr(reservoir, "detectors", lambda: kinds)
    arguments = load("reservoir_receive").parse(["--detector", "toy", "--window", "9"])
    made = make_detector(arguments.detector, "points", arguments.window)
    assert made.given == {"constellation": "points", "window": 9}
    assert not follows_phase("toy") and follows_phase("configured_esn")


def test_front_end_and_receiver_apart(tmp_path):
    pytest.importorskip("gnuradio.zeromq", reason="gr-zeromq is not installed")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    output = tmp_path / "text"
    options = ["--device", address, "--rate", "100e3"]
    with started("--source", "zmq", *options, "--output", str(output)) as receiver:
        sender = subprocess.Popen(
            [
                sys.executable,
                APPS / "reservoir_transmit",
                "--sink",
                "zmq",
                *options,
                "--packets",
                "0",
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + 40
            while time.monotonic() < until and not (
                output.exists() and b"the lazy dog" in output.read_bytes()
            ):
                assert receiver.poll() is None and sender.poll() is None
                time.sleep(0.2)
            taken = call("reservoir_transmit", "--sink", "zmq", *options)
        finally:
            sender.kill()
            sender.wait()
    assert b"the quick brown fox jumps over the lazy dog" in output.read_bytes()
    assert taken.returncode == 2 and "no free ZeroMQ address" in last_line(taken)


def test_phase_loop_follows_phase_noise():
    air = ["--packets", 150, "--taps", 1, "--snr", 15, "--phase-noise", 0.02]
    arrived = [
        received(*air, "--detector", "fir", "--loop-bandwidth", bandwidth)["decoded"]
        / 150
        for bandwidth in (0, 0.01)
    ]
    assert (
        arrived[0] < 0.9
    )  # packets that arrive: .80 without and .98 with the loop, over 600
    assert arrived[1] > 0.95


def test_clean_file_of_a_transmitter(text, tmp_path):
    meta = tmp_path / "clean.sigmf-meta"
    result = call(
        "reservoir_transmit", "--sink", "file", "--record", meta, "--text", text
    )
    assert result.returncode == 0
    assert call("reservoir_receive", "--source", "file", "--input", meta).stdout == TEXT


def test_text_from_a_pipe(tmp_path):
    meta, pipe = tmp_path / "piped.sigmf-meta", tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[TEXT], daemon=True)
    writer.start()
    options = ["--sink", "file", "--record", meta, "--text", pipe]
    result = call("reservoir_transmit", *options, timeout=30)
    assert result.returncode == 0, result.stderr
    assert call("reservoir_receive", "--input", meta).stdout == TEXT


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_data_that_breaks_off_ends_the_stream():
    def breaks():
        yield b"one"
        raise OSError("the disk is gone")

    ended = threading.Event()
    encoder = SimpleNamespace(send=lambda *_, **__: None, finish=ended.set)
    feed(encoder, breaks(), threading.Event())
    assert ended.wait(10)


def converted(recording, folder, data_type):
    """The recording with other items; its metadata's path."""
    samples = np.fromfile(recording.with_suffix(".sigmf-data"), np.complex64)
    parts = samples.view(np.float32) / 4
    data = {
        "cu8": lambda: eight_bits(samples),
        "ci8": lambda: np.rint(127 * parts).clip(-128, 127).astype(np.int8),
        "ci16_le": lambda: np.rint(32767 * parts).clip(-32768, 32767).astype("<i2"),
    }[data_type]()
    path = folder / "other.sigmf-meta"
    content = json.loads(recording.read_text())
    content["global"]["core:datatype"] = data_type
    path.write_text(json.dumps(content))
    data.tofile(path.with_suffix(".sigmf-data"))
    return path


@pytest.mark.parametrize("data_type", ["cu8", "ci8", "ci16_le"])
def test_recordings_of_integers(recording, tmp_path, data_type):
    path = converted(recording, tmp_path, data_type)
    options = ["--source", "file", "--input", path, "--detector", "fir"]
    assert call("reservoir_receive", *options).stdout == TEXT


def test_bare_samples(recording):
    options = ["--source", "file", "--input", recording.with_suffix(".sigmf-data")]
    assert call("reservoir_receive", *options, "--detector", "fir").stdout == TEXT


MISSING = [
    ("reservoir_receive", "--source", "usrp", "USRP", "gnuradio.uhd"),
    ("reservoir_receive", "--source", "rtlsdr", "RTL-SDR", "gnuradio.soapy"),
    (
        "reservoir_receive",
        "--source",
        "rtl_tcp",
        "rtl_tcp server at 127.0.0.1:9",
        "osmosdr",
    ),
    ("reservoir_receive", "--source", "pluto", "Pluto", "gnuradio.iio"),
    ("reservoir_transmit", "--sink", "usrp", "USRP", "gnuradio.uhd"),
    ("reservoir_transmit", "--sink", "pluto", "Pluto", "gnuradio.iio"),
]
ZMQ = [
    ("reservoir_receive", "--source", "zmq", "", "gnuradio.zeromq"),
    ("reservoir_transmit", "--sink", "zmq", "", "gnuradio.zeromq"),
]


@pytest.mark.parametrize("program, option, device, name, module", MISSING)
def test_missing_device_is_one_sentence(program, option, device, name, module):
    pytest.importorskip(module, reason=f"{module} is not installed")
    address = "127.0.0.1:9" if device == "rtl_tcp" else ""
    result = call(program, option, device, "--device", address)
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr and not result.stdout
    line = last_line(result)
    assert line.startswith(f"{program}: no {name} found (")
    assert f"go on without it with {option} sim or {option} file" in line


@pytest.mark.parametrize("program, option, device, name, module", MISSING + ZMQ)
def test_missing_module_is_one_sentence(
    program, option, device, name, module, monkeypatch, capsys, tmp_path
):
    for missing in (module, "osmosdr"):
        monkeypatch.setitem(sys.modules, missing, None)
    output = ["--output", tmp_path / "out"] if program == "reservoir_receive" else []
    line = refusal(monkeypatch, capsys, program, option, device, *output)
    assert re.search(r"the Python module \S+ is not installed \(package gr-\w+\)", line)
    assert f"go on without it with {option} sim or {option} file" in line


def test_turbo_brings_packets_that_noise_takes():
    air = ["--packets", 200, "--code", "cc", "--snr", 5]
    behind = received(*air)["decoded"]
    turbo = received(*air, "--turbo")["decoded"]
    assert turbo >= behind + 20
    assert received(*air, "--turbo", "2", "--workers", "2")["decoded"] == turbo


def test_turbo_with_an_ldpc_code():
    air = ["--packets", 60, "--code", "ldpc:n_0300_k_0152_gap_03", "--snr", 6]
    behind = received(*air)["decoded"]
    assert received(*air, "--turbo")["decoded"] >= behind + 4


@pytest.mark.parametrize(
    "program, options, words",
    [
        ("reservoir_receive", ["--turbo"], "give --code cc"),
        ("reservoir_receive", ["--turbo", "33", "--code", "cc"], "--turbo: 33"),
        (
            "reservoir_receive",
            ["--code", "turbo"],
            "turbo must be none, cc or ldpc:FILE",
        ),
        ("reservoir_receive", ["--code", "ldpc:x"], "there is no file 'x'"),
        (
            "reservoir_transmit",
            ["--code", "ldpc:x", "--record", "x.sigmf-meta"],
            "there is no file 'x'",
        ),
        (
            "reservoir_receive",
            ["--turbo", "--code", "cc", "--detector", "fir"],
            "give --detector configured_esn",
        ),
        (
            "reservoir_receive",
            ["--snr", "1000"],
            "--snr: 1000 must be a number within -20 ... 100",
        ),
        (
            "reservoir_receive",
            ["--rate", "x"],
            "--rate: x must be a number within 1000 ... 1e+09",
        ),
        (
            "reservoir_receive",
            ["--pilots", "2"],
            "--pilots: 2 must be a whole number within 16 ... 4096",
        ),
        (
            "reservoir_receive",
            ["--pilots", "16.5"],
            "--pilots: 16.5 must be a whole number within 16 ... 4096",
        ),
        ("reservoir_receive", ["--detector", "magic"], "configured_esn"),
        ("reservoir_receive", ["--source", "file"], "add --input FILE"),
        ("reservoir_receive", ["--input", "none.cf32"], "cannot read none.cf32"),
        (
            "reservoir_receive",
            ["--source", "sim", "--input", "x"],
            "--input x is for --source file, not sim: leave one of them out",
        ),
        (
            "reservoir_receive",
            ["--source", "file", "--input", "none.cf32"],
            "no such file",
        ),
        (
            "reservoir_receive",
            ["--source", "file", "--input", "none.sigmf-meta"],
            "cannot read",
        ),
        (
            "reservoir_receive",
            ["--text", "none.txt"],
            "cannot read --text 'none.txt': No such file",
        ),
        ("reservoir_receive", ["--text", ""], "cannot read --text '': No such file"),
        (
            "reservoir_transmit",
            ["--record", "/none/x", "--text", ""],
            "cannot read --text '': No such file",
        ),
        ("reservoir_receive", ["--output", "/none/x"], "cannot write /none/x"),
        ("reservoir_receive", ["--record", "/none/x"], "cannot write /none/x"),
        (
            "reservoir_receive",
            ["--payload", "64", "--modulation", "bpsk"],
            "payload_len = 64",
        ),
        (
            "reservoir_receive",
            ["--source", "rtlsdr", "--rate", "5e6"],
            "225001 ... 300000",
        ),
        (
            "reservoir_receive",
            ["--source", "rtl_tcp", "--frequency", "3e9"],
            "1.766e+09 Hz",
        ),
        ("reservoir_receive", ["--source", "rtlsdr", "--gain", "90"], "0 ... 49.6 dB"),
        ("reservoir_receive", ["--source", "pluto", "--rate", "1e5"], "520834"),
        ("reservoir_transmit", ["--sink", "file"], "add --record"),
        ("reservoir_transmit", ["--sink", "pluto", "--frequency", "1e7"], "7e+07"),
    ],
)
def test_wrong_arguments_are_told_plainly(
    program, options, words, monkeypatch, capsys, tmp_path
):
    if program == "reservoir_receive" and "--output" not in options:
        options = [*options, "--output", tmp_path / "out"]
    assert words in refusal(monkeypatch, capsys, program, *options)


@pytest.mark.parametrize(
    "program, option, name",
    [
        ("reservoir_receive", "--record", "air.sigmf-meta"),
        ("reservoir_receive", "--record", "linked"),
        ("reservoir_receive", "--output", "air.sigmf-meta"),
        ("reservoir_receive", "--output", "linked.sigmf-data"),
        ("reservoir_transmit", "--record", "linked"),
    ],
)
def test_what_is_read_is_not_overwritten(program, option, name, tmp_path):
    meta, data = tmp_path / "air.sigmf-meta", tmp_path / "air.sigmf-data"
    meta.write_text(json.dumps({"global": {"core:datatype": "cf32_le"}}))
    data.write_bytes(bytes(8000))
    (tmp_path / "linked.sigmf-data").symlink_to(data)
    read = {
        "reservoir_receive": ["--source", "file", "--input", meta],
        "reservoir_transmit": ["--text", data],
    }[program]
    result = call(program, *read, option, tmp_path / name)
    assert result.returncode == 2
    line = last_line(result)
    assert f"{option} {tmp_path / name} would overwrite what {read[-2]} reads" in line
    assert f"give {option} another name" in line
    assert data.read_bytes() == bytes(8000) and "cf32_le" in meta.read_text()


@pytest.mark.parametrize(
    "options",
    [
        ["--code", "ldpc:x", "--output", "{0}/out", "--record", "{0}/kept"],
        ["--output", "{0}/out", "--record", "/none/x"],
        ["--output", "/none/x", "--record", "{0}/kept"],
    ],
)
def test_a_refused_command_empties_no_file(options, monkeypatch, capsys, tmp_path):
    files = [tmp_path / name for name in ("out", "kept.sigmf-meta", "kept.sigmf-data")]
    for file in files:
        file.write_bytes(b"precious")
    options = [option.format(tmp_path) for option in options]
    refusal(monkeypatch, capsys, "reservoir_receive", *options)
    assert [file.read_bytes() for file in files] == 3 * [b"precious"]


def test_output_replaces_what_a_file_held(text, tmp_path):
    output = tmp_path / "text.txt"
    output.write_bytes(bytes(100000))
    options = ["--detector", "fir", "--snr", 40, "--taps", 1, "--output", output]
    assert call("reservoir_receive", "--text", text, *options).returncode == 0
    assert output.read_bytes() == TEXT


@pytest.mark.parametrize("window", ["--no-gui", "--gui"])
def test_a_full_disk_ends_in_one_sentence(window):
    if window == "--gui":
        pytest.importorskip("PyQt5")
        pytest.importorskip("pyqtgraph")
    options = ["--packets", "0", "--detector", "fir", "--taps", "1", window]
    with started(*options, "--output", "/dev/full") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2 and b"Traceback" not in errors
    said = b"reservoir_receive: cannot write /dev/full: No space left on device"
    assert errors.splitlines()[-1] == said and errors.count(said) == 1


@pytest.mark.parametrize(
    "content, words",
    [
        ("{", "no SigMF metadata"),
        ("[]", "no SigMF metadata"),
        ('{"global": {}}', "no SigMF metadata"),
        ('{"global": {"core:datatype": "rf64_be"}}', "rf64_be"),
        ('{"global": {"core:datatype": "cf32_le"}}', "no such file"),
    ],
)
def test_broken_metadata_is_told_plainly(tmp_path, content, words):
    path = tmp_path / "bad.sigmf-meta"
    path.write_text(content)
    options = ["--source", "file", "--input", str(path)]
    arguments = load("reservoir_receive").parse(options)
    with pytest.raises(Unusable, match=words):
        file_source(arguments)


@pytest.mark.parametrize("window", ["--no-gui", "--gui"])
def test_interrupt_ends_cleanly(window):
    if window == "--gui":
        pytest.importorskip("PyQt5")  # before pyqtgraph, which takes what is loaded
        pytest.importorskip("pyqtgraph")
    options = ["--packets", "0", "--detector", "fir", "--snr", "40", window]
    with started(*options) as process:
        assert process.stdout.readline().startswith(b"packet ")
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        _, errors = process.communicate(timeout=20)
    assert time.monotonic() - begin < 10
    assert process.returncode == 0, errors
    assert b"Traceback" not in errors
    assert STATISTICS.search(errors.decode().splitlines()[-1])


@pytest.mark.parametrize("program", ["reservoir_receive", "reservoir_transmit"])
def test_interrupt_while_modules_load_says_nothing(program, tmp_path):
    interrupt = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    (tmp_path / "gnuradio.py").write_text(interrupt)
    result = subprocess.run(
        [sys.executable, APPS / program],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert result.returncode == -signal.SIGINT and not result.stderr


def test_interrupt_before_the_start_says_nothing(monkeypatch, capsys, tmp_path):
    def interrupt(*_):
        os.kill(os.getpid(), signal.SIGINT)

    program = load("reservoir_receive")
    monkeypatch.setattr(sys, "argv", ["reservoir_receive", "--output", str(tmp_path)])
    monkeypatch.setattr(program, "receiver_flowgraph", interrupt)
    assert exit_code(program.main) == 128 + signal.SIGINT
    assert not capsys.readouterr().err


@pytest.mark.parametrize("window", ["--no-gui", "--gui"])
def test_interrupt_at_the_start_is_not_lost(window):
    if window == "--gui":
        pytest.importorskip("PyQt5")
        pytest.importorskip("pyqtgraph")
    code = """
import os, runpy, signal, sys
from gnuradio import gr

def start(top):
    begin(top)
    os.kill(os.getpid(), signal.SIGINT)

begin, gr.top_block.start = gr.top_block.start, start
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    options = ["--packets", "0", "--detector", "fir", "--taps", "1", window]
    result = subprocess.run(
        [sys.executable, "-c", code, APPS / "reservoir_receive", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    assert result.returncode == 0 and b"Traceback" not in result.stderr


def test_a_reader_that_goes_away():
    with started("--packets", "100", "--detector", "fir", "--taps", "1") as process:
        assert process.stdout.readline().startswith(b"packet 0")
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert b"Traceback" not in process.stderr.read()


def test_a_slow_receiver_drops_whole_frames(tmp_path):
    meta = tmp_path / "air.sigmf-meta"
    bursts = ["--payload", 4096]  # of which 121 may wait
    sent = ["--record", meta, "--packets", 400, "--snr", 30, "--taps", 1]
    assert call("reservoir_transmit", *sent, *bursts).returncode == 0
    options = ["--source", "file", "--input", meta, "--live", "--rate", "2.048e6"]
    # what waits at the end is received yet, which takes minutes where memory is checked
    result = call(
        "reservoir_receive", *options, *bursts, "--detector", "rnn", timeout=600
    )
    told = statistics(last_line(result))
    assert told["found"] == 400 and told["dropped"] > 100
    assert told["no_crc"] == 0  # what was not dropped is whole
    for line in result.stdout.splitlines():
        assert re.fullmatch(rb"packet \d+: the quick brown fox .* lazy dog", line)


def test_every_frame_is_accounted_for(tmp_path):
    """Of 40 bursts one is drowned, one's payload is, one lacks samples that a radio has lost."""
    meta = tmp_path / "air.sigmf-meta"
    sent = ["--record", meta, "--packets", 40, "--snr", 30, "--taps", 1]
    assert call("reservoir_transmit", *sent).returncode == 0
    samples = np.fromfile(meta.with_suffix(".sigmf-data"), np.complex64)
    burst_len, lead = 2 * (124 + 64 + 512 + 80), 16
    rng = np.random.default_rng(1)

    def drown(first, last):
        samples[first:last] = 3 * (rng.standard_normal((last - first, 2)) @ [1, 1j])

    drown(10 * burst_len, 11 * burst_len)
    drown(20 * burst_len + lead + 2 * 300, 20 * burst_len + lead + 2 * 500)
    cut = 30 * burst_len + lead + 2 * 400
    samples = np.delete(samples, np.arange(cut, cut + 100))
    tags = []
    for offset in (0, cut):
        tag = gr.tag_t()
        tag.offset, tag.key, tag.value = offset, pmt.intern("rx_time"), pmt.PMT_T
        tags.append(tag)
    arguments = load("reservoir_receive").parse(["--detector", "fir"])
    source = blocks.vector_source_c(samples.tolist(), False, 1, tags)
    top, whole = gr.top_block(), receiver(arguments, live=False)
    top.connect(source, whole)
    top.run()
    assert whole.account() == {
        **{"sent": 40, "found": 39, "decoded": 37},
        **{"no sync": 1, "no CRC": 1, "overrun": 1, "dropped": 0},
    }


def test_a_recording_at_its_own_pace(recording):
    options = ["--source", "file", "--input", recording, "--live", "--detector", "fir"]
    begin = time.monotonic()
    result = call("reservoir_receive", *options)
    assert result.returncode == 0
    assert statistics(last_line(result))["found"] == -(-len(TEXT) // 120)
    assert time.monotonic() - begin < 20


class fake_usrp:
    """What set_up_usrp asks of a USRP: 0.2 ... 10 MS/s from a clock of 20 MHz."""

    def __init__(self, uhd):
        self._uhd, self.settings = uhd, {}

    def __getattr__(self, name):
        ranges = {
            "get_samp_rates": (2e5, 1e7),
            "get_gain_range": (0, 76),
            "get_freq_range": (7e7, 6e9),
        }
        if name in ranges:
            return lambda: self._uhd.meta_range_t(*ranges[name], 0)
        return lambda value: self.settings.update({name: value})

    def get_samp_rate(self):
        return 2e7 / round(2e7 / self.settings["set_samp_rate"])

    def get_antennas(self):
        return ["TX/RX", "RX2"]


@pytest.mark.parametrize(
    "options, words",
    [
        (["--rate", "2e7"], "--rate 2e\\+07: this USRP does 200000 ... 1e\\+07 S/s"),
        (["--rate", "3e6"], "--rate 3e\\+06: this USRP offers 2.85714e\\+06 S/s"),
        (["--frequency", "1e6"], "--frequency 1e\\+06: this USRP does 7e\\+07 ... 6e"),
        (["--gain", "80"], "--gain 80: this USRP does 0 ... 76 dB"),
        (["--antenna", "B"], "--antenna B: this USRP has TX/RX, RX2"),
        ([], None),
    ],
)
def test_usrp_is_asked_what_it_can(options, words):
    uhd = pytest.importorskip("gnuradio.uhd")
    device = fake_usrp(uhd)
    arguments = load("reservoir_receive").parse(["--rate", "2e6", *options])
    if words:
        with pytest.raises(Unusable, match=words):
            set_up_usrp(device, arguments)
        return
    set_up_usrp(device, arguments)
    assert device.settings == {
        "set_samp_rate": 2e6,
        "set_center_freq": 433.92e6,
        "set_gain": 38.0,
    }


def test_overflows_are_counted():
    tags = []
    for offset in (0, 500, 4000, 4001):
        tag = gr.tag_t()
        tag.offset, tag.key, tag.value = offset, pmt.intern("rx_time"), pmt.PMT_T
        tags.append(tag)
    source = blocks.vector_source_c([0] * 5000, False, 1, tags)
    counter = overflow_counter()
    top = gr.top_block()
    top.connect(source, counter)
    top.run()
    assert counter.overflows() == 3  # the first is the stream's beginning


def test_rtl_tcp(recording):
    pytest.importorskip("osmosdr", reason="gr-osmosdr is not installed")
    samples = np.fromfile(recording.with_suffix(".sigmf-data"), np.complex64)
    server = rtl_tcp_server(np.concatenate((np.zeros(125000, np.complex64), samples)))
    options = ["--source", "rtl_tcp", "--device", f"127.0.0.1:{server.port}"]
    options += ["--rate", "250e3", "--frequency", "868e6", "--gain", "20"]
    with started(*options, "--detector", "fir") as process:
        stopping = threading.Timer(20.0, process.send_signal, [signal.SIGINT])
        stopping.start()
        output = process.stdout.read(len(TEXT))
        stopping.cancel()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    server.close()
    assert output == TEXT, errors
    assert process.returncode == 0 and b"Traceback" not in errors
    assert server.value(SET_RATE) == 250000
    assert abs(server.value(SET_FREQUENCY) - 868e6) < 1e6
    assert abs(server.value(SET_GAIN) - 200) < 20  # tenths of a dB
    told = statistics(errors.decode().splitlines()[-1])
    assert told["found"] == told["decoded"] == -(-len(TEXT) // 120)


def test_rtl_tcp_server_that_goes_away():
    pytest.importorskip("osmosdr", reason="gr-osmosdr is not installed")
    server = rtl_tcp_server(np.zeros(100, np.complex64))
    address = f"127.0.0.1:{server.port}"
    options = ["--source", "rtl_tcp", "--device", address, "--rate", "250e3"]
    with started(*options) as process:
        for _ in range(100):
            if server.value(SET_RATE):
                break
            time.sleep(0.1)
        server.close()
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0 and b"Traceback" not in errors


def test_bytes_over_rtl_tcp_cost_no_symbols():
    """40 bursts at 10 dB; with 5 bits instead of 8 the configured ESN makes 116 errors for 77."""
    pytest.importorskip("osmosdr", reason="gr-osmosdr is not installed")
    rng = np.random.default_rng(1)
    made = [burst(rng, 10.0) for _ in range(40)]
    samples = np.concatenate([one[0] for one in made])
    received = through_rtl_tcp(samples)
    for detector in ("configured_esn", "fir"):
        exact = symbol_errors(receive(detector, samples), made).sum()
        bytewise = symbol_errors(receive(detector, received), made).sum()
        # of 20 seeds the worst was 9 errors above 1.1 times, by chance
        assert 0 < bytewise <= 1.1 * exact + 10


# ---------------------------------------------------------------------- simulated air


def through_air(samples, tags=(), **arguments):
    source = blocks.vector_source_c(np.asarray(samples).tolist(), False, 1, list(tags))
    air, sink = reservoir.simulated_air(**arguments), blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(source, air, sink)
    top.run()
    return np.array(sink.data(), np.complex64)


TONE = np.exp(2j * np.pi * 0.03 * np.arange(20000)).astype(np.complex64)
QUIET = {"snr_db": 300.0}


def test_air_without_faults_is_identity():
    assert np.allclose(through_air(TONE, **QUIET), TONE, atol=1e-6)


def test_air_faults_are_what_they_say():
    shifted = through_air(TONE, frequency_offset=-0.01, **QUIET)
    assert np.allclose(
        np.diff(np.unwrap(np.angle(shifted))), 2 * np.pi * 0.02, atol=1e-3
    )
    offset = through_air(TONE, dc_offset=0.3 - 0.1j, **QUIET)
    assert np.allclose(offset - TONE, 0.3 - 0.1j, atol=1e-5)
    noisy = through_air(TONE, snr_db=10.0)
    assert np.isclose(np.mean(np.abs(noisy - TONE) ** 2), 0.1, rtol=0.05)
    clipped = through_air(2 * TONE, bits=4, full_scale=1.0, **QUIET)
    steps = np.unique(np.concatenate((clipped.real, clipped.imag)))
    assert np.allclose(steps * 8, np.rint(steps * 8)) and len(steps) == 16
    wobbled = through_air(TONE, phase_noise=0.05, **QUIET)
    phase = np.angle(wobbled / TONE)
    assert np.isclose(np.std(phase), 0.05, rtol=0.2)
    unequal = through_air(TONE, iq_amplitude_db=6.0, **QUIET)
    ratio = np.std(unequal.real) / np.std(unequal.imag)
    assert np.isclose(20 * np.log10(ratio), 6.0, atol=0.01)
    fast = through_air(TONE, clock_offset_ppm=500.0, **QUIET)
    assert abs(len(fast) - 20010) <= 16
    steps = np.diff(np.unwrap(np.angle(fast[20:-20])))
    assert np.isclose(np.mean(steps), 2 * np.pi * 0.03 / 1.0005, rtol=2e-5)


def test_air_is_repeatable():
    arguments = dict(
        snr_db=10.0, power_delay_profile=[0.6, 0.4], phase_noise=0.1, seed=7
    )
    first, again = through_air(TONE, **arguments), through_air(TONE, **arguments)
    assert np.allclose(first, again, atol=1e-5)
    arguments["seed"] = 8
    assert not np.allclose(first, through_air(TONE, **arguments), atol=0.1)


@pytest.mark.parametrize(
    "name, value",
    [
        ("snr_db", 301.0),
        ("clock_offset_ppm", 1001.0),
        ("phase_noise", -0.1),
        ("iq_amplitude_db", 11.0),
        ("iq_phase", 46.0),
        ("dc_offset", 10.5),
        ("bits", 17),
        ("bits", 2.5),
        ("full_scale", 0.0),
        ("seed", -1),
    ],
)
def test_air_arguments_out_of_range(name, value):
    assert_rejects(reservoir.simulated_air, {name: value}, name, value)


def test_link_with_every_fault():
    """Es/N0 = 20 dB, six paths, and all that is wrong with a cheap front end: all arrive."""
    points = digital.constellation_qpsk().base()
    pilots = reservoir.random_pilots(points, 64)
    encoder = reservoir.packet_encoder(points, pilots, max_queue=40)
    sent = [b"packet %d" % n for n in range(40)]
    for data in sent:
        encoder.send(data)
    encoder.finish()
    profile = np.zeros(11)
    profile[::2] = reservoir.exponential_profile(6, 2.0)
    air = reservoir.simulated_air(
        snr_db=17.0,
        power_delay_profile=profile,
        frequency_offset=-0.03,
        clock_offset_ppm=-40.0,
        phase_noise=0.02,
        iq_amplitude_db=0.3,
        iq_phase=2.0,
        dc_offset=0.02,
        bits=8,
    )
    equalizer = reservoir.equalizer(
        reservoir.configured_esn(constellation=points),
        2,
        pilots,
        "training_start",
        payload_len=512,
    )
    decoder = reservoir.packet_decoder(points, 64)
    store = blocks.message_debug()
    top = gr.top_block()
    top.connect(
        encoder,
        reservoir.pulse_shaper(2),
        air,
        reservoir.frame_sync(),
        equalizer,
        decoder,
    )
    top.msg_connect(decoder, "pdus", store, "store")
    top.run()
    got = [
        bytes(pmt.u8vector_elements(pmt.cdr(store.get_message(n))))
        for n in range(store.num_messages())
    ]
    assert got == sent
    assert decoder.packet_error_rate() == 0
