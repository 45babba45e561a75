#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""How Sphinx makes the documentation: make docs. The pages are Markdown, the reference is what the
built module says of itself."""

import re

project = "gr-reservoir"
copyright = "the authors of gr-reservoir"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 3
html_theme = "alabaster"
html_theme_options = dict(
    description="Equalizers for GNU Radio that are trained on the pilots of each frame",
    fixed_sidebar=True,
    page_width="1100px",
)
html_sidebars = {"**": ["about.html", "searchbox.html", "navigation.html"]}
exclude_patterns = ["CMakeLists.txt"]

# what reStructuredText would take for more than text
MARKUP, SPELLED = r"([\\*`_|])", r"\\\1"


def keep_lines(app, what, name, obj, options, lines):
    """Docstrings are plain text, whose lines mean something."""
    text = "\n".join(lines).strip("\n")
    lines[:] = [f"| {re.sub(MARKUP, SPELLED, line)}" for line in text.splitlines()]
    lines.append("")


def link_to_the_repository(app, docname, source):
    """Links out of docs/ lead to files that a page of HTML has no copy of: their names stay."""
    up = docname.count("/") + 1
    outside = rf"\[([^\]]+)\]\((?:\.\./){{{up},}}[^)]*\)"
    source[0] = re.sub(outside, r"`\1`", source[0])


def setup(app):
    app.connect("autodoc-process-docstring", keep_lines)
    app.connect("source-read", link_to_the_repository)
