/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/detector_kinds.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_known_symbols(py::module& m);
void bind_training_report(py::module& m);
void bind_detector(py::module& m);
#define RESERVOIR_DECLARE(NAME) void bind_##NAME(py::module& m);
RESERVOIR_DETECTORS(RESERVOIR_DECLARE)
void bind_ofdm_grid(py::module& m);
void bind_ofdm_detector(py::module& m);
void bind_ofdm_equalizer_configured(py::module& m);
RESERVOIR_OFDM_DETECTORS(RESERVOIR_DECLARE)
void bind_detector_kinds(py::module& m);
void bind_viterbi_equalizer(py::module& m);
void bind_equalizer(py::module& m);
void bind_ofdm_equalizer(py::module& m);
void bind_block_fading_cc(py::module& m);
void bind_frame_source(py::module& m);
void bind_frame_sync(py::module& m);
void bind_frame_gate(py::module& m);
void bind_kernels(py::module& m);
void bind_packet_decoder(py::module& m);
void bind_packet_encoder(py::module& m);
void bind_packet_format(py::module& m);
void bind_coded_receiver(py::module& m);
void bind_phase_loop_cc(py::module& m);
void bind_power_amplifier_cc(py::module& m);
void bind_symbol_error_meter(py::module& m);

PYBIND11_MODULE(reservoir_python, m)
{
    // gr::block and digital::constellation must be known before the classes that use them are.
    py::module::import("gnuradio.gr");
    py::module::import("gnuradio.digital");

    m.attr("__doc__") = "gr-reservoir: C++ blocks and detectors";

    bind_known_symbols(m);
    bind_training_report(m);
    bind_detector(m);
#define RESERVOIR_BIND(NAME) bind_##NAME(m);
    RESERVOIR_DETECTORS(RESERVOIR_BIND)
    bind_ofdm_grid(m);
    bind_ofdm_detector(m);
    RESERVOIR_OFDM_DETECTORS(RESERVOIR_BIND)
    bind_detector_kinds(m);
    bind_ofdm_equalizer_configured(m);
    bind_viterbi_equalizer(m);
    bind_equalizer(m);
    bind_ofdm_equalizer(m);
    bind_block_fading_cc(m);
    bind_frame_source(m);
    bind_frame_sync(m);
    bind_frame_gate(m);
    bind_kernels(m);
    bind_packet_decoder(m);
    bind_packet_encoder(m);
    bind_packet_format(m);
    bind_coded_receiver(m);
    bind_phase_loop_cc(m);
    bind_power_amplifier_cc(m);
    bind_symbol_error_meter(m);
}
