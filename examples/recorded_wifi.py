#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Equalizes recorded 802.11a/n frames in the time domain, scored against the truth.

Timing and carrier offset of each frame are given; of its samples a receiver knows only
the long training field (11a) or the HT-LTF (11n). It is trained on these, equalizes the
whole frame sample by sample, and only then come the FFT, the common phase of the four
pilot carriers, and the comparison with what was sent (EVM: error vector magnitude; SER:
symbol error rate). Prints a table; writes recorded_wifi.png (constellations before and
after) and recorded_wifi.json (every frame).
"""

import argparse
import json
import sys
import textwrap
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from gnuradio import reservoir

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "recordings"

# The access point of the conducted captures does not send the first five samples of the
# 11a training waveform as the standard writes them (equalized, their error is as large
# as the signal, in every frame; in 11n it is two samples). They lie in the guard, where
# a transmitter may still turn from one symbol to the next: no receiver is trained on them.
SKIPPED = 5
# Samples beyond the last one of the frame that a receiver may look at.
TAIL = 48

# One setting for all captures. fir and esn: their defaults; 24 samples, 1.2 µs at 20
# MHz, are more than the guard of 0.8 µs that the channel has to fit in, and a delay of
# half of them serves both sides of the strongest path. configured_esn: no feedback,
# because OFDM samples belong to no constellation, and a hundredth of the default prior
# weight. Its model takes what was sent as white and inverts the channel over the whole
# band. OFDM leaves the band's edges empty, and a channel sampled half way between two
# symbol instants has a null there: a pole of up to 0.96, a filter longer than the
# guard, and 10 dB lost on such frames with the default. (The value was chosen on all
# captures together.)
RECEIVERS = {
    "fir": lambda: reservoir.fir(num_taps=24, delay=12),
    "esn": lambda: reservoir.esn(num_neurons=32, window=24, delay=12),
    "configured_esn": lambda: reservoir.configured_esn(
        feedback=False, refits=0, prior_weight=0.03
    ),
}
SETTINGS = {
    "fir": "24 taps, delay 12, regularization by leave-one-out",
    "esn": "32 neurons, window 24, delay 12, regularization by leave-one-out",
    "configured_esn": "no feedback or refits, channel length by BIC, prior weight 0.03",
}
BEFORE = "before"
ONE_TAP = "one tap"
MODULATIONS = {1: "BPSK", 2: "QPSK", 4: "16-QAM", 6: "64-QAM"}


class unusable(Exception):
    """What is wrong with the recordings or the output folder, as one sentence."""


@dataclass
class capture:
    """A recording, normalised, and its ground truth."""

    name: str
    samples: np.ndarray
    truth: dict

    def __post_init__(self):
        self.num_frames = int(self.truth["num_frames"])
        self.num_symbols = self.truth["tx_index"].size
        self.modulation = MODULATIONS[int(np.log2(len(self.truth["constellation"])))]


@dataclass
class result:
    """One receiver on one capture: its points, and figures frame by frame."""

    points: list = field(default_factory=list)
    error_power: list = field(default_factory=list)
    errors: list = field(default_factory=list)

    def add(self, points, sent, constellation, sent_index):
        decided = np.argmin(np.abs(points[..., None] - constellation), axis=-1)
        self.points.append(points)
        self.error_power.append(float(np.mean(np.abs(points - sent) ** 2)))
        self.errors.append(int(np.sum(decided != sent_index)))

    def figures(self):
        symbols = self.points[0].size
        return {
            "median_evm_db": float(np.median(decibels(self.error_power))),
            "evm_db": float(decibels(np.mean(self.error_power))),
            "median_ser": float(np.median(self.errors)) / symbols,
            "ser": sum(self.errors) / (symbols * len(self.errors)),
            "frame_evm_db": decibels(self.error_power).tolist(),
            "frame_ser": [errors / symbols for errors in self.errors],
        }


def decibels(power):
    return 10 * np.log10(power)


def read_captures(folder):
    """Every .dat below the folder that has its ground truth beside it."""
    if not folder.is_dir():
        raise unusable(
            f"The folder with the recordings is not there: {folder} (see --recordings)"
        )
    paths = [p for p in sorted(folder.rglob("*.dat")) if p.with_suffix(".npz").exists()]
    if not paths:
        raise unusable(
            f"No recording in {folder}: each is a .dat file (int16 I, Q) with the "
            "ground truth in an .npz file of the same name."
        )
    return [read_capture(path, folder) for path in paths]


def read_capture(path, folder):
    name = path.relative_to(folder).with_suffix("").as_posix()
    try:
        samples = np.fromfile(path, "<i2").astype(float).view(complex)
        with np.load(path.with_suffix(".npz")) as truth:
            truth = dict(truth)
        last = truth["data_start"][-1] + 80 * int(truth["num_symbols"])
        if last > len(samples):
            raise ValueError(f"its last frame ends at {last} of {len(samples)} samples")
        return capture(name, samples / np.sqrt(np.mean(np.abs(samples) ** 2)), truth)
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        BadZipFile,
        zlib.error,
    ) as error:
        raise unusable(f"The recording {name} cannot be read: {error}") from error


def frame_of(recording, index):
    """What a receiver gets: samples from the first pilot on, with TAIL; pilots."""
    truth = recording.truth
    start = truth["training_start"][index] + SKIPPED
    stop = end_of(truth, index) + TAIL
    n = np.arange(start, min(stop, len(recording.samples)))
    turned = np.exp(-1j * truth["cfo_rad_per_sample"][index] * n)
    received = (recording.samples[n] * turned).astype(np.complex64)
    return received, truth["training"][SKIPPED:].astype(np.complex64)


def end_of(truth, index):
    symbol = int(truth["fft_len"] + truth["guard_len"])
    return int(truth["data_start"][index]) + symbol * int(truth["num_symbols"])


def equalize(detector, received, pilots, num_samples):
    """The samples as sent; without a detector as received, at the right level."""
    if detector is None:
        heard = received[: len(pilots)]
        return received[:num_samples] * (np.linalg.norm(pilots) / np.linalg.norm(heard))
    payload_len = num_samples - len(pilots)
    return np.ravel(detector.receive(received, pilots, payload_len=payload_len))


def demodulate(samples, data_start, truth):
    """FFT of every data symbol, and the common phase that the pilot carriers show."""
    fft_len, guard_len = int(truth["fft_len"]), int(truth["guard_len"])
    begin = np.arange(int(truth["num_symbols"])) * (fft_len + guard_len) + guard_len
    windows = samples[data_start + begin[:, None] + np.arange(fft_len)]
    carriers = np.fft.fft(windows) * np.sqrt(truth["occupied_carriers"]) / fft_len
    pilots = carriers[:, truth["pilot_carriers"]] * truth["pilots"]
    phase = np.exp(-1j * np.angle(pilots.sum(axis=1, keepdims=True)))
    return carriers[:, truth["data_carriers"]] * phase


def run(recording, make_detector):
    """All frames of a capture, each with a detector that has seen nothing before."""
    truth, scored = recording.truth, result()
    for index in range(recording.num_frames):
        received, pilots = frame_of(recording, index)
        start = int(truth["training_start"][index]) + SKIPPED
        num_samples = end_of(truth, index) - start
        samples = equalize(make_detector(), received, pilots, num_samples)
        points = demodulate(samples, int(truth["data_start"][index]) - start, truth)
        scored.add(
            points, truth["tx"][index], truth["constellation"], truth["tx_index"][index]
        )
    return scored


def one_tap_figures(truth):
    """Figures of the receiver that made the ground truth, as they stand in its file."""
    evm_db, ser = truth["evm_db_one_tap"], truth["ser_one_tap"]
    return {
        "median_evm_db": float(np.median(evm_db)),
        "evm_db": float(decibels(np.mean(10 ** (evm_db / 10)))),
        "median_ser": float(np.median(ser)),
        "ser": float(np.mean(ser)),
        "frame_evm_db": evm_db.tolist(),
        "frame_ser": ser.tolist(),
    }


def print_capture(recording, figures):
    print(
        f"\n{recording.name}: {recording.modulation}, {recording.num_frames} frames, "
        f"{recording.num_symbols} symbols"
    )
    columns = f"{'EVM/dB median':>13}{'(frames)':>18}{'all':>8}{'SER median':>12}"
    print(f"  {'':16}{columns}{'all':>9}")
    for name, row in figures.items():
        frames = f"({min(row['frame_evm_db']):.1f} … {max(row['frame_evm_db']):.1f})"
        print(
            f"  {name:16}{row['median_evm_db']:13.1f}{frames:>18}{row['evm_db']:8.1f}"
            f"{row['median_ser']:12.4f}{row['ser']:9.4f}"
        )


def print_summary(table, receivers):
    """Each receiver over all captures, and how the usual OFDM receiver compares."""
    total = sum(figures["symbols"] for figures in table.values())
    print(f"\nall captures (EVM: mean over them), {total} symbols")
    print(f"  {'':16}{'EVM/dB median':>13}{'all':>8}{'wrong':>8}")
    for name in (*receivers, ONE_TAP):
        rows = [figures["receivers"][name] for figures in table.values()]
        wrong = sum(
            figures["symbols"] * row["ser"]
            for row, figures in zip(rows, table.values())
        )
        medians = np.mean([row["median_evm_db"] for row in rows])
        everything = np.mean([row["evm_db"] for row in rows])
        print(f"  {name:16}{medians:13.1f}{everything:8.1f}{wrong:8.0f}")

    def evm_db(capture_name, receiver):
        return table[capture_name]["receivers"][receiver]["evm_db"]

    ahead = [
        c for c in table if evm_db(c, ONE_TAP) < min(evm_db(c, r) for r in receivers)
    ]
    print(
        textwrap.fill(
            "One tap is the frequency-domain receiver of the ground-truth files: one "
            "complex factor per carrier after the FFT, its window 3 samples early. It is "
            "the equalizer that OFDM was made for, and costs less than any above. "
            "Captures on which its EVM over all frames is better than theirs: "
            f"{', '.join(ahead) or 'none'}.",
            width=88,
            break_on_hyphens=False,
        )
    )


def draw(path, rows):
    """Constellations: a column a capture; a row before, and one a receiver."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(rows[0][1])
    figure, axes = pyplot.subplots(
        len(names),
        len(rows),
        figsize=(2.3 * len(rows) + 0.5, 2.4 * len(names) + 0.4),
        squeeze=False,
        layout="constrained",
    )
    for column, (recording, results) in enumerate(rows):
        for axis, name in zip(axes[:, column], names):
            draw_points(axis, recording, results[name], name)
        folder, _, title = recording.name.rpartition("/")
        axes[0, column].set_title(
            f"{folder} {title}\n{recording.modulation}", fontsize=9
        )
    for axis, name in zip(axes[:, 0], names):
        axis.set_ylabel("before: level only" if name == BEFORE else name, fontsize=10)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def draw_points(axis, recording, scored, name):
    points = np.concatenate([frame.ravel() for frame in scored.points])
    ideal = recording.truth["constellation"]
    axis.plot(ideal.real, ideal.imag, "+", color="#d9826f", ms=6, mew=0.6)
    alpha = np.clip(1000 / points.size, 0.15, 0.6)  # as dark, however many
    color = "#606060" if name == BEFORE else "#1f5fa8"
    axis.plot(points.real, points.imag, ".", color=color, ms=3, alpha=alpha, mew=0)
    axis.set(xlim=(-1.45, 1.45), ylim=(-1.45, 1.45), xticks=[], yticks=[])
    axis.set_aspect("equal")
    figures = scored.figures()
    axis.set_xlabel(
        f"{figures['median_evm_db']:.1f} dB, SER {figures['ser']:.2g}", fontsize=8
    )


