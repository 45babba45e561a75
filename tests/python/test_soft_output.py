#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Log-likelihood ratios of bits: labels, scale, priors, ports, and what a decoder makes of them."""

import numpy as np
import pytest
from gnuradio import blocks, digital, fec, gr, reservoir
from links import QPSK, noise, rayleigh, run, same_bits, symbols, tag, through
from links import moving_tap, training_tag

CLIP = 8.0
PILOTS, PAYLOAD = 64, 256
CHUNKS = [1, 64, 4096]
SQUARE = [1 + 1j, -1 + 1j, -1 - 1j, 1 - 1j]
CONSTELLATIONS = {
    "bpsk": digital.constellation_bpsk,
    "qpsk": digital.constellation_qpsk,
    "dqpsk": digital.constellation_dqpsk,
    "8psk": digital.constellation_8psk,
    "8psk_natural": digital.constellation_8psk_natural,
    "16qam": digital.constellation_16qam,
    "cycle": lambda: digital.constellation_calcdist(SQUARE, [2, 0, 1, 3], 4, 1),
}


def short_rnn():
    return reservoir.rnn(num_neurons=8, epochs=100, eigenvalues_every=0)


def linear_esn(constellation):
    return reservoir.configured_esn(constellation, feedback=False)


DETECTORS = {
    "fir": lambda constellation: reservoir.fir(),
    "esn": lambda constellation: reservoir.esn(),
    "rnn": lambda constellation: short_rnn(),
    "configured_esn": reservoir.configured_esn,
    "without feedback": linear_esn,
}
each_detector = pytest.mark.parametrize("name", DETECTORS)


def needed(name, constellation):
    """What receive wants to be told."""
    own = name in ("configured_esn", "without feedback")
    return None if own else constellation


def frame(points, rng, snr_db, taps=(1.0,), payload_len=PAYLOAD, behind=48):
    sent = symbols(PILOTS + payload_len + behind, rng, np.asarray(points, np.complex64))
    received = through(sent, np.asarray(taps), rng, snr_db)
    return received, sent[: PILOTS + payload_len]


def signs(constellation, sent):
    """+-1 for the bits of points, as calc_soft_dec has them."""
    by_point = [
        np.sign(constellation.calc_soft_dec(p, 0.1)) for p in constellation.points()
    ]
    nearest = np.argmin(abs(sent[:, None] - np.array(constellation.points())), 1)
    return np.array(by_point)[nearest]


def information(signed):
    return 1 - np.logaddexp(0, -signed).mean() / np.log(2)


def exact(points, labels, received, variance, priors=0.0):
    """Extrinsic ratios by definition: (symbols, bits)."""
    bits = int(np.log2(len(points)))
    one = labels[:, None] >> np.arange(bits)[::-1] & 1
    of_points = -abs(received[:, None] - points) ** 2 / variance
    of_points = of_points + (np.broadcast_to(priors, (len(received), bits)) @ one.T)
    total = lambda b, bit: np.logaddexp.reduce(of_points[:, one[:, b] == bit], axis=1)
    ratios = np.stack([total(b, 1) - total(b, 0) for b in range(bits)], 1)
    return np.clip(ratios - priors, -CLIP, CLIP)


@each_detector
@pytest.mark.parametrize("kind", CONSTELLATIONS)
def test_labels_are_those_of_calc_soft_dec(name, kind):
    constellation = CONSTELLATIONS[kind]().base()
    rng = np.random.default_rng(1)
    snr_db = 40 if name == "rnn" else 30
    received, sent = frame(constellation.points(), rng, snr_db, (1, 0.2j))
    received *= 1 / np.sqrt(np.mean(abs(received) ** 2))
    det = DETECTORS[name](constellation)
    out, llrs = det.receive(
        received,
        sent[:PILOTS],
        payload_len=PAYLOAD,
        soft=True,
        constellation=needed(name, constellation),
    )
    assert out.shape == (PILOTS + PAYLOAD,) and llrs.dtype == np.float32
    assert llrs.shape == (PILOTS + PAYLOAD, constellation.bits_per_symbol())
    expected = signs(constellation, sent)
    np.testing.assert_array_equal(llrs[:PILOTS], CLIP * expected[:PILOTS])
    wrong = np.mean(llrs[PILOTS:] * expected[PILOTS:] <= 0)
    # a flipped label makes half of a bit's ratios wrong
    assert wrong < (0.2 / llrs.shape[1] if name == "rnn" else 1e-3)


