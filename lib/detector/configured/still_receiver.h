/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_STILL_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_STILL_RECEIVER_H

#include "detector/configured/frame.h"

namespace gr {
namespace reservoir {

/*!
 * \brief Receives a frame over a channel that stands still: a pass by the pilots, further ones by the
 * decisions until a pass settles it.
 */
class still_receiver
{
    // A frame between the passes over it
    struct decided_signal {
        frame_symbols symbols;
        Eigen::VectorXd phase;
        sample_streams turned; // by phase
        double phase_noise;
    };
    // What a pass works with
    struct configured_pass {
        configured_readout readout;
        sample_streams input;
        bool linearised = false;
    };

public:
    // A hypothesis of the carrier's offset, between its passes
    struct attempt {
        sample_streams raw;
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

    explicit still_receiver(const configured_network& network) : d_network(network) {}

    //! The first pass, in a channel of the window that the pilots show.
    attempt begin(const sample_streams& raw,
                  const frame_layout& layout,
                  kernel::channel_window pilot_window) const;
    attempt begin(const sample_streams& raw, const frame_layout& layout) const;
    //! The first pass of the likelier carrier hypothesis.
    attempt try_carriers(const sample_streams& raw,
                         const frame_layout& layout,
                         kernel::channel_window pilot_window) const;
    //! By the Bayesian information criterion: do parts of the frame have channels of their own?
    bool channel_moves(const attempt& now, const frame_layout& layout) const;
    //! Searches and refits until one settles it.
    void refine(attempt& now, const frame_layout& layout) const;
    configured_frame finish(attempt& now, const frame_layout& layout) const;

private:
    configured_pass configure_pass(const decided_signal& signal,
                                   row_range range,
                                   kernel::channel_window window,
                                   const std::vector<double>& priors) const;
    /*!
     * \brief Follows the carrier's phase by a pass's decisions, where that explains the samples
     * better.
     * \param score residual without a phase
     * \return the residual that the pass is judged by
     */
    double follow_phase(decided_signal& signal,
                        const sample_streams& raw,
                        const configured_readout& readout,
                        const std::vector<float>& found,
                        row_range payload,
                        double score) const;
    //! Configures by what is known or decided, in a channel of this window, and decides.
    void pass(attempt& now,
              const frame_layout& layout,
              int number,
              kernel::channel_window window) const;
    std::vector<row_range> doubtful_parts(const attempt& now,
                                          const frame_layout& layout) const;
    //! Takes the most likely symbols where they explain the samples better.
    void search_all(attempt& now, const frame_layout& layout) const;
    //! With more survivors.
    void search_more(attempt& now, const frame_layout& layout) const;
    //! Window and phase once more, from the whole frame's decisions.
    void smooth_phase(attempt& now, const frame_layout& layout) const;
    void soften(configured_frame& frame,
                const sample_streams& streams,
                const frame_symbols& symbols,
                const configured_readout& readout,
                Eigen::Index num_symbols) const;

    const configured_network& d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_STILL_RECEIVER_H */
