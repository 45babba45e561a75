#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The comparison of a paper: trained against configured recurrent networks."""
