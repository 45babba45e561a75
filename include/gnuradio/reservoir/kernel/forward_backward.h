/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_FORWARD_BACKWARD_H
#define INCLUDED_RESERVOIR_KERNEL_FORWARD_BACKWARD_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Probabilities of the symbols that went through a channel: the forward-backward algorithm
 * (Bahl, Cocke, Jelinek and Raviv, 1974) over the likeliest states of every row (M-BCJR: Franz and
 * Anderson, 1998).
 *
 * \details
 * Row n has r_q[n] = sum_l h_q[l] x[n-l] + noise, for streams q. Of every state that is kept all
 * branches are followed; equal states are merged, and the likeliest max_states of them kept. With as
 * many as there are, points^(taps - 1), the probabilities are exact. A channel that is not minimum
 * phase wants a prefilter in front, or all states.
 *
 * A row costs at most max_states · points branches. The buffers are kept for the next frame.
 *
 * Not responsible for the noise, nor for the bits of a point (kernel::soft_bits).
 */
class RESERVOIR_API forward_backward
{
public:
    static constexpr int MAX_STATES = 4096;
    //! Log-likelihood of a point that no path through the kept states goes through.
    static constexpr float IMPOSSIBLE = -1e30f;

    /*!
     * \param num_points 2 to 4096
     * \param length of the channel, symbols, at least 1
     * \param max_states 1 to MAX_STATES
     * \throws std::invalid_argument
     */
    forward_backward(size_t num_points, Eigen::Index length, int max_states = 32);

    /*!
     * \brief A frame begins.
     * \param past the symbols before its first, newest first, length - 1 of them; 0 where there was none
     */
    void start(const gr_complex* past);
    /*!
     * \brief The channel of the rows that follow.
     * \param taps length x streams
     * \param points num_points of them
     */
    void set_channel(const Eigen::Ref<const Eigen::MatrixXcf>& taps,
                     const gr_complex* points);
    /*!
     * \brief One row, whose symbol is not known.
     * \param samples one per stream; where they are not finite they say nothing
     * \param noise_variance of one stream, > 0
     * \param log_priors of the points; null: all alike
     */
    void step(const gr_complex* samples, float noise_variance, const float* log_priors);
    //! One row, whose symbol is this one.
    void step_known(const gr_complex* samples, float noise_variance, gr_complex symbol);
    size_t num_rows() const { return d_rows.size(); }
    /*!
     * \brief Logarithms of the points' likelihoods in every row, priors included, up to a constant per
     * row: 0 for the likeliest.
     * \param posteriors num_rows x num_points; rows that were known are 0
     */
    void posteriors(float* posteriors);

private:
    struct row {
        size_t first_branch, first_state; // in the buffers
        int states, symbols;              // one symbol: it was known
    };
    // Symbols before the next one, of every state: newest first, a row of d_stride per age.
    struct memory {
        std::vector<float> re, im;
    };

    void expect(const gr_complex* samples);
    void weigh(const gr_complex& symbol, float scale, float log_prior, float* weights);
    //! d_weights of all branches are there.
    void go_on(const gr_complex* symbols, int num_symbols);
    int lead_to(uint64_t key, float metric, int parent, int symbol);
    void keep_likeliest();
    void move_to_kept(const gr_complex* symbols);
    void go_back(const row& here, float* posteriors);

    const size_t d_num_points;
    const Eigen::Index d_length;
    const int d_max_states;
    const size_t d_stride;
    int d_bits = 1;      // of a key per symbol
    uint64_t d_key_mask; // of the symbols that make two states differ
    std::vector<gr_complex> d_points;
    Eigen::MatrixXcf d_taps;

    int d_states = 0;
    std::vector<uint64_t> d_keys, d_next_keys;
    std::vector<float> d_metric; // log-likelihood of each state
    memory d_past, d_next_past;

    // of a row's branches, by symbol, then by state
    std::vector<float> d_weights;
    std::vector<int32_t> d_targets;
    std::vector<float> d_rest_re,
        d_rest_im; // of the samples, without the past: by stream
    // of the states that they lead to
    struct candidate {
        uint64_t key;
        float metric; // of the likeliest branch, then of all of them
        float sum;    // of their likelihoods, over that of the likeliest
        int parent, symbol;
        int kept; // its number among the states
    };
    std::vector<candidate> d_candidates;
    std::vector<float> d_sorted;
    // where a key's candidate is, by hash; valid where the stamp is d_stamp
    std::vector<uint32_t> d_stamps;
    std::vector<int32_t> d_places;
    uint32_t d_stamp = 0;
    int d_shift;

    // of the whole frame
    std::vector<row> d_rows;
    std::vector<float> d_row_weights;
    std::vector<int32_t> d_row_targets;
    std::vector<float> d_row_metrics;

    // of the way back
    std::vector<float> d_after, d_before, d_shares;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_FORWARD_BACKWARD_H */
