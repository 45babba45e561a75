/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "targets.h"
#include <gnuradio/reservoir/kernel/adaptive_search.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/survivor_search.h>

#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

namespace kernel = gr::reservoir::kernel;
using cfloat = std::complex<float>;

namespace {

const std::vector<cfloat> QPSK = {
    { -.7071f, -.7071f }, { -.7071f, .7071f }, { .7071f, -.7071f }, { .7071f, .7071f }
};

std::vector<int> symbols(size_t count, uint64_t seed)
{
    kernel::random generator(seed);
    std::vector<int> drawn(count);
    for (auto& symbol : drawn) {
        const auto value = generator.complex_gaussian();
        symbol = (value.real() > 0 ? 2 : 0) + (value.imag() > 0);
    }
    return drawn;
}

// f[n] = x[n] - sum b_j x[n-j] + noise
std::vector<cfloat> feedforward(const std::vector<int>& sent,
                                const std::vector<cfloat>& feedback,
                                double deviation,
                                uint64_t seed)
{
    kernel::random generator(seed);
    std::vector<cfloat> out;
    for (size_t n = 0; n < sent.size(); n++) {
        cfloat value = QPSK[sent[n]] + cfloat(deviation * generator.complex_gaussian());
        for (size_t j = 0; j < feedback.size(); j++)
            if (n > j)
                value -= feedback[j] * QPSK[sent[n - 1 - j]];
        out.push_back(value);
    }
    return out;
}

kernel::survivor_model model(const std::vector<cfloat>& feedback, int survivors)
{
    kernel::survivor_model made;
    made.feedback = feedback;
    made.points = made.centroids = QPSK;
    made.survivors = survivors;
    return made;
}

int errors(const std::vector<int>& a, const std::vector<int>& b)
{
    int count = 0;
    for (size_t n = 0; n < a.size(); n++)
        count += a[n] != b[n];
    return count;
}

const std::vector<cfloat> FEEDBACK = { { 0.6f, -0.8f }, { -0.5f, 0.2f }, { 0.0f, 0.4f } };
const std::vector<cfloat> NO_PAST(3);

std::vector<cfloat> square_constellation(int side)
{
    std::vector<cfloat> points;
    const double scale = std::sqrt(1.5 / (side * side - 1));
    for (int m = 0; m < side * side; m++)
        points.emplace_back(scale * (2 * (m / side) - side + 1),
                            scale * (2 * (m % side) - side + 1));
    return points;
}

// Searches that take every way there is: few and many candidates, one vector and more, no
// feedback, no loop.
std::vector<kernel::survivor_model> various_models()
{
    std::vector<kernel::survivor_model> models;
    for (int side : { 2, 4, 8 })
        for (int survivors : { 1, 3, 8, 13, 40 })
            for (size_t feedback : { 0, 1, 3 })
                for (float alpha : { 0.0f, 0.05f }) {
                    kernel::survivor_model made;
                    made.points = made.centroids = square_constellation(side);
                    for (auto& centroid : made.centroids)
                        centroid *= 0.97f;
                    made.feedback.assign(FEEDBACK.begin(), FEEDBACK.begin() + feedback);
                    made.survivors = survivors;
                    made.alpha = alpha;
                    made.beta = alpha * alpha / 8;
                    made.power = 2.5f;
                    models.push_back(made);
                }
    return models;
}

std::vector<cfloat> turning_input(const kernel::survivor_model& model, size_t count)
{
    kernel::random generator(11);
    std::vector<cfloat> sent, input;
    for (size_t n = 0; n < count; n++) {
        const size_t point = generator.uniform() * model.points.size();
        sent.push_back(model.points[point]);
        auto value = model.centroids[point] +
                     cfloat(0.1 / model.points.size() * generator.complex_gaussian());
        for (size_t j = 0; j < std::min(n, model.feedback.size()); j++)
            value -= model.feedback[j] * sent[n - 1 - j];
        const float turn = model.alpha > 0.0f ? 0.002f * n : 0.0f;
        input.push_back(value * std::polar(1.0f, turn));
    }
    return input;
}

// The M-algorithm as its description has it, in double precision.
kernel::survivor_decisions search_plainly(const kernel::survivor_model& model,
                                          const std::vector<cfloat>& input)
{
    typedef std::complex<double> cdouble;
    struct path {
        double cost = 0.0, theta = 0.0, nu = 0.0;
        std::vector<int> symbols;
        std::vector<float> phases;
    };
    std::vector<path> paths(1);
    for (const auto f : input) {
        std::vector<path> next;
        for (const auto& before : paths) {
            const cdouble rotated = std::polar(1.0, -before.theta) * cdouble(f);
            const size_t n = before.symbols.size();
            cdouble sum = 0.0;
            for (size_t j = 0; j < std::min(n, model.feedback.size()); j++)
                sum += cdouble(model.feedback[j]) *
                       cdouble(model.points[before.symbols[n - 1 - j]]);
            for (size_t m = 0; m < model.points.size(); m++) {
                path after = before;
                const cdouble wanted = cdouble(model.centroids[m]) - sum;
                after.cost += std::norm(rotated - wanted);
                if (model.alpha > 0.0f) {
                    const double error = std::clamp(
                        std::imag(rotated * std::conj(wanted)) / model.power, -0.5, 0.5);
                    after.nu += model.beta * error;
                    after.theta += model.alpha * error + after.nu;
                }
                after.symbols.push_back(m);
                after.phases.push_back(after.theta);
                next.push_back(after);
            }
        }
        const size_t kept = std::min<size_t>(model.survivors, next.size());
        std::partial_sort(next.begin(),
                          next.begin() + kept,
                          next.end(),
                          [](const path& a, const path& b) { return a.cost < b.cost; });
        next.resize(kept);
        paths = next;
    }
    return {
        paths[0].symbols, paths[0].phases, float(paths[0].theta), float(paths[0].nu)
    };
}

} // namespace

