#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Stages of OFDM receivers: RCNet's cascade, the classifier of RC-Struct, attention over carriers."""

import threading

import numpy as np
import pmt
import pytest
from gnuradio import blocks, digital, gr, reservoir
from links import tag

from ofdm_links import LINKS, QAM16, make_frame

POINTS = digital.constellation_16qam().base()
DELAYS = (10, 16)  # that ofdm_esn tries
LATER = dict(window=8, delay=4, input_scaling=0.5)  # stages of RCNet


def shape_of(link, more=0):
    return link.fft_len, link.cp_len, link.antennas + more, link.antennas


def network(link, more=0, **other):
    return reservoir.ofdm_esn(*shape_of(link, more), constellation=POINTS, **other)


def cascade(link, *stages):
    return reservoir.rcnet(*shape_of(link), list(stages))


def receive(detector, frame):
    return detector.receive(frame.received, frame.pilots.astype(np.complex64))


def wrong(detectors, name, snr_db, frames, seed=1):
    """Symbol errors of each over the same frames."""
    counts = np.zeros(len(detectors), int)
    for number in range(frames):
        frame = make_frame(LINKS[name], snr_db, seed, number)
        counts += [frame.errors(receive(one, frame))[0] for one in detectors]
    return counts


def decided(symbols):
    return QAM16[np.argmin(np.abs(symbols[..., None] - QAM16), -1)]


# --------------------------------------------------------------------- cascade


def ridge(rows, targets, penalties, regularization, count=None):
    """Weights, the rows' mean share in their own prediction, and the cross-validation error."""
    gram, count = rows.conj().T @ rows, count or len(rows)
    powers = np.sum(np.abs(rows) ** 2, 0) * penalties
    penalized = gram + regularization * np.diag(powers)
    weights = np.linalg.solve(penalized, rows.conj().T @ targets)
    share = np.trace(np.linalg.solve(penalized, gram)).real / count
    error = np.sum(np.abs(targets - rows @ weights) ** 2) / (1 - share) ** 2
    return weights, share, error


def history_weights(windows, targets, window, delay):
    """Of the rows: less where their windows reach into what was before the frame, if that was a signal."""
    incomplete, outputs = window - 1 - delay, targets.shape[1]
    weights, share, _ = ridge(windows, targets, 1, 0.01)
    errors = np.sum(np.abs(targets - windows @ weights) ** 2, 1)
    errors /= outputs * (1 - share) ** 2
    taps = np.sum(np.abs(weights) ** 2, 1).reshape(-1, window).sum(0)
    missing = np.array([taps[delay + k + 1 :].sum() for k in range(incomplete)])
    usual, errors = np.mean(errors[incomplete:]), errors[:incomplete]
    variance = usual + missing / outputs
    ratio = errors / usual - errors / variance - np.log(variance / usual)
    found = np.ones(len(targets))
    if outputs * np.sum(ratio) >= -3:
        found[:incomplete] = np.maximum(usual / variance, 1e-4)
    return found


def network_outputs(network, window, delays, seen, pilots):
    """What ofdm_esn makes of samples: states penalized ten times as much as the window, by which delay
    and regularization are chosen."""
    size, first, last = pilots.shape[1], max(delays), pilots.shape[1] + min(delays)
    seen = seen / np.sqrt(np.mean(np.abs(seen[:, :size]) ** 2))
    seen = np.append(seen, np.zeros((len(seen), first)), 1).astype(np.complex64)
    windows = [np.append(np.zeros(k), r)[: len(r)] for r in seen for k in range(window)]
    windows = np.stack(windows, 1)
    states = np.array(network.states(seen, 1)).T
    _, delay, regularization = min(
        (ridge(windows[first:last], pilots.T[first - d : last - d], 1, r)[2], d, r)
        for d in delays
        for r in 10.0 ** np.arange(-5, 1.6, 0.5)
    )
    features, targets = np.append(states, windows, 1), pilots.T
    penalties = np.repeat([10, 1], [states.shape[1], windows.shape[1]])
    weighted = history_weights(windows[delay:][:size], targets, window, delay)
    root = np.sqrt(weighted)[:, None]
    rows, targets = root * features[delay:][:size], root * targets
    weights, share, _ = ridge(rows, targets, penalties, regularization, weighted.sum())
    estimates = targets + (rows @ weights - targets) / (1 - share)
    gains = np.sum(targets.conj() * estimates, 0) / np.sum(np.abs(targets) ** 2, 0)
    return (features[delay:][: seen.shape[1] - first] @ (weights / gains)).T


