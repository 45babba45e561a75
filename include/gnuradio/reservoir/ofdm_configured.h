/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_CONFIGURED_H
#define INCLUDED_RESERVOIR_OFDM_CONFIGURED_H

#include <gnuradio/reservoir/ofdm_detector.h>

namespace gr {
namespace reservoir {

struct RESERVOIR_API ofdm_configured_parameters {
    static constexpr about_kind ABOUT = {
        "ofdm_configured",
        "Configured OFDM",
        "",
        "MIMO, interference cancellation, amplifier, digital post-distortion",
        "OFDM receiver by a model of amplifiers and channel: what the model says that "
        "they add "
        "to the carriers is taken away before the points are decided, in turns.",
        "For links with an amplifier that saturates, with a channel longer than the "
        "cyclic prefix, or with impairments: interference in a narrow band or from one "
        "direction, I/Q imbalance, phase noise, Doppler, a receiver's gain that jumps. "
        "On others it is what ofdm_lmmse "
        "is with detection = 'ml'. This is a "
        "model-based canceller and not a reservoir: nothing recurrent is left of it.",
        "It needs at least one OFDM symbol that is known on every carrier for the "
        "amplifier's model to start from, and for impairments to be found."
    };

    int fft_len = 64;
    std::vector<int> cp_len = { 16 };
    int num_rx = 1;
    int num_tx = 1;
    constellation_points constellation;
    int channel_len = 0;
    int amplifier_order = -1;
    int refits = 2;

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        visit(self.fft_len, OFDM_FFT_LEN);
        visit(self.cp_len, OFDM_CP_LEN);
        visit(self.num_rx, OFDM_NUM_RX);
        visit(self.num_tx, OFDM_NUM_TX);
        visit(self.constellation, OFDM_CONSTELLATION);
        visit(self.channel_len,
              OFDM_CHANNEL_LEN.or_else(
                  0,
                  "by the Bayesian information criterion, up to the prefix, at most 96"));
        visit(
            self.amplifier_order,
            parameter("amplifier_order",
                      "coefficients of the amplifiers' polynomial beyond the linear one: "
                      "1 is cubic, 2 quintic")
                .within(0, 3)
                .or_else(-1, "by the Bayesian information criterion, up to 2")
                .labelled("Amplifier Order")
                .seldom());
        visit(self.refits,
              parameter("refits", "times that the model is fitted to the decisions")
                  .within(0, 16)
                  .seldom());
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        ofdm_rules(*this, rule);
        rule(channel_len <= fft_len,
             "channel_len",
             "at most fft_len",
             "channel_len <= fft_len");
        rule(num_tx <= num_rx, "num_tx", "at most num_rx", "num_tx <= num_rx");
    }
};

/*!
 * \brief OFDM receiver by a model of amplifiers and channel.
 *
 * \details
 * The samples of the pilots determine a polynomial for each transmitter's amplifier and the impulse
 * responses behind them (kernel::fit_amplified_channel). Then in turns:
 * - the most likely points of every carrier, carrier by carrier (kernel::joint_search);
 * - what the model says that these points' frame adds to its carriers beyond the channel's response:
 *   the amplifiers' distortion and, where the channel is longer than the cyclic prefix, the symbol
 *   before and the other carriers. It is taken from the samples' carriers.
 *
 * Every second turn the model is fitted again, to all samples and decisions, `refits` times. Where the
 * prefix is too short the first decisions are those of a linear equalizer in the time domain, trained
 * on the pilots' samples.
 *
 * What the model leaves of the pilots' samples is searched for impairments, each of which is taken out of
 * the samples where it is likelier than none:
 * - the image of mixers with unequal branches (kernel::fit_mixer_image);
 * - the phase of the oscillator (kernel::fit_phase_walk);
 * - noise that is coloured, over time or antennas: samples and model then pass the filter that makes it
 *   white (kernel::fit_noise_whitener).
 *
 * With refits, where the power of an antenna jumps within the frame (kernel::find_power_steps), all is done
 * once more with all parts at the level of the first one, and again with the places and gains that the
 * decisions show. What explains the samples best is kept.
 *
 * Where the decisions of the data leave much more than the pilots, the frame is decided again symbol by
 * symbol, each with the phase of the one before and a channel that follows the last ones; where that
 * explains the frame, every symbol has its own channel from then on (kernel::channel_drift).
 *
 * equalize() has no samples: amplifier, prefix and impairments are left alone but for phase and channel, which
 * are followed, and the channel is fitted again to the decisions.
 */
class RESERVOIR_API ofdm_configured
    : public described<ofdm_configured, ofdm_configured_parameters, ofdm_detector>
{
public:
    typedef std::shared_ptr<ofdm_configured> sptr;

    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit ofdm_configured(const ofdm_configured_parameters& parameters);

    bool takes_carriers() const override { return true; }

protected:
    ofdm_result do_receive(const ofdm_frame& frame) override;
    const constellation_points& do_constellation() const override
    {
        return parameters().constellation;
    }
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_CONFIGURED_H */
