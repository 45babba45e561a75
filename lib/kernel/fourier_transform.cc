/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/fourier_transform.h"

#include <fftw3.h>
#include <map>
#include <mutex>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;

namespace {

fftw_complex* values(const std::complex<double>* from)
{
    return reinterpret_cast<fftw_complex*>(const_cast<std::complex<double>*>(from));
}

} // namespace

struct fourier_transform::plans {
    fftw_plan forward, inverse;
};

// What is planned here is aligned as all complex numbers on the heap are, to 16 bytes: FFTW asks for no
// more, so that plans fit other arrays.
fourier_transform::fourier_transform(Index size)
    : d_size(size), d_plans(std::make_unique<plans>())
{
    Eigen::VectorXcd in(size), out(size);
    const auto plan = [&](int sign) {
        return fftw_plan_dft_1d(int(size),
                                values(in.data()),
                                values(out.data()),
                                sign,
                                FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    };
    *d_plans = { plan(FFTW_FORWARD), plan(FFTW_BACKWARD) };
}

fourier_transform::~fourier_transform()
{
    fftw_destroy_plan(d_plans->forward);
    fftw_destroy_plan(d_plans->inverse);
}

std::shared_ptr<const fourier_transform> fourier_transform::of(Index size)
{
    static std::mutex mutex; // plans are made by one thread at a time
    static std::map<Index, std::shared_ptr<const fourier_transform>> made;
    const std::lock_guard<std::mutex> lock(mutex);
    std::shared_ptr<const fourier_transform>& found = made[size];
    if (!found)
        found.reset(new fourier_transform(size));
    return found;
}

void fourier_transform::forward(const std::complex<double>* in,
                                std::complex<double>* out) const
{
    fftw_execute_dft(d_plans->forward, values(in), values(out));
}

void fourier_transform::inverse(const std::complex<double>* in,
                                std::complex<double>* out) const
{
    fftw_execute_dft(d_plans->inverse, values(in), values(out));
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
