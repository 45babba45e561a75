/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_PACKET_HANDLER_H
#define INCLUDED_RESERVOIR_BINDINGS_PACKET_HANDLER_H

#include "bytes.h"
#include <gnuradio/reservoir/packet_decoder.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <utility>
#include <vector>

// As pmt.to_python, which takes ten times as long for what these are.
inline pybind11::object from_pmt(const pmt::pmt_t& value)
{
    if (pmt::is_symbol(value))
        return pybind11::str(pmt::symbol_to_string(value));
    if (pmt::is_real(value))
        return pybind11::float_(pmt::to_double(value));
    if (pmt::is_integer(value))
        return pybind11::int_(pmt::to_long(value));
    if (pmt::is_uint64(value))
        return pybind11::int_(pmt::to_uint64(value));
    try {
        return pybind11::module::import("pmt").attr("to_python")(value);
    } catch (const pybind11::error_already_set&) { // what Python has no word for
        return pybind11::str(pmt::write_string(value));
    }
}

//! Vectors and dictionaries cannot be a key in Python.
inline pybind11::object key_from_pmt(const pmt::pmt_t& key)
{
    const bool is_simple = pmt::is_symbol(key) || pmt::is_number(key);
    return is_simple ? from_pmt(key) : pybind11::str(pmt::write_string(key));
}

inline pybind11::dict to_dict(const pmt::pmt_t& dictionary)
{
    pybind11::dict made;
    const auto items = pmt::dict_items(dictionary);
    for (auto rest = items; pmt::is_pair(rest); rest = pmt::cdr(rest))
        made[key_from_pmt(pmt::caar(rest))] = from_pmt(pmt::cdar(rest));
    return made;
}

//! Sets a Python function, or None, as the block's handler.
template <class Block>
void set_packet_handler(Block& self, const pybind11::object& called)
{
    using python_handler = std::function<void(python_bytes, pybind11::dict)>;
    gr::reservoir::packet_decoder::handler handler;
    if (!called.is_none())
        handler = [call = pybind11::cast<python_handler>(called)](
                      const std::vector<uint8_t>& data, const pmt::pmt_t& metadata) {
            const pybind11::gil_scoped_acquire mine;
            try {
                call({ data }, to_dict(metadata));
            } catch (pybind11::error_already_set& error) { // work() must go on
                error.discard_as_unraisable("the packet handler");
            }
        };
    const pybind11::gil_scoped_release others_run;
    self.set_handler(std::move(handler));
}

#endif /* INCLUDED_RESERVOIR_BINDINGS_PACKET_HANDLER_H */
