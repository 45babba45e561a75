#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The recurrent network trained by back-propagation through time."""

import threading

import numpy as np
import pytest
from gnuradio import reservoir
from links import MIXED_PHASE, noise, same_bits, symbol_errors, symbols, through

SMALL = dict(num_neurons=12, window=4, delay=3, epochs=60, learning_rate=1e-2)
ACTIVATIONS = ["identity", "split_tanh", "magnitude_tanh"]


def frame(seed=1, pilots=64, payload=300, snr_db=25.0, channel=MIXED_PHASE):
    rng = np.random.default_rng(seed)
    x = symbols(pilots + payload, rng)
    return x, through(x, channel, rng, snr_db), x[:pilots]


def exponential(seed, pilots, payload, snr_db, taps=6):
    """A Rayleigh channel with an exponential profile, another one each seed."""
    rng = np.random.default_rng(seed)
    power = np.exp(-np.arange(taps) / 2.0)
    power /= power.sum()
    h = noise(taps, rng, 0) * np.sqrt(power)
    h /= np.linalg.norm(h)
    x = symbols(pilots + payload, rng)
    return x, through(x, h, rng, snr_db), x[:pilots]


class Numpy:
    """The network in numpy, in double precision: a reference for losses and gradients."""

    def __init__(self, det, activation, r, pilots):
        self.w, self.u, self.c, self.d = (a.astype(complex) for a in det.weights())
        self.f = activation
        r = r / np.sqrt(np.mean(np.abs(r[: len(pilots)].astype(complex)) ** 2))
        steps = len(pilots) + SMALL["delay"]
        padded = np.concatenate([np.zeros(SMALL["window"] - 1), r, np.zeros(9)])
        self.x = np.array([padded[n : n + SMALL["window"]][::-1] for n in range(steps)])
        self.target = np.concatenate([np.zeros(SMALL["delay"]), pilots])
        self.target = self.target / np.sqrt(np.mean(np.abs(pilots) ** 2))

    def parameters(self):
        return [p for p in (self.w, self.u, self.c, self.d) if p.size]

    def loss_and_gradient(self):
        """Backwards by the chain rule on the real and imaginary parts of each value."""
        s, states, sums = np.zeros(len(self.w), complex), [], []
        for u in self.x:
            sums.append(self.w @ s + self.u @ u)
            s = apply(self.f, sums[-1])
            states.append(s)
        states = np.array(states)
        y = states @ self.c[0]
        if self.d.size:
            y = y + self.x @ self.d[0]
        error = y - self.target
        error[: SMALL["delay"]] = 0
        count = len(error) - SMALL["delay"]
        gw, gu = np.zeros_like(self.w), np.zeros_like(self.u)
        dz = np.zeros(len(self.w), complex)
        for t in reversed(range(len(error))):
            ds = self.w.conj().T @ dz + 2 / count * self.c[0].conj() * error[t]
            dz = derivative(self.f, sums[t], ds)
            gw += np.outer(dz, states[t - 1].conj() if t else np.zeros(len(dz)))
            gu += np.outer(dz, self.x[t].conj())
        gradients = [gw, gu, 2 / count * error[None] @ states.conj()]
        if self.d.size:
            gradients.append(2 / count * error[None] @ self.x.conj())
        return np.sum(np.abs(error) ** 2) / count, gradients


def apply(f, z):
    if f == "identity":
        return z
    if f == "split_tanh":
        return np.tanh(z.real) + 1j * np.tanh(z.imag)
    return z * np.tanh(np.abs(z)) / np.maximum(np.abs(z), 1e-30)


def derivative(f, z, ds):
    """dL/dRe z + i dL/dIm z from that by s, by central differences of f."""
    step = 1e-6
    by_re = (apply(f, z + step) - apply(f, z - step)) / (2 * step)
    by_im = (apply(f, z + 1j * step) - apply(f, z - 1j * step)) / (2 * step)
    return (by_re.conj() * ds).real + 1j * (by_im.conj() * ds).real


