/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a run is, and how its messages ended. */
#ifndef COUNTS_H
#define COUNTS_H

#include <stddef.h>

struct run {
	unsigned long messages;
	unsigned long long seed;
};

/* Says each second how many of the messages are done. */
void progress(const struct run *run, unsigned long done);

/* How many messages ended in each way; the ways have names, and those without any are left out. */
void print_counts(const char *const names[], const unsigned long counts[], size_t ways);

#endif
