/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_FIGURES_H
#define INCLUDED_RESERVOIR_BINDINGS_FIGURES_H

#include "arrays.h"
#include <gnuradio/reservoir/training_report.h>

//! \name A figure of a report as Python sees it
//! \{
template <class Number>
pybind11::object to_python(const Number& value)
{
    return pybind11::cast(value);
}
template <class Number>
pybind11::object to_python(const std::vector<Number>& values)
{
    return pybind11::array_t<Number>(values.size(), values.data());
}
//! One row per epoch where the figure is of a training by descent, else as received arrays are.
inline pybind11::object figure(const gr::reservoir::stream_matrix& rows,
                               const gr::reservoir::report_field& about)
{
    return about.of_descent ? to_matrix(rows) : to_array(rows);
}
template <class T>
pybind11::object figure(const T& value, const gr::reservoir::report_field&)
{
    return to_python(value);
}
//! \}

//! \name Type of such a figure, as Python names it
//! \{
inline const char* figure_type(bool) { return "bool"; }
inline const char* figure_type(int) { return "int"; }
inline const char* figure_type(uint64_t) { return "int"; }
inline const char* figure_type(double) { return "float"; }
inline const char* figure_type(const std::vector<int>&)
{
    return "numpy.ndarray[numpy.int32]";
}
inline const char* figure_type(const std::vector<double>&)
{
    return "numpy.ndarray[numpy.float64]";
}
inline const char* figure_type(const std::vector<gr_complex>&)
{
    return "numpy.ndarray[numpy.complex64]";
}
inline const char* figure_type(const gr::reservoir::stream_matrix&)
{
    return "numpy.ndarray[numpy.complex64]";
}
//! \}

#endif /* INCLUDED_RESERVOIR_BINDINGS_FIGURES_H */
