#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Training monitor: what equalizers and symbol error meters report, drawn while it happens."""

import html
import os

import numpy as np
import pmt

from gnuradio import gr

try:
    from PyQt5 import QtCore, QtWidgets  # before pyqtgraph, which takes what is loaded
    import pyqtgraph
except ImportError as error:
    raise ImportError(
        "reservoir.training_monitor draws with PyQt5 and pyqtgraph: install python3-pyqt5 "
        f"and python3-pyqtgraph ({error})"
    ) from error

if pyqtgraph.Qt.QT_LIB != "PyQt5":  # imported before, with another Qt at hand
    raise ImportError(
        f"reservoir.training_monitor needs pyqtgraph on PyQt5, as GNU Radio's windows are, not on "
        f"{pyqtgraph.Qt.QT_LIB}: set PYQTGRAPH_QT_LIB=PyQt5"
    )

from ..checks import check_integer  # noqa: E402  (after the check)
from . import panels  # noqa: E402
from .training_history import training_history  # noqa: E402

VIEWS = ("everything", "poles")
MAX_RECEIVERS = len(panels.COLORS)
MAX_EPOCHS = len(panels.histogram_panel.STYLES)
EPOCH_TEXTS = {  # title, label of the axis, and what is said where there is nothing
    "loss": (
        "Loss (dotted: held out; dashed: closed form)",
        "mean |e|²",
        "no receiver was trained",
    ),
    "gradient_norm": ("Gradient norm", "‖gradient‖", "no gradient: closed form"),
    "condition_number": ("Condition number", "κ", "no receiver reports it"),
}
UPDATE_MS = 100
_PLATFORM_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def _check_application():
    """Qt ends the process where a widget is made without an application: say it before."""
    if QtWidgets.QApplication.instance() is not None:
        return
    if not any(os.environ.get(name) for name in _PLATFORM_VARIABLES):
        raise RuntimeError(
            "training_monitor needs a display: set DISPLAY, or QT_QPA_PLATFORM=offscreen"
        )
    raise RuntimeError(
        "training_monitor needs a QApplication made before it: in GNU Radio Companion, set "
        "the flowgraph's Generate Options to QT GUI"
    )


class monitor_widget(QtWidgets.QWidget):
    """Draws a training_history; a timer looks whether there is something new."""

    def __init__(self, history, labels, view, histogram_epochs, trail):
        super().__init__()
        self.histogram_epochs = histogram_epochs
        self.trail = trail
        self._history = history
        self._labels = labels
        self._drawn = None  # version of the history, and what else it was drawn with

        self.legend = QtWidgets.QLabel()
        self.legend.setWordWrap(True)
        self.legend.setAlignment(QtCore.Qt.AlignCenter)
        self.legend.setStyleSheet("background: white; color: black; padding: 4px")
        self.diagrams = pyqtgraph.GraphicsLayoutWidget()
        self.diagrams.setBackground("w")
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.legend)
        column.addWidget(self.diagrams, 1)

        if view == "poles":
            self._make_poles()
        else:
            self._make_everything()
        self.redraw()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._redraw_if_seen)
        self._timer.start(UPDATE_MS)

    def _make_poles(self):
        self.setMinimumSize(260, 280)
        self.poles = panels.pole_panel(self.diagrams, len(self._labels))
        self.epochs, self.frames, self.histogram = [], [], None

    def _make_everything(self):
        self.setMinimumSize(720, 480)
        count = len(self._labels)
        self.epochs = [
            panels.epoch_panel(self.diagrams, figure, texts, count, row=0, col=n)
            for n, (figure, texts) in enumerate(EPOCH_TEXTS.items())
        ]
        self.poles = panels.pole_panel(self.diagrams, count, row=1, col=0, rowspan=2)
        self.histogram = panels.histogram_panel(
            self.diagrams, count, row=1, col=1, rowspan=2
        )
        self.frames = [
            panels.error_rate_panel(self.diagrams, count, row=1, col=2),
            panels.evm_panel(self.diagrams, count, row=2, col=2),
        ]

        grid = self.diagrams.ci.layout
        for n in range(3):
            grid.setColumnPreferredWidth(n, 200)  # not by the width of the titles
            grid.setColumnStretchFactor(n, 1)
            grid.setRowPreferredHeight(n, 140)
            grid.setRowStretchFactor(n, 1)

    def _redraw_if_seen(self):
        if self.isVisible():
            self.redraw()

    def redraw(self):
        """Draw the history if it or how it is drawn has changed."""
        wanted = (self._history.version, self.histogram_epochs, self.trail)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        with self._history.lock:
            receivers = self._history.receivers
            for diagram in (*self.epochs, *self.frames):
                diagram.draw(receivers)
            self.poles.draw(receivers, self.trail)
            if self.histogram:
                self.histogram.draw(receivers, self.histogram_epochs, self.trail)
            self.legend.setText(self._legend_text(receivers))

    def _legend_text(self, receivers):
        describe = self._figures if self.histogram else self._spectral_radius
        entries = []
        for color, label, receiver in zip(panels.COLORS, self._labels, receivers):
            entry = f"<b>{html.escape(label)}</b> {html.escape(describe(receiver))}"
            swatch = f"<span style='color: {color}'>■</span>"
            entries.append(f"{swatch}&nbsp;{entry.replace(' ', '&nbsp;')}")
        return " &nbsp; ".join(entries)

    @staticmethod
    def _spectral_radius(receiver):
        latest = receiver.poles().last()
        return "no poles" if latest is None else f"max |p| {np.abs(latest).max():.2f}"

    @staticmethod
    def _figures(receiver):
        """The latest figures, as far as they are there."""
        texts = []
        if receiver.last_epoch() >= 0:
            texts.append(f"epoch {receiver.last_epoch()}")
        if len(receiver.frames["errors"]):
            texts.append(f"SER {receiver.recent_error_rate()}")
        if np.isfinite(receiver.seconds):
            texts.append(f"training {1e3 * receiver.seconds:.1f} ms")
        return ", ".join(texts)


