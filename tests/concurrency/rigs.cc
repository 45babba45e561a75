/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "rigs.h"

#include <gnuradio/blocks/copy.h>
#include <gnuradio/blocks/message_debug.h>
#include <gnuradio/blocks/null_sink.h>
#include <gnuradio/blocks/vector_sink.h>
#include <gnuradio/blocks/vector_source.h>
#include <gnuradio/filter/firdes.h>
#include <gnuradio/filter/interp_fir_filter.h>
#include <gnuradio/reservoir/block_fading_cc.h>
#include <gnuradio/reservoir/coded_receiver.h>
#include <gnuradio/reservoir/configured_esn.h>
#include <gnuradio/reservoir/equalizer.h>
#include <gnuradio/reservoir/esn.h>
#include <gnuradio/reservoir/fir.h>
#include <gnuradio/reservoir/frame_gate.h>
#include <gnuradio/reservoir/frame_source.h>
#include <gnuradio/reservoir/frame_sync.h>
#include <gnuradio/reservoir/ofdm_equalizer.h>
#include <gnuradio/reservoir/ofdm_esn.h>
#include <gnuradio/reservoir/ofdm_lmmse.h>
#include <gnuradio/reservoir/packet_encoder.h>
#include <gnuradio/reservoir/packet_receiver.h>
#include <gnuradio/reservoir/phase_loop_cc.h>
#include <gnuradio/reservoir/power_amplifier_cc.h>
#include <gnuradio/reservoir/rnn.h>
#include <gnuradio/reservoir/symbol_error_meter.h>
#include <shared_mutex>
#include <chrono>
#include <cmath>
#include <mutex>
#include <stdexcept>
#include <thread>

using namespace gr::reservoir;

namespace {

constexpr uint64_t ENDLESS = uint64_t(1) << 60;
constexpr int PILOTS = 64, PAYLOAD = 128;

gr::digital::constellation_sptr qpsk()
{
    static const auto made = gr::digital::constellation_qpsk::make();
    return made;
}

double at_most(std::mt19937& random, double most)
{
    return most * random() / double(std::mt19937::max());
}

template <class Item>
std::vector<uint8_t> bytes_of(const std::vector<Item>& items)
{
    const auto* const first = reinterpret_cast<const uint8_t*>(items.data());
    return { first, first + items.size() * sizeof(Item) };
}

void send(const gr::basic_block_sptr& block, const pmt::pmt_t& message)
{
    rig::post(block, "command", message);
}

pmt::pmt_t vector_of(const std::vector<gr_complex>& values)
{
    return pmt::init_c32vector(values.size(), values);
}

} // namespace

pmt::pmt_t command(const char* name, const pmt::pmt_t& value)
{
    return pmt::dict_add(pmt::make_dict(), pmt::mp(name), value);
}

void rig::start()
{
    const std::unique_lock<std::shared_mutex> lock(s_starting);
    top->start();
}

void rig::unlock()
{
    const std::unique_lock<std::shared_mutex> lock(s_starting);
    top->unlock();
}

void rig::post(const gr::basic_block_sptr& to,
               const char* port,
               const pmt::pmt_t& message)
{
    const std::shared_lock<std::shared_mutex> lock(s_starting);
    to->_post(pmt::mp(port), message);
}

void rig::connect_two_ways(gr::basic_block_sptr from, gr::basic_block_sptr to)
{
    d_from = from;
    d_to = to;
    d_between = gr::blocks::copy::make(sizeof(gr_complex));
    top->connect(from, 0, to, 0);
}

void rig::reconnect()
{
    if (d_detour) {
        top->disconnect(d_from, 0, d_between, 0);
        top->disconnect(d_between, 0, d_to, 0);
        top->connect(d_from, 0, d_to, 0);
    } else {
        top->disconnect(d_from, 0, d_to, 0);
        top->connect(d_from, 0, d_between, 0);
        top->connect(d_between, 0, d_to, 0);
    }
    d_detour = !d_detour;
}

