/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_OFDM_CARRIER_DETECTOR_H
#define INCLUDED_RESERVOIR_DETECTOR_OFDM_CARRIER_DETECTOR_H

#include "detector/ofdm/ofdm_frame.h"
#include <gnuradio/reservoir/kernel/joint_search.h>

namespace gr {
namespace reservoir {

/*!
 * \brief What was sent on the carriers that are not known, when the channel is: carrier by carrier.
 */
class carrier_detector
{
public:
    enum class method {
        lmmse, // unbiased symbols
        joint  // points, by maximum likelihood (of more than two streams, K-best)
    };

    carrier_detector(const ofdm_frame& frame, const Eigen::VectorXcd& points, method how)
        : d_frame(frame), d_search(points), d_points(points), d_method(how)
    {
    }

    /*!
     * \param received carriers of every antenna
     * \param symbols known ones; the others are set
     * \param which OFDM symbols
     * \return mean variance of the symbols around what was sent, as the model has it
     */
    double detect(const kernel::carrier_streams& received,
                  const std::vector<kernel::mimo_matrix>& responses,
                  const kernel::noise_split& noise,
                  kernel::carrier_streams& symbols,
                  kernel::row_range which);
    //! All of them.
    double detect(const kernel::carrier_streams& received,
                  const std::vector<kernel::mimo_matrix>& responses,
                  const kernel::noise_split& noise,
                  kernel::carrier_streams& symbols)
    {
        return detect(received, responses, noise, symbols, { 0, d_frame.num_symbols });
    }
    /*!
     * \brief How likely each point is, carrier by carrier.
     * \param symbols known ones count, the others do not
     * \param which OFDM symbols
     * \param found as in ofdm_result; all others keep their values
     */
    void log_likelihoods(const kernel::carrier_streams& received,
                         const std::vector<kernel::mimo_matrix>& responses,
                         const kernel::noise_split& noise,
                         const kernel::carrier_streams& symbols,
                         kernel::row_range which,
                         std::vector<Eigen::MatrixXf>& found);
    //! When all are found: divides them by what the data show more of noise than the known carriers did.
    void flatten(std::vector<Eigen::MatrixXf>& found) const;
    //! The point that is nearest to each carrier that is not known.
    void slice(kernel::carrier_streams& symbols) const;

private:
    template <class Visitor>
    void visit(const kernel::carrier_streams& received,
               const std::vector<kernel::mimo_matrix>& responses,
               const kernel::noise_split& noise,
               const kernel::carrier_streams& symbols,
               kernel::row_range which,
               Visitor&& visitor);
    void prepare(const kernel::mimo_matrix& response,
                 const kernel::noise_split& noise,
                 const std::vector<Eigen::Index>& streams);
    void prepare_linear(const kernel::mimo_matrix& channel,
                        const kernel::noise_split& noise);
    void prepare_joint(const kernel::mimo_matrix& response,
                       const kernel::mimo_matrix& channel,
                       const kernel::noise_split& noise);
    void prepare_two(const kernel::mimo_matrix& channel,
                     const kernel::noise_split& noise);
    double detect_two(const kernel::carrier_streams& received,
                      const std::vector<kernel::mimo_matrix>& responses,
                      const kernel::noise_split& noise,
                      kernel::carrier_streams& symbols,
                      kernel::row_range which);

    const ofdm_frame& d_frame;
    kernel::joint_search d_search;
    const Eigen::VectorXcd d_points;
    const method d_method;
    // of the present carrier and streams
    kernel::mimo_matrix d_weights; // LMMSE, or what whitens the samples
    // of each stream's symbols
    Eigen::Array<double, Eigen::Dynamic, 1, 0, kernel::MAX_ANTENNAS, 1> d_variances;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_OFDM_CARRIER_DETECTOR_H */
