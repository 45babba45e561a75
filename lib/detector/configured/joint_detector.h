/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_DETECTOR_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_DETECTOR_H

#include "detector/configured/joint_receiver.h"
#include "detector/configured/joint_stream.h"
#include <gnuradio/reservoir/configured_esn.h>
#include <memory>

namespace gr {
namespace reservoir {

class soft_demapper;
struct symbol_rows;

/*!
 * \brief configured_esn with several streams: from samples to symbols in the units of the pilots.
 *
 * Not responsible for counting samples that are not finite; they count as zero.
 */
class joint_detector
{
public:
    explicit joint_detector(const configured_esn_parameters& parameters);

    //! Symbols beyond symbol k that its decision may need.
    static int look_ahead();

    training_report fit(const gr_complex* const* received,
                        size_t num_samples,
                        const stream_matrix& pilots,
                        int sps);
    //! \param quick whether refits are left out
    //! \param soft whether demap will be called
    training_report receive(const gr_complex* const* received,
                            size_t num_samples,
                            const stream_matrix& pilots,
                            int sps,
                            size_t num_symbols,
                            bool quick,
                            bool soft,
                            gr_complex* const* symbols);
    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  bool soft,
                  gr_complex* const* symbols);
    //! Bits of what was received or detected last: by the readout's output before each decision.
    void demap(soft_demapper& demapper, size_t count, const symbol_rows& rows) const;
    void reset();
    uint64_t take_bad_samples() { return d_stream->take_bad_samples(); }

    pmt::pmt_t save(pmt::pmt_t dict) const;
    void restore(const pmt::pmt_t& saved, int sps);
    void adopt(const joint_detector& other);
    int delay() const { return d_readout.delay(); }

private:
    //! Scales of this training; returns the pilots at unit power.
    sample_streams prepare(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps);
    configured_settings settings() const;
    //! Takes over a readout for detect().
    void use(const joint_network& network,
             const joint_readout& readout,
             const sample_streams& pilots,
             double power);
    training_report describe(const joint_readout& readout) const;
    bool forward() const { return d_parameters.output == "forward"; }

    const configured_esn_parameters& d_parameters;
    joint_stream_readout d_readout; // of the last training
    std::unique_ptr<joint_stream> d_stream;
    stream_matrix d_output; // of the readout, for the symbols that came last, if wanted
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_DETECTOR_H */
