/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "figures.h"
#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/detector.h>
#include <gnuradio/reservoir/detector_kinds.h>
#include <gnuradio/reservoir/ofdm_detector.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace py = pybind11;
using namespace gr::reservoir;

namespace {

py::dict to_dict(const training_progress& progress)
{
    py::dict dict;
    training_progress::visit(progress, [&](const auto& value, const report_field& about) {
        dict[about.name] = figure(value, about);
    });
    return dict;
}

py::dict to_dict(const detector_kind& kind, const py::object& type)
{
    py::dict dict;
    dict["name"] = kind.about.name;
    dict["title"] = kind.about.title;
    dict["family"] = kind.about.family;
    dict["keywords"] = kind.about.keywords;
    dict["brief"] = kind.about.brief;
    dict["details"] = kind.about.details;
    dict["caution"] = kind.about.caution;
    dict["trains_in_epochs"] = kind.about.trains_in_epochs;
    dict["adapts"] = kind.about.adapts;
    dict["adapts_when"] = kind.about.adapts_when;
    py::list commands;
    for (const about_command& command : kind.about.commands)
        if (command.name)
            commands.append(py::make_tuple(command.name, command.value, command.text));
    dict["commands"] = commands;
    dict["parameters"] = type.attr("parameters")();
    py::list rules;
    for (const auto& rule : kind.rules)
        rules.append(py::make_tuple(rule.name, rule.allowed, rule.python));
    dict["rules"] = rules;
    return dict;
}

typedef py::array_t<float, py::array::c_style | py::array::forcecast> float_array;

// (symbols, bits) or (streams, symbols, bits)
std::vector<std::vector<float>> to_ratios(const float_array& array, const detector& self)
{
    const int bits = self.soft_bits_per_symbol();
    const py::ssize_t streams = array.ndim() == 3 ? array.shape(0) : 1;
    if (array.ndim() < 2 || array.ndim() > 3 || array.shape(array.ndim() - 1) != bits)
        throw py::value_error("prior_llrs shape: must be (symbols, " +
                              std::to_string(bits) + ") or (num_outputs, symbols, " +
                              std::to_string(bits) + ")");
    std::vector<std::vector<float>> rows;
    for (py::ssize_t o = 0; o < streams; o++) {
        const float* const first = array.data() + o * (array.size() / streams);
        rows.emplace_back(first, first + array.size() / streams);
    }
    return rows;
}

float_array to_array(const std::vector<std::vector<float>>& rows, int bits)
{
    const py::ssize_t streams = rows.size(), size = rows[0].size();
    std::vector<py::ssize_t> shape = { size / bits, bits };
    if (streams != 1)
        shape.insert(shape.begin(), streams);
    float_array array(shape);
    for (py::ssize_t o = 0; o < streams; o++)
        std::copy(rows[o].begin(), rows[o].end(), array.mutable_data() + o * size);
    return array;
}

} // namespace