void rig::read_reports(gr::basic_block_sptr block)
{
    top->msg_connect(block, "report", gr::blocks::message_debug::make(), "store");
}

void rig::refused(std::function<void()> one)
{
    look([one](std::mt19937&) {
        try {
            one();
        } catch (const std::invalid_argument&) {
            return;
        }
        throw std::logic_error("a wrong argument was taken");
    });
}

void rig::bad_commands(gr::basic_block_sptr block)
{
    const std::vector<pmt::pmt_t> bad = { pmt::PMT_NIL,
                                          pmt::PMT_T,
                                          pmt::from_long(1),
                                          pmt::mp("freeze"),
                                          pmt::cons(pmt::mp("freeze"), pmt::mp("no")),
                                          command("unknown", pmt::PMT_T),
                                          command("training_sequence", vector_of({})),
                                          command("num_data_symbols", pmt::from_long(0)),
                                          command("channel", pmt::mp("flat")) };
    look([block, bad](std::mt19937& random) { send(block, bad[random() % bad.size()]); });
}

namespace {

// What can be done to an equalizer's block and detector.
class equalizer_rig : public rig
{
protected:
    void ask(equalizer::sptr block, detector::sptr trained)
    {
        look_at(block,
                &equalizer::trainings,
                &equalizer::abandoned_trainings,
                &equalizer::truncated_frames,
                &equalizer::skipped_trainings,
                &equalizer::hurried_frames,
                &equalizer::bad_samples,
                &equalizer::report,
                &equalizer::warnings,
                &equalizer::training_sequence,
                &equalizer::freeze,
                &equalizer::adapt_after_training);
        look_at(trained,
                &detector::trained,
                &detector::trained_sps,
                &detector::delay,
                &detector::look_ahead,
                &detector::look_back,
                &detector::settings,
                &detector::clone);
        read_reports(block);
        refused([block] { block->set_training_sequence({}); });
        refused([block] { block->set_training_sequence({ {} }); });
        refused([trained] { trained->claim(); });
        bad_commands(block);
    }
    void set(equalizer::sptr block, const std::vector<gr_complex>& pilots)
    {
        change([block](std::mt19937& random) { block->set_freeze(random() % 2); });
        change([block](std::mt19937&) { block->reset_training(); });
        change([block, pilots](std::mt19937& random) {
            block->set_training_sequence(
                { { pilots.begin(), pilots.end() - random() % (PILOTS / 2) } });
        });
        change([block, pilots](std::mt19937& random) {
            send(block, command("freeze", pmt::from_bool(random() % 2)));
            send(block, command("training_sequence", vector_of(pilots)));
            send(block, pmt::cons(pmt::mp("reset"), pmt::PMT_T));
            send(block, command("channel", vector_of({ 1.0F, 0.5F })));
        });
    }
    // By messages, as others of the storm may still wait in front of them.
    void reset(const equalizer::sptr& block, const std::vector<gr_complex>& pilots)
    {
        send(block, command("freeze", pmt::PMT_F));
        send(block, command("training_sequence", vector_of(pilots)));
        send(block, command("channel", vector_of({})));
    }
};

detector::sptr symbol_detector(const std::string& kind)
{
    if (kind == "fir")
        return fir::make(8, 4);
    if (kind == "esn")
        return esn::make(8, 8, 4);
    return configured_esn::make(qpsk());
}

class channel_rig : public equalizer_rig
{
public:
    explicit channel_rig(const std::string& kind)
        : d_trained(symbol_detector(kind)),
          d_adapts(kind == "esn"),
          d_block(equalizer::make(d_trained,
                                  1,
                                  { d_source->pilots() },
                                  "corr_est",
                                  PAYLOAD,
                                  false,
                                  qpsk(),
                                  false,
                                  d_adapts ? 1 : 2,
                                  true,
                                  0,
                                  0,
                                  kind == "configured_esn"))
    {
        top->connect(d_source, 0, d_head, 0);
        connect_two_ways(d_head, d_amplifier);
        top->connect(d_amplifier, 0, d_fading, 0);
        top->connect(d_fading, 0, d_block, 0);
        top->connect(d_block, 0, d_sink, 0);
        top->connect(d_block, 0, d_loop, 0);
        top->connect(d_loop, 0, d_meter, 0);
        if (d_block->output_signature()->min_streams() == 2)
            top->connect(d_block,
                         1,
                         gr::blocks::null_sink::make(
                             d_block->output_signature()->sizeof_stream_item(1)),
                         0);
        ask(d_block, d_trained);
        set(d_block, d_source->pilots());
        ask_channel();
        set_channel();
    }
    void run(int frames) override
    {
        d_source->reset();
        d_head->set_length(uint64_t(frames) * d_source->frame_length());
        d_head->reset();
        d_amplifier->set_operating_point(10.0, 1.0);
        d_fading->set_taps(TAPS);
        d_fading->set_frequency_offset(0.0);
        d_loop->set_loop_bandwidth(0.01);
        d_block->set_adapt_after_training(false);
        reset(d_block, d_source->pilots());
        d_sink->reset();
        d_meter->reset();
        start();
        top->wait();
    }
    std::vector<uint8_t> received() const override { return bytes_of(d_sink->data()); }
    std::string wrong(int frames) const override
    {
        const size_t length = frames * d_source->frame_length();
        if (d_meter->total_frames() == uint64_t(frames) &&
            d_meter->symbol_errors() == 0 && d_sink->data().size() == length)
            return {};
        return std::to_string(d_meter->total_frames()) + " frames, " +
               std::to_string(d_meter->symbol_errors()) + " errors, " +
               std::to_string(d_sink->data().size()) + " of " + std::to_string(length) +
               " symbols";
    }

private:
    void ask_channel()
    {
        const auto loop = d_loop;
        const auto fading = d_fading;
        const auto amplifier = d_amplifier;
        const auto source = d_source;
        look_at(loop, &phase_loop_cc::phase, &phase_loop_cc::frequency);
        look_at(fading, &block_fading_cc::taps);
        look_at(amplifier,
                &power_amplifier_cc::input_backoff_db,
                &power_amplifier_cc::output_gain,
                &power_amplifier_cc::model);
        look_at(d_meter,
                &symbol_error_meter::ser,
                &symbol_error_meter::ber,
                &symbol_error_meter::evm_db,
                &symbol_error_meter::incomplete_frames,
                &symbol_error_meter::nonfinite_symbols,
                &symbol_error_meter::frame_ser);
        look([amplifier](std::mt19937& random) {
            amplifier->mean_output_power(at_most(random, 9.0), { 1.0F, -1.0F });
        });
        look([source](std::mt19937& random) { source->payload_indices(random()); });
        refused([loop] { loop->set_loop_bandwidth(0.6); });
        refused([fading] { fading->set_taps({ {} }); });
        refused([fading] { fading->set_frequency_offset(0.7); });
        refused([amplifier] { amplifier->set_input_backoff_db(1000.0); });
        const auto block = d_block;
        if (!d_adapts)
            refused([block] { block->set_adapt_after_training(true); });
    }
    void set_channel()
    {
        const auto loop = d_loop;
        const auto fading = d_fading;
        const auto amplifier = d_amplifier;
        const auto meter = d_meter;
        const auto block = d_block;
        const auto source = d_source;
        change([loop](std::mt19937& random) {
            loop->set_loop_bandwidth(at_most(random, 0.5));
        });
        change([fading](std::mt19937& random) {
            fading->set_taps(
                { { std::vector<gr_complex>(1 + random() % 20, { 0.2F, 0.1F }) } });
        });
        change([fading](std::mt19937& random) {
            fading->set_power_delay_profile({ 1.0, at_most(random, 1.0) });
        });
        change([fading](std::mt19937& random) {
            fading->set_frequency_offset(at_most(random, 0.01));
        });
        change([amplifier](std::mt19937& random) {
            amplifier->set_input_backoff_db(at_most(random, 10.0));
            amplifier->set_output_gain(0.5 + at_most(random, 1.0));
        });
        change([meter](std::mt19937&) { meter->reset(); });
        change([source](std::mt19937&) { source->reset(); });
        if (d_adapts)
            change([block](std::mt19937& random) {
                block->set_adapt_after_training(random() % 2);
            });
    }

