/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_BYTES_H
#define INCLUDED_RESERVOIR_BINDINGS_BYTES_H

#include <pybind11/pybind11.h>
#include <cstdint>
#include <utility>
#include <vector>

//! Bytes as Python has them: whatever bytes() takes, but no number and no text.
struct python_bytes {
    std::vector<uint8_t> elements;
};

namespace pybind11 {
namespace detail {

template <>
struct type_caster<python_bytes> {
    PYBIND11_TYPE_CASTER(python_bytes, const_name("bytes"));

    bool load(handle source, bool)
    {
        if (PyLong_Check(source.ptr()) || PyUnicode_Check(source.ptr()))
            return false;
        const auto made = reinterpret_steal<object>(PyBytes_FromObject(source.ptr()));
        if (!made) {
            PyErr_Clear();
            return false;
        }
        const auto* first =
            reinterpret_cast<const uint8_t*>(PyBytes_AS_STRING(made.ptr()));
        value.elements.assign(first, first + PyBytes_GET_SIZE(made.ptr()));
        return true;
    }

    static handle cast(const python_bytes& source, return_value_policy, handle)
    {
        return bytes(reinterpret_cast<const char*>(source.elements.data()),
                     source.elements.size())
            .release();
    }
};

} // namespace detail
} // namespace pybind11

#endif /* INCLUDED_RESERVOIR_BINDINGS_BYTES_H */
