/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/ofdm_frame.h"

#include "detector/decision_device.h"
#include <algorithm>

namespace gr {
namespace reservoir {

using Eigen::Index;

Index ofdm_frame::whole_symbols() const
{
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
    std::vector<gr_complex> pilots;
    for (const Eigen::MatrixXcd& stream : known)
        for (const std::complex<double> value : stream.reshaped())
            if (value != 0.0)
                pilots.emplace_back(value * known_scale);
    decision_device device(constellation.points);
    device.fit_scale(pilots);
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