    inline static const block_fading_cc::taps_t TAPS = { { { { 1.0F, 0.0F },
                                                             { 0.2F, 0.3F } } } };
    const frame_source::sptr d_source =
        frame_source::make(qpsk(), random_pilots(qpsk(), PILOTS), PAYLOAD, 56);
    const gr::blocks::head::sptr d_head =
        gr::blocks::head::make(sizeof(gr_complex), ENDLESS);
    const power_amplifier_cc::sptr d_amplifier = power_amplifier_cc::make("rapp", 10.0);
    const block_fading_cc::sptr d_fading = block_fading_cc::make({}, TAPS);
    const detector::sptr d_trained;
    const bool d_adapts;
    const equalizer::sptr d_block;
    const phase_loop_cc::sptr d_loop = phase_loop_cc::make(qpsk(), 0.01, "corr_est");
    const symbol_error_meter::sptr d_meter = symbol_error_meter::make(qpsk(), d_source);
    const gr::blocks::vector_sink_c::sptr d_sink = gr::blocks::vector_sink_c::make();
};

class background_rig : public equalizer_rig
{
public:
    background_rig()
    {
        top->connect(d_source, 0, d_head, 0);
        connect_two_ways(d_head, d_block);
        top->connect(d_block, 0, d_sink, 0);
        ask(d_block, d_trained);
        set(d_block, d_source->pilots());
        refused([block = d_block] { block->set_adapt_after_training(true); });
        change([trained = d_trained](std::mt19937& random) {
            trained->set_progress([](const training_progress&) {});
            trained->cancel(random() % 2);
        });
    }
    // First until something has been trained.
    void run(int frames) override
    {
        d_trained->cancel(false);
        reset(d_block, d_source->pilots());
        start();
        while (d_block->trainings() == 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        top->stop();
        top->wait();
        d_head->set_length(uint64_t(frames) * d_source->frame_length());
        d_head->reset();
        d_sink->reset();
        start();
        top->wait();
    }
    std::vector<uint8_t> received() const override { return bytes_of(d_sink->data()); }
    std::string wrong(int frames) const override
    {
        const size_t count = d_sink->data().size();
        return count == size_t(frames) * d_source->frame_length()
                   ? ""
                   : std::to_string(count) + " symbols";
    }

private:
    static detector::sptr made()
    {
        rnn_parameters small;
        small.num_neurons = 4;
        small.window = 4;
        small.delay = 2;
        small.epochs = 20;
        return std::make_shared<rnn>(small);
    }

    const frame_source::sptr d_source =
        frame_source::make(qpsk(), random_pilots(qpsk(), PILOTS), PAYLOAD, 0);
    const gr::blocks::head::sptr d_head =
        gr::blocks::head::make(sizeof(gr_complex), ENDLESS);
    const detector::sptr d_trained = made();
    const equalizer::sptr d_block = equalizer::make(
        d_trained, 1, { d_source->pilots() }, "corr_est", 0, false, nullptr, true);
    const gr::blocks::vector_sink_c::sptr d_sink = gr::blocks::vector_sink_c::make();
};

ofdm_detector::sptr carrier_detector(const std::string& kind, int fft_len, int prefix)
{
    if (kind == "ofdm_lmmse") {
        ofdm_lmmse_parameters made;
        made.fft_len = fft_len;
        made.cp_len = { prefix };
        return std::make_shared<ofdm_lmmse>(made);
    }
    ofdm_esn_parameters made;
    made.fft_len = fft_len;
    made.cp_len = { prefix };
    made.num_neurons = 8;
    made.window = 8;
    return std::make_shared<ofdm_esn>(made);
}

class ofdm_rig : public rig
{
public:
    explicit ofdm_rig(const std::string& kind)
        : d_trained(carrier_detector(kind, FFT_LEN, PREFIX)),
          d_block(ofdm_equalizer::make(
              d_trained, stream_matrix{ pilots() }, DATA, "frame_start", "frame_len", 2))
    {
        std::vector<gr::tag_t> tags(RECORDED);
        for (int frame = 0; frame < RECORDED; frame++) {
            tags[frame].offset = frame * FRAME;
            tags[frame].key = pmt::mp("frame_start");
            tags[frame].value = pmt::PMT_T;
        }
        d_source = gr::blocks::vector_source_c::make(recorded(), true, 1, tags);
        top->connect(d_source, 0, d_head, 0);
        connect_two_ways(d_head, d_block);
        top->connect(d_block, 0, d_sink, 0);
        ask();
        set();
    }
    void run(int frames) override
    {
        d_source->rewind();
        d_head->set_length(uint64_t(frames) * FRAME);
        d_head->reset();
        d_block->set_pilots(stream_matrix{ pilots() });
        send(d_block, command("num_data_symbols", pmt::from_long(DATA)));
        d_sink->reset();
        start();
        top->wait();
    }
    std::vector<uint8_t> received() const override { return bytes_of(d_sink->data()); }
    std::string wrong(int frames) const override
    {
        const auto symbols = d_sink->data();
        if (symbols.size() != size_t(frames) * DATA * FFT_LEN)
            return std::to_string(symbols.size()) + " carriers";
        int errors = 0;
        for (size_t k = 0; k < symbols.size(); k++) {
            const gr_complex point = d_sent[k % d_sent.size()];
            errors += std::abs(symbols[k] - point) > std::abs(symbols[k] + point) ||
                      std::abs(symbols[k] - point) > 0.7F;
        }
        return errors == 0 ? "" : std::to_string(errors) + " errors";
    }

private:
    static constexpr int FFT_LEN = 32, PREFIX = 8, FRONT = 8, DATA = 4, RECORDED = 4;
    static constexpr int FRAME = (FRONT + DATA) * (FFT_LEN + PREFIX) + 20;

