/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PHASE_LOOP_CC_H
#define INCLUDED_RESERVOIR_PHASE_LOOP_CC_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/api.h>
#include <gnuradio/sync_block.h>
#include <string>

namespace gr {
namespace reservoir {

/*!
 * \brief Turns an equalizer's symbols back by the phase that their decisions show.
 * \ingroup reservoir
 *
 * \details
 * A second-order decision-directed loop (U. Mengali and A. D'Andrea, Synchronization Techniques
 * for Digital Receivers, 1997, ch. 5; gains of gr::blocks::control_loop). Each output is
 * y = r exp(-i phase); with c the nearest point of the constellation at unit mean power, the
 * phase's error is Im(y c*), within -0.5 ... 0.5. It follows what carrier offset and phase noise
 * remain after an equalizer that was trained on a frame's pilots and is then fixed: fir, esn and
 * rnn. The configured ESN has a loop in each survivor and needs none after it.
 *
 * At each tag of key training_tag, which an equalizer puts on the first pilot, the loop starts
 * again from phase and frequency zero, as the equalizer's own training has removed them. A
 * symbol that is NaN or infinite passes as it is and leaves the loop alone. Tags pass.
 *
 * A bandwidth too wide lets the loop follow the noise: wrong decisions then turn it by the angle
 * between two points. O(points of the constellation) per symbol.
 */
class RESERVOIR_API phase_loop_cc : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<phase_loop_cc> sptr;

    /*!
     * \param constellation what is decided
     * \param loop_bandwidth in rad/symbol, 0 ... 0.5; 0: symbols pass as they are
     * \param training_tag key of the tag on a frame's first symbol; empty: no restart
     * \throws std::invalid_argument if a parameter is outside its range
     */
    static sptr make(gr::digital::constellation_sptr constellation,
                     double loop_bandwidth = 0.01,
                     const std::string& training_tag = "training_start");

    //! From the next symbol on. \throws std::invalid_argument outside 0 ... 0.5
    virtual void set_loop_bandwidth(double loop_bandwidth) = 0;
    //! Of the last symbol, rad, -2 pi ... 2 pi.
    virtual double phase() const = 0;
    //! rad/symbol, -0.1 ... 0.1
    virtual double frequency() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PHASE_LOOP_CC_H */
