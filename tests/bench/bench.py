#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Everything that can be timed, in one run on one core: kernels, blocks beside GNU Radio's own and
other libraries', trainings, cost growth, memory. Writes bench.json, bench.md and bench.svg.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/bench.py [--quick] [--parts ...]
"""

import argparse
import contextlib
import functools
import json
import multiprocessing
import os
import subprocess
import tempfile
import threading
import time
from operator import itemgetter
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
import numpy as np
import ofdm_rates
import peers
import pmt
from bench_report import (
    ESN,
    FIR,
    FIR_LINEAR,
    FRAME,
    LMS,
    POLES,
    POLES_PLAIN,
    POLES_TANH,
    QAM_SEARCH,
    QPSK_SEARCH,
    RADIO_TO_BYTES,
    RATE,
    SAMPLE_RATE,
    Row,
    judge,
    write,
)
from gnuradio import blocks, digital, filter, gr, reservoir
from gnuradio.reservoir.report import page
from gnuradio.reservoir.ota.receiver import receiver
from radio import burst_samples, radio_arguments, record_bursts
from real_time import streams
from tqdm import tqdm

KERNELS = Path(__file__).parents[2] / "build/tests/bench/bench_kernels"
PILOTS, PAYLOAD, BETWEEN_TRAININGS = 64, 512, 1216
CHANNEL = [0.5 + 0.2j, 1, -0.4 + 0.5j, 0.2j, 0.1, 0.05j]
CAN_PIN = hasattr(os, "sched_setaffinity")
ALL_CORES = os.sched_getaffinity(0) if CAN_PIN else None


def use(cores):
    if CAN_PIN:
        os.sched_setaffinity(0, cores)


@contextlib.contextmanager
def all_cores():
    pinned = os.sched_getaffinity(0) if CAN_PIN else None
    use(ALL_CORES)
    yield
    use(pinned)


class Signal:
    """Symbols, and what a channel of six taps makes of them."""

    def __init__(self, constellation, noise, count=8192):
        rng = np.random.default_rng(1)
        points = np.array(constellation.points(), np.complex64)
        self.constellation = constellation.base()
        self.symbols = points[rng.integers(0, len(points), count)]
        noise = noise * (rng.standard_normal(count) + 1j * rng.standard_normal(count))
        received = np.convolve(self.symbols, CHANNEL)[:count] + noise
        self.received = received.astype(np.complex64)
        self.pilots = self.symbols[:PILOTS]


QPSK = Signal(digital.constellation_qpsk(), 0.1)
QAM16 = Signal(digital.constellation_16qam(), 0.03)
TAPS = np.random.default_rng(2).standard_normal((81, 2)) @ [1, 1j]


def best_of(runs, measures, best=max):
    """The best figure of each and, where there is none, why. Measured in turns, so that what else
    the machine does meets all alike."""
    figures, reasons = dict.fromkeys(measures), dict.fromkeys(measures, "")
    for _ in range(runs):
        for name, measure in measures.items():
            if reasons[name]:
                continue
            try:
                figure = measure()
            except peers.NotInstalled:
                reasons[name] = "not installed"
                continue
            known = figures[name] is not None
            figures[name] = best(figures[name], figure) if known else figure
    return {name: (figures[name], reasons[name]) for name in measures}


def least(options, seconds_of):
    """Of as many calls as fit into a run's share of the time the one that tells the fewest seconds."""
    times, end = [], peers.clock() + options.seconds / options.runs
    while not times or peers.clock() < end:
        times.append(seconds_of())
    return min(times)


def flowgraph(block, source, count):
    top = gr.top_block()
    head = blocks.head(gr.sizeof_gr_complex, count)
    top.connect(source, head, block, blocks.null_sink(gr.sizeof_gr_complex))
    return top


def flowgraph_rate(seconds, make_block, received=QPSK.received, tags=()):
    """Symbols a second, the scheduler and both ends included."""
    samples, count, rate = received.tolist(), 20_000, 0.0
    for _ in range(2):  # the first finds how many symbols fill the time
        count = max(count, int(rate * seconds))
        source = blocks.vector_source_c(samples, True, 1, list(tags))
        top = flowgraph(make_block(), source, count)
        rate = count / peers.timed(top.run)
    return rate


def trained(detector, signal=QPSK):
    detector.fit(signal.received, signal.pilots)
    return reservoir.equalizer(detector, 1, signal.pilots)


