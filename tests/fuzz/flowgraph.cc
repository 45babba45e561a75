/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "flowgraph.h"

#include <gnuradio/blocks/vector_sink.h>
#include <gnuradio/blocks/vector_source.h>
#include <gnuradio/io_signature.h>
#include <gnuradio/logger.h>
#include <gnuradio/top_block.h>
#include <algorithm>

std::vector<gr::tag_t>
tags_from(fuzz_input& input, const std::vector<std::string>& keys, size_t num_samples)
{
    std::vector<gr::tag_t> tags(num_samples > 0 ? input.integer(0, 6) : 0);
    for (gr::tag_t& tag : tags) {
        // of one key most: the one that the block looks for
        tag.key = pmt::mp(input.flag() ? keys[0] : input.one_of(keys));
        tag.offset = input.integer(0, int64_t(num_samples) - 1);
        tag.value = input.value();
        tag.srcid = input.flag() ? pmt::PMT_F : pmt::mp("fuzz");
    }
    return tags;
}

outcome run_block(gr::basic_block_sptr block, const traffic& given, int most)
{
    gr::logging::singleton().set_default_level(gr::log_level::off);
    // what work() throws is not caught
    const auto graph = gr::make_top_block("fuzz", false);
    for (size_t k = 0; k < given.samples.size(); k++)
        graph->connect(gr::blocks::vector_source<gr_complex>::make(
                           given.samples[k],
                           false,
                           1,
                           k == 0 ? given.tags : std::vector<gr::tag_t>()),
                       0,
                       block,
                       int(k));
    std::vector<gr::blocks::vector_sink<uint8_t>::sptr> sinks;
    const auto outputs = block->output_signature();
    for (int k = 0; k < outputs->min_streams(); k++) {
        sinks.push_back(
            gr::blocks::vector_sink<uint8_t>::make(outputs->sizeof_stream_item(k)));
        graph->connect(block, k, sinks.back(), 0);
    }
    graph->start(most);
    for (const auto& [port, message] : given.messages)
        block->_post(pmt::mp(port), message);
    graph->wait();
    outcome found;
    for (const auto& sink : sinks)
        found.items.push_back(sink->data());
    if (!sinks.empty())
        for (const auto& tag : sinks[0]->tags())
            found.tags.emplace_back(tag.offset, pmt::write_string(tag.key));
    std::sort(found.tags.begin(), found.tags.end());
    return found;
}
