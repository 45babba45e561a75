/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_LMMSE_H
#define INCLUDED_RESERVOIR_OFDM_LMMSE_H

#include <gnuradio/reservoir/ofdm_detector.h>
#include <Eigen/Core>

namespace gr {
namespace reservoir {

namespace kernel {
class carrier_channel_estimator;
}

struct RESERVOIR_API ofdm_lmmse_parameters {
    static constexpr about_kind ABOUT = {
        "ofdm_lmmse",
        "OFDM LMMSE",
        "",
        "zero forcing, MIMO, least squares, maximum likelihood",
        "Model-based OFDM receiver: the channel by least squares, carrier by carrier the "
        "linear estimate of least error, or the most likely points: the baseline of the "
        "other OFDM detectors.",
        "Use it while the prefix is as long as the channel and no amplifier saturates: "
        "with maximum likelihood it is then as good as any, and the fastest.\n\n"
        "What a transmitter's amplifier adds is told from noise, as it comes through the "
        "channel.",
        ""
    };

    int fft_len = 64;
    std::vector<int> cp_len = { 16 };
    int num_rx = 1;
    int num_tx = 1;
    int channel_len = 0;
    std::string detection = "lmmse";
    constellation_points constellation;

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        visit(self.fft_len, OFDM_FFT_LEN);
        visit(self.cp_len, OFDM_CP_LEN);
        visit(self.num_rx, OFDM_NUM_RX);
        visit(self.num_tx, OFDM_NUM_TX);
        visit(self.channel_len, OFDM_CHANNEL_LEN);
        visit(self.detection,
              parameter("detection", "what comes out")
                  .one_of(parameter::word{ "lmmse", "Linear estimate (LMMSE)" },
                          parameter::word{ "ml",
                                           "Most likely points (maximum likelihood)" }));
        visit(self.constellation,
              OFDM_CONSTELLATION.explained("of the data, for detection = 'ml'"));
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        ofdm_rules(*this, rule);
        rule(channel_len <= fft_len,
             "channel_len",
             "at most fft_len",
             "channel_len <= fft_len");
        rule(detection != "ml" || num_tx <= num_rx,
             "num_tx",
             "at most num_rx where detection = 'ml'",
             "detection != 'ml' or num_tx <= num_rx");
    }
};

/*!
 * \brief Model-based OFDM receiver, the baseline of the other OFDM detectors.
 *
 * \details
 * - The channel's impulse responses by least squares from all known carriers of the frame, their length
 *   by the Bayesian information criterion (kernel::estimate_carrier_channel).
 * - The residual's covariance is fitted as sigma^2 I + sigma_d^2 H H^H, the second part being what the
 *   transmitters' amplifiers add (kernel::split_noise).
 * - detection = "lmmse": x = (H^H H + sigma^2 / (1 + sigma_d^2) I)^-1 H^H y, scaled to be unbiased: what
 *   a stream's own distortion adds cannot be taken away. Without the split, linear estimation under an
 *   amplifier is worse than zero forcing.
 * - detection = "ml": the points that explain the whitened samples best, exactly for two streams, by
 *   K-best search for more (kernel::joint_search).
 * - equalize(): initial taps are the channel, and known carriers tell the noise; without any it is what the
 *   nearest points leave of the first symbol.
 */
class RESERVOIR_API ofdm_lmmse
    : public described<ofdm_lmmse, ofdm_lmmse_parameters, ofdm_detector>
{
public:
    typedef std::shared_ptr<ofdm_lmmse> sptr;

    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit ofdm_lmmse(const ofdm_lmmse_parameters& parameters);
    ~ofdm_lmmse() override;

    bool takes_carriers() const override { return true; }

protected:
    ofdm_result do_receive(const ofdm_frame& frame) override;
    const constellation_points& do_constellation() const override
    {
        return parameters().constellation;
    }

private:
    kernel::carrier_channel_estimator&
    estimator(const std::shared_ptr<const pilot_pattern>& pilots, Eigen::Index longest);

    // of the known carriers of the last frame
    std::unique_ptr<kernel::carrier_channel_estimator> d_estimator;
    std::shared_ptr<const pilot_pattern> d_estimated;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_LMMSE_H */
