/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/saved_file.h"

#include "detector/finite_values.h"
#include "detector/serialized_bytes.h"
#include <system_error>
#include <boost/crc.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace reservoir {

namespace fs = std::filesystem;

namespace {

const std::string MAGIC = "gr-reservoir detector";
constexpr size_t MOST = 1 << 24; // rows or columns
constexpr int VERSION = 2;       // 1: parameters by position, up to November 2026

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
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(path, error); // a link stays one
    const bool in_place = fs::exists(path, error) && !fs::is_regular_file(whole, error);
    const fs::path written = in_place ? path : whole.string() + ".part"; // a pipe, say
    std::ofstream file(written, std::ios::binary | std::ios::trunc);
    file << MAGIC << ' ' << VERSION << ' ' << bytes.size() << ' ' << crc32(bytes) << '\n'
         << bytes;
    file.close();
    error.clear();
    if (file && !in_place)
        fs::rename(written, whole, error);
    if (file && !error)
        return;
    if (!in_place)
        fs::remove(written, error);
    throw std::runtime_error("save: cannot write " + path);
}

namespace {

[[noreturn]] void refuse_file(const std::string& path, const std::string& why)
{
    throw std::runtime_error("load: " + path + " " + why);
}

//! What the first line says of the rest.
struct file_header {
    size_t length = 0;
    uint32_t crc = 0;
};

file_header read_header(std::istream& file, const std::string& path)
{
    std::array<char, 128> line; // a file of something else may have no end of line
    file.getline(line.data(), line.size());
    const std::string text(line.data());
    if (!file || text.compare(0, MAGIC.size(), MAGIC) != 0)
        refuse_file(path, "is not a saved gr-reservoir detector");
    std::istringstream fields(text.substr(MAGIC.size()));
    int version = 0;
    file_header header;
    if (fields >> version && version != VERSION)
        refuse_file(path,
                    "has version " + std::to_string(version) +
                        ", this module reads version " + std::to_string(VERSION) +
                        ": train the detector again and save it");
    if (!(fields >> header.length >> header.crc))
        refuse_file(path, "is damaged (its first line is cut)");
    return header;
}

// Nothing is reserved for bytes that are not there.
std::string read_rest(std::istream& file, size_t length, const std::string& path)
{
    const auto begin = file.tellg();
    file.seekg(0, std::ios::end);
    const auto there = file.tellg() - begin;
    file.seekg(begin);
    if (!file || there < 0 || size_t(there) != length)
        refuse_file(path, "is damaged (length is wrong)");
    std::string bytes(length, '\0');
    file.read(bytes.data(), std::streamsize(length));
    return bytes;
}

} // namespace

pmt::pmt_t read_saved_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("load: cannot read " + path);
    const file_header header = read_header(file, path);
    const std::string bytes = read_rest(file, header.length, path);
    if (!file || crc32(bytes) != header.crc)
        refuse_file(path, "is damaged (checksum is wrong)");
    try {
        if (is_serialized_value(bytes))
            return pmt::deserialize_str(bytes);
    } catch (const std::logic_error&) { // as all of pmt: an entry that is no pair
    }
    refuse_file(path, "is damaged (it holds no value)");
}

pmt::pmt_t saved_entry(const pmt::pmt_t& dict, const char* key)
{
    const pmt::pmt_t value = pmt::dict_ref(dict, pmt::mp(key), pmt::PMT_NIL);
    if (pmt::is_null(value))
        throw std::runtime_error(std::string("load: the saved detector has no entry ") +
                                 key);
    return value;
}

bool all_finite(const std::vector<gr_complex>& values)
{
    return std::all_of(values.begin(), values.end(), has_finite_parts);
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
    const bool fits = rows >= 0 && cols >= 0 && size_t(rows) <= MOST &&
                      size_t(cols) <= MOST && size_t(rows * cols) == values.size();
    if (!fits)
        throw std::runtime_error("load: a matrix of the saved detector has another size");
    if (!all_finite(values))
        throw std::runtime_error(
            "load: a matrix of the saved detector has a value that is not finite");
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
