#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Frame sync over simulated air: what it finds, what it costs the receiver, and how fast it is.

Bursts of QPSK over six Rayleigh paths (exponential powers, unit energy, one symbol apart), drawn
again for each burst, with random timing, carrier offset within 0.05 cycles/sample and clocks up to 40 ppm
apart; two samples per symbol.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/simulated_air.py [--bursts N] [--out DIR]

With --out packet_error_rates.svg is drawn too: without code, with the convolutional code, and equalized
and decoded in turns. --only-packets draws it and does nothing else.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from gnuradio import blocks, digital, gr, reservoir
from tqdm import tqdm

sys.path.append(str(Path(__file__).resolve().parents[1] / "python"))
from bursts import (  # noqa: E402  (from tests/python)
    DETECTORS,
    KNOWN,
    PATHS,
    PAYLOAD,
    PILOTS,
    SPS,
    burst,
    receive,
    run,
    symbol_errors,
)
from rtl_tcp_server import through_rtl_tcp  # noqa: E402  (from tests/python)

LEAD = 16 * SPS  # samples between bursts, at the most


def synchronization(count, esn0_db):
    rng = np.random.default_rng(1)
    made = [burst(rng, esn0_db, 128) for _ in range(count)]
    begins = np.cumsum([0] + [len(one[0]) for one in made])
    _, tags, _ = run(np.concatenate([one[0] for one in made]), reservoir.frame_sync())
    offsets = np.array([offset for offset, _ in tags])
    misplaced, near, errors, matched = 0, 0, [], 0
    for begin, (_, _, first, turn, amplitudes) in zip(begins, made):
        nearest = np.abs(offsets - begin - first).argmin()
        behind = offsets[nearest] - begin - first
        if abs(behind) > LEAD:
            continue
        matched += 1
        errors.append(tags[nearest][1]["cfo"] - turn)
        misplaced += abs(behind) > 1
        chosen = amplitudes.argmax() + int(np.round(behind / SPS))
        near += 0 <= chosen < PATHS and amplitudes[chosen] > 10 ** (-1 / 20)
    print(
        f"{esn0_db:3d} dB: {matched} of {count} bursts found, {len(tags) - matched} false; within a "
        f"sample of the strongest path {1 - misplaced / matched:.3f}, of one less than 1 dB weaker "
        f"{near / matched:.3f}; carrier offset {np.std(errors):.1e} cycles/sample rms"
    )


def false_alarms(count):
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(count):
        noise = rng.normal(size=(2, 2_500_000)).astype(np.float32)
        found += len(run(noise[0] + 1j * noise[1], reservoir.frame_sync())[1])
    print(f"noise: {found} bursts found in {count * 2_500_000:.1e} samples")


def perfect_sync(name, made):
    """The payload of each burst, of which start and carrier offset are known."""
    frames = []
    for samples, _, first, turn, _ in made:
        behind = samples[int(np.round(first)) :][: SPS * (PILOTS + PAYLOAD + 48)]
        behind = behind * np.exp(-2j * np.pi * turn * np.arange(len(behind)))
        symbols = DETECTORS[name]().receive(behind, KNOWN, sps=SPS, payload_len=PAYLOAD)
        frames.append(symbols[PILOTS:])
    return frames


def error_rates(count):
    for esn0_db in (10, 10.5, 11, 12, 15):
        rng = np.random.default_rng(3)
        made = [burst(rng, esn0_db) for _ in range(count)]
        samples = np.concatenate([one[0] for one in made])
        for name in DETECTORS:
            for sync, frames in (
                ("frame", receive(name, samples)),
                ("perfect", perfect_sync(name, made)),
            ):
                wrong = symbol_errors(frames, made)
                print(
                    f"{esn0_db:5.1f} dB, {name}, {sync} sync: symbol errors "
                    f"{wrong.mean() / PAYLOAD:.2e}, frames in error {np.mean(wrong > 0):.3f}"
                )