@each_detector
def test_symbols_are_the_same_as_without(name):
    qpsk = digital.constellation_qpsk().base()
    received, sent = frame(QPSK, np.random.default_rng(2), 8, (0.5, 1, 0.4j))
    hard = DETECTORS[name](qpsk).receive(received, sent[:PILOTS], payload_len=PAYLOAD)
    soft, _ = DETECTORS[name](qpsk).receive(
        received,
        sent[:PILOTS],
        payload_len=PAYLOAD,
        soft=True,
        constellation=needed(name, qpsk),
    )
    same_bits(hard, soft)


@pytest.mark.parametrize("kind", ["qpsk", "16qam"])
def test_linear_ratios_are_those_of_white_noise(kind):
    constellation = CONSTELLATIONS[kind]().base()
    points = np.array(constellation.points())
    received, sent = frame(points, np.random.default_rng(3), 10)
    rng = np.random.default_rng(4)
    bits = constellation.bits_per_symbol()
    priors = rng.normal(0, 3, (len(sent), bits)).astype(np.float32)
    for given in (0.0, priors):
        det = reservoir.fir(num_taps=4, delay=0)
        out, llrs = det.receive(
            received,
            sent[:PILOTS],
            payload_len=PAYLOAD,
            soft=True,
            prior_llrs=None if np.ndim(given) == 0 else given,
            constellation=constellation,
        )
        payload = slice(PILOTS, None)
        expected = exact(
            points,
            np.arange(len(points)),
            out[payload],
            det.report().noise_variance,
            given if np.ndim(given) == 0 else given[payload],
        )
        np.testing.assert_allclose(llrs[payload], expected, atol=2e-2)


def test_priors_help_and_are_not_in_what_comes():
    """On two equal paths a symbol is told from the other's prior."""
    qpsk = digital.constellation_qpsk().base()
    taps = np.array([1, 0.95, 0.9]) / np.linalg.norm([1, 0.95, 0.9])
    rng = np.random.default_rng(5)
    received, sent = frame(QPSK, rng, 4, taps)
    det = reservoir.configured_esn(qpsk, channel_len=3)
    truth = signs(qpsk, sent)
    options = dict(payload_len=PAYLOAD, soft=True)
    _, none = det.receive(received, sent[:PILOTS], **options)
    # what a channel with this reliability would say of the bits
    priors = (2 * truth + 2 * rng.standard_normal(truth.shape)).astype(np.float32)
    _, some = det.receive(received, sent[:PILOTS], prior_llrs=priors, **options)
    payload = slice(PILOTS, None)
    without, with_priors = (information((x * truth)[payload]) for x in (none, some))
    assert with_priors > without + 0.02
    _, zero = det.receive(received, sent[:PILOTS], prior_llrs=0 * priors, **options)
    np.testing.assert_allclose(zero, none, atol=1e-3)
    # a prior alone: where nothing is received, nothing is known
    silence = np.where(np.arange(len(received)) < PILOTS, received, 0)
    _, nothing = det.receive(
        silence.astype(np.complex64), sent[:PILOTS], prior_llrs=priors, **options
    )
    assert np.all(abs(nothing) <= CLIP)


@pytest.mark.parametrize("snr_db, least", [(7, 0.75), (9, 0.85), (12, 0.95)])
def test_ratios_of_the_configured_esn_are_calibrated(snr_db, least):
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(6)
    signed = []
    for _ in range(40):
        taps = rayleigh(np.exp(-np.arange(6) / 2), rng)
        received, sent = frame(QPSK, rng, snr_db, taps / np.linalg.norm(taps))
        det = reservoir.configured_esn(qpsk)
        _, llrs = det.receive(received, sent[:PILOTS], payload_len=PAYLOAD, soft=True)
        signed.append((llrs * signs(qpsk, sent))[PILOTS:])
    signed = np.concatenate(signed)
    scales = np.geomspace(0.3, 3, 47)
    best = scales[np.argmax([information(s * signed) for s in scales])]
    assert information(signed) > least
    assert best > 0.65
    assert best < 1.3 or snr_db == 12  # too few errors there to tell


