/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Detectors as plain classes, and the frame receiver that a shell is built on.

#include "shell/frame_receiver.h"
#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/configured_esn.h>
#include <gnuradio/reservoir/detector_kinds.h>
#include <gnuradio/reservoir/esn.h>
#include <gnuradio/reservoir/fir.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/rnn.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>

using namespace gr::reservoir;

namespace {

const float HALF = std::sqrt(0.5F);

struct frame {
    stream_matrix sent, received; // one stream, one antenna
    stream_matrix pilots() const { return { { sent[0].begin(), sent[0].begin() + 48 } }; }
};

// QPSK over a mixed-phase channel, 25 dB.
frame make_frame(size_t length, int sps = 1)
{
    gr::reservoir::kernel::random generator(7);
    frame f{ { {} }, { {} } };
    for (size_t k = 0; k < length; k++)
        f.sent[0].emplace_back(generator.below(2) ? HALF : -HALF,
                               generator.below(2) ? HALF : -HALF);
    const std::vector<gr_complex> h = { { 0.4F, -0.2F }, 1.0F, { 0.0F, 0.45F }, -0.2F };
    for (size_t n = 0; n < length * sps; n++) {
        gr_complex sample = gr_complex(generator.complex_gaussian()) * 0.056F;
        for (size_t l = 0; l < h.size(); l++)
            if (n >= l && (n - l) % sps == 0)
                sample += h[l] * f.sent[0][(n - l) / sps];
        f.received[0].push_back(sample);
    }
    return f;
}

int errors(const std::vector<gr_complex>& output,
           const std::vector<gr_complex>& sent,
           size_t count)
{
    int wrong = 0;
    for (size_t k = 0; k < count; k++)
        wrong += (output[k].real() > 0) != (sent[k].real() > 0) ||
                 (output[k].imag() > 0) != (sent[k].imag() > 0);
    return wrong;
}

typedef std::function<detector::sptr()> maker;
const std::vector<maker> MAKERS = {
    [] { return fir::make(); },
    [] { return fir::make(24, -1); },
    [] { return fir::make(24, 12, -1.0, "rls", 0.999); },
    [] { return esn::make(); },
    [] { return esn::make(32, 24, 12, 0.9, 0.0, 1.0, "identity"); },
    [] { return esn::make(17, 9, 4, 0.9, 0.5, 1.0, "split_tanh"); },
};

} // namespace

BOOST_AUTO_TEST_CASE(detectors_equalize_a_mixed_phase_channel)
{
    for (const auto& make : MAKERS) {
        for (int sps : { 1, 2 }) {
            const frame f = make_frame(600, sps);
            const auto detector = make();
            const auto output = detector->receive(f.received, f.pilots(), sps);
            BOOST_TEST(output[0].size() == 600u);
            BOOST_TEST(errors(output[0], f.sent[0], 580) == 0);
            BOOST_TEST(detector->report().mse < 0.1);
        }
    }
}

