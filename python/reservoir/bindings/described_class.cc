/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "described_class.h"
#include <pybind11/stl.h>
#include <cmath>
#include <map>

namespace py = pybind11;
using namespace gr::reservoir;

namespace {

// As Python names the types: in signatures, and in parameters().
const char* type_name(parameter_type type)
{
    switch (type) {
    case parameter_type::integer:
        return "int";
    case parameter_type::real:
        return "float";
    case parameter_type::truth:
        return "bool";
    case parameter_type::word:
        return "str";
    case parameter_type::integers:
        return "List[int]";
    case parameter_type::reals:
        return "List[float]";
    case parameter_type::constellation:
        return "gnuradio.digital.digital_python.constellation";
    case parameter_type::ofdm_detectors:
        return "List[gnuradio.reservoir.reservoir_python.ofdm_detector]";
    }
    return "";
}

template <class T>
void convert(py::handle given, const parameter& about, const char* wanted, T& value)
{
    try {
        value = py::cast<T>(given);
    } catch (const py::cast_error&) {
        throw py::type_error(std::string(about.name) + " = " +
                             std::string(py::repr(given)) + ": must be " + wanted);
    }
}

py::object default_to_python(const described_parameter& described)
{
    const pmt::pmt_t& value = described.standard;
    switch (described.type) {
    case parameter_type::integer:
        return py::int_(pmt::to_long(value));
    case parameter_type::real:
        return py::float_(pmt::to_double(value));
    case parameter_type::truth:
        return py::bool_(pmt::to_bool(value));
    case parameter_type::word:
        return py::str(pmt::symbol_to_string(value));
    case parameter_type::integers:
        return py::cast(pmt::s32vector_elements(value));
    case parameter_type::reals:
        return py::cast(pmt::f64vector_elements(value));
    case parameter_type::ofdm_detectors:
        return py::list(); // none
    case parameter_type::constellation:
        break;
    }
    return py::none(); // QPSK
}

py::object limit(double value)
{
    return std::isfinite(value) ? py::object(py::float_(value)) : py::object(py::none());
}

} // namespace

void value_from_python(py::handle given, const parameter& about, int& value)
{
    convert(given, about, "an integer", value);
}

void value_from_python(py::handle given, const parameter& about, int64_t& value)
{
    convert(given, about, "an integer", value);
}

void value_from_python(py::handle given, const parameter& about, double& value)
{
    convert(given, about, "a number", value);
}

void value_from_python(py::handle given, const parameter& about, bool& value)
{
    convert(given, about, "True or False", value);
}

void value_from_python(py::handle given, const parameter& about, std::string& value)
{
    convert(given, about, "a string", value);
}

void value_from_python(py::handle given,
                       const parameter& about,
                       std::vector<double>& value)
{
    convert(given, about, "a list of numbers", value);
}

void value_from_python(py::handle given, const parameter& about, std::vector<int>& value)
{
    if (py::isinstance<py::int_>(given))
        value = { given.cast<int>() };
    else
        convert(given, about, "an integer or a list of integers", value);
}

void value_from_python(py::handle given,
                       const parameter& about,
                       constellation_points& value)
{
    gr::digital::constellation_sptr constellation;
    if (!given.is_none())
        convert(given, about, "a constellation, such as qpsk.base()", constellation);
    value = constellation_points(constellation);
}

void value_from_python(py::handle given, const parameter& about, ofdm_stages& value)
{
    convert(given, about, "a list of OFDM detectors", value);
}

py::dict
by_names(const detector_kind& kind, const py::args& args, const py::kwargs& kwargs)
{
    const std::string call = std::string(kind.about.name) + "() ";
    if (args.size() > kind.parameters.size())
        throw py::type_error(call + "takes " + std::to_string(kind.parameters.size()) +
                             " arguments, " + std::to_string(args.size()) +
                             " were given");
    py::dict given;
    for (size_t k = 0; k < args.size(); k++)
        given[kind.parameters[k].about.name] = args[k];
    for (const auto& [key, value] : kwargs) {
        const std::string name = py::cast<std::string>(key);
        if (given.contains(key))
            throw py::type_error(call + "got '" + name + "' twice");
        bool known = false;
        for (const auto& described : kind.parameters)
            known = known || name == described.about.name;
        if (!known)
            throw py::type_error(call + "got an unexpected keyword argument '" + name +
                                 "'");
        given[key] = value;
    }
    return given;
}

std::string constructor_documentation(const detector_kind& kind)
{
    std::string signature =
        std::string("__init__(self: gnuradio.reservoir.reservoir_python.") +
        kind.about.name;
    std::string lines;
    for (const auto& described : kind.parameters) {
        const parameter& about = described.about;
        signature += std::string(", ") + about.name + ": " + type_name(described.type) +
                     " = " + std::string(py::repr(default_to_python(described)));
        lines += std::string("\n") + about.name + ": " + about.text;
        const std::string range = about.range();
        if (!range.empty())
            lines += "; " + range;
    }
    return signature + ") -> None\n" + lines +
           "\n\nRaises ValueError naming the parameter, its value and its range.";
}

py::list parameters_to_python(const detector_kind& kind)
{
    py::list all;
    for (const auto& described : kind.parameters) {
        const parameter& about = described.about;
        py::dict entry;
        entry["name"] = about.name;
        entry["type"] = type_name(described.type);
        entry["default"] = default_to_python(described);
        entry["text"] = about.text;
        entry["unit"] = about.unit;
        entry["range"] = about.range();
        entry["low"] = limit(about.low);
        entry["high"] = limit(about.high);
        entry["low_excluded"] = about.low_excluded;
        entry["high_excluded"] = about.high_excluded;
        entry["special"] = limit(about.special);
        entry["special_text"] = about.special_text;
        py::list words;
        for (const auto& choice : about.words)
            if (choice.value)
                words.append(py::make_tuple(choice.value, choice.label));
        entry["words"] = words;
        entry["label"] = about.label;
        entry["tab"] = about.tab;
        entry["when"] = about.when;
        entry["rarely"] = about.rarely;
        entry["on_block"] = about.on_block;
        all.append(entry);
    }
    return all;
}
