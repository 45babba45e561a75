/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_OFDM_OFDM_FRAME_H
#define INCLUDED_RESERVOIR_DETECTOR_OFDM_OFDM_FRAME_H

#include <gnuradio/reservoir/kernel/carrier_channel.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <gnuradio/reservoir/kernel/ofdm_transform.h>
#include <gnuradio/reservoir/ofdm_grid.h>
#include <gnuradio/reservoir/parameter.h>
#include <limits>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {

//! OFDM symbol, first carrier and number of carriers one behind the other.
struct carrier_run {
    Eigen::Index symbol, first, count;
};

//! What is known of a frame's carriers, of unit mean power. The same for many frames.
struct pilot_pattern {
    kernel::carrier_streams known;           // zero where it is not
    std::vector<kernel::carrier_mask> masks; // of each stream, what is known
    kernel::carrier_mask usable;             // all known, and some are not zero
    double known_scale;                      // of what was given, over what is here

    //! \param data where nothing is known, known_scale is theirs
    pilot_pattern(const known_carriers& given, const constellation_points& data);
    pilot_pattern(const pilot_pattern& other, const kernel::carrier_mask& hidden);
    Eigen::Index num_symbols() const { return usable.cols(); }
    //! Whether each carrier is known on all streams or on none.
    bool alike() const { return d_alike; }
    //! Where it is known on none, one symbol behind the other.
    const std::vector<carrier_run>& data() const { return d_data; }

private:
    void find_data();
    bool d_alike;
    std::vector<carrier_run> d_data;
};

//! A frame as detectors see it: samples of unit power.
struct ofdm_frame {
    std::shared_ptr<kernel::ofdm_transform> transform;
    Eigen::Index num_symbols;
    kernel::sample_streams samples; // none: there are carriers alone
    kernel::mimo_taps taps; // of the channel, where it is given; else without length
    std::shared_ptr<const pilot_pattern> pilots;
    double received_scale; // of what was given, over what is here
    bool soft = false;     // ofdm_result::log_likelihoods are wanted
    bool outputs = false;  // ofdm_result::samples are

    //! Carriers of every antenna: those that were given, or made of the samples when first wanted.
    const kernel::carrier_streams& received() const
    {
        if (d_received.empty())
            d_received = carriers(samples);
        return d_received;
    }
    //! None: they are made of the samples.
    void set_received(kernel::carrier_streams carriers);

    bool channel_is_given() const { return taps.length > 0; }
    //! Symbols at the beginning of which everything is known.
    Eigen::Index whole_symbols() const;
    //! As the known carriers are scaled: the points themselves where all that is known lies on them,
    //! otherwise at unit power, as it was given.
    Eigen::VectorXcd points(const constellation_points& constellation) const;
    //! Samples of every stream.
    kernel::sample_streams sent(const kernel::carrier_streams& symbols) const;
    kernel::carrier_streams carriers(const kernel::sample_streams& streams) const;

private:
    mutable kernel::carrier_streams d_received;
};

//! Mean square error over the power it was made at; of silence nothing is explained.
inline double relative_error(double error, double power)
{
    return power > 0.0 ? error / power : 1.0;
}

//! What a detector finds, in the frame's scales.
struct ofdm_result {
    kernel::carrier_streams symbols;
    //! Of each stream, where they are wanted and known better than by noise_variance: a row per point, a
    //! column per carrier, one OFDM symbol's behind the other's; up to a constant per column.
    std::vector<Eigen::MatrixXf> log_likelihoods;
    kernel::mimo_taps taps;
    double noise_variance = 0.0; // of the symbols around what was sent
    double mse =
        std::numeric_limits<double>::quiet_NaN(); // on what is known, over its power
    std::vector<double> residuals;
    int refits = 0;
    int num_level_steps = 0; // that were taken out
    //! What came out in the time domain, where symbols are known as well; empty: there is no such thing,
    //! or it is not wanted.
    kernel::sample_streams samples;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_OFDM_OFDM_FRAME_H */
