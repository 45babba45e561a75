#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""A detector of any kind in the table, set up for frames that frame_sync has found."""

from gnuradio import reservoir

# The rnn is trained on each frame: small and briefly, whatever the window of the others.
_OWN = {"rnn": {"window": 8, "delay": 6, "epochs": 60}}


def _parameters(kind):
    """Names of a kind's parameters."""
    return {entry["name"] for entry in reservoir.detectors()[kind].parameters()}


def make_detector(kind, constellation, window):
    """A detector that gets those of the options here that its kind has.

    kind: one of reservoir.detectors()
    constellation: of the payload
    window: symbols that the detector looks at; it decides on the middle one
    """
    options = {
        "constellation": constellation,
        # frame_sync leaves so little carrier offset that the phase loop follows it
        "max_frequency_offset": 0,
        "window": window,
        "num_taps": window,
        "delay": window // 2,
        **_OWN.get(kind, {}),
    }
    names = _parameters(kind)
    return reservoir.detectors()[kind](
        **{name: value for name, value in options.items() if name in names}
    )


def follows_phase(kind):
    """Whether detectors of a kind have a phase loop of their own."""
    return "phase_noise" in _parameters(kind)