class Torch:
    """torch.optim's published update rules, real and imaginary parts apart."""

    def __init__(self, name, rate, momentum=0.9):
        self.name, self.rate, self.momentum = name, rate, momentum
        self.first, self.second, self.steps = {}, {}, 0

    def step(self, parameters, gradients):
        self.steps += 1
        for k, (p, g) in enumerate(zip(parameters, gradients)):
            p += self.real(2 * k, g.real) + 1j * self.real(2 * k + 1, g.imag)

    def real(self, k, g):
        m, v = self.first.get(k, 0 * g), self.second.get(k, 0 * g)
        if self.name == "gd":
            return -self.rate * g
        if self.name == "momentum":
            self.first[k] = m = self.momentum * m + g
            return -self.rate * m
        if self.name == "rmsprop":
            self.second[k] = v = 0.99 * v + 0.01 * g**2
            return -self.rate * g / (np.sqrt(v) + 1e-8)
        self.first[k] = m = 0.9 * m + 0.1 * g
        self.second[k] = v = 0.999 * v + 0.001 * g**2
        m, v = m / (1 - 0.9**self.steps), v / (1 - 0.999**self.steps)
        return -self.rate * m / (np.sqrt(v) + 1e-8)


def make_pair(r, pilots, activation, **options):
    det = reservoir.rnn(**{**SMALL, **options}, activation=activation)
    return det, Numpy(det, activation, r, pilots)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_losses_and_gradients_are_the_references(activation):
    """Twenty epochs of gradient descent beside numpy in double precision."""
    x, r, pilots = frame()
    det, numpy = make_pair(
        r, pilots, activation=activation, optimizer="gd", epochs=20, skip=True
    )
    report = det.fit(r, pilots)
    rule = Torch("gd", SMALL["learning_rate"])
    for epoch in range(20):
        loss, gradients = numpy.loss_and_gradient()
        norm = np.sqrt(sum(np.sum(np.abs(g) ** 2) for g in gradients))
        assert report.loss[epoch] == pytest.approx(loss, rel=1e-4)
        assert report.gradient_norm[epoch] == pytest.approx(norm, rel=1e-4)
        rule.step(numpy.parameters(), gradients)


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "rmsprop", "adam"])
def test_optimizers_are_torchs(optimizer):
    """One step and five, from the same gradients; weights to 1e-6 after the first."""
    x, r, pilots = frame()
    options = dict(activation="split_tanh", optimizer=optimizer, learning_rate=1e-3)
    for epochs, tolerance in ((1, 1e-6), (5, 5e-5)):
        det, numpy = make_pair(r, pilots, epochs=epochs, **options)
        det.fit(r, pilots)
        rule = Torch(optimizer, 1e-3)
        for _ in range(epochs):
            rule.step(numpy.parameters(), numpy.loss_and_gradient()[1])
        for ours, theirs in zip(det.weights(), numpy.parameters()):
            # where a gradient is all but zero, its sign decides a step of the full rate
            difference = np.abs(ours - theirs)
            assert np.quantile(difference, 0.99) < tolerance


@pytest.mark.parametrize("optimizer", ["SGD", "momentum", "RMSprop", "Adam"])
def test_the_rules_above_are_torchs(optimizer):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(1)
    parameter = torch.nn.Parameter(torch.zeros(20, dtype=torch.float64))
    options = dict(momentum=0.9) if optimizer == "momentum" else {}
    made = getattr(torch.optim, "SGD" if options else optimizer)(
        [parameter], lr=0.01, **options
    )
    rule = Torch({"SGD": "gd"}.get(optimizer, optimizer.lower()), 0.01)
    ours = np.zeros(20, complex)
    for _ in range(10):
        gradient = rng.standard_normal(20)
        parameter.grad = torch.from_numpy(gradient.copy())
        made.step()
        rule.step([ours], [gradient + 0j])
    assert np.abs(parameter.detach().numpy() - ours).max() < 1e-6


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("streams", [1, 2])
def test_a_small_step_lowers_the_loss_by_the_square_of_the_gradient(
    activation, streams
):
    rng = np.random.default_rng(2)
    x = np.array([symbols(80, rng) for _ in range(streams)])
    r = np.array([through(x.sum(0), h, rng) for h in (MIXED_PHASE, [1, 0.3])])
    rate = 1e-3
    det = reservoir.rnn(
        num_neurons=16,
        activation=activation,
        optimizer="gd",
        learning_rate=rate,
        epochs=2,
        num_inputs=2,
        num_outputs=streams,
    )
    report = det.fit(r, x[:, :64])
    assert report.loss[0] - report.loss[1] == pytest.approx(
        rate * report.gradient_norm[0] ** 2, rel=0.05
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_poles_that_are_not_trained_stay_to_the_last_bit(activation):
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL, activation=activation, train_poles=False)
    before = det.weights()
    report = det.fit(r, pilots)
    after = det.weights()
    assert same_bits(before[0], after[0])
    assert all(same_bits(row, report.eigenvalues[0]) for row in report.eigenvalues)
    assert same_bits(report.poles, report.eigenvalues[0])
    assert not np.allclose(before[1], after[1])
    assert report.loss[-1] < 0.3 * report.loss[0]


