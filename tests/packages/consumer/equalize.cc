/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// The frame of first_frame.py in C++: 64 pilots and 512 symbols behind two paths and noise.

#include <gnuradio/reservoir/configured_esn.h>
#include <cstdio>
#include <random>

int main()
{
    std::mt19937 bits(1);
    std::normal_distribution<float> noise(0.0F, 0.05F);
    const auto level = [&] { return bits() & 1 ? 0.7071F : -0.7071F; };

    const size_t num_pilots = 64, length = 576, look_ahead = 8;
    std::vector<gr_complex> sent, received;
    for (size_t k = 0; k < length + look_ahead; k++) {
        sent.emplace_back(k < length ? gr_complex(level(), level()) : 0.0F);
        received.push_back(sent[k] + gr_complex(noise(bits), noise(bits)));
        if (k > 0)
            received[k] += gr_complex(0.0F, 0.5F) * sent[k - 1];
    }

    const auto detector = gr::reservoir::configured_esn::make();
    const gr::reservoir::stream_matrix pilots{ { sent.begin(),
                                                 sent.begin() + num_pilots } };
    const auto symbols = detector->receive({ received }, pilots, 1, length - num_pilots);

    int errors = 0;
    for (size_t k = num_pilots; k < length; k++)
        errors += std::abs(symbols.at(0).at(k) - sent[k]) > 0.5F;
    std::printf("%d of %zu symbols are wrong\n", errors, length - num_pilots);
    return errors > 0;
}
