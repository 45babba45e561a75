/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Packets: formats, symbols and ratios from the air, parity-check matrices, numbers that count.

#include "fuzz_input.h"
#include <gnuradio/reservoir/coded_receiver.h>
#include <gnuradio/reservoir/fir.h>
#include <gnuradio/reservoir/packet_format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmath>
#include <fstream>
#include <memory>

using namespace gr::reservoir;

namespace {

//! An alist file with any content; removed at the end.
class alist
{
public:
    alist() : d_descriptor(memfd_create("code", 0)) {}
    ~alist() { close(d_descriptor); }
    std::string code(const std::string& content) const
    {
        const std::string path = "/proc/self/fd/" + std::to_string(d_descriptor);
        std::ofstream(path, std::ios::trunc) << content;
        return "ldpc:" + path;
    }

private:
    const int d_descriptor;
};

// Columns with ones at places that the input says, as a file of this form has them; seldom changed.
std::string small_code(fuzz_input& input)
{
    const size_t columns = input.integer(1, 24), rows = input.integer(1, 12);
    std::vector<std::vector<size_t>> by_column(columns), by_row(rows);
    for (size_t c = 0; c < columns; c++)
        for (size_t r = 0; r < rows; r++)
            if (input.byte() % 3 == 0) {
                by_column[c].push_back(r + 1);
                by_row[r].push_back(c + 1);
            }
    std::string text = std::to_string(columns) + " " + std::to_string(rows) + "\n24 24\n";
    for (const auto* lists : { &by_column, &by_row }) {
        for (const auto& list : *lists)
            text += std::to_string(list.size()) + " ";
        text += "\n";
    }
    for (const auto* lists : { &by_column, &by_row })
        for (const auto& list : *lists) {
            for (const size_t place : list)
                text += std::to_string(place) + " ";
            text += "\n";
        }
    for (int changes = input.byte() % 4; changes > 0; changes--)
        text[input.integer(0, text.size() - 1)] = char(input.byte());
    return text;
}

std::unique_ptr<packet_format> make_format(fuzz_input& input, const alist& file)
{
    std::string code = input.one_of<std::string>({ "none", "cc", "ldpc:", "ldpc" });
    if (code == "ldpc")
        code = file.code(small_code(input));
    else if (code == "ldpc:")
        code = input.flag() ? file.code(input.text(200)) : code + input.text(12);
    std::unique_ptr<packet_format> made;
    refused_or_done([&] {
        made = std::make_unique<packet_format>(
            input.constellation(), int(input.integer(-1, 260)), code);
    });
    return made;
}

void check_packet(const packet_format& format, const std::optional<packet>& found)
{
    if (!found)
        return;
    expect(found->data.size() <= size_t(format.capacity()), "a packet fits");
    expect(found->sequence >= 0 && found->sequence < packet_format::SEQUENCES,
           "a number has sixteen bits");
}

// Points may lie on one another.
bool are_apart(const std::vector<gr_complex>& points)
{
    for (size_t a = 0; a < points.size(); a++)
        for (size_t b = 0; b < a; b++)
            if (!(std::abs(points[a] - points[b]) > 0.1F))
                return false;
    return true;
}

void decode_what_was_sent(fuzz_input& input, packet_format& format)
{
    refused_or_done([&] {
        std::vector<uint8_t> data(input.integer(0, 80));
        for (auto& byte : data)
            byte = input.byte();
        const int sequence = int(input.integer(-1, 65536));
        const auto symbols = format.encode(data, sequence);
        expect(symbols.size() == size_t(format.payload_len()), "a packet has its length");
        const auto found = format.decode(symbols.data()).packet;
        expect(!found || (found->data == data && found->sequence == sequence),
               "what is decoded was sent");
        // a parity-check matrix may be none of a code that corrects
        if (format.code().compare(0, 4, "ldpc") != 0 && are_apart(format.points()))
            expect(found.has_value(), "what was sent is decoded");
    });
}

void decode_anything(fuzz_input& input, packet_format& format)
{
    const auto symbols = input.samples(format.payload_len());
    check_packet(format, format.decode(symbols.data()).packet);
    std::vector<float> ratios(symbols.size() * format.bits_per_symbol());
    for (auto& ratio : ratios)
        ratio = float(std::clamp(input.real(), -1e38, 1e38));
    std::vector<float> after(ratios.size());
    check_packet(format, format.decode_ratios(ratios.data(), after.data()));
    for (const float ratio : after)
        expect(std::isfinite(ratio), "ratios are finite");
}

void receive_coded(fuzz_input& input, const packet_format& format)
{
    refused_or_done([&] {
        const auto receiver =
            coded_receiver::make(fir::make(6, 3), format, int(input.integer(0, 2)));
        const auto pilots = input.pilots(1, input.integer(0, 30));
        const auto found =
            receiver->receive(input.sample_rows(1, input.integer(0, 330)), pilots[0], 1);
        check_packet(format, found.packet);
    });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size)
{
    static const alist file;
    fuzz_input input(bytes, size);
    const auto format = make_format(input, file);
    if (!format)
        return 0;
    expect(format->capacity() >= 1, "a packet holds something");
    decode_what_was_sent(input, *format);
    decode_anything(input, *format);
    if (input.flag())
        receive_coded(input, *format);
    return 0;
}
