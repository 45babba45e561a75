#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The examples: every .grc compiles and runs, every script prints a sane result; --help of the
programs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FLOWGRAPHS = sorted((ROOT / "examples").rglob("*.grc"))
# programs, not what gnuradio-companion generates; and those that are installed
SCRIPTS = [
    path
    for path in sorted((ROOT / "examples").rglob("*.py"))
    if "_gui" not in path.name and '__name__ == "__main__"' in path.read_text()
] + sorted((ROOT / "apps").glob("reservoir_*"))
each_flowgraph = pytest.mark.parametrize("path", FLOWGRAPHS, ids=lambda path: path.stem)
RUN_SECONDS = 3
DEVICES = re.compile(r"from gnuradio import (uhd|soapy|iio)\b")

# The generated program's own main(), closed from inside after some seconds of running. Its blocks go
# before its window: the destructor of GNU Radio's graphical sinks asks a widget that went with the
# window whether it is closed, which now and then crashes (GNU Radio issue 7050, mended in later
# versions; with flowgraphs of stock blocks, too).
RUN_AND_CLOSE = """
import importlib, sys
from PyQt5 import Qt
name, seconds = sys.argv[1], float(sys.argv[2])
sys.argv[1:] = []
module = importlib.import_module(name)

class closing(getattr(module, name)):
    def __init__(self):
        super().__init__()
        Qt.QTimer.singleShot(int(1000 * seconds), self.finish)

    def finish(self):
        if hasattr(self, "get_error_rate"):
            print("error rate:", self.get_error_rate())
        if hasattr(self, "rnn_meter"):
            print(f"FIR {self.fir_meter.ser():.2e}")
            sent = self.frame_source.nitems_written(0) / (64 + 512 + 8)
            print("frames on their way:", sent - self.rnn_meter.total_frames())
        self.stop()
        self.wait()
        vars(self).clear()
        Qt.QApplication.quit()

module.main(top_block_cls=closing)
"""


def run(command, timeout=120, **options):
    result = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=timeout,
        **options,
    )
    assert result.returncode == 0, result.stdout
    assert "Traceback" not in result.stdout, result.stdout
    return result.stdout


def environment():
    paths = [str(ROOT / "grc"), os.environ.get("GRC_BLOCKS_PATH", "")]
    return dict(os.environ, GRC_BLOCKS_PATH=os.pathsep.join(filter(None, paths)))


def parameters(path, key):
    """The parameters of a flowgraph's blocks of this kind, by name."""
    blocks = yaml.safe_load(path.read_text())["blocks"]
    return {
        block["name"]: block["parameters"] for block in blocks if block["id"] == key
    }


def window_code(path):
    """What a flowgraph does to its window before it is shown."""
    snippets = parameters(path, "snippet").values()
    return next(s["code"] for s in snippets if s["section"] == "main_after_init")


@each_flowgraph
def test_note_says_what_to_look_for(path):
    (note,) = parameters(path, "note").values()
    assert note["note"] and len(note["comment"].splitlines()) >= 3


@each_flowgraph
def test_window_and_canvas_fit_a_screen(path):
    width, height = map(
        int, re.findall(r"resize\((\d+), (\d+)\)", window_code(path))[0]
    )
    assert 640 < width <= 1560 and 430 < height <= 920  # with its frame 1600 x 1000
    for block in yaml.safe_load(path.read_text())["blocks"]:
        x, y = block["states"]["coordinate"]
        assert 0 <= x <= 1440 and 0 <= y <= 840, block["name"]


# In clouds, in the line of error rates and in the Training Monitor, whose colours these are.
RECEIVERS = {
    "fir": "#0072B2",
    "esn": "#E69F00",
    "configured_esn": "#009E73",
    "rnn": "#D55E00",
    "lms": "#CC79A7",
}


@pytest.mark.parametrize(
    "name", ["compare_equalizers", "configured_esn", "rnn_training_monitor"]
)
def test_one_order_and_one_colour_per_receiver(name):
    path = ROOT / "examples" / f"{name}.grc"
    clouds = parameters(path, "qtgui_const_sink_x")
    here = [receiver for receiver in RECEIVERS if f"{receiver}_symbols" in clouds]
    assert len(here) == len(clouds)
    places = [clouds[f"{receiver}_symbols"]["gui_hint"] for receiver in here]
    assert places == sorted(places)
    for receiver in here:
        call = f'self.{receiver}_symbols.set_line_color(0, "{RECEIVERS[receiver]}")'
        assert call in window_code(path)
    labels = [receiver.replace("_", " ").upper() for receiver in here]
    # a Training Monitor that shows everything has the rates itself
    for rates in parameters(path, "epy_block").values():
        line = re.search(r"for receiver in \[(.*)\]:", rates["_source_code"])[1]
        assert [label.strip('" ').upper() for label in line.split(",")] == labels
    for monitor in parameters(path, "reservoir_training_monitor").values():
        assert [label.upper() for label in eval(monitor["labels"])] == labels
        assert (
            labels
            == [name.replace("_", " ").upper() for name in RECEIVERS][: len(labels)]
        )


