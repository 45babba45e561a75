/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/training_report.h>

#include "detector/saved_file.h"

namespace gr {
namespace reservoir {

namespace {

pmt::pmt_t figure_to_pmt(double value) { return pmt::from_double(value); }
pmt::pmt_t figure_to_pmt(int value) { return pmt::from_long(value); }
pmt::pmt_t figure_to_pmt(uint64_t value) { return pmt::from_uint64(value); }
pmt::pmt_t figure_to_pmt(bool value) { return pmt::from_bool(value); }
pmt::pmt_t figure_to_pmt(const std::vector<double>& values)
{
    return pmt::init_f64vector(values.size(), values);
}
pmt::pmt_t figure_to_pmt(const std::vector<int>& values)
{
    return pmt::init_s32vector(values.size(),
                               std::vector<int32_t>(values.begin(), values.end()));
}
pmt::pmt_t figure_to_pmt(const std::vector<gr_complex>& values)
{
    return pmt::init_c32vector(values.size(), values);
}
pmt::pmt_t figure_to_pmt(const stream_matrix& rows) { return rows_to_pmt(rows); }

void figure_from_pmt(const pmt::pmt_t& saved, double& value)
{
    value = pmt::to_double(saved);
}
void figure_from_pmt(const pmt::pmt_t& saved, int& value) { value = pmt::to_long(saved); }
void figure_from_pmt(const pmt::pmt_t& saved, uint64_t& value)
{
    value = pmt::to_uint64(saved);
}
void figure_from_pmt(const pmt::pmt_t& saved, bool& value)
{
    value = pmt::to_bool(saved);
}
void figure_from_pmt(const pmt::pmt_t& saved, std::vector<double>& values)
{
    values = pmt::f64vector_elements(saved);
}
void figure_from_pmt(const pmt::pmt_t& saved, std::vector<int>& values)
{
    const auto elements = pmt::s32vector_elements(saved);
    values.assign(elements.begin(), elements.end());
}
void figure_from_pmt(const pmt::pmt_t& saved, std::vector<gr_complex>& values)
{
    values = pmt::c32vector_elements(saved);
}
void figure_from_pmt(const pmt::pmt_t& saved, stream_matrix& rows)
{
    rows = rows_from_pmt(saved);
}

} // namespace

pmt::pmt_t training_report::to_pmt() const
{
    const bool descended = best_epoch >= 0;
    pmt::pmt_t dict = pmt::make_dict();
    visit(*this, [&](const auto& figure, const report_field& about) {
        if (descended || !about.of_descent)
            dict = pmt::dict_add(dict, pmt::mp(about.name), figure_to_pmt(figure));
    });
    return dict;
}

training_report training_report::from_pmt(const pmt::pmt_t& dict)
{
    training_report report;
    visit(report, [&](auto& figure, const report_field& about) {
        const pmt::pmt_t key = pmt::mp(about.name);
        if (pmt::dict_has_key(dict, key))
            figure_from_pmt(pmt::dict_ref(dict, key, pmt::PMT_NIL), figure);
    });
    return report;
}

pmt::pmt_t training_progress::to_pmt() const
{
    pmt::pmt_t dict = pmt::make_dict();
    visit(*this, [&](const auto& figure, const report_field& about) {
        dict = pmt::dict_add(dict, pmt::mp(about.name), figure_to_pmt(figure));
    });
    return dict;
}

} // namespace reservoir
} // namespace gr
