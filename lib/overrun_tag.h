/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OVERRUN_TAG_H
#define INCLUDED_RESERVOIR_OVERRUN_TAG_H

#include <pmt/pmt.h>

namespace gr {
namespace reservoir {

//! Key of the tag that radios put on a stream's first sample and on the first behind an overrun.
inline const pmt::pmt_t& overrun_tag()
{
    static const pmt::pmt_t key = pmt::mp("rx_time");
    return key;
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OVERRUN_TAG_H */
