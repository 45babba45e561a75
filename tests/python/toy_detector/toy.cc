/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/toy.h>

#include "detector/saved_file.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <cmath>

namespace gr {
namespace reservoir {

toy::sptr toy::make(double leakage,
                    const std::string& phase,
                    bool conjugate,
                    int num_inputs,
                    int num_outputs)
{
    return std::make_shared<toy>(
        toy_parameters{ leakage, phase, conjugate, num_inputs, num_outputs });
}

toy::toy(const toy_parameters& parameters) : described(parameters) {}

gr_complex toy::sample(gr_complex received) const
{
    if (!std::isfinite(received.real()) || !std::isfinite(received.imag()))
        return 0.0f;
    return d_parameters.conjugate ? std::conj(received) : received;
}

training_report toy::do_fit(const gr_complex* const* received,
                            size_t,
                            const stream_matrix& pilots,
                            int sps)
{
    std::complex<double> cross = 0.0;
    double power = 0.0, sent = 0.0;
    for (size_t k = 0; k < pilots[0].size(); k++) {
        const std::complex<double> r = sample(received[0][k * sps]);
        cross += std::conj(r) * std::complex<double>(pilots[0][k]);
        power += std::norm(r);
        sent += std::norm(pilots[0][k]);
    }
    if (d_parameters.phase == "kept")
        cross = std::abs(cross);
    d_gain = power > 0.0 ? gr_complex(cross / (power * (1.0 + d_parameters.leakage)))
                         : gr_complex(0.0f);
    double error = 0.0;
    for (size_t k = 0; k < pilots[0].size(); k++)
        error += std::norm(d_gain * sample(received[0][k * sps]) - pilots[0][k]);
    training_report report;
    report.mse = error / pilots[0].size();
    report.evm_db = 10.0 * std::log10(error / sent);
    report.noise_variance = report.mse;
    do_reset();
    return report;
}

size_t toy::do_detect(const gr_complex* const* received,
                      size_t num_samples,
                      gr_complex* const* symbols)
{
    size_t count = 0;
    for (size_t n = 0; n < num_samples; n++) {
        const gr_complex given = received[0][n];
        d_bad_samples += !std::isfinite(given.real()) || !std::isfinite(given.imag());
        if (d_until_symbol == 0) {
            symbols[0][count++] = d_gain * sample(given);
            d_until_symbol = d_sps;
        }
        d_until_symbol--;
    }
    return count;
}

pmt::pmt_t toy::do_save() const
{
    return pmt::dict_add(pmt::make_dict(), pmt::mp("gain"), pmt::from_complex(d_gain));
}

void toy::do_restore(const pmt::pmt_t& saved)
{
    d_gain = gr_complex(pmt::to_complex(saved_entry(saved, "gain")));
    do_reset();
}

void toy::do_adopt(const trainable& trained)
{
    d_gain = dynamic_cast<const toy&>(trained).d_gain;
    do_reset();
}

detector_kind describe_toy() { return describe_kind<toy>(); }

} // namespace reservoir
} // namespace gr
