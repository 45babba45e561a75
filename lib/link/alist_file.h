/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_LINK_ALIST_FILE_H
#define INCLUDED_RESERVOIR_LINK_ALIST_FILE_H

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! A sparse matrix of bits, as a file in MacKay's alist format has it.
struct alist_matrix {
    size_t num_columns = 0;
    std::vector<std::vector<uint32_t>> rows; // columns of the ones, from 0 on
};

constexpr size_t MAX_ALIST_SIZE = 1 << 14; // rows, columns

/*!
 * \brief Where an alist file is: name itself if there is such a file, or one of those that GNU Radio
 * installs, with or without .alist.
 * \throws std::invalid_argument in one sentence
 */
std::string find_alist(const std::string& name);

/*!
 * \throws std::invalid_argument that says in one sentence what is wrong
 */
alist_matrix read_alist(std::istream& file);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_LINK_ALIST_FILE_H */
