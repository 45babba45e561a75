#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The claims of the paper subcommand: what they are measured by, and that verdicts follow figures."""

import dataclasses
import types

import numpy as np
import pytest
from gnuradio import reservoir
from gnuradio.reservoir.campaign import engine
from gnuradio.reservoir.campaign.links import SingleCarrier
from gnuradio.reservoir.campaign.ofdm_link import Ofdm
from gnuradio.reservoir.campaign.receivers import SecondOrderRnn
from gnuradio.reservoir.campaign.specification import Point
from gnuradio.reservoir.campaign.kinds import kinds
from gnuradio.reservoir.campaign.work import receive_block
from gnuradio.reservoir.paper import claims, measurements, study, trials

SMALL = dict(num_neurons=5, window=4, delay=3)


# --- verdicts ---


def counts(*wrong, seconds=0.5):
    wrong = np.array(wrong)
    ser = types.SimpleNamespace(value=wrong.mean() / 512)
    return types.SimpleNamespace(
        wrong=wrong, symbols=512, group=1, ser=ser, seconds=seconds
    )


def test_a_verdict_is_of_all_cases():
    assert claims.verdict([True, True], "noise") == "true"
    assert claims.verdict([False, False], "noise") == "false"
    assert claims.verdict([True, False], "noise") == "depends on noise"
    assert claims.verdict([], "noise").startswith("undecided")


@pytest.mark.parametrize("power, expected", [(72, "true"), (1, "false")])
def test_a_gradient_is_exponential_if_every_step_multiplies_it(power, expected):
    rng = np.random.default_rng(1)
    radii = np.array(claims.RADII)
    norms = radii**power * np.exp(0.1 * rng.standard_normal((20, 1)))
    found = dict(gradients=dict(identity=norms.tolist()))
    verdict, figures = claims.gradients(found, steps=72)
    assert verdict == expected
    assert f"within the unit circle {power} ±" in figures


def test_exponents_are_those_of_each_side():
    radii = [0.5, 0.8, 1.0, 1.2, 1.5]
    norms = [[r**2 if r <= 1 else r**50 for r in radii]] * 2
    assert claims.exponents(norms, radii, beyond=False) == pytest.approx([2, 2])
    assert claims.exponents(norms, radii, beyond=True) == pytest.approx([50, 50])


@pytest.mark.parametrize("times, expected", [(1, "true"), (40, "false")])
def test_near_optimal_is_less_than_twice_the_errors_of_mlse(times, expected):
    rng = np.random.default_rng(2)
    wrong = rng.integers(20, 40, 50)
    measured = {
        name: counts(*(k * wrong))
        for name, k in (
            ("mlse", 1),
            ("esn", times),
            ("fir", 9),
            ("linear", 3),
            ("complete", 1),
        )
    }
    link = SingleCarrier(channel="minimum_phase", snr_db=11)
    point = Point("minimum phase", "single_carrier", link, dict(snr_db=11))
    verdict, figures = claims.minimum_phase(dict(minimum_phase=[(point, measured)]))
    assert verdict == expected
    assert "minimum phase, 11 dB: " in figures
    assert f"{times} ({times} … {times})" in figures


@pytest.mark.parametrize("best, expected", [(95, "true"), (30, "false")])
def test_limited_improvement_is_less_than_half_of_the_way(best, expected):
    spread = np.random.default_rng(3).integers(-5, 6, 60)
    wrong = dict.fromkeys(("gd", "momentum", "rmsprop", "adam"), 100)
    wrong.update(levenberg_marquardt=100, l_bfgs=best, linear=20)
    measured = {name: counts(*(w + spread)) for name, w in wrong.items()}
    found = dict(
        optimizers=[(None, measured)],
        losses={name: [0.1] for name in wrong},
    )
    verdict, figures = claims.optimizers(found)
    assert verdict == expected
    assert figures.split(". ")[-1].startswith(
        f"l_bfgs comes {claims.number((100 - best) * 1.25)} %"
    )