def test_trained_poles_move():
    x, r, pilots = frame()
    report = reservoir.rnn(**SMALL).fit(r, pilots)
    assert not np.allclose(
        np.sort(report.eigenvalues[0]), np.sort(report.eigenvalues[-1])
    )


def test_eigenvalues_are_those_of_w():
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL, eigenvalues_every=20)
    start = det.weights()[0]
    report = det.fit(r, pilots)
    for weights, found in (
        (start, report.eigenvalues[0]),
        (det.weights()[0], report.poles),
    ):
        expected = np.linalg.eigvals(weights.astype(complex))
        distance = np.abs(found[:, None] - expected).min(0)
        assert distance.max() < 1e-4
    computed = np.isfinite(report.eigenvalues).all(1)
    assert list(np.flatnonzero(computed)) == [0, 20, 40]
    assert report.eigenvalues.shape == (60, 12)


def test_the_seed_is_the_network():
    x, r, pilots = frame()
    first, second, other = (reservoir.rnn(**SMALL, seed=seed) for seed in (5, 5, 6))
    outputs = [det.receive(r, pilots) for det in (first, second, other)]
    assert same_bits(outputs[0], outputs[1]) and not same_bits(outputs[0], outputs[2])
    # trained again it starts from the seed again
    assert same_bits(first.receive(r, pilots), outputs[0])
    esn = reservoir.esn(num_neurons=12, seed=5, spectral_radius=0.9)
    assert same_bits(
        reservoir.rnn(**SMALL, seed=5).weights()[0], esn.recurrent_weights()
    )


def test_receives_by_its_equation():
    """Detection against the trained weights in numpy: scaling, window order, delay, skip."""
    rng = np.random.default_rng(3)
    x = symbols(200, rng)
    r = np.repeat(through(x, MIXED_PHASE, rng), 2) + noise(400, rng, 30)
    r = np.array([r, 1j * r[::-1]]).astype(np.complex64)
    det = reservoir.rnn(**SMALL, skip=True, num_inputs=2)
    det.fit(r, 3 * x[:64], sps=2)
    w, u, c, d = (a.astype(complex) for a in det.weights())
    unit = r / np.sqrt(np.mean(np.abs(r[:, :128].astype(complex)) ** 2))
    padded = np.concatenate([np.zeros((2, 7)), unit], axis=1)
    s, expected = np.zeros(12, complex), []
    for n in range(200):
        taps = padded[:, 2 * n : 2 * n + 8][:, ::-1].ravel()
        s = apply("split_tanh", w @ s + u @ taps)
        expected.append(c @ s + d @ taps)
    y = det.detect(r, sps=2)
    assert len(y) == 197
    assert np.abs(y - np.array(expected)[3:, 0]).max() < 1e-4


