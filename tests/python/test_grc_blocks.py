#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The .block.yml files say what the constructors say, and generate code that compiles."""

import inspect
import os
import re
import subprocess
from pathlib import Path

import described
import numpy as np
import pytest
import yaml
from cpp_programs import compiled, linked

from gnuradio import gr, reservoir

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = {
    path.name.split(".")[0]: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "grc").glob("*.block.yml"))
}
each_block = pytest.mark.parametrize("name", BLOCKS)

# Parameters that only GRC has, and those that only constructors have.
GRC_ONLY = {"type", "constellation_type", "mode", "freeze", "gui_hint", "alist"}
CONSTRUCTOR_ONLY = {"self", "detector", "receiver", "packet_format"}
KINDS = {
    f"reservoir_{kind['name']}_equalizer": kind for kind in reservoir.detector_kinds()
}
EQUALIZERS = list(KINDS)
OFDM_KINDS = {
    f"reservoir_{kind['name']}_equalizer": kind
    for kind in reservoir.ofdm_detector_kinds()
}
each_ofdm_equalizer = pytest.mark.parametrize("name", OFDM_KINDS)


def not_offered(name):
    """What a detector refuses: its block does not offer it."""
    refused = {"pilots"} if name in OFDM_KINDS else set()  # a grid has them
    if name in KINDS and not KINDS[name]["trains_in_epochs"]:
        refused |= {"background_training"}
    if name in KINDS and not KINDS[name]["adapts"]:
        refused |= {"adapt_after_training"}
    if name in KINDS and "refits" not in {p["name"] for p in KINDS[name]["parameters"]}:
        refused |= {"hurry_above"}
    if name in KINDS and not classes(name)[0]().takes_unknown_pilots():
        refused |= {"known_symbols"}
    return refused


def classes(name):
    """What a block's make template constructs."""
    if name in OFDM_KINDS:
        detector = getattr(reservoir, OFDM_KINDS[name]["name"])
        return [detector, reservoir.ofdm_grid, reservoir.ofdm_equalizer]
    name = name[len("reservoir_") :]
    if name.endswith("_equalizer"):
        return [getattr(reservoir, name[: -len("_equalizer")]), reservoir.equalizer]
    if name == "packet_receiver":
        return [
            reservoir.packet_format,
            reservoir.coded_receiver,
            reservoir.packet_receiver,
        ]
    return [getattr(reservoir, name)]


def signature(cls):
    """Parameters of a constructor and their defaults as text, from pybind11's docstring."""
    if "reservoir_python" not in cls.__module__:
        parameters = inspect.signature(cls.__init__).parameters.values()
        return {parameter.name: repr(parameter.default) for parameter in parameters}
    line = cls.__init__.__doc__.splitlines()[0]
    text = line[line.index("(") + 1 : line.rindex(") -> ")]
    pieces, depth = [""], 0
    for character in text:
        depth += (character in "([{<") - (character in ")]}>")
        if character == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += character
    defaults = {}
    for piece in pieces:
        if piece.strip() == "*":
            continue
        name, _, rest = piece.strip().partition(":")
        defaults[name] = rest.rpartition(" = ")[2]
    return defaults


@each_block
def test_is_documented(name):
    text = BLOCKS[name]["documentation"]
    assert "Input:" in text or not BLOCKS[name].get("inputs")
    assert "Output:" in text or not BLOCKS[name].get("outputs")
    assert "Parameters:" in text
    for label in (entry["label"] for entry in BLOCKS[name]["parameters"]):
        plain = re.sub(r" *\([^)]*\)$", "", label)
        assert plain.split(" Object")[0] in text, label


@each_block
def test_has_asserts_and_templates(name):
    block = BLOCKS[name]
    assert block["category"].startswith("[Reservoir]/")
    assert block["asserts"]
    assert block["templates"]["make"]
    cls = classes(name)[-1]
    if isinstance(cls, type) and "reservoir_python" in cls.__module__:
        assert "cpp" in block["flags"]
        assert block["cpp_templates"]["make"]
        assert block["cpp_templates"]["includes"]
        assert "${id}" in block["cpp_templates"]["declarations"]
        assert "gnuradio-reservoir" in block["cpp_templates"]["packages"]
        assert "gnuradio::gnuradio-reservoir" in block["cpp_templates"]["link"]


