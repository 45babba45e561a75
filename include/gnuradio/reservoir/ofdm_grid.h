/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_GRID_H
#define INCLUDED_RESERVOIR_OFDM_GRID_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/training_report.h>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief What is known of a frame's carriers: of each stream, symbol after symbol, the carriers in
 * natural order (0 is DC).
 */
struct RESERVOIR_API known_carriers {
    int fft_len = 0;
    int num_symbols = 0;
    stream_matrix values; //!< zero where it is not known
    std::vector<std::vector<char>> known;

    //! To the last bit.
    bool operator==(const known_carriers& other) const;
    //! Of the symbols of which not every carrier is known, in their order.
    std::vector<int> data_symbols() const;

    /*!
     * \brief Full pilot symbols in front, then data on every carrier that some stream's pilots use.
     * \param pilots a row per stream of whole symbols, at least one
     * \throws std::invalid_argument naming what does not fit
     */
    static known_carriers
    from_pilots(const stream_matrix& pilots, int fft_len, int num_symbols);
    /*!
     * \brief Nothing but what is zero: data on every carrier on which a stream has initial taps.
     * \param initial_taps of stream j at the antennas: rows num_rx * j and behind, fft_len values each
     */
    static known_carriers
    from_taps(const stream_matrix& initial_taps, int num_tx, int num_symbols);
};

/*!
 * \brief Where an OFDM frame has pilots, data and nothing, as digital.ofdm_carrier_allocator_cvc lays
 * it out.
 * \ingroup reservoir
 *
 * \details
 * A frame is sync words, which are symbols that are known as a whole, and then symbols with pilots and
 * data. Symbol n after the sync words has set (n + symbols_skipped) of the occupied carriers, of the
 * pilot carriers and of the pilot symbols, each taken from its list in turns. A carrier is counted from
 * DC, which is 0; -1 is the one below. Carriers that are not in the symbol's sets are zero. An antenna
 * that is silent on a pilot carrier has a pilot symbol of zero there: that is known as well.
 */
class RESERVOIR_API ofdm_grid
{
public:
    typedef std::vector<std::vector<int>> carrier_sets;
    //! of each stream: of each set: a value per pilot carrier
    typedef std::vector<stream_matrix> pilot_sets;

    /*!
     * \param fft_len carriers, 2 to 65536
     * \param cp_len samples of the symbols' cyclic prefixes, 0 to fft_len each, in turns
     * \param num_tx streams, 1 to 8
     * \param occupied_carriers those with data, -fft_len / 2 to fft_len - 1; at least one
     * \param pilot_carriers likewise; none of a set that the symbol's occupied set has
     * \param pilot_symbols for every stream, or one for all
     * \param sync_words for every stream, or one for all: vectors of fft_len values, in the
     *        order that shifted says
     * \param symbols_skipped of the sets, before the first symbol, 0 to 2^20
     * \param shifted vectors of carriers have DC in their middle, at fft_len / 2, as GNU Radio's
     *        OFDM blocks have them by default; otherwise it is first
     * \throws std::invalid_argument naming the parameter, its value and what is allowed
     */
    ofdm_grid(int fft_len,
              const std::vector<int>& cp_len,
              int num_tx,
              const carrier_sets& occupied_carriers,
              const carrier_sets& pilot_carriers = {},
              const pilot_sets& pilot_symbols = {},
              const pilot_sets& sync_words = {},
              int symbols_skipped = 0,
              bool shifted = true);

    int fft_len() const { return d_fft_len; }
    const std::vector<int>& cp_len() const { return d_cp_len; }
    int num_tx() const { return d_num_tx; }
    int num_sync_words() const { return int(d_sync_words[0].size()); }
    bool shifted() const { return d_shifted; }
    //! Where vectors of carriers have this one, which is counted from DC upwards.
    int place(int carrier) const
    {
        return d_shifted ? (carrier + d_fft_len / 2) % d_fft_len : carrier;
    }

    //! Of so many symbols, the sync words among them.
    known_carriers known(int num_symbols) const;

private:
    int d_fft_len;
    std::vector<int> d_cp_len;
    int d_num_tx;
    carrier_sets d_occupied, d_pilots; // 0 to fft_len - 1
    pilot_sets d_pilot_symbols, d_sync_words;
    int d_symbols_skipped;
    bool d_shifted;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_GRID_H */
