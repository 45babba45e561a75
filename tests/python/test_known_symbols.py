#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Known symbols anywhere in a frame, and the tag on any of its symbols."""

import numpy as np
import pytest
from gnuradio import digital, reservoir
from links import (
    QPSK,
    noise,
    run,
    same_bits,
    symbol_errors,
    symbols,
    tag,
    through,
    training_tag,
)

CHUNKS = [1, 7, 64, 4096]
CHANNEL = np.array([0.3, 1.0, 0.4j])


def short_rnn():
    return reservoir.rnn(num_neurons=8, epochs=5, eigenvalues_every=0)


each_detector = pytest.mark.parametrize(
    "make",
    [reservoir.fir, reservoir.esn, reservoir.configured_esn, short_rnn],
    ids=["fir", "esn", "configured_esn", "rnn"],
)


def burst(pattern, payload_len, rng, snr_db=25.0):
    """Samples of a burst on a fixed channel with unknown symbols around it, and its symbols."""
    known = pattern.training(pattern.length(payload_len))
    sent = symbols(pattern.length(payload_len), rng)
    sent[: len(known)] = np.where(np.isnan(known), sent[: len(known)], known)
    around = symbols(64, rng)
    x = np.concatenate([around[:32], sent, around[32:]])
    r = np.convolve(x, CHANNEL)[1 : len(x) + 1] + noise(len(x), rng, snr_db)
    return r.astype(np.complex64), sent


def midamble(rng, count=26):
    return reservoir.known_symbols(symbols(count, rng), range(58, 58 + count))


def blocks_that_come_back(rng):
    return reservoir.known_symbols(symbols(16, rng), range(32, 48), period=48)


def test_what_a_pattern_says():
    nan = np.nan
    pattern = reservoir.known_symbols([nan, 1, nan, nan, -1])
    assert len(pattern) == 5 and pattern.num_known() == 2 and not pattern.periodic()
    assert [pattern.length(n) for n in (3, 4, 10)] == [5, 6, 12]
    for same in (
        reservoir.known_symbols([1, -1], positions=[1, 4]),
        reservoir.known_symbols([1, -1], mask=[False, True, False, False, True]),
    ):
        np.testing.assert_array_equal(same.values(), pattern.values())
    np.testing.assert_array_equal(pattern.training(3), [nan, 1])
    assert len(pattern.training(100)) == 5

    again = reservoir.known_symbols([1, -1], positions=[2, 3], period=5)
    assert again.periodic() and len(again) == 5
    # two unknown, two known, then three unknown before the next two
    assert [again.length(n) for n in (1, 2, 3, 5, 6)] == [1, 4, 5, 9, 10]
    np.testing.assert_array_equal(
        again.training(10), [nan, nan, 1, -1, nan, nan, nan, 1, -1]
    )


@pytest.mark.parametrize(
    "values, options, message",
    [
        ([1, 2], dict(positions=[3, 3]), "positions = 3: must be ascending"),
        ([1, 2], dict(positions=[-1, 3]), "positions = -1: must be ascending"),
        (
            [1],
            dict(positions=[1, 2]),
            "values = 1 symbols in a row: must be one for each",
        ),
        ([1, np.nan], dict(positions=[1, 2]), "values = .*nan.*: must be a number at"),
        (
            [1, 2],
            dict(mask=[True, False]),
            "values = 2 symbols in a row: must be one for",
        ),
        ([1], dict(positions=[0], mask=[True]), "must not both be given"),
        ([1, 2, 3], dict(period=2), "period = 2: must be 0, or the pattern's 3"),
        ([np.inf], {}, "values = .*inf.*: must be finite, or NaN"),
        ([np.nan], {}, "values = all unknown: must be known for one"),
        ([[1, 2], [1, np.nan]], {}, r"known in one row only \(symbol 1\)"),
    ],
)
def test_wrong_patterns_are_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        reservoir.known_symbols(values, **options)


def test_bursts_without_end_are_refused_at_once():
    sparse = reservoir.known_symbols([1, 2], period=3)
    assert sparse.length(10**7) == 3 * 10**7 + 2  # the known ones behind it
    with pytest.raises(ValueError, match="payload_len = 1000000000: must be at most"):
        sparse.length(10**9)
    with pytest.raises(ValueError, match="payload_len = 60000000: must be less"):
        sparse.length(6 * 10**7)
    with pytest.raises(ValueError, match="payload_len = -1"):
        sparse.length(-1)
    for length in (-1, 2**40):
        with pytest.raises(ValueError, match=f"length = {length}"):
            sparse.training(length)
    for pilots in (sparse, [1, -1]):
        with pytest.raises(
            ValueError, match="payload_len = 2147483647: must be no longer"
        ):
            reservoir.fir().receive(np.ones(40), pilots, payload_len=2**31 - 1)


