/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/pattern_receiver.h"

#include "detector/configured/likely_sequence.h"
#include <gnuradio/reservoir/kernel/expectation_maximization.h>
#include <gnuradio/reservoir/kernel/trellis.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr Index LONGEST_BLOCK = 48;
constexpr Index RUN_ON = 8;   // known symbols behind a block, beside the channel's length
constexpr Index LOOK_ON = 16; // unknown symbols behind it
constexpr Index PART = 256;   // of a burst that may have a window of its own, symbols
constexpr double ROWS_OF_PART = 40.0;
constexpr size_t FEWEST_TESTS = 4; // that tell whether a channel moves
constexpr tracking_memory STANDS_STILL = { 1e9, false };
constexpr Index EXPECTED_LENGTH = 8; // of the channel of a short burst, symbols
const std::vector<tracking_memory> MEMORIES = {
    { 48.0, false }, { 128.0, false }, { 48.0, true }, { 128.0, true }, { 384.0, true }
};

// Maximal runs of symbols that are marked, or that are not.
std::vector<row_range> runs_of(const std::vector<char>& marks, bool marked)
{
    std::vector<row_range> runs;
    for (Index n = 0; n < Index(marks.size()); n++) {
        if (bool(marks[n]) != marked)
            continue;
        if (runs.empty() || runs.back().last != n)
            runs.push_back({ n, n });
        runs.back().last = n + 1;
    }
    return runs;
}

row_range longest_of(const std::vector<row_range>& runs)
{
    return *std::max_element(runs.begin(), runs.end(), [](row_range a, row_range b) {
        return a.size() < b.size();
    });
}

// Parts of equal size, none longer than a block.
void cut_into_blocks(row_range run, std::vector<row_range>& blocks)
{
    const Index parts = (run.size() + LONGEST_BLOCK - 1) / LONGEST_BLOCK;
    for (Index p = 0; p < parts; p++)
        blocks.push_back({ run.first + p * run.size() / parts,
                           run.first + (p + 1) * run.size() / parts });
}

std::vector<row_range> all_blocks(Index size)
{
    std::vector<row_range> blocks;
    cut_into_blocks({ 0, size }, blocks);
    return blocks;
}

// Enough blocks to judge all by, evenly.
std::vector<row_range> some_of(const std::vector<row_range>& blocks)
{
    constexpr size_t MOST = 16;
    const size_t step = (blocks.size() + MOST - 1) / MOST;
    std::vector<row_range> some;
    for (size_t b = 0; b < blocks.size(); b += step)
        some.push_back(blocks[b]);
    return some;
}

// Of the unknown symbols; what few known ones part goes together.
std::vector<row_range> blocks_of(const std::vector<char>& given)
{
    std::vector<row_range> together;
    for (const row_range run : runs_of(given, false)) {
        if (!together.empty() && run.last - together.back().first <= LONGEST_BLOCK)
            together.back().last = run.last;
        else
            together.push_back(run);
    }
    std::vector<row_range> blocks;
    for (const row_range run : together)
        cut_into_blocks(run, blocks);
    return blocks;
}

std::vector<row_range> known_blocks(const std::vector<char>& given)
{
    std::vector<row_range> blocks;
    for (const row_range run : runs_of(given, true))
        cut_into_blocks(run, blocks);
    return blocks;
}

// Where reception begins, forwards and backwards: behind the first known symbols that fill a channel.
row_range anchor_of(const std::vector<char>& given, Index length)
{
    const std::vector<row_range> runs = runs_of(given, true);
    const Index enough = std::min(length - 1, longest_of(runs).size());
    return *std::find_if(runs.begin(), runs.end(), [enough](row_range run) {
        return run.size() >= enough;
    });
}

row_range mirrored(row_range range, Index size)
{
    return { size - range.last, size - range.first };
}

// Real and imaginary part of each stream, side by side, at its power.
sample_streams parts_of(const sample_streams& streams)
{
    sample_streams parts;
    for (const auto& stream : streams) {
        parts.push_back(std::sqrt(2.0) * stream.real());
        parts.push_back(std::sqrt(2.0) * stream.imag());
    }
    return parts;
}

