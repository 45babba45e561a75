/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_API_H
#define INCLUDED_RESERVOIR_API_H

#include <gnuradio/attributes.h>

#ifdef gnuradio_reservoir_EXPORTS
#define RESERVOIR_API __GR_ATTR_EXPORT
#else
#define RESERVOIR_API __GR_ATTR_IMPORT
#endif

#endif /* INCLUDED_RESERVOIR_API_H */
