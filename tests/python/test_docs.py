#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The documentation as a site: it is made without a warning, links lead somewhere, every block is found."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("docs") / "site"
    options = ["-b", "html", "-E", "-W", "--keep-going", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ROOT / "docs", out],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr  # -W: a warning is an error
    return out


class Page(HTMLParser):
    """Links and anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.add(attributes.get("id"))
        for name in ("href", "src"):
            if attributes.get(name):
                self.links.add(attributes[name])


def test_links_within_the_site_lead_somewhere(site):
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 12
    for path, page in pages.items():
        for link in page.links:
            parts = urlparse(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            assert target.exists(), f"{path.name}: {link}"
            if parts.fragment and target in pages:
                anchors = pages[target].anchors
                assert unquote(parts.fragment) in anchors, f"{path.name}: {link}"


def test_a_search_finds_every_block(site):
    text = (site / "searchindex.js").read_text()
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    found = set(index["terms"]) | {
        entry[-1] if isinstance(entry, list) else entry
        for entries in index["objects"].values()
        for entry in entries
    }
    blocks = set()
    for path in (ROOT / "grc").glob("*.block.yml"):
        blocks |= set(re.findall(r"reservoir\.(\w+)\(", path.read_text()))
    assert len(blocks) > 20
    assert not blocks - found
