/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Detectors: any parameters, pilots, frame lengths and samples. What comes out is finite, and a frame
// behind hostile ones is received as by a detector that has seen none of them.

#include "fuzz_input.h"

using namespace gr::reservoir;

namespace {

void stream(fuzz_input& input, detector& receiver)
{
    const int sps = int(input.integer(0, 3));
    const size_t num_pilots = input.integer(0, 40);
    const size_t count = input.integer(0, 160);
    refused_or_done([&] {
        receiver.fit(input.sample_rows(receiver.num_inputs(), count),
                     input.pilots(receiver.num_outputs(), num_pilots),
                     sps);
        for (int k = 0; k < 3; k++)
            expect(
                all_finite(receiver.detect(
                    input.sample_rows(receiver.num_inputs(), input.integer(0, 90)), sps)),
                "symbols of a stream are finite");
    });
}

void frame(fuzz_input& input, detector& receiver)
{
    const int sps = int(input.integer(0, 3));
    const size_t num_pilots = input.integer(0, 40);
    const size_t count = input.integer(0, 160);
    const int payload_len = int(input.integer(-2, 60));
    const stream_matrix received = input.sample_rows(receiver.num_inputs(), count);
    const stream_matrix pilots = input.pilots(receiver.num_outputs(), num_pilots);
    stream_matrix history;
    if (input.seldom())
        history = input.sample_rows(receiver.num_inputs(), input.integer(0, 60));
    const bool soft = input.flag();
    refused_or_done([&] {
        if (!soft) {
            const auto symbols =
                receiver.receive(received, pilots, sps, payload_len, history);
            expect(all_finite(symbols), "symbols of a frame are finite");
            return;
        }
        receiver.set_soft_output(input.constellation(), pilots);
        const auto found =
            receiver.receive_softly(received, pilots, sps, payload_len, history);
        expect(all_finite(found.symbols), "symbols of a frame are finite");
        for (const auto& row : found.llrs)
            for (const float ratio : row)
                expect(std::abs(ratio) <= detector::MAX_LLR, "ratios are limited");
    });
}

void command(fuzz_input& input, detector& receiver)
{
    const auto names = receiver.commands();
    if (names.empty())
        return;
    try {
        receiver.command(input.one_of(names), input.value());
    } catch (const std::exception& error) { // pmt has exceptions of its own
        expect_message(error);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size)
{
    fuzz_input input(bytes, size);
    const detector::sptr receiver = make_symbol_detector(input);
    if (!receiver)
        return 0;
    const auto untouched = receiver->clone();
    for (int steps = int(input.integer(1, 3)); steps > 0; steps--)
        input.flag() ? frame(input, *receiver) : stream(input, *receiver);
    const clean_frame clean(*receiver);
    expect(same_bits(clean.received_by(*receiver), clean.received_by(*untouched)),
           "what came before does not change a frame");
    command(input, *receiver);
    expect(all_finite(clean.received_by(*receiver)),
           "a frame behind a command is finite");
    return 0;
}