    // All carriers but DC.
    static std::vector<gr_complex> carriers(int symbols, int seed)
    {
        auto values = random_pilots(qpsk(), symbols * FFT_LEN, seed);
        for (int n = 0; n < symbols; n++)
            values[n * FFT_LEN] = 0.0F;
        return values;
    }
    static std::vector<gr_complex> pilots() { return carriers(FRONT, 1); }
    static void modulate(const std::vector<gr_complex>& values,
                         std::vector<gr_complex>& samples)
    {
        for (size_t first = 0; first < values.size(); first += FFT_LEN)
            for (int n = -PREFIX; n < FFT_LEN; n++) {
                gr_complex sum = 0.0F;
                for (int k = 0; k < FFT_LEN; k++)
                    sum += values[first + k] *
                           std::polar(1.0F, float(2.0 * M_PI * k * n / FFT_LEN));
                samples.push_back(sum / std::sqrt(float(FFT_LEN)));
            }
    }
    std::vector<gr_complex> recorded()
    {
        std::vector<gr_complex> samples;
        for (int frame = 0; frame < RECORDED; frame++) {
            const auto data = carriers(DATA, 2 + frame);
            d_sent.insert(d_sent.end(), data.begin(), data.end());
            modulate(pilots(), samples);
            modulate(data, samples);
            samples.resize((frame + 1) * FRAME);
        }
        for (size_t n = samples.size() - 1; n > 0; n--)
            samples[n] += gr_complex(0.1F, 0.3F) * samples[n - 1];
        return samples;
    }
    void ask()
    {
        const auto block = d_block;
        look_at(block,
                &ofdm_equalizer::frames,
                &ofdm_equalizer::truncated_frames,
                &ofdm_equalizer::dropped_frames,
                &ofdm_equalizer::bad_lengths,
                &ofdm_equalizer::bad_samples,
                &ofdm_equalizer::report,
                &ofdm_equalizer::warnings,
                &ofdm_equalizer::num_data_symbols);
        look_at(d_trained, &ofdm_detector::trained, &ofdm_detector::report);
        read_reports(block);
        refused([block] { block->set_num_data_symbols(0); });
        refused([block] { block->set_pilots(stream_matrix{}); });
        bad_commands(block);
    }
    void set()
    {
        const auto block = d_block;
        change([block](std::mt19937& random) {
            block->set_num_data_symbols(1 + random() % (2 * DATA));
        });
        change([block](std::mt19937& random) {
            block->set_pilots(
                stream_matrix{ carriers(1 + random() % FRONT, random() % 100) });
        });
        change([block](std::mt19937& random) {
            send(block,
                 command("num_data_symbols", pmt::from_long(1 + random() % (2 * DATA))));
        });
    }

