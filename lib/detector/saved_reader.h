/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_SAVED_READER_H
#define INCLUDED_RESERVOIR_DETECTOR_SAVED_READER_H

#include "detector/saved_file.h"
#include <gnuradio/reservoir/known_symbols.h>
#include <algorithm>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Entries of a saved detector, which are checked as they are read: the file may be damaged.
 *
 * All throw std::runtime_error naming the entry, its value and what is allowed.
 */
class saved_reader
{
public:
    explicit saved_reader(const pmt::pmt_t& saved) : d_saved(saved) {}

    void expect(bool holds,
                const char* key,
                const std::string& value,
                const std::string& allowed) const
    {
        if (!holds)
            throw std::runtime_error("load: the saved detector's " + std::string(key) +
                                     " = " + value + ": must be " + allowed);
    }
    double number(const char* key, double low, double high) const
    {
        const double value = pmt::to_double(saved_entry(d_saved, key));
        std::ostringstream range;
        range << low << " to " << high;
        expect(value >= low && value <= high, key, std::to_string(value), range.str());
        return value;
    }
    int integer(const char* key, int low, int high) const
    {
        const long value = pmt::to_long(saved_entry(d_saved, key));
        expect(value >= low && value <= high,
               key,
               std::to_string(value),
               std::to_string(low) + " to " + std::to_string(high));
        return int(value);
    }
    //! A factor of samples or symbols, whose largest are 3.4e38.
    double scale(const char* key) const { return number(key, 1e-40, 1e38); }
    //! Of this length.
    std::vector<double> numbers(const char* key, size_t size) const
    {
        const auto values = pmt::f64vector_elements(saved_entry(d_saved, key));
        expect(values.size() == size,
               key,
               std::to_string(values.size()) + " values",
               std::to_string(size) + " values");
        return values;
    }
    //! So many rows, of size values each; 0: as many as the first one has, at least so many.
    stream_matrix
    rows(const char* key, size_t count, size_t size, size_t at_least = 0) const
    {
        const stream_matrix found = rows_from_pmt(saved_entry(d_saved, key));
        expect(found.size() == count,
               key,
               std::to_string(found.size()) + " rows",
               std::to_string(count) + " rows");
        const size_t wanted = size > 0 ? size : std::max(found[0].size(), at_least);
        for (const auto& row : found) {
            expect(row.size() == wanted,
                   key,
                   "a row of " + std::to_string(row.size()) + " values",
                   "rows of " + std::to_string(wanted));
            expect_finite(key, row);
        }
        return found;
    }
    gr_complex value(const char* key) const
    {
        const auto found = gr_complex(pmt::to_complex(saved_entry(d_saved, key)));
        expect_finite(key, { found });
        return found;
    }
    //! So many at most.
    std::vector<gr_complex> values(const char* key, size_t at_least, size_t most) const
    {
        const auto found = pmt::c32vector_elements(saved_entry(d_saved, key));
        expect(found.size() >= at_least && found.size() <= most,
               key,
               std::to_string(found.size()) + " values",
               std::to_string(at_least) + " to " + std::to_string(most) + " values");
        expect_finite(key, found);
        return found;
    }
    //! NaN where one is not known.
    std::vector<gr_complex> symbols(const char* key, size_t multiple) const
    {
        const auto found = pmt::c32vector_elements(saved_entry(d_saved, key));
        expect(!found.empty() && found.size() % multiple == 0,
               key,
               std::to_string(found.size()) + " values",
               "a multiple of " + std::to_string(multiple) + ", not 0");
        std::vector<gr_complex> known;
        std::copy_if(found.begin(), found.end(), std::back_inserter(known), is_known);
        expect_finite(key, known);
        return found;
    }

private:
    void expect_finite(const char* key, const std::vector<gr_complex>& values) const
    {
        expect(all_finite(values), key, "a value that is not finite", "finite");
    }
    const pmt::pmt_t d_saved;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_SAVED_READER_H */
