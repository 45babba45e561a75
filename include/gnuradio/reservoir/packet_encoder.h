/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_ENCODER_H
#define INCLUDED_RESERVOIR_PACKET_ENCODER_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/api.h>
#include <gnuradio/sync_block.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Packets to bursts: preamble, pilots, the packet's symbols, a gap of zeros.
 * \ingroup reservoir
 *
 * \details
 * Packets come as PDUs (message port "pdus") of bytes, at most capacity() of them, or by send(). They
 * wait in a queue of max_queue; a PDU that finds it full, or is too long, is dropped, logged and
 * counted. pmt::PMT_EOF on the port, or finish(), ends the stream after the packets that wait.
 * Whenever the queue runs empty a tail of TAIL zeros follows, so that receivers that look ahead give
 * the last packet; then the block sends zeros if continuous, as transmitters that must not starve
 * need it, or waits. packet_format tells how a packet lies in its payload.
 *
 * Tags: burst_start with the packet's number (uint64) on a burst's first symbol; frame_start with a
 * dictionary {frame, pilots, payload} on its first pilot.
 */
class RESERVOIR_API packet_encoder : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<packet_encoder> sptr;

    static constexpr int TAIL = 1024; // symbols

    /*!
     * \param constellation one complex number per symbol, 2^n points
     * \param pilots complex values that receivers know, 1 ... 2^17 of them, sent as they are
     * \param payload_len symbols per packet, 1 ... 2^17
     * \param code "none", "cc" or "ldpc:FILE": as packet_format
     * \param gap zeros after a burst, in symbols, 0 ... 2^17
     * \param continuous send zeros while there is no packet
     * \param max_queue packets that wait, 1 ... 65536
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(gr::digital::constellation_sptr constellation,
                     const std::vector<gr_complex>& pilots,
                     int payload_len = 512,
                     const std::string& code = "none",
                     int gap = 80,
                     bool continuous = false,
                     int max_queue = 64);

    //! Bytes of data that a packet holds.
    virtual int capacity() const = 0;
    //! Packets sent.
    virtual uint64_t packets() const = 0;
    //! PDUs that were too long or held no bytes.
    virtual uint64_t refused() const = 0;
    //! PDUs that found the queue full.
    virtual uint64_t dropped() const = 0;

    /*!
     * Queues bytes as one packet, from any thread. False where no place came free within that time.
     * \throws std::invalid_argument if there are more than capacity() of them
     */
    virtual bool send(const std::vector<uint8_t>& data,
                      std::chrono::microseconds patience) = 0;
    //! Ends the stream when the packets that wait are sent.
    virtual void finish() = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_ENCODER_H */
