/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Every instruction set that this machine runs, against plain double-precision loops.

#include "kernel/inner_loops.h"
#include "targets.h"
#include <gnuradio/reservoir/kernel/random.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <vector>

using namespace gr::reservoir::kernel;
namespace kernel = gr::reservoir::kernel;
typedef std::complex<double> complexd;

namespace {

std::vector<float> noise(kernel::random& generator, size_t count, double scale = 1.0)
{
    std::vector<float> values(count);
    for (auto& value : values)
        value = scale * generator.gaussian();
    return values;
}

} // namespace

BOOST_AUTO_TEST_CASE(fir_is_the_sum_over_branches_and_taps)
{
    kernel::random generator(1);
    const size_t taps = 5, branches = 3;
    const auto w_re = noise(generator, taps * branches),
               w_im = noise(generator, taps * branches);
    std::vector<std::vector<float>> re, im;
    std::vector<const float*> x_re, x_im;
    for (size_t b = 0; b < branches; b++) {
        re.push_back(noise(generator, 300));
        im.push_back(noise(generator, 300));
    }
    for (size_t b = 0; b < branches; b++) {
        x_re.push_back(re[b].data());
        x_im.push_back(im[b].data());
    }
    for_each_target([&] {
        for (size_t count : { 1, 7, 8, 31, 32, 33, 100, 200 }) {
            std::vector<std::complex<float>> out(count + 1, 77.0F);
            simd::fir(x_re.data(),
                      x_im.data(),
                      branches,
                      taps,
                      w_re.data(),
                      w_im.data(),
                      count,
                      out.data());
            for (size_t n = 0; n < count; n++) {
                complexd sum = 0.0;
                for (size_t b = 0; b < branches; b++)
                    for (size_t m = 0; m < taps; m++)
                        sum += complexd(w_re[b * taps + m], w_im[b * taps + m]) *
                               complexd(re[b][n + m], im[b][n + m]);
                BOOST_TEST(std::abs(complexd(out[n]) - sum) < 1e-5);
            }
            BOOST_TEST(out[count] == 77.0F); // nothing is written beyond the end
        }
    });
}

BOOST_AUTO_TEST_CASE(fir_gives_the_same_bits_wherever_a_block_begins)
{
    kernel::random generator(2);
    const auto re = noise(generator, 400), im = noise(generator, 400);
    const auto w_re = noise(generator, 24), w_im = noise(generator, 24);
    for_each_target([&] {
        const float *x_re = re.data(), *x_im = im.data();
        std::vector<std::complex<float>> whole(200);
        simd::fir(&x_re, &x_im, 1, 24, w_re.data(), w_im.data(), 200, whole.data());
        for (size_t begin = 0; begin < 150; begin += 7) {
            std::vector<std::complex<float>> part(50);
            const float *p_re = x_re + begin, *p_im = x_im + begin;
            simd::fir(&p_re, &p_im, 1, 24, w_re.data(), w_im.data(), 50, part.data());
            for (size_t n = 0; n < 50; n++)
                BOOST_TEST(part[n] == whole[begin + n]);
        }
    });
}

