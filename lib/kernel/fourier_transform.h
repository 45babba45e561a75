/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_FOURIER_TRANSFORM_H
#define INCLUDED_RESERVOIR_KERNEL_FOURIER_TRANSFORM_H

#include <Eigen/Core>
#include <complex>
#include <memory>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Discrete Fourier transforms of one length, without scaling (FFTW; Frigo and Johnson, 2005).
 *
 * Plans are estimated, not measured: the same numbers come out in every run. May be used by many
 * threads at once.
 */
class fourier_transform
{
public:
    //! The one of this length, at least 1; it is made once.
    static std::shared_ptr<const fourier_transform> of(Eigen::Index size);

    fourier_transform(const fourier_transform&) = delete;
    ~fourier_transform();

    Eigen::Index size() const { return d_size; }
    //! out[k] = sum_n in[n] exp(-2 pi i k n / size); out is not in.
    void forward(const std::complex<double>* in, std::complex<double>* out) const;
    //! out[n] = sum_k in[k] exp(2 pi i k n / size); out is not in.
    void inverse(const std::complex<double>* in, std::complex<double>* out) const;

private:
    struct plans;
    explicit fourier_transform(Eigen::Index size);

    const Eigen::Index d_size;
    const std::unique_ptr<plans> d_plans;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_FOURIER_TRANSFORM_H */
