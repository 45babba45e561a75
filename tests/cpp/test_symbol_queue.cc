/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/symbol_queue.h"
#include <boost/test/unit_test.hpp>

using namespace gr::reservoir;

namespace {

// Symbol n of row o is n + 1000j o.
gr_complex symbol(size_t row, uint64_t n) { return { float(n), 1000.0F * row }; }

void append(symbol_queue& queue, size_t rows, uint64_t first, size_t count)
{
    gr_complex* const* out = queue.append(count);
    for (size_t o = 0; o < rows; o++)
        for (size_t k = 0; k < count; k++)
            out[o][k] = symbol(o, first + k);
}

stream_matrix numbered(size_t rows, uint64_t first, size_t count)
{
    stream_matrix symbols(rows);
    for (size_t o = 0; o < rows; o++)
        for (size_t k = 0; k < count; k++)
            symbols[o].push_back(symbol(o, first + k));
    return symbols;
}

// Takes at most so many; returns the numbers of row 0, after a look at the other rows.
std::vector<int> pop(symbol_queue& queue, size_t rows, size_t max)
{
    stream_matrix symbols(rows, std::vector<gr_complex>(max));
    std::vector<gr_complex*> pointers;
    for (auto& row : symbols)
        pointers.push_back(row.data());
    const size_t count = queue.pop(pointers.data(), max);
    std::vector<int> numbers;
    for (size_t k = 0; k < count; k++) {
        numbers.push_back(int(symbols[0][k].real()));
        for (size_t o = 0; o < rows; o++)
            BOOST_TEST(symbols[o][k] == symbol(o, numbers.back()));
    }
    return numbers;
}

std::vector<int> range(int first, int end)
{
    std::vector<int> numbers;
    for (int n = first; n < end; n++)
        numbers.push_back(n);
    return numbers;
}

} // namespace

BOOST_AUTO_TEST_CASE(symbols_come_out_in_their_order)
{
    symbol_queue queue(2);
    append(queue, 2, 0, 5);
    append(queue, 2, 5, 3);
    BOOST_TEST(queue.available() == 8u);
    BOOST_TEST(pop(queue, 2, 6) == range(0, 6));
    append(queue, 2, 8, 2);
    BOOST_TEST(pop(queue, 2, 100) == range(6, 10));
    BOOST_TEST(pop(queue, 2, 100) == range(0, 0));
}

BOOST_AUTO_TEST_CASE(of_what_was_appended_a_part_is_kept)
{
    symbol_queue queue(2);
    append(queue, 2, 0, 2);
    append(queue, 2, 0, 10); // room for more than came, two of which were out before
    queue.keep(2, 5);
    BOOST_TEST(queue.available() == 7u);
    append(queue, 2, 7, 1);
    BOOST_TEST(pop(queue, 2, 100) == range(0, 8));
}

