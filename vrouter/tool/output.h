/* SPDX-License-Identifier: GPL-2.0-only */
/* Replies as a table for people or as JSON for programs. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "message.h"

/* All go to stdout. `nonzero` leaves out what has counters that are all zero. */

/* An aligned table with a line for each message. */
void output_table(const struct replies *replies, bool nonzero);

/* A JSON array with an object for each message. */
void output_json_list(const struct replies *replies, bool nonzero);

/* The first message as a JSON object. */
void output_json_object(const struct replies *replies);

/* Between these two, JSON documents become items of one array. */
void output_begin_array(void);
void output_end_array(void);

#endif
