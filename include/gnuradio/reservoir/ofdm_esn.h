/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_ESN_H
#define INCLUDED_RESERVOIR_OFDM_ESN_H

#include <gnuradio/reservoir/esn.h>
#include <gnuradio/reservoir/kernel/boundary_classifier.h>
#include <gnuradio/reservoir/ofdm_detector.h>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {

class sample_network;

struct RESERVOIR_API ofdm_esn_parameters {
    static constexpr about_kind ABOUT = {
        "ofdm_esn",
        "OFDM ESN",
        "Neural Network",
        "windowed echo state network, WESN, reservoir computing, MIMO",
        "Windowed echo state network for OFDM: a fixed random recurrent network turns "
        "the "
        "antennas' samples into those that were sent; only its readout is trained.",
        "For prefixes that are shorter than the channel, where it needs no model. It "
        "knows "
        "nothing of carriers, and with a long enough prefix ofdm_lmmse has fewer errors.",
        "A linear filter of the same window is about as good."
    };

    int fft_len = 64;
    std::vector<int> cp_len = { 16 };
    int num_rx = 1;
    int num_tx = 1;
    int num_neurons = 32;
    int window = 32;
    int delay = -1;
    double spectral_radius = 0.4;
    double input_scaling = 0.3;
    double regularization = -1.0;
    constellation_points constellation;
    int64_t seed = 1;
    int refits = 0;
    bool correct_carriers = false;
    bool attention = false;
    bool classifier = false;

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        visit(self.fft_len, OFDM_FFT_LEN);
        visit(self.cp_len, OFDM_CP_LEN);
        visit(self.num_rx, OFDM_NUM_RX);
        visit(self.num_tx, OFDM_NUM_TX);
        visit(self.num_neurons,
              parameter("num_neurons", "neurons of the network")
                  .within(1, 1024)
                  .labelled("Num. Neurons")
                  .on("Network"));
        visit(self.window,
              parameter("window", "what the network and the readout see of each antenna")
                  .within(2, 1024)
                  .in("samples")
                  .on("Network"));
        visit(self.delay,
              parameter("delay", "samples of the window that are later than the output")
                  .within(0, 1023)
                  .or_else(-1, "5/16 or half of the window, by cross-validation")
                  .in("samples")
                  .labelled("Decision Delay")
                  .on("Network"));
        visit(self.spectral_radius,
              parameter("spectral_radius",
                        "largest eigenvalue modulus of the recurrent weights")
                  .within(0, 2)
                  .on("Network")
                  .seldom());
        visit(self.input_scaling,
              parameter("input_scaling",
                        "norm of each neuron's input weights, for samples of unit power")
                  .within(0, 100)
                  .on("Network")
                  .seldom());
        visit(self.regularization,
              READOUT_REGULARIZATION.or_else(
                  -1, "the one with the least error by cross-validation"));
        visit(
            self.constellation,
            OFDM_CONSTELLATION.explained("of the data, for refits > 0 or a classifier"));
        visit(self.seed,
              SEED.explained("of the random weights; the same network on every machine"));
        visit(
            self.refits,
            parameter("refits",
                      "times that the readout is trained on the whole frame's decisions")
                .within(0, 16)
                .on("Network")
                .seldom());
        visit(self.correct_carriers,
              parameter(
                  "correct_carriers",
                  "on, what the network's output lacks on each carrier is added, by the "
                  "known carriers")
                  .labelled("Correct Carriers")
                  .on("Network")
                  .seldom());
        visit(self.attention,
              parameter("attention",
                        "on, how much a carrier's neighbours count for its correction is "
                        "trained, where that helps")
                  .labelled("Attention")
                  .on("Network")
                  .shown_when("correct_carriers")
                  .seldom());
        visit(self.classifier,
              parameter(
                  "classifier",
                  "on, a small network trained on the pilots decides, where it does so "
                  "better than the nearest point; a symbol that is decided otherwise "
                  "becomes the point")
                  .labelled("Classifier")
                  .on("Network")
                  .seldom());
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        ofdm_rules(*this, rule);
        rule(delay < window, "delay", "0 to window - 1, or -1", "delay < window");
        rule(!attention || correct_carriers,
             "attention",
             "off without correct_carriers",
             "not attention or correct_carriers");
        rule(!classifier || kernel::level_grid::of(constellation.points),
             "constellation",
             "levels that are equally far apart, such as QPSK and square QAM, for a "
             "classifier",
             "");
    }
};

/*!
 * \brief Windowed echo state network for OFDM (Zhou, Liu, Ekpo, Yi, 2020).
 *
 * \details
 * An esn of all antennas is trained on the samples of the OFDM symbols that are known on every carrier,
 * prefixes included; its outputs are the streams' samples, whose carriers are taken as usual. Where no
 * symbol is known as a whole (combs), it is trained on samples whose data carriers are removed, those
 * received and those sent.
 *
 * The network is run once over a frame, for every delay, training and output (kernel::frame_reservoir). The
 * readout is a ridge regression whose penalty on the states is ten times that on the window: a filter of
 * the window is nested in it. Delay and regularization have the least error by generalized
 * cross-validation (Golub, Heath and Wahba, 1979), which is leave-one-out with the same share for every
 * row, of the window's part alone where it has no fewer features than the network has neurons. With fewer
 * rows than features, or a regularization below 1e-7, it is kernel::ridge with leave-one-out.
 *
 * With N neurons, T taps of the windows, K samples that are known and S in all: S (N^2 + N log T)
 * products for the states, K N (N + T) and (N + T)^3 / 3 for a training.
 *
 * correct_carriers = True: a second stage on the carriers (kernel::fit_carrier_correction), which is left
 * out where the known symbols have no less error with it (they are those that the readout was trained on,
 * so it is kept too often); with attention = True its weights are trained
 * (kernel::fit_carrier_attention).
 *
 * classifier = True: decisions by a kernel::boundary_classifier where it is better on known symbols that
 * it was not trained on. Symbols for which it decides otherwise than the nearest point does become the
 * point that it decides for; all others stay as they are.
 *
 * refits = n: the readout is trained again on all samples, pilots and decisions, n times.
 */
class RESERVOIR_API ofdm_esn
    : public described<ofdm_esn, ofdm_esn_parameters, ofdm_detector>
{
public:
    typedef std::shared_ptr<ofdm_esn> sptr;

    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit ofdm_esn(const ofdm_esn_parameters& parameters);
    ~ofdm_esn() override;

protected:
    ofdm_result do_receive(const ofdm_frame& frame) override;
    const constellation_points& do_constellation() const override
    {
        return parameters().constellation;
    }

private:
    void take_outputs(const ofdm_frame& frame, ofdm_result& found) const;
    void classify(const ofdm_frame& frame, ofdm_result& found) const;

    std::unique_ptr<sample_network> d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_ESN_H */
