/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_equalizer_configured.h>

#include "check.h"
#include <gnuradio/reservoir/kernel/carrier_smoother.h>
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numeric>
#include <string>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

using Eigen::Index;
using Eigen::VectorXcd;
typedef std::complex<double> complex;

constexpr int MOST_CARRIERS = 65536;
constexpr int MOST_SETS = 1 << 20;
constexpr int PHASE_TURNS = 2; // of decisions and phase
// OFDM symbols until what is remembered has faded to 1/e
constexpr double MEMORIES[] = { HUGE_VAL, 16.0, 4.0, 1.5, 0.6 };

bool is_finite_value(gr_complex value)
{
    return std::isfinite(value.real()) && std::isfinite(value.imag());
}

bool is_usable(gr_complex value)
{
    return is_finite_value(value) && value != gr_complex(0, 0);
}

complex direction(complex value)
{
    const double modulus = std::abs(value);
    return modulus > 0.0 ? value / modulus : complex(1.0);
}

void check_carriers(const char* name,
                    const ofdm_equalizer_configured::carrier_sets& sets,
                    int fft_len)
{
    for (size_t n = 0; n < sets.size(); n++)
        for (size_t i = 0; i < sets[n].size(); i++)
            require_range(name + ("[" + std::to_string(n) + "][" + std::to_string(i)) +
                              "]",
                          sets[n][i],
                          -fft_len,
                          fft_len - 1);
}

// The base class reads its arguments unchecked. \return fft_len
int checked(int fft_len,
            const ofdm_equalizer_configured::carrier_sets& occupied_carriers,
            const ofdm_equalizer_configured::carrier_sets& pilot_carriers,
            const std::vector<std::vector<gr_complex>>& pilot_symbols,
            int symbols_skipped)
{
    require_range("fft_len", fft_len, 2, MOST_CARRIERS);
    check_carriers("occupied_carriers", occupied_carriers, fft_len);
    check_carriers("pilot_carriers", pilot_carriers, fft_len);
    require_range("symbols_skipped", symbols_skipped, 0, MOST_SETS);
    require(pilot_carriers.empty() == pilot_symbols.empty(),
            "len(pilot_symbols)",
            pilot_symbols.size(),
            pilot_carriers.empty() ? "0, as there are no pilot carriers" : "1 or more");
    if (pilot_carriers.empty())
        return fft_len;
    const size_t turns = std::lcm(pilot_carriers.size(), pilot_symbols.size());
    require(turns <= size_t(MOST_SETS),
            "sets of pilots until they come again",
            turns,
            "at most 1048576");
    for (size_t n = 0; n < turns; n++) {
        const auto& symbols = pilot_symbols[n % pilot_symbols.size()];
        const size_t count = pilot_carriers[n % pilot_carriers.size()].size();
        if (symbols.size() != count)
            reject_argument("len(pilot_symbols[" +
                                std::to_string(n % pilot_symbols.size()) + "])",
                            symbols.size(),
                            std::to_string(count) + ", one per pilot carrier");
    }
    for (size_t n = 0; n < pilot_symbols.size(); n++)
        for (size_t i = 0; i < pilot_symbols[n].size(); i++)
            if (!is_usable(pilot_symbols[n][i]))
                reject_argument("pilot_symbols[" + std::to_string(n) + "][" +
                                    std::to_string(i) + "]",
                                pilot_symbols[n][i],
                                "finite and not zero");
    return fft_len;
}

} // namespace

struct ofdm_equalizer_configured::frame_state {
    struct carrier {
        Index index; // from DC
        bool is_pilot;
        complex sent; // the pilot, or the decision
        complex received;
    };
    struct memory {
        double kept = 1.0; // from one symbol to the next
        kernel::carrier_sums sums;
        VectorXcd response;
        double error = 0.0; // of predictions
    };

    const Index fft_len;
    const bool shifted;
    const int skipped;
    carrier_sets occupied, pilots;
    std::vector<std::vector<gr_complex>> pilot_symbols;
    std::vector<char> in_use; // in some symbol
    std::vector<complex> points;
    double mean_power = 0.0;
    kernel::carrier_smoother smoother;

    kernel::tap_support support;
    std::array<memory, std::size(MEMORIES)> memories;
    complex phase = 1.0; // that the carriers of the last symbol share
    std::vector<carrier> symbol;
    std::vector<char> role;
    std::vector<complex> value;

