/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/pole_bank.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using kernel::pole_bank;
using cfloat = std::complex<float>;
using cdouble = std::complex<double>;

namespace {

std::vector<cfloat> some_poles(int count)
{
    std::vector<cfloat> poles;
    for (int k = 0; k < count; k++)
        poles.push_back(cfloat(std::polar(0.98 * (k + 1) / count, 2.4 * k)));
    return poles;
}

std::vector<cfloat> gaussian_samples(size_t count, uint64_t seed)
{
    kernel::random generator(seed);
    std::vector<cfloat> samples(count);
    for (auto& sample : samples)
        sample = cfloat(generator.complex_gaussian());
    return samples;
}

std::vector<cfloat> run(pole_bank& bank, const std::vector<cfloat>& input)
{
    std::vector<cfloat> states(input.size() * bank.num_poles());
    bank.run(input.data(), input.size(), states.data());
    return states;
}

} // namespace

BOOST_DATA_TEST_CASE(impulse_response_is_a_power, data::make({ 1, 3, 8, 19 }), size)
{
    const auto poles = some_poles(size);
    pole_bank bank(poles);
    std::vector<cfloat> impulse(60);
    impulse[0] = { 2.0f, -1.0f };
    const auto states = run(bank, impulse);
    for (size_t n = 0; n < impulse.size(); n++) {
        for (int k = 0; k < size; k++) {
            const cdouble expected =
                cdouble(impulse[0]) * std::pow(cdouble(poles[k]), int(n));
            BOOST_CHECK_SMALL(std::abs(cdouble(states[n * size + k]) - expected), 1e-5);
        }
    }
}

BOOST_AUTO_TEST_CASE(step_response_is_a_geometric_series)
{
    const auto poles = some_poles(5);
    pole_bank bank(poles);
    const auto states = run(bank, std::vector<cfloat>(200, 1.0f));
    for (int n : { 0, 1, 10, 199 }) {
        for (int k = 0; k < 5; k++) {
            const cdouble p = poles[k];
            const cdouble expected = (1.0 - std::pow(p, n + 1)) / (1.0 - p);
            BOOST_CHECK_SMALL(std::abs(cdouble(states[n * 5 + k]) - expected), 1e-4);
        }
    }
}

BOOST_DATA_TEST_CASE(pieces_give_the_same_bits, data::make({ 1, 2, 7, 64, 99 }), piece)
{
    const auto input = gaussian_samples(100, 1);
    pole_bank whole(some_poles(19)), streaming(some_poles(19));
    const auto expected = run(whole, input);
    std::vector<cfloat> states(expected.size());
    for (size_t n = 0; n < input.size(); n += piece) {
        const size_t count = std::min<size_t>(piece, input.size() - n);
        streaming.run(&input[n], count, &states[n * 19]);
        streaming.run(&input[n], 0, nullptr);
    }
    BOOST_CHECK(states == expected);
    BOOST_CHECK(std::equal(states.end() - 19, states.end(), streaming.state()));
}

BOOST_AUTO_TEST_CASE(steps_give_the_same_as_a_run)
{
    const auto input = gaussian_samples(50, 2);
    pole_bank running(some_poles(9)), stepping(some_poles(9));
    const auto expected = run(running, input);
    for (size_t n = 0; n < input.size(); n++) {
        const std::vector<cfloat> drive(9, input[n]);
        stepping.step(drive.data());
        for (int k = 0; k < 9; k++)
            BOOST_CHECK_SMALL(std::abs(stepping.state()[k] - expected[n * 9 + k]), 1e-5f);
    }
    // and a run goes on where steps ended
    BOOST_CHECK_SMALL(std::abs(run(running, input)[400] - run(stepping, input)[400]),
                      1e-5f);
}

BOOST_AUTO_TEST_CASE(each_pole_has_its_own_drive)
{
    pole_bank bank({ 0.5f, cfloat(0, 0.5f) });
    const cfloat first[] = { 1.0f, cfloat(0, 4) };
    const cfloat second[] = { 0.0f, 3.0f };
    bank.step(first);
    bank.step(second);
    BOOST_CHECK_EQUAL(bank.state()[0], cfloat(0.5f));
    BOOST_CHECK_EQUAL(bank.state()[1], cfloat(1.0f)); // 0.5i * 4i + 3
}

BOOST_AUTO_TEST_CASE(anticausal_is_causal_in_reversed_time)
{
    const auto poles = some_poles(7);
    const auto input = gaussian_samples(80, 3);
    std::vector<cfloat> backward(80 * 7);
    pole_bank::run_anticausal(poles, input.data(), input.size(), backward.data());
    pole_bank bank(poles);
    const auto forward = run(bank, { input.rbegin(), input.rend() });
    for (int n = 0; n < 80; n++) {
        for (int k = 0; k < 7; k++)
            BOOST_CHECK_EQUAL(backward[n * 7 + k], forward[(79 - n) * 7 + k]);
    }
    BOOST_CHECK_EQUAL(backward[79 * 7], input[79]); // nothing beyond the end
}

