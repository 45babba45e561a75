/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PARAMETER_H
#define INCLUDED_RESERVOIR_PARAMETER_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <pmt/pmt.h>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief The points of a one-dimensional constellation with their labels, as a parameter.
 */
struct RESERVOIR_API constellation_points {
    std::vector<gr_complex> points;
    std::vector<int> labels; //!< of the points' bits, see kernel::bit_labels

    constellation_points();                                          //!< QPSK
    constellation_points(digital::constellation_sptr constellation); //!< null: QPSK
    constellation_points(const std::vector<gr_complex>& points,
                         const std::vector<int>& labels);
};

/*!
 * \brief What there is to say of one parameter, said once.
 *
 * \details
 * A struct of parameters describes each of its members in a function of this form:
 *
 *     template <class Self, class Visit>
 *     static void visit(Self& self, Visit&& visit)
 *     {
 *         visit(self.window, parameter("window", "what the network sees").within(1, 1024));
 *         …
 *     }
 *
 * Range checks, saved files, the Python signature and documentation, and the block in GNU Radio
 * Companion are made from it (gr::reservoir::described, detector_kind). The order is that of the
 * positional arguments. Members are int, int64_t, double, bool, std::string (one of words),
 * std::vector<double> (the range holds for each element) or constellation_points.
 */
class RESERVOIR_API parameter
{
public:
    static constexpr size_t MAX_WORDS = 8;
    static constexpr double INFINITE = std::numeric_limits<double>::infinity();
    static constexpr double NONE = std::numeric_limits<double>::quiet_NaN();
    struct word {
        const char* value;
        const char* label; //!< in Companion
    };

    const char* name;
    const char* text; //!< one line: "decision delay"
    const char* unit = "";
    double low = -INFINITE, high = INFINITE; //!< infinite values are never allowed
    bool low_excluded = false, high_excluded = false;
    double special = NONE; //!< one value outside of the range
    const char* special_text = "";
    std::array<word, MAX_WORDS> words = {};
    const char* label = ""; //!< in Companion; empty: made from the name
    const char* tab = "";   //!< of the block's properties in Companion
    const char* when = "";  //!< Python expression of other parameters: where it is shown
    bool rarely = false;    //!< in Companion not shown on the block itself
    const char* on_block =
        ""; //!< Python expression: where it is shown there; empty: always

    constexpr parameter(const char* name_, const char* text_) : name(name_), text(text_)
    {
    }

    constexpr parameter explained(const char* what) const
    {
        parameter p = *this;
        p.text = what;
        return p;
    }
    constexpr parameter within(double from, double to) const
    {
        parameter p = *this;
        p.low = from;
        p.high = to;
        return p;
    }
    constexpr parameter at_least(double from) const { return within(from, INFINITE); }
    constexpr parameter above(double from) const
    {
        parameter p = *this;
        p.low = from;
        p.low_excluded = true;
        return p;
    }
    constexpr parameter below(double to) const
    {
        parameter p = *this;
        p.high = to;
        p.high_excluded = true;
        return p;
    }
    constexpr parameter at_most(double to) const
    {
        parameter p = *this;
        p.high = to;
        return p;
    }
    //! A value outside of the range, and what it means.
    constexpr parameter or_else(double value, const char* meaning) const
    {
        parameter p = *this;
        p.special = value;
        p.special_text = meaning;
        return p;
    }
    template <class... Word>
    constexpr parameter one_of(Word... allowed) const
    {
        parameter p = *this;
        p.words = { { allowed... } };
        return p;
    }
    constexpr parameter in(const char* what) const
    {
        parameter p = *this;
        p.unit = what;
        return p;
    }
    constexpr parameter labelled(const char* what) const
    {
        parameter p = *this;
        p.label = what;
        return p;
    }
    constexpr parameter on(const char* what) const
    {
        parameter p = *this;
        p.tab = what;
        return p;
    }
    constexpr parameter shown_when(const char* expression) const
    {
        parameter p = *this;
        p.when = expression;
        return p;
    }
    constexpr parameter seldom() const
    {
        parameter p = *this;
        p.rarely = true;
        return p;
    }
    constexpr parameter on_block_when(const char* expression) const
    {
        parameter p = *this;
        p.on_block = expression;
        return p;
    }

    //! "1 to 1024", "above 0, at most 100", "0 to 1023 symbols, or -1: …", "one of …"; empty: anything.
    std::string range() const;
};