BOOST_AUTO_TEST_CASE(multiply_is_a_matrix_times_a_vector)
{
    kernel::random generator(3);
    for_each_target([&] {
        for (size_t rows : { 16, 32, 48, 64, 112 }) {
            const size_t columns = 9;
            const auto a_re = noise(generator, rows * columns),
                       a_im = noise(generator, rows * columns);
            const auto v_re = noise(generator, columns), v_im = noise(generator, columns);
            std::vector<float> y_re(rows), y_im(rows);
            simd::multiply(a_re.data(),
                           a_im.data(),
                           rows,
                           columns,
                           v_re.data(),
                           v_im.data(),
                           y_re.data(),
                           y_im.data());
            for (size_t i = 0; i < rows; i++) {
                complexd sum = 0.0;
                for (size_t j = 0; j < columns; j++)
                    sum += complexd(a_re[j * rows + i], a_im[j * rows + i]) *
                           complexd(v_re[j], v_im[j]);
                BOOST_TEST(std::abs(complexd(y_re[i], y_im[i]) - sum) < 1e-5);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(multiply_real_is_multiply_without_imaginary_parts)
{
    kernel::random generator(9);
    for_each_target([&] {
        for (size_t rows : { 16, 32, 48, 64, 112 }) {
            const size_t columns = 9;
            const auto a = noise(generator, rows * columns);
            const auto v_re = noise(generator, columns), v_im = noise(generator, columns);
            std::vector<float> y_re(rows), y_im(rows);
            simd::multiply_real(a.data(),
                                rows,
                                columns,
                                v_re.data(),
                                v_im.data(),
                                y_re.data(),
                                y_im.data());
            for (size_t i = 0; i < rows; i++) {
                complexd sum = 0.0;
                for (size_t j = 0; j < columns; j++)
                    sum += double(a[j * rows + i]) * complexd(v_re[j], v_im[j]);
                BOOST_TEST(std::abs(complexd(y_re[i], y_im[i]) - sum) < 1e-5);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(activations_agree_with_the_reference)
{
    kernel::random generator(4);
    for_each_target([&] {
        for (auto function : { activation::identity,
                               activation::magnitude_tanh,
                               activation::split_tanh }) {
            for (double scale : { 1e-6, 1e-3, 0.1, 1.0, 3.0, 6.0, 10.0, 1e6 }) {
                auto re = noise(generator, 64, scale), im = noise(generator, 64, scale);
                const auto x = re, y = im;
                simd::activate(function, 64, re.data(), im.data());
                for (size_t k = 0; k < 64; k++) {
                    const complexd expected = apply(function, complexd(x[k], y[k]));
                    BOOST_TEST(std::abs(complexd(re[k], im[k]) - expected) <=
                               1e-6 * std::abs(expected));
                }
            }
        }
        // zero stays zero; the largest floats saturate in their direction
        std::vector<float> re(16, 0.0F), im(16, 0.0F);
        re[1] = std::numeric_limits<float>::max();
        simd::activate(activation::magnitude_tanh, 16, re.data(), im.data());
        BOOST_TEST(re[0] == 0.0F);
        BOOST_TEST(im[0] == 0.0F);
        BOOST_TEST(std::abs(re[1] - 1.0F) < 1e-6);
    });
}

BOOST_AUTO_TEST_CASE(dot_has_no_conjugate)
{
    kernel::random generator(5);
    for_each_target([&] {
        const auto a_re = noise(generator, 48), a_im = noise(generator, 48);
        const auto b_re = noise(generator, 48), b_im = noise(generator, 48);
        complexd sum = 0.0;
        for (size_t k = 0; k < 48; k++)
            sum += complexd(a_re[k], a_im[k]) * complexd(b_re[k], b_im[k]);
        const auto found =
            simd::dot(a_re.data(), a_im.data(), b_re.data(), b_im.data(), 48);
        BOOST_TEST(std::abs(complexd(found) - sum) < 1e-4);
    });
}

BOOST_AUTO_TEST_CASE(deinterleave_scales_strides_and_replaces_what_is_not_finite)
{
    for_each_target([] {
        std::vector<std::complex<float>> in(60);
        for (size_t k = 0; k < in.size(); k++)
            in[k] = { float(k), -float(k) };
        in[6] = { NAN, 1.0F };
        in[9] = { 1.0F, INFINITY };
        in[12] = { 3e38F, 0.0F }; // overflows when scaled
        std::vector<float> re(20), im(20);
        BOOST_TEST(simd::deinterleave(in.data(), 3, 20, 2.0F, re.data(), im.data()) ==
                   3u);
        for (size_t k = 0; k < 20; k++) {
            const bool bad = k == 2 || k == 3 || k == 4;
            BOOST_TEST(re[k] == (bad ? 0.0F : 6.0F * k));
            BOOST_TEST(im[k] == (bad ? 0.0F : -6.0F * k));
        }
    });
}
