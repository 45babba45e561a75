#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Frame sync over simulated air: what it finds, what it costs the receiver, and how fast it is.

Bursts of QPSK over six Rayleigh paths (exponential powers, unit energy, a symbol apart), anew for
each burst, with random timing, carrier offset within 0.05 cycles/sample and clocks up to 40 ppm
apart; two samples a symbol.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/simulated_air.py [--bursts N] [--out DIR]

With --out the packet error rates are drawn too, with and without the convolutional code.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import pmt
from gnuradio import blocks, digital, gr, reservoir
from tqdm import tqdm

sys.path.append(str(Path(__file__).resolve().parents[1] / "python"))
from rtl_tcp_server import through_rtl_tcp  # noqa: E402  (from tests/python)

SPS, FINE, SPAN = 2, 8, 8  # FINE: steps a sample of the waveforms that are made
PILOTS, PAYLOAD, GAP, PATHS = 64, 512, 40, 6
QPSK = np.array(digital.constellation_qpsk().points()) / 2
LEAD = 16 * SPS  # samples between bursts, at the most


def pulse():
    """Root-raised-cosine, energy 1 at SPS samples a symbol."""
    from gnuradio.filter import firdes

    taps = firdes.root_raised_cosine(1, SPS * FINE, 1, 0.25, 2 * SPAN * SPS * FINE + 1)
    return np.array(taps) * np.sqrt(FINE) / np.linalg.norm(taps)


PULSE = pulse()
PREAMBLE = reservoir.burst_preamble()
KNOWN = QPSK[np.random.default_rng(0).integers(0, 4, PILOTS)].astype(np.complex64)


def burst(rng, esn0_db, payload, offset=0.05, ppm=40, sent=None):
    """Samples, indices of the payload, instant of the first pilot on the strongest path, offset,
    and the paths' amplitudes over the strongest one's; sent: the payload's symbols, else random."""
    indices = rng.integers(0, 4, payload)
    sent = QPSK[indices] if sent is None else sent
    paths = np.exp(-np.arange(PATHS) / 4) * (
        rng.normal(size=PATHS) + 1j * rng.normal(size=PATHS)
    )
    paths /= np.linalg.norm(paths)
    symbols = np.convolve(np.concatenate([PREAMBLE, KNOWN, sent]), paths)
    fine = np.zeros((len(symbols) + GAP) * SPS * FINE, complex)
    fine[: len(symbols) * SPS * FINE : SPS * FINE] = symbols
    fine = np.convolve(fine, PULSE) * np.sqrt(SPS)
    clock, late = 1 + 1e-6 * rng.uniform(-ppm, ppm), rng.uniform(0, 1)
    count = len(fine) // FINE - 4
    place = (np.arange(count) + late) * FINE * clock
    whole = place.astype(int)
    samples = fine[whole] * (whole + 1 - place) + fine[whole + 1] * (place - whole)
    turn = rng.uniform(-offset, offset)
    samples = samples * np.exp(2j * np.pi * (turn * np.arange(count) + rng.random()))
    samples += np.sqrt(SPS * 10 ** (-esn0_db / 10) / 2) * (
        rng.normal(size=count) + 1j * rng.normal(size=count)
    )
    strongest = np.abs(paths).argmax()
    first = (SPAN + len(PREAMBLE) + strongest) * SPS / clock - late
    return samples.astype(np.complex64), indices, first, turn, np.abs(paths / paths[strongest])


def run(samples, *following):
    """Output, training tags as (offset, dictionary), seconds."""
    top, sink = gr.top_block(), blocks.vector_sink_c()
    top.connect(blocks.vector_source_c(samples), *following, sink)
    start = time.perf_counter()
    top.run()
    seconds = time.perf_counter() - start
    tags = sorted(sink.tags(), key=lambda tag: tag.offset)
    found = [
        (tag.offset, pmt.to_python(tag.value))
        for tag in tags
        if pmt.symbol_to_string(tag.key) == "training_start"
    ]
    return np.array(sink.data(), np.complex64), found, seconds


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


DETECTORS = {
    "configured_esn": lambda: reservoir.configured_esn(
        constellation=digital.constellation_qpsk().base()
    ),
    "esn": lambda: reservoir.esn(window=24, delay=12),
    "fir": lambda: reservoir.fir(24, 12),
}


def receive(name, made, perfect, samples=None):
    """Symbol error rate of each frame; samples: of all bursts, where they are not those made."""
    wrong = []
    if samples is None:
        samples = np.concatenate([one[0] for one in made])
    if perfect:
        begins = np.cumsum([0] + [len(one[0]) for one in made])
        for begin, (own, _, first, turn, _) in zip(begins, made):
            start = int(np.round(first))
            behind = samples[begin + start :][: SPS * (PILOTS + PAYLOAD + 48)]
            behind = behind * np.exp(-2j * np.pi * turn * np.arange(len(behind)))
            wrong.append(
                DETECTORS[name]().receive(behind, KNOWN, sps=SPS, payload_len=PAYLOAD)
            )
        frames = [symbols[PILOTS:] for symbols in wrong]
    else:
        equalizer = reservoir.equalizer(
            DETECTORS[name](), SPS, KNOWN, "training_start", PAYLOAD
        )
        out, tags, _ = run(samples, reservoir.frame_sync(), equalizer)
        frames = [out[at + PILOTS : at + PILOTS + PAYLOAD] for at, _ in tags]
        if len(frames) != len(made):
            raise SystemExit(f"{len(frames)} frames came of {len(made)}")
    return np.array(
        [
            np.mean(np.abs(symbols[:, None] - QPSK).argmin(1) != one[1])
            for symbols, one in zip(frames, made)
        ]
    )


