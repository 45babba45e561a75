#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The OFDM detectors behind an FFT: carriers and initial taps instead of samples."""


import numpy as np
import pytest
from gnuradio import digital, reservoir
from gnuradio.reservoir.campaign.receivers import lmmse

from ofdm_links import (
    LINKS,
    QAM16,
    decide,
    frequency_response,
    make_frame,
)

LINK = LINKS["T6c"]  # no amplifier, 6 taps, a prefix of 16
SHAPE = LINK.fft_len, LINK.cp_len, LINK.antennas, LINK.antennas
POINTS = digital.constellation_16qam()
KINDS = {
    "lmmse": lambda *shape, **more: reservoir.ofdm_lmmse(*shape, **more),
    "ml": lambda *shape, **more: reservoir.ofdm_lmmse(*shape, detection="ml", **more),
    "configured": lambda *shape, **more: reservoir.ofdm_configured(*shape, **more),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def make(kind, *shape, **more):
    return KINDS[kind](*(shape or SHAPE), constellation=POINTS.base(), **more)


def seen(frame):
    return frame.link.demodulate(frame.received).astype(np.complex64)


def pilots_of(frame):
    return frame.pilots.astype(np.complex64)


def taps_of(frame):
    """(tx, rx, carriers), none on carriers that are not used."""
    response = frequency_response(frame.channel, frame.link.fft_len).T
    response[
        ..., np.setdiff1d(np.arange(frame.link.fft_len), frame.link.carriers())
    ] = 0
    return response.astype(np.complex64)


def decisions(frame, found):
    return decide(found[..., frame.link.carriers()])


# ------------------------------------------------------------------ beside receive()


@each_kind
@pytest.mark.parametrize("number", range(4))
def test_decides_as_receive_does(kind, number):
    frame = make_frame(LINK, 30, 101, number)
    detector = make(kind)
    wanted = detector.receive(frame.received, pilots_of(frame))
    report = detector.report()
    found = detector.equalize(seen(frame), pilots=pilots_of(frame))
    assert found.shape == wanted.shape and found.dtype == np.complex64
    np.testing.assert_array_equal(decisions(frame, found), decisions(frame, wanted))
    if kind == "lmmse":  # the same estimate, from the same carriers
        np.testing.assert_allclose(found, wanted, atol=1e-3)
    again = detector.report()
    # each antenna's first taps, in the units of what was given
    np.testing.assert_allclose(
        np.array(again.channel)[:, :3] * LINK.scale(),
        np.array(report.channel)[:, :3] * np.sqrt(LINK.fft_len),
        atol=0.02 * LINK.scale(),
    )
    assert again.mse == pytest.approx(report.mse, rel=0.5)


@each_kind
def test_soft_bits_are_those_of_receive(kind):
    detector, used = make(kind), np.s_[:, :, LINK.carriers()]
    unused = np.setdiff1d(np.arange(LINK.fft_len), LINK.carriers())
    differing, apart = [], []
    for number in range(4):
        frame = make_frame(LINK, 20, 102, number)
        pilots = pilots_of(frame)
        _, wanted = detector.receive(frame.received, pilots, soft=True)
        symbols, llrs = detector.equalize(seen(frame), pilots=pilots, soft=True)
        assert llrs.shape == (*symbols.shape, 4) == wanted.shape
        assert llrs.dtype == np.float32 and np.abs(llrs).max() <= 8
        assert not np.any(llrs[:, :, unused])
        differing.append(np.mean((llrs[used] > 0) != (wanted[used] > 0)))
        apart.append(np.mean(np.abs(llrs[used] - wanted[used])))
    assert np.mean(differing) < 0.003
    assert np.mean(apart) < 0.5


# ------------------------------------------------------------------ initial taps


@each_kind
@pytest.mark.parametrize("with_pilots", [False, True])
def test_no_errors_with_taps_that_are_exact(kind, with_pilots):
    for number in range(3):
        frame = make_frame(LINK, 60, 103, number)
        pilots = pilots_of(frame) if with_pilots else None
        found = make(kind).equalize(seen(frame), taps_of(frame), pilots)
        wanted = frame.symbols[:, LINK.pilots if with_pilots else 0 :]
        assert found.shape == wanted.shape
        np.testing.assert_array_equal(
            decisions(frame, found), decide(wanted[..., LINK.carriers()])
        )
        unused = np.setdiff1d(np.arange(LINK.fft_len), LINK.carriers())
        assert not np.any(found[..., unused])


@each_kind
@pytest.mark.parametrize("with_pilots", [False, True])
def test_the_noise_is_told(kind, with_pilots):
    frame = make_frame(LINK, 25, 104, 0)
    pilots = pilots_of(frame) if with_pilots else None
    detector = make(kind)
    detector.equalize(seen(frame), taps_of(frame), pilots)
    expected = frame.noise_variance * LINK.fft_len / LINK.scale() ** 2
    assert detector.report().residuals[0] == pytest.approx(expected, rel=0.3)


def test_lmmse_is_the_textbooks():
    frame = make_frame(LINK, 15, 105, 0)
    noise = frame.noise_variance * LINK.fft_len / LINK.scale() ** 2
    response = frequency_response(frame.channel, LINK.fft_len)
    wanted = lmmse(response, seen(frame), noise)[:, LINK.pilots :, LINK.carriers()]
    found = make("lmmse").equalize(seen(frame), taps_of(frame), pilots_of(frame))
    found = found[..., LINK.carriers()]
    error = np.mean(np.abs(found - wanted) ** 2) / np.mean(np.abs(wanted) ** 2)
    assert error < 1e-3


@each_kind
def test_noisy_taps_are_smoothed(kind):
    """Six taps of 52 carriers: most of the estimates' noise goes."""
    raw, smoothed, count = 0, 0, 0
    for number in range(4):
        frame = make_frame(LINK, 25, 106, number)
        rng = np.random.default_rng(number)
        noise = rng.normal(size=(2, 2, 64)) + 1j * rng.normal(size=(2, 2, 64))
        taps = taps_of(frame)
        taps += (taps != 0) * 0.07 * noise
        given = lmmse(taps.T, seen(frame), 0.0032)[:, LINK.pilots :]
        raw += frame.errors(given)[0]
        found = make(kind).equalize(
            seen(frame), taps.astype(np.complex64), pilots_of(frame)
        )
        smoothed += frame.errors(found)[0]
        count += frame.data.size
    assert raw > 0.02 * count  # there was something to gain
    assert smoothed < 0.5 * raw


@each_kind
@pytest.mark.parametrize("early", [-3, 5])
def test_window_early_or_late(kind, early):
    """The FFT's window begins elsewhere: the taps have turned with the carriers."""
    frame = make_frame(LINK, 60, 107, 0)
    turn = np.exp(-2j * np.pi * np.arange(64) * early / 64)
    found = make(kind).equalize(seen(frame) * turn, taps_of(frame) * turn)
    np.testing.assert_array_equal(
        decisions(frame, found), decide(frame.symbols[..., LINK.carriers()])
    )


@each_kind
def test_taps_that_are_missing_are_interpolated(kind):
    frame = make_frame(LINK, 60, 108, 0)
    taps = taps_of(frame)
    taps[..., 1::4] = np.nan
    taps[..., 3::4] = 0
    found = make(kind).equalize(seen(frame), taps, pilots_of(frame))
    assert frame.errors(found)[0] == 0


# ------------------------------------------------------------------ what moves


@pytest.mark.parametrize("step", [0.03, 0.1])
@pytest.mark.parametrize("with_pilots", [False, True])
def test_configured_follows_the_phase(with_pilots, step):
    for number in range(3):
        frame = make_frame(LINK, 30, 109, number)
        turned = seen(frame) * np.exp(1j * step * np.arange(16))[:, None]
        pilots = pilots_of(frame) if with_pilots else None
        wanted = frame.symbols[:, LINK.pilots if with_pilots else 0 :]
        wanted = decide(wanted[..., LINK.carriers()])

        def wrong(kind):
            found = make(kind).equalize(turned, taps_of(frame), pilots)
            return np.mean(decisions(frame, found) != wanted)

        assert wrong("configured") < 0.02
        assert wrong("lmmse") > 0.05


def test_configured_finds_the_channel_by_its_decisions():
    """Taps of a channel that has changed a little since."""
    stale, refitted = 0, 0
    for number in range(4):
        frame = make_frame(LINK, 30, 110, number)
        rng = np.random.default_rng(number)
        change = rng.normal(size=(2, 2, 6)) + 1j * rng.normal(size=(2, 2, 6))
        old = frequency_response(frame.channel + 0.02 * change, 64).T
        taps = np.where(taps_of(frame) == 0, 0, old).astype(np.complex64)
        for refits in (0, 2):
            found = make("configured", refits=refits).equalize(seen(frame), taps)
            data = decide(frame.symbols[..., LINK.carriers()])
            wrong = np.count_nonzero(decisions(frame, found) != data)
            stale, refitted = stale + wrong * (refits == 0), refitted + wrong * (
                refits > 0
            )
    assert stale > 20 and refitted < 0.6 * stale


# ------------------------------------------------------------------ orders and shapes


@each_kind
def test_order_is_the_grids(kind):
    rng = np.random.default_rng(1)
    used = np.r_[-6:-1, 1:7]
    words = np.zeros((1, 2, 16), complex)
    words[..., used + 8] = QAM16[rng.integers(0, 16, (1, 2, 11))]

    def grid(shifted):
        return reservoir.ofdm_grid(
            16,
            4,
            occupied_carriers=[[k for k in used.tolist() if k not in (-3, 3)]],
            pilot_carriers=[[-3, 3]],
            pilot_symbols=[[1, -1]],
            sync_words=np.fft.ifftshift(words, -1)[0].tolist()
            if not shifted
            else words[0].tolist(),
            shifted=shifted,
        )

    values, known = grid(True).known(8)
    sent = np.where(known, values, QAM16[rng.integers(0, 16, (1, 8, 16))])
    response = np.fft.fftshift(np.fft.fft([1, 0.4j, 0.2], 16)).astype(np.complex64)
    received = (sent[0] * response).astype(np.complex64)
    for taps in (None, response):
        shifted = make(kind, 16, 4).equalize(received, taps, grid(True))
        np.testing.assert_allclose(shifted, sent[:, 2:], atol=0.02)
        natural = make(kind, 16, 4).equalize(
            np.fft.ifftshift(received, -1),
            None if taps is None else np.fft.ifftshift(taps),
            grid(False),
        )
        np.testing.assert_allclose(np.fft.fftshift(natural, -1), shifted, atol=1e-5)


def test_values_that_are_not_finite_count_as_zero():
    frame = make_frame(LINK, 30, 1, 0)
    received = seen(frame)
    received[0, 7, 5] = np.nan
    received[1, 9, 6] = np.inf
    detector = make("lmmse")
    found = detector.equalize(received, taps_of(frame), pilots_of(frame))
    assert np.isfinite(found).all() and detector.bad_samples() == 2
    received[~np.isfinite(received)] = 0
    same = make("lmmse").equalize(received, taps_of(frame), pilots_of(frame))
    np.testing.assert_array_equal(found, same)


def test_silence():
    silent = np.zeros((2, 5, 64), np.complex64)
    taps = np.ones((2, 2, 64), np.complex64)
    for kind in KINDS:
        assert np.isfinite(make(kind).equalize(silent, taps)).all()


BAD = [
    (dict(carriers=np.zeros((2, 16, 63))), r"carriers shape = \(2, 16, 63\): must be"),
    (dict(carriers=np.zeros((1, 16, 64))), r"= \(2, 1 or more, 64\)"),
    (dict(carriers=np.zeros((16, 64))), r"carriers shape = \(16, 64\)"),
    (dict(carriers=np.zeros((2, 0, 64))), r"carriers shape = \(2, 0, 64\)"),
    (dict(carriers=np.zeros(64)), r"carriers shape = \(64,\)"),
    (dict(initial_taps=np.ones((2, 1, 64))), r"initial_taps shape = \(2, 1, 64\)"),
    (dict(initial_taps=np.ones((2, 2, 65))), r"= \(2, 2, 64\)"),
    (dict(initial_taps=np.ones(64)), r"initial_taps shape = \(64,\)"),
    (dict(initial_taps=np.zeros((2, 2, 64))), "initial_taps = all zero or not finite"),
    (dict(initial_taps=np.full((2, 2, 64), np.nan)), "initial_taps = all zero or not"),
    (dict(initial_taps=None), "initial_taps = None: must be given"),
    (
        dict(initial_taps=None, pilots=np.ones((1, 2, 64))),
        "pilots = those of 1 streams",
    ),
    (dict(pilots=np.ones((2, 2, 32))), "pilots shape"),
    (dict(pilots=np.ones((2, 17, 64))), "pilots = 17 symbols: must be at most"),
]


@each_kind
@pytest.mark.parametrize("bad, message", BAD)
def test_bad_arguments(kind, bad, message):
    good = dict(carriers=np.zeros((2, 16, 64)), initial_taps=np.ones((2, 2, 64)))
    with pytest.raises(ValueError, match=message):
        make(kind).equalize(**{**good, **bad})


def test_a_grid_of_nothing_known_needs_taps():
    grid = reservoir.ofdm_grid(16, 4, occupied_carriers=[list(range(1, 8))])
    received = np.ones((3, 16), np.complex64)
    with pytest.raises(
        ValueError, match="pilots = none: must be known on some carrier"
    ):
        reservoir.ofdm_lmmse(16, 4).equalize(received, pilots=grid)
    found = reservoir.ofdm_lmmse(16, 4).equalize(received, np.ones(16), grid)
    assert found.shape == (1, 3, 16)


@each_kind
def test_silence_in_front_tells_no_noise(kind):
    grid = reservoir.ofdm_grid(
        16, 4, occupied_carriers=[list(range(1, 8))], sync_words=[[0] * 16]
    )
    rng = np.random.default_rng(2)
    sent = np.zeros((4, 16), complex)
    sent[1:, 9:] = QAM16[rng.integers(0, 16, (3, 7))]
    noise = rng.normal(size=sent.shape) + 1j * rng.normal(size=sent.shape)
    detector = make(kind, 16, 4)
    found = detector.equalize(sent + 0.03 * noise, np.ones(16), grid)
    np.testing.assert_array_equal(decide(found[0, :, 9:]), sent[1:, 9:])
    assert 0.2 < detector.report().residuals[0] / 0.0018 < 3  # of seven values


@pytest.mark.parametrize("name", ["ofdm_esn", "rcnet"])
def test_networks_are_trained_on_samples(name):
    detector = getattr(reservoir, name)(64, 16)
    assert not detector.takes_carriers()
    with pytest.raises(ValueError, match=f"{name} is trained on samples.*ofdm_lmmse"):
        detector.equalize(np.zeros((16, 64)), np.ones(64))
    assert make("lmmse").takes_carriers() and make("configured").takes_carriers()


def test_a_grid_of_another_length_is_refused_before_it_is_read():
    grid = reservoir.ofdm_grid(65536, 16, occupied_carriers=[[1, 2]])
    with pytest.raises(ValueError, match="pilots = those of fft_len = 65536"):
        make("lmmse", 64, 16).equalize(np.zeros((4, 64)), pilots=grid)


def test_taps_of_any_size_are_taps():
    sent = QAM16[np.random.default_rng(1).integers(0, 16, (4, 64))]
    for size in (1e-25, 1e25):
        found = make("lmmse", 64, 16).equalize(size * sent, np.full(64, size))
        np.testing.assert_array_equal(decide(found[0]), sent)
