/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_FORMAT_H
#define INCLUDED_RESERVOIR_PACKET_FORMAT_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! What a packet carries.
struct packet {
    std::vector<uint8_t> data;
    int sequence; //!< 0 ... 65535
};

/*!
 * \brief How a packet lies in the payload of a burst: its bytes to symbols, and symbols to bytes.
 * \ingroup reservoir
 *
 * \details
 * A packet is a header (length of the data and sequence number, 16 bits each, most significant byte
 * first), the data, zeros up to the capacity, and the CRC-32 of all that. Its bits, the most
 * significant of a byte first, are whitened with x^9 + x^5 + 1, coded if wanted, interleaved, and
 * become the points of the constellation that bear these labels, scaled to unit mean power.
 *
 * Codes are decoded from soft decisions. "cc" is a terminated convolutional code of rate 1/2 and
 * constraint length 7 (gr-fec, polynomials 79 and 109). "ldpc:FILE" is the code whose parity-check
 * matrix an alist file has: FILE is its path, or the name, with or without .alist, of one that GNU
 * Radio installs in share/gnuradio/fec/ldpc. The payload carries as many words of it as fit; bits
 * that are left over are those of the whitening.
 *
 * Not for two threads at once.
 */
class RESERVOIR_API packet_format
{
public:
    static constexpr int MAX_SYMBOLS = 1 << 17;
    static constexpr int SEQUENCES = 1 << 16;

    /*!
     * \param constellation one complex number per symbol, 2^n points
     * \param payload_len symbols per packet, 1 ... 2^17
     * \param code "none", "cc" or "ldpc:FILE"
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    explicit packet_format(const gr::digital::constellation_sptr& constellation,
                           int payload_len = 512,
                           const std::string& code = "none");
    ~packet_format();
    packet_format(const packet_format& other);
    packet_format(packet_format&&) noexcept;

    //! By label, at unit mean power.
    const std::vector<gr_complex>& points() const;
    int payload_len() const;
    const std::string& code() const;
    int bits_per_symbol() const;
    //! Bytes of data that a packet holds.
    int capacity() const;

    /*!
     * The symbols, payload_len of them, of a packet.
     * \throws std::invalid_argument if it holds more than the capacity, or sequence is out of range
     */
    std::vector<gr_complex> encode(const std::vector<uint8_t>& data, int sequence = 0);

    struct decoded {
        std::optional<reservoir::packet> packet; //!< none where its CRC is wrong
        //! of the symbols around the nearest points, dB of the constellation's power; NaN where one
        //! is not finite
        double evm_db;
    };
    //! Of payload_len symbols, at the scale of encode.
    decoded decode(const gr_complex* symbols);

    //! Ratio of a bit that is certain.
    static constexpr float CERTAIN = 80.0F;
    /*!
     * \brief Of log-likelihood ratios, log p(1) / p(0): payload_len times bits_per_symbol of them, the
     * most significant bit of a symbol's label first, as kernel::soft_bits has them.
     *
     * With code "cc" by kernel::convolutional_bcjr, with "ldpc:FILE" by kernel::sum_product_decoder.
     * What a bit's ratio contributes to its own a-posteriori ratio is that ratio.
     *
     * \param ratios NaN: nothing is known; the rest is limited to CERTAIN
     * \param a_posteriori as many, those of the bits that the code knows no more of included; bits
     * that carry nothing are certain. null: not wanted
     * \return the packet, none where its CRC is wrong
     */
    std::optional<reservoir::packet> decode_ratios(const float* ratios,
                                                   float* a_posteriori = nullptr);

private:
    class layout;
    std::unique_ptr<layout> d_layout;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_FORMAT_H */