    frame_state(int fft_len_,
                const carrier_sets& occupied_,
                const carrier_sets& pilots_,
                const std::vector<std::vector<gr_complex>>& pilot_symbols_,
                int skipped_,
                bool shifted_,
                const std::vector<gr_complex>& points_)
        : fft_len(fft_len_),
          shifted(shifted_),
          skipped(skipped_),
          occupied(occupied_),
          pilots(pilots_),
          pilot_symbols(pilot_symbols_),
          in_use(fft_len_, false),
          points(points_.begin(), points_.end()),
          smoother(fft_len_),
          role(fft_len_),
          value(fft_len_)
    {
        if (occupied.empty()) {
            occupied.emplace_back(fft_len);
            std::iota(occupied[0].begin(), occupied[0].end(), 0);
        }
        for (carrier_sets* sets : { &occupied, &pilots })
            for (auto& set : *sets)
                for (int& index : set) {
                    index = (index + fft_len) % fft_len;
                    in_use[index] = true;
                }
        for (const complex point : points)
            mean_power += std::norm(point) / points.size();
        for (size_t i = 0; i < memories.size(); i++)
            memories[i].kept = std::exp(-1.0 / MEMORIES[i]);
    }

    // Where a symbol has this carrier.
    Index place(Index index) const
    {
        return shifted ? (index + fft_len / 2) % fft_len : index;
    }

    // The carriers of symbol n. \return whether the values are finite
    bool read_symbol(const gr_complex* from, int n)
    {
        enum { UNUSED, DATA, PILOT };
        std::fill(role.begin(), role.end(), char(UNUSED));
        for (const int index : occupied[(skipped + n) % occupied.size()])
            role[index] = DATA;
        if (!pilots.empty()) {
            const auto& set = pilots[(skipped + n) % pilots.size()];
            const auto& sent = pilot_symbols[(skipped + n) % pilot_symbols.size()];
            for (size_t i = 0; i < set.size(); i++) {
                role[set[i]] = PILOT;
                value[set[i]] = sent[i];
            }
        }
        symbol.clear();
        bool finite = true;
        for (Index k = 0; k < fft_len; k++) {
            if (role[k] == UNUSED)
                continue;
            gr_complex received = from[place(k)];
            if (!is_finite_value(received)) {
                received = 0;
                finite = false;
            }
            symbol.push_back(
                { k, role[k] == PILOT, role[k] == PILOT ? value[k] : 0.0, received });
        }
        return finite;
    }

    complex nearest(complex received) const
    {
        return *std::min_element(
            points.begin(), points.end(), [received](complex a, complex b) {
                return std::norm(a - received) < std::norm(b - received);
            });
    }

    bool learn_initial(const std::vector<gr_complex>& taps)
    {
        if (Index(taps.size()) != fft_len)
            return false;
        // the channel comes from a sync word and the symbols before
        const double weight = 1 + skipped; // their power is 1
        kernel::carrier_sums sums(fft_len);
        bool any = false;
        for (Index k = 0; k < fft_len; k++) {
            if (in_use[k] && sums.add_tap(k, taps[place(k)], weight))
                any = true;
        }
        if (any)
            begin_frame(sums);
        return any;
    }

    bool learn_pilots(const gr_complex* frame, int n_sym)
    {
        kernel::carrier_sums sums(fft_len);
        for (int n = 0; n < n_sym; n++)
            if (read_symbol(frame + n * fft_len, n))
                for (const carrier& one : symbol)
                    if (one.is_pilot)
                        sums.add(one.index, one.sent, one.received);
        if (sums.products.isZero(0.0))
            return false;
        begin_frame(sums);
        return true;
    }

    void begin_frame(const kernel::carrier_sums& sums)
    {
        support = smoother.find_support(sums);
        smoother.response(sums, support, memories[0].response);
        for (memory& one : memories) {
            one.sums = sums;
            one.response = memories[0].response;
            one.error = 0.0;
        }
        phase = 1.0;
    }

    const memory& best_memory() const
    {
        return *std::min_element(memories.begin(), memories.end(), [](auto& a, auto& b) {
            return a.error < b.error;
        });
    }

