/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_CARRIERS_H
#define INCLUDED_RESERVOIR_BINDINGS_CARRIERS_H

#include "arrays.h"
#include <gnuradio/reservoir/ofdm_grid.h>
#include <algorithm>
#include <string>
#include <variant>
#include <vector>

//! (streams, symbols, carriers) of rows that have some symbols' carriers in natural order; values
//! of a carrier are a dimension more, unless they are 0, which is one without.
template <class T>
pybind11::array_t<T> to_carriers(const std::vector<std::vector<T>>& rows,
                                 const std::vector<int>& symbols,
                                 int fft_len,
                                 const gr::reservoir::ofdm_grid* grid,
                                 size_t values = 0)
{
    std::vector<size_t> shape = { rows.size(), symbols.size(), size_t(fft_len) };
    if (values > 0)
        shape.push_back(values);
    values = std::max<size_t>(values, 1);
    pybind11::array_t<T> array(shape);
    T* to = array.mutable_data();
    for (const auto& row : rows)
        for (const int n : symbols) {
            const T* from = row.data() + size_t(n) * fft_len * values;
            for (int k = 0; k < fft_len; k++, from += values)
                std::copy_n(from, values, to + (grid ? grid->place(k) : k) * values);
            to += fft_len * values;
        }
    return array;
}

typedef std::variant<complex_array, gr::reservoir::ofdm_grid> pilots_or_grid;

//! (symbols, carriers) or (streams, symbols, carriers), in natural order. \throws ValueError
inline gr::reservoir::stream_matrix pilot_rows(const complex_array& pilots, int fft_len)
{
    const pybind11::ssize_t dimensions = pilots.ndim();
    if (dimensions < 2 || dimensions > 3 || pilots.shape(dimensions - 1) != fft_len)
        throw pybind11::value_error("pilots shape: must be (symbols, " +
                                    std::to_string(fft_len) + ") or (num_tx, symbols, " +
                                    std::to_string(fft_len) + ")");
    const pybind11::ssize_t streams = dimensions == 3 ? pilots.shape(0) : 1;
    const pybind11::ssize_t size = streams > 0 ? pilots.size() / streams : 0;
    gr::reservoir::stream_matrix rows;
    for (pybind11::ssize_t j = 0; j < streams; j++)
        rows.emplace_back(pilots.data() + j * size, pilots.data() + (j + 1) * size);
    return rows;
}

#endif /* INCLUDED_RESERVOIR_BINDINGS_CARRIERS_H */