def test_a_fading_frame_is_followed():
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(7)
    length = PILOTS + 1024 + 48
    sent = symbols(length, rng)
    taps = np.stack([moving_tap(length, 5e-4, rng) * a for a in (0.9, 0.4)], 1)
    received = through(sent, taps, rng, 12)
    det = reservoir.configured_esn(qpsk)
    _, llrs = det.receive(received, sent[:PILOTS], payload_len=1024, soft=True)
    assert det.report().tracked
    signed = (llrs * signs(qpsk, sent[: len(llrs)]))[PILOTS:]
    assert information(signed) > 0.8


@pytest.mark.parametrize("payload_len", [1, 2, 40, 3000])
def test_any_length(payload_len):
    qpsk = digital.constellation_qpsk().base()
    received, sent = frame(
        QPSK, np.random.default_rng(8), 10, (0.5, 1, 0.4j), payload_len
    )
    det = reservoir.configured_esn(qpsk)
    _, llrs = det.receive(received, sent[:PILOTS], payload_len=payload_len, soft=True)
    signed = llrs * signs(qpsk, sent)
    assert llrs.shape == (PILOTS + payload_len, 2)
    assert np.mean(signed[PILOTS:] > 0) > 0.97
    if payload_len == 3000:  # the segments fit: no edge shows
        assert np.all(np.mean(signed[PILOTS:][900:1200] > 0, axis=0) > 0.97)


@each_detector
@pytest.mark.parametrize("bad", ["nan", "inf", "silence", "noise", "huge"])
def test_bad_samples_give_finite_ratios(name, bad):
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(9)
    received, sent = frame(QPSK, rng, 12, (0.5, 1, 0.4j))
    if bad in ("nan", "inf"):
        received[70:90] = np.nan if bad == "nan" else np.inf
    elif bad == "silence":
        received[:] = 0
    elif bad == "noise":
        received = noise(len(received), rng, 0).astype(np.complex64)
    else:
        received[100] = 1e18
    det = DETECTORS[name](qpsk)
    _, llrs = det.receive(
        received,
        sent[:PILOTS],
        payload_len=PAYLOAD,
        soft=True,
        constellation=needed(name, qpsk),
        prior_llrs=np.full((PILOTS + PAYLOAD, 2), np.nan, np.float32),
    )
    assert np.all(abs(llrs) <= CLIP)  # no NaN either


def test_noise_tells_nothing():
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(10)
    received, sent = frame(QPSK, rng, -20)
    for det in (reservoir.fir(), reservoir.configured_esn(qpsk, tracking="off")):
        own = det.kind() == "configured_esn"
        _, llrs = det.receive(
            received,
            sent[:PILOTS],
            payload_len=PAYLOAD,
            soft=True,
            constellation=None if own else qpsk,
        )
        assert np.mean(abs(llrs[PILOTS:])) < 4


def test_streams_have_their_own_noise():
    """Of two streams the weaker one's bits are less sure."""
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(11)
    sent = np.stack([symbols(PILOTS + PAYLOAD, rng) for _ in range(2)])
    received = sent + np.stack([noise(sent.shape[1], rng, snr) for snr in (14, 4)])
    det = reservoir.fir(num_taps=2, delay=0, num_inputs=2, num_outputs=2)
    out, llrs = det.receive(
        received.astype(np.complex64), sent[:, :PILOTS], soft=True, constellation=qpsk
    )
    assert out.shape == sent.shape and llrs.shape == sent.shape + (2,)
    strong, weak = np.mean(abs(llrs[:, PILOTS:]), axis=(1, 2))
    assert strong > 1.3 * weak
    signed = (llrs[1] * signs(qpsk, sent[1]))[PILOTS:]
    scales = np.geomspace(0.3, 3, 47)
    best = scales[np.argmax([information(s * signed) for s in scales])]
    assert 0.6 < best < 1.6


