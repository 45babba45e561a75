/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FIR_H
#define INCLUDED_RESERVOIR_FIR_H

#include <gnuradio/reservoir/described.h>
#include <gnuradio/reservoir/least_squares_detector.h>

namespace gr {
namespace reservoir {

struct RESERVOIR_API fir_parameters {
    static constexpr about_kind ABOUT = { "fir",
                                          "FIR",
                                          "",
                                          "linear filter, ridge regression, RLS",
                                          "Least-squares FIR equalizer, trained on the "
                                          "training sequence of each frame: the "
                                          "baseline that every network must beat.",
                                          "Use it where time is short, on short channels "
                                          "at high SNR, and to compare.",
                                          COLOURED_PILOTS,
                                          false,
                                          true };

    int num_taps = 24;
    int delay = 12;
    double regularization = -1.0;
    std::string update = "ls";
    double forgetting = 1.0;
    int num_inputs = 1;
    int num_outputs = 1;
    std::string prior = "zero";

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        visit(self.num_taps,
              parameter("num_taps", "length of the filter")
                  .within(1, 1024)
                  .in("symbol periods")
                  .labelled("Num. Taps")
                  .on("Filter"));
        visit(self.delay, READOUT_DELAY.on("Filter"));
        visit(self.regularization, READOUT_REGULARIZATION.on("Filter"));
        visit(self.update, READOUT_UPDATE.on("Filter"));
        visit(self.forgetting, READOUT_FORGETTING.on("Filter"));
        visit(self.num_inputs, NUM_INPUTS);
        visit(self.num_outputs, NUM_OUTPUTS);
        visit(self.prior, READOUT_PRIOR.on("Filter"));
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        rule(delay < num_taps,
             "delay",
             "0 to num_taps - 1, or -1 to search",
             "delay < num_taps");
    }
};

/*!
 * \brief Least-squares FIR equalizer: the baseline that every network must beat.
 *
 * \details
 * Symbol k is estimated from the num_taps symbol periods of all inputs that end `delay` symbols
 * after it. The taps are found by ridge regression on the pilots, the regularization by exact
 * leave-one-out error (Allen, 1974; Golub, Heath and Wahba, 1979), or by recursive least squares
 * in square-root form (Potter, 1963). The output is unbiased: scaled so that the leave-one-out
 * estimates have the pilots' gain. Costs num_inputs · sps · num_taps complex multiply-adds per
 * symbol and output.
 *
 * prior = "delay", for pilots that leave parts of the band without training: the ridge draws the
 * taps to a delayed copy of the input instead of to zero,
 *
 *     w = argmin ||A w − x||² + λ P ||w − F g||²,
 *
 * with F the taps within one symbol period of the lag where one sample explains the pilots best,
 * and their gains g fitted by least squares along with w. The closed form is in kernel::ridge, whose
 * free columns these taps are (Swindel, 1976). λ is then the largest whose leave-one-out error is
 * within one standard error of the least (Breiman et al., 1984): the least itself trusts the pilots'
 * colour.
 *
 * set_tracking (adapt_after_training in the equalizer block) goes on with recursive least squares
 * from decisions, whichever `update` trained the taps.
 */
class RESERVOIR_API fir : public described<fir, fir_parameters, least_squares_detector>
{
public:
    typedef std::shared_ptr<fir> sptr;

    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit fir(const fir_parameters& parameters);
    //! Parameters one by one, as fir_parameters has them.
    static sptr make(int num_taps = 24,
                     int delay = 12,
                     double regularization = -1.0,
                     const std::string& update = "ls",
                     double forgetting = 1.0,
                     int num_inputs = 1,
                     int num_outputs = 1,
                     const std::string& prior = "zero");

    /*!
     * \brief The trained taps for samples of unit power, one row per output: input-major, newest
     * sample first (num_inputs · sps · num_taps values). Empty before training.
     */
    stream_matrix taps() const { return readout_weights(); }
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FIR_H */
