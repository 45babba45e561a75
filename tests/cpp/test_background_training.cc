/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Training beside detection, with a detector whose training ends when the test says so.

#include "shell/frame_receiver.h"
#include <condition_variable>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

using namespace gr::reservoir;

namespace {

// Lets trainings end, one by one.
class gate
{
public:
    void let_pass(int count)
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_open += count;
        d_changed.notify_all();
    }
    //! False where `cancelled` came first.
    bool pass(const std::function<bool()>& cancelled)
    {
        std::unique_lock<std::mutex> lock(d_mutex);
        while (d_open == 0 && !cancelled())
            d_changed.wait_for(lock, std::chrono::milliseconds(1));
        const bool open = d_open > 0;
        d_open -= open;
        return open;
    }

private:
    std::mutex d_mutex;
    std::condition_variable d_changed;
    int d_open = 0;
};

// Learns the first pilot's sample; gives every sample, DELAY symbols later, plus FACTOR times that.
class slow_detector : public detector
{
public:
    static constexpr int DELAY = 3;
    static constexpr float FACTOR = 10000.0F;
    explicit slow_detector(std::shared_ptr<gate> opened, bool fails = false)
        : detector(1, 1), d_gate(opened), d_fails(fails)
    {
    }
    std::string kind() const override { return "slow"; }
    bool trains_in_epochs() const override { return true; }

protected:
    int do_look_ahead() const override { return DELAY; }
    uint64_t do_bad_samples() const override { return 0; }
    training_report
    do_fit(const gr_complex* const* received, size_t, const stream_matrix&, int) override
    {
        if (d_fails)
            throw std::runtime_error("the training has failed");
        d_gate->pass([this] { return cancelled(); });
        d_learnt = received[0][0];
        training_report report;
        report.delay = DELAY;
        return report;
    }
    size_t do_detect(const gr_complex* const* received,
                     size_t num_samples,
                     gr_complex* const* symbols) override
    {
        size_t count = 0;
        for (size_t n = 0; n < num_samples; n++) {
            d_last.push_back(received[0][n]);
            if (d_last.size() > DELAY)
                symbols[0][count++] =
                    d_last[d_last.size() - 1 - DELAY] + FACTOR * d_learnt;
        }
        return count;
    }
    void do_reset() override { d_last.clear(); }
    trainable::sptr do_make_alike() const override
    {
        return std::make_shared<slow_detector>(d_gate, d_fails);
    }
    pmt::pmt_t do_parameters() const override { return pmt::make_dict(); }
    bool do_has_parameters_of(const trainable&) const override { return true; }
    pmt::pmt_t do_save() const override { return pmt::make_dict(); }
    void do_restore(const pmt::pmt_t&) override { do_reset(); }
    void do_adopt(const trainable& trained) override
    {
        d_learnt = dynamic_cast<const slow_detector&>(trained).d_learnt;
        do_reset();
    }

private:
    const std::shared_ptr<gate> d_gate;
    const bool d_fails;
    gr_complex d_learnt = 0.0F;
    std::vector<gr_complex> d_last;
};

// A receiver with a trainer, fed with the numbers 1, 2, 3 …
struct slow_link {
    explicit slow_link(int payload_len = 0, bool fails = false)
    {
        const auto trained = std::make_shared<slow_detector>(opened, fails);
        receiver = std::make_unique<frame_receiver>(
            trained,
            1,
            stream_matrix{ { 1.0F, 1.0F } },
            payload_len,
            std::make_unique<background_trainer>(trained));
    }
    void push(int count)
    {
        for (int n = 0; n < count; n++) {
            const gr_complex sample = float(++pushed);
            const gr_complex* row = &sample;
            receiver->push(&row, 1);
        }
    }
    std::vector<int> pop()
    {
        std::vector<gr_complex> symbols(receiver->available());
        gr_complex* row = symbols.data();
        receiver->pop(&row, symbols.size());
        std::vector<int> numbers;
        for (const auto& symbol : symbols)
            numbers.push_back(std::lround(symbol.real()));
        return numbers;
    }
    //! Feeds samples until so many trainings have been taken over.
    void await_trainings(uint64_t count)
    {
        for (int k = 0; k < 5000 && receiver->so_far().trainings < count; k++) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            push(1);
        }
        BOOST_REQUIRE_EQUAL(receiver->so_far().trainings, count);
    }

    std::shared_ptr<gate> opened = std::make_shared<gate>();
    std::unique_ptr<frame_receiver> receiver;
    int pushed = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(symbols_flow_while_the_training_runs)
{
    slow_link l;
    l.receiver->mark(0);
    l.push(500);
    std::vector<int> symbols = l.pop();
    BOOST_REQUIRE_EQUAL(symbols.size(), 500); // nothing is held back
    for (int k = 0; k < 500; k++)
        BOOST_REQUIRE_EQUAL(symbols[k], k + 1); // passed through
    l.opened->let_pass(1);
    l.await_trainings(1);
    l.push(100);
    l.receiver->finish();
    const std::vector<int> rest = l.pop();
    symbols.insert(symbols.end(), rest.begin(), rest.end());
    BOOST_REQUIRE_EQUAL(symbols.size(), size_t(l.pushed)); // none twice, none lost
    int changes = 0;
    for (int k = 0; k < l.pushed; k++) {
        BOOST_REQUIRE_EQUAL(symbols[k] % 10000, k + 1);
        changes += k > 0 && symbols[k] / 10000 != symbols[k - 1] / 10000;
    }
    BOOST_CHECK_EQUAL(changes, 1);
    BOOST_CHECK_EQUAL(symbols.back() / 10000, 1);
    const auto trainings = l.receiver->take_trainings();
    BOOST_REQUIRE_EQUAL(trainings.size(), 1);
    BOOST_CHECK_EQUAL(trainings[0].offset, 0);
}