@each_detector
def test_a_prefix_is_a_training_sequence(make):
    rng = np.random.default_rng(1)
    pilots = symbols(48, rng)
    prefix = reservoir.known_symbols(pilots)
    r, _ = burst(prefix, 200, rng)
    expected = make().receive(r[32:], pilots, payload_len=200)
    assert same_bits(make().receive(r[32:], prefix, payload_len=200), expected)
    eq = reservoir.equalizer(make(), known_symbols=prefix, payload_len=200)
    y, _ = run(eq, r, [training_tag(32)])
    assert same_bits(y[32 : 32 + 248], expected)


def test_filter_is_the_least_squares_one_on_the_known_rows():
    rng = np.random.default_rng(2)
    pattern = midamble(rng, count=40)
    r, _ = burst(pattern, 116, rng, snr_db=15)
    taps, delay = 8, 4
    det = reservoir.fir(num_taps=taps, delay=delay, regularization=0.0)
    out = det.receive(r[32:], pattern, payload_len=116)

    count = pattern.length(116)
    padded = np.concatenate([np.zeros(taps), r[32:].astype(complex)])
    windows = np.array(
        [padded[taps + n + delay - np.arange(taps)] for n in range(count)]
    )
    known = pattern.training(count)
    rows = np.flatnonzero(~np.isnan(known))
    weights = np.linalg.lstsq(windows[rows], known[rows], rcond=None)[0]
    # the block takes out the bias that its leave-one-out estimates show
    ratio = (out / (windows @ weights))[rows]
    assert np.ptp(np.abs(ratio)) < 1e-4 and 1 <= np.abs(ratio).mean() < 1.2


@each_detector
@pytest.mark.parametrize("pattern", [midamble, blocks_that_come_back])
def test_bursts_are_received(make, pattern):
    if make is short_rnn:
        make = lambda: reservoir.rnn(num_neurons=4, epochs=200, eigenvalues_every=0)
    rng = np.random.default_rng(3)
    errors = 0
    for _ in range(4):
        known = pattern(rng)
        r, sent = burst(known, 116, rng)
        errors += symbol_errors(make().receive(r[32:], known, payload_len=116), sent)
    assert errors <= 4 * 116 * 0.05


def test_streams_share_the_pattern():
    rng = np.random.default_rng(4)
    values = np.array([symbols(40, rng), symbols(40, rng)])
    pattern = reservoir.known_symbols(values, range(30, 70))
    known = pattern.training(130)
    sent = np.array([symbols(130, rng), symbols(130, rng)])
    sent[:, 30:70] = known[:, 30:70]
    mixed = np.array([[1, 0.4j], [-0.3, 0.9], [0.5, 0.5]]) @ sent
    r = (mixed + noise(mixed.shape, rng, 25)).astype(np.complex64)
    det = reservoir.fir(num_taps=3, delay=1, num_inputs=3, num_outputs=2)
    out = det.receive(r, pattern, payload_len=90)
    assert out.shape == (2, 130) and symbol_errors(out, sent) == 0


