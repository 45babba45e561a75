/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_CODED_JOINT_DECODER_H
#define INCLUDED_RESERVOIR_CODED_JOINT_DECODER_H

#include "shell/finished_frame.h"
#include <gnuradio/reservoir/coded_receiver.h>
#include <gnuradio/reservoir/kernel/lmmse_equalizer.h>
#include <gnuradio/reservoir/kernel/soft_bits.h>
#include <gnuradio/reservoir/packet_format.h>
#include <memory>
#include <optional>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief The packet of a frame that a detector has received: first of its symbols, then, if the CRC
 * is wrong, by equalizing and decoding in turns (Douillard et al., 1995).
 *
 * What the decoder says of the symbols beyond what the equalizer said, its extrinsic ratios, is what
 * the equalizer knows of them in the next turn; all that it says serves to estimate the channel again.
 *
 * Not responsible for the detector, nor for where frames are. Not for two threads at once.
 */
class joint_decoder
{
public:
    joint_decoder(const packet_format& format, int iterations);

    //! pilots has one row, with as many symbols to its end as the format's payload wants.
    coded_receiver::result decode(const finished_frame& frame);

private:
    //! A part of the frame with a channel of its own.
    struct section {
        kernel::row_range wanted;
        kernel::row_range seen;  // of the equalizer, wanted included
        Eigen::VectorXd weights; // of the estimate's rows; empty: all one
        kernel::soft_channel channel;
    };

    void take_payload(const finished_frame& frame);
    void prepare_samples(const finished_frame& frame);
    void prepare_symbols(const std::vector<gr_complex>& pilots);
    void divide(bool moving);
    void take_decisions();
    void estimate_channel();
    void estimate_sections();
    void follow_phase();
    void equalize();
    double mean_variance(kernel::row_range rows) const;
    void take_ratios();
    std::optional<reservoir::packet> decode_ratios();
    void take_turns(coded_receiver::result& found);
    void feed_back();
    void set_symbols(const std::vector<float>& ratios, kernel::soft_symbols& symbols);

    packet_format d_format;
    const int d_iterations;
    const kernel::soft_bits d_bits;

    // of the frame
    std::vector<Eigen::Index> d_places; // of the payload
    Eigen::Index d_num_symbols = 0;
    kernel::sample_streams d_streams;
    kernel::channel_window d_window;
    std::vector<section> d_sections;
    kernel::soft_symbols d_prior;  // to equalize with
    kernel::soft_symbols d_judged; // to estimate the channel with
    std::unique_ptr<kernel::lmmse_equalizer> d_equalizer;
    Eigen::Index d_equalizer_size = 0;
    Eigen::VectorXcd d_equalized;
    Eigen::VectorXd d_noise; // variance, of each symbol

    // of the payload's bits, symbol after symbol
    std::vector<float> d_prior_ratios, d_ratios, d_judged_ratios;
    std::vector<float> d_log_likelihoods;
    std::vector<gr_complex> d_payload, d_means;
    std::vector<float> d_variances;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_CODED_JOINT_DECODER_H */
