/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_PATTERN_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_PATTERN_RECEIVER_H

#include "detector/configured/frame.h"
#include "detector/configured/interpolated_channel.h"
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Receives a burst of which symbols anywhere are known.
 *
 * Runs of unknown symbols are cut into blocks of at most 48. A block's channel is interpolated
 * from the symbols on both sides that are known, or decided already; its filter and feedback
 * follow from that channel alone; the survivor search goes on through the known symbols behind it.
 * What comes before the first known symbols that fill a channel is received backwards in time.
 * Then all again with the decisions, until nothing changes or the refits are used up.
 *
 * A short burst of few points, such as GSM's, has its symbols and its channel from
 * kernel::expect_and_maximize instead: a training sequence of 26 symbols does not show the channel's
 * length.
 */
class pattern_receiver
{
public:
    explicit pattern_receiver(const configured_network& network) : d_network(network) {}

    /*!
     * \param streams as configured_receiver takes them
     * \param known its symbols, NaN where one is not known; beyond its end none is
     * \param num_symbols of the burst
     */
    configured_frame receive(const sample_streams& streams,
                             const std::vector<cdouble>& known,
                             Eigen::Index num_symbols) const;

    //! Likewise, of samples that have one level.
    configured_frame receive_samples(const sample_streams& streams,
                                     const std::vector<cdouble>& known,
                                     Eigen::Index num_symbols) const;

private:
    //! What is received, known and decided; the burst begins at symbol 0.
    struct burst {
        sample_streams streams;
        frame_symbols symbols;
        std::vector<char> there; // whether a symbol is known or decided
        Eigen::Index size() const { return there.size(); }
    };
    //! What a pass over the burst works with.
    struct burst_model {
        configured_readout
            readout; // window and warp, and all of it where the channel stands still
        tracking_memory memory;
        bool still() const;
    };

    burst prepare(const sample_streams& streams,
                  const std::vector<cdouble>& known,
                  Eigen::Index num_symbols) const;
    //! Windows that may be the channel's, from what is known or decided.
    std::vector<kernel::channel_window> windows_of(const burst& received) const;
    //! The window and the memory that leave least of tests that they were not fitted on.
    burst_model model_of(const burst& received,
                         const std::vector<kernel::channel_window>& windows,
                         const std::vector<row_range>& tests) const;
    struct scored_memory {
        tracking_memory memory;
        double left; // share of the energy
    };
    scored_memory best_memory(const interpolated_channel& channel,
                              const std::vector<row_range>& tests) const;
    void search_all(const burst& received,
                    const configured_readout& readout,
                    row_range block,
                    Eigen::Index last_known,
                    std::vector<int>& found) const;
    //! Decides blocks one after another. Returns whether any decision is another one than before.
    bool decide(burst& received,
                burst_model model,
                const std::vector<row_range>& blocks) const;
    bool decide_all(burst& received, const burst_model& model) const;
    /*!
     * Decides all by kernel::expect_and_maximize, where the burst is short, a trellis has all states
     * of a channel, and it stands still as far as the known symbols show. Returns whether it did.
     */
    bool decide_expected(burst& received, burst_model& model) const;
    //! Mean square that the interpolated channel leaves, per sample.
    double residual_of(const burst& received,
                       const interpolated_channel& channel,
                       tracking_memory memory) const;
    void soften(configured_frame& frame,
                const burst& received,
                const burst_model& model) const;

    const configured_network& d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_PATTERN_RECEIVER_H */
