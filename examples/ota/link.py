#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What receive.py and transmit.py share: the burst's parameters, devices, files, and statistics."""

import argparse
import json
import math
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pmt

from gnuradio import blocks, digital, gr, reservoir

SPS = 2
EXCESS_BANDWIDTH = 0.25
GAP = 80  # symbols of silence behind a burst
LOOK_AHEAD = 48  # symbols that an equalizer looks at behind a frame
TAG = "training_start"
MAX_FRAMES = 64  # that wait: drivers deliver samples in blocks of many frames

CONSTELLATIONS = {
    "bpsk": digital.constellation_bpsk,
    "qpsk": digital.constellation_qpsk,
    "8psk": digital.constellation_8psk,
    "16qam": digital.constellation_16qam,
}
DETECTORS = {
    # frame_sync leaves so little carrier offset that the phase loop follows it
    "configured_esn": lambda c, window: reservoir.configured_esn(
        constellation=c, max_frequency_offset=0
    ),
    "esn": lambda c, window: reservoir.esn(window=window, delay=window // 2),
    "rnn": lambda c, window: reservoir.rnn(epochs=60, delay=6),
    "fir": lambda c, window: reservoir.fir(num_taps=window, delay=window // 2),
}


class Unusable(Exception):
    """What keeps the program from starting, in one plain sentence; exit code 2."""


# ---------------------------------------------------------------------- arguments


def number(low, high, kind=float):
    """An argparse type: a number within low ... high."""

    def convert(text):
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text} must be within {low:g} ... {high:g}"
            )
        return value

    convert.__name__ = "number"
    return convert


def add_burst_arguments(parser):
    """What transmitter and receiver must agree on."""
    group = parser.add_argument_group("bursts (the same at both ends)")
    group.add_argument(
        "--modulation", choices=CONSTELLATIONS, default="qpsk", help="default: qpsk"
    )
    group.add_argument(
        "--code",
        choices=["none", "cc"],
        default="none",
        help="cc: convolutional code of rate 1/2; halves the data (default: none)",
    )
    group.add_argument(
        "--pilots",
        type=number(16, 4096, int),
        default=64,
        help="known symbols that the receiver learns on (default: 64)",
    )
    group.add_argument(
        "--payload",
        type=number(64, 65536, int),
        default=512,
        help="symbols with data in a burst (default: 512)",
    )


def add_radio_arguments(parser, gain_help):
    group = parser.add_argument_group("radio")
    group.add_argument(
        "--rate",
        type=number(1e3, 1e9),
        default=2.048e6,
        help="samples a second, two a symbol (default: 2.048e6, or the recording's own)",
    )
    group.add_argument(
        "--frequency",
        type=number(1e3, 1e11),
        default=433.92e6,
        help="carrier in Hz (default: 433.92e6)",
    )
    group.add_argument("--gain", type=number(-100, 100), help=gain_help)
    group.add_argument(
        "--antenna", help="connector, as the device names it, e.g. RX2 (usrp)"
    )
    group.add_argument(
        "--device",
        default="",
        help="which one: arguments for usrp (addr=192.168.10.2), HOST:PORT for rtl_tcp, a URI for "
        "pluto (ip:192.168.2.1), an index or serial= for rtlsdr (default: the first found)",
    )


