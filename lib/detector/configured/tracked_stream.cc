/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/tracked_stream.h"

#include <gnuradio/reservoir/configured_esn.h>
#include <algorithm>

namespace gr {
namespace reservoir {

namespace {

constexpr int FUTURE = configured_network::FUTURE;
// Blocks wait together for their last symbol, as single symbols wait otherwise.
constexpr int BLOCK = configured_esn::DECISION_LAG;
constexpr int LAG = channel_tracker::LAG;
constexpr int64_t KEPT = channel_tracker::RECENT + channel_tracker::MARGIN;
constexpr int64_t UNUSED = 4096; // symbols that are gathered before they are thrown away

} // namespace

int tracked_stream::delay(int sps) // every block may have a timing of its own
{
    return FUTURE + EARLIEST + LAG + BLOCK - 1 + (sps > 1);
}

int tracked_stream::look_ahead() { return FUTURE + EARLIEST + 1 + LAG + BLOCK; }

tracked_stream::tracked_stream(const stream_readout& readout,
                               const configured_settings& settings)
    : single_stream(readout),
      d_network(settings),
      d_tracker(d_network, SLOW_FADING),
      d_history(d_network.known({ readout.pilots.begin(), readout.pilots.end() },
                                readout.pilots.size())),
      d_phase(Eigen::VectorXd::Zero(readout.pilots.size())),
      d_tracked(readout.pilots.size())
{
}

void tracked_stream::track_block(int64_t first, bool output_wanted)
{
    const int64_t last = first + BLOCK;
    const int64_t start = std::max<int64_t>(first - d_tracker.window(), 0);
    const int64_t begin = std::max<int64_t>(start - channel_tracker::MARGIN, 0);
    const int64_t size = last + LAG + FUTURE + EARLIEST - begin;
    d_history.resize(last - d_history_first);
    d_phase.conservativeResize(last - d_history_first);

    block_surroundings part;
    for (size_t q = 0; q < num_streams(); q++) {
        part.raw.emplace_back(size);
        copy_samples(q, begin, size, part.raw.back().data());
    }
    part.symbols = d_history.cut(begin - d_history_first, last - d_history_first);
    part.symbols.resize(size);
    part.phase = Eigen::VectorXd::Zero(size);
    part.phase.head(first - begin) =
        d_phase.segment(begin - d_history_first, first - begin);
    part.known = { start - begin, first - begin };
    part.block = { first - begin, last - begin };
    part.searched = { first - begin, last + LAG - begin };
    const tracked_block found = d_tracker.detect(part);
    if (output_wanted) {
        d_output.resize(last - d_history_first);
        d_output_variance.resize(d_output.size(), output_variance(found.readout));
        const Eigen::VectorXcf made =
            d_network.output(found.readout, part.turned(), part.symbols, part.block);
        std::copy(made.begin(), made.end(), &d_output[first - d_history_first]);
    }

    for (int64_t n = first; n < last; n++)
        d_history.set(n - d_history_first,
                      part.symbols.values(n - begin),
                      part.symbols.rings[n - begin]);
    d_history.decided = true;
    d_phase.tail(BLOCK) = part.phase.segment(first - begin, BLOCK);
}

size_t tracked_stream::detect(const gr_complex* const* received,
                              size_t num_samples,
                              gr_complex* symbols,
                              readout_output output)
{
    const int64_t complete = append(received, num_samples);
    filter_pilots(complete - FUTURE + d_readout.timing);
    for (; d_tracked + BLOCK + LAG + FUTURE + EARLIEST <= complete; d_tracked += BLOCK)
        track_block(d_tracked, output.symbols);

    size_t produced = 0;
    const int64_t decided = complete - (FUTURE + EARLIEST + LAG + BLOCK - 1);
    for (; d_released < decided; d_released++, produced++) {
        const bool pilot = d_released < num_pilots();
        const int64_t place = d_released - d_history_first;
        symbols[produced] =
            float(d_readout.symbol_scale) *
            (pilot ? d_pilot_output[d_released] : gr_complex(d_history.values(place)));
        if (!output.symbols)
            continue;
        const bool made = place < int64_t(d_output.size());
        output.symbols[produced] = pilot  ? d_pilot_output[d_released]
                                   : made ? d_output[place]
                                          : gr_complex(d_history.values(place));
        output.variances[produced] =
            pilot || !made ? d_readout.output_variance : d_output_variance[place];
    }
    const int64_t kept = d_tracked - KEPT;
    if (kept - d_history_first > UNUSED) {
        const int64_t size = d_tracked - d_history_first;
        d_history = d_history.cut(kept - d_history_first, size);
        d_phase = d_phase.segment(kept - d_history_first, d_tracked - kept).eval();
        const int64_t gone = kept - d_history_first;
        d_output.erase(d_output.begin(),
                       d_output.begin() + std::min<int64_t>(gone, d_output.size()));
        d_output_variance.erase(d_output_variance.begin(),
                                d_output_variance.begin() +
                                    std::min<int64_t>(gone, d_output_variance.size()));
        d_history_first = kept;
    }
    discard(std::min(kept, d_released));
    return produced;
}

} // namespace reservoir
} // namespace gr
