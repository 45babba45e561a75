/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/training_samples.h"

#include "detector/finite_values.h"
#include <gnuradio/reservoir/known_symbols.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

double unit_power_gain(const gr_complex* const* received, int num_inputs, size_t count)
{
    double power = 0.0;
    size_t finite = 0;
    for (int a = 0; a < num_inputs; a++) {
        for (size_t n = 0; n < count; n++) {
            if (has_finite_parts(received[a][n])) {
                power += std::norm(std::complex<double>(received[a][n]));
                finite++;
            }
        }
    }
    const double rms = finite > 0 ? std::sqrt(power / finite) : 0.0;
    return rms > 1e-30 ? 1.0 / rms : 1.0;
}

kernel::sample_streams phase_streams(const gr_complex* const* received,
                                     size_t num_samples,
                                     int num_inputs,
                                     int sps,
                                     double gain)
{
    const size_t symbols = (num_samples + sps - 1) / sps;
    kernel::sample_streams streams;
    for (int a = 0; a < num_inputs; a++) {
        for (int q = 0; q < sps; q++) {
            Eigen::VectorXcd stream = Eigen::VectorXcd::Zero(symbols);
            for (size_t n = q, k = 0; n < num_samples; n += sps, k++) {
                const gr_complex sample = received[a][n];
                if (has_finite_parts(sample))
                    stream(k) = gain * std::complex<double>(sample);
            }
            streams.push_back(stream);
        }
    }
    return streams;
}

std::vector<bool> symbols_in_gaps(const gr_complex* const* received,
                                  int num_inputs,
                                  size_t num_samples,
                                  int sps,
                                  size_t num_symbols)
{
    constexpr size_t LEAST = 16;
    std::vector<bool> found(num_symbols, false);
    size_t in_a_row = 0;
    for (size_t k = 0; k < num_symbols; k++) {
        const size_t first = k * sps, last = std::min(first + sps, num_samples);
        bool nothing = true;
        for (int a = 0; a < num_inputs && nothing; a++)
            nothing = std::all_of(received[a] + first, received[a] + last, is_nothing);
        in_a_row = nothing ? in_a_row + 1 : 0;
        if (in_a_row == LEAST)
            std::fill_n(found.begin() + (k + 1 - LEAST), LEAST, true);
        found[k] = in_a_row >= LEAST;
    }
    return found;
}

void multiply_rows(stream_matrix& filter,
                   const std::vector<std::complex<double>>& factors,
                   int phases)
{
    for (size_t row = 0; !factors.empty() && row < filter.size(); row++)
        for (gr_complex& tap : filter[row])
            tap *= gr_complex(factors[row / phases % factors.size()]);
}

Eigen::MatrixXcd to_columns(const stream_matrix& rows)
{
    Eigen::MatrixXcd columns(rows[0].size(), rows.size());
    for (size_t o = 0; o < rows.size(); o++)
        for (size_t k = 0; k < rows[o].size(); k++)
            columns(k, o) = rows[o][k];
    return columns;
}

std::vector<Eigen::Index> known_positions(const stream_matrix& pilots)
{
    std::vector<Eigen::Index> positions;
    for (size_t k = 0; k < pilots[0].size(); k++)
        if (is_known(pilots[0][k]))
            positions.push_back(k);
    return positions;
}

stream_matrix to_rows(const Eigen::MatrixXcf& matrix)
{
    stream_matrix rows;
    for (const auto row : matrix.rowwise())
        rows.emplace_back(row.begin(), row.end());
    return rows;
}

Eigen::MatrixXcf to_matrix(const stream_matrix& rows)
{
    Eigen::MatrixXcf matrix(rows.size(), rows.empty() ? 0 : rows[0].size());
    for (size_t i = 0; i < rows.size(); i++)
        matrix.row(i) =
            Eigen::Map<const Eigen::RowVectorXcf>(rows[i].data(), matrix.cols());
    return matrix;
}

Eigen::VectorXcd output_gain(const Eigen::MatrixXcd& estimates,
                             const Eigen::MatrixXcd& pilots)
{
    Eigen::VectorXcd gain(pilots.cols());
    for (Eigen::Index o = 0; o < pilots.cols(); o++) {
        const double power = pilots.col(o).squaredNorm();
        gain(o) = power > 0.0 ? pilots.col(o).dot(estimates.col(o)) / power : 1.0;
        if (!(std::abs(gain(o)) > 0.05))
            gain(o) = 1.0;
    }
    return gain;
}

void describe_errors(const Eigen::MatrixXcd& estimates,
                     const Eigen::MatrixXcd& targets,
                     const Eigen::VectorXcd& gain,
                     double total,
                     training_report& report)
{
    const Eigen::MatrixXcd unbiased = estimates * gain.cwiseInverse().asDiagonal();
    const double power = targets.squaredNorm() / total;
    report.mse = (estimates - targets).squaredNorm() / total;
    report.noise_variance = (unbiased - targets).squaredNorm() / total;
    report.noise_variances.clear();
    for (Eigen::Index o = 0; o < targets.cols(); o++)
        report.noise_variances.push_back(
            (unbiased.col(o) - targets.col(o)).squaredNorm() * targets.cols() / total);
    report.evm_db = 10.0 * std::log10(std::max(report.noise_variance, 1e-30) /
                                      std::max(power, 1e-30));
}

void read_symbols(kernel::tapped_delay_window& window,
                  const gr_complex* const* received,
                  size_t num_samples,
                  size_t rows,
                  const std::function<void(size_t, size_t)>& visit)
{
    const size_t total = (rows - 1) * window.sps() + 1;
    const size_t given = std::min(num_samples, total);
    size_t row = 0;
    for (size_t written = 0; written < total;) {
        written += written < given ? window.write(received, written, given - written)
                                   : window.write(nullptr, 0, total - written);
        for (size_t n = 0; n < window.symbols(); n++, row++)
            visit(n, row);
        window.discard();
    }
}

namespace {

// place(position in the window's order, position in the user's)
template <class Place>
void each_tap(const kernel::tapped_delay_window& window, Place place)
{
    const int length = window.window();
    for (int b = 0; b < window.num_branches(); b++)
        for (int age = 0; age < length; age++)
            place(b * length + length - 1 - age, window.tap_index(b, age));
}

} // namespace

Eigen::MatrixXcf to_window_order(const Eigen::MatrixXcf& weights,
                                 const kernel::tapped_delay_window& window)
{
    Eigen::MatrixXcf ordered(weights.rows(), weights.cols());
    each_tap(window, [&](int tap, int user) { ordered.col(tap) = weights.col(user); });
    return ordered;
}

Eigen::MatrixXcf from_window_order(const Eigen::MatrixXcf& weights,
                                   const kernel::tapped_delay_window& window)
{
    Eigen::MatrixXcf ordered(weights.rows(), weights.cols());
    each_tap(window, [&](int tap, int user) { ordered.col(user) = weights.col(tap); });
    return ordered;
}

} // namespace reservoir
} // namespace gr