def configured(signal=QPSK, **settings):
    return reservoir.configured_esn(
        constellation=signal.constellation, max_frequency_offset=0, **settings
    )


def adaptive(equalizer, algorithm, *taps, adapt=True):
    rule = getattr(digital, f"adaptive_algorithm_{algorithm}")(QPSK.constellation, 0.01)
    return equalizer(*taps, 1, rule.base(), adapt, [], "")


def linear_equalizer(algorithm, **settings):
    return lambda: adaptive(digital.linear_equalizer, algorithm, 16, **settings)


def decision_feedback_equalizer(**settings):
    return lambda: adaptive(
        digital.decision_feedback_equalizer, "lms", 16, 8, **settings
    )


# group: {name: block}; blocks of others do not begin with "reservoir "
BLOCKS = {
    "Filters of 24 and 32 taps": {
        "reservoir fir, 24 taps": lambda: trained(reservoir.fir()),
        FIR: lambda: trained(reservoir.fir(32)),
        "filter.fir_filter_ccc, 32 taps": lambda: filter.fir_filter_ccc(1, TAPS[:32]),
        "filter.fft_filter_ccc, 32 taps": lambda: filter.fft_filter_ccc(1, TAPS[:32]),
    },
    "Filters of 81 taps": {
        FIR_LINEAR: lambda: trained(configured(feedback=False, refits=0)),
        "filter.fir_filter_ccc, 81 taps": lambda: filter.fir_filter_ccc(1, TAPS),
        "filter.fft_filter_ccc, 81 taps": lambda: filter.fft_filter_ccc(1, TAPS),
    },
    "Networks, and linear equalizers that adapt": {
        ESN: lambda: trained(reservoir.esn()),
        "reservoir esn, 32 neurons, window 24, linear": lambda: trained(
            reservoir.esn(activation="identity")
        ),
        "reservoir rnn, 32 neurons, window 8": lambda: trained(reservoir.rnn()),
        "digital.linear_equalizer, LMS, 16 taps": linear_equalizer("lms"),
        "digital.linear_equalizer, NLMS, 16 taps": linear_equalizer("nlms"),
        "digital.linear_equalizer, 16 taps, frozen": linear_equalizer(
            "lms", adapt=False
        ),
    },
    "Decision feedback": {
        QPSK_SEARCH: lambda: trained(configured(refits=0)),
        QAM_SEARCH: lambda: trained(configured(QAM16, refits=0), QAM16),
        "digital.decision_feedback_equalizer, 16 + 8 taps": decision_feedback_equalizer(),
        "digital.decision_feedback_equalizer, 16 + 8 taps, frozen": (
            decision_feedback_equalizer(adapt=False)
        ),
    },
}
LIBRARIES = {
    "numpy as in pyESN, 32 neurons, window 24": lambda: peers.numpy_esn(
        fitted(reservoir.esn()), QPSK.received
    ),
    "reservoirpy, 32 neurons, window 24": lambda: peers.reservoirpy_esn(
        QPSK.received, QPSK.pilots
    ),
    "torch.nn.RNN, 32 neurons, window 24": lambda: peers.torch_rnn(QPSK.received),
    "liquid-dsp eqlms, 16 taps": lambda: peers.liquid(
        "eqlms", QPSK.received, QPSK.symbols
    ),
    "liquid-dsp eqrls, 16 taps": lambda: peers.liquid(
        "eqrls", QPSK.received, QPSK.symbols
    ),
}


def fitted(detector):
    detector.fit(QPSK.received, QPSK.pilots)
    return detector