BOOST_AUTO_TEST_CASE(tracking_goes_on_from_the_training)
{
    const frame f = make_frame(600);
    for (const auto& make : MAKERS) {
        const auto detector = make();
        detector->set_tracking(gr::digital::constellation_qpsk::make());
        const auto output = detector->receive(f.received, f.pilots());
        BOOST_TEST(errors(output[0], f.sent[0], 580) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_loaded_detector_gives_the_same_bits)
{
    const frame f = make_frame(300);
    // the tests run twice at the same time
    const auto path = std::filesystem::temp_directory_path() /
                      ("gr-reservoir-test-detector-" + std::to_string(getpid()));
    for (const auto& make : MAKERS) {
        const auto detector = make();
        detector->fit(f.received, f.pilots());
        detector->save(path.string());
        BOOST_TEST(
            (std::dynamic_pointer_cast<gr::reservoir::detector>(load(path.string()))
                 ->detect(f.received) == detector->detect(f.received)));
    }
    std::filesystem::remove(path);
}

// make() repeats the defaults that the structs of parameters have.
BOOST_AUTO_TEST_CASE(make_without_arguments_has_the_described_defaults)
{
    const auto same = [](const auto& made) {
        typedef std::decay_t<decltype(made->parameters())> parameters_type;
        return same_parameters(made->parameters(), parameters_type());
    };
    BOOST_TEST(same(fir::make()));
    BOOST_TEST(same(esn::make()));
    BOOST_TEST(same(configured_esn::make()));
    BOOST_TEST(same(rnn::make()));
    BOOST_TEST(!same(fir::make(23)));
}

BOOST_AUTO_TEST_CASE(every_kind_can_be_made_by_names)
{
    for (const auto& kind : detector_kinds()) {
        const auto detector = kind.make(pmt::make_dict());
        BOOST_TEST(detector->kind() == kind.about.name);
        BOOST_TEST(detector->trains_in_epochs() == kind.about.trains_in_epochs);
        BOOST_CHECK_THROW(
            kind.make(pmt::dict_add(pmt::make_dict(), pmt::mp("absent"), pmt::PMT_T)),
            std::runtime_error);
        BOOST_CHECK_THROW(detector->command("absent", pmt::PMT_T), std::invalid_argument);
    }
}

BOOST_AUTO_TEST_CASE(symbols_come_with_their_noise_variance)
{
    const frame f = make_frame(300);
    for (const auto& make : MAKERS) {
        const auto detector = make();
        std::vector<gr_complex> symbols(300);
        std::vector<float> variance(300, -1.0F);
        gr_complex* symbol_row = symbols.data();
        float* variance_row = variance.data();
        const gr_complex* received = f.received[0].data();
        const auto all_are = [&](size_t count, double value) {
            return std::all_of(variance.begin(), variance.begin() + count, [&](float v) {
                return v == float(value);
            });
        };
        detector->receive(
            &received, 300, f.pilots(), 1, 252, { &symbol_row, &variance_row });
        BOOST_TEST(all_are(300, detector->report().noise_variance));
        double measured = 0.0;
        for (size_t k = 48; k < 280; k++)
            measured += std::norm(symbols[k] - f.sent[0][k]) / 232;
        BOOST_TEST(measured < 3.0 * variance[0]);
        BOOST_TEST(measured > variance[0] / 3.0);

        detector->fit(f.received, f.pilots());
        std::fill(variance.begin(), variance.end(), -1.0F);
        const size_t count =
            detector->detect(&received, 300, 1, { &symbol_row, &variance_row });
        BOOST_TEST(all_are(count, detector->report().noise_variance));
        BOOST_TEST(std::all_of(variance.begin() + count, variance.end(), [](float v) {
            return v == -1.0F;
        }));
    }
}

// The same symbols, whatever pieces the samples arrive in; marks before, inside and after pilots.
BOOST_AUTO_TEST_CASE(frame_receiver_does_not_see_the_pieces)
{
    const frame f = make_frame(700, 2);
    const std::vector<std::vector<uint64_t>> marks_of = {
        {},       { 0 },          { 5, 300, 700 }, { 0, 40, 41, 42, 600, 1399 },
        { 1380 }, { 0, 500, 500 }
    };
    for (auto [payload_len, history] :
         { std::make_pair(0, false), { 100, false }, { 100, true } }) {
        for (const auto& marks : marks_of) {
            stream_matrix first;
            for (size_t piece : { 1400, 1, 3, 64, 333 }) {
                frame_receiver receiver(fir::make(8, 4),
                                        2,
                                        f.pilots(),
                                        payload_len,
                                        nullptr,
                                        nullptr,
                                        history);
                stream_matrix out(1);
                auto mark = marks.begin();
                for (size_t n = 0; n < 1400; n += piece) {
                    const size_t count = std::min<size_t>(piece, 1400 - n);
                    for (; mark != marks.end() && *mark < n + count; ++mark)
                        receiver.mark(*mark);
                    const gr_complex* row = f.received[0].data() + n;
                    receiver.push(&row, count);
                    const size_t old = out[0].size();
                    out[0].resize(old + receiver.available());
                    gr_complex* to = out[0].data() + old;
                    receiver.pop(&to, receiver.available());
                }
                receiver.finish();
                const size_t old = out[0].size();
                out[0].resize(old + receiver.available());
                gr_complex* to = out[0].data() + old;
                receiver.pop(&to, receiver.available());
                if (first.empty())
                    first = out;
                BOOST_TEST((out == first));
                BOOST_TEST(out[0].size() == receiver.symbol_of(1399) + 1);
            }
        }
    }
}
