/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Saved detectors of every kind: any file, and files that were changed by somebody who knows the
// checksum. Refused with std::runtime_error, or loaded; what was loaded receives.

#include "fuzz_input.h"
#include <gnuradio/reservoir/ofdm_detector.h>
#include <sys/mman.h>
#include <unistd.h>
#include <boost/crc.hpp>
#include <fstream>
#include <map>
#include <stdexcept>

using namespace gr::reservoir;

namespace {

//! A file that is in memory and has a name.
class memory_file
{
public:
    memory_file() : d_descriptor(memfd_create("saved", 0)) {}
    ~memory_file() { close(d_descriptor); }
    std::string path() const { return "/proc/self/fd/" + std::to_string(d_descriptor); }
    void write(const std::string& content) const
    {
        std::ofstream(path(), std::ios::binary | std::ios::trunc) << content;
    }
    std::string read() const
    {
        std::ifstream file(path(), std::ios::binary);
        return { std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>() };
    }

private:
    const int d_descriptor;
};

const memory_file& scratch()
{
    static const memory_file file;
    return file;
}

// With its defaults, but small.
pmt::pmt_t small_parameters(const detector_kind& kind)
{
    static const std::map<std::string, pmt::pmt_t> SMALL = {
        { "num_neurons", pmt::from_long(3) }, { "window", pmt::from_long(4) },
        { "num_taps", pmt::from_long(4) },    { "delay", pmt::from_long(2) },
        { "epochs", pmt::from_long(2) },      { "fft_len", pmt::from_long(16) }
    };
    pmt::pmt_t chosen = pmt::make_dict();
    for (const auto& described : kind.parameters) {
        const auto found = SMALL.find(described.about.name);
        if (found != SMALL.end())
            chosen = pmt::dict_add(chosen, pmt::mp(found->first), found->second);
    }
    return chosen;
}

// What is serialised of one of each kind, trained where its kind is trained on a grid.
const std::vector<std::string>& contents()
{
    static const std::vector<std::string> made = [] {
        std::vector<std::string> found;
        const auto keep = [&found](const trainable& saved) {
            saved.save(scratch().path());
            const std::string file = scratch().read();
            found.push_back(file.substr(file.find('\n') + 1));
        };
        for (const auto& kind : detector_kinds()) {
            const auto one =
                std::dynamic_pointer_cast<detector>(kind.make(small_parameters(kind)));
            keep(*one);
            clean_frame(*one).received_by(*one);
            keep(*one);
        }
        for (const auto& kind : ofdm_detector_kinds())
            keep(*kind.make(small_parameters(kind)));
        return found;
    }();
    return made;
}

std::string changed(fuzz_input& input, std::string content)
{
    for (int changes = int(input.integer(1, 6)); changes > 0; changes--) {
        const size_t at = input.integer(0, content.size() - 1);
        const uint8_t with = input.byte();
        switch (input.byte() % 4) {
        case 0:
            content[at] = char(with);
            break;
        case 1:
            content.erase(at, with);
            break;
        case 2:
            content.insert(at, input.text(with));
            break;
        default:
            content.insert(at, content.substr(with % content.size(), with));
        }
        if (content.empty())
            content = "\n";
    }
    return content;
}

std::string with_header(const std::string& content, int version)
{
    boost::crc_32_type crc;
    crc.process_bytes(content.data(), content.size());
    return "gr-reservoir detector " + std::to_string(version) + " " +
           std::to_string(content.size()) + " " + std::to_string(crc.checksum()) + "\n" +
           content;
}

std::string file_from(fuzz_input& input)
{
    const uint8_t way = input.byte();
    if (way % 4 == 0) {
        const auto bytes = input.rest();
        return { bytes.begin(), bytes.end() };
    }
    if (way % 4 == 1) {
        const auto bytes = input.rest();
        return with_header({ bytes.begin(), bytes.end() }, 2);
    }
    return with_header(changed(input, input.one_of(contents())), 2);
}

void receive_with(trainable& loaded)
{
    if (loaded.num_inputs() > 4 || loaded.num_outputs() > 4)
        return;
    const auto one = dynamic_cast<detector*>(&loaded);
    if (!one)
        return;
    const int sps = one->trained() ? one->trained_sps() : 1;
    const clean_frame clean(*one, sps);
    try {
        if (one->trained())
            expect(all_finite(one->detect(clean.received, sps)), "symbols are finite");
        expect(all_finite(clean.received_by(*one)), "symbols of a frame are finite");
    } catch (const std::invalid_argument& error) {
        expect_message(error);
    }
    one->save(scratch().path());
    expect(load(scratch().path())->trained() == one->trained(), "it is saved again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size)
{
    contents();
    fuzz_input input(bytes, size);
    scratch().write(file_from(input));
    trainable::sptr loaded;
    try {
        loaded = load(scratch().path());
    } catch (const std::runtime_error& error) {
        expect_message(error);
        return 0;
    }
    receive_with(*loaded);
    return 0;
}
