/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// The blocks around the equalizer: samples and tags of any kind to frame search, gate, error meter, phase
// loop and the packet receivers. What they count fits together.

#include "flowgraph.h"
#include <gnuradio/reservoir/fir.h>
#include <gnuradio/reservoir/frame_gate.h>
#include <gnuradio/reservoir/frame_source.h>
#include <gnuradio/reservoir/frame_sync.h>
#include <gnuradio/reservoir/packet_decoder.h>
#include <gnuradio/reservoir/packet_receiver.h>
#include <gnuradio/reservoir/phase_loop_cc.h>
#include <gnuradio/reservoir/symbol_error_meter.h>

using namespace gr::reservoir;

namespace {

const std::string KEY = "training_start";

traffic any_traffic(fuzz_input& input, size_t most)
{
    const size_t count = input.integer(0, most);
    traffic given;
    given.samples = input.sample_rows(1, count);
    given.tags = tags_from(input, { KEY, "rx_time", "rx_rate" }, count);
    return given;
}

void run_packet_decoder(fuzz_input& input)
{
    const auto block = packet_decoder::make(gr::digital::constellation_qpsk::make(),
                                            int(input.integer(0, 10)),
                                            int(input.integer(40, 80)),
                                            input.one_of<std::string>({ "none", "cc" }),
                                            KEY);
    run_block(block, any_traffic(input, 300), int(input.integer(1, 100)));
    expect(block->frames() == block->packets() + block->crc_failures(),
           "each frame has a packet or a wrong CRC");
}

void run_packet_receiver(fuzz_input& input)
{
    const auto receiver = coded_receiver::make(
        fir::make(4, 2),
        packet_format(
            gr::digital::constellation_qpsk::make(), int(input.integer(80, 100)), "cc"),
        int(input.integer(0, 1)));
    const auto block = packet_receiver::make(
        receiver, 1, input.pilots(1, 1 + size_t(input.integer(0, 20)))[0], KEY);
    run_block(block, any_traffic(input, 400), int(input.integer(1, 100)));
    expect(block->frames() == block->packets() + block->crc_failures(),
           "each frame has a packet or a wrong CRC");
}

void run_gate(fuzz_input& input)
{
    const int length = int(input.integer(1, 60));
    const auto block =
        frame_gate::make(length, KEY, int(input.integer(1, 4)), input.flag());
    const auto passed =
        run_block(block, any_traffic(input, 300), int(input.integer(1, 100)));
    expect(passed.items[0].size() == block->passed() * length * sizeof(gr_complex),
           "whole frames pass");
}

void run_meter(fuzz_input& input)
{
    const auto qpsk = gr::digital::constellation_qpsk::make();
    const auto source = frame_source::make(
        qpsk, input.pilots(1, size_t(input.integer(1, 6)))[0], int(input.integer(1, 20)));
    const auto block =
        symbol_error_meter::make(qpsk, source, int(input.integer(0, 2)), KEY);
    run_block(block, any_traffic(input, 300), int(input.integer(1, 100)));
    expect(block->symbol_errors() <= block->total_symbols(), "errors are of symbols");
}

void run_phase_loop(fuzz_input& input)
{
    const auto block =
        phase_loop_cc::make(gr::digital::constellation_qpsk::make(), input.real(), KEY);
    run_block(block, any_traffic(input, 300), int(input.integer(1, 100)));
}

void run_frame_sync(fuzz_input& input)
{
    const auto block = frame_sync::make(int(input.integer(1, 5)),
                                        input.integer(0, 10) / 10.0,
                                        input.integer(0, 10) / 10.0,
                                        input.integer(0, 5) / 10.0);
    run_block(block, any_traffic(input, 4000), int(input.integer(1, 2000)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size)
{
    static constexpr void (*TRIES[])(
        fuzz_input&) = { run_packet_decoder, run_packet_receiver, run_gate,
                         run_meter,          run_phase_loop,      run_frame_sync };
    fuzz_input input(bytes, size);
    refused_or_done([&] { TRIES[input.byte() % 6](input); });
    return 0;
}
