/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PMT_VALUES_H
#define INCLUDED_RESERVOIR_PMT_VALUES_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <pmt/pmt.h>
#include <functional>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \name Values in messages, in whichever form Python or C++ sends them.
 *
 * They throw std::invalid_argument or pmt's exceptions where the form is another; whether a value
 * makes sense is for those who use it to say.
 * \{
 */

//! A uniform vector of real or complex floating-point numbers, or a vector of numbers.
RESERVOIR_API std::vector<gr_complex> complex_vector(const pmt::pmt_t& value);
//! A uniform vector of real floating-point numbers, or a vector of real numbers.
RESERVOIR_API std::vector<double> real_vector(const pmt::pmt_t& value);
//! A vector of complex_vectors; one of them alone is a single row.
RESERVOIR_API std::vector<std::vector<gr_complex>> complex_rows(const pmt::pmt_t& value);
RESERVOIR_API bool truth(const pmt::pmt_t& value);

/*!
 * \brief Visits the entries of a dictionary, in its order; a pair alone is a dictionary of one.
 *
 * An exception of the visitor ends the walk; so does a key that is not a symbol.
 */
RESERVOIR_API void for_each_entry(
    const pmt::pmt_t& message,
    const std::function<void(const std::string& key, const pmt::pmt_t& value)>& visit);
//! \}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PMT_VALUES_H */
