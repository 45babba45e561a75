/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arrays.h"
#include <gnuradio/reservoir/equalizer.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace gr::reservoir;

namespace {

void refuse_with_known_symbols(bool given, const char* name, const char* value)
{
    if (given)
        throw py::value_error(std::string(name) + " = " + value +
                              ": must not be set with known_symbols");
}

} // namespace

void bind_equalizer(py::module& m)
{
    py::class_<equalizer, gr::block, gr::basic_block, equalizer::sptr>(
        m,
        "equalizer",
        "Equalizer block: trains a detector on each frame's training sequence and "
        "detects the symbols.\n\n"
        "One symbol out for every sps samples in, the training symbols included; "
        "output k counted from the training tag is symbol k. Every training tag trains "
        "again; of two closer together than the training symbols the later one holds, "
        "and the earlier training is counted in abandoned_trainings.\n\n"
        "Message port 'report': a dict for each training, with the fields of "
        "training_report and offset, trainings, abandoned_trainings, truncated_frames, "
        "skipped_trainings, hurried_frames; and warning, a string, where there is one. "
        "'command': dicts "
        "{'freeze': bool}, {'reset': True}, {'training_sequence': vector}.\n\n"
        "Four mistakes are told once in a run, in the log, in warnings() and in the "
        "next report: no training tag, though the detector is not trained; a training "
        "error above -1.5 dB; training tags closer together than the training; a "
        "training sequence so coloured that least squares suffers.")
        .def(py::init([](detector::sptr detector,
                         int sps,
                         complex_array training_sequence,
                         const std::string& training_start_tag,
                         int payload_len,
                         bool adapt_after_training,
                         gr::digital::constellation_sptr constellation,
                         bool background_training,
                         int workers,
                         bool use_history,
                         int hurry_above,
                         const known_symbols* known,
                         int tag_at,
                         bool soft_output) {
                 if (known) {
                     refuse_with_known_symbols(
                         training_sequence.size() > 0, "training_sequence", "given");
                     refuse_with_known_symbols(
                         adapt_after_training, "adapt_after_training", "True");
                     refuse_with_known_symbols(
                         background_training, "background_training", "True");
                     return equalizer::make(detector,
                                            sps,
                                            *known,
                                            training_start_tag,
                                            payload_len,
                                            workers,
                                            use_history,
                                            hurry_above,
                                            tag_at,
                                            soft_output,
                                            constellation);
                 }
                 return equalizer::make(detector,
                                        sps,
                                        to_rows(training_sequence, "training_sequence"),
                                        training_start_tag,
                                        payload_len,
                                        adapt_after_training,
                                        constellation,
                                        background_training,
                                        workers,
                                        use_history,
                                        hurry_above,
                                        tag_at,
                                        soft_output);
             }),
             py::arg("detector"),
             py::arg("sps") = 1,
             py::arg("training_sequence") = complex_array(0),
             py::arg("training_start_tag") = "corr_est",
             py::arg("payload_len") = 0,
             py::arg("adapt_after_training") = false,
             py::arg("constellation") = gr::digital::constellation_sptr(),
             py::arg("background_training") = false,
             py::arg("workers") = 1,
             py::arg("use_history") = false,
             py::arg("hurry_above") = 0,
             py::arg("known_symbols") = py::none(),
             py::arg("tag_at") = 0,
             py::arg("soft_output") = false,
             "detector: what is trained; belongs to this block from now on\n"
             "sps: samples per symbol, 1 to 64\n"
             "training_sequence: known symbols, (P,) or (streams, P)\n"
             "training_start_tag: key of the tag on the first training sample\n"
             "payload_len: symbols after the training that make up a frame; 0: a stream\n"
             "adapt_after_training: go on training on decisions; needs a constellation\n"
             "constellation: for these decisions, and the soft output's bits where the "
             "detector has none of its own, as constellation.base()\n"
             "background_training: train in a thread of its own while the symbols are "
             "detected with the training before; for rnn, which takes long\n"
             "workers: threads that receive frames, 1 to 64; more than one need "
             "payload_len > 0, "
             "and neither adapt_after_training nor background_training\n"
             "use_history: the samples before the training tag are used where the stream "
             "has them, instead of counting as zeros; needs payload_len > 0, without "
             "background_training\n"
             "hurry_above: samples that wait behind a frame, 0 to 2**30, above which its "
             "refits are left out; 0: never; needs payload_len > 0, without "
             "background_training, and a detector that makes refits\n"
             "known_symbols: instead of a training_sequence, known symbols anywhere in "
             "the "
             "frame; payload_len is then the number of its symbols that are not known\n"
             "tag_at: symbol of the training sequence or the frame that carries the tag, "
             "counted from 0; everything is held back by so many symbols\n"
             "soft_output: as many ports more as there are streams, after theirs: for "
             "each symbol the log-likelihood ratios log P(1)/P(0) of its bits, a vector "
             "of floats, ordered as calc_soft_dec of the constellation; +-8 where a "
             "symbol is known, 0 before the first training\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def(
            "set_training_sequence",
            [](equalizer& self, complex_array training_sequence) {
                self.set_training_sequence(
                    to_rows(training_sequence, "training_sequence"));
            },
            py::arg("training_sequence"),
            "New training symbols, from the next tag on.")
        .def(
            "training_sequence",
            [](const equalizer& self) { return to_array(self.training_sequence()); },
            "The training symbols.")
        .def("set_adapt_after_training",
             &equalizer::set_adapt_after_training,
             py::arg("adapt"))
        .def("adapt_after_training", &equalizer::adapt_after_training)
        .def("set_freeze",
             &equalizer::set_freeze,
             py::arg("freeze"),
             "True: tags restart grid and state, but nothing is trained any more.")
        .def("freeze", &equalizer::freeze)
        .def("reset_training",
             &equalizer::reset_training,
             "Pass samples through until the next training.")
        .def("trainings", &equalizer::trainings, "Trainings so far.")
        .def("abandoned_trainings",
             &equalizer::abandoned_trainings,
             "Trainings cut short by a newer training tag or the end of the stream, or "
             "refused\n"
             "by the detector.")
        .def(
            "truncated_frames",
            &equalizer::truncated_frames,
            "Frames whose payload was cut short, by a tag or by a radio's overrun (a tag "
            "rx_time in a frame).")
        .def("skipped_trainings",
             &equalizer::skipped_trainings,
             "In the background: trainings that never began because newer pilots came.")
        .def("hurried_frames",
             &equalizer::hurried_frames,
             "Frames received without refits, as too many samples waited.")
        .def("bad_samples", &equalizer::bad_samples, "Samples that were not finite.")
        .def("report", &equalizer::report, "The last training's report.")
        .def(
            "warnings",
            &equalizer::warnings,
            "Mistakes told in this run, a list of sentences: the last of each kind; that "
            "of the training sequence stays.");
}