@pytest.mark.parametrize("make", [reservoir.fir, reservoir.configured_esn])
@pytest.mark.parametrize("sps", [1, 2])
@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_tag_on_the_midamble(workers, chunk, sps, make):
    """Three bursts, tagged on symbol 58; every other tag stays on its own symbol."""
    rng = np.random.default_rng(5)
    pattern = midamble(rng)
    bursts = [burst(pattern, 116, rng)[0] for _ in range(3)]
    r = np.repeat(np.concatenate(bursts), sps)
    starts = [(32 + k * len(bursts[0])) * sps for k in range(3)]
    tags = [training_tag(start + 58 * sps) for start in starts]
    others = list(range(0, len(r), 29))
    tags += [tag(offset, f"at {offset}") for offset in others]
    eq = reservoir.equalizer(
        make(),
        sps,
        known_symbols=pattern,
        payload_len=116,
        tag_at=58,
        workers=workers,
    )
    y, got = run(eq, r, tags, chunk)
    assert len(y) == len(r) // sps and eq.trainings() == 3
    for start in starts:
        frame = make().receive(r[start:], pattern, sps, 116)
        assert same_bits(y[start // sps : start // sps + len(frame)], frame)
    for found in got:
        key = str(found.key)
        if key.startswith("at "):
            assert found.offset == int(key[3:]) // sps
    assert sorted(t.offset for t in got if str(t.key) == "corr_est") == [
        start // sps + 58 for start in starts
    ]
    assert len(got) == len(tags)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_stream_tagged_inside_its_training(chunk):
    rng = np.random.default_rng(10)
    pilots = symbols(48, rng)
    r = np.concatenate([burst(reservoir.known_symbols(pilots), 200, rng)[0]] * 3)
    starts = [32, len(r) // 3 + 32, 2 * len(r) // 3 + 32]
    outputs = []
    for tag_at in (0, 20):
        eq = reservoir.equalizer(reservoir.fir(), 1, pilots, tag_at=tag_at)
        y, _ = run(eq, r, [training_tag(start + tag_at) for start in starts], chunk)
        assert eq.trainings() == 3 and len(y) == len(r)
        outputs.append(y)
    assert same_bits(*outputs)


def endless_pattern(rng):
    """32 unknown, 16 known, and so on; frames of 528 symbols begin at symbol 40."""
    return reservoir.known_symbols(symbols(16, rng), range(32, 48), period=48)


def endless_stream(pattern, count, rng):
    known = pattern.training(count)
    sent = symbols(count, rng)
    sent[: len(known)] = np.where(np.isnan(known), sent[: len(known)], known)
    return through(np.concatenate([sent, symbols(64, rng)]), CHANNEL, rng, 25), sent


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_periodic_pattern_goes_on(workers, chunk):
    """One tag, seven frames; tags in step change nothing, and every tag stays on its symbol."""
    rng = np.random.default_rng(17)
    pattern = endless_pattern(rng)
    r, sent = endless_stream(pattern, 40 + 7 * 528, rng)
    for every in (10**6, 48, 5 * 48):
        offsets = list(range(8, len(r), every))  # tag_at = 8
        tags = [training_tag(offset) for offset in offsets]
        tags.append(tag(2000, "other"))
        eq = reservoir.equalizer(
            reservoir.configured_esn(),
            known_symbols=pattern,
            tag_at=8,
            workers=workers,
        )
        y, got = run(eq, r, tags, chunk)
        assert eq.trainings() == 7 and eq.truncated_frames() == 0
        assert len(y) == len(r)
        assert same_bits(y[:40], r[:40])  # as it came
        count = 40 + 7 * 528
        assert symbol_errors(y[40:count], sent[40:]) == 0
        assert sorted(t.offset for t in got if str(t.key) == "corr_est") == offsets
        assert [t.offset for t in got if str(t.key) == "other"] == [2000]


def test_a_periodic_pattern_begins_again_at_a_tag_out_of_step():
    rng = np.random.default_rng(18)
    pattern = endless_pattern(rng)
    parts = [endless_stream(pattern, 40 + 3 * 528, rng) for _ in range(2)]
    r = np.concatenate([part[0] for part in parts])
    begin = len(parts[0][0])
    assert begin % 48 != 0
    eq = reservoir.equalizer(reservoir.fir(num_taps=6, delay=2), known_symbols=pattern)
    y, _ = run(eq, r, [training_tag(0), training_tag(begin)])
    # what follows the first part is less than half a frame
    assert eq.trainings() == 6 and eq.abandoned_trainings() == 2
    for start, (_, sent) in zip((0, begin), parts):
        count = 40 + 3 * 528
        assert symbol_errors(y[start + 40 : start + count], sent[40:count]) == 0


def test_a_periodic_pattern_ends_where_samples_are_missing():
    rng = np.random.default_rng(19)
    pattern = endless_pattern(rng)
    r, sent = endless_stream(pattern, 40 + 5 * 528, rng)
    lost = 40 + 2 * 528 + 500
    r = np.delete(r, np.arange(lost, lost + 100))
    eq = reservoir.equalizer(reservoir.configured_esn(), known_symbols=pattern)
    y, _ = run(eq, r, [training_tag(0), tag(lost, "rx_time")])
    # the third frame has most of its known symbols
    assert eq.trainings() == 3 and eq.truncated_frames() == 1
    assert symbol_errors(y[40 : lost - 4], sent[40 : lost - 4]) <= 2
    assert same_bits(y[lost:], r[lost:])


def test_a_burst_with_half_of_its_known_symbols_is_received():
    rng = np.random.default_rng(20)
    pattern = midamble(rng)
    r, sent = burst(pattern, 116, rng)
    make = lambda: reservoir.equalizer(
        reservoir.configured_esn(), known_symbols=pattern, payload_len=116
    )
    for end, received in ((32 + 58 + 12, False), (32 + 58 + 20, True)):
        eq = make()
        y, _ = run(eq, r[:end], [training_tag(32)])
        assert eq.trainings() == received and eq.abandoned_trainings() == (not received)
        assert eq.truncated_frames() == received
        if received:
            assert symbol_errors(y[32 : end - 8], sent[: end - 40]) <= 2


def test_a_burst_that_began_before_the_stream_is_counted():
    rng = np.random.default_rng(6)
    pattern = midamble(rng)
    r, _ = burst(pattern, 116, rng)
    late = r[33:]  # its first symbol is missing
    both = np.concatenate([late, r])
    eq = reservoir.equalizer(
        reservoir.fir(), known_symbols=pattern, payload_len=116, tag_at=58
    )
    start = len(late) + 32
    y, _ = run(eq, both, [training_tag(57), training_tag(start + 58)])
    assert eq.abandoned_trainings() == 1 and eq.trainings() == 1
    frame = reservoir.fir().receive(r[32:], pattern, payload_len=116)
    assert same_bits(y[start : start + len(frame)], frame)
    assert same_bits(y[:start], both[:start])


def test_a_burst_cut_by_the_next_one_is_abandoned():
    rng = np.random.default_rng(7)
    pattern = midamble(rng)
    r, _ = burst(pattern, 116, rng)
    samples = np.concatenate([r[:100], r])
    tags = [training_tag(32 + 58), training_tag(100 + 32 + 58)]
    eq = reservoir.equalizer(
        reservoir.fir(), known_symbols=pattern, payload_len=116, tag_at=58
    )
    y, _ = run(eq, samples, tags)
    assert eq.trainings() == 2 and eq.truncated_frames() == 1
    frame = reservoir.fir().receive(r[32:], pattern, payload_len=116)
    assert same_bits(y[132 : 132 + len(frame)], frame)


@pytest.mark.parametrize(
    "options, message",
    [
        (
            dict(payload_len=0),
            r"payload_len = 0: must be 1 to 2\^24 .*, or 0 where they are periodic",
        ),
        (dict(payload_len=57), "payload_len = 57: must be at least 58, the unknown"),
        (dict(tag_at=200), "tag_at = 200: must be a symbol of the frame"),
        (dict(tag_at=-1), "tag_at = -1: must be within 0"),
        (dict(training_sequence=[1]), "training_sequence = given: must not be set"),
        (dict(adapt_after_training=True), "adapt_after_training = True: must not"),
    ],
)
def test_what_does_not_go_with_a_pattern_is_refused(options, message):
    pattern = midamble(np.random.default_rng(8))
    options = dict(dict(payload_len=116), **options)
    with pytest.raises(ValueError, match=message):
        reservoir.equalizer(reservoir.fir(), known_symbols=pattern, **options)


def test_without_decisions_configured_esn_needs_a_prefix():
    pattern = midamble(np.random.default_rng(9))
    message = "must be finite; configured_esn needs all known symbols in front"
    linear = lambda: reservoir.configured_esn(feedback=False, refits=0)
    assert not linear().takes_unknown_pilots()
    with pytest.raises(ValueError, match=message):
        linear().receive(np.ones(300), pattern, payload_len=116)
    with pytest.raises(ValueError, match="training_sequence = .*" + message):
        reservoir.equalizer(linear(), known_symbols=pattern, payload_len=116)


# A channel that turns by a radian in 160 symbols, in two paths that do so in turn: what is known in
# front says nothing of the end.
def fading_burst(pattern, payload_len, rng, points=QPSK, rotation=0.0, snr_db=20.0):
    length = pattern.length(payload_len)
    known = pattern.training(length)
    sent = symbols(length, rng, points)
    sent[: len(known)] = np.where(np.isnan(known), sent[: len(known)], known)
    time = np.arange(length + 48)
    x = np.zeros(length + 48, complex)
    x[:length] = sent * np.exp(1j * rotation * time[:length])
    taps = np.outer(np.exp(1j * time / 160), [0.8, 0, 0])
    taps += np.outer(np.exp(-1j * time / 130), [0, 0.3, 0.6j])
    return through(x, taps, rng, snr_db), sent


def test_configured_esn_follows_fading_from_block_to_block():
    rng = np.random.default_rng(11)
    preamble, probe = symbols(96, rng), symbols(16, rng)
    values = np.full(96 + 20 * 48, np.nan, np.complex64)
    values[:96] = preamble
    for k in range(20):
        values[96 + 48 * k + 32 :][:16] = probe
    pattern = reservoir.known_symbols(values)
    errors = {}
    for _ in range(3):
        r, sent = fading_burst(pattern, 20 * 32, rng)
        for name in ("configured_esn", "fir"):
            det = getattr(reservoir, name)()
            out = det.receive(r, pattern, payload_len=20 * 32)
            errors[name] = errors.get(name, 0) + symbol_errors(out, sent)
        prefix = reservoir.configured_esn().receive(r, preamble, payload_len=960)
        errors["prefix"] = errors.get("prefix", 0) + symbol_errors(prefix, sent)
    assert errors["configured_esn"] <= 3
    assert errors["fir"] > 300


@pytest.mark.parametrize(
    "name, points, rotation",
    [
        ("bpsk", np.array([-1, 1]), np.pi / 2),
        ("bpsk", np.array([-1, 1]), 0.0),
        ("qpsk", QPSK, np.pi / 4),
        ("8psk", np.exp(1j * np.pi * np.arange(8) / 4), 0.0),
    ],
)
@pytest.mark.parametrize("sps", [1, 2])
def test_constellations_that_turn(sps, name, points, rotation):
    """pi/2-BPSK, BPSK, pi/4-DQPSK and 8-PSK; what comes before the midamble is received backwards."""
    rng = np.random.default_rng(12)
    points = points.astype(np.complex64)
    pattern = reservoir.known_symbols(symbols(40, rng, points), range(70, 110))
    length = pattern.length(140)
    sent = symbols(length, rng, points)
    sent[70:110] = pattern.training(length)[70:110]
    time = np.arange((length + 48) * sps)
    pulses = np.zeros(len(time), complex)
    pulses[: length * sps : sps] = sent * np.exp(1j * rotation * np.arange(length))
    r = np.convolve(pulses, [0.2, 0.9, 0.5j, -0.2])[1 : len(time) + 1]
    r = r * np.exp(2j * np.pi * 4e-4 * time / sps) + noise(len(time), rng, 22)
    constellation = digital.constellation_calcdist(points, range(len(points)), 1, 1)
    det = reservoir.configured_esn(constellation.base(), rotation=rotation)
    out = det.receive(r.astype(np.complex64), pattern, sps, payload_len=140)
    assert symbol_errors(out, sent, points) <= 1
    if name == "bpsk" and rotation:
        np.testing.assert_allclose(out.imag, 0, atol=1e-6)
    assert det.report()["carrier_offset"] == pytest.approx(0, abs=2e-3)


def test_a_stream_that_turns_is_detected():
    rng = np.random.default_rng(13)
    sent = symbols(600, rng)
    r = np.convolve(sent * np.exp(1j * np.pi / 4 * np.arange(600)), CHANNEL)
    r = (r[1:601] + noise(600, rng, 25)).astype(np.complex64)
    det = reservoir.configured_esn(rotation=np.pi / 4)
    det.fit(r, sent[:64])
    out = det.detect(r)
    assert len(out) > 500 and symbol_errors(out[64:], sent[64 : len(out)]) == 0
    # the channel as it is, not as it looks to a receiver that turns
    shape = det.report()["channel"]
    strongest = np.argmax(np.abs(shape))
    np.testing.assert_allclose(shape[strongest - 1 :][:3], CHANNEL, atol=0.05)


def test_rotation_needs_decisions():
    with pytest.raises(ValueError, match="rotation = 1.5: must be 0 without feedback"):
        reservoir.configured_esn(feedback=False, refits=0, rotation=1.5)


def test_a_stream_goes_on_behind_a_pattern():
    rng = np.random.default_rng(14)
    pattern = reservoir.known_symbols(symbols(64, rng), range(30, 94))
    r, sent = burst(pattern, 500, rng)
    det = reservoir.configured_esn()
    det.fit(r[32:], pattern.training(94))
    out = det.detect(r[32:])
    count = min(len(out), len(sent))
    assert count > 500 and symbol_errors(out[94:count], sent[94:count]) == 0


def test_nothing_sent_is_known_as_zero():
    """The guard around a burst, of a constellation at another scale than unit power."""
    rng = np.random.default_rng(21)
    as_given = digital.constellation.NO_NORMALIZATION
    constellation = digital.constellation_calcdist(2 * QPSK, range(4), 4, 1, as_given)
    points = np.array(constellation.points(), np.complex64)
    assert abs(points[0]) > 1.5
    sent = symbols(140, rng, points)
    sent[:6] = sent[-6:] = 0
    values = np.full(140, np.nan, np.complex64)
    values[50:90] = sent[50:90]
    values[:6] = values[-6:] = 0
    r = through(np.append(sent, np.zeros(48)), CHANNEL, rng, 20)
    det = reservoir.configured_esn(constellation.base())
    out = det.receive(r, reservoir.known_symbols(values), payload_len=88)
    assert symbol_errors(out[6:-6], sent[6:-6], points) == 0
    assert np.abs(out[:6]).max() < 1


@pytest.mark.parametrize("what", ["silence", "nan", "overload", "noise"])
def test_bad_bursts_neither_crash_nor_last(what):
    rng = np.random.default_rng(15)
    pattern = blocks_that_come_back(rng)
    r, sent = burst(pattern, 116, rng)
    det = reservoir.configured_esn()
    good = det.receive(r[32:], pattern, payload_len=116)
    bad = {
        "silence": np.zeros(len(r)),
        "nan": np.where(np.arange(len(r)) % 3, r, np.nan),
        "overload": 1e20 * r,
        "noise": noise(len(r), rng, 0),
    }[what]
    out = det.receive(bad[32:].astype(np.complex64), pattern, payload_len=116)
    assert len(out) == len(good) and np.isfinite(out).all()
    if what == "overload":
        assert symbol_errors(out, sent) == symbol_errors(good, sent)
    assert same_bits(det.receive(r[32:], pattern, payload_len=116), good)


def test_any_pattern_is_received():
    """Patterns at random: single symbols, short runs, no run as long as the channel."""
    rng = np.random.default_rng(16)
    for _ in range(60):
        length = rng.integers(2, 200)
        values = symbols(length, rng)
        values[rng.random(length) < rng.uniform(0, 0.95)] = np.nan
        if np.isnan(values).all():
            values[rng.integers(length)] = 1
        pattern = reservoir.known_symbols(values)
        unknown = int(np.isnan(values).sum()) + int(rng.integers(0, 60))
        count = pattern.length(unknown)
        sps = int(rng.integers(1, 4))
        r = noise(count * sps + int(rng.integers(0, 50)), rng, 0).astype(np.complex64)
        out = reservoir.configured_esn().receive(r, pattern, sps, unknown)
        assert len(out) == count and np.isfinite(out).all()


def configured():
    qpsk = digital.constellation_qpsk().base()
    return reservoir.configured_esn(constellation=qpsk)


@pytest.mark.parametrize("make", [reservoir.fir, configured], ids=["fir", "configured"])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_burst_that_ends_with_known_symbols_is_received_whole(chunk, workers, make):
    rng = np.random.default_rng(11)
    values = symbols(400, rng)
    values[np.arange(400) % 48 >= 16] = np.nan  # the last 16 are known
    pattern = reservoir.known_symbols(values)
    unknown = int(np.sum(np.isnan(values)))
    bursts = [burst(pattern, unknown, rng)[0] for _ in range(3)]
    starts = [32 + k * len(bursts[0]) for k in range(3)]
    eq = reservoir.equalizer(
        make(), known_symbols=pattern, payload_len=unknown, workers=workers
    )
    y, _ = run(eq, np.concatenate(bursts), [training_tag(s) for s in starts], chunk)
    assert eq.trainings() == 3 and eq.truncated_frames() == 0
    r = np.concatenate(bursts)
    for start in starts:
        frame = make().receive(r[start:], pattern, payload_len=unknown)
        assert same_bits(y[start : start + 400], frame)
