/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/likely_sequence.h"

#include <gnuradio/reservoir/kernel/trellis.h>
#include <algorithm>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using kernel::row_range;
using kernel::sample_streams;

std::vector<int> likely_sequence(const sequence_model& model,
                                 const sample_streams& streams,
                                 const VectorXcd& sent,
                                 row_range range)
{
    const Index length = model.window.length, timing = model.window.timing;
    const Index samples_end = streams[0].size() + std::min<Index>(timing, 0);
    const row_range rows = { range.first,
                             std::min(range.last + length - 1, samples_end) };
    // received, less what the known symbols give
    MatrixXcd left = -kernel::channel_rows(sent.head(range.first), rows, model.taps);
    for (size_t q = 0; q < streams.size(); q++)
        left.col(q) += kernel::lagged(streams[q], rows, 1, timing);

    kernel::trellis paths(Eigen::VectorXcf(model.points.cast<gr_complex>()), length);
    paths.reserve(rows.size());
    const Eigen::MatrixXcf taps = model.taps.cast<gr_complex>();
    const Eigen::MatrixXcf samples = left.transpose().cast<gr_complex>();
    const double noise = std::max(model.noise_variance, 1e-9);
    double unknown = 0.0; // power of the symbols after the range, per stream
    for (Index n = rows.first; n < rows.last; n++) {
        const Index after = std::max<Index>(n - range.last + 1, 0);
        if (after > 0)
            unknown += model.taps.row(after - 1).squaredNorm() / streams.size();
        if (n - range.first < length || after > 0)
            paths.set_channel(taps, after, n - range.first + 1 - after);
        paths.step(samples.col(n - rows.first).data(), noise / (noise + unknown));
    }
    std::vector<int> found = paths.trace();
    found.resize(range.size());
    return found;
}

} // namespace reservoir
} // namespace gr
