/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/symbol_queue.h"

#include <algorithm>

namespace gr {
namespace reservoir {

symbol_queue::symbol_queue(size_t num_rows) : d_rows(num_rows), d_pointers(num_rows) {}

gr_complex* const* symbol_queue::append(size_t count)
{
    d_appended = d_rows[0].size();
    for (size_t o = 0; o < d_rows.size(); o++) {
        d_rows[o].resize(d_appended + count);
        d_pointers[o] = d_rows[o].data() + d_appended;
    }
    return d_pointers.data();
}

void symbol_queue::keep(size_t first, size_t count)
{
    for (auto& row : d_rows)
        row.erase(row.begin() + d_appended, row.begin() + d_appended + first);
    shrink(d_appended + count);
}

void symbol_queue::reserve(size_t count)
{
    d_reserved.push_back(d_dropped + d_rows[0].size());
    append(count);
}

uint64_t symbol_queue::release()
{
    const uint64_t number = d_reserved.front();
    d_reserved.pop_front();
    return number;
}

void symbol_queue::write(uint64_t number, const stream_matrix& symbols)
{
    for (size_t o = 0; o < d_rows.size(); o++)
        std::copy(symbols[o].begin(),
                  symbols[o].end(),
                  d_rows[o].begin() + (number - d_dropped));
}

void symbol_queue::drop_reserved()
{
    shrink(d_popped + available());
    d_reserved.clear();
}

size_t symbol_queue::available() const
{
    const size_t end =
        d_reserved.empty() ? d_rows[0].size() : d_reserved.front() - d_dropped;
    return end - d_popped;
}

size_t symbol_queue::pop(gr_complex* const* symbols, size_t max)
{
    const size_t count = std::min(max, available());
    for (size_t o = 0; o < d_rows.size(); o++)
        std::copy_n(d_rows[o].begin() + d_popped, count, symbols[o]);
    d_popped += count;
    // What was popped goes when nothing is left, or when it is much: with places kept free the
    // queue may never be empty.
    const size_t many = std::max<size_t>(1 << 14, d_rows[0].size() / 2);
    if (d_popped == d_rows[0].size() || d_popped >= many) {
        for (auto& row : d_rows)
            row.erase(row.begin(), row.begin() + d_popped);
        d_dropped += d_popped;
        d_popped = 0;
    }
    return count;
}

void symbol_queue::shrink(size_t size)
{
    for (auto& row : d_rows)
        row.resize(size);
}

} // namespace reservoir
} // namespace gr
