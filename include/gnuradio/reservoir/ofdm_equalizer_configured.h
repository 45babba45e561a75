/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_EQUALIZER_CONFIGURED_H
#define INCLUDED_RESERVOIR_OFDM_EQUALIZER_CONFIGURED_H

#include <gnuradio/digital/ofdm_equalizer_base.h>
#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/parameter.h>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Equalizer for digital.ofdm_frame_equalizer_vcvc, in place of
 * digital.ofdm_equalizer_simpledfe.
 * \ingroup reservoir
 *
 * \details
 * The channel is a few taps in time and not one number per carrier, so that all carriers tell about
 * each (kernel::carrier_smoother; van de Beek et al., 1995). The initial taps give where the taps begin
 * and how many there are, by the Bayesian information criterion; the FFT's window may lie early or late
 * in the cyclic prefix. Taps begin within fft_len / 4 samples of the window's first; there are at most
 * fft_len / 4, and 128. Then symbol by symbol:
 * - the phase that all carriers share, from the pilots and from the symbol before; the one with the
 *   smaller error is then refined by decisions. Where a symbol has no pilots, a turn by more than half
 *   the angle between points is taken for another one;
 * - decisions: the nearest points;
 * - the taps again, by pilots and decisions of the past, which are forgotten with memories of 0.6 to 16
 *   symbols and never. For the next symbol the taps are those of the memory that has predicted best so
 *   far in the frame.
 *
 * Symbols come out soft: received value over channel, in the constellation's units. Pilots come out as
 * they are known. Carriers that are in no set of the occupied carriers and pilots are not touched.
 *
 * Symbol n of the frame has set (n + symbols_skipped) of occupied carriers, pilot carriers and pilot
 * symbols, each list taken in turns, as digital.ofdm_carrier_allocator_cvc lays them out.
 *
 * Initial taps of zero, or that are not finite, count as not known. If none is known, the channel is
 * estimated from the pilots of the frame; without pilots it is the channel state, which is 1 after
 * reset(). A symbol with values that are not finite comes out as zeros in their places, and the channel
 * is not trained on it.
 *
 * Not responsible for the carrier's offset by whole carriers, which the block takes out.
 *
 * A symbol costs O(carriers x (points + log carriers) + taps^3).
 */
class RESERVOIR_API ofdm_equalizer_configured : public digital::ofdm_equalizer_1d_pilots
{
public:
    typedef std::shared_ptr<ofdm_equalizer_configured> sptr;
    typedef std::vector<std::vector<int>> carrier_sets;

    /*!
     * \param fft_len carriers, 2 to 65536
     * \param occupied_carriers those with data, -fft_len to fft_len - 1, counted from DC; empty: all
     * \param pilot_carriers likewise; where a carrier is in both it is a pilot
     * \param pilot_symbols a value per pilot carrier, finite and not zero
     * \param symbols_skipped of the sets, before the first symbol, 0 to 2^20
     * \param input_is_shifted DC is in the middle of a symbol, at fft_len / 2; otherwise first
     * \param constellation of the data, in the units in which it is sent
     * \throws std::invalid_argument naming the parameter, its value and what is allowed
     */
    ofdm_equalizer_configured(
        int fft_len,
        const carrier_sets& occupied_carriers,
        const carrier_sets& pilot_carriers = {},
        const std::vector<std::vector<gr_complex>>& pilot_symbols = {},
        int symbols_skipped = 0,
        bool input_is_shifted = true,
        const constellation_points& constellation = {});
    ~ofdm_equalizer_configured() override;

    void reset() override;
    void equalize(gr_complex* frame,
                  int n_sym,
                  const std::vector<gr_complex>& initial_taps = {},
                  const std::vector<tag_t>& tags = {}) override;

private:
    struct frame_state;
    std::unique_ptr<frame_state> d_frame;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_EQUALIZER_CONFIGURED_H */