BOOST_AUTO_TEST_CASE(every_instruction_set_finds_what_plain_loops_find)
{
    for (const auto& model : various_models()) {
        const auto input = turning_input(model, 60);
        const auto expected = search_plainly(model, input);
        for_each_target([&] {
            kernel::survivor_search search(model);
            search.start(NO_PAST.data());
            const auto found = kernel::decide_frame(search, input.data(), input.size());
            BOOST_TEST(found.symbols == expected.symbols);
            for (size_t n = 0; n < input.size(); n++)
                BOOST_REQUIRE_SMALL(found.phases[n] - expected.phases[n], 1e-5f);
            BOOST_CHECK_SMALL(found.nu - expected.nu, 1e-6f);
        });
    }
}

// What a receiver decides does not depend on how wide its processor's vectors are.
BOOST_AUTO_TEST_CASE(instruction_sets_with_the_same_rounding_give_the_same_bits)
{
    kernel::random generator(12);
    std::vector<cfloat> noise; // all survivors' costs matter
    for (int n = 0; n < 300; n++)
        noise.push_back(cfloat(generator.complex_gaussian()));
    for (const auto& model : various_models()) {
        std::map<bool, kernel::survivor_decisions> found;
        for_each_target([&] {
            kernel::survivor_search search(model);
            search.start(NO_PAST.data());
            const auto decided = kernel::decide_frame(search, noise.data(), noise.size());
            // better targets have lower bits; AVX2 is the first with a fused multiply-add
            const bool fused = hwy::SupportedTargets() & (2 * HWY_AVX2 - 1);
            const auto& first = found.emplace(fused, decided).first->second;
            if (!HWY_ARCH_X86)
                return;
            BOOST_TEST(decided.symbols == first.symbols);
            BOOST_TEST(decided.phases == first.phases);
            BOOST_TEST(decided.nu == first.nu);
        });
    }
}

BOOST_AUTO_TEST_CASE(feedback_removes_the_past)
{
    const auto sent = symbols(300, 1);
    const auto input = feedforward(sent, FEEDBACK, 0.05, 2);
    for (int survivors : { 1, 3, 8, 40 }) {
        kernel::survivor_search search(model(FEEDBACK, survivors));
        search.start(NO_PAST.data());
        BOOST_CHECK(kernel::decide_frame(search, input.data(), input.size()).symbols ==
                    sent);
    }
}

BOOST_AUTO_TEST_CASE(the_known_past_is_used)
{
    const auto sent = symbols(50, 3);
    const auto input = feedforward(sent, FEEDBACK, 0.0, 2);
    kernel::survivor_search search(model(FEEDBACK, 1));
    const cfloat past[] = { QPSK[sent[9]], QPSK[sent[8]], QPSK[sent[7]] };
    search.start(past);
    const auto found = kernel::decide_frame(search, input.data() + 10, 40);
    BOOST_CHECK_EQUAL(errors(found.symbols, { sent.begin() + 10, sent.end() }), 0);
}