@each_block
def test_headings_are_meant(name):
    """Companion prints a line that starts at the margin and ends in a colon as a heading."""
    lines = BLOCKS[name]["documentation"].splitlines()
    headings = [text for text in lines if re.match(r"\S.*:$", text)]
    assert set(headings) <= {"Input:", "Output:", "Messages:", "Parameters:"}


@each_block
def test_booleans_are_choices(name):
    for entry in BLOCKS[name]["parameters"]:
        if entry["dtype"] == "bool":
            assert entry["options"] == ["True", "False"], entry["id"]
            assert len(entry["option_labels"]) == 2, entry["id"]
            assert entry["default"] in entry["options"], entry["id"]


@each_block
def test_asserts_are_readable(name):
    # Companion shows a failed assert as it is written
    assert "__" not in " ".join(BLOCKS[name]["asserts"])


@pytest.mark.parametrize("name", EQUALIZERS)
def test_source_and_equalizer_have_the_same_pilots(name):
    def default(block, key):
        entries = {entry["id"]: entry for entry in BLOCKS[block]["parameters"]}
        return entries[key]["default"]

    source = "reservoir_frame_source"
    assert default(name, "training_sequence") == default(source, "pilots")
    assert default(name, "training_start_tag") == default(source, "training_tag")


@pytest.mark.parametrize("word", ["neural", "equalizer", "esn"])
def test_search_finds_the_networks(word):
    """Companion's search looks at the id and the label of a block."""
    for name, kind in KINDS.items():
        if "network" in kind["keywords"] and (word != "esn" or "esn" in name):
            assert word in name or word in BLOCKS[name]["label"].lower(), name


@each_block
def test_parameters_are_the_constructors(name):
    ours = {entry["id"] for entry in BLOCKS[name]["parameters"]} - GRC_ONLY
    if name == "reservoir_packet_receiver":
        ours -= {"num_inputs"}  # of the detector within
    theirs = set().union(*map(signature, classes(name))) - CONSTRUCTOR_ONLY
    assert ours == theirs - not_offered(name)


@each_block
def test_make_passes_every_parameter(name):
    make = BLOCKS[name]["templates"]["make"]
    for entry in BLOCKS[name]["parameters"]:
        if entry["id"] not in GRC_ONLY:
            assert re.search(rf"\b{entry['id']}=", make), entry["id"]


@pytest.mark.parametrize("name", EQUALIZERS)
def test_defaults_are_the_constructors(name):
    theirs = {}
    for cls in reversed(classes(name)):
        theirs.update(signature(cls))
    for entry in BLOCKS[name]["parameters"]:
        if entry["id"] in GRC_ONLY | {"training_sequence"}:
            continue
        default = theirs[entry["id"]].strip("'\"")
        assert str(entry["default"]) == default, entry["id"]


@each_ofdm_equalizer
def test_defaults_of_ofdm_equalizers_are_the_constructors(name):
    detector, _, shell = map(signature, classes(name))
    theirs = {**shell, **detector}
    for entry in BLOCKS[name]["parameters"]:
        if entry["id"] in theirs.keys() - {"num_data_symbols", "constellation"}:
            default = theirs[entry["id"]].strip("'\"")
            assert str(entry["default"]) == default, entry["id"]


@each_block
def test_every_setter_is_a_callback(name):
    parameters = {entry["id"] for entry in BLOCKS[name]["parameters"]}
    callbacks = " ".join(BLOCKS[name]["templates"].get("callbacks", []))
    for setter in vars(classes(name)[-1]):
        if setter.startswith("set_") and setter[4:] in parameters:
            assert setter in callbacks


@pytest.fixture(scope="module")
def platform():
    core = pytest.importorskip("gnuradio.grc.core.platform")
    before = os.environ.get("GRC_BLOCKS_PATH")
    paths = [str(ROOT / "grc"), before or ""]
    os.environ["GRC_BLOCKS_PATH"] = os.pathsep.join(filter(None, paths))
    try:
        made = core.Platform(
            version=gr.version(),
            version_parts=(gr.major_version(), gr.api_version(), gr.minor_version()),
            prefs=gr.prefs(),
        )
        made.build_library()
        yield made
    finally:
        if before is None:
            del os.environ["GRC_BLOCKS_PATH"]
        else:
            os.environ["GRC_BLOCKS_PATH"] = before


