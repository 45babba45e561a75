/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_TESTS_CONCURRENCY_RIGS_H
#define INCLUDED_RESERVOIR_TESTS_CONCURRENCY_RIGS_H

#include <gnuradio/blocks/head.h>
#include <gnuradio/top_block.h>
#include <pmt/pmt.h>
#include <shared_mutex>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

/*!
 * \brief A flowgraph, and all that other threads may do to its blocks while it runs.
 */
class rig
{
public:
    //! Called from any thread; throws where something is not as it should be.
    typedef std::function<void(std::mt19937&)> act;
    typedef std::shared_ptr<rig> sptr;

    virtual ~rig() {}
    //! It throws what work() throws, which ends the program.
    const gr::top_block_sptr top = gr::make_top_block("storm", false);

    void start();
    void unlock();
    //! Sends a block a message from outside.
    static void
    post(const gr::basic_block_sptr& to, const char* port, const pmt::pmt_t& message);

    //! What changes nothing that comes out: questions, and what is refused.
    const std::vector<act>& looks() const { return d_looks; }
    //! Setters and commands.
    const std::vector<act>& changes() const { return d_changes; }
    //! Another way through the flowgraph, or the first one again; between lock and unlock.
    void reconnect();

    //! A run of so many frames that ends by itself, with the settings of the beginning.
    virtual void run(int frames) = 0;
    //! What came out of it.
    virtual std::vector<uint8_t> received() const = 0;
    //! Why the frames of that run are not all received as they were sent; empty if they are.
    virtual std::string wrong(int frames) const = 0;

protected:
    //! Between these two there is a way that changes.
    void connect_two_ways(gr::basic_block_sptr from, gr::basic_block_sptr to);
    //! Somebody reads its reports.
    void read_reports(gr::basic_block_sptr block);
    void look(act one) { d_looks.push_back(std::move(one)); }
    void change(act one) { d_changes.push_back(std::move(one)); }
    //! Functions without arguments.
    template <class Block, class... Questions>
    void look_at(std::shared_ptr<Block> block, Questions... questions)
    {
        (look([block, questions](std::mt19937&) { (block.get()->*questions)(); }), ...);
    }
    //! What must throw std::invalid_argument.
    void refused(std::function<void()> one);
    //! Messages that a block's port "command" refuses whatever the block.
    void bad_commands(gr::basic_block_sptr block);

private:
    // Held alone while a flowgraph is started or unlocked, shared by whoever sends a message from outside:
    // GNU Radio then looks for what a start replaces, without a lock of its own.
    static inline std::shared_mutex s_starting;

    std::vector<act> d_looks, d_changes;
    gr::basic_block_sptr d_from, d_to, d_between;
    bool d_detour = false;
};

//! A dictionary of one entry.
pmt::pmt_t command(const char* name, const pmt::pmt_t& value);

/*!
 * Frames through amplifier and fading, the equalizer with two workers, phase loop, error meter.
 * \param kind "fir", "esn" or "configured_esn"
 */
rig::sptr make_software_channel(const std::string& kind);
//! A stream through the equalizer with a recurrent network that is trained in the background.
rig::sptr make_background_training();
//! OFDM frames through the OFDM equalizer with two workers. \param kind "ofdm_lmmse" or "ofdm_esn"
rig::sptr make_ofdm(const std::string& kind);
//! Packets through frame search, gate, equalizer and decoder, and through the packet receiver.
rig::sptr make_packets();

#endif /* INCLUDED_RESERVOIR_TESTS_CONCURRENCY_RIGS_H */
