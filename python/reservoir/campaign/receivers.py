#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The receivers that a campaign can name: all detectors of this module, and peers.

KINDS maps a name to a class. An instance is made of a link and parameters; receive(frames) gives the
payload's symbols of each frame, in the shape of its payload. All frames of a block are given at once,
as receivers made of GNU Radio's own blocks need a stream.
"""

import dataclasses
import inspect

import numpy as np

from gnuradio import reservoir

from . import peers, stream_peers
from .fields import Table
from .links import Link, SingleCarrier
from .ofdm_link import Ofdm
from .peers import Unsuitable, coded_format
from .second_order import Network, trained


class Detector:
    """Of reservoir.detectors(), on every frame by itself."""

    links = SingleCarrier

    def __init__(self, link, **parameters):
        own = dict(num_inputs=link.antennas, num_outputs=link.streams)
        if "constellation" in self.names():
            own["constellation"] = link.constellation().base()
        own = {name: value for name, value in own.items() if name in self.names()}
        self.detector = self.made(**{**own, **parameters})
        self._link = link
        several = link.known_period and link.streams > 1
        if several and self.made is reservoir.configured_esn:
            raise Unsuitable("it needs all known symbols of several streams in front")

    @classmethod
    def names(cls):
        return {entry["name"] for entry in cls.made.parameters()}

    def receive(self, frames):
        return [self._receive(frame) for frame in frames]

    def _receive(self, frame):
        return self._payload(self._found(frame), frame)

    def _found(self, frame, **soft):
        received, pilots = frame.received, frame.pilots
        if frame.known is not None:
            pilots = reservoir.known_symbols(frame.known)
        elif len(pilots) == 1:
            pilots = pilots[0]
        return self.detector.receive(
            received[0] if len(received) == 1 else received,
            pilots,
            sps=self._link.samples_per_symbol,
            payload_len=frame.payload.shape[1],
            **soft,
        )

    def _payload(self, found, frame):
        of_streams = np.asarray((found,) if self._link.streams == 1 else found)
        if frame.known is not None:
            return of_streams[:, np.isnan(frame.known[0])]
        return of_streams[:, self._link.pilots :]

    def soft(self, frame):
        """Symbols, and the log-likelihood ratios of their bits, (streams, symbols, bits)."""
        constellation = self._link.constellation().base()
        found = self._found(frame, soft=True, constellation=constellation)
        return tuple(self._payload(one, frame) for one in found)

    def report(self):
        """Of the last frame: poles and more."""
        return self.detector.report()


class SecondOrderRnn(Detector):
    """rnn trained by what knows more than the gradient. optimizer: levenberg_marquardt or l_bfgs;
    epochs: iterations."""

    made = reservoir.rnn
    OPTIMIZERS = ("levenberg_marquardt", "l_bfgs")

    def __init__(self, link, optimizer="l_bfgs", epochs=40, **parameters):
        if optimizer not in self.OPTIMIZERS:
            raise ValueError(f"optimizer = {optimizer!r}: must be {self.OPTIMIZERS}")
        peers.check("epochs", epochs, 0, 10**6)
        if link.streams > 1 or link.antennas > 1 or link.samples_per_symbol > 1:
            raise Unsuitable("it takes one stream, at one sample per symbol")
        super().__init__(link, **parameters, epochs=0)
        self._optimizer, self._epochs = optimizer, epochs
        given = {entry["name"]: entry["default"] for entry in self.made.parameters()}
        given.update(parameters)
        if given["activation"] != "split_tanh" or given["skip"]:
            raise ValueError("activation: must be split_tanh, and skip false")
        self._window, self._delay = given["window"], given["delay"]
        self._first_weights = self.detector.weights()

    def network(self, frame):
        """From rnn's first weights, on the pilots as rnn sees them."""
        pilots = frame.pilots[0].astype(complex)
        power = np.mean(np.abs(frame.received[0, : len(pilots)]) ** 2)
        samples = frame.received / np.sqrt(power)
        steps = len(pilots) + self._delay
        windows = peers.windows(samples, steps, self._window, 0)
        return Network(self._first_weights, windows, pilots, self._delay)

    def _receive(self, frame):
        network = self.network(frame)
        found = trained(network, self._optimizer, self._epochs)
        self.detector.set_weights(*network.unpacked(found))
        return super()._receive(frame)


