/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/detector_kinds.h>

#include "detector/saved_file.h"
#include <gnuradio/reservoir/rcnet.h>
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace reservoir {

// each beside its detector
#define RESERVOIR_DECLARE(NAME) detector_kind describe_##NAME();
RESERVOIR_DETECTORS(RESERVOIR_DECLARE)
RESERVOIR_OFDM_DETECTORS(RESERVOIR_DECLARE)
#undef RESERVOIR_DECLARE

#define RESERVOIR_DESCRIBE(NAME) describe_##NAME(),
const std::vector<detector_kind>& detector_kinds()
{
    static const std::vector<detector_kind> kinds = { RESERVOIR_DETECTORS(
        RESERVOIR_DESCRIBE) };
    return kinds;
}

const std::vector<detector_kind>& ofdm_detector_kinds()
{
    static const std::vector<detector_kind> kinds = { RESERVOIR_OFDM_DETECTORS(
        RESERVOIR_DESCRIBE) };
    return kinds;
}
#undef RESERVOIR_DESCRIBE

ofdm_detector::sptr ofdm_detector_from(const pmt::pmt_t& description)
{
    const std::string name = pmt::symbol_to_string(saved_entry(description, "kind"));
    for (const detector_kind& kind : ofdm_detector_kinds())
        if (name == kind.about.name)
            return std::dynamic_pointer_cast<ofdm_detector>(
                kind.make(saved_entry(description, "parameters")));
    throw std::runtime_error("no OFDM detector is of the kind '" + name + "'");
}

namespace {

// What a file says may be of any bytes, which Python's messages cannot have, and long.
std::string printable(std::string text)
{
    constexpr size_t LONGEST = 400;
    text.resize(std::min(text.size(), LONGEST));
    std::replace_if(
        text.begin(),
        text.end(),
        [](unsigned char letter) { return letter < ' ' || letter > '~'; },
        '?');
    return text;
}

} // namespace

trainable::sptr load(const std::string& path)
{
    const pmt::pmt_t saved = read_saved_file(path);
    try {
        const std::string name = pmt::symbol_to_string(saved_entry(saved, "kind"));
        std::vector<detector_kind> kinds = detector_kinds();
        const auto& others = ofdm_detector_kinds();
        kinds.insert(kinds.end(), others.begin(), others.end());
        const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) {
            return name == k.about.name;
        });
        if (kind == kinds.end())
            throw std::runtime_error("it holds a detector of the unknown kind '" + name +
                                     "'");
        const trainable::sptr loaded = kind->make(saved_entry(saved, "parameters"));
        loaded->restore(saved);
        return loaded;
    } catch (const std::exception& error) { // the pmt library has exceptions of its own
        throw std::runtime_error("load: " + path + ": " + printable(error.what()));
    }
}

} // namespace reservoir
} // namespace gr
