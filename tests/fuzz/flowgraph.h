/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_TESTS_FUZZ_FLOWGRAPH_H
#define INCLUDED_RESERVOIR_TESTS_FUZZ_FLOWGRAPH_H

#include "fuzz_input.h"
#include <gnuradio/basic_block.h>
#include <gnuradio/tags.h>
#include <string>
#include <utility>
#include <vector>

//! What comes to a block and when.
struct traffic {
    gr::reservoir::stream_matrix samples; //!< of each input
    std::vector<gr::tag_t> tags;          //!< of the first one, in any order
    std::vector<std::pair<std::string, pmt::pmt_t>> messages; //!< port and message
};

//! What came out.
struct outcome {
    std::vector<std::vector<uint8_t>> items; //!< bytes of each output
    std::vector<std::pair<uint64_t, std::string>>
        tags; //!< of the first output: where, and key
};

//! Tags at any place, with these keys or others, with any values.
std::vector<gr::tag_t>
tags_from(fuzz_input& input, const std::vector<std::string>& keys, size_t num_samples);

/*!
 * \brief Runs a block, which may be hierarchical, until its inputs end.
 *
 * Ends the program where work() throws.
 * \param most items that a call of work() gets
 */
outcome run_block(gr::basic_block_sptr block, const traffic& given, int most);

#endif /* INCLUDED_RESERVOIR_TESTS_FUZZ_FLOWGRAPH_H */
