/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_CARRIERS_H
#define INCLUDED_RESERVOIR_BINDINGS_CARRIERS_H

#include "arrays.h"
#include <gnuradio/reservoir/ofdm_grid.h>
#include <vector>

//! (streams, symbols, carriers) of rows that have some symbols' carriers in natural order.
template <class T>
pybind11::array_t<T> to_carriers(const std::vector<std::vector<T>>& rows,
                                 const std::vector<int>& symbols,
                                 int fft_len,
                                 const gr::reservoir::ofdm_grid* grid)
{
    pybind11::array_t<T> array({ rows.size(), symbols.size(), size_t(fft_len) });
    T* to = array.mutable_data();
    for (const auto& row : rows)
        for (const int n : symbols) {
            for (int k = 0; k < fft_len; k++)
                to[grid ? grid->place(k) : k] = row[size_t(n) * fft_len + k];
            to += fft_len;
        }
    return array;
}

#endif /* INCLUDED_RESERVOIR_BINDINGS_CARRIERS_H */
