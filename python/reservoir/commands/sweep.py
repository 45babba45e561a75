#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The command that runs a campaign file."""

import argparse
import os
import pathlib
import sys
import time

from ..campaign import engine, pools, store
from ..campaign.progress import progress
from ..campaign.specification import SpecificationError, load, place
from ..command_line import number
from ..report import campaign as report

DESCRIPTION = """\
Measures the error rates of many receivers on many frames, as a campaign file says, and writes a report.
A run that was interrupted, or killed, goes on where it was.
"""


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m gnuradio.reservoir sweep", description=DESCRIPTION
    )
    parser.add_argument("campaign", type=pathlib.Path, help="TOML file")
    add_run_arguments(parser)
    options = parser.parse_args(arguments)
    if options.out is None:
        options.out = pathlib.Path(f"reservoir-{options.campaign.stem}")
    return options


def add_run_arguments(parser, folder=None):
    """How much is measured, and where; folder: that the report goes into, if no other is given."""
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=folder and pathlib.Path(folder),
        metavar="DIR",
        help="folder for the report and what was found so far "
        f"({folder or 'reservoir-NAME'})",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="the first, middle and last value of each list, and a third of the frames",
    )
    parser.add_argument(
        "--frames",
        type=number(1, 10**9, int),
        metavar="N",
        help="at each point, other than the file says",
    )
    parser.add_argument(
        "--seed",
        type=number(0, 2**32, int),
        metavar="S",
        help="other than the file says",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=number(0, 1024, int),
        metavar="N",
        help="processes of this machine; 0: this one alone (one for each core)",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a running scheduler of dask.distributed, as tcp://127.0.0.1:8786",
    )


def make_pool(options):
    workers = options.workers
    if workers is None:
        workers = len(os.sched_getaffinity(0))
    if options.scheduler is None and workers == 0:
        return pools.Here()
    try:
        return pools.Cluster(options.scheduler, workers)
    except pools.NotInstalled as missing:
        if options.scheduler is not None or options.workers is not None:
            raise
        print(f"{missing}; one does all of the work.", file=sys.stderr)
        return pools.Here()


def run(campaign, options, name):
    """Do the work; returns engine.Results."""
    begin = time.perf_counter()
    points = work_off(
        lambda kept: [engine.PointWork(campaign, p, kept) for p in campaign.points],
        options,
    )
    return engine.Results(campaign, name, points, time.perf_counter() - begin)


def work_off(make_points, options):
    """Do all that is missing at the points which are made of a store; returns them."""
    kept = store.Store(options.out)
    try:
        points = make_points(kept)
        wanted = set().union(*(point.store_keys() for point in points))
        if others := kept.num_others(wanted):
            print(
                f"{options.out} also holds {others} blocks of links or receivers that the campaign "
                "does not have (any more); they are left alone.",
                file=sys.stderr,
            )
        kept.forget()
        missing = not all(point.finished for point in points)
        pool = make_pool(options) if missing else pools.Here()
        try:
            total = sum(point.num_blocks for point in points)
            with progress(total, "block") as bar:

                def step(unfinished):
                    bar.update(sum(point.done for point in points) - bar.n)
                    here = points[unfinished[0]] if unfinished else None
                    bar.set_description(place(here.point) if here else "done")

                engine.run(points, pool, step)
        finally:
            pool.close()
    finally:
        kept.close()
    return points


def finish(results, options):
    """Print and write the report; returns the exit status: 1 where a limit is missed."""
    found = report.summary(results)
    print(report.table(results), end="\n\n")
    for sentence in found["comparisons"]:
        print(f"* {sentence}")
    for limit in found["limits"]:
        print(limit["text"])
    met = [limit["met"] for limit in found["limits"]]
    if met:
        print(f"{sum(met)} of {len(met)} limits are met.")
    written = report.write(results, found, options.out)
    print(f"\n{results.run_seconds:.0f} s. Written:")
    for path in written:
        print(f"  {path}")
    return 0 if all(met) else 1


def carry_out(make_campaign, options, name):
    """Run what make_campaign() gives; errors are sentences. Returns the exit status."""
    try:
        campaign = make_campaign()
    except SpecificationError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The campaign cannot be read: {error}.", file=sys.stderr)
        return 2
    return guarded(lambda: finish(run(campaign, options, name), options), options)


def guarded(do, options):
    """The exit status do() returns, or that of an error, which is told in a sentence."""
    try:
        return do()
    except (store.Busy, pools.WorkError) as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The report cannot be written: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"\nInterrupted; the report was not written. What was found is kept in {options.out}: "
            "the same command goes on from there.",
            file=sys.stderr,
        )
        return 130


def changes(options):
    """Of the campaign, by the options of add_run_arguments."""
    return dict(quick=options.quick, frames=options.frames, seed=options.seed)


def main(arguments):
    """Run a campaign file; returns the exit status."""
    options = parse(arguments)
    return carry_out(
        lambda: load(options.campaign, **changes(options)),
        options,
        options.campaign.name,
    )
