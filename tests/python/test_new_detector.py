#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""A new detector is three files and three lines: a toy is added to a copy of the source tree.

What it does not change is not compiled again: its objects come from the build that these tests
run from.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gnuradio import reservoir

ROOT = Path(__file__).resolve().parents[2]
TOY = Path(__file__).parent / "toy_detector"
BUILD = Path(reservoir.__file__).parents[3]
LIST = "include/gnuradio/reservoir/detector_kinds.h"
LIBRARY = "lib/CMakeFiles/gnuradio-reservoir.dir"
MODULE = "python/reservoir/bindings/CMakeFiles/reservoir_python.dir"
CACHED = (
    r"CMAKE_(BUILD_TYPE|CXX_COMPILER|CXX_FLAGS\w*|PREFIX_PATH|UNITY_BUILD)"
    r"|\w+_DIR|ENABLE_(WERROR|COVERAGE|SANITIZERS)"
)

pytestmark = pytest.mark.skipif(
    not (BUILD / "CMakeCache.txt").exists(), reason="not run from a build"
)


def run(*command, **options):
    result = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert result.returncode == 0, result.stdout[-8000:]
    return result.stdout


def ignored(folder, names):
    """Builds, and what git keeps."""
    built = [n for n in names if (Path(folder) / n / "CMakeCache.txt").exists()]
    return built + [name for name in names if name in (".git", "__pycache__", "out")]


def insert(path, pattern, line):
    """A line before the first that matches."""
    text = path.read_text()
    match = re.search(pattern, text, flags=re.M)
    path.write_text(text[: match.start()] + line + "\n" + text[match.start() :])


def add_toy(source):
    shutil.copy(TOY / "toy.h", source / "include/gnuradio/reservoir")
    shutil.copy(TOY / "toy.cc", source / "lib/detector")
    shutil.copy(TOY / "toy_python.cc", source / "python/reservoir/bindings")
    insert(source / LIST, r"^    X\(", "    X(toy) \\")
    # behind the others, so that they are compiled together as before
    insert(
        source / "lib/CMakeLists.txt", r"^\)\nset\(block_sources", "    detector/toy.cc"
    )
    insert(
        source / "python/reservoir/bindings/CMakeLists.txt",
        r"^\)\ntarget_link|^\)\n# these",
        "    toy_python.cc",
    )


def includes(source, path, known):
    """Every header of the tree that a file includes, and what those include."""
    if path not in known:
        known[path] = set()
        for name in re.findall(r'^#include ["<]([^">]+)', path.read_text(), flags=re.M):
            folders = [source / "include", source / "lib", path.parent]
            for header in (folder / name for folder in folders):
                if header.exists():
                    header = header.resolve()
                    known[path] |= {header} | includes(source, header, known)
    return known[path]


def knows_the_list(source, path):
    return (source / LIST).resolve() in includes(source, path.resolve(), {})


def unity_sources(root, path):
    """The files that are compiled together, by their places in the tree."""
    names = re.findall(r'^#include "(.+)"', path.read_text(), flags=re.M)
    return [os.path.relpath(name, root) for name in names]


