/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Messages: dictionaries, pairs and anything else on the ports "command" and "pdus", while samples come.

#include "flowgraph.h"
#include <gnuradio/reservoir/equalizer.h>
#include <gnuradio/reservoir/ofdm_equalizer.h>
#include <gnuradio/reservoir/packet_encoder.h>

using namespace gr::reservoir;

namespace {

const std::vector<std::string> COMMANDS = {
    "freeze",           "reset",   "training_sequence",
    "num_data_symbols", "channel", "power_delay_profile"
};

pmt::pmt_t message(fuzz_input& input)
{
    if (input.seldom())
        return input.value();
    if (input.flag())
        return pmt::cons(pmt::mp(input.one_of(COMMANDS)), input.value());
    pmt::pmt_t dict = pmt::make_dict();
    for (int entries = input.byte() % 4; entries > 0; entries--)
        dict = pmt::dict_add(dict,
                             input.seldom() ? input.value()
                                            : pmt::mp(input.one_of(COMMANDS)),
                             input.value());
    return dict;
}

traffic commands(fuzz_input& input, size_t num_inputs)
{
    traffic given;
    const size_t count = input.integer(0, 200);
    given.samples = input.sample_rows(num_inputs, count);
    given.tags = tags_from(input, { "corr_est", "rx_time" }, count);
    for (int messages = int(input.integer(1, 5)); messages > 0; messages--)
        given.messages.emplace_back("command", message(input));
    return given;
}

void command_equalizer(fuzz_input& input)
{
    const auto trained = make_symbol_detector(input);
    if (!trained)
        return;
    equalizer::sptr block;
    refused_or_done([&] {
        block = equalizer::make(trained,
                                1,
                                input.pilots(trained->num_outputs(), 12),
                                "corr_est",
                                input.flag() ? 20 : 0);
    });
    if (!block)
        return;
    run_block(block, commands(input, trained->num_inputs()), int(input.integer(1, 100)));
    // whatever was asked for, the next run with usual samples is one
    const clean_frame clean(*trained);
    traffic usual;
    usual.samples = clean.received;
    run_block(block, usual, 1000);
}

void command_ofdm_equalizer(fuzz_input& input)
{
    const auto trained = std::dynamic_pointer_cast<ofdm_detector>(
        make_detector(input, ofdm_detector_kinds()));
    if (!trained)
        return;
    ofdm_equalizer::sptr block;
    refused_or_done([&] {
        block = ofdm_equalizer::make(
            trained,
            input.pilots(trained->num_tx(), size_t(trained->fft_len())),
            int(input.integer(1, 3)),
            "corr_est");
    });
    if (block)
        run_block(block, commands(input, trained->num_rx()), int(input.integer(1, 100)));
}

void send_pdus(fuzz_input& input)
{
    const auto block = packet_encoder::make(gr::digital::constellation_qpsk::make(),
                                            std::vector<gr_complex>(8, 1.0F),
                                            int(input.integer(40, 200)),
                                            "none",
                                            int(input.integer(0, 20)),
                                            false,
                                            int(input.integer(1, 4)));
    traffic given;
    for (int messages = int(input.integer(1, 6)); messages > 0; messages--)
        given.messages.emplace_back(
            "pdus",
            input.flag() ? input.value()
                         : pmt::cons(pmt::PMT_NIL, pmt::make_u8vector(input.byte(), 3)));
    given.messages.emplace_back("pdus", pmt::PMT_EOF);
    const auto sent = run_block(block, given, int(input.integer(1, 2000)));
    expect(block->packets() + block->refused() + block->dropped() < given.messages.size(),
           "a message is one packet at most");
    expect(sent.items[0].empty() == (block->packets() == 0), "packets have symbols");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size)
{
    fuzz_input input(bytes, size);
    switch (input.byte() % 4) {
    case 0:
        command_ofdm_equalizer(input);
        break;
    case 1:
        send_pdus(input);
        break;
    default:
        command_equalizer(input);
    }
    return 0;
}