void bind_detector(py::module& m)
{
    py::class_<detector, detector::sptr>(m,
                                         "detector",
                                         "A receiver that is trained on known pilots and "
                                         "detects symbols; no flowgraph needed.\n\n"
                                         "received[k*sps] is the sample at the instant "
                                         "of symbol k; output k is symbol k, in the "
                                         "units of the pilots. Arrays are complex64, one "
                                         "row per antenna or stream, 1-D where "
                                         "there is one.")
        .def("kind", &detector::kind, "Name of the kind of detector.")
        .def("num_inputs", &detector::num_inputs, "Antennas.")
        .def("num_outputs", &detector::num_outputs, "Streams.")
        .def("look_ahead",
             &detector::look_ahead,
             "Symbols beyond symbol k that its decision may need.")
        .def("look_back",
             &detector::look_back,
             "Symbol periods before the first pilot that receive() makes use of where it "
             "gets them (history).")
        .def("takes_unknown_pilots",
             &detector::takes_unknown_pilots,
             "Whether there may be unknown symbols between the known ones.")
        .def("trained", &detector::trained, "Whether it was trained.")
        .def("bad_samples",
             &detector::bad_samples,
             "Samples so far that were not finite and were taken as zero.")
        .def(
            "fit",
            [](detector& self, complex_array received, complex_array pilots, int sps) {
                const auto rows = to_rows(received, "received");
                const auto known = to_rows(pilots, "pilots");
                py::gil_scoped_release release;
                return self.fit(rows, known, sps);
            },
            py::arg("received"),
            py::arg("pilots"),
            py::arg("sps") = 1,
            "Trains on known symbols; returns a training_report.\n\n"
            "received: (num_inputs, samples); may run past the pilots, look-ahead uses "
            "it\n"
            "pilots: (num_outputs, P) known symbols, any finite values; fir, esn and rnn "
            "take "
            "NaN for those between them that are not known\n"
            "sps: samples per symbol, 1 to 64\n"
            "Raises ValueError if the shapes do not fit or the pilots are not finite.")
        .def(
            "detect",
            [](detector& self, complex_array received, int sps) {
                const auto rows = to_rows(received, "received");
                stream_matrix symbols;
                {
                    py::gil_scoped_release release;
                    symbols = self.detect(rows, sps);
                }
                return to_array(symbols);
            },
            py::arg("received"),
            py::arg("sps") = 1,
            "Detects the symbols that follow; streaming, state goes on from call to "
            "call.\n\n"
            "Look-ahead is held back: fewer symbols than instants may come out; the "
            "pieces "
            "joined are the whole. Raises RuntimeError before the first fit.")
        .def(
            "receive",
            [](detector& self,
               complex_array received,
               const std::variant<complex_array, known_symbols>& pilots,
               int sps,
               int payload_len,
               std::optional<complex_array> history,
               bool soft,
               const std::optional<float_array>& prior_llrs,
               gr::digital::constellation_sptr constellation) -> py::object {
                const auto rows = to_rows(received, "received");
                const auto* pattern = std::get_if<known_symbols>(&pilots);
                const auto known =
                    pattern ? stream_matrix()
                            : to_rows(std::get<complex_array>(pilots), "pilots");
                const auto before =
                    history ? to_rows(*history, "history") : stream_matrix();
                if (!soft) {
                    if (prior_llrs)
                        throw py::value_error("prior_llrs: must be None without soft");
                    stream_matrix symbols;
                    {
                        py::gil_scoped_release release;
                        symbols =
                            pattern
                                ? self.receive(rows, *pattern, sps, payload_len, before)
                                : self.receive(rows, known, sps, payload_len, before);
                    }
                    return to_array(symbols);
                }
                if (constellation || self.soft_bits_per_symbol() == 0)
                    self.set_soft_output(constellation);
                const auto priors = prior_llrs ? to_ratios(*prior_llrs, self)
                                               : std::vector<std::vector<float>>();
                soft_symbols found;
                {
                    py::gil_scoped_release release;
                    found = pattern
                                ? self.receive_softly(
                                      rows, *pattern, sps, payload_len, before, priors)
                                : self.receive_softly(
                                      rows, known, sps, payload_len, before, priors);
                }
                return py::make_tuple(to_array(found.symbols),
                                      to_array(found.llrs, self.soft_bits_per_symbol()));
            },
            py::arg("received"),
            py::arg("pilots"),
            py::arg("sps") = 1,
            py::arg("payload_len") = -1,
            py::arg("history") = py::none(),
            py::arg("soft") = false,
            py::arg("prior_llrs") = py::none(),
            py::arg("constellation") = gr::digital::constellation_sptr(),
            "One whole frame: fit, then detect; returns P + payload_len symbols.\n\n"
            "pilots: as in fit, or known_symbols: then payload_len counts the symbols of "
            "the "
            "frame that are not known, and known_symbols.length(payload_len) come\n"
            "payload_len: symbols after the pilots; -1: all that was given. Samples "
            "after the "
            "frame serve as look-ahead only; where there are none, zeros do.\n"
            "history: (num_inputs, samples) that came before the first pilot, where they "
            "are "
            "known; the last look_back() symbol periods are used. Samples that are not "
            "there "
            "count as zeros.\n"
            "soft: also return the log-likelihood ratios of the symbols' bits, float32 "
            "(num_outputs, symbols, bits), or (symbols, bits) where there is one stream: "
            "log P(1)/P(0), the most significant bit first, as calc_soft_dec of the "
            "constellation orders them. They are extrinsic (prior_llrs is not in them) "
            "and limited to +-8, which is what bits of known symbols have.\n"
            "prior_llrs: the same of what is known beforehand, of every symbol; limited "
            "to +-20; None: nothing\n"
            "constellation: whose bits these are, as constellation.base(); needed the "
            "first time by detectors that have none of their own, which is all but "
            "configured_esn.")
        .def("reset", &detector::reset, "Clears the state, keeps what was trained.")
        .def("report", &detector::report, "The last training's report.")
        .def("save",
             &detector::save,
             py::arg("path"),
             "Writes parameters and what was trained to a file. Raises RuntimeError\n"
             "if it cannot be written or could not be loaded.")
        .def(
            "set_tracking",
            &detector::set_tracking,
            py::arg("constellation"),
            "After the next fit, go on with training by decisions of this constellation; "
            "None: off.")
        .def(
            "set_channel",
            [](detector& self, complex_array channel) {
                self.set_channel(to_rows(channel, "channel"));
            },
            py::arg("channel"),
            "From the next training on, the channel is known instead of estimated.\n\n"
            "channel: impulse response at the sample rate, one row per antenna, its "
            "first "
            "tap at "
            "the symbol's instant; scale and phase are fitted to the pilots. Empty: "
            "estimate it. "
            "Raises ValueError where the kind of detector has no use for it.")
        .def("set_power_delay_profile",
             &detector::set_power_delay_profile,
             py::arg("powers"),
             "From the next training on, mean powers of the channel's taps, one per "
             "symbol. Raises "
             "ValueError where the detector has no use for them.")
        .def("cancel",
             &detector::cancel,
             py::arg("cancel") = true,
             "While set, a fit that takes many epochs stops after the present one and "
             "keeps what "
             "it has, later ones after their first. Does not wait for a fit that is "
             "running.")
        .def("cancelled", &detector::cancelled, "Whether cancel is set.")
        .def(
            "set_progress",
            [](detector& self, std::function<void(py::dict)> progress) {
                std::function<void(const training_progress&)> call;
                if (progress)
                    call = [progress](const training_progress& now) {
                        const py::gil_scoped_acquire acquire;
                        progress(to_dict(now));
                    };
                const py::gil_scoped_release release;
                self.set_progress(std::move(call));
            },
            py::arg("progress"),
            "Calls progress(dict) once per epoch of a training by descent, on the thread "
            "that "
            "fits; None: nothing is called.\n\n"
            "Keys: restart, epoch, epochs, loss, held_out_loss, gradient_norm, "
            "condition_number, "
            "eigenvalues (complex64; empty where not computed). Of the detector's "
            "methods only "
            "cancel() may be called. An exception ends the fit, which then has changed "
            "nothing.")
        .def(
            "clone",
            [](const detector& self) { return self.clone(); },
            "A detector of its own with the same parameters and what was trained, its "
            "state "
            "reset.")
        .def(
            "adopt",
            [](detector& self, const detector& trained) { self.adopt(trained); },
            py::arg("trained"),
            py::call_guard<py::gil_scoped_release>(),
            "Takes over what a clone was trained to be meanwhile, with its report; the "
            "state "
            "is reset. "
            "Raises ValueError if it is of another kind or shape, or untrained.");
}