def test_fine_tuning_starts_at_the_esn():
    """No epoch: the same output. Then only better on the pilots."""
    x, r, pilots = frame()
    pilots = 2j * pilots
    esn = reservoir.esn(
        num_neurons=16, window=8, delay=4, activation="split_tanh", input_scaling=0.5
    )
    esn.fit(r, pilots)
    options = dict(num_neurons=16, window=8, delay=4, skip=True)
    still = reservoir.rnn(**options, epochs=0)
    still.start_from(esn)
    report = still.fit(r, pilots)
    assert np.abs(still.detect(r) - esn.detect(r)).max() < 1e-4
    assert len(report.loss) == 0 and report.eigenvalues.size == 0
    tuned = reservoir.rnn(**options, epochs=100, optimizer="gd", learning_rate=1e-3)
    tuned.start_from(esn)
    losses = tuned.fit(r, pilots).loss
    assert losses[0] == pytest.approx(report.mse / 4, rel=1e-3)
    assert losses[-1] < losses[0]
    tuned.start_from_seed()
    assert tuned.fit(r, pilots).loss[0] > 10 * losses[0]


def test_start_from_refuses_another_network():
    x, r, pilots = frame()
    same = dict(num_neurons=16, window=8, delay=4, activation="split_tanh")
    esn = reservoir.esn(**same)
    with pytest.raises(ValueError, match="trained"):
        reservoir.rnn(**same, skip=True).start_from(esn)
    esn.fit(r, pilots)
    with pytest.raises(ValueError, match="skip"):
        reservoir.rnn(**same).start_from(esn)
    for other in (
        dict(num_neurons=17),
        dict(window=9),
        dict(delay=5),
        dict(activation="identity"),
        dict(num_inputs=2),
    ):
        with pytest.raises(ValueError):
            reservoir.rnn(**{**same, **other}, skip=True).start_from(esn)
    # trained at two samples per symbol, it does not fit one
    esn.fit(r, pilots[:32], sps=2)
    det = reservoir.rnn(**same, skip=True)
    det.start_from(esn)
    det.fit(r, pilots[:32], sps=2)
    with pytest.raises(ValueError, match="sps"):
        det.fit(r, pilots)


def test_configured_poles_can_be_fine_tuned():
    """W = diag(poles), U = 1, W_out by least squares: an identity network, from Python."""
    x, r, pilots = frame(channel=[1.0, 0.5, -0.2j])
    poles = np.roots([1.0, 0.5, -0.2j])  # of the inverse
    unit = r / np.sqrt(np.mean(np.abs(r[:64].astype(complex)) ** 2))
    states = np.zeros((2, 64), complex)
    for n in range(64):
        states[:, n] = poles * (states[:, n - 1] if n else 0) + unit[n]
    readout = np.linalg.lstsq(states.T, pilots.astype(complex), rcond=None)[0]
    det = reservoir.rnn(
        num_neurons=2,
        window=1,
        delay=0,
        activation="identity",
        learning_rate=1e-3,
        epochs=50,
    )
    det.set_weights(np.diag(poles), np.ones((2, 1)), readout[None])
    report = det.fit(r, pilots)
    assert report.loss[0] < 0.02 and report.loss[-1] <= report.loss[0]
    assert np.sort(report.eigenvalues[0]) == pytest.approx(np.sort(poles), abs=1e-5)
    det.set_weights(*det.weights())  # goes on where it ended
    assert det.fit(r, pilots).loss[0] == pytest.approx(report.mse, rel=1e-3)


@pytest.mark.parametrize(
    "name, change",
    [
        ("recurrent", lambda w: [w[0][:, :-1], w[1], w[2]]),
        ("input", lambda w: [w[0], w[1][:, :-1], w[2]]),
        ("readout", lambda w: [w[0], w[1], w[2][:, :-1]]),
        ("skip", lambda w: [w[0], w[1], w[2], w[1][:1]]),
        ("finite", lambda w: [w[0], np.nan * w[1], w[2]]),
        ("recurrent", lambda w: [w[0][None], w[1], w[2]]),
    ],
)
def test_wrong_weights_are_refused(name, change):
    det = reservoir.rnn(**SMALL)
    with pytest.raises(ValueError, match=name):
        det.set_weights(*change(det.weights()))


def test_patience_without_held_out_pilots_is_refused():
    with pytest.raises(
        ValueError, match=r"patience = 5: must be 0 where no pilots are held out"
    ):
        reservoir.rnn(patience=5)