BOOST_AUTO_TEST_CASE(a_free_place_holds_back_what_stands_behind_it)
{
    symbol_queue queue(2);
    append(queue, 2, 0, 2);
    queue.reserve(3);
    append(queue, 2, 5, 1);
    queue.reserve(2);
    append(queue, 2, 8, 4);
    BOOST_TEST(queue.num_reserved() == 2u);
    BOOST_TEST(queue.available() == 2u);
    BOOST_TEST(queue.size() == 12u);
    BOOST_TEST(pop(queue, 2, 100) == range(0, 2));

    const uint64_t first = queue.release();
    BOOST_TEST(first == 2u);
    queue.write(first, numbered(2, 2, 3));
    BOOST_TEST(pop(queue, 2, 1) == range(2, 3));
    BOOST_TEST(pop(queue, 2, 100) == range(3, 6));

    const uint64_t second = queue.release();
    BOOST_TEST(second == 6u);
    queue.write(second, numbered(2, 6, 2));
    BOOST_TEST(queue.num_reserved() == 0u);
    BOOST_TEST(pop(queue, 2, 100) == range(6, 12));
    BOOST_TEST(queue.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_released_place_is_zero_until_it_is_written)
{
    symbol_queue queue(1);
    queue.reserve(2);
    queue.release();
    gr_complex symbols[2] = { 1.0F, 1.0F };
    gr_complex* row = symbols;
    BOOST_TEST(queue.pop(&row, 2) == 2u);
    BOOST_TEST(symbols[0] == gr_complex(0.0F));
    BOOST_TEST(symbols[1] == gr_complex(0.0F));
}

BOOST_AUTO_TEST_CASE(reserved_places_are_dropped_with_what_waits_behind)
{
    symbol_queue queue(1);
    append(queue, 1, 0, 4);
    BOOST_TEST(pop(queue, 1, 1) == range(0, 1));
    queue.reserve(3);
    append(queue, 1, 7, 5);
    queue.drop_reserved();
    BOOST_TEST(queue.num_reserved() == 0u);
    BOOST_TEST(queue.size() == 3u);
    BOOST_TEST(pop(queue, 1, 100) == range(1, 4));
    queue.drop_reserved(); // nothing to drop
    append(queue, 1, 4, 2);
    BOOST_TEST(pop(queue, 1, 100) == range(4, 6));
}

// With a place always free the queue is never empty; numbers must fit all the same.
BOOST_AUTO_TEST_CASE(numbers_hold_over_a_long_stream)
{
    constexpr size_t FRAME = 3000;
    symbol_queue queue(1);
    queue.reserve(FRAME);
    for (uint64_t k = 0; k < 200; k++) {
        queue.reserve(FRAME);
        const uint64_t number = queue.release();
        BOOST_REQUIRE_EQUAL(number, k * FRAME);
        queue.write(number, numbered(1, number, FRAME));
        BOOST_REQUIRE(pop(queue, 1, FRAME) == range(number, number + FRAME));
        BOOST_REQUIRE_EQUAL(queue.size(), FRAME);
    }
}

// Those of symbol n of row o are n + o / 2 and -n - o / 2.
BOOST_AUTO_TEST_CASE(soft_bits_go_with_their_symbols)
{
    constexpr size_t ROWS = 2, BITS = 2;
    symbol_queue queue(ROWS, BITS);
    const auto bit = [](size_t row, uint64_t n, size_t b) {
        return (b == 0 ? 1.0F : -1.0F) * (float(n) + 0.5F * row);
    };
    const auto write = [&](float* const* llrs, uint64_t first, size_t count) {
        for (size_t o = 0; o < ROWS; o++)
            for (size_t k = 0; k < BITS * count; k++)
                llrs[o][k] = bit(o, first + k / BITS, k % BITS);
    };
    append(queue, ROWS, 0, 5);
    write(queue.llrs(), 0, 5);
    queue.reserve(3);          // 5, 6, 7
    append(queue, ROWS, 6, 6); // 6 and 7 are not kept
    write(queue.llrs(), 6, 6);
    queue.keep(2, 3);           // 8, 9, 10
    append(queue, ROWS, 11, 1); // its bits stay 0
    std::vector<std::vector<float>> late(ROWS, std::vector<float>(3 * BITS));
    float* const pointers[] = { late[0].data(), late[1].data() };
    write(pointers, 5, 3);

    std::vector<std::vector<float>> llrs(ROWS, std::vector<float>(20 * BITS));
    stream_matrix symbols(ROWS, std::vector<gr_complex>(20));
    size_t taken = 0;
    const auto take = [&](size_t max) {
        gr_complex* const to[] = { &symbols[0][taken], &symbols[1][taken] };
        float* const bits[] = { &llrs[0][taken * BITS], &llrs[1][taken * BITS] };
        taken += queue.pop(to, max, bits);
    };
    take(2);
    take(20);
    BOOST_TEST(taken == 5u);
    queue.write(queue.release(), numbered(ROWS, 5, 3), late);
    take(4);
    take(20);
    BOOST_TEST(taken == 12u);
    for (size_t o = 0; o < ROWS; o++)
        for (uint64_t n = 0; n < 12; n++) {
            BOOST_TEST(symbols[o][n] == symbol(o, n));
            for (size_t b = 0; b < BITS; b++)
                BOOST_TEST(llrs[o][n * BITS + b] == (n == 11 ? 0.0F : bit(o, n, b)));
        }
    BOOST_TEST(symbol_queue(1).llrs() == nullptr);
}
