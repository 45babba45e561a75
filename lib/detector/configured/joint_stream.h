/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_STREAM_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_STREAM_H

#include "detector/configured/joint_network.h"
#include "detector/configured/stream.h"

namespace gr {
namespace reservoir {

//! What several streams are detected with. The pilots of an instant follow each other as they are
//! decided, and so do the streams' filters.
struct joint_stream_readout : stream_readout {
    joint_weights weights;
};

/*!
 * \brief Several streams of symbols that are decided together, with the weights of the training and a
 * fixed lag.
 */
class joint_stream : public configured_stream
{
public:
    //! readout must outlive the stream.
    explicit joint_stream(const joint_stream_readout& readout);

    /*!
     * \brief Detects the symbols that follow. Returns how many of each stream came.
     * \param outputs of the readout before the decisions, at unit power; null: not wanted
     */
    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  gr_complex* const* symbols,
                  gr_complex* const* outputs);

private:
    //! The filters' outputs of symbol k of those filtered last go into the search.
    void decide(size_t k);
    void read_pilots(size_t k);
    void remember(std::vector<gr_complex>& past, gr_complex symbol) const;
    //! Path of the cheapest survivor.
    void trace_back();
    void release(int64_t symbol,
                 gr_complex* const* symbols,
                 gr_complex* const* outputs,
                 size_t to);

    const joint_weights& d_weights;
    const size_t d_rows; // of the rings: places of DECISION_LAG + 1 symbols
    kernel::survivor_search d_search;
    std::vector<gr_complex> d_filtered; // place by place
    size_t d_steps = 0;                 // places given to the search
    // rings, one row per place
    std::vector<uint8_t> d_parents;
    std::vector<uint16_t> d_points;
    std::vector<float> d_phases;
    std::vector<gr_complex> d_inputs;
    std::vector<uint16_t> d_path;
    // of the outputs along the path
    float d_last_phase = 0.0f;
    std::vector<gr_complex> d_last_put; // symbols before, newest first
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_STREAM_H */