BOOST_AUTO_TEST_CASE(reset_forgets)
{
    const auto input = gaussian_samples(20, 4);
    pole_bank bank(some_poles(4));
    const auto first = run(bank, input);
    bank.reset();
    BOOST_CHECK_EQUAL(bank.state()[3], cfloat(0.0f));
    BOOST_CHECK(run(bank, input) == first);
}

BOOST_AUTO_TEST_CASE(silence_ends_in_zero_and_not_in_subnormal_numbers)
{
    pole_bank bank({ cfloat(0.98f, 0.0f), cfloat(0.0f, -0.95f) });
    std::vector<cfloat> input(5000);
    input[0] = { 1.0f, 1.0f };
    const auto states = run(bank, input);
    for (const auto& state : states) {
        for (const float part : { state.real(), state.imag() })
            BOOST_REQUIRE(part == 0.0f || std::abs(part) >= 1e-30f);
    }
    BOOST_CHECK_EQUAL(bank.state()[0], cfloat(0.0f));
    BOOST_CHECK_EQUAL(bank.state()[1], cfloat(0.0f));
}

BOOST_AUTO_TEST_CASE(no_poles)
{
    pole_bank bank({});
    const auto input = gaussian_samples(3, 5);
    BOOST_CHECK_EQUAL(bank.num_poles(), 0);
    bank.run(input.data(), input.size(), nullptr);
    bank.step(nullptr);
}

BOOST_AUTO_TEST_CASE(unstable_poles_are_named)
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const cfloat bad : { cfloat(1, 0),
                              cfloat(0, -1),
                              cfloat(0.8f, 0.8f),
                              cfloat(nan, 0),
                              cfloat(0, nan) })
        BOOST_CHECK_THROW(pole_bank({ 0.5f, bad }), std::invalid_argument);
    BOOST_CHECK_THROW(pole_bank::run_anticausal({ 1.0f }, nullptr, 0, nullptr),
                      std::invalid_argument);
    try {
        pole_bank({ 0.5f, cfloat(0, 1.25f) });
        BOOST_ERROR("not refused");
    } catch (const std::invalid_argument& error) {
        BOOST_CHECK_NE(std::string(error.what()).find("poles[1] = (0,1.25)"),
                       std::string::npos);
    }
    BOOST_CHECK_NO_THROW(pole_bank({ std::nextafter(1.0f, 0.0f) }));
}

BOOST_DATA_TEST_CASE(a_readout_is_the_weighted_sum_of_the_states,
                     data::make({ 0, 1, 15, 16, 33, 80 }),
                     size)
{
    const size_t count = 300;
    const auto weights = gaussian_samples(size, 1);
    const auto drive = gaussian_samples(count * size, 2);
    pole_bank stepped(some_poles(size)), whole(some_poles(size)),
        pieces(some_poles(size));
    const pole_bank::padded_values readout(weights);
    const size_t row = readout.re.size();
    Eigen::ArrayXf drive_re = Eigen::ArrayXf::Zero(count * row), drive_im = drive_re;
    for (size_t n = 0; n < count; n++) {
        for (int k = 0; k < size; k++) {
            drive_re(n * row + k) = drive[n * size + k].real();
            drive_im(n * row + k) = drive[n * size + k].imag();
        }
    }
    std::vector<cfloat> outputs(count), joined(count);
    whole.run(drive_re.data(), drive_im.data(), count, readout, outputs.data());
    for (size_t begin = 0, piece = 1; begin < count;
         begin += piece, piece = piece % 50 + 7) {
        piece = std::min(piece, count - begin);
        const size_t place = begin * row;
        pieces.run(drive_re.data() + place,
                   drive_im.data() + place,
                   piece,
                   readout,
                   &joined[begin]);
    }
    BOOST_TEST(joined == outputs, boost::test_tools::per_element());
    for (size_t n = 0; n < count; n++) {
        stepped.step(drive.data() + n * size);
        cdouble sum = 0.0;
        double scale = 0.0;
        for (int k = 0; k < size; k++) {
            sum += cdouble(weights[k]) * cdouble(stepped.state()[k]);
            scale += std::abs(cdouble(weights[k]) * cdouble(stepped.state()[k]));
        }
        BOOST_TEST(std::abs(cdouble(outputs[n]) - sum) <= 1e-5 * scale);
    }
    for (int k = 0; k < size; k++)
        BOOST_TEST(std::abs(whole.state()[k] - stepped.state()[k]) < 1e-4);
}

BOOST_AUTO_TEST_CASE(a_readout_s_states_do_not_stay_subnormal)
{
    pole_bank bank({ 0.9f });
    const pole_bank::padded_values one({ 1.0f });
    Eigen::ArrayXf drive = Eigen::ArrayXf::Zero(16 * 1000);
    drive(0) = 1.0f;
    const Eigen::ArrayXf nothing = Eigen::ArrayXf::Zero(16 * 1000);
    std::vector<cfloat> outputs(1000);
    bank.run(drive.data(), nothing.data(), 1000, one, outputs.data());
    BOOST_TEST(outputs[600].real() > 0.0f);
    BOOST_TEST(outputs[999] == cfloat(0.0f));
}
