#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The first frame after an installation: 64 pilots and 512 symbols behind two paths and noise."""

import numpy as np

from gnuradio import digital, reservoir

qpsk = digital.constellation_qpsk().base()
rng = np.random.default_rng(1)
sent = np.array(qpsk.points())[rng.integers(0, 4, 576)].astype(np.complex64)
noise = rng.standard_normal((2, 584)) * 0.05
received = (np.convolve(sent, [1, 0.5j]), noise[0] + 1j * noise[1])
received = (np.pad(received[0], (0, 7)) + received[1]).astype(np.complex64)

# three lines
detector = reservoir.configured_esn(constellation=qpsk)
symbols = detector.receive(received, sent[:64], payload_len=512)
errors = np.count_nonzero(np.abs(symbols[64:] - sent[64:]) > 0.5)

print(f"{errors} of 512 symbols are wrong")
raise SystemExit(errors > 0)
