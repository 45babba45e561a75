/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_TOY_H
#define INCLUDED_RESERVOIR_TOY_H

#include <gnuradio/reservoir/described.h>
#include <gnuradio/reservoir/detector.h>

namespace gr {
namespace reservoir {

struct RESERVOIR_API toy_parameters {
    static constexpr about_kind ABOUT = {
        "toy",
        "One Tap",
        "",
        "automatic gain control, flat fading",
        "One complex gain per frame, by least squares on the training sequence.",
        "For channels without echoes.",
        "Echoes remain as they are."
    };

    double leakage = 0.0;
    std::string phase = "corrected";
    bool conjugate = false;
    int num_inputs = 1;
    int num_outputs = 1;

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        visit(self.leakage,
              parameter("leakage", "how much the gain is drawn to zero")
                  .within(0, 1)
                  .on("Gain"));
        visit(self.phase,
              parameter("phase", "what the gain does to it")
                  .one_of(parameter::word{ "corrected", "Corrected" },
                          parameter::word{ "kept", "Kept" })
                  .on("Gain"));
        visit(self.conjugate,
              parameter("conjugate", "whether the spectrum was mirrored")
                  .on("Gain")
                  .shown_when("phase == 'corrected'")
                  .seldom());
        visit(self.num_inputs, NUM_INPUTS.within(1, 1));
        visit(self.num_outputs, NUM_OUTPUTS.within(1, 1));
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        rule(phase != "kept" || !conjugate,
             "conjugate",
             "False where the phase is kept",
             "phase != 'kept' or not conjugate");
    }
};

/*!
 * \brief One complex gain: the least that a detector can be.
 */
class RESERVOIR_API toy : public described<toy, toy_parameters, detector>
{
public:
    typedef std::shared_ptr<toy> sptr;

    explicit toy(const toy_parameters& parameters);
    static sptr make(double leakage = 0.0,
                     const std::string& phase = "corrected",
                     bool conjugate = false,
                     int num_inputs = 1,
                     int num_outputs = 1);

    gr_complex gain() const { return d_gain; }

protected:
    int do_look_ahead() const override { return 0; }
    uint64_t do_bad_samples() const override { return d_bad_samples; }
    void do_reset() override { d_until_symbol = 0; }
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    size_t do_detect(const gr_complex* const* received,
                     size_t num_samples,
                     gr_complex* const* symbols) override;
    pmt::pmt_t do_save() const override;
    void do_restore(const pmt::pmt_t& saved) override;
    void do_adopt(const trainable& trained) override;

private:
    gr_complex sample(gr_complex received) const;

    gr_complex d_gain = 1.0f;
    size_t d_until_symbol = 0; // samples
    uint64_t d_bad_samples = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_TOY_H */
