#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""conftest.py: what is skipped in CI because something is not installed fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
MISSING_MODULE = "import pytest\npytest.importorskip('no_such_module')\n"


def run(folder, ci, text):
    shutil.copy(CONFTEST, folder)
    (folder / "test_it.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder],
        env=dict(os.environ, CI=ci),
        capture_output=True,
        text=True,
        timeout=120,
    )


def skipping(reason):
    return f"import pytest\ndef test_it():\n    pytest.skip({reason!r})\n"


@pytest.mark.parametrize("text", [skipping("x is not installed"), MISSING_MODULE])
def test_not_installed_fails_in_ci_only(tmp_path, text):
    in_ci = run(tmp_path, "true", text)
    assert in_ci.returncode not in (0, 5), in_ci.stdout
    assert "in CI no test may be skipped" in in_ci.stdout
    assert "1 skipped" in run(tmp_path, "", text).stdout


@pytest.mark.parametrize(
    "reason", ["needs hardware", "the recordings are not on this machine"]
)
def test_what_a_machine_may_lack_is_skipped(tmp_path, reason):
    assert "1 skipped" in run(tmp_path, "true", skipping(reason)).stdout


def test_expected_failures_are_none(tmp_path):
    text = "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"
    assert run(tmp_path, "true", text).returncode == 0