class OfdmDetector(Detector):
    """Of the OFDM detectors."""

    links = Ofdm

    def __init__(self, link, **parameters):
        own = dict(
            fft_len=link.fft_len,
            cp_len=link.cp_len,
            num_rx=link.antennas,
            num_tx=link.streams,
        )
        if "constellation" in self.names():
            own["constellation"] = link.constellation().base()
        if "stages" in parameters:
            stages = made_stages(link, parameters["stages"])
            parameters = dict(parameters, stages=stages)
        self.detector = self.made(**{**own, **parameters})
        self._link = link

    def _found(self, frame, **soft):
        soft.pop("constellation", None)
        return self.detector.receive(frame.received, frame.pilots, **soft)

    def _payload(self, found, frame):
        return self._link.data(found)


def made_detector(name, link, table):
    """Of a parameter that is a table: kind and parameters of a detector."""
    if not isinstance(table, (dict, type(None))):
        raise ValueError(f"{name}: must be tables of kind and parameters")
    parameters = dict(table or {})
    usual = "ofdm_configured" if isinstance(link, Ofdm) else "configured_esn"
    kind = parameters.pop("kind", usual)
    kinds = [k for k, made in KINDS.items() if issubclass(made, Detector)]
    if kind not in kinds:
        raise ValueError(f"{name} of kind {kind!r}: must be one of {', '.join(kinds)}")
    if unknown := set(parameters) - set(parameter_types(KINDS[kind])):
        raise ValueError(f"{name} of kind {kind}: has no parameter {unknown.pop()}")
    if reason := unsuitable(kind, link, parameters):
        raise Unsuitable(reason)
    return KINDS[kind](link, **parameters)


def made_stages(link, tables):
    """OFDM detectors; all but the first see, too, what the one before makes of the samples."""
    if not isinstance(tables, list):
        raise ValueError(f"stages = {tables!r}: must be a list of tables")
    later = dataclasses.replace(link, antennas=link.antennas + link.streams)
    return [
        made_detector("stages", later if count else link, table).detector
        for count, table in enumerate(tables)
    ]


class SoftDecoder:
    """A detector's log-likelihood ratios to the decoder. It gives the symbols of the packet or, where
    there is none, the detector's."""

    links = Link

    def __init__(self, link, detector: dict = None):
        self._form = coded_format(link)
        self._detector = made_detector("detector", link, detector)

    def receive(self, frames):
        return [self._receive(frame) for frame in frames]

    def _receive(self, frame):
        symbols, ratios = self._detector.soft(frame)
        packet, _ = self._form.decode_ratios(ratios.reshape(-1, ratios.shape[-1]))
        return self._form.encode(*packet).reshape(symbols.shape) if packet else symbols


class CodedReceiver:
    """coded_receiver. It gives the symbols of the packet; zeros where there is none."""

    links = SingleCarrier

    def __init__(self, link, iterations: int = 2, detector: dict = None):
        if link.streams > 1:
            raise Unsuitable("it takes one stream")
        if link.known_period:
            raise Unsuitable("it knows the pilots in front only")
        self._link, self._form = link, coded_format(link)
        equalizer = made_detector("detector", link, detector).detector
        self._receiver = reservoir.coded_receiver(equalizer, self._form, iterations)

    def receive(self, frames):
        return [self._receive(frame) for frame in frames]

    def _receive(self, frame):
        sps = self._link.samples_per_symbol
        found = self._receiver.receive(frame.received, frame.pilots[0], sps)
        if found["data"] is None:
            return np.zeros((1, self._link.payload))
        return self._form.encode(found["data"], found["sequence"])[None]


