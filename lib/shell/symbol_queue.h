/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_SYMBOL_QUEUE_H
#define INCLUDED_RESERVOIR_SYMBOL_QUEUE_H

#include <gnuradio/reservoir/detector.h>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief The symbols of several outputs in their order, and with them their soft bits where there
 * are any, with places kept free for frames whose symbols come later.
 *
 * What stands behind a free place waits for it. Symbols are numbered from the first that was ever
 * put in. Is not responsible for what the symbols are, for the workers that have the frames, nor
 * for how much waits. Not thread-safe.
 */
class RESERVOIR_API symbol_queue
{
public:
    //! soft_bits: of every symbol, see symbol_rows::llrs; 0: none
    explicit symbol_queue(size_t num_rows, size_t soft_bits = 0);

    //! \name In
    //! \{
    //! Rows with room for so many new symbols at the end. Valid until the next call.
    gr_complex* const* append(size_t count);
    //! Of what was appended last, the soft bits, which are 0 at first; null without soft bits.
    float* const* llrs();
    //! Of what was appended last, keeps `count` symbols from the `first` on.
    void keep(size_t first, size_t count);
    //! Keeps places free at the end for so many symbols.
    void reserve(size_t count);
    /*!
     * \brief The places that were reserved first hold zeros from now on, until write.
     * \return the number of their first symbol
     */
    uint64_t release();
    //! Puts symbols, one row per output, at this number and those after it.
    void write(uint64_t number,
               const stream_matrix& symbols,
               const std::vector<std::vector<float>>& llrs = {});
    //! Drops the places that are reserved, and all that waits behind the first of them.
    void drop_reserved();
    //! \}

    //! \name Out
    //! \{
    //! Symbols that pop can deliver: those before the first free place.
    size_t available() const;
    //! All that is stored, places kept free included.
    size_t size() const { return d_rows[0].size() - d_popped; }
    //! How many reservations are open.
    size_t num_reserved() const { return d_reserved.size(); }
    //! llrs: rows for the soft bits; null: not wanted
    size_t pop(gr_complex* const* symbols, size_t max, float* const* llrs = nullptr);
    //! \}

private:
    void shrink(size_t size);

    const size_t d_soft_bits;
    stream_matrix d_rows;                   // from d_dropped on
    std::vector<std::vector<float>> d_llrs; // likewise, d_soft_bits for each symbol
    size_t d_popped = 0;                    // of those in the rows
    uint64_t d_dropped = 0;
    size_t d_appended = 0;           // where the last append begins in the rows
    std::deque<uint64_t> d_reserved; // numbers of their first symbols
    std::vector<gr_complex*> d_pointers;
    std::vector<float*> d_llr_pointers;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_SYMBOL_QUEUE_H */
