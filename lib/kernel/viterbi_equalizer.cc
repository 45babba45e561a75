/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/viterbi_equalizer.h>

#include "check.h"
#include <gnuradio/reservoir/kernel/trellis.h>
#include <algorithm>
#include <string>

namespace gr {
namespace reservoir {
namespace kernel {

std::vector<int> viterbi_equalizer(const std::vector<gr_complex>& received,
                                   size_t num_symbols,
                                   const std::vector<gr_complex>& channel,
                                   const std::vector<gr_complex>& points,
                                   const std::vector<gr_complex>& past,
                                   const std::vector<gr_complex>& future)
{
    const size_t length = channel.size(), memory = length - 1;
    trellis paths(Eigen::Map<const Eigen::VectorXcf>(points.data(), points.size()),
                  length); // refuses a channel that is empty or too long
    require(past.size() >= memory,
            "past",
            std::to_string(past.size()) + " symbols",
            "at least as many as the channel's taps less one");
    require(num_symbols <= received.size() &&
                received.size() <= num_symbols + future.size(),
            "num_symbols",
            num_symbols,
            "the samples received, less at most one for each future symbol");

    const Eigen::MatrixXcf taps =
        Eigen::Map<const Eigen::VectorXcf>(channel.data(), length);
    for (size_t n = 0; n < received.size(); n++) {
        // symbols 0 … num_symbols − 1 are to be found; what others give is taken away
        const size_t known_after = n < num_symbols ? 0 : n - num_symbols + 1;
        gr_complex sample = received[n];
        for (size_t l = 0; l < std::min(known_after, length); l++)
            sample -= channel[l] * future[n - l - num_symbols];
        for (size_t l = n + 1; l < length; l++)
            sample -= channel[l] * past[l - n - 1];
        if (n < length || known_after > 0) {
            const size_t oldest = std::min(n + 1, length);
            paths.set_channel(
                taps, known_after, oldest > known_after ? oldest - known_after : 0);
        }
        paths.step(&sample);
    }
    std::vector<int> symbols = paths.trace();
    symbols.resize(num_symbols);
    return symbols;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
