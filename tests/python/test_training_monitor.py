#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Training monitor: its history without a window, its drawing on Qt's offscreen platform."""

import os
import subprocess
import sys
import time

import numpy as np
import pmt
import pytest
from gnuradio import digital, gr, reservoir
from gnuradio.reservoir.gui.training_history import receiver_history, training_history
from link_helpers import assert_rejects

RNG = np.random.default_rng(5)
NAN = float("nan")


def doubles(values):
    return pmt.init_f64vector(len(values), [float(value) for value in values])


def points(values):
    return pmt.init_c32vector(len(values), [complex(value) for value in values])


def vector(entries):
    made = pmt.make_vector(len(entries), pmt.PMT_NIL)
    for n, entry in enumerate(entries):
        pmt.vector_set(made, n, entry)
    return made


def message(**entries):
    made = pmt.make_dict()
    for key, value in entries.items():
        value = pmt.from_double(value) if isinstance(value, float) else value
        made = pmt.dict_add(made, pmt.intern(key), value)
    return made


def progress(epoch, **entries):
    return message(epoch=pmt.from_long(epoch), **entries)


def metered(frame, errors, symbols=100, evm_db=-10.0):
    return message(
        frame=pmt.from_uint64(frame),
        symbols=pmt.from_uint64(symbols),
        symbol_errors=pmt.from_uint64(errors),
        evm_db=evm_db,
    )


def learnt_report(losses, eigenvalues, **entries):
    return message(
        loss=doubles(losses),
        eigenvalues=vector(list(map(points, eigenvalues))),
        **entries,
    )


def history(max_frames=20, max_epochs=30):
    return receiver_history(max_frames, max_epochs)


def test_closed_form_report():
    kept = history()
    kept.add_report(
        message(
            mse=0.25,
            evm_db=-6.0,
            seconds=0.002,
            condition_number=doubles([10, 20]),
            poles=points([0.5, 0.5j]),
        )
    )
    assert not kept.has_epochs() and kept.last_epoch() == -1
    assert kept.trainings["loss"].values() == [0.25]
    assert kept.trainings["condition_number"].values() == [20]  # of the last pass
    np.testing.assert_array_equal(kept.poles().last(), np.array([0.5, 0.5j]))
    assert kept.seconds == 0.002


def test_report_of_all_epochs():
    kept = history()
    eigenvalues = [[0.9, 0.1j], [0.95, 0.2j], [1.0, 0.3j]]
    kept.add_report(
        learnt_report(
            [3, 2, 1],
            eigenvalues,
            gradient_norm=doubles([6, 5, 4]),
            condition_number=doubles([100, NAN, 300]),
            held_out_loss=doubles([4, 4, 5]),
        )
    )
    assert kept.has_epochs() and kept.last_epoch() == 2
    assert kept.epochs["loss"].values() == [3, 2, 1]
    assert kept.epochs["gradient_norm"].values() == [6, 5, 4]
    assert kept.epochs["held_out_loss"].values() == [4, 4, 5]
    np.testing.assert_array_equal(
        kept.epochs["condition_number"].values(), [100, NAN, 300]
    )
    np.testing.assert_allclose(kept.poles().values(), eigenvalues)


def test_eigenvalues_that_were_not_computed_leave_gaps():
    kept = training_history(1).receivers[0]
    rows = [[0.1], [NAN], [NAN], [0.2], [NAN]]
    kept.add_report(learnt_report([5, 4, 3, 2, 1], rows))
    assert list(kept.poles().places()) == [0, 3]


def test_progress_grows_and_a_new_training_starts_over():
    kept = history()
    for epoch in range(3):
        kept.add_report(
            progress(epoch, loss=1.0 / (epoch + 1), eigenvalues=points([epoch]))
        )
    kept.add_report(progress(3, loss=doubles([0.125])))  # a vector of one
    np.testing.assert_array_equal(kept.epochs["loss"].places(), range(4))
    assert kept.epochs["loss"].last() == 0.125
    assert len(kept.poles()) == 3

    kept.add_report(message(mse=0.5))  # what it lacks stays as progress told it
    assert len(kept.epochs["loss"]) == 4
    kept.add_report(progress(4, loss=9.0))
    assert kept.epochs["loss"].values() == [9.0]
    kept.add_report(progress(4, loss=8.0))  # no later than the last: begun again
    assert kept.epochs["loss"].values() == [8.0]