def ratio_interval(above, below):
    """95 % interval of the ratio of two sums over the same frames, by bootstrap."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(1000):
        drawn = rng.integers(0, len(above), len(above))
        ratios.append(above[drawn].sum() / max(below[drawn].sum(), 1))
    return np.quantile(ratios, (0.025, 0.975))


def eight_bit_rates(count, esn0_db):
    """The same bursts as they were made, and as bytes over rtl_tcp into gr-osmosdr."""
    rng = np.random.default_rng(6)
    names = ("configured_esn", "fir")
    exact, rough = {name: [] for name in names}, {name: [] for name in names}
    for begin in tqdm(range(0, count, 1000)):
        made = [burst(rng, esn0_db) for _ in range(min(1000, count - begin))]
        samples = np.concatenate([one[0] for one in made])
        try:
            bytewise = through_rtl_tcp(samples)
        except ImportError:
            print("8 bits over rtl_tcp: skipped, gr-osmosdr is not installed")
            return
        for name in names:
            exact[name].append(symbol_errors(receive(name, samples), made))
            rough[name].append(symbol_errors(receive(name, bytewise), made))
    for name in names:
        above, below = np.concatenate(rough[name]), np.concatenate(exact[name])
        low, high = ratio_interval(above, below)
        print(
            f"{esn0_db:3d} dB, {name}, {count} bursts: {below.sum()} symbol errors of floats, "
            f"{above.sum()} of 8 bits over rtl_tcp, {above.sum() / max(below.sum(), 1):.3f} times "
            f"({low:.3f} ... {high:.3f}); {np.mean(above > below):.4f} of the frames worse, "
            f"{np.mean(above < below):.4f} better"
        )


def rates(count):
    rng = np.random.default_rng(4)
    samples = np.concatenate([burst(rng, 15)[0] for _ in range(count)])
    _, _, seconds = run(samples, reservoir.frame_sync())
    print(f"frame_sync: {len(samples) / seconds / 1e6:.2f} MS/s")
    for name, make in DETECTORS.items():
        equalizer = reservoir.equalizer(make(), SPS, KNOWN, "training_start", PAYLOAD)
        _, _, seconds = run(samples, reservoir.frame_sync(), equalizer)
        print(
            f"frame_sync and {name}: {len(samples) / seconds / 1e6:.2f} MS/s, all frames"
        )


def received_packets(packets, samples):
    """(data, number) of each packet, equalized and decoded in turns."""
    receiver = reservoir.packet_receiver(
        reservoir.coded_receiver(DETECTORS["configured_esn"](), packets), SPS, KNOWN
    )
    found = []
    receiver.set_handler(
        lambda data, metadata: found.append((data, metadata["sequence"]))
    )
    top = gr.top_block()
    source = blocks.vector_source_c(samples.astype(np.complex64).tolist())
    top.connect(source, reservoir.frame_sync(), receiver)
    top.run()
    return found


def packet_error_rate(name, code, esn0_db, count):
    """Share of packets that do not come, bursts that are not found among them."""
    rng = np.random.default_rng(5)
    turbo = code == "turbo"
    packets = reservoir.packet_format(
        digital.constellation_qpsk().base(), PAYLOAD, "cc" if turbo else code
    )
    data = [rng.bytes(packets.capacity) for _ in range(count)]
    samples = [
        burst(rng, esn0_db, sent=packets.encode(one, k))[0]
        for k, one in enumerate(data)
    ]
    samples = np.concatenate(samples)
    if turbo:
        found = received_packets(packets, samples)
    else:
        frames = receive(name, samples)
        found = [packets.decode(one) for one in frames if len(one) == PAYLOAD]
    arrived = {one[1] for one in found if one and one[0] == data[one[1]]}
    return 1 - len(arrived) / count


LEVELS = np.arange(3, 26, 2)
RECEIVERS = [
    (name, code) for name in ("configured_esn", "fir") for code in ("none", "cc")
] + [("configured_esn", "turbo")]


def packet_error_rates(count):
    rates = {}
    for name, code in RECEIVERS:
        points = [packet_error_rate(name, code, level, count) for level in tqdm(LEVELS)]
        rates[name, code] = np.array(points)
        print(f"{name}, code {code}: packet error rates", end="")
        print(
            *(f", {rate:.3f} at {level} dB" for level, rate in zip(LEVELS, points)),
            sep="",
        )
    return rates


def draw(folder, rates, count):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "gr-reservoir", "svg.fonttype": "none", "font.size": 11}
    )
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7.2, 4.4), layout="constrained")
    colors = {"configured_esn": "tab:green", "fir": "tab:blue"}
    styles = {
        "none": ("o-", ""),
        "cc": ("s--", ", coded"),
        "turbo": ("^:", ", coded, in turns"),
    }
    for name, code in RECEIVERS:
        lost = rates[name, code] > 0
        style, suffix = styles[code]
        axis.semilogy(
            LEVELS[lost],
            rates[name, code][lost],
            style,
            color=colors[name],
            label=name + suffix,
        )
    axis.set(
        title="512 QPSK symbols over six Rayleigh paths; coded: rate 1/2",
        xlabel=f"Es/N0 (dB); not drawn where none of {count} is lost",
        ylabel="packet error rate",
        xlim=(LEVELS[0] - 0.5, LEVELS[-1] + 0.5),
        xticks=LEVELS,
        ylim=(0.7 / count, 1.3),
    )
    axis.grid(alpha=0.4)
    axis.legend(loc="center right", bbox_to_anchor=(1, 0.4))
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "packet_error_rates.svg", metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--bursts", type=int, default=1000, help="per row (%(default)s)"
    )
    parser.add_argument("--out", type=Path, help="folder for the picture")
    parser.add_argument("--only-packets", action="store_true", help="the picture alone")
    options = parser.parse_args()
    count = options.bursts
    steps = [
        lambda: [synchronization(count, db) for db in (6, 12, 20)],
        lambda: false_alarms(max(count // 100, 1)),
        lambda: error_rates(max(count // 5, 1)),
        lambda: eight_bit_rates(count, 10),
        lambda: eight_bit_rates(8 * count, 12),  # errors are fewer
        lambda: rates(max(count // 5, 1)),
    ]
    if options.only_packets:
        steps = []
    if options.out:
        steps.append(lambda: draw(options.out, packet_error_rates(count), count))
    for step in tqdm(steps):
        step()


if __name__ == "__main__":
    main()
