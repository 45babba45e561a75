#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Bit error rates against the numpy research code, on the same frames."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from gnuradio import reservoir

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
if not (REFERENCE / "common.py").exists():
    pytest.skip("the reference code is not on this machine", allow_module_level=True)
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.dont_write_bytecode = True
sys.path.insert(0, str(REFERENCE))
algos = pytest.importorskip("algos")

FRAMES = 100
SCENARIOS = {
    "exp6 qpsk 11 dB P32": dict(mod="qpsk", P=32, chan="exp6", snr_db=11),
    "exp6 qpsk 11 dB P64": dict(mod="qpsk", P=64, chan="exp6", snr_db=11),
    "exp6 16qam 20 dB P64": dict(mod="16qam", P=64, chan="exp6", snr_db=20),
    "Proakis C qpsk 16 dB P64": dict(mod="qpsk", P=64, chan="proC", snr_db=16),
    "min-phase qpsk 12 dB P64": dict(mod="qpsk", P=64, chan="mp4", snr_db=12),
    "16qam Rapp 22 dB P128": dict(
        mod="16qam", P=128, chan="exp6", snr_db=22, pa="rapp2_3", link="shaped"
    ),
    "16qam receiver saturation 26 dB P128": dict(
        mod="16qam", P=128, chan="exp6", snr_db=26, rxnl="sat"
    ),
}


@pytest.fixture(scope="module", params=SCENARIOS)
def scenario(request):
    """The frames, and the mean BER of the oracle's filter and ESN on them."""
    sim = algos.simulate(
        FRAMES, D=512, rng=np.random.default_rng(987), **SCENARIOS[request.param]
    )
    oracle = {
        "fir": algos.fir_rx(sim, 24, a=11, b=12),
        "esn": algos.esn_rx(sim, M=24, delay=12, gin=0.05),
    }
    return sim, {
        name: algos.ber(sim, idx=idx)[0].mean() for name, idx in oracle.items()
    }


def bit_error_rate(make, sim):
    """Each frame from its first pilot on, as a receiver gets it."""
    start, pilots = sim["pil"].start, sim["P"]
    det = make()
    output = np.array(
        [
            det.receive(r[start:], x[start : start + pilots], payload_len=sim["D"])[
                pilots:
            ]
            for r, x in zip(sim["r"], sim["x"])
        ]
    )
    return algos.ber(sim, output)[0].mean()


def test_fir_is_the_oracle(scenario):
    sim, oracle = scenario
    assert bit_error_rate(reservoir.fir, sim) <= 1.1 * oracle["fir"]


def test_esn_is_the_oracle(scenario):
    sim, oracle = scenario
    assert bit_error_rate(reservoir.esn, sim) <= 1.1 * oracle["esn"]


def test_esn_is_about_a_filter(scenario):
    sim, _ = scenario
    limit = 1.2 if sim["P"] == 32 else 1.1
    assert bit_error_rate(reservoir.esn, sim) <= limit * bit_error_rate(
        reservoir.fir, sim
    )


def test_descent_is_the_oracles():
    """Losses of the trained network, epoch by epoch. The oracle's gradients are half of ours."""
    bptt = pytest.importorskip("bptt")
    window, delay, pilots, epochs, rate = 8, 4, 64, 30, 1e-2
    sim = algos.simulate(
        1, D=64, rng=np.random.default_rng(5), mod="qpsk", P=64, chan="exp6", snr_db=14
    )
    start = sim["pil"].start
    r, x = sim["r"][0, start:], sim["x"][0, start : start + pilots]
    for name in ("identity", "split_tanh"):
        det = reservoir.rnn(
            window=window,
            delay=delay,
            activation=name,
            optimizer="gd",
            learning_rate=rate,
            epochs=epochs,
            skip=True,
        )
        net = bptt.RNN(
            1, 32, window, act="lin" if name == "identity" else "split", skip=True
        )
        for key, weights in zip("WUCD", det.weights()):
            net.p[key] = weights[None].astype(complex).reshape(net.p[key].shape)
        report = det.fit(r, x)
        unit = r / np.sqrt(np.mean(np.abs(r[:pilots]) ** 2))
        padded = np.concatenate([np.zeros(window - 1), unit[: pilots + delay]])
        seen = np.array([padded[n : n + window][::-1] for n in range(pilots + delay)])[
            None
        ]
        target = np.concatenate(
            [np.zeros(delay), x / np.sqrt(np.mean(np.abs(x) ** 2))]
        )[None]
        rule = bptt.Opt("gd", 2 * rate)
        for epoch in range(epochs):
            loss, gradient = net.grads(seen, target.copy(), delay)
            assert report.loss[epoch] == pytest.approx(loss[0], rel=1e-4)
            rule.step(net.p, gradient)
