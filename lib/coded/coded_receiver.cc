/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/coded_receiver.h>

#include "check.h"
#include "coded/joint_decoder.h"
#include "shell/finished_frame.h"
#include <algorithm>
#include <string>

namespace gr {
namespace reservoir {

coded_receiver::sptr coded_receiver::make(reservoir::detector::sptr detector,
                                          const packet_format& format,
                                          int iterations)
{
    return std::make_shared<coded_receiver>(detector, format, iterations);
}

coded_receiver::coded_receiver(reservoir::detector::sptr detector,
                               const packet_format& format,
                               int iterations)
    : d_detector(detector), d_format(format), d_iterations(iterations)
{
    require(bool(detector), "detector", "None", "a detector");
    require(detector->num_outputs() == 1,
            "detector",
            std::to_string(detector->num_outputs()) + " outputs",
            "of one output");
    require(format.code() != "none",
            "packet_format code",
            "'none'",
            "'cc' or 'ldpc:FILE': without a code nothing goes back to the equalizer");
    require_range("iterations", iterations, 0, MAX_ITERATIONS);
    detector->claim();
}

coded_receiver::~coded_receiver() = default;

void coded_receiver::claim()
{
    const std::lock_guard lock(d_mutex);
    require(!d_claimed,
            "receiver",
            "a coded_receiver of another block",
            "one that belongs to none");
    d_claimed = true;
}

int coded_receiver::symbols_after(const std::vector<gr_complex>& pilots) const
{
    const auto unknown = std::count_if(
        pilots.begin(), pilots.end(), [](gr_complex pilot) { return !is_known(pilot); });
    require(unknown <= d_format.payload_len(),
            "pilots",
            std::to_string(unknown) + " symbols that are not known",
            ("at most the packet's " + std::to_string(d_format.payload_len())).c_str());
    return d_format.payload_len() - int(unknown);
}

coded_receiver::result coded_receiver::receive(const stream_matrix& received,
                                               const std::vector<gr_complex>& pilots,
                                               int sps)
{
    const std::lock_guard lock(d_receiving);
    const stream_matrix known = { pilots };
    const int payload_len = symbols_after(pilots);
    std::vector<const gr_complex*> rows;
    for (const auto& row : received)
        rows.push_back(row.data());
    const auto receive_once = [&] {
        const stream_matrix symbols =
            d_detector->receive(received, known, sps, payload_len);
        const gr_complex* first = symbols[0].data();
        const size_t used =
            std::min(received[0].size(),
                     (symbols[0].size() + reservoir::detector::LOOK_AHEAD) * sps);
        const training_report report = d_detector->report();
        return finish({ rows.data(),
                        d_detector->num_inputs(),
                        used,
                        sps,
                        known,
                        &first,
                        symbols[0].size(),
                        report });
    };
    // most packets need no refits
    return receive_until_enough(
        *d_detector, receive_once, [](const result& found) { return !found.packet; });
}

coded_receiver::result coded_receiver::finish(const finished_frame& frame)
{
    std::unique_ptr<joint_decoder> decoder;
    {
        const std::lock_guard lock(d_mutex);
        if (!d_idle.empty()) {
            decoder = std::move(d_idle.back());
            d_idle.pop_back();
        }
    }
    if (!decoder)
        decoder = std::make_unique<joint_decoder>(d_format, d_iterations);
    const result found = decoder->decode(frame);
    const std::lock_guard lock(d_mutex);
    d_idle.push_back(std::move(decoder));
    return found;
}

} // namespace reservoir
} // namespace gr
