/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/convolutional_bcjr.h>

#include "check.h"
#include "kernel/convolutional_loops.h"
#include <algorithm>
#include <string>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr float UNREACHED = -1e6F; // log probability of a state that no path ends in

int parity(unsigned bits)
{
    int odd = 0;
    for (; bits != 0; bits &= bits - 1)
        odd ^= 1;
    return odd;
}

} // namespace

convolutional_bcjr::convolutional_bcjr(const std::vector<int>& polynomials,
                                       int constraint_len,
                                       size_t num_info)
    : d_num_info(num_info),
      d_num_steps(num_info + constraint_len - 1),
      d_half(constraint_len >= 3 && constraint_len <= 9
                 ? size_t(1) << (constraint_len - 2)
                 : 0)
{
    require_range("constraint_len", constraint_len, 3, 9);
    require(
        num_info >= 1 && num_info <= size_t(1) << 20, "num_info", num_info, "1 to 2^20");
    require(polynomials.size() == 2,
            "polynomials",
            std::to_string(polynomials.size()) + " of them",
            "two");
    for (const int polynomial : polynomials)
        require_range("polynomials", polynomial, 1, (1 << constraint_len) - 1);
    require(polynomials[0] != polynomials[1],
            "polynomials",
            polynomials[0],
            "two different ones");

    const size_t states = 2 * d_half, branches = 2 * states;
    d_place.resize(branches);
    size_t found[4] = {};
    for (size_t branch = 0; branch < branches; branch++) {
        const size_t input = branch / states, oldest = branch / d_half % 2;
        const size_t bits = (oldest * d_half + branch % d_half) << 1 | input;
        int coded[2];
        for (int k = 0; k < 2; k++) {
            coded[k] = parity(bits & polynomials[k]);
            d_sign[k].push_back(coded[k] ? 0.5F : -0.5F);
        }
        // two different polynomials: each pair of coded bits belongs to a quarter of the branches
        const size_t pair = 2 * coded[0] + coded[1];
        d_place[branch] = 4 * found[pair]++ + pair;
    }
    d_forward.resize((d_num_steps + 1) * states);
    d_backward.resize(states);
    d_room.resize(10 * d_half);
}

void convolutional_bcjr::decode(const float* ratios, float* coded, float* info)
{
    const simd::convolutional_branches code = { d_half,
                                                { d_sign[0].data(), d_sign[1].data() },
                                                d_place.data() };
    std::fill_n(d_forward.begin(), 2 * d_half, UNREACHED);
    d_forward[0] = 0.0F;
    simd::go_forward(code, ratios, d_num_steps, d_forward.data());
    std::fill(d_backward.begin(), d_backward.end(), UNREACHED);
    d_backward[0] = 0.0F;
    simd::go_backward(code,
                      ratios,
                      d_num_steps,
                      d_num_info,
                      d_forward.data(),
                      d_backward.data(),
                      d_room.data(),
                      coded,
                      info);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