def test_plateaus_and_polar_count_beyond_their_interval_only():
    rng = np.random.default_rng(4)
    real = rng.integers(0, 20, 50)
    for more, expected in ((9, "true"), (-9, "false"), (0, "false")):
        rows = np.stack([rng.permutation(real) + more, real], axis=1)
        if more == 0:
            rows[:, 0] = real[::-1]
        assert claims.plateaus(dict(plateaus=dict(one=rows)))[0] == expected
    for more, expected in ((0.1, "false"), (-0.1, "true")):
        rows = rng.normal(3, 1, (50, 1)) + [more, 0] + rng.normal(0, 0.1, (50, 2))
        assert claims.polar(dict(polar={"2 poles": rows}))[0] == expected


def test_states_are_judged_each_by_its_own():
    digits = np.array([[6, 11, 1, 2, 0.5]] * 4) + np.linspace(0, 0.1, 4)[:, None]
    verdict, figures = claims.states(dict(states=dict(all=digits)))
    assert verdict.startswith("depends")
    assert "random ESN 10^(6.0" in figures or "random ESN 10^(6.1" in figures
    assert claims.states(dict(states=dict(all=digits + 9)))[0] == "false"


@pytest.mark.parametrize("others, expected", [(0, "true"), (60, "false")])
def test_ofdm_is_judged_where_another_has_no_errors_too(others, expected):
    names = ("ofdm_esn", "ofdm_lmmse", "ofdm_configured")
    measured = dict(ofdm_rnn=counts(38, 40, 42, 39, 41, seconds=2.0))
    measured.update({name: counts(*[others] * 5) for name in names})
    points = [Point(group, "ofdm", Ofdm(pilots=4, snr_db=20), {}) for group in "ab"]
    verdict, figures = claims.ofdm(dict(ofdm=[(one, measured) for one in points]))
    assert verdict == expected
    assert figures.count("at 4 times its time") == 3
    assert f"in {3 * (others == 0)} of 3 comparisons" in figures  # a link once
    assert ("(200 to none)" in figures) == (others == 0)
    assert "nan" not in figures


# --- what is measured ---


def test_a_plateau_is_slow_and_ends():
    falling = 0.9 ** np.arange(60)
    flat = np.full(80, falling[10])
    assert trials.plateau(falling) == 0
    assert trials.plateau(np.concatenate([falling[:10], flat])) == 0  # never ends
    both = np.concatenate([falling[:10], flat, falling[10:]])
    assert 75 <= trials.plateau(both) <= 85
    assert trials.plateau(both / 100) == 0  # below the noise


def test_the_control_of_plateaus_is_real():
    link = trials._real_link(101, 0)
    frame = link.make_frame(101, 0)
    for values in (frame.received, frame.pilots, frame.channel):
        assert np.all(np.imag(values) == 0)
    settings = dict(measurements.RNN, epochs=20)
    detector = measurements.make("rnn_tuned", link, 0, **settings).detector
    detector.set_weights(*trials._real_start(detector.weights()))
    before = np.abs(np.linalg.eigvals(detector.weights()[0])).max()
    assert before == pytest.approx(0.9, rel=1e-3)
    detector.fit(frame.received[0], frame.pilots[0])
    assert all(np.all(np.imag(part) == 0) for part in detector.weights()[:3])


def test_the_cascade_spans_the_bank_and_is_orthonormal():
    poles = np.array([0.5, 0.52j, -0.3 + 0.6j, 0.5 + 0.01j])
    impulse = np.zeros(200)
    impulse[0] = 1
    cascade = trials.orthonormal_cascade(poles, impulse)
    np.testing.assert_allclose(cascade.conj().T @ cascade, np.eye(4), atol=1e-12)
    bank = measurements.bank(poles, impulse)
    weights = np.linalg.lstsq(cascade, bank, rcond=None)[0]
    np.testing.assert_allclose(cascade @ weights, bank, atol=1e-10)


def test_states_of_esn_are_worse_conditioned_than_the_cascade():
    # 10^6.6, 10^11.5 and 10^1.1
    esn, bank, cascade, *_ = np.mean(trials.state_conditioning(101, 3), axis=0)
    assert esn > 5 and bank > 9
    assert cascade < 2