def report(captures, receivers, folder):
    rows, table = [], {}
    for recording in captures:
        results = {BEFORE: run(recording, lambda: None)}
        results.update((name, run(recording, RECEIVERS[name])) for name in receivers)
        figures = {name: scored.figures() for name, scored in results.items()}
        figures[ONE_TAP] = one_tap_figures(recording.truth)
        print_capture(recording, figures)
        rows.append((recording, results))
        table[recording.name] = {
            "modulation": recording.modulation,
            "frames": recording.num_frames,
            "symbols": recording.num_symbols,
            "receivers": figures,
        }
    print_summary(table, receivers)
    settings = {name: SETTINGS[name] for name in receivers}
    settings["pilots_left_out"] = SKIPPED
    written = {"settings": settings, "captures": table}
    (folder / "recorded_wifi.json").write_text(json.dumps(written, indent=1) + "\n")
    draw(folder / "recorded_wifi.png", rows)
    print(f"\n{folder / 'recorded_wifi.png'}\n{folder / 'recorded_wifi.json'}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Settings, the same for every capture: "
        + "; ".join(f"{name}: {text}" for name, text in SETTINGS.items())
        + ".",
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        metavar="DIR",
        default=RECORDINGS,
        help="folder with the captures: .dat files (int16 I, Q at 20 MHz), the ground "
        "truth beside each in an .npz file (default: ../shared/recordings beside the "
        "project)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("out/wifi"),
        help="folder for picture and figures (default: %(default)s)",
    )
    parser.add_argument(
        "--receivers",
        nargs="+",
        choices=list(RECEIVERS),
        default=list(RECEIVERS),
        metavar="NAME",
        help="which to compare: " + ", ".join(RECEIVERS) + " (default: all)",
    )
    arguments = parser.parse_args()
    try:
        captures = read_captures(arguments.recordings)
        try:
            arguments.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(f"Cannot write to {arguments.out}: {error.strerror}.")
        report(captures, list(dict.fromkeys(arguments.receivers)), arguments.out)
    except unusable as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
