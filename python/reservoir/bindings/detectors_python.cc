/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arrays.h"
#include <gnuradio/reservoir/configured_esn.h>
#include <gnuradio/reservoir/detector.h>
#include <gnuradio/reservoir/esn.h>
#include <gnuradio/reservoir/fir.h>
#include <gnuradio/reservoir/kernel/viterbi_equalizer.h>
#include <gnuradio/reservoir/rnn.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <functional>
#include <map>
#include <optional>

namespace py = pybind11;
using namespace gr::reservoir;

namespace {

template <class T>
py::object to_list(const std::vector<T>& values)
{
    return py::array_t<T>(values.size(), values.data());
}

// The report's fields, in the order in which they are shown.
typedef std::pair<const char*, std::function<py::object(const training_report&)>> field;
const std::vector<field>& fields()
{
    static const std::vector<field> all = {
        { "mse", [](const auto& r) { return py::cast(r.mse); } },
        { "evm_db", [](const auto& r) { return py::cast(r.evm_db); } },
        { "seconds", [](const auto& r) { return py::cast(r.seconds); } },
        { "delay", [](const auto& r) { return py::cast(r.delay); } },
        { "regularization", [](const auto& r) { return py::cast(r.regularization); } },
        { "noise_variance", [](const auto& r) { return py::cast(r.noise_variance); } },
        { "bad_samples", [](const auto& r) { return py::cast(r.bad_samples); } },
        { "channel", [](const auto& r) -> py::object { return to_array(r.channel); } },
        { "poles",
          [](const auto& r) -> py::object {
              return complex_array(r.poles.size(), r.poles.data());
          } },
        { "timing", [](const auto& r) { return py::cast(r.timing); } },
        { "carrier_offset", [](const auto& r) { return py::cast(r.carrier_offset); } },
        { "warp",
          [](const auto& r) -> py::object {
              return complex_array(r.warp.size(), r.warp.data());
          } },
        { "residuals", [](const auto& r) { return to_list(r.residuals); } },
        { "refits", [](const auto& r) { return py::cast(r.refits); } },
        { "tracked", [](const auto& r) { return py::cast(r.tracked); } },
        { "condition_number", [](const auto& r) { return to_list(r.condition_number); } },
        { "loss", [](const auto& r) { return to_list(r.loss); } },
        { "held_out_loss", [](const auto& r) { return to_list(r.held_out_loss); } },
        { "gradient_norm", [](const auto& r) { return to_list(r.gradient_norm); } },
        { "eigenvalues",
          [](const auto& r) -> py::object { return to_matrix(r.eigenvalues); } },
        { "jacobian_rank", [](const auto& r) { return to_list(r.jacobian_rank); } },
        { "recurrent_condition_number",
          [](const auto& r) { return to_list(r.recurrent_condition_number); } },
        { "gram_condition_number",
          [](const auto& r) { return to_list(r.gram_condition_number); } },
        { "best_epoch", [](const auto& r) { return py::cast(r.best_epoch); } },
        { "restart", [](const auto& r) { return py::cast(r.restart); } },
        { "diverged", [](const auto& r) { return py::cast(r.diverged); } },
        { "cancelled", [](const auto& r) { return py::cast(r.cancelled); } },
    };
    return all;
}

py::object item(const training_report& report, const std::string& key)
{
    for (const auto& [name, get] : fields())
        if (key == name)
            return get(report);
    throw py::key_error(key);
}

py::list names()
{
    py::list keys;
    for (const auto& entry : fields())
        keys.append(entry.first);
    return keys;
}

void bind_report(py::module& m)
{
    py::class_<training_report> report(
        m,
        "training_report",
        "What a training found; NaN where a figure does not apply. Attributes, or as a "
        "mapping: report['mse'], dict(report).\n\n"
        "mse: leave-one-out mean |e|^2 on the pilots, before unbiasing\n"
        "evm_db: leave-one-out error of the unbiased output over the pilots' rms\n"
        "seconds: wall-clock time of the training\n"
        "delay: decision delay in symbols\n"
        "regularization: lambda, relative to the number of pilots and unit-power "
        "features\n"
        "noise_variance: variance of the unbiased output around the symbol, pilot units\n"
        "bad_samples: samples so far that were not finite and were taken as zero\n"
        "channel: impulse response (complex64; a row an input); empty if not estimated\n"
        "poles: recurrent poles (complex64); empty where there are none\n"
        "timing: symbols that the channel begins early, as estimated\n"
        "carrier_offset: cycles a symbol, of what was derotated\n"
        "warp: transmitter's gain of each amplitude ring\n"
        "residuals: forward-model residual of each pass over a frame, input scale\n"
        "refits: passes after the first until the one that was kept\n"
        "tracked: whether the channel was followed block by block\n"
        "condition_number: of the readout's normal equations; of rnn one an epoch: of "
        "the "
        "Gauss-Newton matrix, over singular values of the Jacobian above 1e-9 of the "
        "largest, NaN "
        "where it was not computed\n\n"
        "Of rnn, one entry an epoch, before its step; losses are of symbols of unit "
        "power:\n"
        "loss, held_out_loss: mean |e|^2 over the pilots trained on, and held out (else "
        "NaN)\n"
        "gradient_norm: Euclidean, before clipping\n"
        "eigenvalues: of W, complex64 (epochs, neurons); NaN where not computed\n"
        "jacobian_rank: number of the singular values that count\n"
        "recurrent_condition_number, gram_condition_number: of W, of the states' Gram "
        "matrix\n"
        "best_epoch: whose weights were kept; the number of epochs: after the last step\n"
        "restart: which restart was kept\n"
        "diverged: weights became non-finite, the last finite ones were kept\n"
        "cancelled: the training was cut short by cancel()");
    for (const auto& [name, get] : fields())
        report.def_property_readonly(name,
                                     [get](const training_report& r) { return get(r); });
    report.def("__getitem__", &item, py::arg("key"))
        .def("keys", [](const training_report&) { return names(); })
        .def("__iter__", [](const training_report&) { return py::iter(names()); })
        .def("__len__", [](const training_report&) { return fields().size(); })
        .def("__contains__",
             [](const training_report&, const std::string& key) {
                 return names().contains(key);
             })
        .def("__repr__", [](const training_report& r) {
            return py::str("training_report(mse={:.3g}, evm_db={:.1f}, delay={}, "
                           "regularization={:.3g})")
                .format(r.mse, r.evm_db, r.delay, r.regularization);
        });
}

// An implementation's class is not bound: hands out the interface that it has.
py::object as_bound(const detector::sptr& made)
{
    if (auto as_fir = std::dynamic_pointer_cast<fir>(made))
        return py::cast(as_fir);
    if (auto as_esn = std::dynamic_pointer_cast<esn>(made))
        return py::cast(as_esn);
    if (auto as_configured = std::dynamic_pointer_cast<configured_esn>(made))
        return py::cast(as_configured);
    if (auto as_rnn = std::dynamic_pointer_cast<rnn>(made))
        return py::cast(as_rnn);
    return py::cast(made);
}

py::dict to_dict(const training_progress& progress)
{
    py::dict dict;
    dict["restart"] = progress.restart;
    dict["epoch"] = progress.epoch;
    dict["epochs"] = progress.epochs;
    dict["loss"] = progress.loss;
    dict["held_out_loss"] = progress.held_out_loss;
    dict["gradient_norm"] = progress.gradient_norm;
    dict["condition_number"] = progress.condition_number;
    dict["eigenvalues"] =
        complex_array(progress.eigenvalues.size(), progress.eigenvalues.data());
    return dict;
}

void bind_base(py::module& m)
{
    py::class_<detector, detector::sptr>(m,
                                         "detector",
                                         "Learns a receiver on known pilots and detects "
                                         "symbols with it; no flowgraph needed.\n\n"
                                         "received[k*sps] is the sample at the instant "
                                         "of symbol k; output k is symbol k, in the "
                                         "units of the pilots. Arrays are complex64, one "
                                         "row an antenna or stream, 1-D where "
                                         "there is one.")
        .def("kind", &detector::kind, "Name of the kind of detector.")
        .def("num_inputs", &detector::num_inputs, "Antennas.")
        .def("num_outputs", &detector::num_outputs, "Streams.")
        .def("look_ahead",
             &detector::look_ahead,
             "Symbols beyond symbol k that its decision may need.")
        .def("trained", &detector::trained, "Whether anything is learnt.")
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
            "pilots: (num_outputs, P) known symbols, any finite values\n"
            "sps: samples a symbol, 1 to 64\n"
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
               complex_array pilots,
               int sps,
               int payload_len) {
                const auto rows = to_rows(received, "received");
                const auto known = to_rows(pilots, "pilots");
                stream_matrix symbols;
                {
                    py::gil_scoped_release release;
                    symbols = self.receive(rows, known, sps, payload_len);
                }
                return to_array(symbols);
            },
            py::arg("received"),
            py::arg("pilots"),
            py::arg("sps") = 1,
            py::arg("payload_len") = -1,
            "One whole frame: fit, then detect; returns P + payload_len symbols.\n\n"
            "payload_len: symbols after the pilots; -1: all that was given. Samples "
            "after the "
            "frame serve as look-ahead only; where there are none, zeros do.")
        .def("reset", &detector::reset, "Clears the state, keeps what was learnt.")
        .def("report", &detector::report, "The last training's report.")
        .def("save",
             &detector::save,
             py::arg("path"),
             "Writes parameters and what was learnt to a file. Raises RuntimeError.")
        .def("set_tracking",
             &detector::set_tracking,
             py::arg("constellation"),
             "After the next fit, go on learning from decisions of this constellation; "
             "None: off.")
        .def(
            "set_channel",
            [](detector& self, complex_array channel) {
                self.set_channel(to_rows(channel, "channel"));
            },
            py::arg("channel"),
            "From the next training on, the channel is known instead of estimated.\n\n"
            "channel: impulse response at the sample rate, one row an antenna, its first "
            "tap at "
            "the symbol's instant; scale and phase are fitted to the pilots. Empty: "
            "estimate it. "
            "Raises ValueError where the kind of detector has no use for it.")
        .def("set_power_delay_profile",
             &detector::set_power_delay_profile,
             py::arg("powers"),
             "From the next training on, mean powers of the channel's taps, one a "
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
            "Calls progress(dict) once an epoch of a training by descent, on the thread "
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
            [](const detector& self) { return as_bound(self.clone()); },
            "A detector of its own with the same parameters and what was learnt, its "
            "state "
            "reset.")
        .def("adopt",
             &detector::adopt,
             py::arg("trained"),
             py::call_guard<py::gil_scoped_release>(),
             "Takes over what a clone has learnt meanwhile, with its report; the state "
             "is reset. "
             "Raises ValueError if it is of another kind or shape, or untrained.");
}

} // namespace