def add_air_arguments(parser):
    group = parser.add_argument_group("simulated air (sim only)")
    group.add_argument(
        "--snr",
        type=number(-20, 100),
        default=20.0,
        help="Es/N0 in dB (default: 20)",
    )
    group.add_argument(
        "--taps",
        type=number(1, 32, int),
        default=6,
        help="paths, one symbol apart, drawn anew for every burst (default: 6)",
    )
    group.add_argument(
        "--cfo",
        type=number(-0.05, 0.05),
        default=0.01,
        help="carrier offset in cycles/sample (default: 0.01)",
    )
    group.add_argument(
        "--ppm",
        type=number(-1000, 1000),
        default=0.0,
        help="clock offset (default: 0)",
    )
    group.add_argument(
        "--phase-noise",
        type=number(0, 1),
        default=0.0,
        help="rms in rad (default: 0)",
    )
    group.add_argument(
        "--iq-amplitude",
        type=number(-10, 10),
        default=0.0,
        help="gain of I over Q in dB (default: 0)",
    )
    group.add_argument(
        "--iq-phase",
        type=number(-45, 45),
        default=0.0,
        help="degrees from quadrature (default: 0)",
    )
    group.add_argument(
        "--dc",
        type=number(0, 10),
        default=0.0,
        help="offset, the signal's rms being 1 (default: 0)",
    )
    group.add_argument(
        "--bits",
        type=number(0, 16, int),
        default=0,
        help="of the converter; 0: none (default: 0)",
    )
    group.add_argument("--seed", type=number(0, 2**31, int), default=1)


def add_data_arguments(parser):
    group = parser.add_argument_group("data to send")
    group.add_argument("--text", help="file to send; without it, lines of text")
    group.add_argument(
        "--packets",
        type=number(0, 10**9, int),
        default=100,
        help="lines of text to send where no file is given; 0: without end (default: 100)",
    )


def constellation(arguments):
    return CONSTELLATIONS[arguments.modulation]().base()


def pilots(arguments):
    return reservoir.random_pilots(constellation(arguments), arguments.pilots)


def describe(arguments):
    """The burst's parameters as the arguments that receive such bursts."""
    return (
        f"--modulation {arguments.modulation} --code {arguments.code} "
        f"--pilots {arguments.pilots} --payload {arguments.payload}"
    )


# ---------------------------------------------------------------------- data


def packets(arguments, capacity):
    """The data, cut into packets of at most capacity bytes."""
    if arguments.text is None:
        count = 0
        while arguments.packets == 0 or count < arguments.packets:
            line = f"packet {count}: the quick brown fox jumps over the lazy dog\n"
            yield line.encode()[:capacity]
            count += 1
        return
    with open(arguments.text, "rb") as file:
        while block := file.read(capacity):
            yield block


def check_readable(path):
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error


def packet_source(arguments, continuous=False):
    if arguments.text:
        check_readable(arguments.text)
    try:
        return reservoir.packet_encoder(
            constellation(arguments),
            pilots(arguments),
            payload_len=arguments.payload,
            code=arguments.code,
            gap=GAP,
            continuous=continuous,
        )
    except ValueError as error:
        raise Unusable(f"the bursts do not fit: {error}") from error


def feed(encoder, data, stopped):
    """Hands packets to the encoder in a thread of its own, until the event stopped."""

    def loop():
        for block in data:
            while not stopped.is_set():
                try:
                    encoder.send(block, timeout=0.2)
                    break
                except queue.Full:
                    pass
            if stopped.is_set():
                return
        encoder.finish()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


def simulated_air(arguments):
    profile = None
    if arguments.taps > 1:
        profile = np.zeros(SPS * (arguments.taps - 1) + 1)
        profile[::SPS] = reservoir.exponential_profile(arguments.taps, 2.0)
    return reservoir.simulated_air(
        snr_db=arguments.snr - 10 * math.log10(SPS),
        power_delay_profile=profile,
        frequency_offset=arguments.cfo,
        clock_offset_ppm=arguments.ppm,
        phase_noise=arguments.phase_noise,
        iq_amplitude_db=arguments.iq_amplitude,
        iq_phase=arguments.iq_phase,
        dc_offset=arguments.dc,
        bits=arguments.bits,
        seed=arguments.seed,
    )


# ---------------------------------------------------------------------- devices

WITHOUT_RECEIVER = "go on without it with --source sim or --source file --input FILE"
WITHOUT_TRANSMITTER = "go on without it with --sink sim or --sink file --record FILE"


