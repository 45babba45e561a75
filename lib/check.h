/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_CHECK_H
#define INCLUDED_RESERVOIR_CHECK_H

#include <sstream>
#include <stdexcept>

namespace gr {
namespace reservoir {

//! Refuses a parameter: "name = value: must be range".
template <class T>
void require(bool holds, const char* name, const T& value, const char* range)
{
    if (holds)
        return;
    std::ostringstream message;
    message << std::boolalpha << name << " = " << value << ": must be " << range;
    throw std::invalid_argument(message.str());
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_CHECK_H */