@pytest.fixture(scope="module")
def all_compiled(tmp_path_factory):
    """The folder of the programs, and what grcc said of each example: it starts once for all."""
    grcc = shutil.which("grcc")
    if grcc is None:
        pytest.skip("GNU Radio Companion is not installed")
    folder = tmp_path_factory.mktemp("examples")
    output = run(
        [sys.executable, grcc, "-o", str(folder), *map(str, FLOWGRAPHS)],
        env=environment(),
    )
    said = dict(re.findall(r">>> Loading: (\S+)\n((?:(?!>>> Loading:).*\n)*)", output))
    return folder, said


@pytest.fixture(scope="module", params=FLOWGRAPHS, ids=lambda path: path.stem)
def compiled(request, all_compiled):
    """A compiled example: its options, the folder of the program, and what grcc said."""
    folder, said = all_compiled
    options = yaml.safe_load(request.param.read_text())["options"]["parameters"]
    return options, folder, said[str(request.param)]


def test_flowgraph_compiles(compiled):
    options, folder, output = compiled
    assert not re.search(r"error|not valid|not found", output, re.IGNORECASE), output
    assert (folder / f"{options['id']}.py").exists()


def test_generated_program_is_no_example(compiled):
    options, _, _ = compiled
    assert options["id"].endswith("_gui")  # not overwritten, and ignored by git


def test_flowgraph_runs(compiled):
    options, folder, _ = compiled
    if options["generate_options"] != "qt_gui":
        pytest.skip("needs hardware or ends by itself")
    program = (folder / f"{options['id']}.py").read_text()
    device = DEVICES.search(program)
    if device:
        without_device(folder / f"{options['id']}.py", device[1])
        return
    output = run(
        [sys.executable, "-c", RUN_AND_CLOSE, options["id"], str(RUN_SECONDS)],
        cwd=folder,
        env=environment(),
    )
    if "packet_decoder" in program:
        assert "pdu length =" in output, output
        return
    if "ofdm_rx" in program:
        counts = r"(\d+) sent +digital.ofdm_rx (\d+) +reservoir.ofdm_rx (\d+)"
        sent, stock, ours = map(int, re.findall(counts, output)[-1])
        # not which is more: some packets are still on their way
        assert 0 < stock <= sent and 0.1 * sent < ours <= sent, output
        return
    rates = re.findall(r"(\w[\w ]*) (\d\.\d+e[+-]\d+)", output)
    assert rates, output
    # else the ESN's or FIR's; guessing gives 0.75, and of bits 0.5
    configured = [rate for name, rate in rates if name == "Configured ESN"]
    assert float((configured or [rates[0][1]])[0]) < 0.2
    waiting = re.search(r"frames on their way: (\S+)", output)
    if waiting:  # so many trainings lie between a slider and what it does
        assert float(waiting[1]) < 10


def without_device(program, module):
    """A flowgraph that needs a radio says so in one sentence where there is none."""
    pytest.importorskip(f"gnuradio.{module}")
    result = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
        env=environment(),
    )
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert re.match(r"no \S+ found \(.*\): connect it, .* go on without it", last)


@pytest.mark.parametrize("detector", ["configured_esn", "esn", "fir"])
def test_scripted_link(detector):
    script = ROOT / "examples" / "esn_equalizer.py"
    options = ["--snr", "25", "--frames", "40", "--detector", detector]
    output = run([sys.executable, str(script), *options])
    result = re.match(rf"{detector}: SER (\S+), EVM (\S+) dB \(40 frames", output)
    assert result, output
    assert float(result[1]) < 0.05
    assert float(result[2]) < -8.0


@pytest.mark.parametrize(
    "script, options, sentence",
    [
        (
            "esn_equalizer",
            ["--frames", "0"],
            "--frames: 0 must be a whole number within 1 ... 1e+09",
        ),
        (
            "esn_equalizer",
            ["--frames", "-1"],
            "--frames: -1 must be a whole number within",
        ),
        (
            "esn_equalizer",
            ["--snr", "nan"],
            "--snr: nan must be a number within -20 ... 100",
        ),
        ("why_learning_hurts", ["--out", __file__], f"{__file__}: File exists"),
        (
            "known_symbols/periodic_pilots",
            ["--offset", "nan"],
            "--offset: nan must be a number within -1 ... 1",
        ),
    ],
)
def test_scripts_refuse_options_in_one_sentence(script, options, sentence):
    result = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{script}.py"), *options],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 2 and "Traceback" not in result.stderr, result.stderr
    assert sentence in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_explains_itself(script):
    assert "usage:" in run([sys.executable, str(script), "--help"])


def test_readme_has_a_line_for_each_example():
    text = (ROOT / "examples" / "README.md").read_text()
    for path in FLOWGRAPHS:
        assert path.name in text