BOOST_AUTO_TEST_CASE(the_newest_pilots_wait_and_older_ones_are_skipped)
{
    slow_link l(18);
    for (int frame = 0; frame < 10; frame++)
        l.receiver->mark(frame * 20);
    l.push(210); // the first trains, the others wait for each other
    BOOST_CHECK_EQUAL(l.receiver->so_far().skipped_trainings, 8);
    l.opened->let_pass(2);
    l.await_trainings(2);
    const auto trainings = l.receiver->take_trainings();
    BOOST_REQUIRE_EQUAL(trainings.size(), 2);
    BOOST_CHECK_EQUAL(trainings[0].offset, 0);
    BOOST_CHECK_EQUAL(trainings[1].offset, 180);
    BOOST_CHECK_EQUAL(l.receiver->so_far().skipped_trainings, 8);
}

BOOST_AUTO_TEST_CASE(an_overrun_cuts_a_frame_and_trains_nothing)
{
    slow_link l(18); // frames of 20 symbols
    l.receiver->mark(0);
    l.receiver->cut(0);  // its first sample
    l.receiver->cut(12); // in its payload
    l.receiver->cut(15); // no frame
    l.receiver->mark(30);
    l.receiver->cut(50); // behind it
    BOOST_CHECK_EQUAL(l.receiver->symbol_of(50), 50);
    l.push(60);
    l.receiver->finish();
    l.opened->let_pass(2);
    l.await_trainings(2);
    BOOST_CHECK_EQUAL(l.receiver->so_far().truncated_frames, 1);
    BOOST_CHECK_EQUAL(l.receiver->so_far().abandoned_trainings, 0);
    BOOST_CHECK_EQUAL(l.pop().size(), size_t(l.pushed));
}

BOOST_AUTO_TEST_CASE(short_segments_are_counted)
{
    slow_link l(18);
    l.receiver->mark(0);
    l.receiver->mark(1);  // abandons the first
    l.receiver->mark(11); // cuts the second short
    l.push(11 + 19);
    l.receiver->finish(); // the third lacks a symbol
    BOOST_CHECK_EQUAL(l.receiver->so_far().abandoned_trainings, 1);
    BOOST_CHECK_EQUAL(l.receiver->so_far().truncated_frames, 2);
    BOOST_CHECK_EQUAL(l.pop().size(), size_t(l.pushed));
}

BOOST_AUTO_TEST_CASE(what_was_learnt_stays_while_the_next_training_runs)
{
    slow_link l;
    l.receiver->mark(0);
    l.opened->let_pass(1);
    l.await_trainings(1); // from sample 1
    const int start = l.pushed;
    l.receiver->mark(start);
    l.push(50);
    l.pop();
    l.push(50);
    for (const int symbol : l.pop())
        BOOST_CHECK_EQUAL(symbol / 10000, 1);
    l.opened->let_pass(1);
    l.await_trainings(2);
    l.pop();
    l.push(10);
    for (const int symbol : l.pop())
        BOOST_CHECK_EQUAL(symbol / 10000, start + 1);
}

BOOST_AUTO_TEST_CASE(freezing_forgetting_and_stopping_give_up_what_runs)
{
    for (const int way : { 0, 1, 2 }) {
        slow_link l;
        l.receiver->mark(0);
        l.push(20);
        if (way == 0)
            l.receiver->set_frozen(true);
        else if (way == 1)
            l.receiver->forget();
        else
            l.receiver->stop_training(); // returns though the gate stays closed
        for (int k = 0; k < 20; k++) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            l.push(1);
        }
        BOOST_CHECK_EQUAL(l.receiver->so_far().trainings, 0);
        const std::vector<int> symbols = l.pop();
        BOOST_REQUIRE_EQUAL(symbols.size(), 40);
        BOOST_CHECK_EQUAL(symbols.back(), 40); // still passed through
    }
}

BOOST_AUTO_TEST_CASE(a_training_that_fails_is_abandoned)
{
    slow_link l(0, true);
    l.receiver->mark(0);
    std::vector<std::string> why;
    for (int k = 0; k < 5000 && why.empty(); k++) {
        l.push(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        why = l.receiver->take_refusals();
    }
    BOOST_REQUIRE_EQUAL(why.size(), 1);
    BOOST_CHECK_EQUAL(why[0], "the training has failed");
    BOOST_CHECK_EQUAL(l.receiver->so_far().trainings, 0);
    BOOST_CHECK_EQUAL(l.receiver->so_far().abandoned_trainings, 1);
    const auto symbols = l.pop();
    BOOST_REQUIRE_EQUAL(symbols.size(), size_t(l.pushed));
    BOOST_CHECK_EQUAL(symbols.back(), l.pushed); // as they came
}