def errors(platform, name, **values):
    """What GRC says of a block with these values."""
    flow_graph = platform.make_flow_graph()
    block = flow_graph.new_block(name)
    values = {"id": "block", **values}
    if "training_sequence" in block.params:
        values = {"training_sequence": "[1, -1j]", **values}
    for key, value in values.items():
        block.params[key].set_value(value)
    flow_graph.rewrite()
    flow_graph.validate()
    messages = block.get_error_messages()
    return [text for text in messages if "is not connected" not in text]


SHARED_BAD = [
    {"sps": "0"},
    {"sps": "65"},
    {"training_sequence": "[]"},
    {"training_sequence": "[1, float('inf')]"},
    {"training_sequence": "[float('nan')]"},
    {"training_sequence": "[[1, 1j], [1, -1]]"},
    {"training_sequence": "[1, 1j]", "num_outputs": "2"},
    {"training_start_tag": ""},
    {"payload_len": "-1"},
    {"payload_len": "2**24 + 1"},
    {"adapt_after_training": "True", "constellation_type": "object"},
    {"num_inputs": "0"},
    {"num_inputs": "65"},
    {"num_outputs": "0"},
    {"num_outputs": "65", "training_sequence": "[[1, 1j]] * 65"},
    {"delay": "-2"},
    {"regularization": "-0.5"},
    {"regularization": "float('inf')"},
    {"forgetting": "0.5"},
    {"forgetting": "1.01"},
]


def bad_values(kind):
    """Properties of a detector's block that are out of range or break a rule, as text."""
    for parameter in kind["parameters"]:
        if parameter["type"] != "str":  # Companion lets choose among the words
            for value in described.out_of_range(parameter):
                yield {parameter["name"]: value}
    for values in described.combinations(kind):
        if described.refused_by_rules(kind, values):
            yield values


def as_text(value):
    text = value if isinstance(value, str) else repr(value)
    return re.sub(r"\b(nan|inf)\b", r"float('\1')", text)


@pytest.mark.parametrize("name", EQUALIZERS + list(OFDM_KINDS))
def test_grc_accepts_the_defaults(platform, name):
    assert errors(platform, name) == []


@pytest.mark.parametrize("name", EQUALIZERS)
def test_grc_and_constructor_reject_the_same(platform, name):
    detector_class, _ = classes(name)
    kind = KINDS[name]
    theirs = {parameter["name"] for parameter in kind["parameters"]}
    enums = {p["name"] for p in kind["parameters"] if p["type"] == "str"}
    enums |= {"training_start_tag", "constellation_type"}
    known = {entry["id"] for entry in BLOCKS[name]["parameters"]}
    shared = [values for values in SHARED_BAD if values.keys() <= known]
    if not detector_class().takes_unknown_pilots():
        shared.append({"training_sequence": "[1, float('nan')]"})
    described_bad = [
        {key: as_text(value) for key, value in values.items()}
        for values in bad_values(kind)
    ]
    assert described_bad
    for values in shared + described_bad:
        messages = errors(platform, name, **values)
        # that of this property, not what else is wrong with it
        assert any(key in text for key in values for text in messages), values
        given = {"training_sequence": "[1, -1j]", **values}
        arguments = {
            key: value if key in enums else eval(value) for key, value in given.items()
        }
        arguments.pop("constellation_type", None)
        detector = {key: arguments.pop(key) for key in set(arguments) & theirs}
        with pytest.raises(ValueError):
            reservoir.equalizer(detector_class(**detector), **arguments)


OFDM_BAD = [
    {"fft_len": "1"},
    {"fft_len": "65537"},
    {"cp_len": "[]"},
    {"cp_len": "[-1]"},
    {"cp_len": "[16, 65]"},
    {"num_rx": "0"},
    {"num_rx": "9"},
    {"num_tx": "0"},
    {"num_tx": "9", "num_rx": "8"},
    {"channel_len": "-1"},
    {"channel_len": "65"},
    {"num_tx": "2", "detection": "ml"},
    {"amplifier_order": "4"},
    {"amplifier_order": "-2"},
    {"refits": "17"},
    {"num_data_symbols": "0"},
    {"num_data_symbols": "2**14 + 1"},
    {"occupied_carriers": "[]"},
    {"occupied_carriers": "[[64]]"},
    {"occupied_carriers": "[[7, 8]]"},  # one of them has a pilot
    {"pilot_carriers": "[[7, 7, 7, 7]]"},
    {"pilot_carriers": "[]"},
    {"pilot_symbols": "[[1, 1]]"},
    {"pilot_symbols": "[[1, 1, 1, float('inf')]]"},
    {"sync_words": "[[1, 1]]"},
    {"pilot_carriers": "[]", "pilot_symbols": "[]", "sync_words": "[]"},
    {"symbols_skipped": "-1"},
    {"symbols_skipped": "2**20 + 1"},
    {"workers": "0"},
    {"workers": "65"},
    {"frame_start_tag": ""},
    {"length_tag_key": "frame_start"},
]


