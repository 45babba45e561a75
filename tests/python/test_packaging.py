#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the files for packagers say of the module. tests/packages builds and installs packages."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())[
    1
]
MANIFEST = yaml.safe_load((ROOT / "MANIFEST.yml").read_text())


@pytest.mark.parametrize(
    "path, pattern",
    [
        ("debian/changelog", r"\A\S+ \(([^)]+)\)"),
        ("packaging/conda/meta.yaml", r'version = "([^"]+)"'),
    ],
)
def test_version_is_the_same(path, pattern):
    assert re.search(pattern, (ROOT / path).read_text())[1] == VERSION


def test_package_is_named_after_the_library():
    name = "libgnuradio-reservoir" + VERSION.rpartition(".")[0]
    assert f"Package: {name}\n" in (ROOT / "debian/control").read_text()


def test_manifest_is_what_cgran_reads():
    assert MANIFEST["version"] == VERSION
    assert MANIFEST["license"] == "GPL-3.0-or-later"
    assert MANIFEST["file_format"] == 1
    # as text: a number 3.10 is 3.1
    assert MANIFEST["gr_supported_version"] == ["3.10"]
    for name in ("tags", "author", "copyright_owner", "dependencies"):
        assert all(isinstance(entry, str) for entry in MANIFEST[name]), name
    for name in ("title", "brief", "description"):
        assert isinstance(MANIFEST[name], str), name
