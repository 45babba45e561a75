#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What holds for every test here.

Qt draws into memory: a test needs no display and opens no window on one.
In CI (CI=true) a test that is skipped because something is not installed fails.
"""

import os
import re

import pytest

# For the programs that a test starts, too.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")

# What a machine may lack: radios, the folder shared/ beside the repository, torch (a gigabyte).
MAY_BE_MISSING = re.compile(
    "needs hardware|are not on this machine|is not on this machine|torch is not installed"
)


def is_missing_by_mistake(report):
    if not IN_CI or not report.skipped or hasattr(report, "wasxfail"):
        return False
    return not MAY_BE_MISSING.search(report.longrepr[-1])


def fail_if_missing_by_mistake(report):
    if is_missing_by_mistake(report):
        path, line, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: in CI no test may be skipped, but: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    fail_if_missing_by_mistake((yield).get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    fail_if_missing_by_mistake((yield).get_result())