@pytest.mark.parametrize(
    "points, rotation, snr_db",
    [
        ([-1, 1], np.pi / 2, 3),  # real and imaginary parts are streams of their own
        ([-1, 1], 0.0, 4),
        (QPSK, np.pi / 4, 8),
        (np.exp(0.25j * np.pi * np.arange(8)), 0.0, 13),
    ],
    ids=["pi/2-bpsk", "bpsk", "pi/4-qpsk", "8psk"],
)
def test_known_symbols_in_the_middle(points, rotation, snr_db):
    points = np.asarray(points, np.complex64)
    labels = list(range(len(points)))
    constellation = digital.constellation_calcdist(points, labels, 1, 1).base()
    rng = np.random.default_rng(12)
    signed = []
    for _ in range(20):
        pattern = reservoir.known_symbols(symbols(40, rng, points), range(70, 110))
        sent = symbols(180, rng, points)
        sent[70:110] = pattern.training(180)[70:110]
        turned = np.append(sent * np.exp(1j * rotation * np.arange(180)), np.zeros(48))
        taps = rayleigh(np.exp(-np.arange(4) / 1.5), rng)
        received = through(turned, taps / np.linalg.norm(taps), rng, snr_db)
        det = reservoir.configured_esn(constellation, rotation=rotation)
        _, llrs = det.receive(received, pattern, payload_len=140, soft=True)
        truth = signs(constellation, sent)
        np.testing.assert_array_equal(llrs[70:110], CLIP * truth[70:110])
        signed.append(np.delete(llrs * truth, range(70, 110), axis=0))
    signed = np.concatenate(signed)
    scales = np.geomspace(0.3, 3, 47)
    best = scales[np.argmax([information(s * signed) for s in scales])]
    assert information(signed) > 0.8
    assert 0.65 < best < 1.35


def test_linear_detectors_know_the_middle_too():
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(12)
    sent = symbols(200, rng)
    pattern = reservoir.known_symbols(sent[80:112], range(80, 112))
    received = through(sent, np.array([1, 0.3]), rng, 20)
    _, llrs = reservoir.fir().receive(
        received, pattern, payload_len=168, soft=True, constellation=qpsk
    )
    truth = signs(qpsk, sent)
    np.testing.assert_array_equal(llrs[80:112], CLIP * truth[80:112])
    assert np.mean(llrs * truth > 0) > 0.99


@pytest.mark.parametrize(
    "make, options, message",
    [
        (reservoir.fir, {}, "constellation = None: must be given for the soft output"),
        (
            reservoir.configured_esn,
            dict(constellation=digital.constellation_8psk().base()),
            "constellation = another one: must be None, or that of the configured_esn",
        ),
        (
            reservoir.fir,
            dict(
                constellation=digital.constellation_calcdist(
                    [1, 1j, -1], [], 1, 1
                ).base()
            ),
            "labels size = 3: must be 2, 4, 8",
        ),
        (
            reservoir.fir,
            dict(
                constellation=digital.constellation_calcdist(
                    [1, -1], [0, 0], 1, 1
                ).base()
            ),
            "labels element = 0: must be each of",
        ),
        (
            reservoir.configured_esn,
            dict(prior_llrs=np.zeros((10, 2))),
            "prior_llrs = 20 values in a row: must be one for each symbol and bit, 640",
        ),
        (
            reservoir.configured_esn,
            dict(prior_llrs=np.zeros((PILOTS + PAYLOAD, 3))),
            r"prior_llrs shape: must be \(symbols, 2\)",
        ),
        (
            reservoir.configured_esn,
            dict(prior_llrs=np.zeros((2, PILOTS + PAYLOAD, 2))),
            "prior_llrs = 2 rows: must be num_outputs = 1 rows",
        ),
        (
            reservoir.configured_esn,
            dict(soft=False, prior_llrs=np.zeros((PILOTS + PAYLOAD, 2))),
            "prior_llrs: must be None without soft",
        ),
    ],
)
def test_bad_arguments(make, options, message):
    received, sent = frame(QPSK, np.random.default_rng(13), 20)
    with pytest.raises(ValueError, match=message):
        make().receive(
            received, sent[:PILOTS], payload_len=PAYLOAD, **{"soft": True, **options}
        )


def test_copies_know_the_bits():
    qpsk = digital.constellation_qpsk().base()
    received, sent = frame(QPSK, np.random.default_rng(14), 9)
    given = dict(payload_len=PAYLOAD, soft=True)
    det = reservoir.fir()
    _, first = det.receive(received, sent[:PILOTS], constellation=qpsk, **given)
    _, again = det.clone().receive(received, sent[:PILOTS], **given)
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("payload_len", [PAYLOAD, 0])
def test_output_before_the_decision(payload_len):
    """output = "forward" has the readout's noise, which the report states."""
    rng = np.random.default_rng(15)
    received, sent = frame(QPSK, rng, 10, (0.6, 0.7, 0.4j), 2000)
    qpsk = digital.constellation_qpsk().base()
    found = {}
    for output in ("decided", "forward"):
        det = reservoir.configured_esn(qpsk, output=output, channel_len=3)
        if payload_len:
            out = det.receive(received, sent[:PILOTS], payload_len=2000)
        else:
            det.fit(received, sent[:PILOTS])
            out = det.detect(received)[: len(sent)]
        error = np.mean(abs(out - sent[: len(out)])[PILOTS:] ** 2)
        found[output] = out, error, det.report().noise_variance
    out, error, reported = found["forward"]
    assert reported / 1.4 < error < 1.4 * reported
    # the readout's noise is that of an equalizer of this channel, not of its decisions
    assert error > 0.08 and not np.array_equal(out, found["decided"][0])
    assert np.mean(signs(qpsk, out) == signs(qpsk, sent[: len(out)])) > 0.98


