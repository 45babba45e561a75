#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The demo: receivers side by side over a saturating amplifier and a fading channel."""

import argparse
import dataclasses
import pathlib
import sys
import time

from tqdm import tqdm

from . import flowgraph, report
from .receivers import RECEIVERS

SNRS_DB = {"QPSK": range(5, 21, 3), "16-QAM": range(10, 29, 3)}
PICTURE_SNR_DB = {"QPSK": 14, "16-QAM": 22}
PICTURE_FRAMES = 8
CALIBRATION_SEED = 1_000_000  # added: calibration sees other frames than the comparison

DESCRIPTION = f"""\
Sends frames of pilots and random symbols through a saturating power amplifier, a fading channel
and noise, in real GNU Radio flowgraphs, and receives the same samples with
{', '.join(r.label for r in RECEIVERS[:-1])} and {RECEIVERS[-1].label}. Prints a table and
writes index.html, results.json and two pictures.
"""


@dataclasses.dataclass
class Point:
    """One receiver at one modulation and signal-to-noise ratio."""

    receiver: object
    modulation: str
    snr_db: float
    settings: dict
    outcome: flowgraph.Outcome


@dataclasses.dataclass
class Results:
    """Everything that the report needs."""

    points: list
    symbol_rates: dict  # (receiver's name, modulation): symbols/s
    pictures: dict  # modulation: (snr_db, points, [received, out of each receiver])
    parameters: dict
    run_seconds: float = 0.0


def at_least(low):
    """An argument type: integers from low on."""

    def integer(text):
        value = int(text)
        if value < low:
            raise argparse.ArgumentTypeError(f"{value}: must be at least {low}")
        return value

    return integer


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m gnuradio.reservoir demo", description=DESCRIPTION
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path("reservoir-demo"),
        metavar="DIR",
        help="folder for the report; made if it is not there (%(default)s)",
    )
    parser.add_argument(
        "--frames",
        type=at_least(2),
        metavar="N",
        help="frames, each with a channel of its own, at each signal-to-noise ratio "
        "(1000; 100 with --quick)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer frames and signal-to-noise ratios: seconds instead of a minute",
    )
    parser.add_argument(
        "--seed",
        type=at_least(0),
        default=1,
        metavar="S",
        help="of pilots, symbols, channels and noise: the same seed repeats the run (%(default)s)",
    )
    return parser.parse_args(arguments)


def measure(frames, calibration_frames, snrs_db, seed, seconds_per_rate):
    """Run all flowgraphs; returns Results."""
    results = Results([], {}, {}, {})
    steps = sum(map(len, snrs_db.values())) * (1 + sum(bool(r.grid) for r in RECEIVERS))
    steps += len(snrs_db) * (1 + len(RECEIVERS))
    with tqdm(total=steps, unit="step", file=sys.stderr, dynamic_ncols=True) as bar:

        def step(text):
            bar.set_description(text)
            return bar

        for modulation, snrs in snrs_db.items():
            frame = flowgraph.make_frame(modulation, seed=seed)

            def calibrate(snr_db):
                settings = {}
                for receiver in RECEIVERS:
                    settings[receiver.name] = {}
                    if receiver.grid:
                        step(f"{modulation} {snr_db} dB, tuning {receiver.label}")
                        settings[receiver.name] = flowgraph.calibrate(
                            receiver,
                            frame,
                            snr_db,
                            calibration_frames,
                            seed + CALIBRATION_SEED,
                        )
                        bar.update()
                return settings

            def link(snr_db, settings, num_frames, capture=False):
                chains = [r.make(frame, **settings[r.name]) for r in RECEIVERS]
                top = flowgraph.Link(frame, snr_db, chains, num_frames, seed, capture)
                flowgraph.run(top)
                return top

            tuned = {}
            for snr_db in snrs:
                tuned[snr_db] = calibrate(snr_db)
                step(f"{modulation} {snr_db} dB, receiving")
                outcomes = link(snr_db, tuned[snr_db], frames).outcomes()
                bar.update()
                results.points += [
                    Point(receiver, modulation, snr_db, tuned[snr_db][receiver.name], o)
                    for receiver, o in zip(RECEIVERS, outcomes)
                ]

            # the signal-to-noise ratio of the run nearest to the one wanted
            snr_db = min(snrs, key=lambda snr: abs(snr - PICTURE_SNR_DB[modulation]))
            step(f"{modulation} {snr_db} dB, picture")
            captured = link(snr_db, tuned[snr_db], PICTURE_FRAMES, True).captured()
            points = frame.constellation.points()
            results.pictures[modulation] = (snr_db, points, captured)
            bar.update()
            for receiver in RECEIVERS:
                step(f"{modulation}, speed of {receiver.label}")
                rate = flowgraph.symbol_rate(
                    receiver,
                    frame,
                    tuned[snr_db][receiver.name],
                    snr_db,
                    seed,
                    seconds_per_rate,
                )
                results.symbol_rates[receiver.name, modulation] = rate
                bar.update()
        step("done")
    return results


def main(arguments):
    """Run the demo; returns the exit status."""
    options = parse(arguments)
    begin = time.perf_counter()
    frames = options.frames or (100 if options.quick else 1000)
    calibration_frames = 20 if options.quick else 60
    snrs_db = {
        modulation: list(snrs)[:: 3 if len(snrs) % 3 == 1 else 2]
        if options.quick
        else list(snrs)
        for modulation, snrs in SNRS_DB.items()
    }
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        results = measure(
            frames,
            calibration_frames,
            snrs_db,
            options.seed,
            0.15 if options.quick else 0.5,
        )
        frame = flowgraph.make_frame("QPSK")
        results.parameters = dict(
            seed=options.seed,
            frames=frames,
            calibration_frames=calibration_frames,
            snrs_db=snrs_db,
            pilots=len(frame.pilots),
            payload=frame.payload_len,
            gap=frame.gap,
            samples_per_symbol=1,
            channel=dict(
                taps=flowgraph.NUM_TAPS,
                decay=flowgraph.DECAY,
                fading="Rayleigh, unit energy, redrawn for each frame",
            ),
            amplifier=dict(
                model="rapp",
                smoothness=flowgraph.SMOOTHNESS,
                input_backoff_db=flowgraph.INPUT_BACKOFF_DB,
            ),
        )
        results.run_seconds = time.perf_counter() - begin
        print(report.table(results))
        for finding in report.findings(results):
            print(f"* {finding}")
        written = report.write(results, options.out)
    except OSError as error:
        print(f"The report cannot be written: {error}.", file=sys.stderr)
        return 1
    print(f"\n{time.perf_counter() - begin:.0f} s. Written:")
    for path in written:
        print(f"  {path}")
    return 0