void bind_detectors(py::module& m)
{
    m.def("viterbi_equalizer",
          &gr::reservoir::kernel::viterbi_equalizer,
          py::arg("received"),
          py::arg("num_symbols"),
          py::arg("channel"),
          py::arg("points"),
          py::arg("past"),
          py::arg("future") = std::vector<gr_complex>(),
          py::call_guard<py::gil_scoped_release>(),
          "Maximum-likelihood sequence estimation (Forney, 1972): indices of points.\n\n"
          "received: on-time samples of the symbols wanted, and of as many known ones "
          "after them; "
          "channel: impulse response; points: constellation; past: symbols before the "
          "first, "
          "newest first; future: known symbols after the last, in order. Raises "
          "ValueError where points to the power of taps exceed 2**20.");
    bind_report(m);
    bind_base(m);

    py::class_<fir, detector, fir::sptr>(
        m,
        "fir",
        // a virtual base lies elsewhere in the object: pybind11 must convert the pointer
        py::multiple_inheritance(),
        "Least-squares FIR equalizer: the baseline that every network must beat.")
        .def(py::init(&fir::make),
             py::arg("num_taps") = 24,
             py::arg("delay") = 12,
             py::arg("regularization") = -1.0,
             py::arg("update") = "ls",
             py::arg("forgetting") = 1.0,
             py::arg("num_inputs") = 1,
             py::arg("num_outputs") = 1,
             "num_taps: length in symbol periods, 1 to 1024\n"
             "delay: decision delay in symbols, 0 to num_taps - 1; -1: search\n"
             "regularization: lambda >= 0; -1: exact leave-one-out\n"
             "update: 'ls' (every pilot counts the same) or 'rls' (the latest count "
             "most)\n"
             "forgetting: factor by which a symbol's weight shrinks with each later one, "
             "above 0.5, at most 1\n"
             "num_inputs, num_outputs: antennas, streams, 1 to 64\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def(
            "taps",
            [](const fir& self) { return to_matrix(self.taps()); },
            "Trained taps for samples of unit power, one row an output: input-major, "
            "newest "
            "sample first. Empty before training.");

    py::class_<esn, detector, esn::sptr>(m,
                                         "esn",
                                         py::multiple_inheritance(),
                                         "Echo state network: a fixed random recurrent "
                                         "network whose readout is trained by least "
                                         "squares (Jaeger, 2001).")
        .def(py::init(&esn::make),
             py::arg("num_neurons") = 32,
             py::arg("window") = 24,
             py::arg("delay") = 12,
             py::arg("spectral_radius") = 0.4,
             py::arg("sparsity") = 0.0,
             py::arg("input_scaling") = 0.05,
             py::arg("activation") = "magnitude_tanh",
             py::arg("regularization") = -1.0,
             py::arg("update") = "ls",
             py::arg("forgetting") = 1.0,
             py::arg("seed") = 1,
             py::arg("num_inputs") = 1,
             py::arg("num_outputs") = 1,
             "num_neurons: 1 to 1024\n"
             "window: symbol periods that the network and the readout see, 1 to 1024\n"
             "delay: decision delay in symbols, 0 to window - 1; -1: search\n"
             "spectral_radius: largest eigenvalue modulus, 0 to 2; below 1 for "
             "'identity'\n"
             "sparsity: fraction of the recurrent weights that are zero, 0 to below 1\n"
             "input_scaling: norm of each neuron's input weights, 0 to 100\n"
             "activation: 'identity', 'magnitude_tanh' or 'split_tanh'\n"
             "regularization, update, forgetting: as in fir\n"
             "seed: of the random weights; the same network on every machine\n"
             "num_inputs, num_outputs: antennas, streams, 1 to 64\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def("activation", &esn::activation, "The activation's name.")
        .def(
            "recurrent_weights",
            [](const esn& self) { return to_matrix(self.recurrent_weights()); },
            "W, (num_neurons, num_neurons).")
        .def(
            "input_weights",
            [](const esn& self, int sps) { return to_matrix(self.input_weights(sps)); },
            py::arg("sps") = 1,
            "U, (num_neurons, num_inputs * window * sps): input-major, newest sample "
            "first.")
        .def(
            "readout",
            [](const esn& self) { return to_matrix(self.readout()); },
            "Trained readout, one row an output: [neurons; window]. Empty before "
            "training.")
        .def(
            "states",
            [](const esn& self, complex_array received, int sps) {
                return to_matrix(self.states(to_rows(received, "received"), sps));
            },
            py::arg("received"),
            py::arg("sps") = 1,
            "States (num_neurons, symbols) for samples that are already scaled, from "
            "zero on.");

    py::class_<configured_esn, detector, configured_esn::sptr>(
        m,
        "configured_esn",
        py::multiple_inheritance(),
        "Echo state network whose poles are configured from the channel: decision "
        "feedback with "
        "survivors, decision-directed refits, timing, carrier offset, amplifier and "
        "fading "
        "found on the way.")
        .def(
            py::init(&configured_esn::make),
            py::kw_only(),
            py::arg("constellation") = nullptr,
            py::arg("channel_len") = 0,
            py::arg("feedback") = true,
            py::arg("survivors") = 8,
            py::arg("refits") = 2,
            py::arg("prior_weight") = 3.0,
            py::arg("poles") = "estimate",
            py::arg("power_delay_profile") = std::vector<double>(),
            py::arg("num_neurons") = 32,
            py::arg("receiver_linearization") = true,
            py::arg("max_frequency_offset") = 5e-3,
            py::arg("phase_noise") = 3e-5,
            py::arg("tracking") = "auto",
            py::arg("num_inputs") = 1,
            py::arg("num_outputs") = 1,
            "constellation: what is decided, e.g. digital.constellation_16qam().base(); "
            "None: "
            "QPSK\n"
            "channel_len: taps, 1 to 64; 0: timing and length by the Bayesian criterion\n"
            "feedback: whether decisions are fed back; False: a linear network, any "
            "waveform\n"
            "survivors: hypotheses that are kept, 1 to 256\n"
            "refits: decision-directed passes of receive(), 0 to 16\n"
            "prior_weight: weight of the channel model against the pilots, 0 to 1e6\n"
            "poles: 'estimate', or 'statistics' (feedback=False, refits=0)\n"
            "power_delay_profile: mean tap powers, for 'statistics'\n"
            "num_neurons: poles that 'statistics' places, 1 to 64\n"
            "receiver_linearization: fit a saturating receiver\n"
            "max_frequency_offset: cycles/symbol, 0 to 0.5\n"
            "phase_noise: variance of the phase steps, rad^2/symbol, 0 to 0.1\n"
            "tracking: 'auto', 'off' or 'on': follow a fading channel over a frame\n"
            "num_inputs: antennas, 1 to 64\n"
            "num_outputs: 1\n"
            "Raises ValueError naming the parameter, its value and its range.")
        .def(
            "points",
            [](const configured_esn& self) {
                const auto points = self.points();
                return complex_array(points.size(), points.data());
            },
            "Points of the constellation, as given.")
        .def("labels", &configured_esn::labels, "Labels of the points.")
        .def(
            "filter",
            [](const configured_esn& self) { return to_matrix(self.filter()); },
            "The FIR filter that the trained network is, for samples of unit power: one "
            "row an "
            "antenna and sampling phase, oldest sample first. Empty before training.")
        .def("filter_start",
             &configured_esn::filter_start,
             "Symbols before symbol n where its filter begins.")
        .def(
            "feedback_weights",
            [](const configured_esn& self) {
                const auto weights = self.feedback_weights();
                return complex_array(weights.size(), weights.data());
            },
            "Weights of the last decisions, newest first.");

    py::class_<rnn, detector, rnn::sptr>(
        m,
        "rnn",
        py::multiple_inheritance(),
        "Recurrent network of which everything is trained, by back-propagation through "
        "time "
        "(Werbos, 1990).\n\n"
        "s[n] = f(W s[n-1] + U [r[n], ..., r[n-window+1]]), y[n-delay] = W_out s[n]; "
        "gradient "
        "descent on mean |y - x|^2 over the pilots, everything scaled to unit power. "
        "Gradients are "
        "dL/dRe + i dL/dIm, so a small step of gd lowers the loss by learning_rate * "
        "gradient_norm^2; optimizers treat real and imaginary parts apart, as torch "
        "does.")
        .def(py::init(&rnn::make),
             py::arg("num_neurons") = 32,
             py::arg("window") = 8,
             py::arg("delay") = 4,
             py::arg("activation") = "split_tanh",
             py::arg("optimizer") = "adam",
             py::arg("learning_rate") = 3e-3,
             py::arg("momentum") = 0.9,
             py::arg("epochs") = 300,
             py::arg("gradient_clip") = 0.0,
             py::arg("spectral_radius") = 0.9,
             py::arg("train_poles") = true,
             py::arg("seed") = 1,
             py::arg("num_inputs") = 1,
             py::arg("num_outputs") = 1,
             py::arg("input_scaling") = 0.5,
             py::arg("skip") = false,
             py::arg("warm_up") = 0,
             py::arg("held_out") = 0.0,
             py::arg("patience") = 0,
             py::arg("restarts") = 1,
             py::arg("condition_every") = 0,
             py::arg("eigenvalues_every") = 1,
             "num_neurons: 1 to 1024\n"
             "window: symbol periods that the network sees at once, 1 to 1024\n"
             "delay: decision delay in symbols, 0 to 1023\n"
             "activation: 'identity', 'magnitude_tanh' or 'split_tanh'\n"
             "optimizer: 'gd', 'momentum', 'rmsprop' or 'adam'\n"
             "learning_rate: above 0, at most 100\n"
             "momentum: of 'momentum' only, 0 to below 1\n"
             "epochs: steps of descent, 0 (keep the weights) to 1000000\n"
             "gradient_clip: largest norm of a gradient; 0: none\n"
             "spectral_radius: of W at first, 0 to 2\n"
             "train_poles: whether W learns; False: its eigenvalues stay equal to the "
             "last bit\n"
             "seed: of the first weights, at least 0; W and U are those of the esn of "
             "this seed\n"
             "num_inputs, num_outputs: antennas, streams, 1 to 64\n"
             "input_scaling: norm of each neuron's input weights at first, 0 to 100\n"
             "skip: whether the readout sees the window too; its weights are 0 at first\n"
             "warm_up: first pilots that do not count in the loss, at least 0\n"
             "held_out: share of the pilots not trained on, spread evenly, 0 to 0.5\n"
             "patience: stop after so many epochs without a lower held-out loss, keep "
             "the weights "
             "of the lowest; 0: all epochs, the last weights\n"
             "restarts: trainings from seed, seed + 1, ..., 1 to 1000; the lowest "
             "held-out loss "
             "(without held_out: loss) is kept\n"
             "condition_every: condition numbers every so many epochs; 0: never\n"
             "eigenvalues_every: eigenvalues of W every so many epochs; 0: never\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def(
            "set_weights",
            [](rnn& self,
               complex_array recurrent,
               complex_array input,
               complex_array readout,
               std::optional<complex_array> skip) {
                const bool none = !skip || skip->size() == 0;
                const rnn_weights weights{ to_rows(recurrent, "recurrent"),
                                           to_rows(input, "input"),
                                           to_rows(readout, "readout"),
                                           none ? stream_matrix()
                                                : to_rows(*skip, "skip") };
                const py::gil_scoped_release release;
                self.set_weights(weights);
            },
            py::arg("recurrent"),
            py::arg("input"),
            py::arg("readout"),
            py::arg("skip") = py::none(),
            "Weights that the following fits start from (their first restart), for "
            "samples scaled "
            "to unit power, giving symbols in the units of the pilots.\n\n"
            "recurrent: W, (num_neurons, num_neurons)\n"
            "input: U, (num_neurons, num_inputs * window * sps): input-major, newest "
            "sample first\n"
            "readout: W_out, (num_outputs, num_neurons)\n"
            "skip: D, (num_outputs, num_inputs * window * sps); None without skip\n"
            "Raises ValueError if the shapes do not fit or a weight is not finite.")
        .def("start_from",
             &rnn::start_from,
             py::arg("network"),
             py::call_guard<py::gil_scoped_release>(),
             "The following fits start from this trained esn and its readout. Needs "
             "skip=True "
             "and the same num_neurons, window, delay, activation, num_inputs and "
             "num_outputs; "
             "else raises ValueError.")
        .def("start_from_seed",
             &rnn::start_from_seed,
             py::call_guard<py::gil_scoped_release>(),
             "The following fits start from the seed again.")
        .def(
            "weights",
            [](const rnn& self) {
                rnn_weights weights;
                {
                    const py::gil_scoped_release release;
                    weights = self.weights();
                }
                return py::make_tuple(to_matrix(weights.recurrent),
                                      to_matrix(weights.input),
                                      to_matrix(weights.readout),
                                      to_matrix(weights.skip));
            },
            "(W, U, W_out, D) as trained, as set_weights takes them; before training "
            "those that a "
            "fit would start from (for one sample a symbol and pilots of unit power).");

    m.def(
        "load",
        [](const std::string& path) { return as_bound(load(path)); },
        py::arg("path"),
        "Reads a detector that save() wrote: trained, its state reset. Raises "
        "RuntimeError.");
}
