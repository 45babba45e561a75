#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The link blocks in GNU Radio Companion, compiled without a window."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from cpp_programs import linked

from gnuradio import reservoir  # also maps the library that C++ is linked with

GRC = pathlib.Path(__file__).parents[2] / "grc"
STATES = {
    "bus_sink": False,
    "bus_source": False,
    "bus_structure": None,
    "coordinate": [8, 8],
    "rotation": 0,
    "state": "enabled",
}

pytestmark = pytest.mark.skipif(not shutil.which("grcc"), reason="no grcc")


def compile_chain(folder, language, *chain, messages=()):
    """grcc's result for blocks (id, parameters), each connected to the next on port 0.

    messages: further blocks, each with the chain's block, its port and the own port to connect
    """
    options = {
        "id": "chain",
        "output_language": language,
        "generate_options": "no_gui",
        "run_options": "run",
    }
    connections = [
        [f"b{n}", port, f"b{len(chain) + k}", own]
        for k, (_, _, n, port, own) in enumerate(messages)
    ]
    chained = len(chain)
    chain = [*chain, *((key, values) for key, values, *_ in messages)]
    names = [f"b{n}" for n in range(len(chain))]
    flowgraph = {
        "options": {"parameters": options, "states": STATES},
        "blocks": [
            {"name": name, "id": key, "parameters": values, "states": STATES}
            for name, (key, values) in zip(names, chain)
        ],
        "connections": connections
        + [[a, "0", b, "0"] for a, b in zip(names[:chained], names[1:chained])],
        "metadata": {"file_format": 1},
    }
    path = folder / "chain.grc"
    path.write_text(yaml.safe_dump(flowgraph))
    return subprocess.run(
        [sys.executable, shutil.which("grcc"), "-o", str(folder), str(path)],
        env={**os.environ, "GRC_BLOCKS_PATH": str(GRC)},
        capture_output=True,
        text=True,
        timeout=120,
    )


SOURCE = ("reservoir_frame_source", {"num_frames": "20"})
METER = ("reservoir_symbol_error_meter", {"frame_source": "b0"})


