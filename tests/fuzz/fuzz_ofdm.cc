/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// OFDM: grids with any carriers, pilots and sync words; detectors of every kind on any samples and
// carriers. A frame behind hostile ones is received as if there had been none.

#include "fuzz_input.h"
#include <gnuradio/reservoir/ofdm_detector.h>
#include <gnuradio/reservoir/ofdm_grid.h>
#include <memory>

using namespace gr::reservoir;

namespace {

ofdm_grid::carrier_sets carrier_sets(fuzz_input& input, int fft_len)
{
    ofdm_grid::carrier_sets sets(input.integer(0, 3));
    for (auto& set : sets) {
        const int first = int(input.integer(-fft_len / 2 - 1, fft_len / 2));
        const int step = int(input.integer(0, 4)), count = int(input.integer(0, 12));
        for (int k = 0; k < count; k++)
            set.push_back(input.seldom() ? int(input.integer(-300, 300))
                                         : first + k * step);
    }
    return sets;
}

ofdm_grid::pilot_sets pilot_sets(fuzz_input& input, int num_tx, size_t length)
{
    ofdm_grid::pilot_sets sets(input.seldom() ? input.integer(0, 3) : num_tx);
    for (auto& set : sets)
        for (int k = int(input.integer(0, 2)); k > 0; k--)
            set.push_back(input.pilots(1, input.seldom() ? input.byte() : length)[0]);
    return sets;
}

std::unique_ptr<known_carriers> grid_carriers(fuzz_input& input, const ofdm_detector& one)
{
    const auto occupied = carrier_sets(input, one.fft_len());
    const auto pilots = carrier_sets(input, one.fft_len());
    const size_t num_pilots = pilots.empty() ? 0 : pilots[0].size();
    std::unique_ptr<known_carriers> known;
    refused_or_done([&] {
        const ofdm_grid grid(one.fft_len(),
                             one.cp_len(),
                             one.num_tx(),
                             occupied,
                             pilots,
                             pilot_sets(input, one.num_tx(), num_pilots),
                             pilot_sets(input, one.num_tx(), one.fft_len()),
                             int(input.integer(-1, 4)),
                             input.flag());
        known = std::make_unique<known_carriers>(grid.known(int(input.integer(0, 6))));
    });
    return known;
}

std::unique_ptr<known_carriers> pilot_carriers(fuzz_input& input,
                                               const ofdm_detector& one)
{
    std::unique_ptr<known_carriers> known;
    const size_t length =
        input.seldom() ? input.byte() : one.fft_len() * input.integer(0, 2);
    const auto rows = input.pilots(one.num_tx(), length);
    const int num_symbols = int(input.integer(-1, 6));
    refused_or_done([&] {
        known = std::make_unique<known_carriers>(
            known_carriers::from_pilots(rows, one.fft_len(), num_symbols));
    });
    return known;
}

void receive(fuzz_input& input, ofdm_detector& one, const known_carriers& known)
{
    const auto received = input.sample_rows(
        one.num_rx(),
        input.seldom() ? input.integer(0, 300) : one.samples_of(known.num_symbols));
    const bool soft = input.flag();
    refused_or_done([&] {
        if (!soft) {
            expect(all_finite(one.receive(received, known)), "carriers are finite");
            return;
        }
        const auto found = one.receive_softly(received, known);
        for (const auto& row : found.llrs)
            for (const float ratio : row)
                expect(std::abs(ratio) <= detector::MAX_LLR, "ratios are limited");
    });
}

void equalize(fuzz_input& input, ofdm_detector& one, const known_carriers& known)
{
    const auto carriers =
        input.sample_rows(one.num_rx(), one.fft_len() * input.integer(0, 4));
    stream_matrix taps;
    if (input.flag())
        taps = input.sample_rows(one.num_rx() * one.num_tx(), one.fft_len());
    refused_or_done([&] {
        if (input.flag() && !taps.empty())
            one.equalize(
                carriers,
                taps,
                known_carriers::from_taps(taps, one.num_tx(), int(input.integer(-1, 4))));
        else
            expect(all_finite(one.equalize(carriers, taps, known)),
                   "carriers are finite");
    });
}

stream_matrix clean_frame_by(ofdm_detector& one)
{
    const std::vector<uint8_t> plain(8, 3);
    fuzz_input input(plain.data(), plain.size());
    const auto known = known_carriers::from_pilots(
        input.pilots(one.num_tx(), size_t(one.fft_len())), one.fft_len(), 3);
    return one.receive(input.sample_rows(one.num_rx(), one.samples_of(3)), known);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size)
{
    fuzz_input input(bytes, size);
    const auto one = std::dynamic_pointer_cast<ofdm_detector>(
        make_detector(input, ofdm_detector_kinds()));
    if (!one)
        return 0;
    const auto untouched = one->clone();
    const auto known =
        input.flag() ? grid_carriers(input, *one) : pilot_carriers(input, *one);
    if (known)
        for (int frames = int(input.integer(1, 3)); frames > 0; frames--)
            input.seldom() ? equalize(input, *one, *known) : receive(input, *one, *known);
    refused_or_done([&] {
        expect(same_bits(clean_frame_by(*one), clean_frame_by(*untouched)),
               "what came before does not change a frame");
    });
    return 0;
}