// Of streams whose parts have these taps.
MatrixXcd whole_of(const MatrixXcd& taps)
{
    MatrixXcd whole(taps.rows(), taps.cols() / 2);
    for (Index q = 0; q < whole.cols(); q++)
        whole.col(q) =
            std::sqrt(0.5) * (taps.col(2 * q) + cdouble(0.0, 1.0) * taps.col(2 * q + 1));
    return whole;
}

template <class Vector>
Vector backwards(const Vector& values)
{
    return Vector(values.rbegin(), values.rend());
}

} // namespace

bool pattern_receiver::burst_model::still() const
{
    return memory.symbols == STANDS_STILL.symbols;
}

pattern_receiver::burst pattern_receiver::prepare(const sample_streams& streams,
                                                  const std::vector<cdouble>& known,
                                                  Index num_symbols) const
{
    burst made;
    made.streams = streams;
    std::vector<cdouble> values(num_symbols, 0.0);
    made.symbols.given.assign(num_symbols, false);
    for (Index n = 0; n < std::min<Index>(num_symbols, known.size()); n++) {
        made.symbols.given[n] = !std::isnan(known[n].real());
        if (made.symbols.given[n])
            values[n] = known[n];
    }
    const std::vector<char> given = made.symbols.given;
    made.symbols = d_network.known(values, num_symbols);
    made.symbols.given = given;
    made.symbols.on_points = true;
    for (Index n = 0; n < num_symbols; n++)
        made.symbols.on_points &= !given[n] || made.symbols.rings[n] >= 0;
    made.there = given;
    return made;
}

std::vector<kernel::channel_window>
pattern_receiver::windows_of(const burst& received) const
{
    const Index in_a_row = longest_of(runs_of(received.there, true)).size();
    const kernel::window_limits limits = kernel::channel_window_limits(in_a_row);
    const VectorXd weights =
        kernel::rows_that_count(received.there, limits.longest - 1, limits.latest);
    const auto select = [&](row_range range) {
        return d_network.select_window(
            received.streams, received.symbols, range, weights, in_a_row);
    };
    const Index size = received.size();
    std::vector<kernel::channel_window> windows = { select({ 0, size }) };
    if (d_network.settings().channel_len > 0)
        return windows;
    // a path that has faded in one part may be there in another
    const Index parts = std::max<Index>(size / PART, 1);
    std::optional<kernel::channel_window> all;
    for (Index p = 0; p < parts; p++) {
        const row_range part = { p * size / parts, (p + 1) * size / parts };
        if (weights.segment(part.first, part.size()).sum() < ROWS_OF_PART)
            continue;
        const kernel::channel_window seen = select(part);
        all = all ? covering(*all, seen) : seen;
    }
    if (all)
        windows.push_back(*all);
    for (kernel::channel_window& window : windows) {
        if (3 * (window.length + 2) > in_a_row)
            continue; // few rows would be left
        // what weak taps there may be beside; without power they are drawn to zero
        window.length += 2;
        window.timing += 1;
    }
    return windows;
}

pattern_receiver::scored_memory
pattern_receiver::best_memory(const interpolated_channel& channel,
                              const std::vector<row_range>& tests) const
{
    const double all = channel.rows({ 0, channel.num_symbols() });
    const double enough = 2.0 * channel.window().length * channel.num_streams();
    std::vector<row_range> used;
    double rows = 0.0, energy = 0.0;
    for (const row_range test : some_of(tests)) {
        const double own = channel.rows(test);
        if (all - own < enough)
            continue;
        used.push_back(test);
        rows += own;
        energy += channel.energy(test);
    }
    const auto left_by = [&](tracking_memory memory) {
        double left = 0.0;
        for (const row_range test : used)
            left += channel.residual(test, channel.around(test, memory, false));
        return scored_memory{ memory, left / std::max(energy, 1e-12) };
    };
    const scored_memory still = left_by(STANDS_STILL);
    if (d_network.settings().tracking == tracking_mode::off || used.size() < FEWEST_TESTS)
        return still;
    scored_memory best = left_by(MEMORIES[0]);
    for (size_t k = 1; k < MEMORIES.size(); k++) {
        const scored_memory found = left_by(MEMORIES[k]);
        if (found.left < best.left)
            best = found;
    }
    return best.left * benefit_of_doubt(Index(std::max(rows, 1.0))) < still.left ? best
                                                                                 : still;
}

