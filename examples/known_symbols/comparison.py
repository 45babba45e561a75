#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Compares receivers on simulated bursts, and receives recorded ones: what the scripts of this folder
share. Prints a table, draws a picture."""

import argparse
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from gnuradio import reservoir
from gnuradio.reservoir.command_line import number
from known_bursts import (
    Unusable,
    cut,
    find_bursts,
    read_recording,
    samples_per_symbol,
    simulate,
    simulated_stream,
    write_wav,
)

# in this order, in pictures and tables
COLOURS = {
    "fir": "#0072B2",
    "esn": "#E69F00",
    "configured_esn": "#009E73",
    "LMS": "#CC79A7",
    "LMS, feedback": "#882255",
    "RLS": "#56B4E9",
    "interpolated DFE": "#000000",
    "LS + Viterbi": "#000000",
}


def bit_errors(waveform, symbols, indices):
    """(errors, bits) of the unknown symbols that there are; the nearest point is decided."""
    there = ~waveform.known & ~np.isnan(symbols)
    decided = np.abs(symbols[there][:, None] - waveform.points).argmin(-1)
    wrong = (decided ^ indices[there]).astype(np.uint8)
    bits = int(np.log2(len(waveform.points)))
    return int(np.unpackbits(wrong).sum()), bits * int(np.sum(there))


def compare(waveform, receivers, channel, snrs_db, num_bursts, seed):
    """Bit error rates {receiver: [one for each Es/N0]}, and the last symbols of each receiver."""
    sent = waveform.random_bursts(num_bursts, np.random.default_rng(seed))
    rates, symbols = {name: [] for name in receivers}, {}
    print(f"{waveform.name}, {num_bursts} bursts: bit error rate")
    print(f"{'':18s}" + "".join(f"{snr_db:>8g} dB" for snr_db in snrs_db))
    came = [simulate(waveform, sent, snr_db, channel, seed) for snr_db in snrs_db]
    for name, receive in receivers.items():
        for received in came:
            symbols[name] = receive(waveform, received)
            found = [bit_errors(waveform, *pair) for pair in zip(symbols[name], sent)]
            errors, bits = np.sum(found, 0)
            rates[name].append(errors / bits)
        print(
            f"{name:18s}" + "".join(f"{rate:11.4f}" for rate in rates[name]), flush=True
        )
    return rates, came[-1], symbols


def clouds(axes, waveform, before, symbols):
    """Samples before, and symbols behind the first receivers."""
    on_time = before[:, :: waveform.sps]
    unknown = np.flatnonzero(~waveform.known)
    pictures = {"received": on_time[:, unknown], **symbols}
    for axis, (name, rows) in zip(axes, pictures.items()):
        rows = np.asarray(rows)
        rows = rows if name == "received" else rows[:, unknown]
        values = rows[~np.isnan(rows)][:3000]
        colour = COLOURS.get(name, "gray")
        if waveform.gmsk:  # real symbols
            axis.hist(values.real, np.linspace(-2, 2, 81), color=colour)
            axis.set(xlim=(-2, 2))
        else:
            axis.plot(values.real, values.imag, ".", ms=1.5, color=colour)
            axis.set(aspect="equal", xlim=(-2, 2), ylim=(-2, 2))
        axis.set(title=name, xticks=[], yticks=[])
        axis.title.set_fontsize(9)
    for axis in axes[len(pictures) :]:
        axis.axis("off")


def draw(path, waveform, title, snrs_db, rates, before, symbols):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.1))
    axis = left.subplots()
    for name, rate in rates.items():
        axis.semilogy(
            snrs_db, np.maximum(rate, 1e-6), "o-", color=COLOURS[name], label=name
        )
    axis.set(xlabel="Es/N0 (dB)", ylabel="bit error rate", title=title)
    axis.set_ylim(top=0.6)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    # decisions say nothing in a cloud
    soft = {name: rows for name, rows in symbols.items() if name not in DECIDED}
    clouds(right.subplots(2, 3).ravel(), waveform, before, soft)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    print(f"{path}: error rates, and symbols at {snrs_db[-1]:g} dB")


DECIDED = ("interpolated DFE", "LS + Viterbi")


def known_values(path, waveform):
    """The known symbols of a recording, from a NumPy file."""
    try:
        values = np.asarray(np.load(path)).astype(np.complex64)
    except (ValueError, TypeError, EOFError, BadZipFile) as error:
        raise Unusable(f"{path} is no NumPy file of numbers") from error
    if values.shape != waveform.values.shape:
        raise Unusable(
            f"{path} holds {values.shape} values, not one for each of the "
            f"{len(waveform.values)} symbols of a burst"
        )
    if not (reservoir.has_known(values) and np.isnan(values).any()):
        raise Unusable(f"{path}: some symbols must be known and finite, the others NaN")
    return values


def receive_recording(waveform, receivers, arguments):
    """Finds bursts, receives them, prints the distance to the nearest points, writes symbols."""
    if arguments.known:
        values = known_values(arguments.known, waveform)
        waveform = replace(waveform, values=values)
    samples = read_recording(arguments.recording, waveform, arguments.carrier)
    starts = find_bursts(samples, waveform)
    if not len(starts):
        raise Unusable(f"{arguments.recording}: no burst found")
    received = cut(samples, starts, waveform)
    received /= np.sqrt(np.mean(np.abs(received) ** 2))
    symbols = {}
    for name, receive in receivers.items():
        symbols[name] = np.array(receive(waveform, received))
        rows = symbols[name]
        line = f"{name:18s}{len(starts)} bursts"
        if name not in DECIDED:
            distance = np.abs(rows[..., None] - waveform.points).min(-1)
            power = np.nanmean(distance[:, ~waveform.known] ** 2)
            line += f", error vector {10 * np.log10(power):.1f} dB"
        print(line)
        path = (
            arguments.out / f"symbols_{name.replace(' ', '_').replace('+', 'and')}.npy"
        )
        np.save(path, rows.astype(np.complex64))
    print("bursts begin at samples", ", ".join(map(str, starts)))


def compare_and_draw(waveform, receivers, channel, title, arguments):
    rates, before, symbols = compare(
        waveform, receivers, channel, arguments.snr, arguments.bursts, arguments.seed
    )
    path = arguments.out / f"{waveform.name.lower().replace(' ', '_')}.png"
    draw(path, waveform, title, arguments.snr, rates, before, symbols)


def record(waveform, channel, arguments):
    """A simulated link's samples as a WAV file, to try --recording with."""
    rng = np.random.default_rng(arguments.seed)
    sent = waveform.random_bursts(arguments.bursts, rng)
    samples, starts = simulated_stream(
        waveform, sent, arguments.snr[-1], channel, arguments.seed, filtered=False
    )
    rate = waveform.symbol_rate * samples_per_symbol(waveform)
    write_wav(arguments.record, samples, rate)
    print(f"{arguments.record}: {len(starts)} bursts, {rate:g} samples per second")