@pytest.mark.parametrize("name", ["T6n", "T6r", "T6p2"])
def test_cascade_is_two_networks_on_samples(name):
    link, frame = LINKS[name], make_frame(LINKS[name], 25, 1, 0)
    pilots = link.modulate(frame.pilots)
    shape = dict(spectral_radius=0.4, num_outputs=link.antennas)
    first = reservoir.esn(32, 32, input_scaling=0.3, num_inputs=2, **shape)
    outputs = network_outputs(first, 32, DELAYS, frame.received, pilots)
    single = receive(network(link), frame)[..., link.carriers()]
    by_hand = link.demodulate(outputs)[:, link.pilots :, link.carriers()]
    assert np.max(np.abs(single - by_hand)) < 1e-3 * np.max(np.abs(by_hand))

    unit = np.sqrt(np.mean(np.abs(frame.received) ** 2))
    outputs = outputs / np.sqrt(np.mean(np.abs(outputs) ** 2))
    both = np.append(frame.received / unit, outputs, axis=0)
    second = reservoir.esn(32, seed=2, num_inputs=4, **shape, **LATER)
    found = network_outputs(second, 8, [4], both, pilots)
    by_hand = link.demodulate(found)[:, link.pilots :, link.carriers()]
    found = receive(reservoir.rcnet(*shape_of(link)), frame)[..., link.carriers()]
    assert np.max(np.abs(found - by_hand)) < 1e-3 * np.max(np.abs(by_hand))
    # the second stage has done something
    assert np.mean(np.abs(single - by_hand) ** 2) > 100 * np.mean(
        np.abs(found - by_hand) ** 2
    )


def test_stages_that_it_has_by_itself():
    link, frame = LINKS["T6r"], make_frame(LINKS["T6r"], 25, 1, 1)
    given = cascade(link, network(link), network(link, 2, seed=2, **LATER))
    own = reservoir.rcnet(*shape_of(link))
    np.testing.assert_array_equal(receive(given, frame), receive(own, frame))


def test_one_stage_is_that_detector():
    link, frame = LINKS["T6r"], make_frame(LINKS["T6r"], 25, 1, 2)
    for stage in (network(link), reservoir.ofdm_lmmse(*shape_of(link))):
        found = receive(cascade(link, stage), frame)
        np.testing.assert_array_equal(found, receive(stage, frame))


def test_two_stages_make_no_more_errors_than_one():
    """On 60 frames of each link they make a few percent fewer."""
    total = np.zeros(2, int)
    for name, snr_db in (("T6n", 30), ("T6s", 25), ("T6r", 25), ("T6p4", 25)):
        link = LINKS[name]
        pair = network(link), reservoir.rcnet(*shape_of(link))
        total += wrong(pair, name, snr_db, 6)
    assert total[1] <= total[0]


def test_cascades_of_models():
    """What a stage knows is not handed on: an ofdm_lmmse behind one does not become worse by it."""
    link = LINKS["T6r"]
    shape = shape_of(link, 2)
    detectors = [
        reservoir.ofdm_lmmse(*shape_of(link)),
        cascade(link, reservoir.ofdm_lmmse(*shape_of(link)), network(link, 2, **LATER)),
        cascade(link, network(link), reservoir.ofdm_lmmse(*shape)),
        cascade(link, reservoir.ofdm_configured(*shape_of(link), constellation=POINTS)),
    ]
    model, behind_model, behind_network, configured = wrong(detectors, "T6r", 25, 6)
    single = wrong([network(link)], "T6r", 25, 6)[0]
    assert behind_model <= single
    assert behind_network <= 0.95 * single  # 0.82 to 0.95 on all links with a prefix
    assert configured <= 0.5 * model