def test_early_stopping_keeps_the_best_epoch():
    x, r, pilots = frame(pilots=48, snr_db=12)
    options = dict(num_neurons=32, learning_rate=1e-2, held_out=0.25)
    whole = reservoir.rnn(**options, epochs=300).fit(r, pilots)
    stopped = reservoir.rnn(**options, epochs=300, patience=30).fit(r, pilots)
    assert whole.best_epoch == 300 and len(whole.loss) == 300
    count = len(stopped.loss)
    assert count < 300
    assert np.allclose(stopped.held_out_loss, whole.held_out_loss[:count], rtol=1e-3)
    assert stopped.best_epoch == np.argmin(stopped.held_out_loss) == count - 31
    assert stopped.mse == pytest.approx(stopped.held_out_loss.min(), rel=1e-4)
    assert stopped.mse < whole.mse


def test_held_out_pilots_do_not_move_the_weights():
    """Every fourth pilot: what it says changes nothing."""
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL, held_out=0.25)
    det.fit(r, pilots)
    before = det.weights()
    wrong = pilots.copy()
    wrong[3::4] *= 1j
    assert det.fit(r, wrong).held_out_loss[-1] > 0.5
    assert all(same_bits(a, b) for a, b in zip(before, det.weights()))


def test_warm_up_pilots_do_not_move_the_weights():
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL, warm_up=8)
    det.fit(r, pilots)
    before = det.weights()
    wrong = pilots.copy()
    wrong[:8] *= -1
    det.fit(r, wrong)
    assert all(same_bits(a, b) for a, b in zip(before, det.weights()))


def test_the_best_restart_is_kept():
    x, r, pilots = frame()
    options = {**SMALL, "held_out": 0.25}
    alone = [
        reservoir.rnn(**options, seed=seed).fit(r, pilots).mse for seed in range(4)
    ]
    det = reservoir.rnn(**options, seed=0, restarts=4)
    report = det.fit(r, pilots)
    assert report.restart == np.argmin(alone)
    assert report.mse == pytest.approx(min(alone), rel=1e-6)
    best = reservoir.rnn(**options, seed=int(np.argmin(alone)))
    assert same_bits(best.receive(r, pilots), det.receive(r, pilots))


def test_clipping_shortens_the_step():
    x, r, pilots = frame()
    options = {**SMALL, "optimizer": "gd", "learning_rate": 1e-2, "epochs": 1}
    start = reservoir.rnn(**options).weights()
    moved = {}
    for clip in (0.0, 0.01, 1e9):
        det = reservoir.rnn(**options, gradient_clip=clip)
        norm = det.fit(r, pilots).gradient_norm[0]
        steps = zip(det.weights(), start)
        moved[clip] = np.sqrt(sum(np.sum(np.abs(a - b) ** 2) for a, b in steps))
    assert norm > 0.1  # as it is before clipping
    assert moved[0.0] == moved[1e9] == pytest.approx(1e-2 * norm, rel=1e-3)
    assert moved[0.01] == pytest.approx(1e-4, rel=1e-2)


def test_condition_numbers():
    """A linear network's Gauss-Newton matrix is singular: W -> T W inv(T) changes nothing, and
    what can be seen is a rational filter of 3 poles and 4 numerator coefficients. Neurons of
    magnitude_tanh can be turned in phase, one real freedom each; those of split_tanh not.
    """
    weights = 9 + 6 + 3
    ranks = {
        "identity": 2 * (3 + 4),
        "magnitude_tanh": 2 * weights - 3,
        "split_tanh": 2 * weights,
    }
    x, r, pilots = frame(pilots=60)
    options = dict(num_neurons=3, window=2, delay=1, epochs=11, condition_every=5)
    for activation in ACTIVATIONS:
        det = reservoir.rnn(**options, activation=activation)
        report = det.fit(r, pilots)
        computed = np.isfinite(report.condition_number)
        assert list(np.flatnonzero(computed)) == [0, 5, 10]
        assert (report.condition_number[computed] >= 1).all()
        assert (report.jacobian_rank[computed] == ranks[activation]).all()
        for also in (report.recurrent_condition_number, report.gram_condition_number):
            assert (np.isfinite(also) == computed).all()
        w = reservoir.rnn(**options, activation=activation).weights()[0]
        assert report.recurrent_condition_number[0] == pytest.approx(
            np.linalg.cond(w), rel=1e-3
        )
    frozen = reservoir.rnn(**options, train_poles=False).fit(r, pilots)
    assert frozen.jacobian_rank[0] <= 2 * (6 + 3)