    std::vector<gr_complex> d_sent; // carriers of the recorded frames' data
    const ofdm_detector::sptr d_trained;
    const ofdm_equalizer::sptr d_block;
    gr::blocks::vector_source_c::sptr d_source;
    const gr::blocks::head::sptr d_head =
        gr::blocks::head::make(sizeof(gr_complex), ENDLESS);
    const gr::blocks::vector_sink_c::sptr d_sink =
        gr::blocks::vector_sink_c::make(FFT_LEN);
};

class packet_rig : public equalizer_rig
{
public:
    packet_rig()
    {
        const auto shaper = gr::filter::interp_fir_filter_ccf::make(
            SPS,
            gr::filter::firdes::root_raised_cosine(SPS, SPS, 1.0, 0.25, 12 * SPS + 1));
        connect_two_ways(d_encoder, shaper);
        top->connect(shaper, 0, d_sync, 0);
        top->connect(d_sync, 0, d_gate, 0);
        top->connect(d_gate, 0, d_block, 0);
        top->connect(d_block, 0, d_decoder, 0);
        top->connect(d_sync, 0, d_receiver, 0);
        ask(d_block, d_trained);
        set(d_block, pilots());
        ask_packets();
        set_packets();
    }
    void run(int frames) override
    {
        reset(d_block, pilots());
        for (auto& list : d_lists)
            list = std::make_shared<list_of_packets>();
        d_decoder->set_handler(
            [list = d_lists[0]](auto& data, auto&) { list->add(data); });
        d_receiver->set_handler(
            [list = d_lists[1]](auto& data, auto&) { list->add(data); });
        start();
        for (int k = 0; k < frames; k++)
            if (!d_encoder->send({ COUNTED, uint8_t(k >> 8), uint8_t(k) },
                                 std::chrono::hours(1)))
                throw std::runtime_error("the encoder sends nothing");
        d_encoder->finish();
        top->wait();
    }
    std::vector<uint8_t> received() const override
    {
        auto bytes = d_lists[0]->bytes;
        bytes.insert(bytes.end(), d_lists[1]->bytes.begin(), d_lists[1]->bytes.end());
        return bytes;
    }
    std::string wrong(int frames) const override
    {
        std::vector<uint8_t> sent;
        for (int k = 0; k < frames; k++)
            sent.insert(sent.end(), { uint8_t(k >> 8), uint8_t(k) });
        if (d_lists[0]->bytes == sent && d_lists[1]->bytes == sent)
            return {};
        return "decoder " + std::to_string(d_lists[0]->bytes.size() / 2) + ", receiver " +
               std::to_string(d_lists[1]->bytes.size() / 2) + " packets";
    }

private:
    static constexpr int SPS = 2;
    static constexpr uint8_t COUNTED = 0xca; // first byte of what run() sends

