/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/sample_buffer.h"
#include <boost/test/unit_test.hpp>

using namespace gr::reservoir;

namespace {

// Sample n of row a is n + 0.5j a.
gr_complex sample(size_t row, uint64_t n) { return { float(n), 0.5F * row }; }

void push(sample_buffer& buffer, size_t count)
{
    stream_matrix rows(buffer.num_rows());
    std::vector<const gr_complex*> pointers;
    for (size_t a = 0; a < rows.size(); a++) {
        for (size_t k = 0; k < count; k++)
            rows[a].push_back(sample(a, buffer.end() + k));
        pointers.push_back(rows[a].data());
    }
    buffer.push(pointers.data(), count);
}

} // namespace

BOOST_AUTO_TEST_CASE(samples_are_found_by_their_number_whatever_went)
{
    sample_buffer buffer(3);
    for (size_t piece : { 1, 4000, 0, 200, 9000, 17 }) {
        push(buffer, piece);
        buffer.discard(buffer.begin() + (buffer.end() - buffer.begin()) / 2);
        const gr_complex* const* rows = buffer.from(buffer.begin());
        for (size_t a = 0; a < 3; a++)
            for (uint64_t n = buffer.begin(); n < buffer.end(); n++)
                BOOST_REQUIRE_EQUAL(rows[a][n - buffer.begin()], sample(a, n));
    }
    BOOST_TEST(buffer.end() == 13218u);
    BOOST_TEST(buffer.begin() > 0u);
}

BOOST_AUTO_TEST_CASE(a_copy_outlives_the_samples)
{
    sample_buffer buffer(2);
    push(buffer, 100);
    const stream_matrix copied = buffer.copy(90, 7);
    buffer.discard(100);
    push(buffer, 1000);
    BOOST_TEST(copied.size() == 2u);
    for (size_t a = 0; a < 2; a++) {
        BOOST_TEST(copied[a].size() == 7u);
        for (size_t k = 0; k < 7; k++)
            BOOST_TEST(copied[a][k] == sample(a, 90 + k));
    }
}

BOOST_AUTO_TEST_CASE(discarded_samples_go_when_they_are_many_or_all)
{
    sample_buffer buffer(1);
    push(buffer, 10000);
    buffer.discard(100); // few: they may stay
    BOOST_TEST(buffer.begin() <= 100u);
    buffer.discard(5000);
    BOOST_TEST(buffer.begin() == 5000u);
    buffer.discard(10000); // all
    BOOST_TEST(buffer.begin() == 10000u);
    BOOST_TEST(buffer.end() == 10000u);
    push(buffer, 10);
    buffer.discard(10010); // few, but all
    BOOST_TEST(buffer.begin() == 10010u);
}

BOOST_AUTO_TEST_CASE(what_is_stored_stays_small_when_all_is_discarded)
{
    sample_buffer buffer(1);
    for (int k = 0; k < 1000; k++) {
        push(buffer, 100);
        buffer.discard(buffer.end() - 10);
        BOOST_REQUIRE(buffer.end() - buffer.begin() < 5000);
    }
}
