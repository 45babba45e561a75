/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/mistake_watch.h"
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace gr::reservoir;
typedef mistake_watch::mistake mistake;

namespace {

// 20 symbols that are not coloured: r(1 ... 7) of an impulse are zero.
stream_matrix white_pilots()
{
    stream_matrix pilots(1, std::vector<gr_complex>(20));
    pilots[0][3] = 1.0F;
    return pilots;
}

struct watched : mistake_watch {
    watched(int sps = 1, int payload_len = 0) : mistake_watch("start", sps, payload_len)
    {
        pilots_change(white_pilots());
        run_begins(false);
    }
    //! How much of this kind was told since the last call; nothing of another.
    size_t count(mistake kind)
    {
        const auto news = take_news();
        for (const auto& warning : news)
            BOOST_TEST((warning.kind == kind));
        return news.size();
    }
    void train(double error, int times)
    {
        for (int k = 0; k < times; k++)
            training_ended(error);
    }
};

constexpr double GOOD = 0.1;
constexpr double BAD = 1.0;

bool contains(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_missing_tag_is_told_once_with_the_tags_that_came)
{
    watched watch;
    for (const char* key : { "packet", "packet", "time", "a", "b", "c" })
        watch.tag_comes(pmt::mp(key));
    watch.tag_comes(pmt::from_long(3)); // no symbol
    watch.samples_came(99999);
    BOOST_TEST(!watch.has_news());
    watch.samples_came(100007);
    const auto news = watch.take_news();
    BOOST_REQUIRE(news.size() == 1u);
    BOOST_TEST(
        (news[0].text ==
         "no training tag 'start' in the first 100000 samples: does the frame source "
         "write that key? (tags that came: 'packet', 'time', 'a', 'b')"));
    watch.samples_came(1000000);
    watch.stream_ended(1000001);
    BOOST_TEST(!watch.has_news());
    BOOST_TEST((watch.told() == std::vector<std::string>{ news[0].text }));
}

BOOST_AUTO_TEST_CASE(long_frames_are_waited_for)
{
    watched watch(4, 50000);
    watch.samples_came(4 * 4 * 50020 - 1);
    BOOST_TEST(!watch.has_news());
    watch.samples_came(4 * 4 * 50020);
    BOOST_TEST(watch.count(mistake::no_tag) == 1u);
}

BOOST_AUTO_TEST_CASE(a_short_stream_without_a_tag)
{
    watched watch(2);
    watch.stream_ended(38); // not even the training
    BOOST_TEST(!watch.has_news());
    watch.stream_ended(39);
    BOOST_TEST(contains(watch.take_news().at(0).text, "39 samples of the stream"));
}

BOOST_AUTO_TEST_CASE(no_tag_is_needed_by_a_trained_detector_or_after_one)
{
    watched watch;
    watch.run_begins(true);
    watch.samples_came(1000000);
    BOOST_TEST(!watch.has_news());
    watch.run_begins(false);
    watch.mark_comes(5, false); // frozen
    watch.samples_came(1000000);
    watch.stream_ended(1000000);
    BOOST_TEST(!watch.has_news());
}

BOOST_AUTO_TEST_CASE(the_key_on_another_input)
{
    watched watch;
    watch.tag_comes(pmt::mp("start"));
    watch.samples_came(100000);
    BOOST_TEST(contains(watch.take_news().at(0).text, "'start' on another input than 0"));
}

BOOST_AUTO_TEST_CASE(tags_that_are_too_close)
{
    // 20 symbols of 3 samples: the last begins 57 samples after the first
    for (uint64_t distance : { 1, 57, 58 }) {
        watched watch(3);
        watch.mark_comes(100, true);
        watch.mark_comes(100, true); // counts once
        watch.mark_comes(100 + distance, true);
        BOOST_TEST(watch.count(mistake::tags_too_close) == (distance < 58));
        watch.mark_comes(101 + distance, true);
        BOOST_TEST(watch.count(mistake::tags_too_close) == (distance == 58)); // once
    }
    watched watch;
    watch.mark_comes(0, false); // nothing is trained
    watch.mark_comes(10, true);
    BOOST_TEST(!watch.has_news());
}

BOOST_AUTO_TEST_CASE(a_training_error_is_told_after_eight)
{
    watched watch;
    watch.train(0.955, 7);
    watch.training_ended(std::numeric_limits<double>::quiet_NaN()); // counts for nothing
    BOOST_TEST(!watch.has_news());
    watch.training_ended(0.955);
    const auto news = watch.take_news();
    BOOST_REQUIRE(news.size() == 1u);
    BOOST_TEST(
        (news[0].text ==
         "training error -0.2 dB: is the training sequence what was sent, and does "
         "the tag 'start' mark its first sample?"));
    watch.train(BAD, 1000);
    BOOST_TEST(!watch.has_news());
}

// Fewer trainings are judged when no more seem to come.
BOOST_AUTO_TEST_CASE(the_only_training_of_a_stream_is_bad)
{
    watched watch;
    watch.mark_comes(1000, true);
    watch.training_ended(BAD);
    watch.samples_came(100999);
    BOOST_TEST(!watch.has_news());
    watch.samples_came(101000);
    BOOST_TEST(watch.count(mistake::high_error) == 1u);
    watch.samples_came(500000);
    watch.stream_ended(500000);
    BOOST_TEST(!watch.has_news());

    for (double error : { BAD, GOOD }) {
        watched finite;
        finite.mark_comes(1000, true);
        finite.training_ended(error);
        finite.training_ended(BAD);
        finite.stream_ended(2000);
        finite.samples_came(2000000);
        BOOST_TEST(finite.count(mistake::high_error) == (error == BAD));
    }
}

BOOST_AUTO_TEST_CASE(five_bad_trainings_of_eight_are_nothing)
{
    watched watch;
    for (int k = 0; k < 100; k++) {
        watch.train(GOOD, 3);
        watch.train(BAD, 4);
        watch.training_ended(std::numeric_limits<double>::infinity());
    }
    BOOST_TEST(!watch.has_news());
    watch.train(BAD, 3);
    BOOST_TEST(watch.count(mistake::high_error) == 1u);
}

// At a low signal-to-noise ratio errors are high, but not as high.
BOOST_AUTO_TEST_CASE(errors_of_weak_signals_are_nothing)
{
    watched watch;
    for (int k = 0; k < 1000; k++)
        watch.training_ended(0.4 + 0.1 * (k % 5));
    BOOST_TEST(!watch.has_news());
}

BOOST_AUTO_TEST_CASE(a_training_error_is_told_again_after_many_good_ones)
{
    watched watch;
    watch.train(BAD, 8);
    BOOST_TEST(watch.count(mistake::high_error) == 1u);
    watch.train(GOOD, 99);
    watch.train(BAD, 100);
    BOOST_TEST(!watch.has_news());
    watch.train(GOOD, 100);
    watch.train(BAD, 100);
    BOOST_TEST(watch.count(mistake::high_error) == 1u);
    BOOST_TEST(watch.told().size() == 1u);
}

BOOST_AUTO_TEST_CASE(coloured_pilots_are_told_once)
{
    watched watch;
    watch.pilots_change({ std::vector<gr_complex>(64, 1.0F) });
    BOOST_TEST(contains(watch.take_news().at(0).text, "17.5 dB worse"));
    watch.pilots_change(white_pilots());
    watch.pilots_change({ std::vector<gr_complex>(64, 0.0F) });
    BOOST_TEST(!watch.has_news());

    watched silent;
    silent.pilots_change({ std::vector<gr_complex>(64, 0.0F) });
    BOOST_TEST(contains(silent.take_news().at(0).text, "more than 60.0 dB worse"));
}

BOOST_AUTO_TEST_CASE(a_new_run_tells_again_but_not_of_the_pilots)
{
    watched watch;
    watch.pilots_change({ std::vector<gr_complex>(20, 1.0F) });
    for (int run = 0; run < 3; run++) {
        watch.run_begins(false);
        BOOST_TEST(watch.told().size() == 1u);
        watch.samples_came(100000);
        watch.mark_comes(100000, true);
        watch.mark_comes(100001, true);
        watch.train(BAD, 8);
        BOOST_TEST(watch.told().size() == 4u);
        BOOST_TEST(watch.take_news().size() == (run == 0 ? 4u : 3u));
    }
}
