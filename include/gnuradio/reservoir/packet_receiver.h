/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_RECEIVER_H
#define INCLUDED_RESERVOIR_PACKET_RECEIVER_H

#include <gnuradio/block.h>
#include <gnuradio/reservoir/coded_receiver.h>
#include <gnuradio/reservoir/packet_decoder.h>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Samples to packets, equalized and decoded in turns: a coded_receiver for a flowgraph.
 * \ingroup reservoir
 *
 * \details
 * Takes the place of an equalizer and the packet_decoder behind it, and gets every packet that these
 * get. The sample that carries the training tag is the instant of the first training symbol; a frame
 * is the training and the packet's symbols, and is received once it and 48 symbols of look-ahead are
 * there. Input 0's training tags count; ports: the detector's num_inputs() complex inputs (antennas).
 *
 * PDUs come out on the message port "pdus" and a dictionary for each frame on "report", as from
 * packet_decoder; the report's further entries are iterations, the times that the decoder's ratios
 * went back to the equalizer, and gained, whether the turns brought the packet. A frame that a new
 * tag, a radio's overrun (a tag rx_time within it) or the end cuts short is truncated, and gives no
 * packet.
 *
 * The packets do not depend on how the scheduler cuts the stream, nor on workers.
 */
class RESERVOIR_API packet_receiver : virtual public gr::block
{
public:
    typedef std::shared_ptr<packet_receiver> sptr;
    typedef packet_decoder::handler handler;
    typedef packet_decoder::means means;

    /*!
     * \param receiver belongs to this block from now on
     * \param sps samples per symbol, 1 to 64
     * \param training_sequence known symbols, at least one; NaN for those between them that are not
     * known, with a detector that takes_unknown_pilots()
     * \param training_tag key of the tag on the first training sample, not empty
     * \param workers threads that receive frames, 1 to 64; 1: the block's own
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(coded_receiver::sptr receiver,
                     int sps,
                     const std::vector<gr_complex>& training_sequence,
                     const std::string& training_tag = "training_start",
                     int workers = 1);

    //! Whole frames received.
    virtual uint64_t frames() const = 0;
    //! Packets whose CRC was right.
    virtual uint64_t packets() const = 0;
    //! Packets that the turns brought: they are not in the detector's symbols.
    virtual uint64_t gained() const = 0;
    //! Frames whose CRC was wrong.
    virtual uint64_t crc_failures() const = 0;
    //! Numbers missing between packets that arrived.
    virtual uint64_t lost() const = 0;
    //! Frames cut short.
    virtual uint64_t truncated() const = 0;
    //! lost / (lost + packets); NaN before the first packet.
    virtual double packet_error_rate() const = 0;
    //! Means over the frames since the last call; NaN where none of them has such a figure.
    virtual means take_means() = 0;
    //! What is called for each packet as well, in the block's thread; empty: nothing. It must not throw.
    virtual void set_handler(handler called) = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_RECEIVER_H */