BOOST_AUTO_TEST_CASE(everything_stays_finite_among_many_candidates)
{
    kernel::random generator(5);
    kernel::survivor_model many;
    many.feedback = FEEDBACK;
    for (int m = 0; m < 64; m++)
        many.points.emplace_back((m / 8 - 3.5f) / 4.6f, (m % 8 - 3.5f) / 4.6f);
    many.centroids = many.points;
    many.alpha = 0.01f;
    many.beta = 0.001f;
    std::vector<cfloat> input;
    for (int n = 0; n < 2000; n++) // nothing that a survivor could expect
        input.push_back(3.0f * cfloat(generator.complex_gaussian()));
    for (int survivors : { 2, 5, 8, 10, 16, 23 }) {
        many.survivors = survivors;
        kernel::survivor_search search(many);
        search.start(NO_PAST.data());
        const auto found = kernel::decide_frame(search, input.data(), input.size());
        for (const float phase : found.phases)
            BOOST_REQUIRE(std::isfinite(phase));
        BOOST_TEST(std::isfinite(found.nu));
    }
}

BOOST_AUTO_TEST_CASE(more_survivors_make_fewer_errors)
{
    // a post-cursor as great as the cursor: one wrong decision spoils the next
    const std::vector<cfloat> feedback = { { 0.0f, 1.0f } };
    const auto sent = symbols(20000, 4);
    const auto input = feedforward(sent, feedback, 0.5, 5);
    int before = 1 << 30;
    for (int survivors : { 1, 4 }) {
        kernel::survivor_search search(model(feedback, survivors));
        search.start(NO_PAST.data());
        const int now = errors(
            kernel::decide_frame(search, input.data(), input.size()).symbols, sent);
        BOOST_CHECK_LT(now, 0.7 * before);
        before = now;
    }
}

BOOST_AUTO_TEST_CASE(the_loop_follows_a_rotation)
{
    const auto sent = symbols(1000, 6);
    auto input = feedforward(sent, FEEDBACK, 0.05, 7);
    for (size_t n = 0; n < input.size(); n++)
        // past a decision boundary before symbol 200
        input[n] *= std::polar(1.0f, 0.004f * n);
    auto with_loop = model(FEEDBACK, 4);
    with_loop.alpha = 0.05f;
    with_loop.beta = 0.05f * 0.05f / 8;
    with_loop.power = 2.5f;
    kernel::survivor_search search(with_loop);
    search.start(NO_PAST.data());
    const auto found = kernel::decide_frame(search, input.data(), input.size());
    BOOST_CHECK_EQUAL(errors(found.symbols, sent), 0);
    BOOST_CHECK_SMALL(found.phases[900] - 0.004f * 900, 0.15f);
    BOOST_CHECK_SMALL(found.nu - 0.004f, 0.002f);
    BOOST_CHECK_EQUAL(found.theta, found.phases.back());

    kernel::survivor_search rigid(model(FEEDBACK, 4));
    rigid.start(NO_PAST.data());
    BOOST_CHECK_GT(
        errors(kernel::decide_frame(rigid, input.data(), input.size()).symbols, sent),
        200);
}

BOOST_AUTO_TEST_CASE(an_endless_threshold_is_the_search_of_the_frame)
{
    for (const auto& model : various_models()) {
        const auto input = turning_input(model, 60);
        kernel::survivor_search search(model);
        search.start(NO_PAST.data());
        const auto expected = kernel::decide_frame(search, input.data(), input.size());
        const auto found =
            kernel::decide_adaptively(model,
                                      NO_PAST.data(),
                                      input.data(),
                                      input.size(),
                                      std::numeric_limits<float>::infinity(),
                                      input.size());
        BOOST_TEST(found.symbols == expected.symbols);
        if (model.survivors == 1) // which goes on alone, in loops of its own
            BOOST_CHECK_SMALL(found.nu - expected.nu, 1e-6f);
        else
            BOOST_TEST(found.phases == expected.phases);
    }
}

