/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_LEAST_SQUARES_DETECTOR_H
#define INCLUDED_RESERVOIR_LEAST_SQUARES_DETECTOR_H

#include <gnuradio/reservoir/detector.h>

namespace gr {
namespace reservoir {

class least_squares_readout;

//! What about_kind says of such a detector under caution.
inline constexpr const char* COLOURED_PILOTS =
    "Training symbols that repeat themselves, such as a preamble that sends each bit "
    "three "
    "times, leave parts of the band without training, and noise fills them. Take "
    "reservoir.random_pilots(...) where you can, or set Prior to The delayed input; the "
    "Configured ESN suffers least.";

/*!
 * \brief A detector that has a window, perhaps a fixed network, and a readout of both that is
 * trained by least squares: fir and esn.
 *
 * Not responsible for making the readout: the constructor of the class derived from it does.
 */
class RESERVOIR_API least_squares_detector : public detector
{
public:
    ~least_squares_detector() override;
    bool takes_unknown_pilots() const override { return true; }

protected:
    least_squares_detector(int num_inputs, int num_outputs);

    int do_look_ahead() const override;
    int do_look_back() const override;
    uint64_t do_bad_samples() const override;
    void do_reset() override;
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    size_t do_detect(const gr_complex* const* received,
                     size_t num_samples,
                     gr_complex* const* symbols) override;
    void do_set_tracking(digital::constellation_sptr constellation) override;
    pmt::pmt_t do_save() const override;
    void do_restore(const pmt::pmt_t& saved) override;
    void do_adopt(const trainable& trained) override;

    //! Its weights, one row per output; empty before training.
    stream_matrix readout_weights() const;

    std::unique_ptr<least_squares_readout> d_readout;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_LEAST_SQUARES_DETECTOR_H */
