/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KNOWN_SYMBOLS_H
#define INCLUDED_RESERVOIR_KNOWN_SYMBOLS_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/training_report.h>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace gr {
namespace reservoir {

//! A symbol that is not known is written as NaN.
inline bool is_known(gr_complex symbol)
{
    return !std::isnan(symbol.real()) && !std::isnan(symbol.imag());
}

inline bool all_known(const stream_matrix& symbols)
{
    return std::all_of(symbols.begin(), symbols.end(), [](const auto& row) {
        return std::all_of(row.begin(), row.end(), is_known);
    });
}

/*!
 * \brief Which symbols of a burst are known, and what they are: a prefix, a midamble, blocks that
 * come back.
 *
 * Symbols are counted from the first of the burst. All streams know the same ones.
 */
class RESERVOIR_API known_symbols
{
public:
    /*!
     * \param values a row per stream, NaN where a symbol is not known
     * \param periodic whether the pattern begins again behind its last symbol, until the burst ends
     * \throws std::invalid_argument if no symbol is known, one is infinite, or the rows differ in
     *         length or in which are known
     */
    explicit known_symbols(const stream_matrix& values, bool periodic = false);
    /*!
     * \param positions of the known symbols, ascending from 0 on
     * \param values a row per stream, as many as there are positions
     */
    known_symbols(const std::vector<int>& positions, const stream_matrix& values);

    const stream_matrix& values() const { return d_values; }
    bool periodic() const { return d_periodic; }
    //! Symbols of the pattern, unknown ones included.
    size_t size() const { return d_values[0].size(); }
    //! Of them are known.
    size_t num_known() const;

    /*!
     * \brief Symbols of a burst of which so many are not known: it ends behind the last of these and
     * the known ones that follow it directly.
     * \throws std::invalid_argument if the pattern has known symbols behind more unknown ones, or
     *         the burst were longer than 2^26 symbols
     */
    size_t length(size_t payload_len) const;
    //! What is known of a burst of this length: rows that end with the last known symbol.
    stream_matrix training(size_t length) const;
    /*!
     * \brief Where an endless stream is best cut into frames: in the middle of the longest run of
     * known symbols, so that each frame begins and ends with some. 0 to size() - 1.
     */
    size_t cut() const;
    //! The same pattern, begun at another symbol. Only where it is periodic.
    known_symbols from(size_t symbol) const;

private:
    bool known_at(size_t symbol) const;

    stream_matrix d_values;
    bool d_periodic;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KNOWN_SYMBOLS_H */
