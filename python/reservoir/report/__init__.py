#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Reports: pictures, tables and HTML pages of what was measured."""
