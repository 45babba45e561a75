/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Every detector gives the same symbols whatever vector instructions the processor has, and what
// fades away in it does not end as denormal numbers, with which processors are slow.

#include "targets.h"
#include <gnuradio/reservoir/detector_kinds.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/ofdm_detector.h>
#include <gnuradio/reservoir/ofdm_grid.h>
#include <boost/test/data/test_case.hpp>
#include <algorithm>
#include <cmath>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

using namespace gr::reservoir;
namespace data = boost::unit_test::data;

namespace {

constexpr double ALIKE = 1e-5; // root mean square, symbols of unit power
constexpr size_t PILOTS = 64, PAYLOAD = 256;
constexpr int FFT_LEN = 64, SYMBOLS = 6;
constexpr float NOISE = 0.05F; // 26 dB
const std::vector<gr_complex> TAPS = { { 0.4F, -0.2F }, 1.0F, { 0.0F, 0.45F }, -0.2F };

std::vector<gr_complex> random_qpsk(kernel::random& generator, size_t count)
{
    const float half = std::sqrt(0.5F);
    std::vector<gr_complex> points(count);
    for (auto& point : points)
        point = { generator.below(2) ? half : -half, generator.below(2) ? half : -half };
    return points;
}

std::vector<gr_complex> through_channel(kernel::random& generator,
                                        const std::vector<gr_complex>& sent)
{
    std::vector<gr_complex> received(sent.size());
    for (size_t n = 0; n < sent.size(); n++) {
        received[n] = gr_complex(generator.complex_gaussian()) * NOISE;
        for (size_t l = 0; l < std::min(TAPS.size(), n + 1); l++)
            received[n] += TAPS[l] * sent[n - l];
    }
    return received;
}

// Carriers of one symbol to its samples, the cyclic prefix in front.
std::vector<gr_complex> ofdm_symbol(const gr_complex* carriers, int cp_len)
{
    std::vector<gr_complex> samples;
    for (int n = -cp_len; n < FFT_LEN; n++) {
        std::complex<double> sum = 0.0;
        for (int k = 0; k < FFT_LEN; k++)
            sum += std::complex<double>(carriers[k]) *
                   std::polar(1.0, 2.0 * M_PI * k * n / FFT_LEN);
        samples.emplace_back(sum / std::sqrt(double(FFT_LEN)));
    }
    return samples;
}

stream_matrix received_by(const detector_kind& kind)
{
    kernel::random generator(11);
    const auto sent = random_qpsk(generator, PILOTS + PAYLOAD);
    const stream_matrix pilots = { { sent.begin(), sent.begin() + PILOTS } };
    const auto one = std::dynamic_pointer_cast<detector>(kind.make(pmt::make_dict()));
    return one->receive({ through_channel(generator, sent) }, pilots);
}

stream_matrix ofdm_received_by(const detector_kind& kind)
{
    kernel::random generator(11);
    const auto one = std::dynamic_pointer_cast<ofdm_detector>(kind.make(
        pmt::dict_add(pmt::make_dict(), pmt::mp("fft_len"), pmt::from_long(FFT_LEN))));
    const auto carriers = random_qpsk(generator, size_t(FFT_LEN) * SYMBOLS);
    std::vector<gr_complex> sent;
    for (int symbol = 0; symbol < SYMBOLS; symbol++) {
        const auto samples = ofdm_symbol(&carriers[symbol * FFT_LEN], one->cp_len()[0]);
        sent.insert(sent.end(), samples.begin(), samples.end());
    }
    return one->receive(
        { through_channel(generator, sent) },
        known_carriers::from_pilots(
            { { carriers.begin(), carriers.begin() + FFT_LEN } }, FFT_LEN, SYMBOLS));
}

template <class Receive>
void check_all_targets(const detector_kind& kind, Receive receive)
{
    const stream_matrix expected = receive(kind);
    for_each_target([&] {
        const stream_matrix found = receive(kind);
        double power = 0.0, count = 0.0;
        for (size_t j = 0; j < expected.size(); j++)
            for (size_t k = 0; k < expected[j].size(); k++, count++)
                power += std::norm(found[j][k] - expected[j][k]);
        BOOST_TEST(std::sqrt(power / count) <= ALIKE);
    });
}

} // namespace

namespace gr {
namespace reservoir {
std::ostream& operator<<(std::ostream& out, const detector_kind& kind)
{
    return out << kind.about.name;
}
} // namespace reservoir
} // namespace gr

BOOST_DATA_TEST_CASE(detectors_do_not_depend_on_the_processor,
                     data::make(detector_kinds()),
                     kind)
{
    check_all_targets(kind, received_by);
}

BOOST_DATA_TEST_CASE(ofdm_detectors_do_not_depend_on_the_processor,
                     data::make(ofdm_detector_kinds()),
                     kind)
{
    check_all_targets(kind, ofdm_received_by);
}

#ifdef __SSE__
// Whether an operation was given a denormal number since the last call.
bool met_denormal()
{
    const bool met = _MM_GET_EXCEPTION_STATE() & _MM_EXCEPT_DENORM;
    _MM_SET_EXCEPTION_STATE(0);
    return met;
}

BOOST_DATA_TEST_CASE(nothing_denormal_is_left_in_silence,
                     data::make(detector_kinds()),
                     kind)
{
    volatile float tiny = 1e-39F;
    tiny = tiny * 0.5F;
    if (!met_denormal()) {
        BOOST_TEST_MESSAGE("this processor (valgrind's) does not tell denormal numbers");
        return;
    }
    kernel::random generator(11);
    const auto sent = random_qpsk(generator, PILOTS);
    const auto one = std::dynamic_pointer_cast<detector>(kind.make(pmt::make_dict()));
    one->fit({ through_channel(generator, sent) }, { sent });
    for (const float level : { 0.0F, 1e-26F }) {
        const stream_matrix quiet = { std::vector<gr_complex>(10000, { level, -level }) };
        one->detect(quiet);
        met_denormal();
        one->detect(quiet);
        BOOST_TEST(!met_denormal());
    }
}
#endif

BOOST_DATA_TEST_CASE(tiny_samples_are_silence, data::make(detector_kinds()), kind)
{
    kernel::random generator(11);
    const auto sent = random_qpsk(generator, PILOTS);
    const auto one = std::dynamic_pointer_cast<detector>(kind.make(pmt::make_dict()));
    one->fit({ through_channel(generator, sent) }, { sent });
    const auto other = one->clone();
    const stream_matrix silence = { std::vector<gr_complex>(2000) };
    for (const float level : { 1e-40F, 1e-26F }) {
        const stream_matrix tiny = { std::vector<gr_complex>(2000, { level, -level }) };
        BOOST_TEST((one->detect(tiny) == other->detect(silence)));
    }
}
