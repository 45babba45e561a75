/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "amplifiers.h"
#include "taps.h"
#include <gnuradio/reservoir/kernel/amplifier.h>
#include <gnuradio/reservoir/kernel/fading.h>

namespace py = pybind11;
namespace kernel = gr::reservoir::kernel;

namespace {

complex_array amplify(kernel::amplifier& self, const complex_array& samples)
{
    complex_array out(
        std::vector<py::ssize_t>(samples.shape(), samples.shape() + samples.ndim()));
    self.amplify(samples.data(), samples.size(), out.mutable_data());
    return out;
}

complex_array pass(kernel::fading& self, const complex_array& samples)
{
    const int rows = samples.ndim() == 2 ? samples.shape(0) : 1;
    if (samples.ndim() != 1 && samples.ndim() != 2)
        throw py::value_error("samples dimensions = " + std::to_string(samples.ndim()) +
                              ": must be 1 (n,) or 2 (num_tx, n)");
    if (rows != self.num_tx())
        throw py::value_error("samples rows = " + std::to_string(rows) +
                              ": must be num_tx = " + std::to_string(self.num_tx()));
    const py::ssize_t count = samples.shape(samples.ndim() - 1);
    std::vector<py::ssize_t> shape = { count };
    if (self.num_rx() > 1 || samples.ndim() == 2)
        shape.insert(shape.begin(), self.num_rx());
    complex_array out(shape);
    std::vector<const gr_complex*> in_rows;
    std::vector<gr_complex*> out_rows;
    for (int t = 0; t < self.num_tx(); t++)
        in_rows.push_back(samples.data() + t * count);
    for (int r = 0; r < self.num_rx(); r++)
        out_rows.push_back(out.mutable_data() + r * count);
    self.pass(in_rows.data(), count, out_rows.data());
    return out;
}

void bind_amplifier(py::module& m)
{
    using kernel::amplifier;

    py::class_<amplifier> bound(
        m,
        "amplifier",
        "The physics of power_amplifier_cc without a flowgraph: a(samples) compresses an "
        "array.\n\n"
        "With g = 10**(-input_backoff_db/20) and the model's characteristic F the output "
        "is\n"
        "output_gain * F(g*x)/g for an input x of unit mean power, the same bits as the "
        "block's.\n"
        "Models: Rapp (1991), Saleh (IEEE Trans. Commun. 29, 1981), memory polynomial "
        "(Ding et al.,\n"
        "IEEE Trans. Commun. 52, 2004). Calls continue one stream: the memory taps see "
        "the samples\n"
        "of the call before.");
    bind_amplifier_model<amplifier>(bound,
                                    py::init<const std::string&,
                                             double,
                                             double,
                                             const std::vector<double>&,
                                             const amplifier::coefficients_t&,
                                             double>());
    bound
        .def("__call__",
             &amplify,
             py::arg("samples"),
             "samples: complex64 of any shape, taken row by row as one stream; what is "
             "not finite\n"
             "counts as zero\n"
             "returns: complex64 of the same shape")
        .def("forget", &amplifier::forget, "The samples before the next one are zero.");
}

void bind_fading(py::module& m)
{
    using kernel::fading;

    py::class_<fading> bound(
        m,
        "fading",
        "The physics of block_fading_cc without a flowgraph: h(samples) "
        "filters an array.\n\n"
        "A matrix of tapped delay lines whose taps are drawn for each "
        "frame: Rayleigh block fading\n"
        "(Proakis, Digital Communications, ch. 13), with doppler > 0 "
        "moving as a sum of 16 waves\n"
        "(Clarke, 1968; Jakes, 1974). A frame begins with the first "
        "sample, every frame_len samples,\n"
        "and where begin_frame() is called. Calls continue one stream, "
        "with the same bits as the\n"
        "block's, however it is cut.");
    bind_channel<fading>(
        bound,
        [](const auto&... arguments) { return std::make_unique<fading>(arguments...); },
        "frame_len: samples per frame, 0 ... 2**40; 0: only begin_frame() begins one\n");
    bound
        .def("__call__",
             &pass,
             py::arg("samples"),
             "samples: complex64, (n,) for one input, or (num_tx, n); what is not finite "
             "counts as\n"
             "zero\n"
             "returns: complex64 (num_rx, n); (n,) for one output where samples are (n,)")
        .def("begin_frame",
             &fading::begin_frame,
             "The next sample is a frame's first: draw its taps.");
}

} // namespace

void bind_kernels(py::module& m)
{
    bind_amplifier(m);
    bind_fading(m);
}
