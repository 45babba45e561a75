#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Opens flow graphs in GNU Radio Companion's window, as its own program does, and closes it.

    xvfb-run -a /usr/bin/python3 companion.py PICTURE.png FLOWGRAPH.grc...

Ends with an error where a block is missing or Companion finds fault with one.
"""

import sys

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("PangoCairo", "1.0")

from gi.repository import Gdk, GLib, Gtk
from gnuradio import gr
from gnuradio.grc.gui.Platform import Platform  # first: the other needs what it imports

from gnuradio.grc.gui.Application import Application

picture, *files = sys.argv[1:]
faults = []


def look(app):
    pages = app.main_window.get_pages()
    if len(pages) != len(files):
        faults.append(f"{len(pages)} of {len(files)} flow graphs are open")
    for page in pages:
        for block in page.flow_graph.blocks:
            if block.is_dummy_block:
                faults.append(f"{page.file_path}: no block {block.key}")
        for element, message in page.flow_graph.iter_error_messages():
            faults.append(f"{page.file_path}: {element}: {message}")
    while Gtk.events_pending():
        Gtk.main_iteration()
    window = app.main_window.get_window()
    size = window.get_width(), window.get_height()
    Gdk.pixbuf_get_from_window(window, 0, 0, *size).savev(picture, "png", [], [])
    app.quit()


platform = Platform(
    version=gr.version(),
    version_parts=(gr.major_version(), gr.api_version(), gr.minor_version()),
    prefs=gr.prefs(),
    install_prefix=gr.prefix(),
)
platform.build_library()
app = Application(files, platform)
GLib.timeout_add_seconds(2, look, app)  # once it is drawn
app.run()
print(*faults, sep="\n", end="\n" * bool(faults), file=sys.stderr)
raise SystemExit(bool(faults))
