/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_TRACKED_STREAM_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_TRACKED_STREAM_H

#include "detector/configured/stream.h"
#include "detector/configured/tracker.h"

namespace gr {
namespace reservoir {

/*!
 * \brief A stream over a fading channel: blocks of symbols, each decided by a readout that is
 * configured from the decisions before it.
 */
class tracked_stream : public single_stream
{
public:
    tracked_stream(const stream_readout& readout, const configured_settings& settings);

    //! Symbols that it holds back, whatever the channel does.
    static int delay(int sps);
    //! Symbols beyond symbol k that its decision may need.
    static int look_ahead();

    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  gr_complex* symbols,
                  readout_output output) override;

private:
    //! Decides the block that begins at symbol first, all its samples being there.
    void track_block(int64_t first, bool output_wanted);

    const configured_network d_network;
    channel_tracker d_tracker;
    frame_symbols d_history;          // from symbol d_history_first on
    Eigen::VectorXd d_phase;          // of the carrier, likewise
    std::vector<gr_complex> d_output; // of the readouts, likewise, where it is wanted
    std::vector<float> d_output_variance;
    int64_t d_history_first = 0;
    int64_t d_tracked;      // next symbol to be decided
    int64_t d_released = 0; // next symbol to be put out
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_TRACKED_STREAM_H */