    struct list_of_packets {
        void add(const std::vector<uint8_t>& data)
        {
            if (data.size() == 3 && data[0] == COUNTED)
                bytes.insert(bytes.end(), data.begin() + 1, data.end());
        }
        std::vector<uint8_t> bytes;
    };

    static std::vector<gr_complex> pilots() { return random_pilots(qpsk(), PILOTS); }
    template <class Block>
    void ask_log(std::shared_ptr<Block> block)
    {
        look_at(block,
                &Block::frames,
                &Block::packets,
                &Block::crc_failures,
                &Block::lost,
                &Block::truncated,
                &Block::packet_error_rate,
                &Block::take_means);
        change([block](std::mt19937& random) {
            const auto counted = std::make_shared<size_t>(0);
            block->set_handler([counted](auto& data, auto&) { *counted += data.size(); });
            if (random() % 2)
                block->set_handler({});
        });
    }
    void ask_packets()
    {
        ask_log(d_decoder);
        ask_log(d_receiver);
        read_reports(d_decoder);
        read_reports(d_receiver);
        read_reports(d_sync);
        const auto encoder = d_encoder;
        look_at(d_sync, &frame_sync::frames, &frame_sync::bad_samples);
        look_at(
            d_gate, &frame_gate::passed, &frame_gate::dropped, &frame_gate::truncated);
        look_at(encoder,
                &packet_encoder::packets,
                &packet_encoder::refused,
                &packet_encoder::dropped,
                &packet_encoder::capacity);
        look([encoder](std::mt19937&) { post(encoder, "pdus", pmt::PMT_T); });
        refused([encoder] {
            encoder->send(std::vector<uint8_t>(1000), std::chrono::microseconds(0));
        });
    }
    void set_packets()
    {
        const auto encoder = d_encoder;
        change([encoder](std::mt19937& random) {
            encoder->send({ uint8_t(random() % COUNTED) },
                          std::chrono::microseconds(200));
        });
        change([encoder](std::mt19937& random) {
            post(encoder,
                 "pdus",
                 pmt::cons(pmt::PMT_NIL, pmt::make_u8vector(random() % 4, 7)));
        });
    }

