#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Error rates of many receivers over many frames, from a file that says which: specification (the
file), links and ofdm_link (frames), receivers and peers, engine (who works on what), store (what was
found so far), statistics."""
