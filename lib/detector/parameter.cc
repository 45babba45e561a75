/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/parameter.h>

#include "check.h"
#include <gnuradio/reservoir/kernel/soft_bits.h>
#include <algorithm>
#include <cmath>
#include <sstream>

namespace gr {
namespace reservoir {

constellation_points::constellation_points()
    : constellation_points(digital::constellation_qpsk::make())
{
}

constellation_points::constellation_points(digital::constellation_sptr constellation)
{
    if (!constellation)
        constellation = digital::constellation_qpsk::make();
    require(constellation->dimensionality() == 1,
            "constellation",
            std::to_string(constellation->dimensionality()) + " dimensions",
            "of one dimension");
    points = constellation->points();
    labels = kernel::bit_labels(constellation);
}

constellation_points::constellation_points(const std::vector<gr_complex>& points_,
                                           const std::vector<int>& labels_)
    : points(points_), labels(labels_)
{
}

namespace {

std::string number(double value)
{
    std::ostringstream text;
    text.precision(12);
    text << value;
    return text.str();
}

bool in_range(const parameter& about, double value)
{
    if (value == about.special)
        return true;
    const bool above = about.low_excluded ? value > about.low : value >= about.low;
    const bool below = about.high_excluded ? value < about.high : value <= about.high;
    return std::isfinite(value) && above && below;
}

} // namespace

std::string parameter::range() const
{
    std::string text;
    if (words[0].value) {
        for (const auto& choice : words)
            if (choice.value)
                text +=
                    std::string(text.empty() ? "one of '" : ", '") + choice.value + "'";
        return text;
    }
    const bool from = low > -INFINITE, to = high < INFINITE;
    const bool measured = *unit && (from || to);
    if (from && to && low == high)
        text = number(low);
    else if (from && to && !low_excluded)
        text = number(low) + (high_excluded ? " to below " : " to ") + number(high);
    else {
        if (from)
            text = (low_excluded ? "above " : "at least ") + number(low);
        if (to)
            text += (from ? ", " : "") +
                    std::string(high_excluded ? "below " : "at most ") + number(high);
    }
    if (measured)
        text += std::string(" ") + unit;
    if (special == special)
        text += (text.empty() ? "" : ", or ") + number(special) + ": " + special_text;
    return text;
}

void refuse_parameter(const std::string& name,
                      const std::string& value,
                      const std::string& allowed)
{
    reject_argument(name, value, allowed);
}

void refuse_unknown_entries(const pmt::pmt_t& saved,
                            const std::vector<std::string>& names)
{
    const pmt::pmt_t keys = pmt::dict_keys(saved);
    for (size_t i = 0; i < pmt::length(keys); i++) {
        const std::string key = pmt::symbol_to_string(pmt::nth(i, keys));
        if (std::find(names.begin(), names.end(), key) == names.end())
            throw std::runtime_error("it has the parameter '" + key +
                                     "', which this version does not know");
    }
}

void check_value(const parameter& about, int64_t value)
{
    if (!in_range(about, value))
        refuse_parameter(about.name, value_to_string(value), about.range());
}

void check_value(const parameter& about, double value)
{
    if (!in_range(about, value))
        refuse_parameter(about.name, value_to_string(value), about.range());
}

void check_value(const parameter& about, const std::string& value)
{
    const bool known =
        std::any_of(about.words.begin(), about.words.end(), [&](const auto& choice) {
            return choice.value && value == choice.value;
        });
    if (!known)
        refuse_parameter(about.name, value_to_string(value), about.range());
}

void check_value(const parameter& about, const std::vector<int>& value)
{
    if (value.empty())
        refuse_parameter(about.name, "[]", "at least one number");
    for (const int element : value)
        if (!in_range(about, element))
            refuse_parameter(about.name, value_to_string(element), about.range());
}

void check_value(const parameter& about, const std::vector<double>& value)
{
    for (const double element : value)
        if (!in_range(about, element))
            refuse_parameter(about.name,
                             "a vector with " + value_to_string(element),
                             "of numbers " + about.range());
}

void check_value(const parameter& about, const constellation_points& value)
{
    double power = 0.0;
    for (const auto& point : value.points)
        power += std::norm(point);
    const size_t size = value.points.size();
    if (!(size >= 2 && size <= 4096 && power > 0.0 && std::isfinite(power)))
        refuse_parameter(
            about.name, value_to_string(value), "2 to 4096 finite points, not all zero");
    if (value.labels.size() != size)
        refuse_parameter(about.name,
                         std::to_string(value.labels.size()) + " labels of " +
                             value_to_string(value),
                         "a label for each point");
}

pmt::pmt_t value_to_pmt(int64_t value) { return pmt::from_long(value); }
pmt::pmt_t value_to_pmt(double value) { return pmt::from_double(value); }
pmt::pmt_t value_to_pmt(bool value) { return pmt::from_bool(value); }
pmt::pmt_t value_to_pmt(const std::string& value) { return pmt::mp(value); }
pmt::pmt_t value_to_pmt(const std::vector<int>& value)
{
    return pmt::init_s32vector(value.size(),
                               std::vector<int32_t>(value.begin(), value.end()));
}
pmt::pmt_t value_to_pmt(const std::vector<double>& value)
{
    return pmt::init_f64vector(value.size(), value);
}
pmt::pmt_t value_to_pmt(const constellation_points& value)
{
    return pmt::make_tuple(pmt::init_c32vector(value.points.size(), value.points),
                           pmt::init_s32vector(value.labels.size(),
                                               std::vector<int32_t>(value.labels.begin(),
                                                                    value.labels.end())));
}

void value_from_pmt(const pmt::pmt_t& saved, int& value)
{
    // what is beyond is beyond the parameter's range, too, and refused there by its name
    typedef std::numeric_limits<int> limits;
    value = int(std::clamp<long>(pmt::to_long(saved), limits::min(), limits::max()));
}
void value_from_pmt(const pmt::pmt_t& saved, int64_t& value)
{
    value = pmt::to_long(saved);
}
void value_from_pmt(const pmt::pmt_t& saved, double& value)
{
    value = pmt::to_double(saved);
}
void value_from_pmt(const pmt::pmt_t& saved, bool& value) { value = pmt::to_bool(saved); }
void value_from_pmt(const pmt::pmt_t& saved, std::string& value)
{
    value = pmt::symbol_to_string(saved);
}
void value_from_pmt(const pmt::pmt_t& saved, std::vector<int>& value)
{
    const auto numbers = pmt::s32vector_elements(saved);
    value.assign(numbers.begin(), numbers.end());
}
void value_from_pmt(const pmt::pmt_t& saved, std::vector<double>& value)
{
    value = pmt::f64vector_elements(saved);
}
void value_from_pmt(const pmt::pmt_t& saved, constellation_points& value)
{
    const auto labels = pmt::s32vector_elements(pmt::tuple_ref(saved, 1));
    value = { pmt::c32vector_elements(pmt::tuple_ref(saved, 0)),
              { labels.begin(), labels.end() } };
}

std::string value_to_string(int64_t value) { return std::to_string(value); }
std::string value_to_string(double value) { return number(value); }
std::string value_to_string(bool value) { return value ? "True" : "False"; }
std::string value_to_string(const std::string& value) { return "'" + value + "'"; }
std::string value_to_string(const std::vector<int>& value)
{
    return value_to_string(std::vector<double>(value.begin(), value.end()));
}
std::string value_to_string(const std::vector<double>& value)
{
    std::string text;
    for (const double element : value)
        text += (text.empty() ? "" : ", ") + number(element);
    return "[" + text + "]";
}
std::string value_to_string(const constellation_points& value)
{
    return std::to_string(value.points.size()) + " points";
}

} // namespace reservoir
} // namespace gr
