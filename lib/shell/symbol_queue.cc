/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/symbol_queue.h"

#include <algorithm>

namespace gr {
namespace reservoir {

symbol_queue::symbol_queue(size_t num_rows, size_t soft_bits)
    : d_soft_bits(soft_bits),
      d_rows(num_rows),
      d_llrs(soft_bits > 0 ? num_rows : 0),
      d_pointers(num_rows),
      d_llr_pointers(d_llrs.size())
{
}

gr_complex* const* symbol_queue::append(size_t count)
{
    d_appended = d_rows[0].size();
    for (size_t o = 0; o < d_rows.size(); o++) {
        d_rows[o].resize(d_appended + count);
        d_pointers[o] = d_rows[o].data() + d_appended;
    }
    for (auto& row : d_llrs)
        row.resize((d_appended + count) * d_soft_bits);
    return d_pointers.data();
}

float* const* symbol_queue::llrs()
{
    for (size_t o = 0; o < d_llrs.size(); o++)
        d_llr_pointers[o] = d_llrs[o].data() + d_appended * d_soft_bits;
    return d_llrs.empty() ? nullptr : d_llr_pointers.data();
}

void symbol_queue::keep(size_t first, size_t count)
{
    for (auto& row : d_rows)
        row.erase(row.begin() + d_appended, row.begin() + d_appended + first);
    for (auto& row : d_llrs)
        row.erase(row.begin() + d_appended * d_soft_bits,
                  row.begin() + (d_appended + first) * d_soft_bits);
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

void symbol_queue::write(uint64_t number,
                         const stream_matrix& symbols,
                         const std::vector<std::vector<float>>& llrs)
{
    for (size_t o = 0; o < std::min(d_llrs.size(), llrs.size()); o++)
        std::copy(llrs[o].begin(),
                  llrs[o].end(),
                  d_llrs[o].begin() + (number - d_dropped) * d_soft_bits);
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

size_t symbol_queue::pop(gr_complex* const* symbols, size_t max, float* const* llrs)
{
    const size_t count = std::min(max, available());
    for (size_t o = 0; o < d_rows.size(); o++)
        std::copy_n(d_rows[o].begin() + d_popped, count, symbols[o]);
    for (size_t o = 0; llrs && o < d_llrs.size(); o++)
        std::copy_n(
            d_llrs[o].begin() + d_popped * d_soft_bits, count * d_soft_bits, llrs[o]);
    d_popped += count;
    // What was popped goes when nothing is left, or when it is much: with places kept free the
    // queue may never be empty.
    const size_t many = std::max<size_t>(1 << 14, d_rows[0].size() / 2);
    if (d_popped == d_rows[0].size() || d_popped >= many) {
        for (auto& row : d_rows)
            row.erase(row.begin(), row.begin() + d_popped);
        for (auto& row : d_llrs)
            row.erase(row.begin(), row.begin() + d_popped * d_soft_bits);
        d_dropped += d_popped;
        d_popped = 0;
    }
    return count;
}

void symbol_queue::shrink(size_t size)
{
    for (auto& row : d_rows)
        row.resize(size);
    for (auto& row : d_llrs)
        row.resize(size * d_soft_bits);
}

} // namespace reservoir
} // namespace gr
