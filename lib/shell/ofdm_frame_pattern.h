/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_SHELL_OFDM_FRAME_PATTERN_H
#define INCLUDED_RESERVOIR_SHELL_OFDM_FRAME_PATTERN_H

#include <gnuradio/reservoir/ofdm_detector.h>
#include <memory>
#include <optional>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief What is known of a detector's frames, however many symbols they have: by a grid, or by pilots in
 * front.
 */
class ofdm_frame_pattern
{
public:
    //! \throws std::invalid_argument if fft_len, cp_len or num_tx are not those of the detector
    ofdm_frame_pattern(const ofdm_detector& detector, const ofdm_grid& grid);
    //! \throws std::invalid_argument naming what does not fit
    ofdm_frame_pattern(const ofdm_detector& detector, const stream_matrix& pilots);

    //! Sync words or pilots.
    int symbols_in_front() const { return d_in_front; }
    struct contents {
        known_carriers known;
        std::vector<int> data; // symbols
    };
    //! Of so many symbols; null if there is no data among them, or too little known to receive it.
    //! Made once for frames of the same length, one behind the other. Not for two threads at once.
    std::shared_ptr<const contents> of(int num_symbols);
    //! Where a vector that is put out has this carrier, which is counted from DC upwards.
    int place(int carrier) const { return d_grid ? d_grid->place(carrier) : carrier; }

private:
    std::shared_ptr<const contents> make(int num_symbols) const;

    std::optional<ofdm_grid> d_grid;
    stream_matrix d_pilots;
    int d_fft_len;
    int d_in_front;
    std::shared_ptr<const contents> d_last;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_SHELL_OFDM_FRAME_PATTERN_H */
