#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The parts of the programs reservoir_receive and reservoir_transmit.

arguments: what is asked on the command line, and the bursts' parameters that follow from it
devices: radios and streams of samples, opened and set up, or refused in one sentence
recordings: SigMF files read and written
detectors: what --detector names, set up for frames that are found
transmitter, receiver: the flowgraphs
output: the file or stdout that received bytes go to
window: what --gui shows
program: how a program starts, reports each second and ends
"""
