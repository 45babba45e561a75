#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The configured ESN against the numpy research code, decision by decision on the same frames."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from gnuradio import digital, reservoir

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
if not (REFERENCE / "scenarios.py").exists():
    pytest.skip("the reference code is not on this machine", allow_module_level=True)
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.dont_write_bytecode = True
sys.path.insert(0, str(REFERENCE))
receiver = pytest.importorskip("receiver")
scenarios = pytest.importorskip("scenarios")

# name in scenarios.py: frames, 16-QAM frames being the faster ones
STATIC = {
    "ship exp6 qpsk 11 P32": 10,
    "ship exp6 qpsk 11 P64": 10,
    "ship exp6 16qam 20 P64": 10,
    "ship proC qpsk 16 P64": 5,
    "ship mp4 qpsk 12 P64": 5,
    "ship exp6 16qam 22 P128 rapp2_3 shaped": 5,
    "ship exp6 16qam 26 P128 rx-sat": 5,
    "ship mp5 16qam 26 P128 mp shaped": 5,
    "exp14 qpsk 12 P128": 5,
    "exp14 16qam 20 P128": 5,
    "tag late 3, exp6 qpsk 11 P64": 5,
    "tag early 4, exp6 qpsk 11 P64": 5,
    "cfo 3e-4 pn .3, exp6 qpsk 11 P64": 5,
    "cfo 1e-3, exp6 qpsk 14 P128": 5,
    "flat qpsk 8 P64": 5,
}
FADING = {
    "long 4096 fd2e-5 exp5 16qam 20": 1,
    "long 1024 fd3e-4 exp5 qpsk 14": 16,
}


def constellation(sim):
    points = list(sim["C"])
    return digital.constellation_calcdist(points, list(range(len(points))), 4, 1).base()


def decisions(sim, **settings):
    """Each frame from its first pilot on, as a receiver gets it."""
    start, pilots, sps = sim["pil"].start, sim["P"], sim["sps"]
    output = []
    for r, x in zip(sim["r"], sim["x"]):
        det = reservoir.configured_esn(constellation=constellation(sim), **settings)
        frame = det.receive(
            r[start * sps :], x[start : start + pilots], sps=sps, payload_len=sim["D"]
        )
        output.append(receiver.slicer(frame[pilots:], sim["C"]))
    return np.array(output)


def compare(sim, ours, oracle):
    bits = sim["F"] * sim["D"] * sim["nb"]
    rate, expected = (receiver.ber(sim, idx=idx)[0].mean() for idx in (ours, oracle))
    # the oracle does not search all sequences at the end: there ours may differ and err less
    assert np.mean(ours == oracle) > 0.995 or rate < expected
    assert rate <= 1.2 * expected + 4 / bits


@pytest.mark.parametrize("name", STATIC)
def test_complete_receiver(name):
    sim = scenarios.mk(name, STATIC[name])
    compare(sim, decisions(sim), receiver.receive_auto(sim))


@pytest.mark.parametrize("name", FADING)
def test_tracking(name):
    # ours searches beyond a block's end before it decides; the oracle does not, and errs more
    sim = scenarios.mk(name, FADING[name])
    ours, oracle = decisions(sim), receiver.receive_auto(sim)
    rate, expected = (receiver.ber(sim, idx=idx)[0].mean() for idx in (ours, oracle))
    assert rate <= expected + 4 / (sim["F"] * sim["D"] * sim["nb"])


@pytest.mark.parametrize("refits", [0, 1])
def test_passes(refits):
    sim = scenarios.mk("ship exp6 qpsk 11 P64", 40)
    ours = decisions(sim, refits=refits, max_frequency_offset=0, tracking="off")
    compare(sim, ours, receiver.receive(sim, refits=refits, cfo_max=0))


def test_two_samples_a_symbol():
    rng = np.random.default_rng(987)
    sim = receiver.simulate(
        20, "16qam", 128, 512, "exp6", 20, rng, link="shaped", sps=2
    )
    ours = decisions(sim, max_frequency_offset=0, tracking="off")
    # the oracle's covariance between phases gained nothing and is not ours
    compare(sim, ours, receiver.receive(sim, cfo_max=0, colour=False))