def module(name, package, instead):
    """An optional module of GNU Radio, or the sentence that it is missing."""
    try:
        return __import__(name, fromlist=["_"])
    except ImportError as error:
        raise Unusable(
            f"the Python module {name} is not installed (package {package}): install it, or "
            f"{instead}"
        ) from error


def opened(what, make, instead):
    """make(), or the sentence that the device is not there."""
    try:
        return make()
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise Unusable(
            f"no {what} found ({said}): connect it, check --device, or {instead}"
        ) from error


def check_within(name, value, low, high, unit, device):
    if not low <= value <= high:
        raise Unusable(
            f"--{name} {value:g}: this {device} does {low:g} ... {high:g} {unit}"
        )


def set_up_usrp(device, arguments):
    """Rate, frequency, gain and antenna of a USRP, each checked against what it can do."""
    rates, gains = device.get_samp_rates(), device.get_gain_range()
    check_within("rate", arguments.rate, rates.start(), rates.stop(), "S/s", "USRP")
    device.set_samp_rate(arguments.rate)
    actual = device.get_samp_rate()
    if abs(actual / arguments.rate - 1) > 1e-6:
        raise Unusable(
            f"--rate {arguments.rate:g}: this USRP offers {actual:g} S/s next to it; choose that, "
            "or a rate that divides its clock"
        )
    if arguments.antenna:
        if arguments.antenna not in device.get_antennas():
            names = ", ".join(device.get_antennas())
            raise Unusable(f"--antenna {arguments.antenna}: this USRP has {names}")
        device.set_antenna(arguments.antenna)
    frequencies = device.get_freq_range()
    low, high = frequencies.start(), frequencies.stop()
    check_within("frequency", arguments.frequency, low, high, "Hz", "USRP")
    device.set_center_freq(arguments.frequency)
    gain = arguments.gain
    if gain is None:
        gain = (gains.start() + gains.stop()) / 2
    check_within("gain", gain, gains.start(), gains.stop(), "dB", "USRP")
    device.set_gain(gain)


def usrp_source(arguments):
    uhd = module("gnuradio.uhd", "gr-uhd", WITHOUT_RECEIVER)
    stream = uhd.stream_args("fc32", channels=[0])
    device = opened(
        "USRP", lambda: uhd.usrp_source(arguments.device, stream), WITHOUT_RECEIVER
    )
    set_up_usrp(device, arguments)
    return device


def usrp_sink(arguments):
    uhd = module("gnuradio.uhd", "gr-uhd", WITHOUT_TRANSMITTER)
    stream = uhd.stream_args("fc32", channels=[0])
    device = opened(
        "USRP", lambda: uhd.usrp_sink(arguments.device, stream), WITHOUT_TRANSMITTER
    )
    set_up_usrp(device, arguments)
    return device


def check_rtl(arguments):
    rate = arguments.rate
    if not (225001 <= rate <= 300000 or 900001 <= rate <= 3200000):
        raise Unusable(
            f"--rate {rate:g}: an RTL-SDR does 225001 ... 300000 and 900001 ... 3200000 S/s"
        )
    check_within("frequency", arguments.frequency, 22e6, 1.766e9, "Hz", "RTL-SDR")
    if arguments.gain is not None:
        check_within("gain", arguments.gain, 0, 49.6, "dB", "RTL-SDR")


def rtlsdr_source(arguments):
    check_rtl(arguments)
    which = arguments.device
    try:
        soapy = module("gnuradio.soapy", "gr-soapy", WITHOUT_RECEIVER)
    except Unusable:
        return osmosdr_source(f"rtl={which or 0}", "RTL-SDR", arguments)
    selection = "driver=rtlsdr" + (f",{which}" if "=" in which else "")
    if which.isdigit():
        selection += f",rtl={which}"
    device = opened(
        "RTL-SDR",
        lambda: soapy.source(selection, "fc32", 1, "", "", [""], [""]),
        WITHOUT_RECEIVER,
    )
    device.set_sample_rate(0, arguments.rate)
    device.set_frequency(0, arguments.frequency)
    device.set_gain_mode(0, arguments.gain is None)
    if arguments.gain is not None:
        device.set_gain(0, arguments.gain)
    return device