void bind_detector_kinds(py::module& m)
{
    m.def(
        "load",
        [](const std::string& path) {
            const trainable::sptr loaded = load(path);
            std::variant<detector::sptr, ofdm_detector::sptr> found =
                std::dynamic_pointer_cast<detector>(loaded);
            if (!std::get<0>(found))
                found = std::dynamic_pointer_cast<ofdm_detector>(loaded);
            return found;
        },
        py::arg("path"),
        "Reads a detector that save() wrote: trained, its state reset. Raises "
        "RuntimeError.");
    m.def(
        "detectors",
        [m] {
            py::dict types;
            for (const auto& kind : detector_kinds())
                types[kind.about.name] = m.attr(kind.about.name);
            return types;
        },
        "The kinds of detectors there are: a dict from name to class.");
    const auto list = [m](const std::vector<detector_kind>& kinds) {
        py::list dicts;
        for (const auto& kind : kinds)
            dicts.append(to_dict(kind, m.attr(kind.about.name)));
        return dicts;
    };
    m.def(
        "detector_kinds",
        [list] { return list(detector_kinds()); },
        "What there is to say of each kind: a list of dicts with name, title, family, "
        "keywords, brief, details, caution, trains_in_epochs, adapts, adapts_when, "
        "commands (name, "
        "value, text), parameters and rules (parameter, what is allowed, condition in "
        "Python).");
    m.def(
        "ofdm_detector_kinds",
        [list] { return list(ofdm_detector_kinds()); },
        "The same of the detectors of OFDM frames.");
}
