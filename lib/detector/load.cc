/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/detector.h>

#include "detector/configured_esn_impl.h"
#include "detector/esn_impl.h"
#include "detector/fir_impl.h"
#include "detector/rnn_impl.h"
#include "detector/saved_file.h"
#include <stdexcept>

namespace gr {
namespace reservoir {

detector::sptr load(const std::string& path)
{
    const pmt::pmt_t saved = read_saved_file(path);
    try {
        const std::string kind = pmt::symbol_to_string(saved_entry(saved, "kind"));
        if (kind == "fir")
            return fir_impl::load(saved);
        if (kind == "esn")
            return esn_impl::load(saved);
        if (kind == "configured_esn")
            return configured_esn_impl::load(saved);
        if (kind == "rnn")
            return rnn_impl::load(saved);
        throw std::runtime_error("it holds a detector of the unknown kind '" + kind +
                                 "'");
    } catch (const std::exception& error) { // the pmt library has exceptions of its own
        throw std::runtime_error("load: " + path + ": " + error.what());
    }
}

} // namespace reservoir
} // namespace gr