@each_ofdm_equalizer
def test_grc_and_constructors_of_ofdm_reject_the_same(platform, name):
    detector, grid, shell = classes(name)
    entries = {entry["id"]: entry for entry in BLOCKS[name]["parameters"]}
    texts = {"detection", "frame_start_tag", "length_tag_key"}
    for values in OFDM_BAD:
        if not values.keys() <= entries.keys():
            continue
        messages = errors(platform, name, **values)
        assert any(key in text for key in values for text in messages), values
        given = {key: str(entry["default"]) for key, entry in entries.items()} | values
        arguments = {
            key: value if key in texts else eval(value)
            for key, value in given.items()
            if "constellation" not in key
        }

        def taken(cls):
            names = signature(cls).keys() - {"self"}
            return {key: arguments[key] for key in names & arguments.keys()}

        with pytest.raises(ValueError):
            shell(detector(**taken(detector)), grid(**taken(grid)), **taken(shell))


@pytest.mark.parametrize("num_streams", [1, 2, 3])
@each_ofdm_equalizer
def test_ports_of_ofdm_are_vectors_of_carriers(platform, name, num_streams):
    flow_graph = platform.make_flow_graph()
    block = flow_graph.new_block(name)
    for key, value in {"fft_len": 128, "num_rx": 3, "num_tx": num_streams}.items():
        block.params[key].set_value(str(value))
    flow_graph.rewrite()
    assert len([port for port in block.active_sinks if port.dtype == "complex"]) == 3
    vectors = [port.vlen for port in block.active_sources if port.dtype == "complex"]
    assert vectors == [128] * num_streams


@pytest.mark.parametrize("name, refused", [("8psk", True), ("16qam", False)])
def test_classifier_needs_levels(platform, name, refused):
    values = {"classifier": "True", "constellation_type": name}
    messages = errors(platform, "reservoir_ofdm_esn_equalizer", **values)
    assert any("8psk" in text for text in messages) == refused


def test_stages_of_rcnet_in_companion(platform):
    def said(stages, **values):
        values = {"num_rx": "2", "stages": stages, **values}
        return errors(platform, "reservoir_rcnet_equalizer", **values)

    first = "reservoir.ofdm_esn(64, 16, 2, 1)"
    assert said(f"[{first}, reservoir.ofdm_lmmse(64, 16, 3, 1)]") == []
    for stages in (
        f"[{first}, {first}]",
        f"[{first}, reservoir.ofdm_esn(64, 8, 3, 1)]",
    ):
        assert any("enumerate(stages)" in text for text in said(stages))
    assert any("num_rx + num_tx <= 8" in text for text in said("[]", num_rx="8"))


def test_lmmse_hides_the_constellation_that_it_does_not_use(platform):
    def hidden(**values):
        return hidden_parameters(platform, "reservoir_ofdm_lmmse_equalizer", **values)

    assert hidden() == {"constellation_type", "constellation"}
    assert hidden(detection="ml") == {"constellation"}
    assert hidden(detection="ml", constellation_type="object") == set()


def hidden_parameters(platform, name, **values):
    flow_graph = platform.make_flow_graph()
    block = flow_graph.new_block(name)
    for key, value in values.items():
        block.params[key].set_value(value)
    flow_graph.rewrite()
    return {key for key in block.params if block.params[key].hide == "all"} - {"id"}


def test_irrelevant_parameters_are_hidden(platform):
    def hidden(**values):
        return hidden_parameters(platform, "reservoir_esn_equalizer", **values)

    of_frames = {"workers", "use_history"}
    every = {"constellation", "constellation_type", "forgetting"} | of_frames
    assert hidden() == every
    assert hidden(payload_len="500") == every - of_frames
    assert hidden(workers="2") == every - {"workers"}  # what is invalid can be seen
    assert hidden(update="rls") == every - {"forgetting"}
    assert hidden(adapt_after_training="True") == {"constellation"} | of_frames
    assert hidden(adapt_after_training="True", constellation_type="object") == of_frames


