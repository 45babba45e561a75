/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_CONDITIONER_H
#define INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_CONDITIONER_H

#include "detector/ofdm/ofdm_frame.h"
#include <gnuradio/reservoir/kernel/amplified_channel.h>
#include <gnuradio/reservoir/kernel/noise_whitener.h>

namespace gr {
namespace reservoir {

/*!
 * \brief A frame's samples, with what the receiver itself and other transmitters have added taken out: the
 * image of mixers, the oscillator's phase, coloured noise.
 *
 * Each is looked for by itself and left alone where it is not likelier than none.
 */
class sample_conditioner
{
public:
    explicit sample_conditioner(const ofdm_frame& frame) : d_frame(frame) {}

    const kernel::sample_streams& samples() const
    {
        return d_conditioned.empty() ? d_frame.samples : d_conditioned;
    }
    const kernel::carrier_streams& carriers() const
    {
        return d_conditioned.empty() ? d_frame.received() : d_carriers;
    }
    //! Samples by which a channel seems longer.
    Eigen::Index memory() const { return d_whitener.order(); }
    //! The channel's own taps, so many or as many as there are.
    kernel::mimo_taps own(const kernel::mimo_taps& taps, Eigen::Index length = 0) const;

    /*!
     * Looks at the first samples, and estimates what is there.
     * \param model of samples(), fitted to these
     * \param sent the samples' beginning
     * \param known whether sent is; decisions serve for what was found before alone, as wrong ones look
     *              like noise that is coloured
     * \param still whether the channel stands still: otherwise the noise is not looked at
     * \return whether samples() have changed, so that the model is to be fitted again
     */
    bool learn(const kernel::amplified_channel& model,
               const kernel::sample_streams& sent,
               bool known,
               bool still);
    //! Turns each symbol's samples back by an angle more.
    void turn_back(const Eigen::VectorXd& angles);

private:
    void find_image(const kernel::sample_streams& expected, kernel::row_range rows);
    void find_phase(const kernel::sample_streams& expected, kernel::row_range rows);
    void find_noise(const kernel::sample_streams& expected, kernel::row_range rows);
    bool has_image() const { return d_image.size() > 0 && !d_image.isZero(); }
    kernel::sample_streams without_image() const;
    void apply();
    const ofdm_frame& d_frame;
    Eigen::VectorXcd d_image; // of each antenna
    Eigen::VectorXd d_phase;  // of each sample; empty: none
    kernel::noise_whitener d_whitener;
    kernel::sample_streams d_conditioned; // empty: those of the frame
    kernel::carrier_streams d_carriers;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_CONDITIONER_H */
