#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Subcommands that run a campaign and write its report: sweep, compare, demo."""
