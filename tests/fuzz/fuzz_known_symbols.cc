/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Known symbols anywhere in a frame: any pattern, several frames that follow one another.

#include "fuzz_input.h"
#include <gnuradio/reservoir/known_symbols.h>
#include <limits>
#include <memory>

using namespace gr::reservoir;

namespace {

stream_matrix with_gaps(fuzz_input& input, stream_matrix rows)
{
    const float none = std::numeric_limits<float>::quiet_NaN();
    const size_t length = rows.empty() ? 0 : rows[0].size();
    for (int gaps = int(input.integer(0, 4)); gaps > 0 && length > 0; gaps--) {
        const size_t first = input.integer(0, length - 1);
        const size_t last = std::min<size_t>(length, first + input.integer(1, 20));
        for (auto& row : rows) // seldom of one stream alone, which is refused
            if (!input.seldom())
                std::fill(
                    row.begin() + first, row.begin() + last, gr_complex(none, none));
    }
    return rows;
}

std::unique_ptr<known_symbols> make_pattern(fuzz_input& input, size_t rows)
{
    std::unique_ptr<known_symbols> made;
    const size_t length = input.integer(0, 60);
    const bool periodic = input.flag();
    refused_or_done([&] {
        if (input.seldom()) {
            std::vector<int> positions;
            for (size_t k = 0; k < length; k++)
                positions.push_back(int(input.integer(-1, 3)) +
                                    (positions.empty() ? 0 : positions.back()));
            made = std::make_unique<known_symbols>(positions, input.pilots(rows, length));
        } else {
            made = std::make_unique<known_symbols>(
                with_gaps(input, input.pilots(rows, length)), periodic);
        }
    });
    return made;
}

void check_lengths(fuzz_input& input, const known_symbols& pattern)
{
    expect(pattern.cut() < pattern.size(), "a period is cut inside");
    refused_or_done([&] {
        const size_t payload_len = input.integer(0, 200);
        const size_t length = pattern.length(payload_len);
        expect(length >= payload_len, "a frame holds its payload");
        expect(pattern.training(length)[0].size() <= length,
               "training lies in the frame");
        if (pattern.periodic())
            expect(pattern.from(input.integer(0, pattern.size() - 1)).size() ==
                       pattern.size(),
                   "a period keeps its length");
    });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size)
{
    fuzz_input input(bytes, size);
    const detector::sptr receiver = make_symbol_detector(input);
    if (!receiver)
        return 0;
    const auto untouched = receiver->clone();
    const auto pattern = make_pattern(input, receiver->num_outputs());
    if (!pattern)
        return 0;
    check_lengths(input, *pattern);
    const int sps = int(input.integer(1, 2));
    const int payload_len = int(input.integer(-1, 60));
    for (int frames = int(input.integer(1, 3)); frames > 0; frames--) {
        const auto received =
            input.sample_rows(receiver->num_inputs(), input.integer(0, 180));
        refused_or_done([&] {
            expect(all_finite(receiver->receive(received, *pattern, sps, payload_len)),
                   "symbols are finite");
        });
    }
    const clean_frame clean(*receiver);
    expect(same_bits(clean.received_by(*receiver), clean.received_by(*untouched)),
           "what came before does not change a frame");
    return 0;
}