def refuse_combs(link):
    if link.combs:
        raise Unsuitable("it needs pilot symbols: combs = false")


class OfdmSamples:
    """A detector on all antennas' samples, trained on those of the pilots, prefix and all; where there
    are several, the one of the least error."""

    links = Ofdm

    def __init__(self, link, detectors):
        refuse_combs(link)
        self._detectors = detectors
        self._link = link

    def receive(self, frames):
        return [self._receive(frame) for frame in frames]

    def _receive(self, frame):
        wanted = self._link.modulate(frame.pilots).astype(np.complex64)
        seen = frame.received
        best = min(self._detectors, key=lambda one: one.fit(seen, wanted).mse)
        behind = np.zeros((len(seen), best.look_ahead()), np.complex64)
        samples = np.atleast_2d(best.detect(np.append(seen, behind, axis=1)))
        return self._link.data(self._link.demodulate(samples[:, : seen.shape[1]]))


class OfdmFilter(OfdmSamples):
    """A time-domain filter; the better of two delays."""

    DELAYS = (10, 16)

    def __init__(self, link, num_taps: int = 32):
        peers.check("num_taps", num_taps, max(self.DELAYS) + 1, 1024)
        shape = dict(num_inputs=link.antennas, num_outputs=link.streams)
        filters = [reservoir.fir(num_taps, delay, **shape) for delay in self.DELAYS]
        super().__init__(link, filters)


class OfdmRnn(OfdmSamples):
    """A recurrent network all of whose weights are trained; parameters: those of rnn."""

    made = reservoir.rnn

    def __init__(self, link, **parameters):
        shape = dict(num_inputs=link.antennas, num_outputs=link.streams)
        super().__init__(link, [self.made(**shape, **parameters)])


class OfdmReference:
    """Channel taps by least squares over the whole band, and an LMMSE equalizer with the larger of the
    true noise and the residual; unbiased."""

    links = Ofdm
    RIDGE = 1e-3

    def __init__(self, link, num_taps: int = 16):
        peers.check("num_taps", num_taps, 1, 1024)
        refuse_combs(link)
        if num_taps > link.fft_len:
            raise Unsuitable(f"it has {num_taps} taps, and fft_len = {link.fft_len}")
        self._link, self._taps = link, num_taps
        used = link.carriers()
        turns = np.outer(used, np.arange(num_taps)) / link.fft_len
        self._turns = np.exp(-2j * np.pi * turns)

    def receive(self, frames):
        return [self._receive(frame) for frame in frames]

    def _receive(self, frame):
        used = self._link.carriers()
        received = self._link.demodulate(frame.received)[..., used]
        response, residual = self._estimate(frame.pilots[..., used], received)
        ratio = self._link.fft_len / self._link.scale() ** 2
        noise = max(residual, frame.noise_variance * ratio)
        found = lmmse(response, received[:, self._link.pilots :], noise)
        return found.reshape(len(found), -1)

    def _estimate(self, known, received):
        """(carriers, antennas, streams), and the residual per carrier and antenna."""
        count = known.shape[1]
        rows = known.transpose(1, 2, 0)[..., None] * self._turns[None, :, None]
        rows = rows.reshape(-1, len(known) * self._taps)
        targets = received[:, :count].reshape(len(received), -1).T
        gram = rows.conj().T @ rows + self.RIDGE * len(rows) * np.eye(rows.shape[1])
        taps = np.linalg.solve(gram, rows.conj().T @ targets)
        residual = np.mean(np.abs(targets - rows @ taps) ** 2)
        residual /= max(1 - rows.shape[1] / len(rows), 0.1)
        taps = taps.reshape(len(known), self._taps, -1)
        return np.einsum("kt,sta->kas", self._turns, taps), residual


