#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The Python code in README and docs runs as printed, and the files that they link to exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))


def code_blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


def run(code, folder):
    """What it prints, run in a folder of its own."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = os.pathsep.join(os.path.abspath(path) for path in paths if path)
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=paths),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_first_flowgraph_runs(tmp_path):
    blocks = code_blocks(README)
    assert len(blocks) == 1
    assert 0 <= float(run(blocks[0], tmp_path).split()[-1]) < 0.1


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.stem)
def test_code_of_the_docs_runs(page, tmp_path):
    for code in code_blocks(page):
        run(code, tmp_path)


@pytest.mark.parametrize("page", [README, *DOCS], ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_readme_is_short():
    assert len(README.read_text().split()) <= 500
