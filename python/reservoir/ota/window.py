#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The window of reservoir_receive --gui: spectrum, constellations, channel, poles, statistics."""

import os
import signal
import sys
import time

import numpy as np
import pmt

from gnuradio import gr, qtgui, reservoir
from gnuradio.fft import window as fft_window

from PyQt5 import QtCore, QtWidgets, sip  # before pyqtgraph, which takes what is loaded
import pyqtgraph

from .program import Unusable


def widget(block):
    return sip.wrapinstance(block.qwidget(), QtWidgets.QWidget)


def constellation_sink(title):
    sink = qtgui.const_sink_c(1024, title, 1, None)
    sink.set_update_time(0.1)
    sink.set_x_axis(-2, 2)
    sink.set_y_axis(-2, 2)
    sink.enable_autoscale(False)
    sink.disable_legend()
    return sink


class channel_reader(gr.basic_block):
    """Keeps the channel estimate of an equalizer's last report."""

    def __init__(self):
        gr.basic_block.__init__(self, "channel_reader", None, None)
        self.taps = np.zeros(0)
        self.message_port_register_in(pmt.intern("report"))
        self.set_msg_handler(pmt.intern("report"), self._read)

    def _read(self, message):
        antennas = pmt.dict_ref(message, pmt.intern("channel"), pmt.PMT_NIL)
        if pmt.is_vector(antennas) and pmt.length(antennas):
            self.taps = np.abs(pmt.to_python(pmt.vector_ref(antennas, 0)))


class receiver_window(QtWidgets.QWidget):
    """What a receiver_flowgraph receives."""

    def __init__(self, top, arguments):
        super().__init__()
        self._top = top
        self.setWindowTitle(f"gr-reservoir: {arguments.source}, {arguments.detector}")
        spectrum = qtgui.freq_sink_c(
            1024,
            fft_window.WIN_BLACKMAN_hARRIS,
            arguments.frequency,
            arguments.rate,
            "Received",
            1,
            None,
        )
        spectrum.set_update_time(0.1)
        spectrum.set_fft_average(0.2)
        spectrum.disable_legend()
        before = constellation_sink("Before the equalizer")
        after = constellation_sink("After")
        monitor = reservoir.training_monitor(labels=[arguments.detector], view="poles")
        self._channel = channel_reader()
        top.connect(top.samples, spectrum)
        top.connect((top.receiver, 0), before)
        top.connect((top.receiver, 1), after)
        top.msg_connect(top.receiver, "training", monitor, "report0")
        top.msg_connect(top.receiver, "training", self._channel, "report")
        self._blocks = spectrum, before, after, monitor  # kept
        self._layout(spectrum, monitor, before, after)

    def _layout(self, spectrum, monitor, before, after):
        plot = pyqtgraph.PlotWidget(background="w", title="Channel, |h|")
        plot.setLabel("bottom", "sample")
        plot.setYRange(0, 1.5)
        self._bars = pyqtgraph.BarGraphItem(x=[], height=[], width=0.6, brush="#1f77b4")
        plot.addItem(self._bars)
        self._text = QtWidgets.QLabel("waiting for frames")
        self._text.setStyleSheet("font-family: monospace; padding: 4px")

        grid = QtWidgets.QGridLayout(self)
        grid.addWidget(widget(spectrum), 0, 0, 1, 2)
        grid.addWidget(monitor.qwidget(), 0, 2)
        grid.addWidget(widget(before), 1, 0)
        grid.addWidget(widget(after), 1, 1)
        grid.addWidget(plot, 1, 2)
        grid.addWidget(self._text, 2, 0, 1, 3)
        for n in range(3):
            grid.setColumnStretch(n, 1)
        self.resize(1100, 750)

    def show_statistics(self, text):
        self._text.setText(text)

    def show_channel(self):
        taps = self._channel.taps
        if len(taps):
            self._bars.setOpts(x=np.arange(len(taps)), height=taps)


def run(make, arguments, stopped):
    """Runs make(), a receiver_flowgraph, behind a window until that is closed, Ctrl-C or stopped."""
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if not any(os.environ.get(name) for name in variables):
        raise Unusable("--gui needs a display: set DISPLAY, or go on with --no-gui")
    application = QtWidgets.QApplication(sys.argv[:1])
    top = make()
    window = receiver_window(top, arguments)
    begin = time.monotonic()

    def each_second():
        line = top.statistics(time.monotonic() - begin)
        print(line, file=sys.stderr, flush=True)
        window.show_statistics(line)

    def look():
        window.show_channel()
        if stopped.is_set():
            application.quit()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    timers = [(each_second, 1000), (look, 100)]
    kept = []
    for action, interval in timers:
        timer = QtCore.QTimer()
        timer.timeout.connect(action)
        timer.start(interval)
        kept.append(timer)
    window.show()
    top.start()
    application.exec_()
    stopped.set()
    for timer in kept:
        timer.stop()
    top.stop()
    top.wait()
    each_second()
