/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/ofdm_frame_pattern.h"

#include "check.h"
#include <algorithm>
#include <string>

namespace gr {
namespace reservoir {

namespace {

// Whether some carrier is known on every stream, and not zero on all: a detector can be trained.
bool trains(const known_carriers& known)
{
    for (size_t i = 0; i < known.values[0].size(); i++) {
        const bool all_known = std::all_of(known.known.begin(),
                                           known.known.end(),
                                           [i](const auto& row) { return row[i] != 0; });
        const bool some_used =
            std::any_of(known.values.begin(), known.values.end(), [i](const auto& row) {
                return row[i] != gr_complex(0);
            });
        if (all_known && some_used)
            return true;
    }
    return false;
}

std::string text(const std::vector<int>& values)
{
    std::string list;
    for (const int value : values)
        list += (list.empty() ? "" : ", ") + std::to_string(value);
    return "[" + list + "]";
}

void require_same(const char* name, int value, int of_detector)
{
    require(value == of_detector,
            name,
            value,
            ("that of the detector, " + std::to_string(of_detector)).c_str());
}

} // namespace

ofdm_frame_pattern::ofdm_frame_pattern(const ofdm_detector& detector,
                                       const ofdm_grid& grid)
    : d_grid(grid), d_fft_len(grid.fft_len()), d_in_front(grid.num_sync_words())
{
    require_same("grid fft_len", grid.fft_len(), detector.fft_len());
    require_same("grid num_tx", grid.num_tx(), detector.num_tx());
    require(grid.cp_len() == detector.cp_len(),
            "grid cp_len",
            text(grid.cp_len()),
            ("that of the detector, " + text(detector.cp_len())).c_str());
}

ofdm_frame_pattern::ofdm_frame_pattern(const ofdm_detector& detector,
                                       const stream_matrix& pilots)
    : d_pilots(pilots), d_fft_len(detector.fft_len())
{
    require(
        pilots.size() == size_t(detector.num_tx()),
        "pilots",
        "those of " + std::to_string(pilots.size()) + " streams",
        ("those of num_tx = " + std::to_string(detector.num_tx()) + " streams").c_str());
    d_in_front = int(pilots[0].size()) / d_fft_len;
    known_carriers::from_pilots(
        pilots, d_fft_len, d_in_front); // refuses what does not fit
}

std::shared_ptr<const ofdm_frame_pattern::contents>
ofdm_frame_pattern::of(int num_symbols)
{
    if (d_last && d_last->known.num_symbols == num_symbols)
        return d_last;
    const std::shared_ptr<const contents> made = make(num_symbols);
    if (made)
        d_last = made;
    return made;
}

std::shared_ptr<const ofdm_frame_pattern::contents>
ofdm_frame_pattern::make(int num_symbols) const
{
    if (num_symbols <= d_in_front)
        return nullptr;
    auto found = std::make_shared<contents>();
    found->known = d_grid ? d_grid->known(num_symbols)
                          : known_carriers::from_pilots(d_pilots, d_fft_len, num_symbols);
    found->data = found->known.data_symbols();
    return found->data.empty() || !trains(found->known) ? nullptr : found;
}

} // namespace reservoir
} // namespace gr
