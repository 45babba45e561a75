#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Radios and streams of samples: opened and set up, or refused in one sentence."""

from gnuradio import gr

from .program import Unusable

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


SOURCES = {
    "usrp": usrp_source,
    "rtlsdr": rtlsdr_source,
    "rtl_tcp": rtl_tcp_source,
    "pluto": pluto_source,
    "zmq": zmq_source,
}
SINKS = {"usrp": usrp_sink, "pluto": pluto_sink, "zmq": zmq_sink}