def test_stages_are_copied():
    link, frame = LINKS["T6r"], make_frame(LINKS["T6r"], 25, 1, 3)
    stage = network(link)
    detector = cascade(link, stage)
    receive(detector, frame)
    assert not stage.trained() and detector.trained()
    twice = cascade(link, stage, network(link, 2, **LATER))
    found = receive(twice, frame)
    receive(stage, make_frame(link, 25, 1, 4))
    np.testing.assert_array_equal(receive(twice, frame), found)
    # nor does it matter to whom one belongs already
    reservoir.ofdm_equalizer(stage, frame.pilots.astype(np.complex64), 12)
    cascade(link, stage)


def test_a_cascade_is_a_stage():
    link, frame = LINKS["T6r"], make_frame(LINKS["T6r"], 25, 1, 3)
    later = network(link, 2, seed=2, **LATER)
    nested = cascade(link, cascade(link, network(link)), later)
    flat = cascade(link, network(link), later)
    np.testing.assert_array_equal(receive(nested, frame), receive(flat, frame))


# ------------------------------------------------------------ what is refused

SHAPE = 64, 16, 2, 2
BAD_CASCADES = [
    (dict(num_rx=9), ValueError, r"num_rx = 9: must be 1 to 8"),
    (dict(num_rx=5, num_tx=4), ValueError, r"num_tx = 4: must be at most 8 - num_rx"),
    (dict(stages=[None]), ValueError, r"stages\[0\] = None: must be an OFDM detector"),
    (
        dict(fft_len=64, stages=[reservoir.ofdm_esn(*SHAPE)]),
        ValueError,
        r"stages = .*ofdm_esn",
    ),
    (dict(stages=[reservoir.esn()]), TypeError, r"stages = .*must be a list of OFDM"),
    (dict(stages=3), TypeError, r"stages = 3: must be a list of OFDM detectors"),
]
# pairs of which one does not fit
MISFITS = [
    (reservoir.ofdm_esn(64, 16, 2, 2), reservoir.ofdm_esn(64, 16, 2, 2)),
    (reservoir.ofdm_esn(64, 16, 4, 2), reservoir.ofdm_esn(64, 16, 4, 2)),
    (reservoir.ofdm_esn(64, 16, 2, 1), reservoir.ofdm_esn(64, 16, 3, 1)),
    (reservoir.ofdm_esn(64, 16, 2, 2), reservoir.ofdm_esn(64, 16, 4, 1)),
    (reservoir.ofdm_esn(128, 16, 2, 2), reservoir.ofdm_esn(128, 16, 4, 2)),
    (reservoir.ofdm_esn(64, 8, 2, 2), reservoir.ofdm_esn(64, 16, 4, 2)),
    (reservoir.ofdm_esn(64, [16, 8], 2, 2), reservoir.ofdm_esn(64, 16, 4, 2)),
]


@pytest.mark.parametrize("by_name", [False, True])
def test_the_shape_is_the_first_stages(by_name):
    stages = [
        reservoir.ofdm_esn(32, [8, 4], 3, 2),
        reservoir.ofdm_esn(32, [8, 4], 5, 2),
    ]
    net = reservoir.rcnet(stages=stages) if by_name else reservoir.rcnet(stages)
    assert (net.fft_len(), net.cp_len()) == (32, [8, 4])
    assert (net.num_rx(), net.num_tx()) == (3, 2)
    with pytest.raises(
        ValueError, match=r"^stages = \[ofdm_esn of 3 x 2, ofdm_esn of 3 x 2\]"
    ):
        reservoir.rcnet([stages[0], stages[0]])


@pytest.mark.parametrize("given, error, message", BAD_CASCADES)
def test_bad_cascades_are_refused(given, error, message):
    with pytest.raises(error, match="^" + message):
        reservoir.rcnet(**given)


@pytest.mark.parametrize("stages", MISFITS)
def test_stages_that_do_not_fit_are_refused(stages):
    message = (
        r"^stages = \[ofdm_esn of \d x \d, ofdm_esn of \d x \d\]: must be of the same"
    )
    with pytest.raises(ValueError, match=message):
        reservoir.rcnet(*SHAPE, list(stages))


BAD_STAGES = [
    (dict(attention=True), r"attention = true: must be off without correct_carriers"),
    (
        dict(classifier=True, constellation=digital.constellation_8psk().base()),
        r"constellation = .*must be levels that are equally far apart",
    ),
]