def take_objects(source, build, folder, sources):
    """From the build that there is, but for those that know the list of detectors."""
    taken = [
        f"{path.relative_to(source / sources)}.o"
        for path in sorted((source / sources).rglob("*.cc"))
        if not knows_the_list(source, path)
    ]
    for unity in (build / folder / "Unity").glob("unity_*.cxx"):
        there = BUILD / folder / "Unity" / unity.name
        names = unity_sources(source, unity)
        if there.exists() and unity_sources(ROOT, there) == names:
            if not any(knows_the_list(source, source / name) for name in names):
                taken.append(f"Unity/{unity.name}.o")
    for name in taken:
        if (BUILD / folder / name).exists():
            here = build / folder / name
            here.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(BUILD / folder / name, here)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The copy with the toy, built and generated; its build folder is in it."""
    source = tmp_path_factory.mktemp("with_toy") / "gr-reservoir"
    shutil.copytree(ROOT, source, ignore=ignored, symlinks=True)
    add_toy(source)
    build = source / "build"
    # what is compiled here is not to be fast
    cache = (BUILD / "CMakeCache.txt").read_text()
    options = re.findall(rf"^((?:{CACHED}):\w+=.*)$", cache, flags=re.M)
    environment = {k: v for k, v in os.environ.items() if "COMPILER_LAUNCHER" not in k}
    run(
        *("cmake", "-S", source, "-B", build, "-G", "Unix Makefiles"),
        *(f"-D{option[0]}" for option in options),
        "-DENABLE_TESTING=OFF",
        "-DCMAKE_CXX_FLAGS_RELEASE=-O0 -DNDEBUG",
        env=environment,
    )
    take_objects(source, build, LIBRARY, "lib")
    take_objects(source, build, MODULE, "python/reservoir/bindings")
    log = run("cmake", "--build", build, "-j", "2", "--target", "reservoir_python")
    (source / "compiled").write_text(
        "\n".join(re.findall(r"Building CXX.*/(\S+)\.o", log))
    )
    run(sys.executable, source / "tools/generate", env=environment_of(source))
    return source


def environment_of(tree):
    return {**os.environ, "PYTHONPATH": str(tree / "build/test_modules")}


def python(tree, code, *arguments):
    return run(
        *(sys.executable, "-c", textwrap.dedent(code), *arguments),
        env=environment_of(tree),
    )


def test_little_is_compiled_again(tree):
    compiled = (tree / "compiled").read_text().split()
    assert "detector_kinds.cc" in compiled
    cache = (tree / "build/CMakeCache.txt").read_text()
    if re.search(r"^CMAKE_UNITY_BUILD:\w+=ON$", cache, flags=re.M):
        assert sum(name.startswith("unity_") for name in compiled) <= 2
    else:
        assert {"toy.cc", "toy_python.cc"} <= set(compiled)
        others = {"fir.cc", "fir_python.cc", "parameter.cc", "equalizer_impl.cc"}
        assert not others & set(compiled)


def test_generated_files_have_it(tree):
    block = (tree / "grc/reservoir_toy_equalizer.block.yml").read_text()
    assert "label: One Tap Equalizer" in block
    assert "- ${ 0 <= leakage <= 1 }" in block
    assert (
        "class toy(detector):"
        in (tree / "python/reservoir/reservoir_python.pyi").read_text()
    )
    reference = (tree / "docs/detectors.md").read_text()
    assert (
        "| `leakage` | `0.0` | 0 to 1 | how much the gain is drawn to zero |"
        in reference
    )
    page = (tree / "docs/blocks/toy_equalizer.md").read_text()
    assert page.startswith("# One Tap Equalizer\n")
    # the others are as they were
    for path in sorted((ROOT / "grc").glob("*.yml")):
        assert (tree / "grc" / path.name).read_text() == path.read_text()


def test_it_is_saved_and_loaded_and_runs_in_the_equalizer(tree, tmp_path):
    output = python(
        tree,
        """
        import sys
        import numpy as np
        from gnuradio import blocks, digital, gr, reservoir

        assert list(reservoir.detectors()) == ["toy", "fir", "esn", "configured_esn", "rnn"]
        pilots = reservoir.random_pilots(digital.constellation_qpsk().base(), 64)
        received = 0.5j * np.append(pilots, pilots)
        toy = reservoir.toy(leakage=0.0, phase="corrected")
        report = toy.fit(received, pilots)
        assert abs(toy.gain() + 2j) < 1e-6 and report.mse < 1e-12
        toy.save(sys.argv[1])
        loaded = reservoir.load(sys.argv[1])
        assert type(loaded) is reservoir.toy and loaded.gain() == toy.gain()
        clone = reservoir.toy()
        clone.adopt(loaded)
        assert (clone.detect(received) == toy.detect(received)).all()
        assert "how much the gain is drawn to zero; 0 to 1" in reservoir.toy.__init__.__doc__

        tag = gr.tag_t()
        tag.key, tag.value, tag.offset = gr.pmt.intern("corr_est"), gr.pmt.PMT_T, 0
        source = blocks.vector_source_c(received, False, 1, [tag])
        equalizer = reservoir.equalizer(reservoir.toy(), 1, pilots, payload_len=64)
        sink = blocks.vector_sink_c()
        top = gr.top_block()
        top.connect(source, equalizer, sink)
        top.run()
        assert np.allclose(sink.data(), np.append(pilots, pilots)), sink.data()
        print("done")
        """,
        tmp_path / "toy.detector",
    )
    assert output.endswith("done\n")


def test_it_can_be_chosen_in_the_programs(tree):
    program = tree / "apps/reservoir_receive"
    text = run(sys.executable, program, "--help", env=environment_of(tree))
    assert re.search(r"--detector \{toy,fir,esn,configured_esn,rnn\}", text)


def test_its_arguments_and_files_are_tested(tree):
    """The tests of the tree itself find it: arguments, stub, report keys, and Companion's block."""
    tests = ["test_arguments.py", "test_generated.py", "test_grc_blocks.py"]
    output = run(
        *(
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            "toy or cpp",
        ),
        *("-rA", *(tree / "tests/python" / test for test in tests)),
        env=environment_of(tree),
    )
    for test in (
        "test_arguments.py::test_constructor[toy-leakage-nan]",
        "test_arguments.py::test_rules_between_parameters[toy]",
        "test_generated.py::test_stub_has_the_constructors_parameters[toy]",
        "test_grc_blocks.py::test_is_documented[reservoir_toy_equalizer]",
        "test_grc_blocks.py::test_grc_and_constructor_reject_the_same"
        "[reservoir_toy_equalizer]",
        "test_grc_blocks.py::test_every_cpp_block_compiles",
    ):
        assert f"{test}\n" in output, output[-3000:]
    assert "skipped" not in output.splitlines()[-1]


def test_companion_has_its_block(tree):
    pytest.importorskip("gnuradio.grc.core.platform")
    code = """
        import os, sys
        os.environ["GRC_BLOCKS_PATH"] = sys.argv[1]
        from gnuradio import gr
        from gnuradio.grc.core import platform

        made = platform.Platform(
            version=gr.version(),
            version_parts=(gr.major_version(), gr.api_version(), gr.minor_version()),
            prefs=gr.prefs(),
        )
        made.build_library()
        flow_graph = made.make_flow_graph()
        block = flow_graph.new_block("reservoir_toy_equalizer")
        block.params["id"].set_value("toy_0")
        flow_graph.rewrite()
        flow_graph.validate()
        print([text for text in block.get_error_messages() if "connected" not in text])
        print(block.label, "|", block.documentation[""].splitlines()[0])
        hidden = {key for key in block.params if block.params[key].hide == "all"}
        print(sorted(hidden - {"id"}))
        """
    lines = python(tree, code, tree / "grc").splitlines()[-3:]
    assert lines == [
        "[]",
        "One Tap Equalizer | One complex gain per frame, by least squares on the "
        "training sequence.",
        "['constellation', 'constellation_type', 'num_inputs', 'num_outputs', "
        "'use_history', 'workers']",
    ]
