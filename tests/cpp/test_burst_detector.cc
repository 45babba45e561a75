/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/burst_detector.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using kernel::burst_detector;
using samples = std::vector<std::complex<float>>;

namespace {

constexpr double EXCESS = 0.25;

double root_raised_cosine(double t) // in symbols
{
    if (std::abs(t) < 1e-9)
        return 1.0 - EXCESS + 4.0 * EXCESS / M_PI;
    if (std::abs(std::abs(4.0 * EXCESS * t) - 1.0) < 1e-9)
        return EXCESS / std::sqrt(2.0) *
               ((1.0 + 2.0 / M_PI) * std::sin(M_PI / (4.0 * EXCESS)) +
                (1.0 - 2.0 / M_PI) * std::cos(M_PI / (4.0 * EXCESS)));
    return (std::sin(M_PI * t * (1.0 - EXCESS)) +
            4.0 * EXCESS * t * std::cos(M_PI * t * (1.0 + EXCESS))) /
           (M_PI * t * (1.0 - 16.0 * EXCESS * EXCESS * t * t));
}

struct air {
    int sps = 2;
    double late = 0.0;   // samples
    double offset = 0.0; // cycles/sample
    double level = 1.0;
    double esn0_db = 20.0;
    std::vector<std::complex<double>> taps = { 1.0 }; // a symbol apart
};

// A preamble whose first symbol is at sample 400 + late, then QPSK, then noise.
samples burst(const air& l, uint64_t seed = 1, int payload = 200, int tail = 1000)
{
    kernel::random generator(seed);
    samples symbols = kernel::burst_preamble();
    for (int k = 0; k < payload; k++)
        symbols.emplace_back(generator.below(2) ? M_SQRT1_2 : -M_SQRT1_2,
                             generator.below(2) ? M_SQRT1_2 : -M_SQRT1_2);
    const size_t count = 400 + symbols.size() * l.sps + tail;
    samples received(count);
    // of pulses of energy 1
    const double sigma = std::sqrt(std::pow(10.0, -l.esn0_db / 10.0));
    for (size_t n = 0; n < count; n++) {
        std::complex<double> sum =
            sigma * std::complex<double>(generator.complex_gaussian());
        const double now = (double(n) - 400.0 - l.late) / l.sps;
        for (int k = int(now) - 12; k <= int(now) + 8; k++)
            for (size_t tap = 0; tap < l.taps.size(); tap++)
                if (k >= int(tap) && k - tap < symbols.size())
                    sum += l.taps[tap] * std::complex<double>(symbols[k - tap]) *
                           root_raised_cosine(now - k) / std::sqrt(double(l.sps));
        received[n] = std::complex<float>(l.level * sum *
                                          std::polar(1.0, 2.0 * M_PI * l.offset * n));
    }
    return received;
}

std::vector<kernel::detected_burst> detect(const samples& received,
                                           kernel::burst_detector_settings settings = {},
                                           size_t chunk = 1000)
{
    burst_detector detector(settings);
    for (size_t n = 0; n < received.size(); n += chunk)
        detector.push(&received[n], std::min(chunk, received.size() - n));
    detector.finish();
    return detector.take();
}

} // namespace

BOOST_AUTO_TEST_CASE(the_preamble_is_four_maximum_length_sequences)
{
    const samples preamble = kernel::burst_preamble();
    BOOST_REQUIRE_EQUAL(preamble.size(), 124);
    for (int lag = 0; lag < 31; lag++) {
        float sum = 0.0F;
        for (int n = 0; n < 31; n++)
            sum += preamble[n].real() * preamble[(n + lag) % 31].real();
        BOOST_CHECK_EQUAL(sum, lag == 0 ? 31.0F : -1.0F);
    }
    for (int n = 0; n < 31; n++) {
        BOOST_CHECK_EQUAL(preamble[n], preamble[31 + n]);
        BOOST_CHECK_EQUAL(preamble[n], -preamble[62 + n]);
        BOOST_CHECK_EQUAL(preamble[n], preamble[93 + n]);
    }
}

BOOST_DATA_TEST_CASE(place_offset_and_strength_are_found,
                     data::make({ 2, 4 }) * data::make({ 0.0, 0.3, -0.5 }) *
                         data::make({ 0.0, 0.05, -0.037 }) *
                         data::make({ 1e-6, 1.0, 1e5 }),
                     sps,
                     late,
                     offset,
                     level)
{
    air l;
    l.sps = sps;
    l.late = late;
    l.offset = offset;
    l.level = level;
    kernel::burst_detector_settings settings;
    settings.sps = sps;
    const auto found = detect(burst(l), settings);
    BOOST_REQUIRE_EQUAL(found.size(), 1);
    BOOST_CHECK_SMALL(double(found[0].start) - 400.0 - late, 0.8);
    BOOST_CHECK_SMALL(found[0].frequency_offset - offset, 1e-4);
    BOOST_CHECK_SMALL(found[0].snr_db - 20.0, 2.0);
    BOOST_CHECK_CLOSE(found[0].amplitude, level / std::sqrt(double(sps)), 10.0);
}