@pytest.mark.parametrize("given, message", BAD_STAGES)
def test_bad_stages_are_refused(given, message):
    with pytest.raises(ValueError, match="^(?i:" + message + ")"):
        reservoir.ofdm_esn(**given)
    given.pop("classifier", None)
    given["correct_carriers"] = True
    reservoir.ofdm_esn(**given)


# ------------------------------------------------- files, threads, bad samples

KINDS = {
    "rcnet": lambda link: reservoir.rcnet(*shape_of(link)),
    "models": lambda link: cascade(
        link,
        reservoir.ofdm_lmmse(*shape_of(link), channel_len=min(7, link.fft_len)),
        network(link, 2, refits=1, **LATER),
        reservoir.ofdm_lmmse(*shape_of(link, 2), detection="ml", constellation=POINTS),
    ),
    "classifier": lambda link: network(link, classifier=True),
    "attention": lambda link: network(link, correct_carriers=True, attention=True),
    "all": lambda link: cascade(
        link,
        network(link),
        network(
            link,
            2,
            correct_carriers=True,
            attention=True,
            classifier=True,
            refits=1,
            **LATER,
        ),
    ),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_saved_and_loaded(kind, tmp_path):
    link, frame = LINKS["T6r"], make_frame(LINKS["T6r"], 25, 1, 4)
    detector = KINDS[kind](link)
    found = receive(detector, frame)
    detector.save(str(tmp_path / "detector"))
    loaded = reservoir.load(str(tmp_path / "detector"))
    assert type(loaded) is type(detector) and loaded.trained()
    assert loaded.report().noise_variance == detector.report().noise_variance > 0
    np.testing.assert_array_equal(receive(loaded, frame), found)


@each_kind
def test_frames_do_not_depend_on_those_before(kind):
    link = LINKS["T6s"]
    frames = [make_frame(link, 25, 1, number) for number in range(3)]
    detector = KINDS[kind](link)
    first = [receive(detector, frame) for frame in frames]
    for number in (2, 0, 1):
        np.testing.assert_array_equal(receive(detector, frames[number]), first[number])
    found = {}

    def work(name):
        found[name] = receive(KINDS[kind](link), frames[name])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(3):
        np.testing.assert_array_equal(found[number], first[number])


@each_kind
@pytest.mark.parametrize("how", ["nan", "all nan", "silent", "constant", "huge"])
def test_bad_samples(kind, how):
    link, frame = LINKS["T6s"], make_frame(LINKS["T6s"], 25, 1, 2)
    bad = frame.received.copy()
    if how == "nan":
        bad[0, 100:110] = np.nan
    elif how == "huge":
        bad[0, 50] = 3e38
    else:
        bad[:] = {"all nan": np.nan, "silent": 0, "constant": 1}[how]
    detector = KINDS[kind](link)
    found = detector.receive(bad, frame.pilots.astype(np.complex64))
    assert found.shape == (2, 12, 64) and np.all(np.isfinite(found))
    assert detector.report().bad_samples == np.count_nonzero(~np.isfinite(bad))
    np.testing.assert_array_equal(
        receive(detector, frame), receive(KINDS[kind](link), frame)
    )


@each_kind
@pytest.mark.parametrize("fft_len", [2, 3, 8])
def test_few_pilots(kind, fft_len):
    rng = np.random.default_rng(9)
    sent = QAM16[rng.integers(0, 16, (2, 5, fft_len))]
    samples = np.fft.ifft(sent)
    samples = np.concatenate([samples[..., -1:], samples], -1).reshape(2, -1)
    link = type("link", (), dict(fft_len=fft_len, cp_len=1, antennas=2))
    for pilots in (1, 2, 5):
        found = KINDS[kind](link).receive(samples, sent[:, :pilots])
        assert found.shape == (2, 5 - pilots, fft_len)
        assert np.all(np.isfinite(found))


def comb_frame():
    """Two streams with a comb of pilots each, one antenna silent on the other's."""
    others = [k for k in range(64) if k % 4]
    grid = reservoir.ofdm_grid(
        64,
        16,
        2,
        occupied_carriers=[others],
        pilot_carriers=[list(range(0, 64, 4))],
        pilot_symbols=[[[1, 0] * 8], [[0, 1j] * 8]],
        shifted=False,
    )
    rng = np.random.default_rng(3)
    values, mask = grid.known(8)
    sent = np.where(mask, values, QAM16[rng.integers(0, 16, values.shape)])
    samples = np.fft.ifft(sent) * 8
    samples = np.concatenate([samples[..., 48:], samples], -1).reshape(2, -1)
    taps = np.array([[1, 0.3j], [0.2, -1]])
    noise = rng.normal(size=(2, samples.shape[1], 2)) @ [1, 1j]
    return grid, taps @ samples + 0.01 * noise, sent, mask


@each_kind
def test_combs(kind):
    grid, received, sent, mask = comb_frame()
    link = type("link", (), dict(fft_len=64, cp_len=16, antennas=2))
    found = KINDS[kind](link).receive(received, grid)
    assert found.shape == sent.shape
    wrong_share = np.mean((decided(found) != sent)[~mask])
    if kind in ("rcnet", "models", "all"):
        assert wrong_share < 0.1
    else:  # a window of 32 samples is too much for so few pilots
        plain = network(link).receive(received, grid)
        assert wrong_share <= np.mean((decided(plain) != sent)[~mask]) + 0.03


# ------------------------------------------------- classifier and attention


def test_classifier_decides_as_slicing_does():
    """It may only differ where that is better on pilots it was not trained on: here nowhere."""
    for name, snr_db in (("T6r", 25), ("T6n", 20)):
        link, frame = LINKS[name], make_frame(LINKS[name], snr_db, 1, 0)
        plain, classified = (
            receive(network(link, classifier=use), frame) for use in (False, True)
        )
        np.testing.assert_array_equal(decided(classified), decided(plain))
        # soft values stay
        np.testing.assert_array_equal(classified, plain)


def test_attention_is_beside_the_closed_form():
    """On 60 frames neither is better by more than a percent."""
    link = LINKS["T6n"]
    both = [
        network(link, correct_carriers=True, attention=use) for use in (False, True)
    ]
    solved, trained = wrong(both, "T6n", 20, 8)
    assert trained <= 1.03 * solved
    frames = [make_frame(link, 20, 1, number) for number in range(8)]
    found = [[receive(one, frame) for frame in frames] for one in both]
    assert np.any(np.array(found[0]) != found[1])  # other weights have been found


@pytest.mark.parametrize("name", ["T6p2", "full1"])
def test_one_pilot_symbol_has_no_attention(name):
    link, frame = LINKS[name], make_frame(LINKS[name], 25, 1, 0)
    pilots = frame.pilots[:, :1].astype(np.complex64)
    plain, attentive = (
        network(link, **more).receive(frame.received, pilots)
        for more in ({}, dict(correct_carriers=True, attention=True))
    )
    np.testing.assert_allclose(attentive, plain, atol=1e-5)


def test_in_a_flowgraph():
    """The block's output is the detector's, with workers too."""
    link = LINKS["T6r"]
    frames = [make_frame(link, 25, 1, number) for number in range(3)]
    samples = np.concatenate([frame.received for frame in frames], 1)
    size = frames[0].received.shape[1]
    pilots = frames[0].pilots.astype(np.complex64)
    wanted = np.concatenate(
        [reservoir.rcnet(*shape_of(link)).receive(f.received, pilots) for f in frames],
        1,
    )
    tags = [tag(n * size, "frame_start", pmt.PMT_T) for n in range(3)]
    for workers in (1, 3):
        block = reservoir.ofdm_equalizer(
            reservoir.rcnet(*shape_of(link)), pilots, link.payload, workers=workers
        )
        top = gr.top_block()
        sinks = [blocks.vector_sink_c(link.fft_len) for _ in range(2)]
        for port in range(2):
            source = blocks.vector_source_c(
                samples[port].tolist(), False, 1, tags if port == 0 else []
            )
            top.connect(source, (block, port))
            top.connect((block, port), sinks[port])
        top.run()
        for port in range(2):
            found = np.reshape(sinks[port].data(), (-1, link.fft_len))
            np.testing.assert_array_equal(found.astype(np.complex64), wanted[port])