def test_diverging_weights_are_not_kept():
    x, r, pilots = frame()
    det = reservoir.rnn(
        **{**SMALL, "activation": "identity", "optimizer": "gd", "learning_rate": 90}
    )
    report = det.fit(r, pilots)
    assert report.diverged
    assert len(report.loss) < 60 and np.isfinite(report.loss).all()
    assert all(np.isfinite(weights).all() for weights in det.weights())
    assert np.isfinite(det.detect(r)).all()
    assert not reservoir.rnn(**SMALL).fit(r, pilots).diverged


def test_an_unstable_linear_network_starts_again():
    """A pole outside the circle: the output overflows after a while, and goes on from zero."""
    x, r, pilots = frame(payload=3000)
    det = reservoir.rnn(
        num_neurons=1, window=1, delay=0, activation="identity", epochs=0
    )
    det.set_weights([[1.5]], [[1.0]], [[1.0]])
    det.fit(r, pilots)
    y = det.detect(r)
    assert np.isfinite(y).all() and (y == 0).any()
    det.reset()
    pieces = [det.detect(piece) for piece in np.array_split(r, 7)]
    assert same_bits(np.concatenate(pieces), y)


def test_progress_and_cancel():
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL)
    seen = []
    det.set_progress(seen.append)
    report = det.fit(r, pilots)
    assert [now["epoch"] for now in seen] == list(range(60))
    assert [now["loss"] for now in seen] == list(report.loss)
    assert same_bits(seen[-1]["eigenvalues"], report.eigenvalues[-1])
    assert seen[0]["epochs"] == 60 and seen[0]["restart"] == 0

    det.set_progress(lambda now: now["epoch"] == 9 and det.cancel())
    short = det.fit(r, pilots)
    assert det.cancelled() and short.cancelled and len(short.loss) == 10
    assert same_bits(short.loss, report.loss[:10])
    assert len(det.fit(r, pilots).loss) == 1  # until it is taken back
    det.cancel(False)
    det.set_progress(None)
    assert len(det.fit(r, pilots).loss) == 60


def test_cancel_from_another_thread():
    x, r, pilots = frame()
    det = reservoir.rnn(**{**SMALL, "epochs": 1000000})
    begun = threading.Event()
    det.set_progress(lambda now: begun.set())
    thread = threading.Thread(target=det.fit, args=(r, pilots))
    thread.start()
    assert begun.wait(60)
    det.cancel()
    thread.join(60)
    assert not thread.is_alive() and det.report().cancelled


def test_an_exception_in_progress_changes_nothing():
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL)
    y = det.receive(r, pilots)
    det.set_progress(lambda now: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        det.fit(r[::-1].copy(), pilots[:30], sps=2)
    det.reset()
    assert same_bits(det.detect(r), y[: len(r) - 3])


def test_a_clone_is_its_own():
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL)
    det.fit(r, pilots)
    y = det.detect(r)
    copy = det.clone()
    assert type(copy) is reservoir.rnn
    assert same_bits(copy.detect(r), y)
    assert same_bits(copy.report().loss, det.report().loss)
    copy.fit(-r, pilots)
    det.reset()
    assert same_bits(det.detect(r), y)


def test_what_a_clone_learns_is_adopted():
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL)
    copy = det.clone()
    with pytest.raises(ValueError, match="trained = untrained"):
        det.adopt(copy)
    copy.fit(r, pilots)
    det.adopt(copy)
    assert same_bits(det.detect(r), copy.detect(r))
    assert same_bits(det.report().loss, copy.report().loss)
    for other, name in (
        (det, "the same"),
        (reservoir.fir(), "fir"),
        (reservoir.rnn(**{**SMALL, "num_neurons": 5}), "untrained"),
    ):
        with pytest.raises(ValueError, match=name):
            det.adopt(other)
    other = reservoir.rnn(**{**SMALL, "num_neurons": 5})
    other.fit(r, pilots)
    with pytest.raises(ValueError):
        det.adopt(other)
    assert same_bits(det.report().loss, copy.report().loss)