def parser_of(text, snrs_db, bursts):
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--snr",
        type=number(-20, 100),
        nargs="+",
        default=snrs_db,
        help="Es/N0 in dB (%(default)s)",
    )
    add(
        "--bursts",
        type=number(1, 10**6, int),
        default=bursts,
        help="at each Es/N0 (%(default)s)",
    )
    add("--seed", type=number(0, 2**32, int), default=1)
    add("--receivers", nargs="+", help="of those in the table (all)")
    add(
        "--out",
        type=Path,
        default=Path("out/known_symbols"),
        help="folder (%(default)s)",
    )
    add(
        "--record", type=Path, metavar="FILE.wav", help="only record the simulated link"
    )
    add("--recording", type=Path, help="receive this SigMF or WAV file instead")
    add(
        "--carrier",
        type=number(-1e9, 1e9),
        default=0.0,
        help="Hz, of the recording (%(default)s)",
    )
    add(
        "--known",
        type=Path,
        help="of the recording: its symbols as a NumPy file, NaN where not known",
    )
    return parser


def run(parser, arguments, waveform, receivers, channel, title):
    unknown = set(arguments.receivers or ()) - set(receivers)
    if unknown:
        parser.error(f"receivers are {', '.join(map(repr, receivers))}")
    if arguments.receivers:
        receivers = {name: receivers[name] for name in arguments.receivers}
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        if arguments.record:
            return record(waveform, channel, arguments)
        if arguments.recording:
            return receive_recording(waveform, receivers, arguments)
        compare_and_draw(waveform, receivers, channel, title, arguments)
    except Unusable as error:
        parser.exit(2, f"{error}\n")
    except OSError as error:
        parser.exit(2, f"cannot use {error.filename}: {error.strerror}\n")
