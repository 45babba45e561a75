/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_MISTAKE_WATCH_H
#define INCLUDED_RESERVOIR_MISTAKE_WATCH_H

#include <gnuradio/reservoir/detector.h>
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Notices the mistakes with which a flowgraph runs but its symbols are wrong, and finds a
 * sentence for each that names the cure.
 *
 * Each mistake is told once per run, not for each frame. Is not responsible for logs and messages,
 * nor for errors that stop something: those are exceptions. Changes nothing of what is received.
 * Not thread-safe.
 */
class RESERVOIR_API mistake_watch
{
public:
    enum class mistake {
        coloured_pilots,
        no_tag,
        tags_too_close,
        high_error,
        refused_training
    };
    struct warning {
        mistake kind;
        std::string text;
    };

    //! training_key: of the tags; payload_len: symbols of a frame's payload, 0 for a stream; what: is
    //! known of a frame
    mistake_watch(const std::string& training_key,
                  int sps,
                  int payload_len,
                  const std::string& what = "the training sequence");

    //! \name What happens
    //! \{
    //! trained: symbols are detected without a training.
    void run_begins(bool trained);
    //! Also before the first run.
    void pilots_change(const stream_matrix& pilots);
    //! A training tag. Ascending. training: it begins one, not with a detector that is frozen.
    void mark_comes(uint64_t offset, bool training);
    //! Another tag; one with the training's key was not on input 0.
    void tag_comes(const pmt::pmt_t& key);
    //! So many samples have come in this run, and what they train has ended.
    void samples_came(uint64_t count);
    //! No more will come.
    void stream_ended(uint64_t count);
    //! error: mean square on the pilots, over their power; NaN where it is not known
    void training_ended(double error);
    //! The detector cannot be trained on what came.
    void training_refused(const std::string& why);
    //! \}

    //! Whether there is something to tell.
    bool has_news() const { return !d_news.empty(); }
    //! What was noticed since the last call.
    std::vector<warning> take_news();
    //! What was told in this run, the last sentence of each kind.
    std::vector<std::string> told() const;

private:
    void tell(mistake kind, const std::string& text);
    bool was_told(mistake kind) const { return !d_told[size_t(kind)].empty(); }
    void miss_tag(const std::string& where);
    //! Of the last trainings.
    double mean_error() const;
    void check_errors();
    uint64_t patience() const; // in samples

    const std::string d_training_key;
    const int d_sps;
    const int d_payload_len;
    const std::string d_what;
    size_t d_num_pilots = 1;
    std::array<std::string, 5> d_told; // by kind
    std::vector<warning> d_news;

    bool d_needs_mark = true; // none has come, and without one nothing is detected
    std::vector<std::string> d_other_keys;
    uint64_t d_last_mark = 0;
    bool d_last_trains = false; // the last mark began a training

    std::deque<double> d_errors; // of the last trainings
    int d_good_in_a_row = 0;
    bool d_high_error_told = false; // and not good since
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_MISTAKE_WATCH_H */
