/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/ofdm_frame.h"

#include "detector/decision_device.h"
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

using Eigen::Index;

pilot_pattern::pilot_pattern(const known_carriers& given,
                             const constellation_points& data)
{
    const Index carriers = given.fft_len, symbols = given.num_symbols;
    double energy = 0.0, used = 0.0;
    kernel::carrier_mask some_used =
        kernel::carrier_mask::Constant(carriers, symbols, false);
    usable = !some_used;
    for (size_t j = 0; j < given.values.size(); j++) {
        const Eigen::Map<const Eigen::MatrixXcf> values(
            given.values[j].data(), carriers, symbols);
        const kernel::carrier_mask is_used =
            values.real().array() != 0.0f || values.imag().array() != 0.0f;
        masks.push_back(
            Eigen::Map<const Eigen::Array<char, Eigen::Dynamic, Eigen::Dynamic>>(
                given.known[j].data(), carriers, symbols) != 0);
        known.push_back(values.cast<std::complex<double>>());
        energy += known.back().squaredNorm();
        used += is_used.count();
        usable = usable && masks.back();
        some_used = some_used || is_used;
    }
    usable = usable && some_used;
    if (used == 0.0) {
        for (const gr_complex point : data.points)
            energy += std::norm(point);
        used = double(data.points.size());
    }
    known_scale = std::sqrt(energy / used);
    for (auto& values : known)
        values *= 1.0 / known_scale;
    find_data();
}

pilot_pattern::pilot_pattern(const pilot_pattern& other,
                             const kernel::carrier_mask& hidden)
    : known(other.known),
      masks(other.masks),
      usable(other.usable && !hidden),
      known_scale(other.known_scale)
{
    for (size_t j = 0; j < known.size(); j++) {
        masks[j] = masks[j] && !hidden;
        known[j] = masks[j].select(known[j], 0.0);
    }
    find_data();
}

void pilot_pattern::find_data()
{
    d_alike = std::all_of(masks.begin(), masks.end(), [this](const auto& mask) {
        return (mask == masks[0]).all();
    });
    for (Index n = 0; n < num_symbols(); n++) {
        Index count = 0; // of carriers before this one
        for (Index k = 0; k <= usable.rows(); k++) {
            const bool is_data =
                k < usable.rows() &&
                std::none_of(masks.begin(), masks.end(), [&](const auto& mask) {
                    return mask(k, n);
                });
            if (!is_data && count > 0)
                d_data.push_back({ n, k - count, count });
            count = is_data ? count + 1 : 0;
        }
    }
}

void ofdm_frame::set_received(kernel::carrier_streams carriers)
{
    d_received = std::move(carriers);
}

Index ofdm_frame::whole_symbols() const
{
    const std::vector<kernel::carrier_mask>& masks = pilots->masks;
    Index count = 0;
    while (count < num_symbols &&
           std::all_of(masks.begin(), masks.end(), [&](const auto& mask) {
               return mask.col(count).all();
           }))
        count++;
    return count;
}

Eigen::VectorXcd ofdm_frame::points(const constellation_points& constellation) const
{
    const double known_scale = pilots->known_scale;
    std::vector<gr_complex> values;
    for (const Eigen::MatrixXcd& stream : pilots->known)
        for (const std::complex<double> value : stream.reshaped())
            if (value != 0.0)
                values.emplace_back(value * known_scale);
    decision_device device(constellation.points);
    device.fit_scale(values);
    Eigen::VectorXcd scaled(device.points().size());
    for (Index k = 0; k < scaled.size(); k++)
        scaled(k) = std::complex<double>(device.points()[k]) / known_scale;
    return scaled;
}

kernel::sample_streams ofdm_frame::sent(const kernel::carrier_streams& symbols) const
{
    kernel::sample_streams out;
    for (const Eigen::MatrixXcd& stream : symbols)
        out.push_back(transform->samples(stream));
    return out;
}

kernel::carrier_streams ofdm_frame::carriers(const kernel::sample_streams& streams) const
{
    kernel::carrier_streams out;
    for (const Eigen::VectorXcd& stream : streams)
        out.push_back(transform->carriers(stream, num_symbols));
    return out;
}

} // namespace reservoir
} // namespace gr