class training_monitor(gr.basic_block):
    """Draws what equalizers and symbol error meters report, in a Qt widget.

    Message ports report0, meter0, report1, meter1, ...: reports of the equalizer and of the symbol
    error meter of each receiver; either may be left open, any entry may be missing or NaN. A single
    receiver's ports are called report and meter as well.

    Against the epoch, for receivers trained by gradient descent: loss (held-out loss dotted),
    gradient norm and condition number. Receivers trained in closed form are dashed levels there
    or, where there are no others, drawn against the training; their loss is the leave-one-out
    error. Poles in the complex plane: eigenvalues at the last epoch, or those of fixed networks
    at the last training, with their trail. Histogram of their moduli. Against the frame: symbol
    error rate and error vector magnitude of the payload, from the meters, or of the pilots.

    The last 500 frames and 2000 epochs are kept, drawn at 10 Hz at most. Needs a QApplication.
    Where a flowgraph ends by itself, GNU Radio ends this block with the first receiver that does.

    num_receivers: 1 ... 8
    labels: a name for each receiver, in the order of the ports; [] numbers them
    view: "everything", or "poles" for the complex plane alone
    histogram_epochs: 1 to 4 epochs whose histograms are drawn; negative ones count from the last
    trail: how many earlier sets of poles are drawn, 0 ... 500
    """

    def __init__(
        self,
        num_receivers=1,
        labels=(),
        view="everything",
        histogram_epochs=(0, -1),
        trail=100,
    ):
        num_receivers = check_integer("num_receivers", num_receivers, 1, MAX_RECEIVERS)
        if len(labels) not in (0, num_receivers):
            raise ValueError(
                f"labels = {labels}: must be num_receivers = {num_receivers} names, or none"
            )
        if view not in VIEWS:
            raise ValueError(f"view = {view!r}: must be one of {VIEWS}")
        _check_application()
        gr.basic_block.__init__(self, "training_monitor", None, None)
        names = labels or [f"receiver {n}" for n in range(num_receivers)]
        self.history = training_history(num_receivers)
        self._widget = monitor_widget(
            self.history, list(map(str, names)), view, histogram_epochs=(), trail=0
        )
        self.set_histogram_epochs(histogram_epochs)
        self.set_trail(trail)
        for n in range(num_receivers):
            # a single receiver's ports have the names that GNU Radio Companion gives them, too
            for number in [str(n), ""] if num_receivers == 1 else [str(n)]:
                self._listen("report" + number, self.history.add_report, n)
                self._listen("meter" + number, self.history.add_meter, n)

    def _listen(self, port, take, receiver):
        def handler(message):
            take(receiver, message)

        # GNU Radio finds a handler by its name, as an attribute of the block.
        handler.__name__ = "_take_" + port
        setattr(self, handler.__name__, handler)
        self.message_port_register_in(pmt.intern(port))
        self.set_msg_handler(pmt.intern(port), handler)

    def qwidget(self):
        """The QWidget, to be placed in a window."""
        return self._widget

    def set_histogram_epochs(self, histogram_epochs):
        """Choose the epochs whose histograms are drawn, 1 to 4."""
        check_integer("len(histogram_epochs)", len(histogram_epochs), 1, MAX_EPOCHS)
        self._widget.histogram_epochs = tuple(map(int, histogram_epochs))

    def set_trail(self, trail):
        """Set how many earlier sets of poles are drawn, 0 ... 500."""
        self._widget.trail = check_integer("trail", trail, 0, 500)
