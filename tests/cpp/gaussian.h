/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_TESTS_GAUSSIAN_H
#define INCLUDED_RESERVOIR_TESTS_GAUSSIAN_H

#include <gnuradio/reservoir/kernel/random.h>
#include <Eigen/Core>

//! Complex, of unit variance; the same for a seed on every machine.
inline Eigen::VectorXcd gaussian(Eigen::Index count, uint64_t seed)
{
    gr::reservoir::kernel::random generator(seed);
    Eigen::VectorXcd samples(count);
    for (auto& sample : samples)
        sample = generator.complex_gaussian();
    return samples;
}

#endif /* INCLUDED_RESERVOIR_TESTS_GAUSSIAN_H */
