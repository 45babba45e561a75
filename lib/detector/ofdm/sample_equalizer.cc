/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/sample_equalizer.h"

#include <gnuradio/reservoir/kernel/ridge.h>
#include <algorithm>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using kernel::carrier_streams;
using kernel::row_range;
using kernel::sample_streams;

carrier_streams
equalize_samples(const ofdm_frame& frame, const sample_streams& samples, Index whole)
{
    constexpr Index WINDOW = 32, DELAY = 16; // samples
    const Index end = frame.transform->begin(whole);
    const Index size = samples[0].size(), antennas = samples.size();
    const auto features = [&](row_range rows) {
        MatrixXcd made(rows.size(), WINDOW * antennas);
        for (Index r = 0; r < antennas; r++)
            made.middleCols(WINDOW * r, WINDOW) =
                kernel::lagged(samples[r], rows, WINDOW, -DELAY);
        return made;
    };
    carrier_streams pilots, symbols;
    for (const MatrixXcd& stream : frame.pilots->known)
        pilots.push_back(stream.leftCols(whole));
    const sample_streams sent = frame.sent(pilots);
    MatrixXcd targets(end, sent.size());
    for (size_t j = 0; j < sent.size(); j++)
        targets.col(j) = sent[j];
    const kernel::ridge_result found =
        kernel::ridge(features({ 0, end })).solve(targets, -1.0);
    const MatrixXcd equalized = features({ 0, size }) * found.weights;
    for (Index j = 0; j < Index(sent.size()); j++) {
        const double energy = targets.col(j).squaredNorm(); // none, if it is silent
        const double gain =
            energy > 0.0 ? targets.col(j).dot(found.leave_one_out.col(j)).real() / energy
                         : 1.0;
        const MatrixXcd carriers = frame.transform->carriers(
            equalized.col(j) / std::max(gain, 0.1), frame.num_symbols);
        symbols.push_back(
            frame.pilots->masks[j].select(frame.pilots->known[j], carriers));
    }
    return symbols;
}

} // namespace reservoir
} // namespace gr