pattern_receiver::burst_model
pattern_receiver::model_of(const burst& received,
                           const std::vector<kernel::channel_window>& windows,
                           const std::vector<row_range>& tests) const
{
    burst_model best;
    best.memory = STANDS_STILL;
    double least = std::numeric_limits<double>::infinity();
    const row_range all = { 0, received.size() };
    std::vector<kernel::channel_window> tried;
    for (const kernel::channel_window window : windows) {
        if (std::any_of(tried.begin(), tried.end(), [window](auto other) {
                return other.timing == window.timing && other.length == window.length;
            }))
            continue;
        tried.push_back(window);
        const configured_readout readout = d_network.model_of(
            received.streams,
            received.symbols,
            all,
            window,
            kernel::rows_that_count(received.there, window.length - 1, 0),
            d_network.warps(all));
        const scored_memory found =
            best_memory(interpolated_channel(received.streams,
                                             window,
                                             received.symbols.warped(readout.warp),
                                             received.there),
                        tests);
        if (found.left < least || !std::isfinite(least)) {
            least = found.left;
            best = { readout, found.memory };
        }
    }
    return best;
}

// All sequences of a block that are not sure, if there are few enough; known symbols behind it help.
void pattern_receiver::search_all(const burst& received,
                                  const configured_readout& readout,
                                  row_range block,
                                  Index last_known,
                                  std::vector<int>& found) const
{
    const kernel::channel_window window = readout.window;
    const VectorXcd sent = received.symbols.warped(readout.warp);
    VectorXcd behind = VectorXcd::Zero(received.streams[0].size());
    behind.segment(block.last, last_known - block.last) =
        sent.segment(block.last, last_known - block.last);
    // samples that show them, and all that show the block
    const Index end =
        std::min<Index>(last_known + window.length - 1 - window.timing, behind.size());
    const Index first = std::max<Index>(block.last - window.timing, 0);
    sample_streams without = received.streams;
    if (end > first) {
        const MatrixXcd part = kernel::channel_rows(
            behind, { first + window.timing, end + window.timing }, readout.taps);
        for (size_t q = 0; q < without.size(); q++)
            without[q].segment(first, end - first) -= part.col(q);
    }
    const std::vector<int> likely = likely_sequence(
        { window, readout.taps, readout.points, readout.noise_variance },
        without,
        sent,
        d_network.points_before(received.symbols, block.first, window.length - 1),
        block,
        true,
        last_known - block.last);
    std::copy(likely.begin(), likely.end(), found.begin());
}

bool pattern_receiver::decide(burst& received,
                              burst_model model,
                              const std::vector<row_range>& blocks) const
{
    configured_readout& readout = model.readout;
    frame_symbols& symbols = received.symbols;
    VectorXcd sent = symbols.warped(readout.warp);
    interpolated_channel channel(received.streams, readout.window, sent, received.there);
    bool changed = false;
    channel.weigh_taps(some_of(all_blocks(received.size())), model.memory);
    for (const row_range block : blocks) {
        const local_channel now = channel.around(block, model.memory, model.still());
        d_network.configure_for(readout, now.taps, now.noise_variance);
        Index last = block.last;
        const bool known_behind = last < received.size() && symbols.given[last];
        const Index most = std::min(
            block.last + (known_behind ? readout.window.length + RUN_ON : LOOK_ON),
            received.size());
        while (last < most && (!known_behind || symbols.given[last]))
            last++;
        kernel::adaptive_decisions found = d_network.search(
            readout,
            received.streams,
            symbols,
            { block.first, last },
            block.size(),
            d_network.settings().two_real_streams ? 0.0
                                                  : d_network.settings().phase_noise);
        const bool all_unknown = std::none_of(symbols.given.begin() + block.first,
                                              symbols.given.begin() + block.last,
                                              [](char given) { return given; });
        if (!(found.margin > SURE_MARGIN) && all_unknown &&
            kernel::trellis::fits(
                readout.points.size(), readout.window.length, BLOCK_BRANCHES))
            search_all(received,
                       readout,
                       block,
                       known_behind ? last : block.last,
                       found.symbols);
        for (Index n = block.first; n < block.last; n++) {
            const int point = found.symbols[n - block.first];
            if (point < 0)
                continue;
            const cdouble value = d_network.settings().points(point);
            changed |= value != symbols.values(n);
            d_network.decide(symbols, { n, n + 1 }, { point });
            sent(n) = symbols.warped(n, readout.warp);
            received.there[n] = true;
        }
        channel.learn(sent, received.there, block);
    }
    return changed;
}