def rtl_tcp_source(arguments):
    check_rtl(arguments)
    address = arguments.device or "127.0.0.1:1234"
    return osmosdr_source(
        f"rtl_tcp={address}", f"rtl_tcp server at {address}", arguments
    )


def osmosdr_source(selection, what, arguments):
    osmosdr = module("osmosdr", "gr-osmosdr", WITHOUT_RECEIVER)
    device = opened(what, lambda: osmosdr.source(selection), WITHOUT_RECEIVER)
    device.set_sample_rate(arguments.rate)
    device.set_center_freq(arguments.frequency)
    device.set_gain_mode(arguments.gain is None)
    if arguments.gain is not None:
        device.set_gain(arguments.gain)
    return device


def zmq_address(arguments):
    return "tcp://" + (arguments.device or "127.0.0.1:55555")


def zmq_source(arguments):
    """Samples that a PUB socket of gr-zeromq sends; it may come later."""
    zeromq = module("gnuradio.zeromq", "gr-zeromq", WITHOUT_RECEIVER)
    address = zmq_address(arguments)
    return opened(
        f"ZeroMQ address {address}",
        lambda: zeromq.sub_source(gr.sizeof_gr_complex, 1, address),
        WITHOUT_RECEIVER,
    )


def zmq_sink(arguments):
    zeromq = module("gnuradio.zeromq", "gr-zeromq", WITHOUT_TRANSMITTER)
    address = zmq_address(arguments)
    return opened(
        f"free ZeroMQ address {address}",
        lambda: zeromq.pub_sink(gr.sizeof_gr_complex, 1, address),
        WITHOUT_TRANSMITTER,
    )


def check_pluto(arguments):
    check_within("rate", arguments.rate, 520834, 61.44e6, "S/s", "Pluto")
    check_within("frequency", arguments.frequency, 70e6, 6e9, "Hz", "Pluto")


def pluto_uri(arguments, iio):
    return arguments.device or iio.get_pluto_uri()


def pluto_source(arguments):
    check_pluto(arguments)
    iio = module("gnuradio.iio", "gr-iio", WITHOUT_RECEIVER)
    if arguments.gain is not None:
        check_within("gain", arguments.gain, 0, 74.5, "dB", "Pluto")

    def make():
        return iio.fmcomms2_source_fc32(
            pluto_uri(arguments, iio), [True, True], 1 << 15
        )

    device = opened("Pluto", make, WITHOUT_RECEIVER)
    device.set_frequency(int(arguments.frequency))
    device.set_samplerate(int(arguments.rate))
    device.set_gain_mode(0, "slow_attack" if arguments.gain is None else "manual")
    if arguments.gain is not None:
        device.set_gain(0, arguments.gain)
    device.set_quadrature(True)
    device.set_rfdc(True)
    device.set_bbdc(True)
    device.set_filter_params("Auto", "", 0.0, 0.0)
    return device


def pluto_sink(arguments):
    check_pluto(arguments)
    iio = module("gnuradio.iio", "gr-iio", WITHOUT_TRANSMITTER)
    gain = -10.0 if arguments.gain is None else arguments.gain
    check_within("gain", gain, -89.75, 0, "dB", "Pluto")

    def make():
        return iio.fmcomms2_sink_fc32(
            pluto_uri(arguments, iio), [True, True], 1 << 15, False
        )

    device = opened("Pluto", make, WITHOUT_TRANSMITTER)
    device.set_bandwidth(int(arguments.rate))
    device.set_frequency(int(arguments.frequency))
    device.set_samplerate(int(arguments.rate))
    device.set_attenuation(0, -gain)
    device.set_filter_params("Auto", "", 0.0, 0.0)
    return device


# ---------------------------------------------------------------------- recordings