# ---- the block


def run_softly(equalizer, inputs, tags, chunk=0):
    """Outputs, soft outputs (symbols, bits), tags of each."""
    inputs = np.atleast_2d(inputs)
    top = gr.top_block()
    for i, row in enumerate(inputs):
        source = blocks.vector_source_c(row.tolist(), False, 1, tags if i == 0 else [])
        top.connect(source, (equalizer, i))
    sizes = equalizer.output_signature().sizeof_stream_items()
    streams = len(sizes) // 2
    sinks = [blocks.vector_sink_c() for _ in range(streams)]
    sinks += [blocks.vector_sink_f(size // 4) for size in sizes[streams:]]
    for o, sink in enumerate(sinks):
        top.connect((equalizer, o), sink)
    top.run(chunk) if chunk else top.run()
    outputs = [np.array(sink.data(), np.complex64) for sink in sinks[:streams]]
    soft = [
        np.array(sink.data(), np.float32).reshape(-1, size // 4)
        for sink, size in zip(sinks[streams:], sizes[streams:])
    ]
    return outputs, soft, [sink.tags() for sink in sinks]


def two_frames(rng, snr_db=10, taps=(0.5, 1, 0.4j), gap=30):
    """Received, sent, offsets; noise before, between and behind."""
    sent = [symbols(PILOTS + PAYLOAD, rng) for _ in range(2)]
    sent = [np.concatenate([sent[0][:PILOTS], s[PILOTS:]]) for s in sent]
    quiet = np.zeros(gap, np.complex64)
    x = np.concatenate([quiet, sent[0], quiet, sent[1], np.zeros(60)])
    return through(x, np.array(taps), rng, snr_db), sent, [gap, 2 * gap + len(sent[0])]


@each_detector
@pytest.mark.parametrize(
    "chunk, workers", [(c, w) for c in CHUNKS for w in (1, 3) if c > 1 or w == 1]
)
def test_ports_have_what_receive_gives(name, chunk, workers):
    qpsk = digital.constellation_qpsk().base()
    received, sent, offsets = two_frames(np.random.default_rng(16))
    pilots = sent[0][:PILOTS]
    block = reservoir.equalizer(
        DETECTORS[name](qpsk),
        training_sequence=pilots,
        payload_len=PAYLOAD,
        constellation=needed(name, qpsk),
        soft_output=True,
        workers=workers,
    )
    tags = [training_tag(offset) for offset in offsets] + [tag(100, "other")]
    (out,), (soft,), (on_symbols, on_bits) = run_softly(block, received, tags, chunk)
    assert len(out) == len(soft) == len(received)
    places = lambda found: [(t.offset, str(t.key)) for t in found]
    assert places(on_symbols) == places(on_bits) and len(on_bits) == 3
    det = DETECTORS[name](qpsk)
    between = np.ones(len(soft), bool)
    for offset in offsets:
        behind = slice(offset, offset + PILOTS + PAYLOAD + 48)
        expected, llrs = det.receive(
            received[behind],
            pilots,
            payload_len=PAYLOAD,
            soft=True,
            constellation=needed(name, qpsk),
        )
        here = slice(offset, offset + len(llrs))
        same_bits(out[here], expected)
        np.testing.assert_array_equal(soft[here], llrs)
        between[here] = False
    assert not np.any(soft[between])  # passed through


def test_without_soft_output_there_is_no_port_and_nothing_changes():
    received, sent, offsets = two_frames(np.random.default_rng(17))
    tags = [training_tag(offset) for offset in offsets]
    options = dict(training_sequence=sent[0][:PILOTS], payload_len=PAYLOAD)
    plain = reservoir.equalizer(reservoir.configured_esn(), **options)
    assert plain.output_signature().max_streams() == 1
    hard, _ = run(plain, received, tags)
    soft = reservoir.equalizer(reservoir.configured_esn(), soft_output=True, **options)
    assert soft.output_signature().max_streams() == 2
    (out,), _, _ = run_softly(soft, received, tags)
    same_bits(hard, out)


@pytest.mark.parametrize(
    "name, adapt",
    [(name, False) for name in DETECTORS]
    + [(name, True) for name in DETECTORS if name not in ("rnn", "without feedback")],
)
def test_a_stream_has_bits(name, adapt):
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(18)
    quiet = np.zeros(40)
    sent = symbols(PILOTS + 2000, rng)
    x = np.concatenate([quiet, sent])
    received = through(x, np.array([0.3, 1, 0.3j]), rng, 14)
    outputs = []
    for chunk in CHUNKS:
        block = reservoir.equalizer(
            DETECTORS[name](qpsk),
            training_sequence=sent[:PILOTS],
            constellation=qpsk,
            adapt_after_training=adapt,
            soft_output=True,
        )
        (out,), (soft,), _ = run_softly(block, received, [training_tag(40)], chunk)
        assert len(out) == len(soft) == len(received)
        assert not np.any(soft[:40])
        truth = signs(qpsk, sent)
        np.testing.assert_array_equal(soft[40:][:PILOTS], CLIP * truth[:PILOTS])
        signed = (soft[40:] * truth)[PILOTS:]
        assert information(signed) > (0.6 if name == "rnn" else 0.85)
        outputs.append(soft)
    for other in outputs[1:]:
        np.testing.assert_array_equal(other, outputs[0])


def test_a_frozen_equalizer_goes_on_with_the_bits():
    qpsk = digital.constellation_qpsk().base()
    received, sent, offsets = two_frames(np.random.default_rng(19), 20)
    det = reservoir.fir()
    det.fit(received[offsets[0] :], sent[0][:PILOTS])
    block = reservoir.equalizer(
        det,
        training_sequence=sent[0][:PILOTS],
        payload_len=PAYLOAD,
        constellation=qpsk,
        soft_output=True,
    )
    block.set_freeze(True)
    tags = [training_tag(offset) for offset in offsets]
    _, (soft,), _ = run_softly(block, received, tags)
    for offset, s in zip(offsets, sent):
        signed = soft[offset : offset + len(s)] * signs(qpsk, s)
        assert np.all(signed[:PILOTS] == CLIP)
        assert np.mean(signed > 0) > 0.99


def test_two_streams_have_two_ports():
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(20)
    sent = np.stack([symbols(PILOTS + PAYLOAD, rng) for _ in range(2)])
    mixed = np.array([[1, 0.4j], [-0.3, 1]]) @ sent
    received = (mixed + noise(mixed.shape, rng, 20)).astype(np.complex64)
    block = reservoir.equalizer(
        reservoir.fir(num_taps=2, delay=0, num_inputs=2, num_outputs=2),
        training_sequence=sent[:, :PILOTS],
        payload_len=PAYLOAD,
        constellation=qpsk,
        soft_output=True,
    )
    outputs, soft, _ = run_softly(block, received, [training_tag(0)])
    assert len(outputs) == len(soft) == 2
    for stream in range(2):
        assert np.mean(soft[stream] * signs(qpsk, sent[stream]) > 0) > 0.99


def test_known_symbols_of_a_block():
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(21)
    sent = symbols(200, rng)
    pattern = reservoir.known_symbols(sent[80:112], range(80, 112))
    received = through(sent, np.array([1, 0.3]), rng, 20)
    block = reservoir.equalizer(
        reservoir.fir(),
        known_symbols=pattern,
        payload_len=168,
        constellation=qpsk,
        soft_output=True,
    )
    _, (soft,), _ = run_softly(block, received, [training_tag(0)])
    truth = signs(qpsk, sent)
    np.testing.assert_array_equal(soft[80:112], CLIP * truth[80:112])
    assert np.mean(soft * truth > 0) > 0.99


def test_a_pattern_that_goes_on_for_a_stream():
    qpsk = digital.constellation_qpsk().base()
    rng = np.random.default_rng(23)
    probe = symbols(16, rng)
    sent = symbols(48 * 40, rng)
    sent.reshape(-1, 48)[:, 32:] = probe
    received = through(np.append(sent, np.zeros(100)), np.array([1, 0.4j]), rng, 14)
    pattern = reservoir.known_symbols(probe, range(32, 48), period=48)
    found = []
    for chunk in CHUNKS:
        block = reservoir.equalizer(
            reservoir.configured_esn(qpsk),
            known_symbols=pattern,
            soft_output=True,
        )
        _, (soft,), _ = run_softly(block, received, [training_tag(0)], chunk)
        signed = (soft[: len(sent)] * signs(qpsk, sent)).reshape(-1, 48, 2)
        assert np.all(signed[1:-1, 32:] == CLIP)
        assert np.mean(signed[1:-1] > 0) > 0.99
        found.append(soft)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_a_block_needs_to_know_the_bits():
    with pytest.raises(ValueError, match="constellation = None: must be given with"):
        reservoir.equalizer(reservoir.fir(), training_sequence=[1], soft_output=True)


# ---- a decoder


def test_a_decoder_gains_by_the_bits():
    """GNU Radio's, as docs/usage.md puts it behind the equalizer; 7 dB, 6 taps."""
    form = reservoir.packet_format(digital.constellation_qpsk().base(), 512, "cc")
    points = np.array(form.points, np.complex64)
    rng = np.random.default_rng(22)
    count, frames = 1024, 60
    order = np.arange(count) * 33 % count  # packet_format's interleaver
    info = 8 * (form.capacity + 8)
    coded = 2 * (info + 6)
    ordered, hard = np.empty((2, frames, count), np.float32)
    expected = np.empty((frames, count), np.float32)
    qpsk = digital.constellation_qpsk().base()
    for k in range(frames):
        pilots = symbols(PILOTS, rng, points)
        payload = np.array(form.encode(bytes(rng.integers(0, 256, 40, np.uint8)), k))
        sent = np.concatenate([pilots, payload, symbols(48, rng, points)])
        taps = rayleigh(np.exp(-np.arange(6) / 2), rng)
        received = through(sent, taps / np.linalg.norm(taps), rng, 7)
        det = reservoir.configured_esn(qpsk)
        out, llrs = det.receive(received, pilots, payload_len=512, soft=True)
        labels = lambda x: np.argmin(abs(x[:, None] - points), 1)
        bits = lambda x: 2.0 * (labels(x)[:, None] >> np.array([1, 0]) & 1) - 1
        ordered[k, order] = llrs[PILOTS:].ravel()
        hard[k, order] = bits(out[PILOTS:]).ravel()
        expected[k, order] = bits(payload).ravel()

    def decoded(ratios):
        code = fec.cc_decoder.make(info, 7, 2, [79, 109], 0, -1, fec.CC_TERMINATED)
        decoder = fec.extended_decoder(code, None)
        top = gr.top_block()
        source = blocks.vector_source_f(ratios[:, :coded].ravel().tolist())
        scale, sink = blocks.multiply_const_ff(0.33), blocks.vector_sink_b()
        top.connect(source, scale, decoder, sink)
        top.run()
        return np.array(sink.data()).reshape(frames, info)

    truth = decoded(8 * expected)
    lost = lambda ratios: np.mean((decoded(ratios) != truth).any(1))
    assert lost(ordered) <= 0.04
    assert lost(hard) >= lost(ordered)


@pytest.mark.parametrize("streams, name", [*((1, name) for name in DETECTORS), (2, "")])
def test_symbols_in_a_gap_are_unknown(streams, name):
    constellation, rng = digital.constellation_qpsk().base(), np.random.default_rng(4)
    begin, end, count = PILOTS + 96, PILOTS + 136, PILOTS + PAYLOAD
    sent = symbols((streams, count), rng)
    taps = rng.standard_normal((streams, streams, 3))
    received = noise((streams, count), rng, 24)
    for antenna, stream in np.ndindex(streams, streams):
        received[antenna] += np.convolve(sent[stream], taps[antenna, stream])[:count]
    received[:, begin:end] = 0
    make = DETECTORS.get(name) or (
        lambda c: reservoir.configured_esn(c, num_inputs=2, num_outputs=2)
    )
    detector = make(constellation)
    _, llrs = detector.receive(
        received.astype(np.complex64),
        sent[:, :PILOTS],
        soft=True,
        constellation=needed(name or "configured_esn", constellation),
    )
    llrs = llrs.reshape(streams, count, 2)
    assert np.all(llrs[:, begin:end] == 0)
    assert np.mean(abs(llrs[:, PILOTS:begin]) > 1) > 0.8
    assert not detector.report()["confidence"] > 0
