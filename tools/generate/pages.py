#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""docs/blocks/: a page for every block in Companion, from its .block.yml.

Only the section "Measured" is written by hand: it stays as it is.
"""

import re

import yaml
from reference import table

MEASURED = "## Measured\n"
WRITTEN = """\
<!-- Written by `make generate` from grc/{name}.block.yml. By hand is the section "Measured" alone. -->
"""
INDEX = """\
# Blocks

<!-- Written by `make generate` from the files in grc/. -->

Every block of this module in GNU Radio Companion: what it is for, what was measured with it, an example to open, ports
and parameters. [Which receiver for which link](../choosing.md) helps to choose.
"""
TOC = """\
```{toctree}
:hidden:
:glob:

*
```
"""


def plain(text):
    """As Markdown: nothing in it is markup."""
    return re.sub(r"([*<`\\])", r"\\\1", text)


def python_classes(block):
    return dict.fromkeys(re.findall(r"reservoir\.(\w+)\(", block["templates"]["make"]))


def in_python(block, kinds):
    """What to write there, with links to what is known of the detectors."""
    for name in python_classes(block):
        if name in kinds:
            title = f"{kinds[name]['title']}: reservoir.{name}"
            anchor = re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
            yield f"[`reservoir.{name}`](../detectors.md#{anchor})"
        else:
            yield f"`reservoir.{name}`"


def examples(name, root):
    """Flowgraphs that have the block, those in subfolders last."""
    found = []
    for path in (root / "examples").rglob("*.grc"):
        if re.search(rf"^  id: {name}$", path.read_text(encoding="utf-8"), re.M):
            found.append(path.relative_to(root).as_posix())
    return sorted(found, key=lambda path: (path.count("/"), path))


def sections(text):
    """Text before the first heading, and the text below each."""
    pieces = re.split(r"^(Input|Output|Messages|Parameters):\n", text, flags=re.M)
    parts = {"": pieces[0].strip()}
    for heading, body in zip(pieces[1::2], pieces[2::2]):
        parts[heading] = body.strip("\n")
    # what is said behind the parameters is no parameter
    parts["Parameters"], _, parts["Notes"] = parts["Parameters"].partition("\n\n")
    return parts


def parameters(block, lines):
    """One row per line: several parameters may share one."""
    by_label = {}
    for entry in block["parameters"]:
        by_label[re.sub(r" *\([^)]*\)$", "", entry["label"])] = entry
        by_label[entry["label"]] = entry
    for line in lines.splitlines():
        labels, _, meaning = line.partition(": ")
        entries = [by_label[label] for label in labels.split(", ")]
        yield [
            labels,
            ", ".join(f"`{entry['id']}`" for entry in entries),
            ", ".join(f"`{entry.get('default') or 'empty'}`" for entry in entries),
            plain(meaning),
        ]


def ports(text):
    """Lines of text, and a table of the entries that are set in below one."""
    rows = []
    for line in [*text.splitlines(), ""]:
        entry = re.match(r"    (\{.*?\}|\w+): (.*)", line)
        if entry:
            rows.append([f"`{entry[1]}`", plain(entry[2])])
            continue
        if rows:
            yield table(["entry", "meaning"], rows)
            rows = []
        if line:
            yield plain(line) + "\n"


def by_hand(path):
    """The section that is not generated."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    _, _, rest = text.partition(MEASURED)
    return rest.partition("\n## ")[0].strip()


def page(name, block, kinds, root, measured):
    parts = sections(block["documentation"])
    category = block["category"].partition("/")[2]
    languages = "Python and C++" if "cpp" in block["flags"] else "Python only"
    yield f"# {block['label']}\n"
    yield WRITTEN.format(name=name)
    yield f"In Companion: [Reservoir], {category}; flowgraphs in {languages}. In Python: " + (
        ", ".join(in_python(block, kinds)) + ".\n"
    )
    yield plain(parts[""]) + "\n"
    yield MEASURED
    yield measured + "\n"
    found = examples(name, root)
    if found:
        yield "## Examples to open\n"
        yield "".join(f"- [{path}](../../{path})\n" for path in found)
    for heading in ("Input", "Output", "Messages"):
        if heading in parts:
            yield f"## {heading}\n"
            yield from ports(parts[heading])
    yield "## Parameters\n"
    head = ["in Companion", "in Python", "default", "meaning"]
    yield table(head, parameters(block, parts["Parameters"]))
    if parts["Notes"]:
        yield plain(parts["Notes"]) + "\n"


def index(blocks):
    yield INDEX
    for category in sorted({block["category"] for block in blocks.values()}):
        rows = [
            [f"[{block['label']}]({file}.md)", plain(first_sentence(block))]
            for file, block in sorted(blocks.items())
            if block["category"] == category
        ]
        yield f"## {category.partition('/')[2]}\n"
        yield table(["block", "what it is"], rows)
    yield TOC


def first_sentence(block):
    text = block["documentation"].partition("\n")[0]
    return re.match(r".*?\.(?= |$)", text)[0]


def pages(detectors, generated, root):
    """Path and text of every page; generated: texts of blocks that may not be written yet."""
    kinds = {kind["name"]: kind for kind in detectors}
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in (root / "grc").glob("*.block.yml")
    }
    texts |= {
        name.rpartition("/")[2]: text
        for name, text in generated.items()
        if name.endswith(".block.yml")
    }
    blocks = {}
    files = {}
    for file, text in sorted(texts.items()):
        name, block = file.partition(".")[0], yaml.safe_load(text)
        short = name.removeprefix("reservoir_")
        blocks[short] = block
        path = f"docs/blocks/{short}.md"
        measured = by_hand(root / path)
        files[path] = "\n".join(page(name, block, kinds, root, measured))
    files["docs/blocks/index.md"] = "\n".join(index(blocks))
    return files