def test_configured_esn_hides_what_its_mode_does_not_use(platform):
    def hidden(**values):
        name = "reservoir_configured_esn_equalizer"
        of_frames = {"workers", "use_history", "hurry_above"}
        return hidden_parameters(platform, name, **values) - of_frames

    statistics = {"power_delay_profile", "num_neurons"}
    impairments = {"receiver_linearization", "phase_noise", "tracking", "output"}
    assert hidden() == statistics | {"constellation", "poles"}
    assert hidden(constellation_type="object") == statistics | {"poles"}
    linear = {"feedback": "False", "refits": "0"}
    off = {"constellation", "survivors", "refits", "adapt_after_training", "rotation"}
    off |= impairments
    assert hidden(**linear) == off | statistics
    assert hidden(**linear, poles="statistics") == off | {"channel_len"}
    # what makes a block invalid can be seen
    assert "poles" not in hidden(poles="statistics")
    assert "refits" not in hidden(feedback="False", poles="statistics")


def test_rnn_hides_what_its_optimizer_does_not_use(platform):
    def hidden(**values):
        return hidden_parameters(
            platform, "reservoir_rnn_equalizer", payload_len="500", **values
        )

    bits = {"constellation_type", "constellation"}
    assert hidden() == {"momentum", "patience"} | bits
    assert hidden(optimizer="momentum") == {"patience"} | bits
    assert hidden(held_out="0.25") == {"momentum"} | bits
    # what makes a block invalid can be seen
    assert hidden(patience="5") == {"momentum"} | bits
    assert hidden(soft_output="True") == {"momentum", "patience", "constellation"}


@pytest.mark.parametrize("name", EQUALIZERS)
def test_soft_output_is_a_port_per_stream(platform, name):
    def soft_ports(**values):
        flow_graph = platform.make_flow_graph()
        block = flow_graph.new_block(name)
        for key, value in values.items():
            block.params[key].set_value(value)
        flow_graph.rewrite()
        return [
            port.vlen
            for port in block.active_sources
            if port.dtype == "float" and not port.hidden
        ]

    assert soft_ports() == []
    assert soft_ports(soft_output="True", constellation_type="16qam") == [4]
    custom = {
        "constellation_type": "object",
        "constellation": "__import__('gnuradio.digital').digital.constellation_8psk().base()",
    }
    assert soft_ports(soft_output="True", **custom) == [3]
    assert soft_ports(soft_output="True", num_outputs="2") == [2, 2]


def cpp_flow_graph(platform):
    flow_graph = platform.make_flow_graph()
    options = {"output_language": "cpp", "generate_options": "no_gui", "id": "program"}
    for key, value in options.items():
        flow_graph.options_block.params[key].set_value(value)
    return flow_graph


def write_cpp(platform, flow_graph, folder):
    """The program's file."""
    folder.mkdir(exist_ok=True)
    flow_graph.rewrite()
    platform.Generator(flow_graph, str(folder)).write()
    return folder / "program" / "program.cpp"


def test_every_cpp_block_compiles(platform, tmp_path):
    flow_graph = cpp_flow_graph(platform)
    for num_streams, name in enumerate(EQUALIZERS, start=1):
        block = flow_graph.new_block(name)
        values = {
            "id": name + "_0",
            "training_sequence": str([[1, -1j]] * num_streams),
            "num_outputs": str(num_streams),
        }
        if "adapt_after_training" in block.params:
            values["adapt_after_training"] = "True"
        values["soft_output"] = "True"
        for key, value in values.items():
            block.params[key].set_value(value)
    others = [name for name in BLOCKS if "cpp" in BLOCKS[name]["flags"]]
    for name in sorted(set(others) - set(EQUALIZERS)):
        block = flow_graph.new_block(name)
        block.params["id"].set_value(
            name + "_0"
        )  # the meter's default names the source
        if "type" in block.params and block.params["type"].get_value() == "object":
            block.params["type"].set_value("qpsk")  # objects are for Python only
    compiled(write_cpp(platform, flow_graph, tmp_path), "-fsyntax-only")