bool pattern_receiver::decide_all(burst& received, const burst_model& model) const
{
    const Index size = received.size();
    const kernel::channel_window window = model.readout.window;
    const row_range anchor = anchor_of(received.symbols.given, window.length);
    std::vector<row_range> forwards, before;
    for (const row_range block : blocks_of(received.symbols.given)) {
        if (block.first >= anchor.first)
            forwards.push_back(block);
        else
            before.push_back(mirrored(block, size));
    }
    bool changed = decide(received, model, forwards);
    if (before.empty())
        return changed;
    std::reverse(before.begin(), before.end());
    const auto turn = [](burst& turned) {
        turned.symbols.values = turned.symbols.values.reverse().eval();
        turned.symbols.rings = backwards(turned.symbols.rings);
        turned.symbols.given = backwards(turned.symbols.given);
        turned.there = backwards(turned.there);
    };
    burst backward = received;
    turn(backward);
    for (auto& stream : backward.streams) {
        const Index length = stream.size();
        VectorXcd other = VectorXcd::Zero(length);
        other.head(size) = stream.head(size).reverse();
        stream = other;
    }
    burst_model other = model;
    other.readout.window.timing = window.length - 1 - window.timing;
    changed |= decide(backward, other, before);
    turn(backward);
    received.symbols = backward.symbols;
    received.there = backward.there;
    return changed;
}

bool pattern_receiver::decide_expected(burst& received, burst_model& model) const
{
    const configured_settings& settings = d_network.settings();
    configured_readout& readout = model.readout;
    std::optional<kernel::channel_window> told;
    if (settings.channel_len > 0 || settings.channel.size() > 0)
        told = readout.window;
    const Index length = told ? told->length : EXPECTED_LENGTH;
    const Index in_a_row = longest_of(runs_of(received.symbols.given, true)).size();
    if (!model.still() || received.size() > PART || in_a_row < 3 * length ||
        readout.window.length > length ||
        !kernel::trellis::fits(readout.points.size(), length, BLOCK_BRANCHES))
        return false;
    const kernel::expected_burst found =
        kernel::expect_and_maximize({ received.streams,
                                      received.symbols.warped(readout.warp),
                                      received.symbols.given,
                                      readout.points,
                                      settings.two_real_streams },
                                    length,
                                    2 * (1 + settings.refits),
                                    told);
    readout.window = found.window;
    for (Index n = 0; n < received.size(); n++)
        if (!received.symbols.given[n])
            d_network.decide(received.symbols, { n, n + 1 }, { found.likeliest[n] });
    received.there.assign(received.size(), true);
    return true;
}

double pattern_receiver::residual_of(const burst& received,
                                     const interpolated_channel& channel,
                                     tracking_memory memory) const
{
    double left = 0.0, rows = 0.0;
    for (const row_range block : all_blocks(received.size())) {
        left += channel.residual(block, channel.around(block, memory));
        rows += channel.rows(block);
    }
    return left / std::max(rows, 1.0);
}

configured_frame pattern_receiver::receive(const sample_streams& streams,
                                           const std::vector<cdouble>& known,
                                           Index num_symbols) const
{
    const level_steps steps(streams, d_network.settings().phases, num_symbols);
    const configured_frame frame = receive_samples(streams, known, num_symbols);
    if (steps.count() == 0)
        return frame;
    const configured_frame other =
        without_steps(receive_samples(steps.undone(streams), known, num_symbols), steps);
    return steps.pay_off(other.prediction_error(), frame.prediction_error()) ? other
                                                                             : frame;
}

