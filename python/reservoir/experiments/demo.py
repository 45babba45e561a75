#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The demo: receivers side by side over a saturating amplifier and a fading channel."""

import dataclasses
import sys
import time

from . import flowgraph, report
from .options import report_parser, within
from .progress import progress
from .receivers import RECEIVERS, receivers

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

    points: list = dataclasses.field(default_factory=list)
    # (receiver's name, modulation): symbols/s
    symbol_rates: dict = dataclasses.field(default_factory=dict)
    # modulation: (snr_db, points, [as received, out of each receiver])
    pictures: dict = dataclasses.field(default_factory=dict)
    parameters: dict = dataclasses.field(default_factory=dict)
    run_seconds: float = 0.0


def parse(arguments):
    parser = report_parser(
        "demo",
        DESCRIPTION,
        "the report",
        "fewer frames and signal-to-noise ratios: seconds instead of a minute",
    )
    parser.add_argument(
        "--frames",
        type=within(2, 100_000),
        metavar="N",
        help="frames, each with a channel of its own, at each signal-to-noise ratio "
        "(140; 50 with --quick)",
    )
    return parser.parse_args(arguments)


def receive(frame, snr_db, settings, num_frames, seed, capture=False):
    """Run all receivers on the same samples; returns the Link."""
    chains = [r.make(frame, **settings[r.name]) for r in receivers(frame)]
    link = flowgraph.Link(frame, snr_db, chains, num_frames, seed, capture)
    flowgraph.run(link)
    return link


def measure(snrs_db, num_frames, calibration_frames, seed, seconds_per_rate, step):
    """Run all flowgraphs; step(text) is called before each part. Returns Results."""
    results = Results()
    for modulation, snrs in snrs_db.items():
        frame = flowgraph.make_frame(modulation, seed=seed)
        tuned = {}
        for snr_db in snrs:
            step(f"{modulation} at {snr_db} dB")
            tuned[snr_db] = settings = {
                r.name: flowgraph.calibrate(
                    r, frame, snr_db, calibration_frames, seed + CALIBRATION_SEED
                )
                for r in receivers(frame)
            }
            link = receive(frame, snr_db, settings, num_frames, seed)
            results.points += [
                Point(receiver, modulation, snr_db, settings[receiver.name], outcome)
                for receiver, outcome in zip(receivers(frame), link.outcomes())
            ]

        step(f"{modulation}, picture and speed")
        snr_db = min(snrs, key=lambda snr: abs(snr - PICTURE_SNR_DB[modulation]))
        link = receive(frame, snr_db, tuned[snr_db], PICTURE_FRAMES, seed, capture=True)
        points = frame.constellation.points()
        results.pictures[modulation] = (snr_db, points, link.captured())
        for receiver in receivers(frame):
            results.symbol_rates[receiver.name, modulation] = flowgraph.symbol_rate(
                receiver,
                frame,
                tuned[snr_db][receiver.name],
                snr_db,
                seed,
                seconds_per_rate,
            )
    return results


def parameters(frames, calibration_frames, snrs_db, seed):
    """What was run, for the report."""
    frame = flowgraph.make_frame(next(iter(snrs_db)))
    return dict(
        seed=seed,
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


def main(arguments):
    """Run the demo; returns the exit status."""
    options = parse(arguments)
    begin = time.perf_counter()
    frames = options.frames or (50 if options.quick else 140)
    calibration_frames, seconds_per_rate = (20, 0.15) if options.quick else (60, 0.5)
    snrs_db = {modulation: list(snrs) for modulation, snrs in SNRS_DB.items()}
    if options.quick:
        snrs_db = {m: [s[0], s[len(s) // 2], s[-1]] for m, s in snrs_db.items()}
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        with progress(sum(len(s) + 1 for s in snrs_db.values()), "step") as bar:

            def step(text):
                bar.update(bool(bar.desc))  # what went before is done
                bar.set_description(text)

            results = measure(
                snrs_db,
                frames,
                calibration_frames,
                options.seed,
                seconds_per_rate,
                step,
            )
            step("done")
        results.parameters = parameters(
            frames, calibration_frames, snrs_db, options.seed
        )
        results.run_seconds = time.perf_counter() - begin
        host = report.machine()
        print(report.table(results), end="\n\n")
        print(f"Times and speeds: {host['cores']} cores, {host['processor']}.")
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