@pytest.mark.parametrize(
    "middle",
    [
        [("reservoir_software_channel", {"mode": "fixed", "amplifier": "rapp"})],
        [
            ("reservoir_power_amplifier_cc", {"model": "memory_polynomial"}),
            ("reservoir_block_fading_cc", {"doppler": "1e-4"}),
        ],
        [
            (
                "reservoir_block_fading_cc",
                {"power_delay_profile": "[1, 1]", "path_delays": "[0, 2.5]"},
            ),
            ("reservoir_software_channel", {"mode": "named", "profile": "ccir_poor"}),
        ],
    ],
)
def test_python_flowgraph_runs(tmp_path, middle):
    result = compile_chain(tmp_path, "python", SOURCE, *middle, METER)
    script = tmp_path / "chain.py"
    assert script.exists(), result.stdout
    subprocess.run(
        [sys.executable, str(script)],
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def test_cpp_flowgraph_is_generated(tmp_path):
    result = compile_chain(
        tmp_path,
        "cpp",
        SOURCE,
        ("reservoir_power_amplifier_cc", {"model": "memory_polynomial"}),
        ("reservoir_block_fading_cc", {"mode": "fixed", "taps": "[1, 0.5j]"}),
        METER,
    )
    source = tmp_path / "chain" / "chain.cpp"
    assert source.exists(), result.stdout
    text = source.read_text()
    assert "taps_t{{{gr_complex(1.0, 0.0), gr_complex(0.0, 0.5)}}}" in text
    assert "digital::constellation_qpsk::make()" in text


def test_cpp_flowgraph_runs(tmp_path):
    # b0, the frame source, sorts behind no other: the meter's declaration must name it
    result = compile_chain(
        tmp_path,
        "cpp",
        SOURCE,
        ("reservoir_power_amplifier_cc", {"input_backoff_db": "12"}),
        ("reservoir_block_fading_cc", {"mode": "fixed", "taps": "[1, 0.5j]"}),
        ("reservoir_fir_equalizer", {}),
        ("reservoir_phase_loop_cc", {"training_tag": "corr_est"}),
        METER,
        messages=[("blocks_message_debug", {}, 5, "report", "print")],
    )
    assert (tmp_path / "chain" / "chain.cpp").exists(), result.stdout
    output = subprocess.run(
        [str(linked(tmp_path / "chain" / "chain.cpp", tmp_path / "program"))],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    frames = re.findall(r"\(frame \. (\d+)\)", output)
    assert frames == [str(n) for n in range(20)], output
    # of the last frame, and the totals
    last = output[output.rindex("MESSAGE DEBUG PRINT") :]
    symbols = map(int, re.findall(r"\(symbols \. (\d+)\)", last))
    errors = map(int, re.findall(r"\(symbol_errors \. (\d+)\)", last))
    assert sorted(symbols) == [512, 20 * 512] and list(errors) == [0, 0], output


@pytest.mark.parametrize("code", ["cc", "ldpc"])
def test_cpp_packet_receiver_runs(tmp_path, code):
    """Frames that are no packets: each is told of as one whose CRC is wrong."""
    receiver = {
        "type": "qpsk",
        "training_tag": "corr_est",
        "iterations": "1",
        "code": code,
    }
    result = compile_chain(
        tmp_path,
        "cpp",
        SOURCE,
        ("reservoir_packet_receiver", receiver),
        messages=[("blocks_message_debug", {}, 1, "report", "print")],
    )
    assert (tmp_path / "chain" / "chain.cpp").exists(), result.stdout
    output = subprocess.run(
        [str(linked(tmp_path / "chain" / "chain.cpp", tmp_path / "program"))],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    failures = re.findall(r"\(crc_failures \. (\d+)\)", output)
    assert failures == [str(n + 1) for n in range(20)], output


@pytest.mark.parametrize("equalizer", reservoir.detectors())
def test_dropped_blocks_run(tmp_path, equalizer):
    """What a beginner drops from the block list, all defaults, is valid and runs."""
    result = compile_chain(
        tmp_path,
        "python",
        SOURCE,
        ("reservoir_software_channel", {}),
        (f"reservoir_{equalizer}_equalizer", {}),
        METER,
    )
    script = tmp_path / "chain.py"
    assert script.exists(), result.stdout + result.stderr
    run_and_print = "import chain; c = chain.chain(); c.run(); print(c.b3.ser())"
    output = subprocess.run(
        [sys.executable, "-c", run_and_print],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        text=True,
        timeout=120,
    ).stdout
    assert float(output.splitlines()[-1]) < 0.05  # trained: guessing gives 0.75


@pytest.mark.parametrize(
    "key, values",
    [
        ("reservoir_power_amplifier_cc", {"smoothness": "0"}),
        ("reservoir_block_fading_cc", {"doppler": "0.6"}),
        ("reservoir_block_fading_cc", {"path_delays": "[1]"}),
        ("reservoir_software_channel", {"snr_db": "301"}),
        ("reservoir_software_channel", {"path_delays": "[0, 1001, 2, 3, 4, 5]"}),
        ("reservoir_software_channel", {"mode": "named", "sample_rate": "0"}),
    ],
)
def test_values_out_of_range_are_rejected(tmp_path, key, values):
    result = compile_chain(tmp_path, "python", SOURCE, (key, values), METER)
    assert "Assertion" in result.stdout + result.stderr
    assert not (tmp_path / "chain.py").exists()


@pytest.mark.parametrize("code", ["none", "cc", "ldpc"])
def test_packet_blocks_are_generated(tmp_path, code):
    result = compile_chain(
        tmp_path,
        "python",
        ("reservoir_packet_encoder", {"code": code}),
        ("reservoir_pulse_shaper", {}),
        ("reservoir_simulated_air", {"bits": "8", "clock_offset_ppm": "20"}),
        ("reservoir_frame_sync", {}),
        ("reservoir_frame_gate", {}),
        ("reservoir_packet_decoder", {"code": code}),
    )
    script = tmp_path / "chain.py"
    assert script.exists(), result.stdout
    make = "import chain; chain.chain()"
    subprocess.run([sys.executable, "-c", make], check=True, cwd=tmp_path, timeout=60)
