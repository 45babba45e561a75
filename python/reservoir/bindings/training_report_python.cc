/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "figures.h"
#include <gnuradio/reservoir/training_report.h>
#include <string>

namespace py = pybind11;
using namespace gr::reservoir;

namespace {

// Calls visit(report_field) for every figure.
template <class Visit>
void each_field(Visit visit)
{
    const training_report any;
    training_report::visit(any,
                           [&](const auto&, const report_field& about) { visit(about); });
}

py::object item(const training_report& report, const std::string& key)
{
    py::object found;
    training_report::visit(report, [&](const auto& value, const report_field& about) {
        if (key == about.name)
            found = figure(value, about);
    });
    if (!found)
        throw py::key_error(key);
    return found;
}

py::list names()
{
    py::list keys;
    each_field([&](const report_field& about) { keys.append(about.name); });
    return keys;
}

template <class Figures>
py::list fields()
{
    py::list all;
    const Figures any;
    Figures::visit(any, [&](const auto& value, const report_field& about) {
        py::dict field;
        field["name"] = about.name;
        field["type"] = figure_type(value);
        field["text"] = about.text;
        field["of_descent"] = about.of_descent;
        all.append(field);
    });
    return all;
}

std::string documentation()
{
    std::string text =
        "What a training found; NaN where a figure does not apply. Attributes, or as a "
        "mapping: report['mse'], dict(report). Arrays are complex64 or float64.\n";
    for (const bool of_descent : { false, true }) {
        if (of_descent)
            text += "\nOf rnn, one entry per epoch, before its step:";
        each_field([&](const report_field& about) {
            if (about.of_descent == of_descent)
                text += std::string("\n") + about.name + ": " + about.text;
        });
        text += "\n";
    }
    return text;
}

} // namespace

void bind_training_report(py::module& m)
{
    py::class_<training_report> report(m, "training_report", documentation().c_str());
    each_field([&](const report_field& about) {
        report.def_property_readonly(
            about.name,
            [name = std::string(about.name)](const training_report& r) {
                return item(r, name);
            },
            about.text);
    });
    report.def("__getitem__", &item, py::arg("key"))
        .def("keys", [](const training_report&) { return names(); })
        .def("__iter__", [](const training_report&) { return py::iter(names()); })
        .def("__len__", [](const training_report&) { return names().size(); })
        .def("__contains__",
             [](const training_report&, const std::string& key) {
                 return names().contains(key);
             })
        .def("__repr__",
             [](const training_report& r) {
                 return py::str("training_report(mse={:.3g}, evm_db={:.1f}, delay={}, "
                                "regularization={:.3g})")
                     .format(r.mse, r.evm_db, r.delay, r.regularization);
             })
        .def_static("fields",
                    &fields<training_report>,
                    "The figures that there are: a list of dicts with name, type, text "
                    "and of_descent.")
        .def_static("progress_fields",
                    &fields<training_progress>,
                    "Likewise of what set_progress tells of each epoch.");
}
