/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_ARRAYS_H
#define INCLUDED_RESERVOIR_BINDINGS_ARRAYS_H

#include <gnuradio/reservoir/detector.h>
#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <algorithm>
#include <cstdint>
#include <string>

//! Anything numpy turns into complex64.
typedef pybind11::array_t<gr_complex,
                          pybind11::array::c_style | pybind11::array::forcecast>
    complex_array;

//! One row per antenna or stream; a 1-D array is one row. \throws ValueError naming the argument
inline gr::reservoir::stream_matrix to_rows(const complex_array& array, const char* name)
{
    if (array.ndim() != 1 && array.ndim() != 2)
        throw pybind11::value_error(
            std::string(name) + " has " + std::to_string(array.ndim()) +
            " dimensions: must be 1-D, or 2-D with one row per antenna "
            "or stream");
    const size_t rows = array.ndim() == 2 ? array.shape(0) : 1;
    const size_t length = array.shape(array.ndim() - 1);
    gr::reservoir::stream_matrix matrix;
    for (size_t i = 0; i < rows; i++)
        matrix.emplace_back(array.data() + i * length, array.data() + (i + 1) * length);
    return matrix;
}

//! 2-D, one row per stream.
inline complex_array to_matrix(const gr::reservoir::stream_matrix& rows)
{
    const size_t length = rows.empty() ? 0 : rows[0].size();
    complex_array array({ rows.size(), length });
    for (size_t i = 0; i < rows.size(); i++)
        std::copy(rows[i].begin(), rows[i].end(), array.mutable_data() + i * length);
    return array;
}

//! 1-D where there is one row.
inline complex_array to_array(const gr::reservoir::stream_matrix& rows)
{
    if (rows.size() != 1)
        return to_matrix(rows);
    return complex_array(rows[0].size(), rows[0].data());
}

//! \throws ValueError naming the argument
inline size_t to_count(int64_t value, const char* name)
{
    if (value < 0)
        throw pybind11::value_error(std::string(name) + " = " + std::to_string(value) +
                                    ": must be at least 0");
    return value;
}

#endif /* INCLUDED_RESERVOIR_BINDINGS_ARRAYS_H */
