#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Radios and streams of samples: opened and set up, or refused in one sentence."""

import functools
import importlib

from gnuradio import gr

from .program import Unusable

INSTEAD = {
    "source": "go on without it with --source sim or --source file --input FILE",
    "sink": "go on without it with --sink sim or --sink file --record FILE",
}


def module(role, name):
    """An optional module of GNU Radio, or the sentence that it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = "gr-" + name.removeprefix("gnuradio.")
        raise Unusable(
            f"the Python module {name} is not installed (package {package}): install it, or "
            f"{INSTEAD[role]}"
        ) from error


def opened(role, what, make, *arguments):
    """make(...), or the sentence that the device is not there."""
    try:
        return make(*arguments)
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise Unusable(
            f"no {what} found ({said}): connect it, check --device, or {INSTEAD[role]}"
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


def usrp(role, arguments):
    uhd = module(role, "gnuradio.uhd")
    stream = uhd.stream_args("fc32", channels=[0])
    make = getattr(uhd, f"usrp_{role}")
    device = opened(role, "USRP", make, arguments.device, stream)
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


def rtlsdr(role, arguments):
    check_rtl(arguments)
    which = arguments.device
    try:
        soapy = module(role, "gnuradio.soapy")
    except Unusable:
        return osmosdr_source(role, f"rtl={which or 0}", "RTL-SDR", arguments)
    selection = "driver=rtlsdr" + (f",{which}" if "=" in which else "")
    if which.isdigit():
        selection += f",rtl={which}"
    form = "fc32", 1, "", "", [""], [""]
    device = opened(role, "RTL-SDR", soapy.source, selection, *form)
    device.set_sample_rate(0, arguments.rate)
    device.set_frequency(0, arguments.frequency)
    device.set_gain_mode(0, arguments.gain is None)
    if arguments.gain is not None:
        device.set_gain(0, arguments.gain)
    return device


def rtl_tcp(role, arguments):
    check_rtl(arguments)
    address = arguments.device or "127.0.0.1:1234"
    what = f"rtl_tcp server at {address}"
    return osmosdr_source(role, f"rtl_tcp={address}", what, arguments)


def osmosdr_source(role, selection, what, arguments):
    osmosdr = module(role, "osmosdr")
    device = opened(role, what, osmosdr.source, selection)
    device.set_sample_rate(arguments.rate)
    device.set_center_freq(arguments.frequency)
    device.set_gain_mode(arguments.gain is None)
    if arguments.gain is not None:
        device.set_gain(arguments.gain)
    return device


def zmq(role, arguments):
    """Samples that a PUB socket of gr-zeromq sends; it may come later than who listens."""
    zeromq = module(role, "gnuradio.zeromq")
    address = "tcp://" + (arguments.device or "127.0.0.1:55555")
    make, what = {
        "source": (zeromq.sub_source, f"ZeroMQ address {address}"),
        "sink": (zeromq.pub_sink, f"free ZeroMQ address {address}"),
    }[role]
    return opened(role, what, make, gr.sizeof_gr_complex, 1, address)


def pluto(role, arguments):
    check_within("rate", arguments.rate, 520834, 61.44e6, "S/s", "Pluto")
    check_within("frequency", arguments.frequency, 70e6, 6e9, "Hz", "Pluto")
    iio, gain = module(role, "gnuradio.iio"), arguments.gain
    low, high = {"source": (0, 74.5), "sink": (-89.75, 0)}[role]
    if gain is not None:
        check_within("gain", gain, low, high, "dB", "Pluto")

    def make():
        uri, channels = arguments.device or iio.get_pluto_uri(), [True, True]
        if role == "source":
            return iio.fmcomms2_source_fc32(uri, channels, 1 << 15)
        return iio.fmcomms2_sink_fc32(uri, channels, 1 << 15, False)

    device = opened(role, "Pluto", make)
    device.set_frequency(int(arguments.frequency))
    device.set_samplerate(int(arguments.rate))
    if role == "sink":
        device.set_bandwidth(int(arguments.rate))
        device.set_attenuation(0, 10.0 if gain is None else -gain)
    else:
        device.set_gain_mode(0, "slow_attack" if gain is None else "manual")
        if gain is not None:
            device.set_gain(0, gain)
        device.set_quadrature(True)
        device.set_rfdc(True)
        device.set_bbdc(True)
    device.set_filter_params("Auto", "", 0.0, 0.0)
    return device


DEVICES = dict(usrp=usrp, rtlsdr=rtlsdr, rtl_tcp=rtl_tcp, pluto=pluto, zmq=zmq)
SOURCES = {name: functools.partial(make, "source") for name, make in DEVICES.items()}
SINKS = {
    name: functools.partial(DEVICES[name], "sink") for name in ("usrp", "pluto", "zmq")
}
