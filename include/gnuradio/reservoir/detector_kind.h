/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_KIND_H
#define INCLUDED_RESERVOIR_DETECTOR_KIND_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/described.h>
#include <gnuradio/reservoir/detector.h>
#include <gnuradio/reservoir/parameter.h>
#include <functional>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! A parameter of a kind, with its type and default.
struct RESERVOIR_API described_parameter {
    parameter about;
    parameter_type type;
    pmt::pmt_t standard; //!< the default
};

//! What must hold between parameters of a kind.
struct RESERVOIR_API described_rule {
    std::string name;    //!< parameter that is refused
    std::string allowed; //!< what is allowed
    std::string python;  //!< the condition; empty: cannot be said in Python
};

/*!
 * \brief Everything there is to say of a kind of detector, and how to make one.
 */
struct RESERVOIR_API detector_kind {
    about_kind about;
    std::vector<described_parameter> parameters; //!< in the order of the arguments
    std::vector<described_rule> rules;
    //! From a dictionary by names; what it does not have keeps its default.
    std::function<trainable::sptr(const pmt::pmt_t& parameters)> make;
};

/*!
 * \brief What detector_kind says of a class.
 *
 * A detector NAME has a function `detector_kind describe_NAME()` beside its implementation, which
 * calls this: detector_kinds() asks these functions and knows no class.
 */
template <class Detector>
detector_kind describe_kind()
{
    typedef typename Detector::parameters_type parameters_type;
    detector_kind kind;
    kind.about = parameters_type::ABOUT;
    const parameters_type standard;
    parameters_type::visit(standard, [&](const auto& value, const parameter& about) {
        kind.parameters.push_back(
            { about,
              parameter_type_of<std::decay_t<decltype(value)>>::value,
              value_to_pmt(value) });
    });
    standard.rules([&](bool, const char* name, const char* allowed, const char* python) {
        kind.rules.push_back({ name, allowed, python });
    });
    kind.make = [](const pmt::pmt_t& parameters) {
        return std::make_shared<Detector>(
            parameters_from_pmt<parameters_type>(parameters));
    };
    return kind;
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_KIND_H */
