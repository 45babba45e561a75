/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_SHELL_COMMANDS_H
#define INCLUDED_RESERVOIR_SHELL_COMMANDS_H

#include <gnuradio/reservoir/trainable.h>
#include <pmt/pmt.h>
#include <functional>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! What a shell does itself when a message asks for it.
struct shell_command {
    std::string name;
    std::function<void(const pmt::pmt_t& value)> act;
};

/*!
 * \brief Carries out the commands in a message, a dictionary or a pair: those of the shell, and what the
 * detector knows beside them.
 * \return what was refused, for the log, and why; nothing behind it is carried out. Empty: nothing was
 */
std::string carry_out_commands(const pmt::pmt_t& message,
                               const std::vector<shell_command>& own,
                               trainable& detector);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_SHELL_COMMANDS_H */