def error_rates(count):
    for esn0_db in (10, 10.5, 11, 12, 15):
        rng = np.random.default_rng(3)
        made = [burst(rng, esn0_db, PAYLOAD) for _ in range(count)]
        for name in DETECTORS:
            for perfect in (False, True):
                wrong = receive(name, made, perfect)
                print(
                    f"{esn0_db:5.1f} dB, {name}, {'perfect' if perfect else 'frame'} sync: "
                    f"symbol errors {wrong.mean():.2e}, frames in error {np.mean(wrong > 0):.3f}"
                )


def ratio_interval(above, below):
    """95 % interval of the ratio of two means over the same frames, by bootstrap."""
    drawn = np.random.default_rng(0).integers(0, len(above), (1000, len(above)))
    means = above[drawn].mean(1), below[drawn].mean(1)
    return np.quantile(means[0] / np.maximum(means[1], 1e-12), (0.025, 0.975))


def eight_bit_rates(count):
    """The same bursts as they were made, and as bytes over rtl_tcp into gr-osmosdr."""
    for esn0_db in (10, 12):
        rng = np.random.default_rng(6)
        made = [burst(rng, esn0_db, PAYLOAD) for _ in range(count)]
        try:
            bytewise = through_rtl_tcp(np.concatenate([one[0] for one in made]))
        except ImportError:
            print("8 bits over rtl_tcp: skipped, gr-osmosdr is not installed")
            return
        for name in ("configured_esn", "fir"):
            exact = receive(name, made, False)
            rough = receive(name, made, False, bytewise)
            low, high = ratio_interval(rough, exact)
            print(
                f"{esn0_db:3d} dB, {name}, {count} bursts: symbol errors {exact.mean():.2e} of "
                f"floats, {rough.mean():.2e} of 8 bits over rtl_tcp, "
                f"{rough.mean() / max(exact.mean(), 1e-12):.3f} times ({low:.3f} ... {high:.3f}); "
                f"{np.mean(rough > exact):.3f} of the frames worse, "
                f"{np.mean(rough < exact):.3f} better"
            )


def rates(count):
    rng = np.random.default_rng(4)
    samples = np.concatenate([burst(rng, 15, PAYLOAD)[0] for _ in range(count)])
    _, _, seconds = run(samples, reservoir.frame_sync())
    print(f"frame_sync: {len(samples) / seconds / 1e6:.2f} MS/s")
    for name, make in DETECTORS.items():
        equalizer = reservoir.equalizer(make(), SPS, KNOWN, "training_start", PAYLOAD)
        _, _, seconds = run(samples, reservoir.frame_sync(), equalizer)
        print(f"frame_sync and {name}: {len(samples) / seconds / 1e6:.2f} MS/s, all frames")


def packet_error_rate(name, code, esn0_db, count):
    """Share of packets that do not come, bursts that are not found among them."""
    rng = np.random.default_rng(5)
    packets = reservoir.packet_format(
        digital.constellation_qpsk().base(), PAYLOAD, code
    )
    data = [rng.bytes(packets.capacity) for _ in range(count)]
    samples = [
        burst(rng, esn0_db, PAYLOAD, sent=packets.encode(one, k))[0]
        for k, one in enumerate(data)
    ]
    equalizer = reservoir.equalizer(
        DETECTORS[name](), SPS, KNOWN, "training_start", PAYLOAD
    )
    out, tags, _ = run(np.concatenate(samples), reservoir.frame_sync(), equalizer)
    frames = [out[at + PILOTS : at + PILOTS + PAYLOAD] for at, _ in tags]
    found = [packets.decode(one) for one in frames if len(one) == PAYLOAD]
    arrived = {one[1] for one in found if one and one[0] == data[one[1]]}
    return 1 - len(arrived) / count


def draw(folder, count):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for name, color in (("configured_esn", "#009E73"), ("fir", "#0072B2")):
        for code, style in (("none", "o-"), ("cc", "s--")):
            levels = np.arange(5, 26, 2)
            rates = np.array(
                [packet_error_rate(name, code, level, count) for level in tqdm(levels)]
            )
            label = f"{name}, {'no code' if code == 'none' else 'convolutional code'}"
            print(f"{label}: {dict(zip(levels.tolist(), rates.round(4).tolist()))}")
            axis.semilogy(levels[rates > 0], rates[rates > 0], style, color=color, label=label)
    axis.set(
        xlabel="Es/N0 of a symbol sent (dB)",
        ylabel=f"Packet error rate, {count} bursts a point; none lost: not drawn",
        title="512 QPSK symbols, six Rayleigh paths, behind frame_sync",
        ylim=(0.5 / count, 1.2),
    )
    axis.grid(alpha=0.4, which="both")
    axis.legend()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "packet_error_rates.png", dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bursts", type=int, default=1000, help="a row (%(default)s)")
    parser.add_argument("--out", type=Path, help="folder for the picture")
    options = parser.parse_args()
    count = options.bursts
    steps = [
        lambda: [synchronization(count, db) for db in (6, 12, 20)],
        lambda: false_alarms(max(count // 100, 1)),
        lambda: error_rates(max(count // 5, 1)),
        lambda: eight_bit_rates(count),
        lambda: rates(max(count // 5, 1)),
    ]
    if options.out:
        steps.append(lambda: draw(options.out, max(count // 5, 1)))
    for step in tqdm(steps):
        step()


if __name__ == "__main__":
    main()
