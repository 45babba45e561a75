/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_SAVED_FILE_H
#define INCLUDED_RESERVOIR_DETECTOR_SAVED_FILE_H

#include <gnuradio/reservoir/training_report.h>
#include <Eigen/Core>
#include <pmt/pmt.h>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \name A line of text, version, length and CRC-32, then the serialised pmt.
 * Reading trusts none of them. \throws std::runtime_error
 */
//! \{
void write_saved_file(const std::string& path, const pmt::pmt_t& content);
pmt::pmt_t read_saved_file(const std::string& path);
//! \}
bool all_finite(const std::vector<gr_complex>& values);

//! \name Entries of a saved dictionary. Reading a missing or wrong one throws std::runtime_error.
//! \{
pmt::pmt_t saved_entry(const pmt::pmt_t& dict, const char* key);
pmt::pmt_t matrix_to_pmt(const Eigen::MatrixXcf& matrix);
Eigen::MatrixXcf matrix_from_pmt(const pmt::pmt_t& saved); //!< of finite values
pmt::pmt_t rows_to_pmt(const stream_matrix& rows);         //!< a vector of c32vectors
stream_matrix rows_from_pmt(const pmt::pmt_t& saved);
//! \}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_SAVED_FILE_H */