    // Decisions with this common phase. \return their error; the phase is that of the decisions
    double decide(const VectorXcd& response, complex& turned)
    {
        double error = 0.0;
        for (int i = 0; i <= PHASE_TURNS; i++) {
            complex match = 0.0;
            double energy = 0.0;
            for (carrier& one : symbol) {
                const complex h = response(one.index);
                if (!one.is_pilot && h != 0.0)
                    one.sent = nearest(one.received / (h * turned));
                match += std::conj(h * one.sent) * one.received;
                energy += std::norm(one.received) + std::norm(h * one.sent);
            }
            turned = direction(match);
            error = energy - 2.0 * std::abs(match);
        }
        return error;
    }

    void detect()
    {
        const VectorXcd& response = best_memory().response;
        complex match = 0.0;
        for (const carrier& one : symbol)
            if (one.is_pilot)
                match += std::conj(response(one.index) * one.sent) * one.received;
        const double error = decide(response, phase);
        if (match == 0.0)
            return; // only pilots tell points from turned ones
        const std::vector<carrier> decided = symbol;
        complex from_pilots = direction(match);
        if (decide(response, from_pilots) < error)
            phase = from_pilots;
        else
            symbol = decided;
    }

    void write_symbol(gr_complex* to) const
    {
        const VectorXcd& response = best_memory().response;
        for (const carrier& one : symbol) {
            const complex h = response(one.index) * phase;
            const complex out =
                one.is_pilot ? one.sent : (h == 0.0 ? 0.0 : one.received / h);
            to[place(one.index)] = gr_complex(out);
        }
    }

    void learn_symbol()
    {
        double energy = 0.0;
        for (const carrier& one : symbol)
            energy += std::norm(one.received);
        if (energy == 0.0)
            return;
        for (memory& one : memories) {
            complex match = 0.0;
            double modelled = 0.0;
            one.sums.fade(one.kept);
            for (const carrier& at : symbol) {
                const complex model = one.response(at.index) * at.sent;
                match += std::conj(model) * at.received;
                modelled += std::norm(model);
                one.sums.add(at.index, at.sent, at.received * std::conj(phase));
            }
            one.error += energy + modelled - 2.0 * std::abs(match);
            smoother.response(one.sums, support, one.response);
        }
    }

    void write_state(std::vector<gr_complex>& to) const
    {
        const VectorXcd& response = best_memory().response;
        for (Index k = 0; k < fft_len; k++)
            if (in_use[k]) {
                const gr_complex tap(response(k) * phase);
                if (is_finite_value(tap))
                    to[place(k)] = tap;
            }
    }
};

ofdm_equalizer_configured::ofdm_equalizer_configured(
    int fft_len,
    const carrier_sets& occupied_carriers,
    const carrier_sets& pilot_carriers,
    const std::vector<std::vector<gr_complex>>& pilot_symbols,
    int symbols_skipped,
    bool input_is_shifted,
    const constellation_points& constellation)
    // of several pilot symbols per pilot set the base class would keep one
    : digital::ofdm_equalizer_1d_pilots(
          checked(
              fft_len, occupied_carriers, pilot_carriers, pilot_symbols, symbols_skipped),
          occupied_carriers,
          {},
          {},
          symbols_skipped,
          input_is_shifted),
      d_frame(std::make_unique<frame_state>(fft_len,
                                            occupied_carriers,
                                            pilot_carriers,
                                            pilot_symbols,
                                            symbols_skipped,
                                            input_is_shifted,
                                            constellation.points))
{
}

ofdm_equalizer_configured::~ofdm_equalizer_configured() = default;

void ofdm_equalizer_configured::reset() { digital::ofdm_equalizer_1d_pilots::reset(); }

void ofdm_equalizer_configured::equalize(gr_complex* frame,
                                         int n_sym,
                                         const std::vector<gr_complex>& initial_taps,
                                         const std::vector<tag_t>&)
{
    frame_state& state = *d_frame;
    if (!state.learn_initial(initial_taps) && !state.learn_pilots(frame, n_sym) &&
        !state.learn_initial(d_channel_state))
        return;
    for (int n = 0; n < n_sym; n++) {
        gr_complex* const symbol = frame + size_t(n) * d_fft_len;
        const bool finite = state.read_symbol(symbol, n);
        state.detect();
        state.write_symbol(symbol);
        if (finite)
            state.learn_symbol();
    }
    state.write_state(d_channel_state);
}

} // namespace reservoir
} // namespace gr
