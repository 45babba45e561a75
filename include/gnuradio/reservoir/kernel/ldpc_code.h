/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_LDPC_CODE_H
#define INCLUDED_RESERVOIR_KERNEL_LDPC_CODE_H

#include <gnuradio/reservoir/api.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief A binary linear code, given by its parity checks, and its systematic encoder.
 *
 * The encoder comes from Gaussian elimination, the last bits first: the first bits of a word carry
 * information as far as the checks let them. Checks that follow from others do no harm. Does not
 * change once made: for any number of threads.
 */
class RESERVOIR_API ldpc_code
{
public:
    typedef std::shared_ptr<const ldpc_code> sptr;
    typedef std::vector<std::vector<uint32_t>> parity_checks;

    static constexpr size_t MAX_SIZE = 1 << 14;

    /*!
     * \param num_coded bits of a word, 1 ... 2^14
     * \param checks of each the bits that add up to an even number, each bit once; at most 2^14
     * \throws std::invalid_argument naming the parameter, its value and its range; where the checks
     * leave no information bit
     */
    ldpc_code(size_t num_coded, const parity_checks& checks);

    size_t num_info() const { return d_info_places.size(); }
    size_t num_coded() const { return d_num_coded; }
    const parity_checks& checks() const { return d_checks; }
    //! Where a word has its information bits.
    const std::vector<uint32_t>& info_places() const { return d_info_places; }

    //! \param info num_info() bits, one in a byte; \param coded num_coded() of them
    void encode(const uint8_t* info, uint8_t* coded) const;

private:
    void eliminate();

    const size_t d_num_coded;
    const parity_checks d_checks;
    std::vector<uint32_t> d_info_places;
    std::vector<uint32_t> d_parity_places;
    size_t d_row_words; // of 64 bits
    std::vector<uint64_t>
        d_parity; // a row for each parity bit: the information bits in it
};

/*!
 * \brief Soft-input soft-output decoder of an ldpc_code: the sum-product algorithm (Gallager, 1963;
 * MacKay, 1999), check after check (Hocevar, 2004).
 *
 * Gives what it finds to be the a-posteriori log-likelihood ratio of every coded bit: exactly that
 * where the graph of bits and checks has no cycle and the iterations suffice. An iteration costs an
 * exponential and a logarithm for each one in the checks.
 *
 * Not responsible for what part of the ratios was known before. Not for two threads at once.
 */
class RESERVOIR_API sum_product_decoder
{
public:
    //! \param iterations at most, 1 or more
    explicit sum_product_decoder(ldpc_code::sptr code, int iterations = 50);

    const ldpc_code& code() const { return *d_code; }

    /*!
     * \param ratios of the coded bits, log p(1) / p(0), finite
     * \param coded a-posteriori ratios; may be ratios
     * \return whether the signs of what comes out are a code word
     */
    bool decode(const float* ratios, float* coded);

private:
    void update(const std::vector<uint32_t>& bits, double* messages);
    bool is_word() const;

    const ldpc_code::sptr d_code;
    const int d_iterations;
    std::vector<double> d_judged;   // of the bits
    std::vector<double> d_messages; // of the checks to their bits, one after another
    std::vector<double> d_short, d_ahead; // of a check's bits
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_LDPC_CODE_H */