def test_the_final_report_replaces_progress():
    kept = history()
    kept.add_report(progress(0, loss=5.0, gradient_norm=1.0))
    kept.add_report(learnt_report([3, 2], [[1], [2]]))
    assert kept.epochs["loss"].values() == [3, 2]
    assert kept.epochs["gradient_norm"].values() == [1.0]
    kept.add_report(learnt_report([4], [[1]]))
    assert kept.epochs["loss"].values() == [4]
    assert len(kept.epochs["gradient_norm"]) == 0  # of another training


def test_memory_is_bounded():
    kept = history(max_frames=20, max_epochs=30)
    kept.add_report(learnt_report(range(1, 101), [[n / 100] for n in range(100)]))
    assert len(kept.epochs["loss"]) == len(kept.poles()) == 30
    np.testing.assert_array_equal(kept.epochs["loss"].places(), range(70, 100))
    for n in range(100):
        kept.add_report(progress(n, loss=1.0, eigenvalues=points([0.1])))
    for n in range(100):
        kept.add_report(message(mse=1.0, poles=points([0.1])))
        kept.add_meter(metered(n, 1))
    for kind in (kept.epochs, kept.trainings, kept.frames):
        assert max(map(len, kind.values())) <= 30
    np.testing.assert_array_equal(kept.frames["errors"].places(), range(80, 100))


@pytest.mark.parametrize(
    "odd",
    [
        pmt.PMT_NIL,
        pmt.PMT_T,
        pmt.from_long(3),
        pmt.intern("loss"),
        pmt.cons(pmt.intern("loss"), pmt.from_double(1.0)),
        message(),
        message(loss=pmt.intern("low"), poles=pmt.intern("few"), epoch=NAN),
        message(poles=points([]), condition_number=doubles([]), mse=NAN),
        message(eigenvalues=vector([points([NAN]), pmt.intern("none")]), loss=NAN),
        progress(0, eigenvalues=points([NAN, 1j]), loss=NAN),
        message(frame=NAN, symbols=NAN, symbol_errors=1.0, evm_db=NAN),
        message(symbols=pmt.from_uint64(0), symbol_errors=pmt.from_uint64(0)),
    ],
)
def test_odd_messages_are_taken(odd):
    kept = history()
    for _ in range(2):
        kept.add_report(odd)
        kept.add_meter(odd)
    latest = kept.poles().last()
    assert latest is None or np.array_equal(latest, [1j])
    kept.symbol_error_rates()


def test_symbol_error_rates():
    kept = history(max_frames=100)
    for n in range(40):
        kept.add_meter(metered(n, 4 if n < 20 else 0))
    frames, rates, averages = kept.symbol_error_rates()
    np.testing.assert_array_equal(frames, range(40))
    np.testing.assert_allclose(rates, [0.04] * 20 + [0.0] * 20)
    np.testing.assert_allclose(averages[:20], 0.04)
    assert averages[29] == pytest.approx(0.02)
    assert averages[39] == pytest.approx(0.5 / 2000)  # half an error
    kept.add_meter(metered(0, 1))  # the flowgraph was started again
    assert kept.frames["errors"].places().tolist() == [0]


@pytest.mark.parametrize("errors, text", [(0, "< 5.0e-04"), (5, "2.5e-03")])
def test_recent_error_rate_as_text(errors, text):
    """Of the last 20 frames; no error is no rate of half an error."""
    history = receiver_history(50, 50)
    for frame in range(30):
        wrong = 50 if frame < 10 else errors if frame == 25 else 0
        history.add_meter(metered(frame, wrong))
    assert history.recent_error_rate() == text


def test_trails():
    kept = history(max_frames=50, max_epochs=300)
    for n in range(60):
        kept.add_report(message(poles=points([n])))
    assert [place for place, _ in kept.poles().newest(3)] == [58, 59, 60]
    assert kept.poles().newest(0) == []
    kept.add_report(learnt_report(np.ones(300), [[n] for n in range(300)]))
    places = [place for place, _ in kept.poles().thinned(5)]
    assert places[0] == 0 and places[-1] == 299 and len(places) == 5
    assert len(set(np.diff(places))) <= 2  # evenly spread


