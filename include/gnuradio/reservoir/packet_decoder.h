/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_DECODER_H
#define INCLUDED_RESERVOIR_PACKET_DECODER_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/api.h>
#include <gnuradio/sync_block.h>
#include <pmt/pmt.h>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Symbols to packets: the num_pilots + payload_len symbols from each training tag on.
 * \ingroup reservoir
 *
 * \details
 * PDUs come out on the message port "pdus": the data, and a dictionary with sequence, evm_db (to the
 * nearest points, dB), and what the tag's dictionary holds: snr_db, cfo, amplitude, time .... After
 * each frame the message port "report" sends a dictionary {frames, packets, crc_failures, lost,
 * truncated, evm_db, snr_db, cfo}. lost counts the numbers that are missing between packets that
 * arrived, whatever became of them: packet error rate = lost / (lost + packets). A gap of 32768
 * numbers or more is another transmitter's start and counts nothing. A frame that a new tag, a
 * radio's overrun (a tag rx_time within it) or the end cuts short is truncated, and gives no packet.
 */
class RESERVOIR_API packet_decoder : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<packet_decoder> sptr;
    //! Called with each packet's data and what the PDU's dictionary holds.
    typedef std::function<void(const std::vector<uint8_t>& data,
                               const pmt::pmt_t& metadata)>
        handler;

    /*!
     * \param constellation one complex number per symbol, 2^n points
     * \param num_pilots symbols from the tag on before the payload, 0 ... 2^17
     * \param payload_len symbols per packet, 1 ... 2^17
     * \param code "none", "cc" or "ldpc:FILE": as packet_format
     * \param training_tag key of the tag on the first pilot, not empty
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(gr::digital::constellation_sptr constellation,
                     int num_pilots = 64,
                     int payload_len = 512,
                     const std::string& code = "none",
                     const std::string& training_tag = "training_start");

    //! Whole frames decoded.
    virtual uint64_t frames() const = 0;
    //! Packets whose CRC was right.
    virtual uint64_t packets() const = 0;
    //! Frames whose CRC was wrong.
    virtual uint64_t crc_failures() const = 0;
    //! Numbers missing between packets that arrived.
    virtual uint64_t lost() const = 0;
    //! Frames cut short.
    virtual uint64_t truncated() const = 0;
    //! lost / (lost + packets); NaN before the first packet.
    virtual double packet_error_rate() const = 0;

    //! Means over frames; NaN where none of them has such a figure.
    struct means {
        double snr_db;
        double cfo; //!< cycles/sample
        double evm_db;
    };
    //! Over the frames since the last call.
    virtual means take_means() = 0;

    /*!
     * What is called for each packet as well, in the block's thread; empty: nothing. It must not throw.
     *
     * Where a flowgraph ends by itself, GNU Radio may end a block that only has message ports before
     * it has taken the last PDUs; a handler gets them all.
     */
    virtual void set_handler(handler called) = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_DECODER_H */