# Of two streams, each with a comb of its own, and with values that are not real.
TWO_STREAMS = {
    "fft_len": "16",
    "cp_len": "[4, 3]",
    "num_rx": "2",
    "num_tx": "2",
    "channel_len": "3",
    "occupied_carriers": "[range(1, 6), [-5, -4]]",
    "pilot_carriers": "[[-2, -1], [6, 7]]",
    "pilot_symbols": "[[[1j, 0], [0.5 - 1j, 0]], [[0, 1], [0, -2]]]",
    "sync_words": "numpy.exp(1j * numpy.arange(64)).reshape(2, 2, 16)",
    "symbols_skipped": "1",
    "shifted": "False",
    "num_data_symbols": "7",
    "frame_start_tag": "begin",
    "length_tag_key": "",
    "workers": "2",
    "constellation_type": "16qam",
}
# What is made there, printed in place of a block.
CPP_PRINTER = r"""
#include <gnuradio/reservoir/ofdm_configured.h>
#include <gnuradio/reservoir/ofdm_esn.h>
#include <gnuradio/reservoir/ofdm_lmmse.h>
#include <gnuradio/reservoir/rcnet.h>
#include <cstdio>
using namespace gr;

void print(const reservoir::ofdm_detector::sptr& detector,
           const reservoir::ofdm_grid& grid,
           int num_data_symbols,
           const std::string& start,
           const std::string& length,
           int workers)
{
    std::printf("%s %d [%s] [%s] %d %d\n", detector->kind().c_str(), num_data_symbols,
                start.c_str(), length.c_str(), workers, grid.place(0));
    std::printf("%d %d %d %zu\n", detector->fft_len(), detector->num_rx(),
                detector->num_tx(), detector->constellation().points.size());
    for (const int samples : detector->cp_len())
        std::printf("%d ", samples);
    std::printf("\n");
    const auto known = grid.known(6);
    for (size_t j = 0; j < known.values.size(); j++)
        for (size_t i = 0; i < known.values[j].size(); i++)
            std::printf("%.9g %.9g %d ", known.values[j][i].real(),
                        known.values[j][i].imag(), int(known.known[j][i]));
    std::printf("\n");
}

int main()
{
"""


def test_what_ofdm_blocks_make_in_cpp(platform, tmp_path):
    """The values that Companion writes into a C++ program, of two streams, as in Python."""
    code = CPP_PRINTER
    for name, kind in OFDM_KINDS.items():
        flow_graph = cpp_flow_graph(platform)
        flow_graph.new_block("import").params["imports"].set_value("import numpy")
        block = flow_graph.new_block(name)
        block.params["id"].set_value("equalizer")
        for key, value in TWO_STREAMS.items():
            if key in block.params:
                block.params[key].set_value(value)
        text = write_cpp(platform, flow_graph, tmp_path / name).read_text()
        begin = text.index(f"reservoir::{kind['name']}_parameters equalizer_p")
        made = text[begin : text.index(");\n", text.index("ofdm_equalizer::make"))]
        made = made.replace(
            "this->equalizer = reservoir::ofdm_equalizer::make", "print"
        )
        code += "{ " + made + "); }\n"
    (tmp_path / "print.cc").write_text(code + "}\n")
    program = linked(tmp_path / "print.cc", tmp_path / "print")
    printed = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True)
    lines = printed.stdout.splitlines()
    assert len(lines) == 4 * len(OFDM_KINDS)
    values = {
        key: eval(TWO_STREAMS[key], {"numpy": np})
        for key in ("occupied_carriers", "pilot_carriers", "pilot_symbols")
    }
    grid = reservoir.ofdm_grid(
        16,
        [4, 3],
        2,
        **values,
        sync_words=eval(TWO_STREAMS["sync_words"], {"numpy": np}),
        symbols_skipped=1,
        shifted=False,
    )
    wanted, mask = grid.known(6)
    for number, kind in enumerate(OFDM_KINDS.values()):
        first, shape, prefixes, known = lines[4 * number : 4 * number + 4]
        assert first == f"{kind['name']} 7 [begin] [] 2 0"
        points = 4 if kind["name"] == "rcnet" else 16  # which decides nothing
        assert shape == f"16 2 2 {points}"
        assert prefixes.split() == ["4", "3"]
        found = np.array(known.split(), float).reshape(2, 6, 16, 3)
        np.testing.assert_array_equal(found[..., 2], mask)
        np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1], wanted, 1e-6)


def test_stages_of_rcnet_are_for_python(platform, tmp_path):
    flow_graph = cpp_flow_graph(platform)
    block = flow_graph.new_block("reservoir_rcnet_equalizer")
    block.params["stages"].set_value("[reservoir.ofdm_esn(64, 16)]")
    with pytest.raises(Exception, match="Stages: for Python only"):
        write_cpp(platform, flow_graph, tmp_path)