def test_the_package_does_not_import_qt():
    code = (
        "import sys; from gnuradio import reservoir\n"
        "import gnuradio.reservoir.gui.training_history\n"
        "assert not any('PyQt' in name or 'pyqtgraph' in name for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def failure(code, **variables):
    hidden = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": "", **variables}
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **hidden},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert result.returncode == 1, result.stderr
    return result.stderr.strip().splitlines()[-1]


def test_what_is_missing_is_named():
    make = "from gnuradio import reservoir; reservoir.training_monitor()"
    without = "import sys; sys.modules['pyqtgraph'] = None\n"
    said = failure(without + make)
    assert said.startswith("ImportError") and "python3-pyqtgraph" in said
    pytest.importorskip("PyQt5")
    pytest.importorskip("pyqtgraph")
    said = failure(make)
    assert said.startswith("RuntimeError") and "DISPLAY" in said
    said = failure(make, QT_QPA_PLATFORM="offscreen")
    assert said.startswith("RuntimeError") and "QApplication" in said


@pytest.fixture(scope="module")
def application():
    pytest.importorskip("PyQt5")  # before pyqtgraph, which takes the Qt that is loaded
    pytest.importorskip("pyqtgraph")
    from PyQt5 import QtWidgets

    yield QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


def picture(widget, width=1300, height=800):
    """The widget's pixels, (height, width, 3)."""
    widget.resize(width, height)
    widget.redraw()
    image = widget.grab().toImage().convertToFormat(4)  # 32 bits: B, G, R, unused
    pixels = np.frombuffer(
        image.constBits().asstring(image.byteCount()), dtype=np.uint8
    )
    return pixels.reshape(image.height(), image.width(), 4)[:, :, 2::-1]


def count_of(pixels, color):
    wanted = [int(color[n : n + 2], 16) for n in (1, 3, 5)]
    return int(np.all(pixels == wanted, axis=2).sum())


def test_it_draws_what_was_sent(application):
    monitor = reservoir.training_monitor(2, ["ESN", "RNN"])
    widget = monitor.qwidget()
    empty = picture(widget)
    eigenvalues = 0.9 * np.exp(2j * np.pi * RNG.uniform(size=(300, 32)))
    condition = np.full(300, NAN)
    condition[::10] = 1e3
    for n in range(30):
        monitor.history.add_report(0, message(mse=0.1, poles=points([0.3, -0.3j])))
        monitor.history.add_meter(0, metered(n, n % 3))
    losses = np.linspace(2, 1, 300)
    monitor.history.add_report(
        1,
        learnt_report(
            losses,
            eigenvalues,
            gradient_norm=doubles(3 * losses),
            condition_number=doubles(condition),
        ),
    )
    drawn = picture(widget)
    for color in ("#0072B2", "#E69F00"):
        assert count_of(drawn, color) > count_of(empty, color) + 500

    loss, gradient, conditions = widget.epochs
    x, y = loss.curves[1].getOriginalDataset()
    np.testing.assert_array_equal(x, range(300))
    np.testing.assert_allclose(y, losses)
    np.testing.assert_allclose(loss.levels[0].getOriginalDataset()[1], 0.1)
    np.testing.assert_allclose(gradient.curves[1].getOriginalDataset()[1], 3 * losses)
    assert gradient.curves[0].getOriginalDataset()[0] is None  # closed form
    np.testing.assert_array_equal(
        conditions.curves[1].getOriginalDataset()[0], range(0, 300, 10)
    )

    x, y = widget.poles.poles[1].getData()
    np.testing.assert_allclose(x + 1j * y, eigenvalues[-1], atol=1e-6)
    x, y = widget.poles.starts[1].getData()
    np.testing.assert_allclose(x + 1j * y, eigenvalues[0], atol=1e-6)
    counts = [len(dots.getData()[0]) for dots in widget.poles.trails[1]]
    assert sum(counts) == 100 * 32
    edges, percent = widget.histogram.steps[1][0].getData()
    assert percent.sum() == pytest.approx(100)
    assert edges[np.argmax(percent)] <= 0.9 <= edges[np.argmax(percent) + 1]


