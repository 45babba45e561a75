#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What is made from the detectors' descriptions is up to date, and complete."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from gnuradio import gr, reservoir

ROOT = Path(__file__).resolve().parents[2]
KINDS = reservoir.detector_kinds()
each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind["name"] for kind in KINDS])
STUB = ROOT / "python" / "reservoir" / "reservoir_python.pyi"


def block(kind):
    path = ROOT / "grc" / f"reservoir_{kind['name']}_equalizer.block.yml"
    return yaml.safe_load(path.read_text())


def test_committed_files_are_what_would_be_written():
    result = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate"), "--check"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_block_has_a_page():
    """What was measured with it is written by hand: a new page begins without."""
    blocks = {path.name.split(".")[0] for path in (ROOT / "grc").glob("*.block.yml")}
    pages = {
        f"reservoir_{path.stem}": path.read_text()
        for path in (ROOT / "docs" / "blocks").glob("*.md")
        if path.stem != "index"
    }
    assert pages.keys() == blocks
    for name, text in pages.items():
        measured = text.partition("## Measured\n")[2].partition("\n## ")[0]
        assert len(measured.split()) > 20, name


def statements(body):
    return {node.name: node for node in body if hasattr(node, "name")}


def test_stub_has_everything():
    stub = statements(ast.parse(STUB.read_text()).body)
    module = reservoir.reservoir_python
    names = {name for name in vars(module) if not name.startswith("__")}
    assert stub.keys() == names
    for name in names:
        thing = getattr(module, name)
        if not isinstance(thing, type):
            assert isinstance(stub[name], ast.FunctionDef)
            continue
        ours = statements(stub[name].body).keys()
        theirs = {key for key, value in vars(thing).items() if callable(value)}
        theirs |= {
            k for k, v in vars(thing).items() if isinstance(v, (property, staticmethod))
        }
        bases = reservoir.training_report, reservoir.detector, reservoir.ofdm_detector
        if issubclass(thing, bases):
            theirs -= {"__init__"} - ours  # no constructor in Python
        assert ours == theirs, name


@each_kind
def test_stub_has_the_constructors_parameters(kind):
    classes = statements(ast.parse(STUB.read_text()).body)
    make = statements(classes[kind["name"]].body)["__init__"]
    names = [argument.arg for argument in make.args.args]
    assert names == ["self"] + [parameter["name"] for parameter in kind["parameters"]]
    defaults = [ast.literal_eval(node) for node in make.args.defaults]
    assert defaults == [parameter["default"] for parameter in kind["parameters"]]


@each_kind
def test_figures_have_the_types_that_are_told(kind):
    make = reservoir.detectors()[kind["name"]]
    rng = np.random.default_rng(1)
    pilots = rng.choice([1 + 1j, 1 - 1j, -1 + 1j, -1 - 1j], 64)
    report = make().fit(np.append(pilots, pilots), pilots)
    for field in reservoir.training_report.fields():
        value, told = report[field["name"]], field["type"]
        if told.startswith("numpy"):
            assert f"numpy.ndarray[numpy.{value.dtype}]" == told, field["name"]
        else:
            assert type(value).__name__ == told, field["name"]


@each_kind
def test_documentation_lists_every_key_of_a_report(kind):
    """The keys that are sent, not those of a list: a copy by hand had drifted."""
    from gnuradio import blocks, digital

    pilots = reservoir.random_pilots(digital.constellation_qpsk().base(), 64)
    tag = gr.tag_t()
    tag.key, tag.value, tag.offset = gr.pmt.intern("corr_est"), gr.pmt.PMT_T, 0
    source = blocks.vector_source_c(np.append(pilots, pilots), False, 1, [tag])
    equalizer = reservoir.equalizer(reservoir.detectors()[kind["name"]](), 1, pilots)
    messages = blocks.message_debug()
    sink = blocks.null_sink(gr.sizeof_gr_complex)
    top = gr.top_block()
    top.connect(source, equalizer, sink)
    top.msg_connect(equalizer, "report", messages, "store")
    top.run()
    keys = gr.pmt.to_python(messages.get_message(0)).keys()
    assert {"mse", "offset", "timing"} <= keys
    text = block(kind)["documentation"]
    documented = set(re.findall(r"^    (\w+): ", text, flags=re.M))
    assert keys <= documented
    reference = (ROOT / "docs" / "detectors.md").read_text()
    assert not [key for key in keys if f"| `{key}` |" not in reference]


@each_kind
def test_documentation_has_the_keywords(kind):
    text = block(kind)["documentation"]
    assert kind["keywords"] and kind["keywords"] in text
    reference = (ROOT / "docs" / "detectors.md").read_text()
    for parameter in kind["parameters"]:
        assert f"| `{parameter['name']}` |" in reference
        assert parameter["text"].replace("|", "\\|") in reference


@each_kind
def test_commands_that_are_not_named_are_refused(kind):
    known = {name for name, _, _ in kind["commands"]}
    detector = reservoir.detectors()[kind["name"]]()
    for name, call in {
        "channel": lambda: detector.set_channel([1.0, 0.5]),
        "power_delay_profile": lambda: detector.set_power_delay_profile([1.0, 0.5]),
    }.items():
        if name not in known:
            with pytest.raises(ValueError):
                call()


@each_kind
def test_conditions_name_parameters(kind):
    """Every Python expression of a description can be evaluated."""
    names = {p["name"]: p["default"] for p in kind["parameters"]}
    names |= {"payload_len": 0, "adapt_after_training": False}
    expressions = [p[key] for p in kind["parameters"] for key in ("when", "on_block")]
    expressions += [condition for _, _, condition in kind["rules"]]
    for expression in filter(None, expressions + [kind["adapts_when"]]):
        eval(expression, {}, names)