//! \name What several detectors have
//! \{
inline constexpr parameter NUM_INPUTS = parameter("num_inputs", "antennas")
                                            .within(1, 64)
                                            .labelled("Num. Inputs")
                                            .on_block_when("num_inputs != 1");
inline constexpr parameter NUM_OUTPUTS = parameter("num_outputs", "streams")
                                             .within(1, 64)
                                             .labelled("Num. Outputs")
                                             .on_block_when("num_outputs != 1");
inline constexpr parameter SEED =
    parameter("seed", "").at_least(0).on("Network").seldom();
inline constexpr parameter ACTIVATION =
    parameter("activation", "")
        .one_of(parameter::word{ "magnitude_tanh", "tanh of the magnitude" },
                parameter::word{ "split_tanh", "tanh of real and imaginary part" },
                parameter::word{ "identity", "Identity (linear)" })
        .on("Network")
        .seldom();
//! \}

//! \name Of a readout that is trained by least squares
//! \{
inline constexpr parameter READOUT_DELAY =
    parameter("delay", "decision delay")
        .within(0, 1023)
        .or_else(-1, "the one with the least leave-one-out error")
        .in("symbols")
        .labelled("Decision Delay")
        .on("Readout");
inline constexpr parameter READOUT_REGULARIZATION =
    parameter("regularization",
              "ridge λ of the least squares, relative to the number of pilots and "
              "unit-power features")
        .at_least(0)
        .or_else(-1, "the one with the least leave-one-out error")
        .on("Readout")
        .seldom();
inline constexpr parameter READOUT_PRIOR =
    parameter(
        "prior",
        "what the ridge draws the readout to, and so what it does where coloured pilots "
        "leave parts of the band without training")
        .one_of(parameter::word{ "zero", "Zero" },
                parameter::word{ "delay", "The delayed input" })
        .on("Readout")
        .seldom();
inline constexpr parameter READOUT_UPDATE =
    parameter("update", "'ls': every pilot counts the same; 'rls': the latest count most")
        .one_of(parameter::word{ "ls", "Least squares" },
                parameter::word{ "rls", "Recursive least squares" })
        .on("Readout")
        .seldom();
inline constexpr parameter READOUT_FORGETTING =
    parameter("forgetting",
              "factor by which a symbol's weight shrinks with each later one, for 'rls' "
              "and where the readout adapts after training")
        .above(0.5)
        .at_most(1)
        .labelled("Forgetting Factor")
        .on("Readout")
        .shown_when("update == 'rls' or adapt_after_training")
        .seldom();
//! \}

//! \name One value by its description. Overloads for every type of parameter.
//! \{
enum class parameter_type {
    integer,
    real,
    truth,
    word,
    integers,
    reals,
    constellation,
    ofdm_detectors
};

template <class T>
struct parameter_type_of;
template <>
struct parameter_type_of<int> {
    static constexpr parameter_type value = parameter_type::integer;
};
template <>
struct parameter_type_of<int64_t> {
    static constexpr parameter_type value = parameter_type::integer;
};
template <>
struct parameter_type_of<double> {
    static constexpr parameter_type value = parameter_type::real;
};
template <>
struct parameter_type_of<bool> {
    static constexpr parameter_type value = parameter_type::truth;
};
template <>
struct parameter_type_of<std::string> {
    static constexpr parameter_type value = parameter_type::word;
};
template <>
struct parameter_type_of<std::vector<int>> {
    static constexpr parameter_type value = parameter_type::integers;
};
template <>
struct parameter_type_of<std::vector<double>> {
    static constexpr parameter_type value = parameter_type::reals;
};
template <>
struct parameter_type_of<constellation_points> {
    static constexpr parameter_type value = parameter_type::constellation;
};

//! \throws std::invalid_argument "name = value: must be range"
RESERVOIR_API void check_value(const parameter& about, int64_t value);
RESERVOIR_API void check_value(const parameter& about, double value);
RESERVOIR_API void check_value(const parameter& about, const std::string& value);
RESERVOIR_API void check_value(const parameter& about, const std::vector<int>& value);
RESERVOIR_API void check_value(const parameter& about, const std::vector<double>& value);
RESERVOIR_API void check_value(const parameter& about, const constellation_points& value);
inline void check_value(const parameter& about, int value)
{
    check_value(about, int64_t(value));
}
inline void check_value(const parameter&, bool) {}

