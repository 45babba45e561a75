#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Windows that show what receivers report. Qt is imported only by those that draw."""
