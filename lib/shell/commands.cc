/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/commands.h"

#include "pmt_values.h"
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace reservoir {

namespace {

void carry_out_command(const std::string& name,
                       const pmt::pmt_t& value,
                       const std::vector<shell_command>& own,
                       trainable& detector)
{
    const auto found =
        std::find_if(own.begin(), own.end(), [&name](const shell_command& command) {
            return command.name == name;
        });
    if (found != own.end())
        return found->act(value);
    const std::vector<std::string> known = detector.commands();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
        std::string names;
        for (const shell_command& command : own)
            names += (names.empty() ? "" : ", ") + command.name;
        for (const std::string& other : known)
            names += ", " + other;
        throw std::invalid_argument("unknown to " + detector.kind() + "; known are " +
                                    names);
    }
    detector.command(name, value);
}

} // namespace

std::string carry_out_commands(const pmt::pmt_t& message,
                               const std::vector<shell_command>& own,
                               trainable& detector)
{
    std::string command = "command";
    try {
        for_each_entry(message, [&](const std::string& key, const pmt::pmt_t& value) {
            command = key;
            carry_out_command(key, value, own, detector);
        });
    } catch (const std::exception& error) {
        return "command '" + command + "' is not carried out: " + error.what();
    }
    return {};
}

} // namespace reservoir
} // namespace gr