def test_start_weights_are_saved(tmp_path):
    x, r, pilots = frame()
    det = reservoir.rnn(**SMALL)
    det.set_weights(*reservoir.rnn(**SMALL, seed=9).weights())
    path = str(tmp_path / "detector")
    det.save(path)
    assert same_bits(reservoir.load(path).receive(r, pilots), det.receive(r, pilots))


def test_learns_fading_links():
    """Six Rayleigh taps: far below the untrained network, at any activation."""
    for activation in ACTIVATIONS:
        errors = []
        for seed in range(4):
            x, r, pilots = exponential(seed, 256, 300, 18)
            error = {}
            for epochs in (0, 200):
                det = reservoir.rnn(
                    activation=activation, epochs=epochs, eigenvalues_every=0
                )
                y = det.receive(r, pilots)
                error[epochs] = np.mean(np.abs(y[256:-4] - x[256:-4]) ** 2)
            errors.append(error[200] / error[0])
        assert np.mean(errors) < 0.3, activation


def test_trained_poles_leave_the_circle():
    """QPSK at 14 dB, 64 pilots, default network: mean spectral radius .90 before, 1.31 after."""
    before, after = [], []
    for seed in range(6):
        _, r, pilots = exponential(seed, 64, 8, 14)
        report = reservoir.rnn(eigenvalues_every=300).fit(r, pilots)
        before.append(np.abs(report.eigenvalues[0]).max())
        after.append(np.abs(report.poles).max())
    assert np.mean(before) < 1.0
    assert np.mean(after) > 1.1


def test_descent_of_a_linear_network_stalls_on_a_slope():
    """512 pilots, gd: between epochs 50 and 300 the loss falls by 3 %, though the gradient is
    not zero."""
    fall = []
    for seed in range(4):
        _, r, pilots = exponential(seed, 512, 8, 14)
        det = reservoir.rnn(
            activation="identity",
            optimizer="gd",
            learning_rate=0.03,
            epochs=301,
            eigenvalues_every=0,
        )
        report = det.fit(r, pilots)
        fall.append(1 - report.loss[300] / report.loss[50])
        assert report.loss[50] < 0.5 * report.loss[0]
        assert report.gradient_norm[300] > 1e-3
    assert np.mean(fall) < 0.1


@pytest.mark.parametrize("make", [reservoir.esn, reservoir.configured_esn])
def test_fixed_networks_keep_their_poles_to_the_bit(make):
    """Learning the readout, or detecting, does not move them."""
    _, r, pilots = exponential(1, 64, 300, 14)
    det = make()
    poles = det.fit(r, pilots).poles
    det.detect(r)
    assert same_bits(det.report().poles, poles)
    assert same_bits(det.fit(r, pilots).poles, poles)


def test_identity_channel_gives_identity():
    x, r, pilots = frame(channel=[1.0], snr_db=80, payload=500)
    for activation in ACTIVATIONS:
        det = reservoir.rnn(
            16, window=1, delay=0, activation=activation, learning_rate=1e-2
        )
        assert np.abs(det.receive(r, pilots) - x).max() < 0.15, activation


def test_output_is_in_pilot_units():
    x, r, pilots = frame()
    a = reservoir.rnn(**SMALL).receive(r, pilots)
    b = reservoir.rnn(**SMALL).receive(r, 4 * pilots)  # a power of two: exact
    assert same_bits(4 * a, b)


def test_two_streams_from_three_antennas():
    rng = np.random.default_rng(4)
    x = np.array([symbols(500, rng) for _ in range(2)])
    h = rng.standard_normal((3, 2, 2)) + 1j * rng.standard_normal((3, 2, 2))
    r = np.array(
        [sum(np.convolve(x[t], h[a, t])[:500] for t in range(2)) for a in range(3)]
    )
    r += noise(r.shape, rng, 25)
    det = reservoir.rnn(num_inputs=3, num_outputs=2, window=4, delay=2)
    y = det.receive(r, x[:, :250])
    assert y.shape == x.shape
    assert symbol_errors(y[:, 250:-2], x[:, 250:-2]) <= 8
