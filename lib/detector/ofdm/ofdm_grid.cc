/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_grid.h>

#include "check.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>

namespace gr {
namespace reservoir {

namespace {

constexpr int MAX_FFT_LEN = 65536;
constexpr int MAX_STREAMS = 8;
constexpr int MAX_SKIPPED = 1 << 20;

ofdm_grid::carrier_sets
counted_from_dc(const char* name, const ofdm_grid::carrier_sets& sets, int fft_len)
{
    ofdm_grid::carrier_sets out = sets;
    for (auto& set : out) {
        std::vector<char> taken(fft_len, 0);
        for (int& carrier : set) {
            require_range(name, carrier, -(fft_len / 2), fft_len - 1);
            const int given = carrier;
            carrier = (carrier + fft_len) % fft_len;
            require(!taken[carrier], name, given, "there once in a set");
            taken[carrier] = 1;
        }
    }
    return out;
}

ofdm_grid::pilot_sets
for_every_stream(const char* name, const ofdm_grid::pilot_sets& sets, int num_tx)
{
    if (sets.empty())
        return ofdm_grid::pilot_sets(num_tx);
    if (sets.size() == 1)
        return ofdm_grid::pilot_sets(num_tx, sets[0]);
    require(
        sets.size() == size_t(num_tx),
        name,
        "those of " + std::to_string(sets.size()) + " streams",
        ("those of num_tx = " + std::to_string(num_tx) + " streams, or of one").c_str());
    for (const stream_matrix& stream : sets)
        require(stream.size() == sets[0].size(),
                name,
                std::to_string(stream.size()) + " sets for one stream, " +
                    std::to_string(sets[0].size()) + " for another",
                "as many for every stream");
    return sets;
}

void require_finite(const char* name, const stream_matrix& rows)
{
    for (const auto& row : rows)
        for (const gr_complex value : row)
            require(std::isfinite(value.real()) && std::isfinite(value.imag()),
                    name,
                    "a value that is not finite",
                    "of finite values");
}

} // namespace

bool known_carriers::operator==(const known_carriers& other) const
{
    const auto same = [](const auto& a, const auto& b) {
        return a.size() == b.size() &&
               (a.empty() ||
                std::memcmp(a.data(), b.data(), a.size() * sizeof(a[0])) == 0);
    };
    return fft_len == other.fft_len && num_symbols == other.num_symbols &&
           std::equal(values.begin(),
                      values.end(),
                      other.values.begin(),
                      other.values.end(),
                      same) &&
           std::equal(
               known.begin(), known.end(), other.known.begin(), other.known.end(), same);
}

std::vector<int> known_carriers::data_symbols() const
{
    std::vector<int> found;
    for (int n = 0; n < num_symbols; n++)
        if (std::any_of(known.begin(), known.end(), [&](const auto& row) {
                const auto first = row.begin() + size_t(n) * fft_len;
                return std::count(first, first + fft_len, 0) > 0;
            }))
            found.push_back(n);
    return found;
}

known_carriers
known_carriers::from_pilots(const stream_matrix& pilots, int fft_len, int num_symbols)
{
    require(!pilots.empty(), "pilots", "[]", "a row per stream");
    require(fft_len >= 1, "fft_len", fft_len, "at least 1");
    const size_t size = pilots[0].size();
    require(size > 0 && size % fft_len == 0,
            "pilots",
            std::to_string(size) + " values per stream",
            ("whole symbols of fft_len = " + std::to_string(fft_len)).c_str());
    const int count = int(size) / fft_len;
    require(count <= num_symbols,
            "pilots",
            std::to_string(count) + " symbols",
            ("at most the frame's " + std::to_string(num_symbols)).c_str());
    require_finite("pilots", pilots);
    std::vector<char> unused(fft_len, 1);
    for (const auto& row : pilots) {
        require(row.size() == size, "pilots", row.size(), "as many for every stream");
        for (size_t i = 0; i < size; i++)
            if (row[i] != gr_complex(0))
                unused[i % fft_len] = 0;
    }
    require(std::count(unused.begin(), unused.end(), 0) > 0,
            "pilots",
            "all zero",
            "other than zero on the carriers in use");
    known_carriers made{ fft_len, num_symbols, pilots, {} };
    std::vector<char> known(size, 1);
    for (int n = count; n < num_symbols; n++)
        known.insert(known.end(), unused.begin(), unused.end());
    made.known.assign(pilots.size(), known);
    for (auto& row : made.values)
        row.resize(size_t(num_symbols) * fft_len);
    return made;
}

known_carriers
known_carriers::from_taps(const stream_matrix& initial_taps, int num_tx, int num_symbols)
{
    require(num_tx >= 1, "num_tx", num_tx, "at least 1");
    require(num_symbols >= 1, "num_symbols", num_symbols, "at least 1");
    require(!initial_taps.empty() && initial_taps.size() % num_tx == 0,
            "initial_taps",
            std::to_string(initial_taps.size()) + " rows",
            "a row for each antenna and stream");
    const size_t size = initial_taps[0].size();
    for (const auto& row : initial_taps)
        require(row.size() == size, "initial_taps", row.size(), "as many in each row");
    const size_t antennas = initial_taps.size() / num_tx;
    known_carriers made;
    made.fft_len = int(size);
    made.num_symbols = num_symbols;
    made.values.assign(num_tx, std::vector<gr_complex>(size * num_symbols));
    for (int j = 0; j < num_tx; j++) {
        std::vector<char> unused(size, 1), known;
        for (size_t r = 0; r < antennas; r++)
            for (size_t k = 0; k < size; k++) {
                const gr_complex tap = initial_taps[antennas * j + r][k];
                if (tap != gr_complex(0) && std::isfinite(tap.real()) &&
                    std::isfinite(tap.imag()))
                    unused[k] = 0;
            }
        for (int n = 0; n < num_symbols; n++)
            known.insert(known.end(), unused.begin(), unused.end());
        made.known.push_back(known);
    }
    return made;
}

ofdm_grid::ofdm_grid(int fft_len,
                     const std::vector<int>& cp_len,
                     int num_tx,
                     const carrier_sets& occupied_carriers,
                     const carrier_sets& pilot_carriers,
                     const pilot_sets& pilot_symbols,
                     const pilot_sets& sync_words,
                     int symbols_skipped,
                     bool shifted)
    : d_fft_len(fft_len),
      d_cp_len(cp_len),
      d_num_tx(num_tx),
      d_symbols_skipped(symbols_skipped),
      d_shifted(shifted)
{
    require_range("fft_len", fft_len, 2, MAX_FFT_LEN);
    require(!cp_len.empty(), "cp_len", "[]", "at least one length");
    for (const int length : cp_len)
        require_range("cp_len", length, 0, fft_len);
    require_range("num_tx", num_tx, 1, MAX_STREAMS);
    require_range("symbols_skipped", symbols_skipped, 0, MAX_SKIPPED);
    d_occupied = counted_from_dc("occupied_carriers", occupied_carriers, fft_len);
    d_pilots = counted_from_dc("pilot_carriers", pilot_carriers, fft_len);
    require(std::any_of(d_occupied.begin(),
                        d_occupied.end(),
                        [](const auto& set) { return !set.empty(); }),
            "occupied_carriers",
            "[]",
            "at least one carrier");
    d_pilot_symbols = for_every_stream("pilot_symbols", pilot_symbols, num_tx);
    d_sync_words = for_every_stream("sync_words", sync_words, num_tx);
    require(d_pilots.empty() == d_pilot_symbols[0].empty(),
            "pilot_symbols",
            std::to_string(d_pilot_symbols[0].size()) + " sets",
            "given if pilot_carriers are");
    for (int j = 0; j < num_tx; j++) {
        require_finite("pilot_symbols", d_pilot_symbols[j]);
        require_finite("sync_words", d_sync_words[j]);
        for (const auto& word : d_sync_words[j])
            require(word.size() == size_t(fft_len),
                    "sync_words",
                    std::to_string(word.size()) + " values",
                    "of fft_len values each");
    }
    // of two lists that are taken in turns, these meet in some symbol
    const auto meet = [](size_t i, size_t size, size_t k, size_t other_size) {
        const size_t common = std::gcd(size, other_size);
        return i % common == k % common;
    };
    for (size_t i = 0; i < d_pilots.size(); i++) {
        for (size_t k = 0; k < d_pilot_symbols[0].size(); k++)
            if (meet(i, d_pilots.size(), k, d_pilot_symbols[0].size()))
                for (const stream_matrix& stream : d_pilot_symbols)
                    require(stream[k].size() == d_pilots[i].size(),
                            "pilot_symbols",
                            std::to_string(stream[k].size()) + " values in a set",
                            ("as many as the set's pilot carriers, " +
                             std::to_string(d_pilots[i].size()))
                                .c_str());
        for (size_t k = 0; k < d_occupied.size(); k++)
            if (meet(i, d_pilots.size(), k, d_occupied.size()))
                for (const int carrier : d_pilots[i])
                    require(std::find(d_occupied[k].begin(),
                                      d_occupied[k].end(),
                                      carrier) == d_occupied[k].end(),
                            "pilot_carriers",
                            carrier,
                            "none of the occupied carriers of the same symbol");
    }
}

known_carriers ofdm_grid::known(int num_symbols) const
{
    require(num_symbols >= 0, "num_symbols", num_symbols, "at least 0");
    known_carriers made;
    made.fft_len = d_fft_len;
    made.num_symbols = num_symbols;
    const size_t size = size_t(num_symbols) * d_fft_len;
    made.values.assign(d_num_tx, std::vector<gr_complex>(size));
    made.known.assign(d_num_tx, std::vector<char>(size, 1));
    for (int n = 0; n < num_symbols; n++) {
        const size_t begin = size_t(n) * d_fft_len;
        if (n < num_sync_words()) {
            for (int j = 0; j < d_num_tx; j++)
                for (int k = 0; k < d_fft_len; k++)
                    made.values[j][begin + k] = d_sync_words[j][n][place(k)];
            continue;
        }
        const size_t set = size_t(n - num_sync_words()) + d_symbols_skipped;
        for (const int carrier : d_occupied[set % d_occupied.size()])
            for (int j = 0; j < d_num_tx; j++)
                made.known[j][begin + carrier] = 0;
        if (d_pilots.empty())
            continue;
        const auto& carriers = d_pilots[set % d_pilots.size()];
        for (int j = 0; j < d_num_tx; j++) {
            const auto& values = d_pilot_symbols[j][set % d_pilot_symbols[j].size()];
            for (size_t i = 0; i < carriers.size(); i++)
                made.values[j][begin + carriers[i]] = values[i];
        }
    }
    return made;
}

} // namespace reservoir
} // namespace gr
