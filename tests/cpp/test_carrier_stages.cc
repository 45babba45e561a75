/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/boundary_classifier.h>
#include <gnuradio/reservoir/kernel/carrier_attention.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

typedef std::complex<double> complex;

std::vector<gr_complex> square(const std::vector<float>& re, const std::vector<float>& im)
{
    std::vector<gr_complex> points;
    for (const float x : re)
        for (const float y : im)
            points.emplace_back(x, y);
    return points;
}

const std::vector<float> FOUR = { -3, -1, 1, 3 };

size_t count_wrong(const boundary_classifier& classifier,
                   const std::vector<complex>& symbols,
                   const std::vector<complex>& sent)
{
    size_t wrong = 0;
    for (size_t n = 0; n < sent.size(); n++)
        wrong += std::abs(classifier.decide(symbols[n]) - sent[n]) > 0.1;
    return wrong;
}

} // namespace

BOOST_AUTO_TEST_CASE(levels_of_constellations)
{
    const auto qam = level_grid::of(square(FOUR, FOUR));
    BOOST_REQUIRE(qam);
    BOOST_TEST(qam->re.size() == 4u);
    BOOST_TEST(qam->step == 2.0);
    BOOST_TEST(bool(level_grid::of({ 1.0F, -1.0F }))); // BPSK
    BOOST_TEST(bool(level_grid::of(square({ -1, 1 }, FOUR))));
    BOOST_TEST(bool(level_grid::of(square({ 0, 2 }, { 5, 7 }))));
    BOOST_TEST(!level_grid::of({ 1.0F }));
    BOOST_TEST(!level_grid::of({}));
    BOOST_TEST(!level_grid::of(square({ -2, -1, 1, 2 }, { 0 })));
    BOOST_TEST(!level_grid::of(square({ -1, 1 }, { -2, 2 })));
    std::vector<gr_complex> psk, twice = { 1.0F, 1.0F, -1.0F, -1.0F };
    for (int k = 0; k < 8; k++)
        psk.push_back(std::polar(1.0F, float(M_PI) * k / 4));
    BOOST_TEST(!level_grid::of(psk));
    BOOST_TEST(!level_grid::of(twice));
}

// What the nearest point gets wrong more often than not: components that each lie beyond the boundary.
BOOST_AUTO_TEST_CASE(classifier_learns_what_slicing_cannot)
{
    boundary_classifier classifier(*level_grid::of(square({ -1, 1 }, { -1, 1 })));
    gr::reservoir::kernel::random draw(1);
    std::vector<complex> symbols, sent;
    const auto moved = [&](double level) {
        // half of them cross over, to a place where nobody else is
        return draw.uniform() < 0.5 ? -0.3 * level : 1.2 * level;
    };
    for (int n = 0; n < 400; n++) {
        const complex point = { draw.uniform() < 0.5 ? -1.0 : 1.0,
                                draw.uniform() < 0.5 ? -1.0 : 1.0 };
        sent.push_back(point);
        symbols.emplace_back(moved(point.real()), moved(point.imag()));
    }
    const size_t nearest = count_wrong(classifier, symbols, sent);
    BOOST_TEST(nearest > 250u);
    BOOST_TEST(classifier.fit(symbols, sent));
    BOOST_TEST(count_wrong(classifier, symbols, sent) == 0u);
    for (const double u : { 0.1, 0.7, 2.0 })
        BOOST_TEST(classifier.log_odds(-u) == -classifier.log_odds(u));
}

// With noise alone the nearest point is best, and it stays.
BOOST_AUTO_TEST_CASE(classifier_falls_back_to_the_nearest_point)
{
    const level_grid levels = *level_grid::of(square(FOUR, FOUR));
    gr::reservoir::kernel::random draw(2);
    std::vector<complex> symbols, sent;
    for (int n = 0; n < 400; n++) {
        sent.emplace_back(2.0 * draw.below(4) - 3.0, 2.0 * draw.below(4) - 3.0);
        symbols.push_back(sent.back() + 0.8 * draw.complex_gaussian());
    }
    boundary_classifier classifier(levels), untrained(levels);
    BOOST_TEST(!classifier.fit(symbols, sent));
    for (const complex symbol : symbols)
        BOOST_TEST(classifier.decide(symbol) == untrained.decide(symbol));
    // nothing to learn: no errors, too few, or pilots that are no points
    BOOST_TEST(!classifier.fit(sent, sent));
    BOOST_TEST(!classifier.fit({ 1.0 }, { -1.0 }));
    for (complex& point : sent)
        point *= 1.5;
    BOOST_TEST(!classifier.fit(symbols, sent));
}

