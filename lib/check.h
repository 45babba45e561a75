/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_CHECK_H
#define INCLUDED_RESERVOIR_CHECK_H

#include <sstream>
#include <stdexcept>
#include <string>

namespace gr {
namespace reservoir {

//! \throws std::invalid_argument "name = value: must be allowed"
template <class T>
[[noreturn]] void
reject_argument(const std::string& name, const T& value, const std::string& allowed)
{
    std::ostringstream message;
    message.precision(12);
    message << std::boolalpha << name << " = " << value << ": must be " << allowed;
    throw std::invalid_argument(message.str());
}

//! Refuses a parameter unless the condition holds.
template <class T>
void require(bool holds, const char* name, const T& value, const char* allowed)
{
    if (!holds)
        reject_argument(name, value, allowed);
}

//! Refuses a value outside low ... high, and NaN.
template <class T>
void require_range(const std::string& name, T value, T low, T high)
{
    if (value >= low && value <= high)
        return;
    std::ostringstream allowed;
    allowed.precision(12);
    allowed << "within " << low << " ... " << high;
    reject_argument(name, value, allowed.str());
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_CHECK_H */
