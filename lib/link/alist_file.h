/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_LINK_ALIST_FILE_H
#define INCLUDED_RESERVOIR_LINK_ALIST_FILE_H

#include <gnuradio/reservoir/kernel/ldpc_code.h>
#include <istream>
#include <string>

namespace gr {
namespace reservoir {

/*!
 * \brief Where an alist file is: name itself if there is such a file, or one of those that GNU Radio
 * installs, with or without .alist.
 * \throws std::invalid_argument that says in one sentence what is wrong
 */
std::string find_alist(const std::string& name);

/*!
 * \brief The code whose parity-check matrix a file in MacKay's alist format has.
 * \throws std::invalid_argument that says in one sentence what is wrong
 */
kernel::ldpc_code::sptr read_alist(std::istream& file);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_LINK_ALIST_FILE_H */