    const packet_encoder::sptr d_encoder =
        packet_encoder::make(qpsk(), pilots(), PAYLOAD, "cc");
    const frame_sync::sptr d_sync = frame_sync::make(SPS);
    const frame_gate::sptr d_gate = frame_gate::make(
        (PILOTS + PAYLOAD + detector::LOOK_AHEAD) * SPS, "training_start", 32, false);
    const detector::sptr d_trained = fir::make(8, 4);
    const equalizer::sptr d_block = equalizer::make(d_trained,
                                                    SPS,
                                                    { pilots() },
                                                    "training_start",
                                                    PAYLOAD,
                                                    false,
                                                    nullptr,
                                                    false,
                                                    2);
    const packet_decoder::sptr d_decoder =
        packet_decoder::make(qpsk(), PILOTS, PAYLOAD, "cc");
    const packet_receiver::sptr d_receiver = packet_receiver::make(
        coded_receiver::make(fir::make(8, 4), packet_format(qpsk(), PAYLOAD, "cc"), 1),
        SPS,
        pilots(),
        "training_start",
        2);
    std::shared_ptr<list_of_packets> d_lists[2]; // of decoder and receiver
};

} // namespace

rig::sptr make_software_channel(const std::string& kind)
{
    return std::make_shared<channel_rig>(kind);
}

rig::sptr make_background_training() { return std::make_shared<background_rig>(); }

rig::sptr make_ofdm(const std::string& kind) { return std::make_shared<ofdm_rig>(kind); }

rig::sptr make_packets() { return std::make_shared<packet_rig>(); }
