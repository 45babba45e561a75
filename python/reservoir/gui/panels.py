#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The diagrams of the training monitor, drawn with pyqtgraph."""

import numpy as np
from PyQt5 import QtCore, QtGui  # before pyqtgraph, which takes the Qt that is loaded
import pyqtgraph

from .training_history import AVERAGED_FRAMES

# Okabe and Ito's, which colour-blind readers tell apart; the first as in the reports.
COLORS = "#0072B2 #E69F00 #009E73 #D55E00 #CC79A7 #56B4E9 #000000 #F0E442".split()
AXIS_WIDTH = 66  # pixels
AGES = 4  # shades of a trail
MAX_TRAIL_POINTS = 20000  # that are redrawn without a stutter
BIN_WIDTH = 0.05
MAX_MODULUS = 2.0  # of the histogram; poles beyond it are counted in the last bin


def _pen(color, width=2.0, style=QtCore.Qt.SolidLine):
    return pyqtgraph.mkPen(color, width=width, style=style)


def _faded(color, opacity):
    faded = QtGui.QColor(color)
    faded.setAlphaF(opacity)
    return faded


class panel:
    """A diagram with a title and axes, black on white; what is missing is said in words.

    TEXTS: title, label of the x axis, of the y axis, and the words
    """

    LOG = False

    def __init__(self, layout, num_receivers, **cell):
        title, x_label, y_label, nothing = self.TEXTS
        self.colors = COLORS[:num_receivers]
        self.plot = layout.addPlot(**cell)
        # a long title must not widen its column
        self.plot.titleLabel.updateMin = lambda: None
        self.title(title)
        self.plot.showGrid(x=True, y=True, alpha=0.2)
        self.plot.setLogMode(x=False, y=self.LOG)
        self.plot.hideButtons()
        self.plot.getAxis("left").setWidth(AXIS_WIDTH)  # wide enough for 0.0001
        self._nothing = pyqtgraph.LabelItem(nothing, color="#707070")
        self._nothing.setParentItem(self.plot.getViewBox())
        self._nothing.anchor((0.5, 0.5), (0.5, 0.5))
        self.label("bottom", x_label)
        self.label("left", y_label)

    def title(self, text):
        if self.plot.titleLabel.text != text:
            self.plot.setTitle(text, color="k", size="10pt")

    def label(self, side, text):
        axis = self.plot.getAxis(side)
        axis.setPen("k")
        axis.setTextPen("k")
        if axis.labelText != text:
            axis.enableAutoSIPrefix(False)
            axis.setLabel(text)

    def line(self, *pen_arguments, **options):
        pen = _pen(*pen_arguments)
        curve = pyqtgraph.PlotDataItem(pen=pen, antialias=True, **options)
        self.plot.addItem(curve)
        return curve

    def lines(self, *pen_arguments):
        """One for each receiver, in its colour."""
        return [self.line(color, *pen_arguments) for color in self.colors]

    def dots(self, color, size, pen=None):
        brush = None if color is None else pyqtgraph.mkBrush(color)
        dots = pyqtgraph.ScatterPlotItem(size=size, brush=brush, pen=pen)
        self.plot.addItem(dots)
        return dots

    def draw(self, receivers):
        """_draw each; it says whether there is something to see."""
        shown = [self._draw(n, receiver) for n, receiver in enumerate(receivers)]
        self.say_nothing(not any(shown))

    def say_nothing(self, is_empty):
        """Show the words in the middle if there is nothing to draw."""
        self._nothing.setVisible(bool(is_empty))


