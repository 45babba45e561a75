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

std::vector<int> likely_sequence(const sequence_model& model,
                                 const sample_streams& streams,
                                 const VectorXcd& sent,
                                 const std::vector<int>& past,
                                 row_range range,
                                 bool last_of_all,
                                 Index num_silent)
{
    const Index length = model.window.length, timing = model.window.timing;
    const Index samples_end = streams[0].size() + std::min<Index>(timing, 0);
    const row_range rows = { range.first,
                             last_of_all ? std::min(range.last + length - 1, samples_end)
                                         : range.last };
    MatrixXcd received(rows.size(), streams.size());
    for (size_t q = 0; q < streams.size(); q++)
        received.col(q) = kernel::lagged(streams[q], rows, 1, timing);
    kernel::trellis paths(Eigen::VectorXcf(model.points.cast<gr_complex>()), length);
    paths.reserve(rows.size());
    const bool from_state = length > 1 && Index(past.size()) == length - 1;
    if (from_state)
        paths.start(past);
    else // what symbols gave that are no points is taken away
        received -= kernel::channel_rows(sent.head(range.first), rows, model.taps);
    const Eigen::MatrixXcf taps = model.taps.cast<gr_complex>();
    const Eigen::MatrixXcf samples = received.transpose().cast<gr_complex>();
    const double noise = std::max(model.noise_variance, 1e-9);
    double unknown = 0.0; // power of the symbols after the range, per stream
    for (Index n = rows.first; n < rows.last; n++) {
        const Index since = n - range.first + 1,
                    after = std::max<Index>(n - range.last + 1, 0);
        if (after > num_silent)
            unknown +=
                model.taps.row(after - num_silent - 1).squaredNorm() / streams.size();
        if (since == 1 || after > 0 || (!from_state && since <= length))
            paths.set_channel(taps, after, (from_state ? length : since) - after);
        paths.step(samples.col(n - rows.first).data(), noise / (noise + unknown));
    }
    std::vector<int> found = paths.trace();
    found.resize(range.size());
    return found;
}

} // namespace reservoir
} // namespace gr
