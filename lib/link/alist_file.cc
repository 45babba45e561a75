/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/alist_file.h"

#include <gnuradio/constants.h>
#include <algorithm>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace reservoir {

namespace {

constexpr uintmax_t MAX_FILE_SIZE = 64 << 20; // bytes

//! Lines of numbers, counted.
class alist_reader
{
public:
    explicit alist_reader(std::istream& file) : d_file(file) {}

    [[noreturn]] void reject(const std::string& why) const
    {
        throw std::invalid_argument("line " + std::to_string(d_line) + " " + why);
    }

    std::vector<size_t> numbers()
    {
        std::string line;
        d_line++;
        if (!std::getline(d_file, line))
            reject("is missing");
        std::istringstream words(line);
        std::vector<size_t> found;
        for (std::string word; words >> word;) {
            if (word.size() > 6 ||
                word.find_first_not_of("0123456789") != std::string::npos)
                reject("has something that is no number of this format");
            found.push_back(std::stoul(word));
        }
        return found;
    }

    std::vector<size_t> numbers(size_t count, size_t least, size_t most)
    {
        const auto found = numbers();
        if (found.size() != count)
            reject("has " + std::to_string(found.size()) + " numbers instead of " +
                   std::to_string(count));
        for (const size_t number : found)
            if (number < least || number > most)
                reject("has " + std::to_string(number) + ", which is not within " +
                       std::to_string(least) + " ... " + std::to_string(most));
        return found;
    }

    //! Places of ones, counted from 1, in increasing order or not; zeros behind them are padding.
    std::vector<size_t> places(size_t count, size_t size)
    {
        auto found = numbers();
        while (found.size() > count && found.back() == 0)
            found.pop_back();
        if (found.size() != count)
            reject("has " + std::to_string(found.size()) + " ones instead of " +
                   std::to_string(count));
        for (const size_t place : found)
            if (place < 1 || place > size)
                reject("has a one at " + std::to_string(place) +
                       ", which is not within 1 ... " + std::to_string(size));
        return found;
    }

private:
    std::istream& d_file;
    size_t d_line = 0;
};

bool is_file(const std::filesystem::path& path)
{
    std::error_code error; // that it cannot be read is no reason to throw
    return std::filesystem::is_regular_file(path, error);
}

} // namespace

std::string find_alist(const std::string& name)
{
    const auto installed =
        std::filesystem::path(gr::prefix()) / "share" / "gnuradio" / "fec" / "ldpc";
    const bool bare = name.find('/') == std::string::npos;
    std::vector<std::filesystem::path> candidates = { name };
    if (bare)
        candidates.insert(candidates.end(),
                          { installed / name, installed / (name + ".alist") });
    for (const auto& path : candidates) {
        if (name.empty() || !is_file(path))
            continue;
        std::error_code error;
        if (std::filesystem::file_size(path, error) > MAX_FILE_SIZE || error)
            throw std::invalid_argument(path.string() + " is larger than 64 MiB");
        return path.string();
    }
    throw std::invalid_argument("there is no file '" + name + "'" +
                                (bare ? " here or in " + installed.string() : ""));
}

kernel::ldpc_code::sptr read_alist(std::istream& file)
{
    alist_reader reader(file);
    const auto size = reader.numbers(2, 1, kernel::ldpc_code::MAX_SIZE);
    const size_t num_columns = size[0], num_rows = size[1];
    const auto most = reader.numbers(2, 1, kernel::ldpc_code::MAX_SIZE);
    const auto column_weights = reader.numbers(num_columns, 0, most[0]);
    const auto row_weights = reader.numbers(num_rows, 0, most[1]);

    kernel::ldpc_code::parity_checks checks(num_rows);
    for (size_t column = 0; column < num_columns; column++)
        for (const size_t row : reader.places(column_weights[column], num_rows)) {
            auto& ones = checks[row - 1];
            if (!ones.empty() && ones.back() == column)
                reader.reject("has a one twice");
            ones.push_back(uint32_t(column));
        }
    // The rows say the same once more.
    for (size_t row = 0; row < num_rows; row++) {
        auto columns = reader.places(row_weights[row], num_columns);
        std::sort(columns.begin(), columns.end());
        const auto same = [](size_t place, uint32_t column) {
            return place == column + 1;
        };
        if (!std::equal(columns.begin(),
                        columns.end(),
                        checks[row].begin(),
                        checks[row].end(),
                        same))
            reader.reject("is not what the columns say");
    }
    return std::make_shared<const kernel::ldpc_code>(num_columns, checks);
}

} // namespace reservoir
} // namespace gr
