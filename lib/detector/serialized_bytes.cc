/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/serialized_bytes.h"

#include <pmt/pmt_serial_tags.h>
#include <cstdint>

namespace gr {
namespace reservoir {

namespace {

class serialized_reader
{
public:
    explicit serialized_reader(const std::string& bytes) : d_bytes(bytes) {}

    bool ended() const { return d_position == d_bytes.size(); }

    bool value(int level)
    {
        constexpr int MOST_LEVELS = 256;
        if (level == MOST_LEVELS || ended())
            return false;
        switch (number(1)) {
        case PST_TRUE:
        case PST_FALSE:
        case PST_NULL:
            return true;
        case PST_SYMBOL:
            return symbol();
        case PST_INT32:
            return skip(4);
        case PST_INT64:
        case PST_UINT64:
        case PST_DOUBLE:
            return skip(8);
        case PST_COMPLEX:
            return skip(16);
        case PST_PAIR:
        case PST_DICT:
            return value(level + 1) && value(level + 1);
        case PST_VECTOR:
            return values(UINT32_MAX, level);
        case PST_TUPLE: {
            constexpr uint64_t MOST_OF_A_TUPLE = 10;
            return values(MOST_OF_A_TUPLE, level);
        }
        case PST_UNIFORM_VECTOR:
            return uniform_vector();
        }
        return false;
    }

private:
    const std::string& d_bytes;
    size_t d_position = 0;

    bool skip(uint64_t count)
    {
        if (count > d_bytes.size() - d_position)
            return false;
        d_position += count;
        return true;
    }

    //! Most significant byte first; what is not there is larger than any length.
    uint64_t number(size_t size)
    {
        const size_t begin = d_position;
        if (!skip(size))
            return UINT64_MAX;
        uint64_t found = 0;
        for (size_t k = begin; k < d_position; k++)
            found = found << 8 | uint8_t(d_bytes[k]);
        return found;
    }

    bool symbol()
    {
        constexpr uint64_t LONGEST = 1024; // that pmt reads
        const uint64_t length = number(2);
        return length <= LONGEST && skip(length);
    }

    bool values(uint64_t most, int level)
    {
        const uint64_t count = number(4);
        if (count > most || count > d_bytes.size() - d_position) // a byte each, at least
            return false;
        for (uint64_t k = 0; k < count; k++)
            if (!value(level + 1))
                return false;
        return true;
    }

    bool uniform_vector()
    {
        static constexpr uint64_t SIZES[] = { 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16 };
        static_assert(UVI_U8 == 0 && UVI_F32 == 8 && UVI_C64 == 11, "by these numbers");
        const uint64_t type = number(1), count = number(4), padding = number(1);
        return type <= UVI_C64 && count <= UINT32_MAX && skip(padding) &&
               skip(count * SIZES[type]);
    }
};

} // namespace

bool is_serialized_value(const std::string& bytes)
{
    serialized_reader reader(bytes);
    return reader.value(0) && reader.ended();
}

} // namespace reservoir
} // namespace gr
