#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The link blocks in GNU Radio Companion, compiled without a window."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

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


def compile_chain(folder, language, *chain):
    """grcc's result for blocks (id, parameters), each connected to the next on port 0."""
    options = {"id": "chain", "output_language": language, "generate_options": "no_gui"}
    names = [f"b{n}" for n in range(len(chain))]
    flowgraph = {
        "options": {"parameters": options, "states": STATES},
        "blocks": [
            {"name": name, "id": key, "parameters": values, "states": STATES}
            for name, (key, values) in zip(names, chain)
        ],
        "connections": [[a, "0", b, "0"] for a, b in zip(names, names[1:])],
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


@pytest.mark.parametrize(
    "key, values",
    [
        ("reservoir_power_amplifier_cc", {"smoothness": "0"}),
        ("reservoir_block_fading_cc", {"doppler": "0.6"}),
        ("reservoir_software_channel", {"snr_db": "301"}),
    ],
)
def test_values_out_of_range_are_rejected(tmp_path, key, values):
    result = compile_chain(tmp_path, "python", SOURCE, (key, values), METER)
    assert "Assertion" in result.stdout + result.stderr
    assert not (tmp_path / "chain.py").exists()


def test_packet_blocks_are_generated(tmp_path):
    result = compile_chain(
        tmp_path,
        "python",
        ("reservoir_packet_encoder", {"code": "cc"}),
        ("reservoir_pulse_shaper", {}),
        ("reservoir_simulated_air", {"bits": "8", "clock_offset_ppm": "20"}),
        ("reservoir_frame_sync", {}),
        ("reservoir_frame_gate", {}),
        ("reservoir_packet_decoder", {"code": "cc"}),
    )
    script = tmp_path / "chain.py"
    assert script.exists(), result.stdout
    make = "import chain; chain.chain()"
    subprocess.run([sys.executable, "-c", make], check=True, cwd=tmp_path, timeout=60)
