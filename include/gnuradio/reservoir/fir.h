/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FIR_H
#define INCLUDED_RESERVOIR_FIR_H

#include <gnuradio/reservoir/detector.h>

namespace gr {
namespace reservoir {

/*!
 * \brief Least-squares FIR equalizer: the baseline that every network must beat.
 *
 * \details
 * Symbol k is estimated from the num_taps symbol periods of all inputs that end `delay` symbols
 * after it. The taps are found by ridge regression on the pilots, the regularization by exact
 * leave-one-out error (Allen, 1974; Golub, Heath and Wahba, 1979), or by recursive least squares
 * in square-root form (Potter, 1963). The output is unbiased: scaled so that the leave-one-out
 * estimates have the pilots' gain. Costs num_inputs · sps · num_taps complex multiply-adds a
 * symbol and output.
 *
 * set_tracking (adapt_after_training in the equalizer block) goes on with recursive least squares
 * from decisions, whichever `update` trained the taps.
 */
class RESERVOIR_API fir : virtual public detector
{
public:
    typedef std::shared_ptr<fir> sptr;

    /*!
     * \param num_taps length in symbol periods, 1 to 1024
     * \param delay decision delay in symbols, 0 to num_taps − 1; −1: the one with the least
     *        leave-one-out error
     * \param regularization λ ≥ 0, relative to the number of pilots and unit-power features;
     *        −1: the one with the least leave-one-out error
     * \param update "ls": every pilot counts the same; "rls": the latest count most (forgetting)
     * \param forgetting factor by which a symbol's weight shrinks with each later one, above 0.5, at most 1
     * \param num_inputs antennas, 1 to 64
     * \param num_outputs streams, 1 to 64
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(int num_taps = 24,
                     int delay = 12,
                     double regularization = -1.0,
                     const std::string& update = "ls",
                     double forgetting = 1.0,
                     int num_inputs = 1,
                     int num_outputs = 1);

    /*!
     * \brief The trained taps for samples of unit power, one row an output: input-major, newest
     * sample first (num_inputs · sps · num_taps values). Empty before training.
     */
    virtual stream_matrix taps() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FIR_H */