BOOST_AUTO_TEST_CASE(the_strongest_path_counts)
{
    air l;
    l.taps = { { 0.4, 0.1 }, { 0.0, -0.3 }, { 0.6, 0.5 }, { -0.2, 0.4 } };
    l.offset = 0.02;
    const auto found = detect(burst(l));
    BOOST_REQUIRE_EQUAL(found.size(), 1);
    BOOST_CHECK_EQUAL(found[0].start, 404);
}

BOOST_AUTO_TEST_CASE(pieces_do_not_matter)
{
    air l;
    l.offset = -0.01;
    l.esn0_db = 10.0;
    const samples received = burst(l, 5, 3000, 9000);
    const auto whole = detect(received, {}, received.size());
    BOOST_REQUIRE_EQUAL(whole.size(), 1);
    for (const size_t chunk : { 1, 7, 333, 4096 }) {
        const auto found = detect(received, {}, chunk);
        BOOST_REQUIRE_EQUAL(found.size(), 1);
        BOOST_CHECK_EQUAL(found[0].start, whole[0].start);
        BOOST_CHECK_EQUAL(found[0].frequency_offset, whole[0].frequency_offset);
        BOOST_CHECK_EQUAL(found[0].snr_db, whole[0].snr_db);
    }
}

BOOST_AUTO_TEST_CASE(bursts_in_a_row_and_one_inside_another)
{
    samples received;
    std::vector<uint64_t> starts;
    for (uint64_t k = 0; k < 20; k++) {
        const samples one = burst(air(), 10 + k, 150, 0);
        starts.push_back(received.size() + 400);
        received.insert(received.end(), one.begin(), one.end());
    }
    const auto found = detect(received);
    BOOST_REQUIRE_EQUAL(found.size(), starts.size());
    for (size_t k = 0; k < found.size(); k++)
        BOOST_CHECK_EQUAL(found[k].start, starts[k]);

    samples longer = burst(air(), 2, 2000);
    const samples inner = burst(air(), 3);
    std::copy(inner.begin() + 380, inner.end(), longer.begin() + 2000);
    const auto both = detect(longer);
    BOOST_REQUIRE_EQUAL(both.size(), 2);
    BOOST_CHECK_EQUAL(both[1].start, 2020);
}

BOOST_AUTO_TEST_CASE(neither_noise_nor_carriers_nor_silence_nor_symbols_are_bursts)
{
    kernel::random generator(3);
    samples noise(300000), carrier(20000), silence(20000, 0.0F);
    for (auto& sample : noise)
        sample = std::complex<float>(generator.complex_gaussian());
    for (size_t n = 0; n < carrier.size(); n++)
        carrier[n] = std::polar(1.0F, 0.01F * n);
    BOOST_CHECK_EQUAL(detect(noise).size(), 0);
    BOOST_CHECK_EQUAL(detect(carrier).size(), 0);
    BOOST_CHECK_EQUAL(detect(silence).size(), 0);
    const samples symbols = burst(air(), 4, 50000);
    BOOST_CHECK_EQUAL(detect(symbols).size(), 1); // its own preamble
}

BOOST_AUTO_TEST_CASE(bad_samples_are_counted_and_do_not_spread)
{
    samples received = burst(air());
    for (const size_t n : { 10, 1300, 1500 })
        received[n] = { NAN, INFINITY };
    burst_detector detector(kernel::burst_detector_settings{});
    detector.push(received.data(), received.size());
    detector.finish();
    const auto found = detector.take();
    BOOST_REQUIRE_EQUAL(found.size(), 1);
    BOOST_CHECK_EQUAL(found[0].start, 400);
    BOOST_CHECK_EQUAL(detector.bad_samples(), 3);
    BOOST_CHECK_EQUAL(detector.take().size(), 0);
}

BOOST_AUTO_TEST_CASE(half_a_preamble_is_none)
{
    const samples received = burst(air());
    BOOST_CHECK_EQUAL(detect({ received.begin(), received.begin() + 400 + 100 }).size(),
                      0);
    BOOST_CHECK_EQUAL(detect({ received.begin() + 450, received.end() }).size(), 0);
}

BOOST_AUTO_TEST_CASE(wrong_settings_are_refused)
{
    const auto refused = [](auto change) {
        kernel::burst_detector_settings settings;
        change(settings);
        BOOST_CHECK_THROW(burst_detector{ settings }, std::invalid_argument);
    };
    refused([](auto& s) { s.sps = 1; });
    refused([](auto& s) { s.excess_bandwidth = 0.0; });
    refused([](auto& s) { s.threshold = 1.0; });
    refused([](auto& s) { s.threshold = NAN; });
    refused([](auto& s) { s.max_frequency_offset = 0.6; });
}
