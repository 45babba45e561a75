/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "pmt_values.h"

#include <stdexcept>

namespace gr {
namespace reservoir {

namespace {

template <class To, class From>
std::vector<To> converted(const std::vector<From>& elements)
{
    return std::vector<To>(elements.begin(), elements.end());
}

} // namespace

std::vector<gr_complex> complex_vector(const pmt::pmt_t& value)
{
    if (pmt::is_c32vector(value))
        return pmt::c32vector_elements(value);
    if (pmt::is_c64vector(value))
        return converted<gr_complex>(pmt::c64vector_elements(value));
    if (pmt::is_f32vector(value))
        return converted<gr_complex>(pmt::f32vector_elements(value));
    if (pmt::is_f64vector(value))
        return converted<gr_complex>(pmt::f64vector_elements(value));
    if (!pmt::is_vector(value))
        throw std::invalid_argument("must be a vector of complex numbers");
    std::vector<gr_complex> elements;
    for (size_t i = 0; i < pmt::length(value); i++)
        elements.emplace_back(pmt::to_complex(pmt::vector_ref(value, i)));
    return elements;
}

std::vector<double> real_vector(const pmt::pmt_t& value)
{
    if (pmt::is_f64vector(value))
        return pmt::f64vector_elements(value);
    if (pmt::is_f32vector(value))
        return converted<double>(pmt::f32vector_elements(value));
    if (!pmt::is_vector(value))
        throw std::invalid_argument("must be a vector of real numbers");
    std::vector<double> elements;
    for (size_t i = 0; i < pmt::length(value); i++)
        elements.push_back(pmt::to_double(pmt::vector_ref(value, i)));
    return elements;
}

std::vector<std::vector<gr_complex>> complex_rows(const pmt::pmt_t& value)
{
    const bool nested = pmt::is_vector(value) && pmt::length(value) > 0 &&
                        !pmt::is_number(pmt::vector_ref(value, 0));
    if (!nested)
        return { complex_vector(value) };
    std::vector<std::vector<gr_complex>> rows;
    for (size_t i = 0; i < pmt::length(value); i++)
        rows.push_back(complex_vector(pmt::vector_ref(value, i)));
    return rows;
}

bool truth(const pmt::pmt_t& value)
{
    if (!pmt::is_bool(value))
        throw std::invalid_argument("must be true or false");
    return pmt::to_bool(value);
}

void for_each_entry(
    const pmt::pmt_t& message,
    const std::function<void(const std::string& key, const pmt::pmt_t& value)>& visit)
{
    // is_dict holds for dictionaries only, not for a pair
    const bool single = pmt::is_pair(message) && !pmt::is_pair(pmt::car(message));
    const pmt::pmt_t items = single ? pmt::list1(message) : pmt::dict_items(message);
    for (size_t i = 0; i < pmt::length(items); i++) {
        const pmt::pmt_t item = pmt::nth(i, items);
        visit(pmt::symbol_to_string(pmt::car(item)), pmt::cdr(item));
    }
}

} // namespace reservoir
} // namespace gr