RESERVOIR_API pmt::pmt_t value_to_pmt(int64_t value);
RESERVOIR_API pmt::pmt_t value_to_pmt(double value);
RESERVOIR_API pmt::pmt_t value_to_pmt(bool value);
RESERVOIR_API pmt::pmt_t value_to_pmt(const std::string& value);
RESERVOIR_API pmt::pmt_t value_to_pmt(const std::vector<int>& value);
RESERVOIR_API pmt::pmt_t value_to_pmt(const std::vector<double>& value);
RESERVOIR_API pmt::pmt_t value_to_pmt(const constellation_points& value);
inline pmt::pmt_t value_to_pmt(int value) { return value_to_pmt(int64_t(value)); }

//! \throws an exception of pmt where it is of another type
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, int& value);
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, int64_t& value);
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, double& value);
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, bool& value);
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, std::string& value);
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, std::vector<int>& value);
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, std::vector<double>& value);
RESERVOIR_API void value_from_pmt(const pmt::pmt_t& saved, constellation_points& value);

RESERVOIR_API std::string value_to_string(int64_t value);
RESERVOIR_API std::string value_to_string(double value);
RESERVOIR_API std::string value_to_string(bool value);
RESERVOIR_API std::string value_to_string(const std::string& value);
RESERVOIR_API std::string value_to_string(const std::vector<int>& value);
RESERVOIR_API std::string value_to_string(const std::vector<double>& value);
RESERVOIR_API std::string value_to_string(const constellation_points& value);
inline std::string value_to_string(int value) { return value_to_string(int64_t(value)); }
//! \}

//! \throws std::invalid_argument "name = value: must be allowed"
[[noreturn]] RESERVOIR_API void refuse_parameter(const std::string& name,
                                                 const std::string& value,
                                                 const std::string& allowed);
//! \throws std::runtime_error where saved has an entry that is not among names
RESERVOIR_API void refuse_unknown_entries(const pmt::pmt_t& saved,
                                          const std::vector<std::string>& names);

/*!
 * \name A whole struct of parameters
 * Beside visit(), it says what must hold between its parameters:
 *
 *     template <class Rule> void rules(Rule&& rule) const
 *     {
 *         rule(delay < window, "delay", "0 to window - 1", "delay < window");
 *     }
 *
 * the condition, the parameter that is refused, what is allowed, and the condition in Python
 * (empty: GNU Radio Companion cannot check it).
 * \{
 */
template <class Parameters>
std::string value_of(const Parameters& parameters, const std::string& name)
{
    std::string found;
    Parameters::visit(parameters, [&](const auto& value, const parameter& about) {
        if (name == about.name)
            found = value_to_string(value);
    });
    return found;
}

//! \throws std::invalid_argument naming the first parameter that is refused
template <class Parameters>
const Parameters& checked(const Parameters& parameters)
{
    Parameters::visit(parameters, [](const auto& value, const parameter& about) {
        check_value(about, value);
    });
    parameters.rules([&](bool holds, const char* name, const char* allowed, const char*) {
        if (!holds)
            refuse_parameter(name, value_of(parameters, name), allowed);
    });
    return parameters;
}

//! A dictionary by names.
template <class Parameters>
pmt::pmt_t parameters_to_pmt(const Parameters& parameters)
{
    pmt::pmt_t dict = pmt::make_dict();
    Parameters::visit(parameters, [&](const auto& value, const parameter& about) {
        dict = pmt::dict_add(dict, pmt::mp(about.name), value_to_pmt(value));
    });
    return dict;
}

/*!
 * \brief From such a dictionary; what it does not have keeps its default.
 * \throws std::runtime_error naming an entry that is not known
 */
template <class Parameters>
Parameters parameters_from_pmt(const pmt::pmt_t& saved)
{
    Parameters parameters;
    std::vector<std::string> names;
    Parameters::visit(parameters, [&](auto& value, const parameter& about) {
        names.emplace_back(about.name);
        const pmt::pmt_t key = pmt::mp(about.name);
        if (pmt::dict_has_key(saved, key))
            value_from_pmt(pmt::dict_ref(saved, key, pmt::PMT_NIL), value);
    });
    refuse_unknown_entries(saved, names);
    return parameters;
}

template <class Parameters>
bool same_parameters(const Parameters& a, const Parameters& b)
{
    return pmt::equal(parameters_to_pmt(a), parameters_to_pmt(b));
}
//! \}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PARAMETER_H */
