/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_OFDM_SYMBOL_FOLLOWER_H
#define INCLUDED_RESERVOIR_DETECTOR_OFDM_SYMBOL_FOLLOWER_H

#include "detector/ofdm/carrier_detector.h"
#include <gnuradio/reservoir/kernel/channel_drift.h>

namespace gr {
namespace reservoir {

//! What a channel's estimate for the whole frame says of its carriers.
struct frame_model {
    const std::vector<kernel::mimo_matrix>& responses;
    Eigen::Index taps; // of them
    double noise_variance;
};

//! Carriers x antennas: what a symbol has that responses do not say.
Eigen::MatrixXcd left_over(const kernel::carrier_streams& received,
                           const std::vector<kernel::mimo_matrix>& responses,
                           const kernel::carrier_streams& symbols,
                           Eigen::Index symbol);
//! The same of all symbols, as a channel's drift.
kernel::channel_drift drift_of(const kernel::carrier_streams& received,
                               const frame_model& model,
                               const kernel::carrier_streams& symbols);
//! Responses of a channel that has moved.
std::vector<kernel::mimo_matrix>
moved_responses(const std::vector<kernel::mimo_matrix>& responses,
                const kernel::mimo_taps& drift);

/*!
 * \brief Decides a frame symbol by symbol, each with the phase of the one before and the channel of the last
 * ones: for oscillators that turn and channels that move.
 */
class symbol_follower
{
public:
    //! \param whole symbols that are known, at the beginning; none where the model is of the first
    //!              symbol's channel
    symbol_follower(const ofdm_frame& frame,
                    carrier_detector& detector,
                    const frame_model& model,
                    Eigen::Index whole);

    //! Whether much more is left over than noise.
    bool seems_to_move(const kernel::carrier_streams& received,
                       const kernel::carrier_streams& symbols) const;
    /*!
     * \param symbols decided for a channel that stands still; set where following explains much more
     * \return whether it does
     */
    bool follow(kernel::carrier_streams received, kernel::carrier_streams& symbols);
    //! By which each symbol was turned.
    const Eigen::VectorXd& angles() const { return d_angles; }
    std::vector<kernel::mimo_taps> drift() { return d_drift.likeliest(); }

private:
    double step(kernel::carrier_streams& received,
                kernel::carrier_streams& symbols,
                Eigen::Index symbol);
    const ofdm_frame& d_frame;
    carrier_detector& d_detector;
    const frame_model d_model;
    const Eigen::Index d_whole;
    Eigen::VectorXd d_angles;
    kernel::channel_drift d_drift;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_OFDM_SYMBOL_FOLLOWER_H */
