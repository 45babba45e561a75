/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_RCNET_H
#define INCLUDED_RESERVOIR_RCNET_H

#include <gnuradio/reservoir/ofdm_detector.h>
#include <algorithm>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! Detectors one after the other, as a parameter.
typedef std::vector<ofdm_detector::sptr> ofdm_stages;

template <>
struct parameter_type_of<ofdm_stages> {
    static constexpr parameter_type value = parameter_type::ofdm_detectors;
};

//! \name What a parameter of this type is checked and saved by, see parameter.h
//! \{
RESERVOIR_API void check_value(const parameter& about, const ofdm_stages& value);
RESERVOIR_API pmt::pmt_t value_to_pmt(const ofdm_stages& value);
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, ofdm_stages& value);
RESERVOIR_API std::string value_to_string(const ofdm_stages& value);
//! \}

//! \param description what ofdm_detector::description() gave. \throws std::runtime_error
RESERVOIR_API ofdm_detector::sptr ofdm_detector_from(const pmt::pmt_t& description);

struct RESERVOIR_API rcnet_parameters {
    static constexpr about_kind ABOUT = {
        "rcnet",
        "RCNet",
        "Neural Network",
        "OFDM, cascade of echo state networks, deep reservoir computing, MIMO",
        "Cascade of OFDM detectors: each stage sees the antennas and the samples that "
        "the stage before it makes of them. Without stages of its own it has two "
        "ofdm_esn, the second with a window of 8 samples, a delay of 4 and an input "
        "scaling of 0.5.",
        "For links on which ofdm_esn is good: two stages make up to 14 % fewer errors, "
        "most where pilots are few.\n\nReconstructed from Zhou et al. (RCNet, 2021), who "
        "published no code.",
        "Stages are copied. A later stage has num_rx + num_tx inputs. rcnet(stages) has "
        "the "
        "first one's fft_len, cp_len, num_rx and num_tx."
    };

    int fft_len = 64;
    std::vector<int> cp_len = { 16 };
    int num_rx = 1;
    int num_tx = 1;
    ofdm_stages stages;

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        visit(self.fft_len, OFDM_FFT_LEN);
        visit(self.cp_len, OFDM_CP_LEN);
        visit(self.num_rx, OFDM_NUM_RX);
        visit(self.num_tx, OFDM_NUM_TX);
        visit(self.stages,
              parameter("stages",
                        "list of OFDM detectors, of which the first has num_rx antennas, "
                        "each later one num_rx + num_tx; [] for two ofdm_esn")
                  .seldom());
    }

    //! The frame's shape is the first stage's, the default one without stages.
    static rcnet_parameters of(const ofdm_stages& stages);

    //! Whether this one can be the stage of that number.
    bool takes(const ofdm_detector& stage, size_t number) const
    {
        return stage.fft_len() == fft_len && stage.cp_len() == cp_len &&
               stage.num_rx() == (number == 0 ? num_rx : num_rx + num_tx) &&
               stage.num_tx() == num_tx;
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        ofdm_rules(*this, rule);
        rule(
            num_rx + num_tx <= 8, "num_tx", "at most 8 - num_rx", "num_rx + num_tx <= 8");
        bool all = true;
        for (size_t k = 0; k < stages.size(); k++)
            all = all && takes(*stages[k], k);
        rule(
            all,
            "stages",
            "of the same fft_len, cp_len and num_tx as the rcnet, the first with num_rx "
            "antennas, each later one with num_rx + num_tx",
            "all(stage.fft_len() == fft_len and list(stage.cp_len()) == list(cp_len) and "
            "stage.num_rx() == (num_rx + num_tx if k else num_rx) and "
            "stage.num_tx() == num_tx for k, stage in enumerate(stages))");
    }
};

/*!
 * \brief Cascade of OFDM detectors (RCNet of Zhou et al., IEEE Trans. Wireless Commun., 2021;
 * reconstructed, as no code was published).
 *
 * \details
 * The first stage receives the antennas' samples. Each later stage receives as many rows more as there
 * are streams: the samples that the stage before makes of the frame, with cyclic prefixes, at the
 * antennas' mean power. All are trained on the same known carriers; the last one's symbols come out.
 *
 * What a stage hands on are estimates where symbols are known, too; those that are known themselves
 * would teach the next stage to believe it blindly. An ofdm_esn hands on its output. For other
 * detectors the known carriers are received in two halves, each by what the other half teaches, and
 * symbols are modulated again: three receptions instead of one.
 *
 * What ofdm_esn does on carriers it does in every stage that is told to (correct_carriers, …). The report
 * is that of the last stage; of its channel, the rows of the antennas.
 */
class RESERVOIR_API rcnet : public described<rcnet, rcnet_parameters, ofdm_detector>
{
public:
    typedef std::shared_ptr<rcnet> sptr;

    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit rcnet(const rcnet_parameters& parameters);

protected:
    ofdm_result do_receive(const ofdm_frame& frame) override;
    const constellation_points& do_constellation() const override
    {
        return d_stages.back()->constellation();
    }

private:
    ofdm_stages d_stages; // copies
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_RCNET_H */
