/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CHANNEL_DRIFT_H
#define INCLUDED_RESERVOIR_KERNEL_CHANNEL_DRIFT_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/carrier_channel.h>
#include <Eigen/Core>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief How a channel moves from OFDM symbol to OFDM symbol, around an estimate for all of them.
 *
 * Of each symbol the normal equations of the taps that its carriers lack; taps by least squares over
 * several symbols, those nearby with more weight.
 *
 * Not for two threads at once.
 */
class RESERVOIR_API channel_drift
{
public:
    channel_drift(Eigen::Index fft_len, Eigen::Index length);
    channel_drift(channel_drift&&);
    ~channel_drift();

    //! One symbol more. \param left carriers x antennas, received less expected
    //! \param sent carriers x streams
    void add(const Eigen::MatrixXcd& left, const Eigen::MatrixXcd& sent);
    Eigen::Index num_symbols() const { return d_symbols.size(); }

    /*!
     * Whether the symbols lack about the same as their neighbours: 1 where the channel is another than
     * was thought, about 0 where noise alone is left.
     */
    double correlation() const;
    //! Taps for a place among the symbols; symbol m counts with the power |place - m| of weight.
    //! \param leave_out symbol that does not count
    mimo_taps around(Eigen::Index place, double weight, Eigen::Index leave_out = -1);
    //! Taps for each symbol, with the weight that explains symbols best that are left out; empty where
    //! none does it better than the estimate for all.
    std::vector<mimo_taps> likeliest();
    //! Complex products that likeliest() takes. \param unknowns streams times taps
    static double work(Eigen::Index num_symbols, Eigen::Index unknowns);
    //! Whether that is done within a second or so.
    static bool affordable(Eigen::Index num_symbols, Eigen::Index unknowns);

private:
    struct equations {
        Eigen::MatrixXcd sent, right, gram;
        double energy;
    };
    const Eigen::MatrixXcd& gram_of(Eigen::Index symbol);
    double left_over(Eigen::Index symbol, const mimo_taps& taps);
    const Eigen::Index d_fft_len, d_length;
    std::vector<equations> d_symbols;
    struct workspace;
    std::unique_ptr<workspace> d_work;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CHANNEL_DRIFT_H */
