/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_DESCRIBED_CLASS_H
#define INCLUDED_RESERVOIR_BINDINGS_DESCRIBED_CLASS_H

#include "arrays.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <gnuradio/reservoir/rcnet.h>
#include <string>
#include <vector>

//! \name A parameter's value from Python. \throws TypeError naming the parameter
//! \{
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       int& value);
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       int64_t& value);
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       double& value);
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       bool& value);
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       std::string& value);
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       std::vector<int>& value);
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       std::vector<double>& value);
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       gr::reservoir::constellation_points& value);
void value_from_python(pybind11::handle given,
                       const gr::reservoir::parameter& about,
                       gr::reservoir::ofdm_stages& value);
//! \}

/*!
 * The arguments by the parameters' names, those without a name in the parameters' order.
 * \throws TypeError for one too many, unknown or given twice
 */
pybind11::dict by_names(const gr::reservoir::detector_kind& kind,
                        const pybind11::args& args,
                        const pybind11::kwargs& kwargs);
//! Signature and a line per parameter.
std::string constructor_documentation(const gr::reservoir::detector_kind& kind);
//! A list of dicts, one per parameter.
pybind11::list parameters_to_python(const gr::reservoir::detector_kind& kind);

/*!
 * \brief Binds a kind of detector by its description: constructor, documentation, parameters().
 * Methods of its own are for the caller to add.
 */
template <class Detector, class Interface = gr::reservoir::detector>
pybind11::class_<Detector, Interface, std::shared_ptr<Detector>>
described_class(pybind11::module& m)
{
    namespace py = pybind11;
    typedef typename Detector::parameters_type parameters_type;
    static const gr::reservoir::detector_kind kind =
        gr::reservoir::describe_kind<Detector>();
    std::string documentation = kind.about.brief;
    for (const std::string paragraph : { kind.about.details, kind.about.caution })
        if (!paragraph.empty())
            documentation += "\n\n" + paragraph;
    py::class_<Detector, Interface, std::shared_ptr<Detector>> bound(
        m, kind.about.name, documentation.c_str());
    py::options options;
    options.disable_function_signatures(); // what pybind11 sees is *args, **kwargs
    bound.def(py::init([](const py::args& args, const py::kwargs& kwargs) {
                  const py::dict given = by_names(kind, args, kwargs);
                  parameters_type parameters;
                  parameters_type::visit(
                      parameters,
                      [&](auto& value, const gr::reservoir::parameter& about) {
                          if (given.contains(about.name))
                              value_from_python(given[about.name], about, value);
                      });
                  return std::make_shared<Detector>(parameters);
              }),
              constructor_documentation(kind).c_str());
    bound.def_static(
        "parameters",
        [] { return parameters_to_python(kind); },
        "parameters() -> list\n\nWhat there is to say of the constructor's parameters, "
        "in their order: a list of dicts with name, type, default, text, unit, range and "
        "more.");
    return bound;
}

#endif /* INCLUDED_RESERVOIR_BINDINGS_DESCRIBED_CLASS_H */