def test_the_second_order_network_is_the_detector_s():
    link = measurements.make_link(pilots=24)
    frame = link.make_frame(101, 0)
    network = SecondOrderRnn(link, "l_bfgs", 1, **SMALL).network(frame)
    loss, gradient = network.loss(network.start)
    report = reservoir.rnn(**SMALL, epochs=1).fit(frame.received[0], frame.pilots[0])
    assert loss == pytest.approx(report.loss[0], rel=1e-4)
    assert np.linalg.norm(gradient) == pytest.approx(report.gradient_norm[0], rel=1e-4)

    jacobian = network.jacobian(network.start)
    residuals = network.residuals(network.start)
    np.testing.assert_allclose(2 * jacobian.T @ residuals, gradient, atol=1e-12)
    direction = np.random.default_rng(1).standard_normal(len(network.start))
    high, low = (
        network.residuals(network.start + s * direction) for s in (1e-6, -1e-6)
    )
    np.testing.assert_allclose((high - low) / 2e-6, jacobian @ direction, atol=1e-7)


@pytest.mark.parametrize("optimizer", SecondOrderRnn.OPTIMIZERS)
def test_second_order_training_lowers_the_loss_of_the_detector(optimizer):
    link = measurements.make_link(pilots=24)
    frame = link.make_frame(101, 0)
    trained = SecondOrderRnn(link, optimizer, 20, **SMALL)
    network = trained.network(frame)
    before = network.loss(network.start)[0]
    trained.receive([frame])
    assert trained.report().mse < 0.2 * before


def test_second_order_training_begins_again_with_each_frame():
    link = measurements.make_link(pilots=24)
    frames = [link.make_frame(101, number) for number in range(2)]
    both = SecondOrderRnn(link, "l_bfgs", 20, **SMALL).receive(frames)
    (alone,) = SecondOrderRnn(link, "l_bfgs", 20, **SMALL).receive(frames[1:])
    assert np.array_equal(both[1], alone)


def test_the_gradient_explodes_in_a_linear_network_beyond_the_circle_alone():
    # 1.8 at .3, 3.2 at .9, 12600 at 1.1; split_tanh 1.6, 2.0, 2.2
    linear, tanh = (
        np.median(trials.gradient_norms(101, 8, (0.3, 0.9, 1.1), name), axis=0)
        for name in study.ACTIVATIONS
    )
    assert linear[1] < 4 * linear[0] and linear[2] > 100 * linear[1]
    assert tanh[2] < 3 * tanh[0]


def test_with_hindsight_the_best_of_each_frame_is_taken(tmp_path):
    options = study.parse(["--quick", "--workers", "0", "--out", str(tmp_path)])
    names = ("rnn_tuned", "rnn_10", "rnn_final", "esn")
    rng = np.random.default_rng(5)
    campaign = study.campaign("error_rates", study.QUICK, options)
    receivers = {one.name: one for one in campaign.receivers}
    measured = {
        name: engine.Measured(
            **{
                field.name: rng.integers(0, 99, 20) if field.type is np.ndarray else 0
                for field in dataclasses.fields(engine.Measured)
            }
        )
        for name in names
    }
    kept = dataclasses.replace(campaign, receivers=tuple(receivers[n] for n in names))
    results = types.SimpleNamespace(campaign=kept, measured=[measured])
    study.with_hindsight(results)
    shown = [one.name for one in results.campaign.receivers]
    assert shown == list(results.measured[0])
    assert shown == ["rnn_best", "rnn_tuned", "rnn_final", "esn"]
    best = results.measured[0]["rnn_best"]
    trained = [measured[name] for name in names[:3]]
    which = np.argmin([one.wrong for one in trained], axis=0)
    assert len(set(which)) == 3
    for name in ("wrong", "wrong_bits", "error"):
        wanted = [getattr(trained[k], name)[frame] for frame, k in enumerate(which)]
        assert getattr(best, name).tolist() == wanted


def test_a_network_trained_on_samples_receives_mimo_ofdm():
    # 20 of 1248 symbols of a frame are wrong
    settings = dict(num_neurons=32, window=16, activation="identity", skip=True)
    settings.update(epochs=160, eigenvalues_every=0)
    shape = dict(streams=2, antennas=2, used=52, taps=6, decay=2.0)
    link = Ofdm(pilots=4, snr_db=24, **shape)
    receivers = dict(one=("drawn_ofdm_rnn", settings))
    found = receive_block(
        kinds(), dict(link.entries(), kind="ofdm"), 101, 0, 4, receivers
    )["one"]
    assert np.mean(found["wrong"]) < 0.05 * 1248
