/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_TESTS_FUZZ_INPUT_H
#define INCLUDED_RESERVOIR_TESTS_FUZZ_INPUT_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/detector_kinds.h>
#include <pmt/pmt.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/*!
 * \brief What a fuzz target reads its arguments from: an input's bytes, and zeros behind them.
 *
 * (LLVM's FuzzedDataProvider comes with clang alone; found inputs are run with every compiler.)
 */
class fuzz_input
{
public:
    fuzz_input(const uint8_t* bytes, size_t size) : d_next(bytes), d_end(bytes + size) {}

    bool ended() const { return d_next == d_end; }
    uint8_t byte() { return ended() ? 0 : *d_next++; }
    bool flag() { return byte() % 2; }
    //! Once in eight times: for what would end most tries early.
    bool seldom() { return byte() % 8 == 7; }
    int64_t integer(int64_t least, int64_t most);
    //! Anything of the type, the strangest values most.
    double real();
    template <class T>
    T one_of(const std::vector<T>& choices)
    {
        return choices[byte() % choices.size()];
    }
    std::string text(size_t most);
    std::vector<uint8_t> rest();

    //! A waveform, and in it a few samples that are not finite, huge or tiny.
    std::vector<gr_complex> samples(size_t count);
    gr::reservoir::stream_matrix sample_rows(size_t rows, size_t count);
    //! QPSK, but seldom samples().
    gr::reservoir::stream_matrix pilots(size_t rows, size_t count);
    gr::digital::constellation_sptr constellation();
    //! A value of any type, of a few elements.
    pmt::pmt_t value(int depth = 0);

    /*!
     * \brief Parameters for a kind: many left out, the others small, for a network that is small as
     * well, at a border or beyond it.
     */
    pmt::pmt_t parameters(const gr::reservoir::detector_kind& kind);

private:
    pmt::pmt_t parameter(const gr::reservoir::described_parameter& described);
    pmt::pmt_t number(const gr::reservoir::parameter& about);
    double real_parameter(const gr::reservoir::parameter& about);

    const uint8_t* d_next;
    const uint8_t* const d_end;
};

/*!
 * \brief Ends the program unless it holds; also where assert() does nothing.
 */
void expect(bool holds, const char* what);

//! A refusal says why.
void expect_message(const std::exception& error);
/*!
 * \brief Runs what may refuse its arguments by std::invalid_argument, and throws nothing else.
 * \return whether nothing was refused
 */
template <class Act>
bool refused_or_done(Act&& act);

bool all_finite(const gr::reservoir::stream_matrix& rows);
//! To the last bit.
bool same_bits(const gr::reservoir::stream_matrix& a,
               const gr::reservoir::stream_matrix& b);

//! A detector of a kind with parameters from the input; null if they are refused.
gr::reservoir::trainable::sptr
make_detector(fuzz_input& input, const std::vector<gr::reservoir::detector_kind>& kinds);
//! Such a detector of symbols on a grid.
gr::reservoir::detector::sptr make_symbol_detector(fuzz_input& input);

/*!
 * \brief A frame that every detector of symbols receives: QPSK through two taps.
 */
struct clean_frame {
    explicit clean_frame(const gr::reservoir::detector& detector, int sps = 1);
    static constexpr int PILOTS = 24, PAYLOAD = 16;
    gr::reservoir::stream_matrix pilots, received;
    int sps;
    gr::reservoir::stream_matrix received_by(gr::reservoir::detector& detector) const
    {
        return detector.receive(received, pilots, sps, PAYLOAD);
    }
};

template <class Act>
bool refused_or_done(Act&& act)
{
    try {
        act();
        return true;
    } catch (const std::invalid_argument& error) {
        expect_message(error);
    }
    return false;
}

#endif /* INCLUDED_RESERVOIR_TESTS_FUZZ_INPUT_H */
