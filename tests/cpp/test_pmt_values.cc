/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "pmt_values.h"
#include <boost/test/unit_test.hpp>
#include <complex>
#include <exception>
#include <utility>

using namespace gr::reservoir;

namespace {

typedef std::vector<gr_complex> row;

// As a list comes from Python.
pmt::pmt_t list(const std::vector<pmt::pmt_t>& elements)
{
    const pmt::pmt_t vector = pmt::make_vector(elements.size(), pmt::PMT_NIL);
    for (size_t i = 0; i < elements.size(); i++)
        pmt::vector_set(vector, i, elements[i]);
    return vector;
}

const row COMPLEX{ { 1.0F, 0.5F }, { -2.0F, 0.0F } };
const row REAL{ { 1.5F, 0.0F }, { -2.0F, 0.0F } };

const pmt::pmt_t C32 = pmt::init_c32vector(2, COMPLEX);
const pmt::pmt_t C64 = pmt::init_c64vector(2, { { 1.0, 0.5 }, { -2.0, 0.0 } });
const pmt::pmt_t F32 = pmt::init_f32vector(2, { 1.5F, -2.0F });
const pmt::pmt_t F64 = pmt::init_f64vector(2, { 1.5, -2.0 });
const pmt::pmt_t COMPLEX_LIST = list({ pmt::from_complex(1.0, 0.5), pmt::from_long(-2) });
const pmt::pmt_t REAL_LIST = list({ pmt::from_double(1.5), pmt::from_long(-2) });

const std::vector<pmt::pmt_t> NO_NUMBERS{
    pmt::mp("x"),
    pmt::PMT_NIL,
    pmt::PMT_T,
    pmt::from_double(1.0),
    pmt::make_dict(),
    pmt::cons(pmt::from_long(1), pmt::from_long(2)),
    pmt::make_tuple(pmt::from_long(1), pmt::from_long(2)),
    pmt::init_s32vector(2, { 1, 2 }),
    list({ pmt::from_long(1), pmt::mp("x") }),
    list({ pmt::from_long(1), C32 }),
};

} // namespace

BOOST_AUTO_TEST_CASE(complex_numbers_in_every_form)
{
    for (const auto& value : { C32, C64, COMPLEX_LIST })
        BOOST_TEST((complex_vector(value) == COMPLEX));
    for (const auto& value : { F32, F64, REAL_LIST })
        BOOST_TEST((complex_vector(value) == REAL));
    BOOST_TEST(complex_vector(list({})).empty());
    BOOST_TEST(complex_vector(pmt::init_c32vector(0, row())).empty());
}

BOOST_AUTO_TEST_CASE(real_numbers_in_every_form)
{
    const std::vector<double> expected{ 1.5, -2.0 };
    for (const auto& value : { F32, F64, REAL_LIST })
        BOOST_TEST(real_vector(value) == expected);
    BOOST_TEST(real_vector(list({})).empty());
}

BOOST_AUTO_TEST_CASE(rows_alone_and_nested)
{
    for (const auto& value : { C32, C64, COMPLEX_LIST })
        BOOST_TEST((complex_rows(value) == std::vector<row>{ COMPLEX }));
    const auto nested = complex_rows(list({ C32, REAL_LIST, C64, F64 }));
    BOOST_TEST((nested == std::vector<row>{ COMPLEX, REAL, COMPLEX, REAL }));
    BOOST_TEST((complex_rows(list({})) == std::vector<row>{ row() }));
    BOOST_TEST((complex_rows(list({ list({}) })) == std::vector<row>{ row() }));
}

BOOST_AUTO_TEST_CASE(other_forms_are_refused)
{
    for (const auto& value : NO_NUMBERS) {
        BOOST_CHECK_THROW(complex_vector(value), std::exception);
        BOOST_CHECK_THROW(real_vector(value), std::exception);
        BOOST_CHECK_THROW(complex_rows(value), std::exception);
        BOOST_CHECK_THROW(complex_rows(list({ C32, value })), std::exception);
    }
    for (const auto& value : { C32, C64, COMPLEX_LIST })
        BOOST_CHECK_THROW(real_vector(value), std::exception);
    BOOST_CHECK_THROW(complex_rows(list({ list({ C32 }) })), std::exception);
}

BOOST_AUTO_TEST_CASE(truth_is_no_number)
{
    BOOST_TEST(truth(pmt::PMT_T));
    BOOST_TEST(!truth(pmt::PMT_F));
    for (const auto& value : { pmt::from_long(1), pmt::mp("true"), pmt::PMT_NIL })
        BOOST_CHECK_THROW(truth(value), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(entries_of_a_dictionary_and_a_pair)
{
    std::vector<std::pair<std::string, long>> seen;
    const auto visit = [&seen](const std::string& key, const pmt::pmt_t& value) {
        seen.emplace_back(key, pmt::to_long(value));
    };
    for_each_entry(pmt::cons(pmt::mp("a"), pmt::from_long(1)), visit);
    BOOST_TEST((seen == std::vector<std::pair<std::string, long>>{ { "a", 1 } }));

    seen.clear();
    pmt::pmt_t dict = pmt::make_dict();
    for_each_entry(dict, visit);
    BOOST_TEST(seen.empty());
    for (const char* key : { "a", "b", "c" })
        dict = pmt::dict_add(dict, pmt::mp(key), pmt::from_long(key[0]));
    for_each_entry(dict, visit);
    BOOST_TEST(seen.size() == 3u);
    for (const auto& [key, value] : seen)
        BOOST_TEST(value == key[0]);
}

BOOST_AUTO_TEST_CASE(what_is_no_dictionary_is_refused)
{
    const auto ignore = [](const std::string&, const pmt::pmt_t&) {};
    const auto refuse = [](const std::string&, const pmt::pmt_t&) {
        throw std::invalid_argument("refused");
    };
    const pmt::pmt_t by_number =
        pmt::dict_add(pmt::make_dict(), pmt::from_long(3), pmt::from_long(4));
    for (const auto& message : { pmt::from_long(3), pmt::mp("x"), C32, by_number })
        BOOST_CHECK_THROW(for_each_entry(message, ignore), std::exception);
    BOOST_CHECK_THROW(for_each_entry(pmt::cons(pmt::mp("a"), pmt::PMT_T), refuse),
                      std::invalid_argument);
}