// Wherever one survivor goes on alone, the search comes to the same; it takes over from it.
BOOST_AUTO_TEST_CASE(clear_symbols_need_no_search)
{
    const std::vector<cfloat> feedback = { { 0.0f, 1.0f } };
    const float deviation = 0.36f;
    const auto sent = symbols(20000, 8);
    const auto input = feedforward(sent, feedback, deviation, 9);
    const auto eight = model(feedback, 8), one = model(feedback, 1);
    const auto decide = [&](const kernel::survivor_model& by) {
        return kernel::decide_adaptively(by,
                                         NO_PAST.data(),
                                         input.data(),
                                         input.size(),
                                         10 * deviation * deviation,
                                         input.size());
    };
    kernel::survivor_search search(eight);
    search.start(NO_PAST.data());
    const int expected =
        errors(kernel::decide_frame(search, input.data(), input.size()).symbols, sent);
    const auto found = decide(eight);
    BOOST_TEST(errors(found.symbols, sent) <= 1.1 * expected + 2);
    BOOST_TEST(errors(decide(one).symbols, sent) > 2 * expected);
    BOOST_TEST(found.searched > 0.05);
    BOOST_TEST(found.searched < 0.95);
}

// Of all sequences that have the known symbols in their places, the cheapest.
BOOST_AUTO_TEST_CASE(known_symbols_leave_no_choice)
{
    constexpr int LENGTH = 12, UNKNOWN[] = { 1, 2, 6, 10 };
    const auto given_model = model(FEEDBACK, 256);
    const cfloat pilot(0.3f, -1.1f); // no point of the constellation
    for (uint64_t seed = 0; seed < 20; seed++) {
        const auto sent = symbols(LENGTH, 100 + seed);
        const auto noise = feedforward(sent, FEEDBACK, 1.0, 200 + seed);
        const std::vector<cfloat> input(noise.begin(), noise.end());
        kernel::given_symbols given;
        for (int n = 0; n < LENGTH; n++)
            given.push_back({ { pilot, 0.9f * pilot } });
        for (const int n : UNKNOWN)
            given[n].reset();
        std::vector<int> cheapest;
        double least = std::numeric_limits<double>::infinity();
        for (int code = 0; code < 256; code++) {
            std::vector<int> path(LENGTH, -1);
            for (int u = 0; u < 4; u++)
                path[UNKNOWN[u]] = code >> (2 * u) & 3;
            double cost = 0.0;
            for (int n = 0; n < LENGTH; n++) {
                cfloat output = input[n];
                for (int j = 0; j < std::min(n, 3); j++) {
                    const int before = path[n - 1 - j];
                    output += FEEDBACK[j] * (before < 0 ? pilot : QPSK[before]);
                }
                cost += std::norm(output - (path[n] < 0 ? 0.9f * pilot : QPSK[path[n]]));
            }
            if (cost < least) {
                least = cost;
                cheapest = path;
            }
        }
        for_each_target([&] {
            const auto found =
                kernel::decide_adaptively(given_model,
                                          NO_PAST.data(),
                                          input.data(),
                                          LENGTH,
                                          std::numeric_limits<float>::infinity(),
                                          LENGTH,
                                          0.0f,
                                          0.0f,
                                          given);
            BOOST_TEST(found.symbols == cheapest);
            for (int n = 0; n < LENGTH; n++)
                BOOST_TEST(std::isinf(found.margins[n]) == (cheapest[n] < 0));
        });
    }
}

// What is left of an earlier frame in places beyond the survivors there are is not looked up; where Highway
// checks indices, in unoptimised builds, one beyond a table would end the program.
BOOST_AUTO_TEST_CASE(a_search_that_begins_again_is_a_new_one)
{
    const auto input = feedforward(symbols(40, 20), FEEDBACK, 0.5, 21);
    const kernel::given_symbol given = { QPSK[2], 0.9f * QPSK[2] };
    for (const int survivors : { 8, 12, 32 }) {
        const auto path = [&](kernel::survivor_search& search) {
            std::vector<float> phases(survivors);
            std::vector<uint8_t> parents(survivors);
            std::vector<uint16_t> points(survivors);
            search.start(NO_PAST.data(), 0.0f, 0.0f);
            std::vector<int> found;
            for (size_t n = 0; n < input.size(); n++) {
                const int alive =
                    n < 3 ? search.step(input[n],
                                        given,
                                        parents.data(),
                                        points.data(),
                                        phases.data())
                          : search.step(
                                input[n], parents.data(), points.data(), phases.data());
                found.push_back(alive);
                found.insert(found.end(), parents.begin(), parents.begin() + alive);
                found.insert(found.end(), points.begin(), points.begin() + alive);
            }
            return found;
        };
        auto looped = model(FEEDBACK, survivors);
        looped.alpha = 0.1f;
        for_each_target([&] {
            kernel::survivor_search fresh(looped), used(looped);
            const auto expected = path(fresh);
            path(used);
            BOOST_TEST(path(used) == expected);
        });
    }
}

