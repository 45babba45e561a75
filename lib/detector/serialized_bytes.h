/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_SERIALIZED_BYTES_H
#define INCLUDED_RESERVOIR_DETECTOR_SERIALIZED_BYTES_H

#include <string>

namespace gr {
namespace reservoir {

/*!
 * \brief Whether these bytes are one whole value as pmt::serialize writes it, and no more.
 *
 * pmt::deserialize (GNU Radio 3.10) believes what it reads: it reserves memory for as many elements as
 * a vector says it has, takes bytes that are not there from memory that was never set, and calls
 * itself for each level of nesting. What this function passes has none of that. Levels are limited, and
 * as each entry of a dictionary or a list is one, so are these.
 */
bool is_serialized_value(const std::string& bytes);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_SERIALIZED_BYTES_H */