@functools.lru_cache
def kernel_runs(program, runs, seconds, which="."):
    """Of each benchmark that the expression names the run with the highest rate."""
    done = subprocess.run(
        [
            program,
            "--benchmark_format=json",
            f"--benchmark_min_time={seconds}",
            f"--benchmark_repetitions={runs}",
            "--benchmark_enable_random_interleaving=true",
            f"--benchmark_filter={which}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    fastest = {}
    # they are measured in turns, and told in the order in which they ended
    found = json.loads(done.stdout)["benchmarks"]
    as_listed = itemgetter("family_index", "per_family_instance_index")
    for run in sorted(found, key=as_listed):
        name = run["run_name"]
        if run["run_type"] == "iteration" and (
            name not in fastest or run["cpu_time"] < fastest[name]["cpu_time"]
        ):
            fastest[name] = run
    return fastest


def kernel_figures(options):
    if not options.kernels.exists():
        return {}
    return kernel_runs(options.kernels, options.runs, options.seconds / 2)


def flop_rates(run):
    """Counter and operations a second, if the kernel counts them."""
    for counter in ("flop", "flop_double"):
        if counter in run:
            yield counter, run[counter] * run["items_per_second"]


def kernels(options):
    """The inner loops alone (bench_kernels). Items are symbols, or pilots trained on; the peak is
    of fused multiply-adds on registers, of the kernel's precision; memory is copied."""
    figures = kernel_figures(options)
    if not figures:
        yield Row("bench_kernels", None, "Mitem/s", note="not built")
        return
    peaks = {}
    for name, run in figures.items():
        if "bytes_per_second" in run:
            yield Row(name, run["bytes_per_second"] / 1e9, "GB/s")
        for counter, rate in flop_rates(run):
            peak = peaks.setdefault(counter, rate)  # fma_peak comes first
            yield Row(name, rate / 1e9, "Gflop/s")
            yield Row(name, 100 * rate / peak, "% of FMA peak")
        if "items_per_second" in run and not name.startswith("fma_peak"):
            yield Row(name, run["items_per_second"] / 1e6, "Mitem/s")
    missing = [name for name in (POLES, POLES_TANH, POLES_PLAIN) if name not in figures]
    for name in missing:
        unit = "% of FMA peak" if name == POLES else "Mitem/s"
        yield Row(name, None, unit, note="no kernel of that form")


def block_measures(options):
    """By name."""
    return {
        name: functools.partial(
            flowgraph_rate,
            options.seconds,
            make,
            QAM16.received if name == QAM_SEARCH else QPSK.received,
        )
        for makes in BLOCKS.values()
        for name, make in makes.items()
    }


def block_rates(options):
    """Blocks that are trained once, between a vector source and a null sink: the scheduler and both
    ends are part of the figure, the same for all. In the last group libraries without a
    flowgraph: reservoirpy and torch.nn.RNN with real neurons, a third of the work of complex
    ones; liquid-dsp trains on known symbols."""
    groups = BLOCKS | {"Libraries, outside of a flowgraph": LIBRARIES}
    figures = best_of(options.runs, block_measures(options) | LIBRARIES)
    for group, makes in groups.items():
        for name in makes:
            rate, note = figures[name]
            peer = not name.startswith("reservoir ")
            value = None if note else rate / 1e6
            yield Row(name, value, RATE, group=group, peer=peer, note=note)


TRAININGS = {
    "fir, 24 taps": reservoir.fir,
    "esn, 32 neurons, window 24": reservoir.esn,
    "configured_esn, linear": lambda: configured(feedback=False, refits=0),
    "configured_esn": configured,
}


def fit_seconds(options, pilots, detector):
    symbols = QPSK.symbols[:pilots]
    return least(options, lambda: detector.fit(QPSK.received, symbols).seconds)


def points_of(options, sizes, measure, *arguments):
    """Size: seconds."""
    measures = {
        size: functools.partial(measure, options, size, *arguments) for size in sizes
    }
    best = best_of(options.runs, measures, min)
    return {size: seconds for size, (seconds, _) in best.items()}


def slope(points):
    """The exponent over the upper half of the sizes, on a logarithmic scale."""
    sizes, seconds = np.array(sorted(points.items())).T
    upper = sizes >= 0.999 * np.sqrt(sizes[0] * sizes[-1])
    return np.polyfit(np.log(sizes[upper]), np.log(seconds[upper]), 1)[0]


def trainings(options):
    """Training by itself, µs, as the report tells it. λ is found by leave-one-out unless it is
    given. The exponent is of the time over the number of pilots, 128 to 512. The ridge
    regressions are those of bench_kernels."""
    for name, make in TRAININGS.items():
        points = points_of(options, (32, 64, 128, 256, 512), fit_seconds, make())
        for pilots, seconds in points.items():
            yield Row(name, 1e6 * seconds, "µs", f"{pilots} pilots")
        yield Row(name, slope(points), "exponent")
    for kernel, how in (
        ("ridge_leave_one_out", "leave-one-out"),
        ("ridge_given_lambda", "given λ"),
    ):
        run = kernel_figures(options).get(f"{kernel}/64/56")
        name = f"ridge, 64 rows, 56 features, {how}"
        note = "" if run else "not built"
        yield Row(name, run and run["real_time"], "µs", note=note)


def frame_seconds(options, detector, payload=PAYLOAD):
    receive = functools.partial(
        detector.receive, QPSK.received, QPSK.pilots, payload_len=payload
    )
    return least(options, lambda: peers.timed(receive))


def frame_measures(options):
    """Seconds, by name."""
    of = f"frame of {PILOTS} + {PAYLOAD} symbols, configured_esn"
    detectors = {
        f"{of}, no refit": configured(refits=0, tracking="off"),
        FRAME: configured(tracking="off"),
        f"{of}, 2 refits, any carrier offset": reservoir.configured_esn(tracking="off"),
    }
    return {
        name: functools.partial(frame_seconds, options, detector)
        for name, detector in detectors.items()
    }


def frames(options):
    """A whole frame of 64 pilots and 512 QPSK symbols, training included, by receive()."""
    figures = best_of(options.runs, frame_measures(options), min)
    for name, (seconds, _) in figures.items():
        yield Row(name, 1e3 * seconds, "ms")


def detect_seconds(options, detector, antennas=1):
    """Seconds a symbol."""
    received = np.tile(QPSK.received, (antennas, 1))
    detector.fit(received, QPSK.pilots)
    seconds = least(options, lambda: peers.timed(detector.detect, received))
    return seconds / len(QPSK.received)


GROWTHS = {
    "esn, neurons": (
        [8, 16, 32, 64, 128, 256, 512],
        lambda options, n: detect_seconds(options, reservoir.esn(n)),
    ),
    "esn, window": (
        [4, 8, 16, 32, 64],
        lambda options, n: detect_seconds(options, reservoir.esn(32, n, n // 2)),
    ),
    "esn, antennas": (
        [1, 2, 3, 4],
        lambda options, n: detect_seconds(options, reservoir.esn(num_inputs=n), n),
    ),
    "configured_esn, survivors": (
        [2, 4, 8, 16, 32],
        lambda options, n: detect_seconds(options, configured(survivors=n, refits=0)),
    ),
    "configured_esn, symbols of a frame": (
        [256, 512, 1024, 2048, 4096],
        lambda options, n: frame_seconds(options, configured(tracking="off"), n),
    ),
}


def growth(options):
    """How the time a symbol (of the last row: a frame) grows with a size, all else as by default:
    the exponent over the upper half of the sizes, and the times."""
    for name, (sizes, measure) in GROWTHS.items():
        points = points_of(options, sizes, measure)
        microseconds = {size: 1e6 * seconds for size, seconds in points.items()}
        yield Row(name, slope(points), "exponent", points=microseconds)


def resident_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def kept_flowgraphs(make, count):
    kept = []
    for _ in range(count):
        source = blocks.vector_source_c(QPSK.received.tolist(), True)
        top = flowgraph(make(), source, 20_000)
        top.run()
        kept.append(top)
    return kept


def grown_kib(name, count):
    """In a process of its own: KiB a flowgraph with this block."""
    makes = {name: make for group in BLOCKS.values() for name, make in group.items()}
    make = makes.get(name, lambda: blocks.copy(gr.sizeof_gr_complex))
    kept = kept_flowgraphs(make, 3)  # what is loaded and set up once
    before = resident_kib()
    kept += kept_flowgraphs(make, count)
    return (resident_kib() - before) / count


def memory(options):
    """Growth of resident memory (VmRSS) a flowgraph of source, head, block and sink that has run
    and is kept, over 20 of them in a process of its own; less that of blocks.copy, whose buffers
    are the same."""
    count = 3 if options.quick else 20
    names = ["blocks.copy"] + [name for group in BLOCKS.values() for name in group]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        grown = pool.starmap(grown_kib, [(name, count) for name in names], chunksize=1)
    for name, kib in zip(names[1:], grown[1:]):
        yield Row(name, kib - grown[0], "KiB")


def tag(offset=0, key="corr_est"):
    made = gr.tag_t()
    made.offset, made.key, made.value = offset, pmt.intern(key), pmt.PMT_T
    return made


def retraining(options):
    """The esn in a stream, tags every 1216 symbols."""
    received = QPSK.received[:BETWEEN_TRAININGS]

    def frozen():
        equalizer = trained(reservoir.esn())
        equalizer.set_freeze(True)
        return equalizer

    measures = {
        f"esn, {name}": functools.partial(
            flowgraph_rate, options.seconds, make, received, tags
        )
        for name, make, tags in (
            ("trained once", lambda: trained(reservoir.esn()), []),
            ("tags, but frozen", frozen, [tag()]),
            (
                f"trained every {BETWEEN_TRAININGS} symbols",
                lambda: trained(reservoir.esn()),
                [tag()],
            ),
            (
                f"trained every {BETWEEN_TRAININGS} symbols, given λ",
                lambda: trained(reservoir.esn(regularization=0.01)),
                [tag()],
            ),
        )
    }
    for name, (rate, _) in best_of(options.runs, measures).items():
        yield Row(name, rate / 1e6, RATE)


def epoch_seconds(neurons, received, pilots, epochs=100):
    network = reservoir.rnn(num_neurons=neurons, epochs=epochs, eigenvalues_every=0)
    return network.fit(received, pilots).seconds / epochs


def torch_epoch_seconds(neurons, received, pilots):
    weights = reservoir.rnn(num_neurons=neurons).weights()[:3]
    return peers.torch_epoch(weights, 4, received, pilots)


def epochs(options):
    """One epoch of training the recurrent network, window 8, and of the same network in torch."""
    sizes = [(32, 64), (32, 512)] + [(128, 512)] * (not options.quick)
    measures = {
        f"{name}, {neurons} neurons, {pilots} pilots": functools.partial(
            measure, neurons, QPSK.received, QPSK.symbols[:pilots]
        )
        for neurons, pilots in sizes
        for name, measure in (("rnn", epoch_seconds), ("torch", torch_epoch_seconds))
    }
    for name, (seconds, note) in best_of(options.runs, measures, min).items():
        yield Row(name, None if note else 1e3 * seconds, "ms", note=note)


def background_rate(training, count):
    """Symbols a second, KiB by which memory grew over the second half, trainings skipped."""
    detector = reservoir.rnn(epochs=10**6, eigenvalues_every=0)
    briefly = detector.clone()
    briefly.cancel()  # its training ends after one epoch
    detector.adopt(fitted(briefly))
    block = reservoir.equalizer(detector, 1, QPSK.pilots, background_training=training)
    block.set_freeze(not training)
    source = blocks.vector_source_c(QPSK.received[:264].tolist(), True, 1, [tag()])
    top = flowgraph(block, source, count)
    start, memory = time.perf_counter(), []
    top.start()
    waiting = threading.Thread(target=top.wait)
    waiting.start()
    while waiting.is_alive():
        memory.append(resident_kib())
        time.sleep(0.01)
    rate = count / (time.perf_counter() - start)
    grown = memory[-1] - memory[len(memory) // 2]
    return rate, grown, block.skipped_trainings()


def background(options):
    """The rnn in a flowgraph, a tag every 264 symbols, on all cores: frozen, and beside a training
    in the background that never ends. KiB: growth of memory over the second half; a training
    keeps the figures of all its epochs."""
    count = 200_000 if options.quick else 5_000_000
    with all_cores():
        for name, training in (("frozen", False), ("trained in the background", True)):
            rate, grown, skipped = background_rate(training, count)
            yield Row(f"rnn, {name}", rate / 1e6, RATE)
            yield Row(f"rnn, {name}", grown, "KiB")
            yield Row(f"rnn, {name}", skipped, "trainings skipped")


def frame_equalizer(workers):
    settings = dict(training_sequence=QPSK.pilots, payload_len=PAYLOAD, workers=workers)
    return reservoir.equalizer(configured(tracking="off"), **settings)


def workers(options):
    """Whole frames (2 refits) through equalizer(payload_len=512), on all cores."""
    frame = PILOTS + PAYLOAD + 64
    received = np.append(QPSK.received[: frame - 64], np.zeros(64, np.complex64))
    with all_cores():
        for count in (1, 2):
            make = functools.partial(frame_equalizer, count)
            measure = functools.partial(
                flowgraph_rate, options.seconds, make, received, [tag()]
            )
            rate = max(measure() for _ in range(options.runs)) / frame
            yield Row(f"workers = {count}", rate, "frame/s")


def real_time_measures(options):
    """By name."""

    def measure(frames, **settings):
        tags = [tag(start) for start in frames.starts]
        make = functools.partial(frames.equalizer, **settings)
        rate = flowgraph_rate(options.seconds, make, frames.samples, tags)
        return rate * frames.symbols_per_sample

    measures = {}
    for name, frames in streams().items():
        measures[name] = functools.partial(measure, frames)
        if "f_dT 1e-4" in name:
            adapting = functools.partial(measure, frames, stream=True)
            measures[f"{name}, adapting stream"] = adapting
    return measures


def real_time(options):
    """The complete configured ESN at its default parameters in a flowgraph, frames of
    real_time.py; symbols are pilots and payload."""
    lms = functools.partial(flowgraph_rate, options.seconds, linear_equalizer("lms"))
    measures = {LMS: lms, **real_time_measures(options)}
    for name, (rate, note) in best_of(options.runs, measures).items():
        yield Row(name, rate / 1e6, RATE, note=note)


def received_rate(options, path, detector, payload, cores):
    """Samples a second, from a file to packets."""
    use(CAN_PIN and sorted(ALL_CORES)[:cores])
    frames, rate = 8, 0.0
    for _ in range(2):  # the first finds how many frames fill the time
        frames = max(frames, int(rate * options.seconds / burst_samples(payload)))
        count = frames * burst_samples(payload)
        top = gr.top_block()
        top.connect(
            blocks.file_source(gr.sizeof_gr_complex, str(path), True),
            blocks.head(gr.sizeof_gr_complex, count),
            receiver(radio_arguments(detector, payload, cores), live=False),
        )
        rate = count / peers.timed(top.run)
    return rate


def radio_to_bytes(options):
    """What reservoir_receive does between a radio and the bytes, from a file: frame sync, gate,
    equalizer, phase loop, packet decoder; bursts of 64 pilots and QPSK symbols over six Rayleigh
    paths at 20 dB, two samples per symbol. With two cores frames are equalized two at a time.
    """
    payloads = (512,) if options.quick else (512, 2048, 4096)
    with tempfile.TemporaryDirectory() as folder, all_cores():
        for payload in payloads:
            path = Path(folder) / f"{payload}.cf32"
            record_bursts(path, 24, payload)
            for cores in (1, 2):
                measures = {
                    detector: functools.partial(
                        received_rate, options, path, detector, payload, cores
                    )
                    for detector in ("fir", "esn", "configured_esn")
                }
                there = not CAN_PIN or len(ALL_CORES) >= cores
                figures = best_of(options.runs, measures) if there else {}
                for detector in measures:
                    rate, _ = figures.get(detector, (None, ""))
                    yield Row(
                        RADIO_TO_BYTES.format(detector, payload),
                        rate and rate / 1e6,
                        SAMPLE_RATE,
                        f"{cores} core{'s' * (cores > 1)}",
                        note="" if there else "fewer cores",
                    )


def ofdm(options):
    """MIMO-OFDM frames in a flowgraph, from samples to data symbols: 2 × 2 antennas, 64 carriers of
    which 52 are used, 4 pilot and 12 data symbols, 16-QAM behind amplifiers. Symbols are those of
    all data carriers and streams. The receiver in numpy has no flowgraph."""
    measures = ofdm_rates.measures(options.seconds)
    for name, (rate, note) in best_of(options.runs, measures).items():
        yield Row(name, rate / 1e6, RATE, peer=name == ofdm_rates.NUMPY, note=note)


PARTS = {
    "kernels": kernels,
    "blocks": block_rates,
    "trainings": trainings,
    "frames": frames,
    "growth": growth,
    "memory": memory,
    "retraining": retraining,
    "epochs": epochs,
    "background": background,
    "workers": workers,
    "real time": real_time,
    "radio to bytes": radio_to_bytes,
    "ofdm": ofdm,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder")
    parser.add_argument("--quick", action="store_true", help="a smoke test, no figures")
    parser.add_argument("--runs", type=int, help="the best of so many counts (5)")
    parser.add_argument("--kernels", type=Path, default=KERNELS, help="bench_kernels")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="only these"
    )
    options = parser.parse_args()
    options.runs = options.runs or (1 if options.quick else 5)
    options.seconds = 0.01 if options.quick else 0.4
    return options


def main():
    options = arguments()
    summary = dict(
        date=page.date(),
        machine=page.machine() | {"load": os.getloadavg()[0]},
        versions=page.versions() | peers.installed_versions(),
        runs=options.runs,
    )
    if CAN_PIN:
        use({min(ALL_CORES)})
    rows = []
    for part in tqdm(options.parts, disable=None):
        for row in PARTS[part](options):
            row.part = part
            rows.append(row)
    judge(rows)
    captions = {part: PARTS[part].__doc__ for part in options.parts}
    write(options.out, summary, rows, captions)
    print((options.out / "bench.md").read_text(), end="")
    for name in ("bench.json", "bench.md", "bench.svg"):
        print(options.out / name)


if __name__ == "__main__":
    main()
