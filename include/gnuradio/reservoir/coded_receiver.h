/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_CODED_RECEIVER_H
#define INCLUDED_RESERVOIR_CODED_RECEIVER_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/detector.h>
#include <gnuradio/reservoir/packet_format.h>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace gr {
namespace reservoir {

struct finished_frame;
class joint_decoder;

/*!
 * \brief A receiver that equalizes and decodes a frame in turns (turbo equalization: Douillard et
 * al., 1995); no flowgraph needed.
 *
 * \details
 * First the detector receives the frame, without refits where it makes them, and the packet is decoded
 * from its symbols. Only where its CRC is wrong do the turns begin, and only where these fail is the
 * frame received once more, with refits and all: so no packet is lost that a decoder behind the
 * equalizer gets.
 * - Channel and noise are estimated from pilots and soft decisions, in the window that the Bayesian
 *   information criterion chooses.
 * - A linear equalizer of least mean squared error takes from the samples what the decoder expects,
 *   and gives log-likelihood ratios of the bits (Tuechler, Singer, Koetter, 2002).
 * - The decoder gives those of the coded bits: BCJR (Bahl et al., 1974) or, of an LDPC code, the
 *   sum-product algorithm. Its CRC right: done.
 * - What it says beyond what it was told goes back to the equalizer; from all that it says channel and
 *   noise are estimated again (expectation maximisation).
 * The turns begin with what the decoder makes of the detector's symbols and, where that leads to
 * nothing, with the channel alone.
 *
 * Antennas and sampling phases are combined, each with its own noise. A carrier offset that the
 * detector reports is taken out, and the phase that is left followed. The channel is one for the
 * whole frame or, where the detector reports that it tracked it, one for every 64 symbols.
 *
 * All methods may be called from any thread.
 */
class RESERVOIR_API coded_receiver
{
public:
    typedef std::shared_ptr<coded_receiver> sptr;

    static constexpr int MAX_ITERATIONS = 32;

    /*!
     * \param detector of one stream; belongs to this receiver from now on. Its pilots and symbols
     * are at the scale of the format's points
     * \param format with a code
     * \param iterations how often the decoder's ratios go back to the equalizer, 0 to 32
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(reservoir::detector::sptr detector,
                     const packet_format& format,
                     int iterations = 2);
    coded_receiver(reservoir::detector::sptr detector,
                   const packet_format& format,
                   int iterations);
    ~coded_receiver();

    struct result {
        std::optional<reservoir::packet> packet; //!< none where its CRC is wrong
        //! of the detector's symbols around the nearest points, dB; NaN if one is not finite
        double evm_db;
        //! times that the decoder's ratios went back to the equalizer
        int iterations = 0;
        //! by the turns: the packet is not in the detector's symbols
        bool gained = false;
    };

    /*!
     * \brief One frame.
     * \param received num_inputs rows from the first symbol on; samples after the frame serve as
     * look-ahead
     * \param pilots what is known of the frame, NaN between for what is not; the payload is what is
     * not known and what follows
     * \param sps samples per symbol, 1 to 64
     * \throws std::invalid_argument if the shapes do not fit
     */
    result receive(const stream_matrix& received,
                   const std::vector<gr_complex>& pilots,
                   int sps = 1);

    const reservoir::detector::sptr& detector() const { return d_detector; }
    const packet_format& format() const { return d_format; }
    int iterations() const { return d_iterations; }
    //! Symbols that follow such pilots. \throws std::invalid_argument if they have more gaps than payload
    int symbols_after(const std::vector<gr_complex>& pilots) const;

    //! \name For shells
    //! \{
    //! Of a frame that the detector, or a copy of it, has received.
    result finish(const finished_frame& frame);
    //! Marks it as belonging to a block. \throws std::invalid_argument if it did already
    void claim();
    //! \}

private:
    const reservoir::detector::sptr d_detector;
    const packet_format d_format;
    const int d_iterations;
    std::mutex d_receiving;
    std::mutex d_mutex; // of what follows
    std::vector<std::unique_ptr<joint_decoder>> d_idle;
    bool d_claimed = false;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_CODED_RECEIVER_H */
