/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H

#include "detector/configured/tracker.h"
#include <gnuradio/reservoir/kernel/lag_sums.h>

namespace gr {
namespace reservoir {

//! A frame, received.
struct configured_frame {
    std::vector<int> decisions; // payload, indices of points
    Eigen::VectorXcd soft;      // pilots and payload
    double soft_variance = 0.0;
    configured_readout readout; // of the last pass
    double carrier_offset = 0.0;
    double pilot_residual = 0.0;   // noise variance that the pilots alone show
    double residual = 0.0;         // of the pass that was kept
    std::vector<double> residuals; // of every pass
    std::vector<double> condition_numbers;
    int kept_pass = 0;
    double expected_errors = 0.0; // in the payload, by the soft output
    bool linearised = false;
    bool tracked = false;
    int first_length = 1;
    double memory = 0.0;       // symbols; median of the tracked blocks
    double rows_per_fit = 0.0; // for the final prediction error

    //! Akaike's final prediction error.
    double prediction_error() const;
};

/*!
 * \brief The complete configured receiver for one frame, as plain functions of its samples.
 *
 * Streams start at the first pilot and have unit power; missing look-ahead counts as zero.
 * Not responsible for scales, sampling phases or state between calls.
 */
class configured_receiver
{
public:
    //! How a fading channel is followed.
    struct tracking_plan {
        Eigen::Index block; // symbols
        std::vector<tracking_memory> memories;
        double discount; // of a memory's prediction error, per block
    };

    explicit configured_receiver(const configured_settings& settings);

    configured_frame receive(const kernel::sample_streams& streams,
                             const std::vector<std::complex<double>>& pilots,
                             Eigen::Index payload_len) const;

private:
    // A frame on its way: what is known of each symbol and of the carrier's phase
    struct signal {
        kernel::sample_streams raw;
        known_symbols symbols;
        Eigen::VectorXd phase;
        Eigen::Index num_symbols; // pilots and payload

        block_surroundings around(kernel::row_range known, kernel::row_range block) const;
        //! The block's symbols, and the phase from its first symbol, here number first, on.
        void take_over(const block_surroundings& part, Eigen::Index first);
    };

    // A frame between the passes over it
    struct decided_signal {
        known_symbols symbols;
        Eigen::VectorXd phase;
        kernel::sample_streams turned; // by phase
        double phase_noise;
    };
    // What a pass works with
    struct configured_pass {
        configured_readout readout;
        kernel::sample_streams input;
        bool linearised = false;
    };

    struct frame_layout {
        const known_symbols& pilots;
        Eigen::Index num_pilots, payload_len;
        Eigen::Index end() const { return num_pilots + payload_len; }
    };
    // A hypothesis of the carrier's offset, between its passes
    struct attempt {
        kernel::sample_streams raw;
        decided_signal signal;
        std::vector<int> last_found;
        std::vector<float> margins; // of the last pass, payload
        configured_frame frame;
        decided_signal kept_signal;
        configured_pass kept;
        bool sure = false;    // the last pass convinced
        bool settled = false; // a further pass is not worth its time
        bool tried() const { return !frame.residuals.empty(); }
    };

    // Of a tracked frame
    struct block_sums {
        kernel::lag_sums pilots;
        std::vector<kernel::lag_sums> blocks; // of the payload
    };
    struct smoothed_channels {
        std::vector<Eigen::MatrixXcd> taps; // of each block
        std::vector<double> noise;          // of one stream
        double residual = 0.0;              // mean square over the payload
    };

    configured_pass configure_pass(const decided_signal& signal,
                                   kernel::row_range range,
                                   bool first) const;
    /*!
     * \brief Follows the carrier's phase by a pass's decisions, where that explains the samples
     * better.
     * \param score residual without a phase
     * \return the residual that the pass is judged by
     */
    double follow_phase(decided_signal& signal,
                        const kernel::sample_streams& raw,
                        const configured_readout& readout,
                        const std::vector<float>& found,
                        kernel::row_range payload,
                        double score) const;
    attempt begin(const kernel::sample_streams& raw, const frame_layout& layout) const;
    //! Configures by what is known or decided, and decides.
    void pass(attempt& now, const frame_layout& layout, int number) const;
    std::vector<kernel::row_range> doubtful_parts(const attempt& now,
                                                  const frame_layout& layout) const;
    //! Takes the most likely symbols where they explain the samples better.
    void search_all(attempt& now, const frame_layout& layout) const;
    //! With more survivors.
    void search_more(attempt& now, const frame_layout& layout) const;
    //! Refits until one settles it.
    void refine(attempt& now, const frame_layout& layout) const;
    //! Window and phase once more, from the whole frame's decisions.
    void smooth_phase(attempt& now, const frame_layout& layout) const;
    configured_frame finish(attempt& now, const frame_layout& layout) const;
    //! The first pass of the likelier carrier hypothesis.
    attempt try_carriers(const kernel::sample_streams& raw,
                         const frame_layout& layout) const;
    double usual_residual(const configured_frame& frame, Eigen::Index num_pilots) const;
    bool channel_moves(const attempt& now, const frame_layout& layout) const;
    configured_frame track(const kernel::sample_streams& raw,
                           const frame_layout& layout,
                           const tracking_plan& plan) const;
    block_sums sums_of(const signal& received,
                       const kernel::sample_streams& streams,
                       const configured_readout& readout,
                       const frame_layout& layout,
                       Eigen::Index block) const;
    static std::vector<kernel::lag_sums>
    surroundings(const block_sums& sums, double memory, Eigen::Index block);
    double best_memory(const block_sums& sums, Eigen::Index block) const;
    smoothed_channels
    channels_of(const block_sums& sums, double memory, Eigen::Index block) const;
    void smooth(configured_frame& frame,
                signal received,
                const frame_layout& layout,
                Eigen::Index block,
                const std::vector<char>& doubtful) const;
    //! Decides doubtful blocks again, and those after a changed one. Returns whether any changed.
    bool search_again(signal& received,
                      const kernel::sample_streams& streams,
                      const smoothed_channels& channels,
                      configured_readout readout,
                      const frame_layout& layout,
                      Eigen::Index block,
                      const std::vector<char>& doubtful) const;
    void soften(configured_frame& frame,
                const signal& received,
                const kernel::sample_streams& streams,
                const smoothed_channels& channels,
                const frame_layout& layout,
                Eigen::Index block) const;
    configured_frame receive_tracked(const kernel::sample_streams& raw,
                                     const frame_layout& layout) const;
    void soften(configured_frame& frame,
                const kernel::sample_streams& streams,
                const known_symbols& symbols,
                const configured_readout& readout,
                Eigen::Index num_symbols) const;
    double expected_errors(const configured_frame& frame, Eigen::Index num_pilots) const;
    void keep_decisions(configured_frame& frame, Eigen::Index num_pilots) const;

    const configured_network d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H */
