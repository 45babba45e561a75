/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_LINK_LDPC_WORDS_H
#define INCLUDED_RESERVOIR_LINK_LDPC_WORDS_H

#include <gnuradio/fec/generic_decoder.h>
#include <gnuradio/fec/generic_encoder.h>
#include <cstdint>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Words of gr-fec's LDPC encoder and decoder, one after another.
 *
 * Not for two threads at once.
 */
class ldpc_words
{
public:
    //! \throws std::invalid_argument that says in one sentence what is wrong with the file
    explicit ldpc_words(const std::string& name);

    size_t word_info() const { return d_info.size(); } //!< information bits of a word
    size_t word_coded() const { return d_ratios.size(); }

    void encode(const uint8_t* info, size_t words, uint8_t* coded);
    //! \param ratios of the coded bits, log p(1) / p(0)
    //! \param info a bit each
    void decode(const float* ratios, size_t words, uint8_t* info);

private:
    fec::generic_encoder::sptr d_encoder;
    fec::generic_decoder::sptr d_decoder;
    std::vector<uint8_t> d_info;
    std::vector<float> d_ratios;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_LINK_LDPC_WORDS_H */