BOOST_AUTO_TEST_CASE(margins_say_how_sure_each_symbol_is)
{
    const auto sent = symbols(200, 10);
    const auto input = feedforward(sent, FEEDBACK, 0.0, 11);
    const auto judged = [&](std::complex<float> push, size_t count) {
        auto pushed = input;
        pushed[100] += push;
        return kernel::decide_adaptively(
            model(FEEDBACK, 8), NO_PAST.data(), pushed.data(), 200, 0.3f, count);
    };
    const auto clean = judged(0.0f, 150);
    BOOST_TEST(clean.margins.size() == 150u);
    BOOST_CHECK_CLOSE(clean.margin, 1.0f, 1e-3f);
    // towards the next point, .3 of the way: 1 − 2 · .3
    const float way = QPSK[sent[100]].real() > 0 ? -0.3f : 0.3f;
    const auto near = judged(way * 1.4142f, 150);
    BOOST_CHECK_CLOSE(near.margin, 0.4f, 0.1f);
    BOOST_CHECK_CLOSE(near.margins[100], 0.4f, 0.1f);
    BOOST_CHECK_CLOSE(judged(way * 1.4142f, 100).margin, 1.0f, 1e-3f); // not judged
}

// weights of a step replace the model's, and penalties add to the costs
BOOST_AUTO_TEST_CASE(a_step_may_have_weights_of_its_own)
{
    for (const auto& model : various_models()) {
        kernel::survivor_model other = model; // in all but what a step is given
        for (auto& weight : other.feedback)
            weight = -weight;
        for (auto& centroid : other.centroids)
            centroid *= 2.0f;
        const std::vector<float> none(model.points.size(), 0.0f);
        const kernel::survivor_weights own = { model.feedback.data(),
                                               model.centroids.data(),
                                               none.data() };
        kernel::survivor_search search(model), given(other);
        search.start(NO_PAST.data());
        given.start(NO_PAST.data());
        std::vector<uint8_t> parents(model.survivors), same_parents(parents);
        std::vector<uint16_t> symbols(model.survivors), same_symbols(symbols);
        std::vector<float> phases(model.survivors), same_phases(phases);
        for (const auto& input : turning_input(model, 50)) {
            search.step(input, parents.data(), symbols.data(), phases.data());
            given.step(
                input, own, same_parents.data(), same_symbols.data(), same_phases.data());
            BOOST_TEST(parents == same_parents);
            BOOST_TEST(symbols == same_symbols);
            BOOST_TEST(phases == same_phases);
        }
    }
}

BOOST_AUTO_TEST_CASE(penalties_add_to_the_costs)
{
    kernel::survivor_model model;
    model.points = model.centroids = { 1.0f, -1.0f };
    model.feedback = { 0.0f };
    model.survivors = 2;
    kernel::survivor_search search(model);
    uint8_t parents[2];
    uint16_t symbols[2];
    // the nearer point costs .36 and the other 1.96
    for (const float penalty : { 1.5f, 1.7f }) {
        const std::vector<float> penalties = { penalty, 0.0f };
        search.start(NO_PAST.data());
        search.step(0.4f,
                    { model.feedback.data(), model.centroids.data(), penalties.data() },
                    parents,
                    symbols,
                    nullptr);
        BOOST_TEST(symbols[0] == (penalty > 1.6f ? 1 : 0));
        BOOST_TEST(search.lead() == std::abs(1.6f - penalty),
                   boost::test_tools::tolerance(1e-4f));
    }
}

BOOST_AUTO_TEST_CASE(bad_models_are_refused)
{
    BOOST_CHECK_THROW(kernel::survivor_search(model({}, 0)), std::invalid_argument);
    BOOST_CHECK_THROW(kernel::survivor_search(model({}, 257)), std::invalid_argument);
    auto uneven = model({}, 1);
    uneven.centroids.pop_back();
    BOOST_CHECK_THROW(kernel::survivor_search{ uneven }, std::invalid_argument);
}