_READERS = {  # SigMF data type: items of the file, and blocks to complex samples
    "cf32_le": (gr.sizeof_gr_complex, []),
    "ci16_le": (
        gr.sizeof_short,
        [lambda: blocks.interleaved_short_to_complex(False, False, 32768.0)],
    ),
    "ci8": (
        gr.sizeof_char,
        [lambda: blocks.interleaved_char_to_complex(False, 128.0)],
    ),
    "cu8": (
        gr.sizeof_char,
        [
            lambda: blocks.uchar_to_float(),
            lambda: blocks.add_const_ff(-127.5),
            lambda: blocks.multiply_const_ff(1 / 128),
            lambda: blocks.stream_to_vector(gr.sizeof_float, 2),
            lambda: blocks.copy(gr.sizeof_gr_complex),
        ],
    ),
}


def recording_paths(name):
    """(metadata, data) of a SigMF recording, whichever of the two is named."""
    base = name.removesuffix(".sigmf-meta").removesuffix(".sigmf-data")
    return Path(base + ".sigmf-meta"), Path(base + ".sigmf-data")


def file_source(arguments):
    """The blocks that play a recording; sets the rate and frequency that it tells of."""
    name = arguments.input
    if not name:
        raise Unusable("--source file needs a recording: add --input FILE")
    data_type = "cf32_le"
    path = Path(name)
    if path.suffix in (".sigmf-meta", ".sigmf-data"):
        meta, path = recording_paths(name)
        try:
            content = json.loads(meta.read_text())
            data_type = content["global"]["core:datatype"]
            captures = content.get("captures") or [{}]
        except OSError as error:
            raise Unusable(f"cannot read {meta}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unusable(f"{meta} is no SigMF metadata") from error
        arguments.rate = content["global"].get("core:sample_rate", arguments.rate)
        arguments.frequency = captures[0].get("core:frequency", arguments.frequency)
    if data_type not in _READERS:
        known = ", ".join(_READERS)
        raise Unusable(f"{name} holds {data_type}; this program reads {known}")
    if not path.is_file():
        raise Unusable(f"cannot read {path}: there is no such file")
    if path.stat().st_size == 0:
        raise Unusable(f"{path} is empty")
    size, converters = _READERS[data_type]
    return [
        blocks.file_source(size, str(path), False),
        *(make() for make in converters),
    ]


def recorder(arguments, hardware):
    """A sink that writes what it gets as a SigMF recording."""
    meta, data = recording_paths(arguments.record)
    try:
        meta.touch()
        data.touch()
    except OSError as error:
        raise Unusable(f"cannot write {meta}: {error.strerror}") from error
    base = str(meta).removesuffix("-meta")  # NAME.sigmf
    return blocks.sigmf_sink_minimal(
        gr.sizeof_gr_complex,
        base + "-meta",
        arguments.rate,
        arguments.frequency,
        "",
        "bursts of gr-reservoir: " + describe(arguments),
        hardware,
        True,
    )


# ---------------------------------------------------------------------- receiver


class receiver(gr.hier_block2):
    """Samples to packets: frame_sync, frame_gate, equalizer, phase_loop_cc, packet_decoder."""

    def __init__(self, arguments, live):
        gr.hier_block2.__init__(
            self,
            "receiver",
            gr.io_signature(1, 1, gr.sizeof_gr_complex),
            gr.io_signature(2, 2, gr.sizeof_gr_complex),
        )
        self.message_port_register_hier_out("pdus")
        self.message_port_register_hier_out("report")
        self.message_port_register_hier_out("training")
        points = constellation(arguments)
        frame_len = (arguments.pilots + arguments.payload + LOOK_AHEAD) * SPS
        self.sync = reservoir.frame_sync(
            SPS, EXCESS_BANDWIDTH, sample_rate=arguments.rate, tag_key=TAG
        )
        self.gate = reservoir.frame_gate(frame_len, TAG, MAX_FRAMES, drop=live)
        self.equalizer = reservoir.equalizer(
            DETECTORS[arguments.detector](points, arguments.window),
            SPS,
            pilots(arguments),
            TAG,
            payload_len=arguments.payload,
            workers=arguments.workers,
        )
        try:
            self.decoder = reservoir.packet_decoder(
                points, arguments.pilots, arguments.payload, arguments.code, TAG
            )
        except ValueError as error:
            raise Unusable(f"the bursts do not fit: {error}") from error
        chain = [self, self.sync, self.gate, self.equalizer]
        if arguments.detector != "configured_esn":
            chain.append(reservoir.phase_loop_cc(points, arguments.loop_bandwidth, TAG))
        self.connect(*chain, self.decoder)
        # for who wants to look: symbol instants before the equalizer, and symbols
        self.connect(
            self.gate, blocks.keep_one_in_n(gr.sizeof_gr_complex, SPS), (self, 0)
        )
        self.connect(chain[-1], (self, 1))
        self.msg_connect(self.decoder, "pdus", self, "pdus")
        self.msg_connect(self.decoder, "report", self, "report")
        self.msg_connect(self.equalizer, "report", self, "training")


class packet_writer(gr.basic_block):
    """Writes packets' bytes to a file and keeps what they say of the link."""

    def __init__(self, file):
        gr.basic_block.__init__(self, "packet_writer", None, None)
        self._file = file
        self._lock = threading.Lock()
        self._recent = []  # (snr_db, cfo, evm_db)
        self.bytes = 0
        self.message_port_register_in(pmt.intern("report"))
        self.set_msg_handler(pmt.intern("report"), self._keep)

    def write(self, data, _):
        """Handler of the packet decoder."""
        try:
            self._file.write(data)
            self._file.flush()
        except (OSError, ValueError):  # who read them has gone
            pass
        self.bytes += len(data)

    def _keep(self, message):
        report = pmt.to_python(message)
        values = [report.get(key, math.nan) for key in ("snr_db", "cfo", "evm_db")]
        with self._lock:
            self._recent.append(values)

    def take(self):
        """Mean SNR (dB), CFO (cycles/sample), EVM (dB) since the last call; NaN without frames."""
        with self._lock:
            recent, self._recent = self._recent, []
        return np.mean(recent, axis=0) if recent else np.full(3, math.nan)


class overflow_counter(gr.sync_block):
    """Counts a USRP's overflows: it tags the first sample behind each with rx_time."""

    def __init__(self):
        gr.sync_block.__init__(self, "overflow_counter", [np.complex64], None)
        self._tags = 0

    def work(self, input_items, output_items):
        count = len(input_items[0])
        self._tags += len(self.get_tags_in_window(0, 0, count, pmt.intern("rx_time")))
        return count

    def overflows(self):
        return max(0, self._tags - 1)


# ---------------------------------------------------------------------- running


def run(top, report, stopped):
    """Runs a flowgraph until it ends or Ctrl-C, with a line each second on stderr."""
    finished = threading.Event()

    def interrupt(*_):
        stopped.set()
        finished.set()

    for number_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number_, interrupt)
    top.start()

    def wait():
        top.wait()
        finished.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    begin = time.monotonic()
    while not finished.wait(1.0):
        print(report(time.monotonic() - begin), file=sys.stderr, flush=True)
    stopped.set()
    top.stop()
    waiting.join(3.0)
    print(report(time.monotonic() - begin), file=sys.stderr, flush=True)
    if waiting.is_alive():  # a driver that waits for a device that has gone
        os._exit(0)


def data_output(path):
    """Where received bytes go; drivers that print to stdout print to stderr from now on."""
    if path:
        try:
            return open(path, "wb")
        except OSError as error:
            raise Unusable(f"cannot write {path}: {error.strerror}") from error
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def main(program):
    """Exit code of program(): 2 with one sentence where it cannot start."""
    try:
        program()
    except Unusable as sentence:
        print(f"{Path(sys.argv[0]).name}: {sentence}", file=sys.stderr)
        return 2
    return 0