def test_no_error_is_less_than_one(application):
    from PyQt5 import QtGui

    monitor = reservoir.training_monitor(1, ["ESN"])
    monitor.history.add_meter(0, metered(0, 0))
    widget = monitor.qwidget()
    picture(widget)
    shown = QtGui.QTextDocumentFragment.fromHtml(widget.legend.text()).toPlainText()
    assert "ESN SER < 1.0e-02" in shown


def test_the_circle_is_round(application):
    widget = reservoir.training_monitor(view="poles").qwidget()
    picture(widget, 600, 350)
    width, height = widget.poles.plot.getViewBox().viewPixelSize()
    assert width == pytest.approx(height, rel=0.01)


def test_poles_outside_the_circle_stay_in_sight(application):
    monitor = reservoir.training_monitor(view="poles")
    monitor.history.add_report(0, message(poles=points([1.5, -1.8j])))
    picture(monitor.qwidget(), 400, 400)
    (left, right), (bottom, top) = monitor.qwidget().poles.plot.viewRange()
    assert left < 0 and right > 1.5 and bottom < -1.8 and top > 0


def test_setters_redraw(application):
    monitor = reservoir.training_monitor(1)
    widget = monitor.qwidget()
    eigenvalues = np.linspace(0.1, 0.9, 50)[:, np.newaxis]
    monitor.history.add_report(0, learnt_report(np.ones(50), eigenvalues))
    monitor.set_trail(10)
    monitor.set_histogram_epochs([0, 10, 25])
    picture(widget)
    assert sum(len(dots.getData()[0]) for dots in widget.poles.trails[0]) == 10
    assert "solid: 25, dotted: 10, dashed: 0" in widget.histogram.plot.titleLabel.text
    for epochs in ([], [1, 2, 3, 4, 5]):
        with pytest.raises(ValueError, match="histogram_epochs"):
            monitor.set_histogram_epochs(epochs)
    with pytest.raises(ValueError, match="trail = -1"):
        monitor.set_trail(-1)


@pytest.mark.parametrize(
    "name, value",
    [
        ("num_receivers", 0),
        ("num_receivers", 9),
        ("labels", ["a", "b"]),
        ("view", "loss"),
        ("histogram_epochs", []),
        ("trail", -1),
        ("trail", 501),
        ("trail", 1.7),
        ("num_receivers", 1.5),
    ],
)
def test_invalid_arguments(application, name, value):
    shown = None if isinstance(value, list) else value
    assert_rejects(reservoir.training_monitor, {name: value}, name, shown)


def test_in_a_flowgraph(application):
    qpsk = digital.constellation_qpsk().base()
    pilots = reservoir.random_pilots(qpsk, 64)
    source = reservoir.frame_source(qpsk, pilots, payload_len=200)
    channel = reservoir.software_channel(taps=[1, 0.4j])
    detectors = [reservoir.fir(), reservoir.configured_esn(constellation=qpsk)]
    monitor = reservoir.training_monitor(len(detectors))
    top = gr.top_block()
    top.connect(source, channel)
    for n, detector in enumerate(detectors):
        equalizer = reservoir.equalizer(
            detector, training_sequence=pilots, payload_len=200
        )
        meter = reservoir.symbol_error_meter(qpsk, source)
        top.connect(channel, equalizer, meter)
        top.msg_connect(equalizer, "report", monitor, f"report{n}")
        top.msg_connect(meter, "report", monitor, f"meter{n}")
    top.start()
    fir, esn = monitor.history.receivers
    give_up = time.monotonic() + 20
    while min(len(one.frames["errors"]) for one in (fir, esn)) < 10:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    top.stop()
    top.wait()
    assert len(fir.trainings["loss"]) >= 10 and len(fir.poles()) == 0
    assert len(esn.trainings["loss"]) == len(esn.poles()) >= 10
    assert np.abs(esn.poles().last()).max() < 1


def test_a_single_receivers_ports_as_grc_names_them(application):
    monitor = reservoir.training_monitor()
    monitor._take_report(message(mse=0.5))
    monitor._take_meter0(metered(0, 1))
    (receiver,) = monitor.history.receivers
    assert receiver.trainings["loss"].values() == [0.5]
    assert len(receiver.frames["errors"]) == 1


def test_shared_history_counts_versions():
    shared = training_history(2)
    shared.add_report(1, message(mse=1.0))
    shared.add_meter(0, metered(0, 0))
    assert shared.version == 2
    assert len(shared.receivers[0].trainings["loss"]) == 0
