/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_STREAM_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_STREAM_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/kernel/survivor_search.h>
#include <cstdint>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {

//! What the readout makes of each symbol before it is decided, and its noise; unit power.
struct readout_output {
    gr_complex* symbols = nullptr; // null: not wanted
    float* variances = nullptr;
};

//! What a stream is detected with: the last training's scales, filter and feedback.
struct stream_readout {
    bool feedback = true;
    int num_inputs = 1;
    int sps = 1;
    double input_gain = 1.0;
    double symbol_scale = 1.0; // rms of the points in the units of the pilots
    double frequency = 0.0;    // carrier offset that is taken out, cycles/symbol
    int timing = 0;
    int past = 0; // samples before the symbol that the filter sees
    std::vector<std::vector<gr_complex>>
        filter; // one per antenna and phase, oldest sample first; of several streams, all of each
    gr_complex gain = 1.0f;
    float output_variance = 0.0f; // of the unbiased output around the symbol, unit power
    kernel::survivor_model model;
    std::vector<gr_complex> unit_points; // of the constellation
    std::vector<gr_complex> pilots;      // unit power

    //! Symbols that a stream with fixed weights holds back.
    int delay() const;
};

/*!
 * \brief A stream of samples from its first pilot on, and what the readout makes of the pilots:
 * what streams with fixed weights and streams that are tracked have in common.
 *
 * Samples before the first count as zero, as do those that are not finite.
 */
class configured_stream
{
public:
    //! Symbols that the channel may begin early.
    static constexpr int EARLIEST = 8;

    virtual ~configured_stream();
    configured_stream(const configured_stream&) = delete;
    configured_stream& operator=(const configured_stream&) = delete;

    //! Samples that were not finite since the last call.
    uint64_t take_bad_samples();

protected:
    static constexpr size_t FILTERED = 512; // symbols at once

    //! readout must outlive the stream.
    explicit configured_stream(const stream_readout& readout);

    //! Returns the symbols of which every sample is there.
    int64_t append(const gr_complex* const* received, size_t num_samples);
    //! The outputs for symbols first … of the filter, or of the one so many filters later.
    void filter(int64_t first, size_t count, gr_complex* filtered, size_t number = 0);
    //! Filters pilots up to symbol end; afterwards their outputs and the feedback are known.
    void filter_pilots(int64_t end);
    //! Symbols before this one will not be asked for again.
    void discard(int64_t before);
    //! Copies samples of antenna and phase q from symbol first on.
    void
    copy_samples(size_t q, int64_t first, size_t count, std::complex<double>* to) const;
    size_t num_streams() const { return d_re.size(); }
    int64_t num_pilots() const { return d_readout.pilots.size(); }

    const stream_readout& d_readout;
    int64_t d_next = 0; // symbol to be filtered
    std::vector<gr_complex> d_pilot_output;
    std::vector<gr_complex> d_last; // known symbols that are fed back, newest first

private:
    gr_complex pilot_output(gr_complex filtered);

    // one per antenna and phase, from symbol d_first on
    std::vector<std::vector<float>> d_re, d_im;
    std::vector<float> d_taps_re, d_taps_im; // of all of them
    std::vector<gr_complex> d_filtered, d_derotated;
    std::vector<const float*> d_rows_re, d_rows_im;
    int64_t d_first = 0;
    uint64_t d_num_samples = 0; // per input, so far
    uint64_t d_bad_samples = 0;
};

//! One stream of symbols.
class single_stream : public configured_stream
{
public:
    using configured_stream::configured_stream;

    //! Detects the symbols that follow. Returns how many came.
    virtual size_t detect(const gr_complex* const* received,
                          size_t num_samples,
                          gr_complex* symbols,
                          readout_output output) = 0;
};

/*!
 * \brief With the weights of the training: a filter, or a filter and a survivor search whose
 * decisions come with a fixed lag.
 */
class fixed_stream : public single_stream
{
public:
    explicit fixed_stream(const stream_readout& readout);
    ~fixed_stream() override;

    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  gr_complex* symbols,
                  readout_output output) override;

private:
    size_t search(int64_t end, gr_complex* symbols, readout_output output);
    //! Point of the symbol that lies DECISION_LAG before the last one that was searched.
    uint16_t traced_back();
    //! What the readout made of it, along the path that was traced back.
    gr_complex output_of(uint16_t decided);

    std::unique_ptr<kernel::survivor_search> d_search;
    uint64_t d_decided = 0; // payload symbols given to the search
    std::vector<gr_complex> d_filtered;
    std::vector<uint8_t> d_parents; // DECISION_LAG + 1 symbols, a ring
    std::vector<uint16_t> d_symbols;
    std::vector<uint16_t> d_path; // of the cheapest survivor, by the same rows
    // for output_of, by the same rows
    std::vector<gr_complex> d_inputs;
    std::vector<float> d_phases;
    float d_last_phase = 0.0f;          // of the symbol before
    std::vector<gr_complex> d_last_put; // symbols before, newest first
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_STREAM_H */
