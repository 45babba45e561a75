/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_TESTS_TARGETS_H
#define INCLUDED_RESERVOIR_TESTS_TARGETS_H

#include <hwy/targets.h>
#include <boost/test/unit_test.hpp>

// Runs a check once for every target in the binary that the CPU has.
template <class Check>
void for_each_target(Check check)
{
    const auto supported = hwy::SupportedTargets();
    for (const auto target : hwy::SupportedAndGeneratedTargets()) {
        BOOST_TEST_CONTEXT("target " << hwy::TargetName(target))
        {
            hwy::SetSupportedTargetsForTest(target);
            check();
        }
    }
    hwy::SetSupportedTargetsForTest(0);
    BOOST_TEST(hwy::SupportedTargets() == supported);
}

#endif /* INCLUDED_RESERVOIR_TESTS_TARGETS_H */