def _set(curve, x, y, positive=False):
    """Draw the finite values; a logarithmic axis takes none that is not positive.

    What is missing is skipped: a condition number may be there every few epochs only.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    there = np.isfinite(y) & ((y > 0) | (not positive))
    curve.setData(x[there], y[there])
    return there.any()


class epoch_panel(panel):
    """A figure of training against the epoch, logarithmic.

    A receiver that is trained in closed form has no epochs: beside one that has, its latest value
    is a dashed level; among its like, it is drawn against the training.
    """

    LOG = True

    def __init__(self, layout, figure, texts, num_receivers, **cell):
        title, y_label, nothing = texts
        self.TEXTS = title, "epoch", y_label, nothing
        super().__init__(layout, num_receivers, **cell)
        self._figure = figure
        self.curves = self.lines()
        self.levels = self.lines(2, QtCore.Qt.DashLine)
        self.held_out = self.lines(2, QtCore.Qt.DotLine)

    def draw(self, receivers):
        self._epochs = max(receiver.last_epoch() for receiver in receivers)
        self.label("bottom", "epoch" if self._epochs >= 0 else "training")
        super().draw(receivers)

    def _draw(self, n, receiver):
        def show(curve, figure):
            return _set(curve, figure.places(), figure.values(), positive=True)

        if self._figure == "loss":
            show(self.held_out[n], receiver.epochs["held_out_loss"])
        if receiver.has_epochs() or self._figure not in receiver.trainings:
            self.levels[n].setData([], [])
            return show(self.curves[n], receiver.epochs[self._figure])
        figure = receiver.trainings[self._figure]
        if self._epochs < 0:
            return show(self.curves[n], figure)
        self.curves[n].setData([], [])
        latest = figure.last() if len(figure) else np.nan
        return _set(self.levels[n], [0, max(self._epochs, 1)], [latest] * 2, True)


class error_rate_panel(panel):
    """Symbol error rate: dots for frames, a line for their running average."""

    TEXTS = (
        f"SER (dots: frames; line: mean of {AVERAGED_FRAMES})",
        "frame",
        "SER",
        "no symbol error meter has reported",
    )
    LOG = True

    def __init__(self, *place, **cell):
        super().__init__(*place, **cell)
        dots = dict(symbol="o", symbolSize=4, symbolPen=None)
        self.frames = [
            self.line(None, symbolBrush=_faded(color, 0.35), **dots)
            for color in self.colors
        ]
        self.averages = self.lines()

    def _draw(self, n, receiver):
        frames, rates, averages = receiver.symbol_error_rates()
        _set(self.frames[n], frames, rates, positive=True)
        return _set(self.averages[n], frames, averages, positive=True)


class evm_panel(panel):
    """Error vector magnitude of each frame's payload or, unmetered, of its pilots (dotted)."""

    TEXTS = (
        "EVM (dotted: of the pilots)",
        "frame",
        "EVM (dB)",
        "nothing has been received",
    )

    def __init__(self, *place, **cell):
        super().__init__(*place, **cell)
        self.payload = self.lines(1.5)
        self.pilots = self.lines(1.5, QtCore.Qt.DotLine)

    def _draw(self, n, receiver):
        metered, pilots = receiver.frames["evm_db"], receiver.trainings["evm_db"]
        is_metered = _set(self.payload[n], metered.places(), metered.values())
        values = [] if is_metered else pilots.values()
        places = [] if is_metered else pilots.places()
        return _set(self.pilots[n], places, values) or is_metered


