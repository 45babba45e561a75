/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/known_symbols.h>

#include "check.h"
#include <algorithm>
#include <limits>

namespace gr {
namespace reservoir {

namespace {

constexpr size_t LONGEST = size_t(1) << 26; // burst, symbols
const gr_complex UNKNOWN(std::numeric_limits<float>::quiet_NaN(), 0.0F);

stream_matrix placed(const std::vector<int>& positions, const stream_matrix& values)
{
    require(!positions.empty(), "positions", "empty", "at least one");
    for (size_t k = 0; k < positions.size(); k++)
        require(positions[k] >= 0 && positions[k] < 1 << 24 &&
                    (k == 0 || positions[k] > positions[k - 1]),
                "positions",
                positions[k],
                "ascending, from 0 to 2^24");
    stream_matrix rows;
    for (const auto& row : values) {
        require(row.size() == positions.size(),
                "values",
                std::to_string(row.size()) + " symbols in a row",
                ("one for each of the " + std::to_string(positions.size()) + " positions")
                    .c_str());
        rows.emplace_back(positions.back() + 1, UNKNOWN);
        for (size_t k = 0; k < positions.size(); k++) {
            require(is_known(row[k]), "values", row[k], "a number at every position");
            rows.back()[positions[k]] = row[k];
        }
    }
    return rows;
}

} // namespace

known_symbols::known_symbols(const stream_matrix& values, bool periodic)
    : d_values(values), d_periodic(periodic)
{
    require(!values.empty(), "values", "empty", "a row per stream");
    for (const auto& row : values) {
        require(row.size() == values[0].size(),
                "values",
                std::to_string(row.size()) + " symbols in a row",
                "of the same length in every row");
        for (size_t k = 0; k < row.size(); k++) {
            require(!std::isinf(row[k].real()) && !std::isinf(row[k].imag()),
                    "values",
                    row[k],
                    "finite, or NaN where a symbol is not known");
            require(is_known(row[k]) == is_known(values[0][k]),
                    "values",
                    "known in one row only (symbol " + std::to_string(k) + ")",
                    "known, or NaN, in all rows alike");
        }
    }
    require(num_known() > 0, "values", "all unknown", "known for one symbol at least");
}

known_symbols::known_symbols(const std::vector<int>& positions,
                             const stream_matrix& values)
    : known_symbols(placed(positions, values))
{
}

size_t known_symbols::num_known() const
{
    return std::count_if(d_values[0].begin(), d_values[0].end(), is_known);
}

bool known_symbols::known_at(size_t symbol) const
{
    if (d_periodic)
        return is_known(d_values[0][symbol % size()]);
    return symbol < size() && is_known(d_values[0][symbol]);
}

size_t known_symbols::length(size_t payload_len) const
{
    require(!d_periodic || num_known() < size() || payload_len == 0,
            "payload_len",
            payload_len,
            "0 where every symbol is known");
    require(payload_len <= LONGEST, "payload_len", payload_len, "at most 2^26");
    if (num_known() == size() && payload_len == 0)
        return size();
    const size_t of_period = size() - num_known();
    const size_t periods =
        d_periodic && payload_len > 0 ? (payload_len - 1) / of_period : 0;
    require(periods <= LONGEST / size(),
            "payload_len",
            payload_len,
            "less: the burst would be longer than 2^26 symbols");
    size_t end = periods * size();
    for (size_t unknown = periods * of_period; unknown < payload_len || known_at(end);
         end++)
        unknown += !known_at(end);
    if (!d_periodic)
        for (size_t symbol = end; symbol < size(); symbol++)
            require(!known_at(symbol),
                    "payload_len",
                    payload_len,
                    ("at least " + std::to_string(size() - num_known()) +
                     ", the unknown symbols of the pattern")
                        .c_str());
    return end;
}

stream_matrix known_symbols::training(size_t length) const
{
    require(length <= 2 * LONGEST, "length", length, "at most 2^27");
    size_t end = d_periodic ? length : std::min(length, size());
    while (end > 0 && !known_at(end - 1))
        end--;
    stream_matrix rows;
    for (const auto& row : d_values) {
        rows.emplace_back(end);
        for (size_t k = 0; k < end; k++)
            rows.back()[k] = row[k % size()];
    }
    return rows;
}

size_t known_symbols::cut() const
{
    size_t longest = 0, middle = 0, run = 0;
    for (size_t symbol = 0; symbol < 2 * size(); symbol++) { // a run may go round
        run = is_known(d_values[0][symbol % size()]) ? run + 1 : 0;
        if (run > longest && run <= size()) {
            longest = run;
            middle = symbol + 1 - (run + 1) / 2;
        }
    }
    return middle % size();
}

known_symbols known_symbols::from(size_t symbol) const
{
    require(d_periodic, "period", "0", "given to begin elsewhere");
    stream_matrix rows = d_values;
    for (auto& row : rows)
        std::rotate(row.begin(), row.begin() + symbol % size(), row.end());
    return known_symbols(rows, true);
}

} // namespace reservoir
} // namespace gr
