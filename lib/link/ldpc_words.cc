/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/ldpc_words.h"

#include "link/alist_file.h"
#include <gnuradio/fec/ldpc_decoder.h>
#include <gnuradio/fec/ldpc_encoder.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace gr {
namespace reservoir {

ldpc_words::ldpc_words(const std::string& name)
{
    constexpr float SIGMA = 0.70710678F; // with it symbols are log-likelihood ratios
    constexpr int ITERATIONS = 50;
    const std::string path = find_alist(name);
    std::ifstream file(path);
    read_alist(file); // gr-fec trusts it
    d_encoder = fec::ldpc_encoder::make(path);
    d_decoder = fec::ldpc_decoder::make(path, SIGMA, ITERATIONS);
    d_info.resize(d_encoder->get_input_size());
    d_ratios.resize(d_encoder->get_output_size());
    if (d_info.empty())
        throw std::invalid_argument("its rows leave no information bit");
}

void ldpc_words::encode(const uint8_t* info, size_t words, uint8_t* coded)
{
    for (size_t k = 0; k < words; k++) {
        std::copy_n(info + k * word_info(), word_info(), d_info.begin());
        d_encoder->generic_work(d_info.data(), coded + k * word_coded());
    }
}

void ldpc_words::decode(const float* ratios, size_t words, uint8_t* info)
{
    // gr-fec divides by zero where a bit is unknown, or surer than its doubles can tell.
    constexpr float LEAST = 1e-3F, SUREST = 15.0F;
    for (size_t k = 0; k < words; k++) {
        for (float& ratio : d_ratios) {
            const float given = *ratios++;
            ratio = std::copysign(std::clamp(std::abs(given), LEAST, SUREST), given);
        }
        d_decoder->generic_work(d_ratios.data(), info + k * word_info());
    }
}

} // namespace reservoir
} // namespace gr
