/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Flowgraphs in a storm: threads call every setter and question and send commands, while the flowgraph is
// locked, reconnected, unlocked, stopped, started and destroyed. RESERVOIR_CYCLES says how often per
// flowgraph (30), and how many frames are looked at.

#define BOOST_TEST_MODULE concurrency
#include "rigs.h"
#include <gnuradio/logger.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace {

struct kind {
    const char* name;
    rig::sptr (*make)();
};
std::ostream& operator<<(std::ostream& out, const kind& one) { return out << one.name; }

const kind KINDS[] = {
    { "fir", [] { return make_software_channel("fir"); } },
    { "esn", [] { return make_software_channel("esn"); } },
    { "configured_esn", [] { return make_software_channel("configured_esn"); } },
    { "ofdm_lmmse", [] { return make_ofdm("ofdm_lmmse"); } },
    { "ofdm_esn", [] { return make_ofdm("ofdm_esn"); } },
    { "packets", make_packets },
};
// What comes out of it depends on when it has been trained.
const kind IN_THE_BACKGROUND[] = { { "rnn", make_background_training } };

// The flowgraph that there is at the moment.
class present
{
public:
    explicit present(rig::sptr first) : d_rig(std::move(first)) {}
    rig::sptr get()
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        return d_rig;
    }
    //! The old one ends with its last pointer.
    void replace(rig::sptr next)
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_rig.swap(next);
    }

private:
    std::mutex d_mutex;
    rig::sptr d_rig;
};

void sleep_at_most(std::mt19937& random, int microseconds)
{
    std::this_thread::sleep_for(std::chrono::microseconds(random() % microseconds));
}

/*!
 * Threads that do something until they are told to end: one thing several times, then another. Two different
 * ones in turn would each take some lock, and so bring what has none into an order by chance.
 */
class storm
{
public:
    storm(present& where, bool with_changes, unsigned seed)
        : d_where(where), d_with_changes(with_changes)
    {
        for (unsigned thread = 1; thread <= 2; thread++)
            d_threads.emplace_back([this, seed, thread] { act(8 * seed + thread); });
    }
    ~storm() { end(); }
    //! What went wrong, if anything did. Some acts have been done by then, however little time there was.
    std::string end()
    {
        d_ends = true;
        for (auto& thread : d_threads)
            thread.join();
        d_threads.clear();
        return d_wrong;
    }

private:
    void act(unsigned seed)
    {
        std::mt19937 random(seed);
        for (int acts = 0; acts < LEAST_ACTS || !d_ends; acts++) {
            const rig::sptr now = d_where.get();
            const bool change = d_with_changes && random() % 2;
            const auto& all = change ? now->changes() : now->looks();
            const size_t pick = random() % all.size();
            try {
                for (int times = 1 + random() % 16; times > 0; times--) {
                    all[pick](random);
                    sleep_at_most(random, 200);
                }
            } catch (const std::exception& error) {
                const std::lock_guard<std::mutex> lock(d_mutex);
                d_wrong += (change ? "change " : "look ") + std::to_string(pick) + ": " +
                           error.what() + "\n";
            }
        }
    }

    static constexpr int LEAST_ACTS = 50; // of each thread
    present& d_where;
    const bool d_with_changes;
    std::atomic_bool d_ends{ false };
    std::mutex d_mutex;
    std::string d_wrong;
    std::vector<std::thread> d_threads;
};

const auto ALL =
    boost::unit_test::data::make(KINDS) + boost::unit_test::data::make(IN_THE_BACKGROUND);

struct tally {
    tally() { gr::logging::singleton().set_default_level(gr::log_level::off); }
    ~tally()
    {
        std::printf("%d times unlocked, %d stopped and started, %d destroyed\n",
                    unlocked,
                    restarted,
                    destroyed);
    }
    static int cycles()
    {
        const char* const wanted = std::getenv("RESERVOIR_CYCLES");
        const int count = wanted ? std::atoi(wanted) : 30;
        if (count < 3)
            throw std::runtime_error("RESERVOIR_CYCLES = " + std::string(wanted) +
                                     ": must be a number of at least 3");
        return count;
    }
    //! Of a run in which they are counted.
    static int frames() { return 30 * cycles(); }
    static inline int unlocked = 0, restarted = 0, destroyed = 0;
};
BOOST_TEST_GLOBAL_FIXTURE(tally);

// number: one way after the other
void cycle(present& where, const kind& of, int number, std::mt19937& random)
{
    rig::sptr now = where.get();
    switch (number % 3) {
    case 0:
        now->top->lock();
        if (random() % 2)
            now->reconnect();
        now->unlock();
        tally::unlocked++;
        break;
    case 1:
        now->top->stop();
        now->top->wait();
        sleep_at_most(random, 5000);
        now->start();
        tally::restarted++;
        break;
    default:
        now = of.make();
        now->start();
        where.replace(now);
        tally::destroyed++;
    }
}

} // namespace

BOOST_DATA_TEST_CASE(questions_and_refusals_change_nothing, KINDS, of)
{
    const auto undisturbed = of.make();
    undisturbed->run(tally::frames());
    BOOST_REQUIRE_EQUAL(undisturbed->wrong(tally::frames()), "");

    present asked(of.make());
    storm questions(asked, false, 1);
    asked.get()->run(tally::frames());
    BOOST_CHECK_EQUAL(questions.end(), "");
    BOOST_CHECK(asked.get()->received() == undisturbed->received());
}

BOOST_DATA_TEST_CASE(frames_are_received_after_a_storm, ALL, of)
{
    std::mt19937 random(1);
    present where(of.make());
    where.get()->start();
    storm around(where, true, 2);
    for (int n = 0; n < tally::cycles(); n++) {
        sleep_at_most(random, 20000);
        cycle(where, of, n, random);
    }
    BOOST_CHECK_EQUAL(around.end(), "");
    const rig::sptr last = where.get();
    last->top->stop();
    last->top->wait();
    last->run(tally::frames());
    BOOST_CHECK_EQUAL(last->wrong(tally::frames()), "");
}