configured_frame pattern_receiver::receive_samples(const sample_streams& streams,
                                                   const std::vector<cdouble>& known,
                                                   Index num_symbols) const
{
    configured_frame frame;
    frame.rows_per_fit = num_symbols;
    burst received = prepare(streams, known, num_symbols);
    const row_range longest = longest_of(runs_of(received.symbols.given, true));
    const kernel::carrier_offset offset = d_network.find_offset(
        received.streams, received.symbols, longest, windows_of(received)[0]);
    if (offset.significant && offset.frequency != 0.0) {
        frame.carrier_offset = offset.frequency;
        received.streams = d_network.derotated(received.streams, offset.frequency);
    }
    if (d_network.settings().two_real_streams)
        received.streams = parts_of(received.streams);
    std::vector<kernel::channel_window> windows = windows_of(received);
    std::vector<row_range> tests = known_blocks(received.symbols.given);
    const std::vector<row_range> blocks = blocks_of(received.symbols.given);
    burst kept = received;
    burst_model kept_model;
    bool changed = true, expected = false;
    for (int number = 0; number <= d_network.settings().refits + 1; number++) {
        if (number > 0) {
            windows.clear();
            if (!expected)
                windows = windows_of(received);
            windows.push_back(kept_model.readout.window);
        }
        const burst_model model = model_of(received, windows, tests);
        const kernel::channel_window window = model.readout.window;
        if (number == 0) {
            frame.first_length = window.length;
            kept_model = model;
        }
        if (number > 0) {
            const interpolated_channel channel(
                received.streams,
                window,
                received.symbols.warped(model.readout.warp),
                received.there);
            frame.residuals.push_back(residual_of(received, channel, model.memory));
            if (number == 1 || frame.residuals.back() < frame.residual) {
                frame.residual = frame.residuals.back();
                frame.kept_pass = number - 1;
                kept = received;
                kept_model = model;
            }
            if (expected && model.still())
                break;
            if (!changed || number > d_network.settings().refits)
                break;
        }
        expected = number == 0 && decide_expected(received, kept_model);
        changed = expected || decide_all(received, model);
        tests = blocks;
    }
    frame.tracked = !kept_model.still();
    frame.memory = kept_model.memory.symbols;
    soften(frame, kept, kept_model);
    return frame;
}

void pattern_receiver::soften(configured_frame& frame,
                              const burst& received,
                              const burst_model& model) const
{
    const kernel::channel_window window = model.readout.window;
    const Index size = received.size();
    const VectorXcd sent = received.symbols.warped(model.readout.warp);
    const sample_streams shifted = kernel::delayed(received.streams, window.timing);
    const std::vector<row_range> blocks = all_blocks(size);
    interpolated_channel channel(received.streams, window, sent, received.there);
    channel.weigh_taps(some_of(blocks), model.memory);
    std::vector<local_channel> channels;
    MatrixXcd residual = MatrixXcd::Zero(size, received.streams.size());
    double noise = 0.0;
    for (const row_range block : blocks) {
        const local_channel now = channel.around(block, model.memory);
        for (Index n = block.first; n < block.last; n++) {
            residual.row(n) = -kernel::channel_rows(sent, { n, n + 1 }, now.at(n)).row(0);
            for (size_t q = 0; q < shifted.size(); q++)
                residual(n, q) += shifted[q](n);
        }
        noise += symbol_variance(now.noise_variance, now.taps.squaredNorm());
        channels.push_back(now);
    }
    frame.soft_variance = noise / blocks.size();
    frame.soft = received.symbols.values;
    frame.decisions.assign(size, -1);
    for (size_t b = 0; b < blocks.size(); b++)
        for (Index n = blocks[b].first; n < blocks[b].last; n++) {
            if (!received.symbols.given[n])
                frame.decisions[n] = d_network.nearest(received.symbols.values(n));
            if (n + window.length <= size)
                frame.soft(n) +=
                    matched(channels[b].at(n), residual.middleRows(n, window.length));
        }
    frame.readout = model.readout;
    const MatrixXcd taps = channels.back().at(size);
    d_network.configure_for(frame.readout,
                            d_network.settings().two_real_streams ? whole_of(taps) : taps,
                            channels.back().noise_variance);
    keep_decisions(d_network, frame, 0);
    if (!d_network.settings().soft)
        return;
    const auto made = std::make_shared<soft_model>(
        soft_model{ received.streams, received.symbols, model.readout });
    for (size_t b = 0; b < blocks.size(); b++)
        made->add(blocks[b],
                  channels[b].at((blocks[b].first + blocks[b].last) / 2),
                  channels[b].noise_variance);
    frame.model = made;
}

} // namespace reservoir
} // namespace gr
