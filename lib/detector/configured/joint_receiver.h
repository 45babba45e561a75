/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_RECEIVER_H

#include "detector/configured/frame.h"
#include "detector/configured/joint_network.h"

namespace gr {
namespace reservoir {

//! A frame of several streams, received.
struct joint_frame {
    std::vector<configured_frame> streams; // decisions, soft symbols and their variance
    joint_readout readout; // of the pass that was kept, its channel of the decisions
    Eigen::MatrixXcf
        output; // of the readout before the decisions, a column per stream; if wanted
    double power = 1.0; // of the filters' outputs
    double carrier_offset = 0.0;
    std::vector<double> residuals; // of every pass
    int kept_pass = 0;
    int num_level_steps = 0;           // that were taken out
    std::vector<cdouble> last_factors; // what the last samples were multiplied by, then
};

/*!
 * \brief Receives one frame of several streams: channel of the pilots, joint search, then again with
 * the decisions as training.
 *
 * The channel does not change within the frame but for its carrier's phase. Not responsible for
 * scales, sampling phases or state between calls.
 */
class joint_receiver
{
public:
    joint_receiver(const configured_settings& settings, Eigen::Index num_streams);

    //! \param pilots of unit power, one vector per stream
    joint_frame receive(const sample_streams& received,
                        const sample_streams& pilots,
                        Eigen::Index payload_len,
                        bool output_wanted) const;

private:
    struct layout {
        Eigen::Index num_pilots, payload_len;
        row_range pilots() const { return { 0, num_pilots }; }
        row_range payload() const { return { num_pilots, num_pilots + payload_len }; }
        row_range whole() const { return { 0, num_pilots + payload_len }; }
    };
    struct attempt {
        sample_streams raw, turned; // before and after the carrier's phase is taken out
        sample_streams sent;        // known and decided symbols, zero elsewhere
        Eigen::VectorXd phase;      // of the carrier, by instants
        double phase_noise = 0.0;
        joint_readout readout;
        std::vector<std::vector<int>> decisions;
        double pilot_residual = 0.0, residual = 0.0;
        std::vector<double> residuals;
        int kept_pass = 0;
        double carrier_offset = 0.0;
    };

    attempt receive_samples(const sample_streams& received,
                            const sample_streams& sent,
                            const layout& frame) const;
    attempt begin(const sample_streams& raw,
                  const sample_streams& sent,
                  const layout& frame,
                  double carrier_offset) const;
    //! Returns whether it has decided as the passes before.
    bool pass(attempt& now, attempt& kept, const layout& frame, int number) const;
    //! Takes the carrier's phase out where that pays; returns the residual.
    double follow_phase(attempt& now,
                        const std::vector<float>& found,
                        const layout& frame,
                        double residual) const;
    double model_residual(const sample_streams& received,
                          const sample_streams& sent,
                          kernel::channel_window window,
                          row_range range) const;
    joint_frame finish(attempt& kept, const layout& frame, bool output_wanted) const;
    void soften(joint_frame& found, const attempt& kept, const layout& frame) const;

    const joint_network d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_RECEIVER_H */
