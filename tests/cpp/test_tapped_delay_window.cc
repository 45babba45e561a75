/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/tapped_delay_window.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

using gr::reservoir::kernel::tapped_delay_window;
typedef std::complex<float> complexf;

namespace {

// Sample n of input a.
complexf sample(int a, int n)
{
    return n < 0 ? 0.0F : complexf(n + 1.0F, 1000.0F * a + n);
}

} // namespace

// Every tap of every symbol, for all ways to cut the stream.
BOOST_AUTO_TEST_CASE(taps_are_the_samples_before_the_symbol_instant)
{
    const int inputs = 2, window = 4, length = 1500;
    std::vector<std::vector<complexf>> in(inputs);
    for (int a = 0; a < inputs; a++)
        for (int n = 0; n < length; n++)
            in[a].push_back(sample(a, n));
    const complexf* rows[] = { in[0].data(), in[1].data() };
    for (int sps : { 1, 2, 3, 4 }) {
        for (int piece : { 1, 2, 5, 64, 1500 }) {
            tapped_delay_window line(inputs, sps, window);
            BOOST_TEST(line.num_taps() == inputs * sps * window);
            std::vector<float> re(line.num_taps()), im(line.num_taps());
            int symbol = 0;
            bool right = true;
            for (int written = 0; written < length;) {
                const int count = std::min(piece, length - written);
                written += line.write(rows, written, count);
                for (size_t n = 0; n < line.symbols(); n++, symbol++) {
                    line.copy_taps(n, re.data(), im.data());
                    for (int b = 0; b < line.num_branches(); b++) {
                        for (int age = 0; age < window; age++) {
                            const size_t place = b * window + window - 1 - age;
                            const complexf expected =
                                sample(b / sps, (symbol - age) * sps - b % sps);
                            right &= complexf(re[place], im[place]) == expected;
                            right &= line.re(b)[n + window - 1 - age] == expected.real();
                        }
                    }
                }
                line.discard();
            }
            BOOST_TEST(right);
            BOOST_TEST(symbol == (length + sps - 1) / sps);
        }
    }
}

BOOST_AUTO_TEST_CASE(tap_index_is_input_major_newest_first)
{
    const tapped_delay_window line(2, 3, 4);
    BOOST_TEST(line.tap_index(0, 0) == 0);
    BOOST_TEST(line.tap_index(1, 0) == 1);
    BOOST_TEST(line.tap_index(0, 1) == 3);
    BOOST_TEST(line.tap_index(3, 0) == 12);
}

BOOST_AUTO_TEST_CASE(bad_samples_are_zero_and_counted)
{
    tapped_delay_window line(1, 1, 1);
    const std::vector<complexf> in = { 1.0F, { NAN, 0.0F }, { 0.0F, -INFINITY }, 2.0F };
    const complexf* row = in.data();
    BOOST_TEST(line.write(&row, 0, in.size()) == in.size());
    BOOST_TEST(line.re(0)[1] == 0.0F);
    BOOST_TEST(line.im(0)[2] == 0.0F);
    BOOST_TEST(line.re(0)[3] == 2.0F);
    BOOST_TEST(line.take_bad_samples() == 2u);
    BOOST_TEST(line.take_bad_samples() == 0u);
}
