/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_BURST_DETECTOR_H
#define INCLUDED_RESERVOIR_KERNEL_BURST_DETECTOR_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <complex>
#include <cstdint>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief The preamble of a burst: a maximum-length sequence of 31 signs, four times, the third
 * time negated. 124 symbols of ±1.
 */
RESERVOIR_API std::vector<std::complex<float>> burst_preamble();

struct burst_detector_settings {
    int sps = 2;                    // samples per symbol, 2 to 16
    double excess_bandwidth = 0.25; // of the root-raised-cosine pulse, above 0, at most 1
    double threshold = 0.2;         // on the repetition metric, above 0 and below 1
    double max_frequency_offset = 0.05; // cycles/sample
};

//! A preamble that was found.
struct detected_burst {
    //! sample at the instant of the first symbol, strongest path
    uint64_t start;
    double frequency_offset; //!< cycles/sample
    //! mean symbol energy over noise density Es/N0, all paths, dB
    double snr_db;
    double amplitude; //!< rms of the preamble's samples without noise
    //! share of the energy that the strongest path explains, 0 to 1
    double peak;
};

/*!
 * \brief Finds preambles at any level and carrier offset, and says when, how far off and how strong.
 *
 * First the preamble's repetition: |P|²/R² with P the sum of products of samples one period apart,
 * their signs those of the preamble, and R their energy (Schmidl and Cox, 1997; with signs Minn,
 * Zeng and Bhargava, 2000). It depends on neither level, phase, carrier offset nor multipath, and
 * its maximum is within some samples of the burst. Then, at each carrier offset that its phase
 * leaves possible, the correlation with the preamble itself; and least squares on the paths at symbol
 * spacing around its peak, of which the strongest counts. The offset comes from products one, two
 * and three periods apart.
 *
 * At least two periods of samples follow a preamble. Two bursts less than 3 periods apart count as
 * one. Noise exceeds the default threshold less than once in 1e12 samples; random symbols do more
 * often, but do not pass the second step.
 *
 * Some operations per sample, and some 1e5 per burst, most of them in SIMD loops. Results do not depend on how samples are cut.
 */
class RESERVOIR_API burst_detector
{
public:
    //! \throws std::invalid_argument naming the setting, its value and its range
    explicit burst_detector(const burst_detector_settings& settings);

    //! Samples that are not finite count as zero.
    void push(const std::complex<float>* samples, size_t count);
    //! No more samples will come: decides what is undecided.
    void finish();
    //! Every burst that starts before this sample has been found.
    uint64_t decided() const;
    //! Bursts since the last call, in order.
    std::vector<detected_burst> take();

    //! Samples from the first preamble symbol to the symbol after the preamble.
    int preamble_length() const { return 4 * d_period; }
    uint64_t bad_samples() const { return d_bad_samples; }

private:
    typedef std::complex<double> cdouble;
    typedef std::complex<float> cfloat;
    struct candidate {
        uint64_t place;
        double metric;
        cdouble sum;
    };
    struct correlation {
        int64_t start;
        double frequency;
        double peak;
    };

    void advance(uint64_t place);
    void sum_up(const double* power, const std::complex<double>* product);
    void evaluate(uint64_t place);
    void examine(const candidate& found);
    correlation correlate(const candidate& found) const;
    int strongest_path(int64_t coarse, double frequency) const;
    double refined(const std::vector<cfloat>& preamble, double frequency) const;
    cdouble product_sum(const std::vector<cfloat>& preamble, int periods) const;
    //! Samples from the first on, zeros where there are none.
    std::vector<cfloat> part(int64_t first, size_t count) const;
    void prepare_paths(const Eigen::VectorXf& waveform);
    void discard();

    const burst_detector_settings d_settings;
    const int d_period;         // samples
    Eigen::VectorXf d_sequence; // one period, shaped
    // that period turned by whole turns, from the lowest possible offset to the highest
    std::vector<std::vector<cdouble>> d_turned;
    /*
     * With P the preamble as it comes by each path and P^T P = L L^T, by fractions of a sample: L, and
     * L^-1 P^T by columns of padded rows. z = L^-1 P^T r explains |z|^2 of r's energy by paths L^-T z.
     */
    std::vector<Eigen::MatrixXd> d_factors;
    std::vector<std::vector<float>> d_projections;

    // from d_begin on: r[n], |r[n]|^2, and conj(r[n]) r[n + period] as far as that is there
    std::vector<cfloat> d_samples;
    std::vector<double> d_powers;
    std::vector<cdouble> d_products;
    uint64_t d_begin = 0;
    uint64_t d_end = 0;
    uint64_t d_bad_samples = 0;

    // over the windows that start at d_next - 1
    uint64_t d_next = 0;
    cdouble d_sums[3];
    double d_energy_first = 0.0, d_energy_last = 0.0;

    bool d_pending = false;
    candidate d_best;
    uint64_t d_dead_until = 0; // no candidates before this place
    std::vector<detected_burst> d_found;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_BURST_DETECTOR_H */
