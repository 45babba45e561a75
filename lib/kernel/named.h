/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_NAMED_H
#define INCLUDED_RESERVOIR_KERNEL_NAMED_H

#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace reservoir {
namespace kernel {

//! The values of an enumeration and their names, as parameters spell them.
template <class Enum, size_t N>
using names_of = std::pair<Enum, const char*>[N];

template <class Enum, size_t N>
std::string to_name(Enum value, const names_of<Enum, N>& names)
{
    for (const auto& [known, name] : names)
        if (known == value)
            return name;
    return "";
}

//! \throws std::invalid_argument naming the parameter and its choices
template <class Enum, size_t N>
Enum from_name(const char* parameter,
               const std::string& given,
               const names_of<Enum, N>& names)
{
    std::string choices;
    for (const auto& [value, name] : names) {
        if (given == name)
            return value;
        choices += std::string(choices.empty() ? "" : ", ") + name;
    }
    throw std::invalid_argument(std::string(parameter) + " = '" + given +
                                "': must be one of " + choices);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_NAMED_H */
