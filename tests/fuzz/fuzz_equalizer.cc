/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// The equalizer blocks: any detector and settings, tags of any type anywhere. However the stream is cut,
// the same bytes and tags come out.

#include "flowgraph.h"
#include <gnuradio/reservoir/equalizer.h>
#include <gnuradio/reservoir/ofdm_equalizer.h>
#include <limits>

using namespace gr::reservoir;

namespace {

gr::basic_block_sptr make_equalizer(fuzz_input& input)
{
    const auto trained = make_symbol_detector(input);
    if (!trained)
        return nullptr;
    auto pilots =
        input.pilots(input.seldom() ? input.integer(0, 3) : trained->num_outputs(),
                     input.integer(0, 30));
    const int sps = int(input.integer(0, 3));
    const int payload_len = int(input.integer(-1, 40));
    const int tag_at = input.seldom() ? int(input.integer(-1, 60)) : 0;
    const bool soft = input.seldom(), history = input.seldom();
    const int workers = input.seldom() ? int(input.integer(0, 3)) : 1;
    const int hurry = input.seldom() ? int(input.integer(-1, 100)) : 0;
    if (!input.seldom())
        return equalizer::make(trained,
                               sps,
                               pilots,
                               "corr_est",
                               payload_len,
                               input.seldom(),
                               input.constellation(),
                               false,
                               workers,
                               history,
                               hurry,
                               tag_at,
                               soft);
    const float none = std::numeric_limits<float>::quiet_NaN();
    for (auto& row : pilots)
        for (size_t k = 3; k < row.size(); k += 4)
            row[k] = { none, none };
    return equalizer::make(trained,
                           sps,
                           known_symbols(pilots, input.flag()),
                           "corr_est",
                           payload_len,
                           workers,
                           history,
                           hurry,
                           tag_at,
                           soft,
                           input.constellation());
}

gr::basic_block_sptr make_ofdm_equalizer(fuzz_input& input)
{
    const auto trained = std::dynamic_pointer_cast<ofdm_detector>(
        make_detector(input, ofdm_detector_kinds()));
    if (!trained)
        return nullptr;
    const int num_data_symbols = int(input.integer(0, 4));
    const int workers = input.seldom() ? int(input.integer(0, 3)) : 1;
    const std::string length_key = input.one_of<std::string>({ "frame_len", "" });
    if (input.flag())
        return ofdm_equalizer::make(
            trained,
            input.pilots(trained->num_tx(), size_t(trained->fft_len())),
            num_data_symbols,
            "corr_est",
            length_key,
            workers);
    const ofdm_grid grid(trained->fft_len(),
                         trained->cp_len(),
                         trained->num_tx(),
                         { { -2, -1, 2, 3 } },
                         { { 1, 4 } },
                         { input.pilots(1, 2) });
    return ofdm_equalizer::make(
        trained, grid, num_data_symbols, "corr_est", length_key, workers);
}

gr::basic_block_sptr make_block(fuzz_input& input)
{
    gr::basic_block_sptr made;
    refused_or_done([&] {
        made = input.byte() % 4 == 0 ? make_ofdm_equalizer(input) : make_equalizer(input);
    });
    return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size)
{
    fuzz_input input(bytes, size);
    fuzz_input again = input;
    const auto block = make_block(input);
    if (!block)
        return 0;
    const size_t count = input.integer(0, 300);
    traffic given;
    given.samples = input.sample_rows(block->input_signature()->min_streams(), count);
    given.tags =
        tags_from(input, { "corr_est", "rx_time", "ofdm_sync_carr_offset" }, count);
    if (input.flag() && given.samples.size() > 1)
        given.samples[1].resize(input.integer(0, count)); // one input ends before
    const outcome one = run_block(block, given, int(input.integer(1, 40)));
    const outcome other = run_block(make_block(again), given, 100000);
    expect(one.items == other.items, "symbols do not depend on how the stream is cut");
    expect(one.tags == other.tags, "tags do not depend on how the stream is cut");
    return 0;
}
