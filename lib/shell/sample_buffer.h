/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_SAMPLE_BUFFER_H
#define INCLUDED_RESERVOIR_SAMPLE_BUFFER_H

#include <gnuradio/reservoir/detector.h>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief The samples of several inputs that are still needed, found by their number in the stream.
 *
 * Is not responsible for what is still needed (its user says so), for symbols, marks or segments,
 * nor for how much is stored. Not thread-safe.
 */
class RESERVOIR_API sample_buffer
{
public:
    explicit sample_buffer(size_t num_rows);

    size_t num_rows() const { return d_rows.size(); }
    //! Number of the first sample that is stored.
    uint64_t begin() const { return d_begin; }
    //! Samples that have come so far: the number of the next one.
    uint64_t end() const { return d_begin + d_rows[0].size(); }

    void push(const gr_complex* const* samples, size_t count);
    //! Rows from this sample on, begin() ≤ offset ≤ end(). Valid until push, discard or the next call.
    const gr_complex* const* from(uint64_t offset);
    //! A copy of so many samples from this one on.
    stream_matrix copy(uint64_t offset, size_t count) const;
    //! Samples before this one, at most end(), may go; a few of them may stay for a while.
    void discard(uint64_t offset);

private:
    stream_matrix d_rows;
    uint64_t d_begin = 0;
    std::vector<const gr_complex*> d_pointers;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_SAMPLE_BUFFER_H */
