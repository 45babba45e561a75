/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/takenaka_malmquist.h>

#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

Eigen::MatrixXcd takenaka_malmquist(const Eigen::VectorXcd& poles, Eigen::Index length)
{
    Eigen::MatrixXcd responses(poles.size(), length);
    Eigen::VectorXcd drive = Eigen::VectorXcd::Zero(length);
    if (length > 0)
        drive(0) = 1.0;
    for (Eigen::Index k = 0; k < poles.size(); k++) {
        const std::complex<double> pole = poles(k);
        const double norm = std::sqrt(1.0 - std::norm(pole));
        std::complex<double> state = 0.0;
        for (Eigen::Index m = 0; m < length; m++) {
            const std::complex<double> before = state;
            state = pole * state + drive(m);
            responses(k, m) = norm * state;
            drive(m) = before - std::conj(pole) * state;
        }
    }
    return responses;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