class pole_panel(panel):
    """Poles in the complex plane with the unit circle; their trail fades with its age."""

    TEXTS = "Poles", "real part", "imaginary part", "no receiver has poles"

    def __init__(self, *place, **cell):
        super().__init__(*place, **cell)
        self.plot.setAspectLocked(True)
        self._extent = 0.0
        angle = np.linspace(0, 2 * np.pi, 361)
        self.plot.plot(np.cos(angle), np.sin(angle), pen=_pen("k"), antialias=True)
        self.trails = [
            [self.dots(_faded(color, 0.08 + 0.12 * age), 4) for age in range(AGES)]
            for color in self.colors
        ]
        self.starts = [self.dots(None, 8, _pen(color, 1.2)) for color in self.colors]
        self.poles = [self.dots(color, 9, _pen("k", 0.8)) for color in self.colors]

    def draw(self, receivers, trail):
        largest = [self._draw(n, one, trail) for n, one in enumerate(receivers)]
        self._show_extent(max(largest))
        any_epochs = any(len(one.epochs["eigenvalues"]) for one in receivers)
        self.title(f"Poles (dots: before{'; rings: first epoch' * any_epochs})")
        self.say_nothing(max(largest) < 0)

    def _draw(self, n, receiver, trail):
        """Largest modulus that is shown; -1 if the receiver has no poles."""
        trained = receiver.epochs["eigenvalues"]
        figure = receiver.poles()
        if not len(figure):
            self._clear(n)
            return -1
        latest = figure.last()
        count = max(1, min(trail, MAX_TRAIL_POINTS // len(latest)))
        before = (trained.thinned if len(trained) else figure.newest)(count + 1)[:-1]
        before = [points for _, points in before]
        for dots, group in zip(self.trails[n], self._by_age(before)):
            self._place(dots, np.concatenate(group) if group else np.empty(0))
        self._place(self.starts[n], before[0] if len(trained) > 1 else np.empty(0))
        self._place(self.poles[n], latest)
        return max(np.abs(points).max() for points in [*before, latest])

    def _clear(self, n):
        for dots in (*self.trails[n], self.starts[n], self.poles[n]):
            dots.setData([], [])

    @staticmethod
    def _by_age(sets):
        """AGES lists of consecutive sets, the oldest first."""
        bounds = np.linspace(0, len(sets), AGES + 1).astype(int)
        return [sets[a:b] for a, b in zip(bounds, bounds[1:])]

    @staticmethod
    def _place(dots, points):
        dots.setData(points.real.astype(float), points.imag.astype(float))

    def _show_extent(self, largest):
        """Keep the circle in sight, and poles outside it; leave a user's zoom alone."""
        extent = max(1.15, 1.05 * largest)
        if extent > self._extent or extent < 0.8 * self._extent:
            self._extent = extent
            self.plot.setRange(xRange=(-extent, extent), yRange=(-extent, extent))


class histogram_panel(panel):
    """How the poles' moduli are distributed.

    Of a trained network at chosen epochs, the last of them solid; of fixed ones over the trail.
    """

    STYLES = {  # of the chosen epochs, counted from the last
        "solid": QtCore.Qt.SolidLine,
        "dotted": QtCore.Qt.DotLine,
        "dashed": QtCore.Qt.DashLine,
        "dash-dotted": QtCore.Qt.DashDotLine,
    }

    TEXTS = (
        "Moduli of the poles",
        "modulus (1: unit circle)",
        "poles (%)",
        "no receiver has poles",
    )

    def __init__(self, *place, **cell):
        super().__init__(*place, **cell)
        self.plot.addItem(pyqtgraph.InfiniteLine(1.0, pen=_pen("k")))
        self.plot.setLimits(xMin=0, yMin=0)
        self._right = None
        self.steps = [
            [self._steps(color, style) for style in self.STYLES.values()]
            for color in self.colors
        ]

    def _steps(self, color, style):
        is_last = style == QtCore.Qt.SolidLine
        curve = pyqtgraph.PlotCurveItem(
            pen=_pen(color, 2, style),
            fillLevel=0 if is_last else None,
            brush=_faded(color, 0.12) if is_last else None,
        )
        self.plot.addItem(curve)
        return curve

    def draw(self, receivers, epochs, trail):
        chosen = [self._chosen(receiver, epochs, trail) for receiver in receivers]
        right = 1.2
        for curves, sets in zip(self.steps, chosen):
            for curve, (_, points) in zip(curves, sets):
                right = max(right, self._show(curve, np.abs(points)))
            for curve in curves[len(sets) :]:
                curve.setVisible(False)
        if right != self._right:  # else leave a user's zoom alone
            self._right = right
            self.plot.setXRange(0, right)
        self._describe(receivers, chosen)
        self.say_nothing(not any(chosen))

    @staticmethod
    def _chosen(receiver, epochs, trail):
        """Pairs of epoch and its poles, the last chosen epoch first."""
        trained, fixed = receiver.epochs["eigenvalues"], receiver.trainings["poles"]
        if not len(trained):
            sets = [points for _, points in fixed.newest(trail + 1)]
            return [(-1, np.concatenate(sets))] if sets else []
        places, sets = trained.places(), trained.values()
        wanted = [places[-1] + 1 + epoch if epoch < 0 else epoch for epoch in epochs]
        nearest = [int(np.argmin(np.abs(places - epoch))) for epoch in wanted]
        return [(int(places[n]), sets[n]) for n in dict.fromkeys(reversed(nearest))]

    @staticmethod
    def _show(curve, moduli):
        """Draw a histogram; its right edge."""
        last_edge = np.ceil(min(moduli.max(), MAX_MODULUS) / BIN_WIDTH + 1e-6) + 1
        edges = BIN_WIDTH * np.arange(last_edge + 1)
        counts, _ = np.histogram(np.minimum(moduli, MAX_MODULUS), edges)
        curve.setData(edges, 100.0 * counts / len(moduli), stepMode="center")
        curve.setVisible(True)
        return edges[-1]

    def _describe(self, receivers, chosen):
        """Say in the title which epochs are drawn."""
        title = "Poles, moduli"
        for receiver, sets in zip(receivers, chosen):
            if len(receiver.epochs["eigenvalues"]):
                named = [
                    f"{how}: {epoch}" for how, (epoch, _) in zip(self.STYLES, sets)
                ]
                title += f" (epoch {', '.join(named)})"
                break
        self.title(title)
