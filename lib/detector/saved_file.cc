/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/saved_file.h"

#include <boost/crc.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace reservoir {

namespace {

const std::string MAGIC = "gr-reservoir detector";
constexpr int VERSION = 2; // 1: parameters by position, up to November 2026

uint32_t crc32(const std::string& bytes)
{
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

} // namespace

void write_saved_file(const std::string& path, const pmt::pmt_t& content)
{
    const std::string bytes = pmt::serialize_str(content);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << MAGIC << ' ' << VERSION << ' ' << bytes.size() << ' ' << crc32(bytes) << '\n'
         << bytes;
    if (!file.flush())
        throw std::runtime_error("save: cannot write " + path);
}

pmt::pmt_t read_saved_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("load: cannot read " + path);
    std::string header;
    std::getline(file, header);
    if (header.compare(0, MAGIC.size(), MAGIC) != 0)
        throw std::runtime_error("load: " + path +
                                 " is not a saved gr-reservoir detector");
    std::istringstream fields(header.substr(MAGIC.size()));
    int version = 0;
    size_t length = 0;
    uint32_t crc = 0;
    fields >> version >> length >> crc;
    if (version != VERSION)
        throw std::runtime_error(
            "load: " + path + " has version " + std::to_string(version) +
            ", this module reads version " + std::to_string(VERSION) +
            ": train the detector again and save it");
    const std::string bytes((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
    if (!fields || bytes.size() != length || crc32(bytes) != crc)
        throw std::runtime_error("load: " + path +
                                 " is damaged (length or checksum is wrong)");
    return pmt::deserialize_str(bytes);
}

pmt::pmt_t saved_entry(const pmt::pmt_t& dict, const char* key)
{
    const pmt::pmt_t value = pmt::dict_ref(dict, pmt::mp(key), pmt::PMT_NIL);
    if (pmt::is_null(value))
        throw std::runtime_error(std::string("load: the saved detector has no entry ") +
                                 key);
    return value;
}

pmt::pmt_t matrix_to_pmt(const Eigen::MatrixXcf& matrix)
{
    return pmt::make_tuple(pmt::from_long(matrix.rows()),
                           pmt::from_long(matrix.cols()),
                           pmt::init_c32vector(matrix.size(), matrix.data()));
}

Eigen::MatrixXcf matrix_from_pmt(const pmt::pmt_t& saved)
{
    const long rows = pmt::to_long(pmt::tuple_ref(saved, 0));
    const long cols = pmt::to_long(pmt::tuple_ref(saved, 1));
    const auto values = pmt::c32vector_elements(pmt::tuple_ref(saved, 2));
    if (rows < 0 || cols < 0 || size_t(rows) * size_t(cols) != values.size())
        throw std::runtime_error("load: a matrix of the saved detector has another size");
    return Eigen::Map<const Eigen::MatrixXcf>(values.data(), rows, cols);
}

pmt::pmt_t rows_to_pmt(const stream_matrix& rows)
{
    pmt::pmt_t vector = pmt::make_vector(rows.size(), pmt::PMT_NIL);
    for (size_t i = 0; i < rows.size(); i++)
        pmt::vector_set(vector, i, pmt::init_c32vector(rows[i].size(), rows[i]));
    return vector;
}

stream_matrix rows_from_pmt(const pmt::pmt_t& saved)
{
    stream_matrix rows;
    for (size_t i = 0; i < pmt::length(saved); i++)
        rows.push_back(pmt::c32vector_elements(pmt::vector_ref(saved, i)));
    return rows;
}

} // namespace reservoir
} // namespace gr