namespace {

struct known_frame {
    carrier_streams equalized, known;
    carrier_mask usable;
    std::vector<bool> harmed; // carriers
};

// Two streams that mix on every third carrier or so, and nowhere else.
known_frame mixed_frame(Index symbols, uint64_t seed, double noise = 0.03)
{
    constexpr Index CARRIERS = 64;
    gr::reservoir::kernel::random draw(seed);
    known_frame frame;
    frame.known.assign(2, MatrixXcd(CARRIERS, symbols));
    frame.equalized = frame.known;
    frame.usable = carrier_mask::Constant(CARRIERS, symbols, true);
    for (Index k = 0; k < CARRIERS; k++) {
        frame.harmed.push_back(draw.uniform() < 0.35);
        const complex mix = frame.harmed.back() ? complex(0.25, 0.2) : 0.0;
        for (Index n = 0; n < symbols; n++) {
            const complex x[] = { draw.complex_gaussian(), draw.complex_gaussian() };
            for (int j = 0; j < 2; j++) {
                frame.known[j](k, n) = x[j];
                frame.equalized[j](k, n) =
                    x[j] - mix * x[1 - j] + noise * draw.complex_gaussian();
            }
        }
    }
    return frame;
}

double energy(const known_frame& frame, const carrier_correction& correction, Index from)
{
    carrier_streams symbols = frame.equalized;
    correction.apply(symbols);
    double sum = 0.0;
    for (size_t j = 0; j < symbols.size(); j++)
        sum += (symbols[j] - frame.known[j])
                   .rightCols(frame.usable.cols() - from)
                   .squaredNorm();
    return sum;
}

} // namespace

// Which carriers are alike tells their error, not how near they are: that is what attention can learn.
BOOST_AUTO_TEST_CASE(attention_finds_carriers_that_are_alike)
{
    double plain = 0.0, solved = 0.0, trained = 0.0;
    for (const uint64_t seed : { 1, 2, 3, 4 }) {
        known_frame frame = mixed_frame(14, seed);
        frame.usable.rightCols(10) = false;
        const auto& f = frame;
        plain += energy(f, {}, 4);
        solved += energy(f, fit_carrier_correction(f.equalized, f.known, f.usable), 4);
        trained += energy(f, fit_carrier_attention(f.equalized, f.known, f.usable), 4);
    }
    BOOST_TEST(solved < 0.8 * plain);
    BOOST_TEST(trained < 0.8 * solved);
}

// Where there is nothing to gain, the closed form stays, whatever that is.
BOOST_AUTO_TEST_CASE(attention_falls_back_to_the_closed_form)
{
    for (const Index symbols : { 1, 2, 5 }) {
        known_frame frame = mixed_frame(symbols, 1);
        frame.equalized = frame.known; // no error at all
        const auto found =
            fit_carrier_attention(frame.equalized, frame.known, frame.usable);
        BOOST_TEST(found.matrices.empty());
    }
}

// A carrier that is never known is corrected as those beside it are.
BOOST_AUTO_TEST_CASE(attention_on_carriers_without_pilots)
{
    known_frame frame = mixed_frame(6, 1, 0.01);
    for (size_t j = 0; j < 2; j++) // the same mixture everywhere
        frame.equalized[j] = frame.known[j] - 0.3 * frame.known[1 - j];
    for (Index k = 0; k < 64; k++)
        if (k % 3)
            frame.usable.row(k) = false;
    const auto found = fit_carrier_attention(frame.equalized, frame.known, frame.usable);
    BOOST_REQUIRE(found.matrices.size() == 64u);
    BOOST_TEST(energy(frame, found, 0) < 0.01 * energy(frame, {}, 0));
}
