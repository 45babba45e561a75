#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Experiments that run real flowgraphs; python3 -m gnuradio.reservoir starts them."""
