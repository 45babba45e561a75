/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "taps.h"
#include <gnuradio/reservoir/block_fading_cc.h>

namespace py = pybind11;

void bind_block_fading_cc(py::module& m)
{
    using block = gr::reservoir::block_fading_cc;

    py::class_<block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<block>>
        bound(
            m,
            "block_fading_cc",
            "A matrix of tapped delay lines with new random taps for each frame.\n\n"
            "A frame starts at sample 0 and at each tag redraw_tag on input 0, or every "
            "frame_len\n"
            "samples where that is above 0. Its first sample on output 0 carries a tag "
            "'channel'\n"
            "with the taps.");
    bind_channel<block, std::string>(
        bound,
        &block::make,
        "redraw_tag: key of the tag that starts a frame; empty: no tag does\n"
        "frame_len: samples per frame, 0 ... 2**40; 0: frames start at tags\n",
        py::arg("redraw_tag") = "frame_start");
}
