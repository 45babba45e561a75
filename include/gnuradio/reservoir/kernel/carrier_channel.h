/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CARRIER_CHANNEL_H
#define INCLUDED_RESERVOIR_KERNEL_CARRIER_CHANNEL_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/joint_search.h>
#include <Eigen/Core>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! Of each antenna or stream: carriers in natural order x OFDM symbols.
typedef std::vector<Eigen::MatrixXcd> carrier_streams;
//! Carriers x OFDM symbols.
typedef Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic> carrier_mask;

//! Impulse responses from every stream to every antenna.
struct mimo_taps {
    Eigen::Index length = 0;
    //! row length * stream + l, a column per antenna
    Eigen::MatrixXcd values;

    auto of(Eigen::Index stream) const
    {
        return values.middleRows(length * stream, length);
    }
    //! H of every carrier, antennas x streams.
    RESERVOIR_API std::vector<mimo_matrix> responses(Eigen::Index fft_len) const;
};

//! What estimate_carrier_channel finds.
struct carrier_channel {
    mimo_taps taps;
    //! mean |received - model|^2 over antennas and carriers, over the degrees of freedom left
    double noise_variance;
    double power; //!< mean |received|^2 there
};

/*!
 * \brief Least-squares estimate of the channel from carriers that are known, in the time domain:
 * R_r[k] = sum_j X_j[k] sum_l h_jr[l] e^(-2 pi i k l / N) (van de Beek et al., 1995).
 *
 * All lengths from one Cholesky factor, as one's equations are the first of the longer one's; the
 * length by the Bayesian information criterion (Schwarz, 1978).
 *
 * \param received a matrix per antenna
 * \param known a matrix per stream; of about unit power on the carriers in use
 * \param usable where every stream is known, and not all are zero; some are
 * \param longest taps, 1 to the number of carriers; fewer where there are too few equations
 * \param length exactly so many taps, at most longest; 0: by the criterion
 */
RESERVOIR_API carrier_channel estimate_carrier_channel(const carrier_streams& received,
                                                       const carrier_streams& known,
                                                       const carrier_mask& usable,
                                                       Eigen::Index longest,
                                                       Eigen::Index length = 0);

/*!
 * \brief estimate_carrier_channel for many frames with the same known carriers: the equations are
 * factored once.
 */
class RESERVOIR_API carrier_channel_estimator
{
public:
    //! As of estimate_carrier_channel.
    carrier_channel_estimator(const carrier_streams& known,
                              const carrier_mask& usable,
                              Eigen::Index longest);
    ~carrier_channel_estimator();

    //! As estimate_carrier_channel does.
    carrier_channel estimate(const carrier_streams& received,
                             Eigen::Index length = 0) const;

private:
    struct equations;
    const std::unique_ptr<const equations> d_equations;
};

//! Noise that every antenna has, and distortion that comes through the channel.
struct noise_split {
    double noise;      //!< sigma^2
    double distortion; //!< sigma_d^2, of each stream
    //! sigma^2 I + sigma_d^2 H H^H
    RESERVOIR_API mimo_matrix covariance(const mimo_matrix& channel) const;
};

/*!
 * \brief Which part of the residual a transmitter has made: maximum likelihood of the covariance
 * sigma^2 I + sigma_d^2 H H^H, by scanning the ratio of the two.
 *
 * What the amplifier of a transmitter adds is noise that is as strong as the carrier's channel.
 *
 * \param responses of the carriers
 * \param used_taps taps per antenna of the fit that left the residual: it has hidden their share
 */
RESERVOIR_API noise_split split_noise(const carrier_streams& received,
                                      const carrier_streams& known,
                                      const carrier_mask& usable,
                                      const std::vector<mimo_matrix>& responses,
                                      Eigen::Index used_taps);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CARRIER_CHANNEL_H */
