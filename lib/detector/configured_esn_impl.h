/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_ESN_IMPL_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_ESN_IMPL_H

#include "detector/configured/receiver.h"
#include <gnuradio/reservoir/configured_esn.h>
#include <gnuradio/reservoir/kernel/survivor_search.h>
#include <memory>

namespace gr {
namespace reservoir {

struct configured_parameters {
    std::vector<gr_complex> points; // of the constellation, as given
    std::vector<int> labels;
    int channel_len;
    bool feedback;
    int survivors;
    int refits;
    double prior_weight;
    std::string poles;
    std::vector<double> power_delay_profile;
    int num_neurons;
    bool receiver_linearization;
    double max_frequency_offset;
    double phase_noise;
    std::string tracking;

    void check() const;
    pmt::pmt_t to_pmt() const;
    static configured_parameters from_pmt(const pmt::pmt_t& saved);
};

class configured_esn_impl : public configured_esn
{
public:
    configured_esn_impl(const configured_parameters& parameters,
                        int num_inputs,
                        int num_outputs);
    static sptr load(const pmt::pmt_t& saved);

    std::string kind() const override { return "configured_esn"; }
    std::vector<gr_complex> points() const override { return d_parameters.points; }
    std::vector<int> labels() const override { return d_parameters.labels; }
    stream_matrix filter() const override;
    int filter_start() const override { return d_past + d_timing; }
    std::vector<gr_complex> feedback_weights() const override { return d_model.feedback; }

protected:
    int do_look_ahead() const override;
    uint64_t do_bad_samples() const override { return d_bad_samples; }
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    size_t do_detect(const gr_complex* const* received,
                     size_t num_samples,
                     gr_complex* const* symbols) override;
    void do_receive(const gr_complex* const* received,
                    size_t num_samples,
                    const stream_matrix& pilots,
                    int sps,
                    size_t num_symbols,
                    gr_complex* const* symbols) override;
    void do_reset() override;
    detector::sptr do_clone() const override;
    void do_adopt(const detector& trained) override;
    pmt::pmt_t do_save() const override;
    void do_set_tracking(digital::constellation_sptr constellation) override;
    void do_set_channel(const stream_matrix& channel) override;
    void do_set_power_delay_profile(const std::vector<double>& powers) override;

private:
    //! Scales of this training, for both input and symbols.
    std::vector<std::complex<double>> prepare(const gr_complex* const* received,
                                              size_t num_samples,
                                              const stream_matrix& pilots,
                                              int sps);
    kernel::sample_streams split(const gr_complex* const* received,
                                 size_t num_samples) const;
    configured_settings settings() const;
    //! Takes over a readout for detect().
    void use(const configured_network& network, const configured_readout& readout);
    //! Symbols that detect holds back.
    int output_delay(int timing) const;
    training_report describe(const configured_readout& readout,
                             double noise_variance) const;
    //! The filter's outputs on the samples that start there.
    void filter_block(size_t start, size_t count, gr_complex* filtered);
    //! Returns the samples that every stream has; those that are not finite count as zero.
    size_t append(const gr_complex* const* received, size_t num_samples);
    //! What the readout makes of a pilot, those before it fed back.
    gr_complex pilot_output(gr_complex filtered);
    //! Decision of the symbol that lies DECISION_LAG before the last one that was searched.
    gr_complex traced_back();
    size_t detect_fixed(int64_t complete, gr_complex* symbols);
    size_t detect_tracked(int64_t complete, gr_complex* symbols);
    void track_block(int64_t first);

    const configured_parameters d_parameters;
    std::vector<double> d_power_delay_profile;
    stream_matrix d_known_channel; // as it was given

    // of the last training
    double d_input_gain = 1.0;
    double d_symbol_scale = 1.0; // rms of the points in the units of the pilots
    std::vector<gr_complex> d_unit_points;
    // carrier offset that is taken out of a stream, cycles/symbol
    double d_frequency = 0.0;
    int d_timing = 0;
    int d_past = 0;
    std::vector<std::vector<gr_complex>> d_filter; // one a stream, oldest sample first
    gr_complex d_gain = 1.0f;
    kernel::survivor_model d_model;
    std::vector<gr_complex> d_pilots; // unit power

    // of the stream
    // one a stream, from symbol d_first_symbol
    std::vector<std::vector<float>> d_re, d_im;
    std::vector<float> d_taps_re, d_taps_im; // of all streams
    std::vector<gr_complex> d_filtered, d_derotated;
    int64_t d_first_symbol = 0;
    uint64_t d_num_samples = 0; // an input, so far
    int64_t d_next = 0;         // symbol to be filtered
    uint64_t d_decided = 0;     // payload symbols given to the search
    uint64_t d_bad_samples = 0;
    std::unique_ptr<kernel::survivor_search> d_search;
    std::vector<gr_complex> d_last; // feedback.size() known symbols, newest first
    std::vector<gr_complex> d_pilot_output;
    std::vector<uint8_t> d_parents; // DECISION_LAG + 1 symbols, a ring
    std::vector<uint16_t> d_symbols;
    std::vector<uint16_t> d_path; // of the cheapest survivor, by the same rows

    // of a stream that is tracked
    bool d_track_next = false; // from the next training on
    bool d_tracking = false;
    std::unique_ptr<configured_network> d_network;
    std::unique_ptr<channel_tracker> d_tracker;
    known_symbols d_history; // from symbol d_history_first on
    Eigen::VectorXd d_phase; // of the carrier, likewise
    int64_t d_history_first = 0;
    int64_t d_tracked = 0;  // next symbol to be decided
    int64_t d_released = 0; // next symbol to be put out
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_ESN_IMPL_H */