def lmmse(response, received, noise):
    """Unbiased symbols (streams, symbols, carriers) of (antennas, symbols, carriers) received; response:
    (carriers, antennas, streams)."""
    adjoint = response.conj().transpose(0, 2, 1)
    count = response.shape[2]
    weights = np.linalg.solve(adjoint @ response + noise * np.eye(count), adjoint)
    gains = np.einsum("kij,kji->ki", weights, response).real
    weights /= np.maximum(gains, 1e-12)[..., None]
    return np.einsum("kij,jnk->ink", weights, received)


class Drawn:
    """A kind with another random network for each frame of a block, so that intervals are over networks,
    too, where the block holds all frames. It decides on the middle of its window where that is given without a delay.
    """

    def __init__(self, link, **parameters):
        if "window" in parameters:
            parameters.setdefault("delay", parameters["window"] // 2)
        self.make = lambda seed: self.kind(link, **{**parameters, "seed": seed})
        self.make(1)  # refuses what is wrong

    def receive(self, frames):
        return [self.make(k + 1).receive([one])[0] for k, one in enumerate(frames)]


DRAWN = ("esn", "rnn", "second_order_rnn", "ofdm_esn", "ofdm_rnn")


def _kinds():
    """Every kind by its name; a detector that is added to the module is here without a word."""
    found = {}
    for base, kinds in (
        (Detector, reservoir.detector_kinds()),
        (OfdmDetector, reservoir.ofdm_detector_kinds()),
    ):
        for kind in kinds:
            name = kind["name"]
            found[name] = type(name, (base,), dict(made=getattr(reservoir, name)))
    found.update(ofdm_fir=OfdmFilter, ofdm_rnn=OfdmRnn, ofdm_reference=OfdmReference)
    found.update(soft_decoder=SoftDecoder, coded_receiver=CodedReceiver)
    found.update(second_order_rnn=SecondOrderRnn)
    for name in DRAWN:
        kind = found[name]
        own = dict(kind=kind, made=kind.made, links=kind.links)
        found[f"drawn_{name}"] = type(f"drawn_{name}", (Drawn,), own)
    return {**found, **stream_peers.KINDS, **peers.KINDS}


KINDS = _kinds()
# parameters that follow from the link
OF_LINKS = ("num_inputs", "num_outputs", "num_rx", "num_tx", "fft_len", "cp_len")
OF_LINKS += ("constellation",)


def parameter_types(made):
    """What a campaign may set: {name: int, float, bool, str, or None for anything else}."""
    words = {one.__name__: one for one in (int, float, bool, str)}
    if hasattr(made, "made"):
        return {
            entry["name"]: words.get(entry["type"])
            for entry in made.made.parameters()
            if entry["name"] not in OF_LINKS
        }
    given = list(inspect.signature(made).parameters.values())[1:]
    named = lambda kind: getattr(kind, "__name__", kind)
    return {one.name: words.get(str(named(one.annotation))) for one in given}


def defaults(made):
    """Values of parameters that a campaign does not set; another one is another receiver."""
    if hasattr(made, "made"):
        return {e["name"]: str(e["default"]) for e in made.made.parameters()}
    given = list(inspect.signature(made).parameters.values())[1:]
    return {parameter.name: str(parameter.default) for parameter in given}


def fits(wanted, value):
    """Whether a value of a campaign file may be given to a parameter of that type."""
    if wanted is None:
        return True
    if wanted in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if wanted is float else wanted)


def unsuitable(kind, link, parameters, kinds=KINDS):
    """Why the receiver cannot take part on the link; None if it can."""
    made = kinds[kind]
    links = getattr(made, "links", Table)  # a class of one's own need not have it
    if not isinstance(link, links):
        return f"{kind} is for {links.__name__}"
    try:
        made(link, **parameters)
    except Unsuitable as reason:
        return str(reason)
    except ValueError as error:
        if str(error).split(" ")[0] in OF_LINKS:
            return str(error)
        raise
    return None
