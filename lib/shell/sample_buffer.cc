/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/sample_buffer.h"

namespace gr {
namespace reservoir {

sample_buffer::sample_buffer(size_t num_rows) : d_rows(num_rows), d_pointers(num_rows) {}

void sample_buffer::push(const gr_complex* const* samples, size_t count)
{
    for (size_t a = 0; a < d_rows.size(); a++)
        d_rows[a].insert(d_rows[a].end(), samples[a], samples[a] + count);
}

const gr_complex* const* sample_buffer::from(uint64_t offset)
{
    for (size_t a = 0; a < d_rows.size(); a++)
        d_pointers[a] = d_rows[a].data() + (offset - d_begin);
    return d_pointers.data();
}

stream_matrix sample_buffer::copy(uint64_t offset, size_t count) const
{
    stream_matrix copied;
    for (const auto& row : d_rows) {
        const auto first = row.begin() + (offset - d_begin);
        copied.emplace_back(first, first + count);
    }
    return copied;
}

void sample_buffer::discard(uint64_t offset)
{
    constexpr size_t MANY = 4096;
    const size_t unused = offset - d_begin;
    if (unused < d_rows[0].size() && unused < MANY)
        return; // moving the rest for so little does not pay
    for (auto& row : d_rows)
        row.erase(row.begin(), row.begin() + unused);
    d_begin = offset;
}

} // namespace reservoir
} // namespace gr
