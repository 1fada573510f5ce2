// SPDX-License-Identifier: GPL-2.0-only
#include "counts.h"

#include <stdio.h>
#include <time.h>

void progress(const struct run *run, unsigned long done)
{
	static time_t last;
	time_t now = time(NULL);

	if (last && now != last)
		fprintf(stderr, "%lu of %lu messages\n", done, run->messages);
	last = now;
}

void print_counts(const char *const names[], const unsigned long counts[], size_t ways)
{
	for (size_t way = 0; way < ways; way++)
		if (counts[way])
			fprintf(stderr, "%9lu %s\n", counts[way], names[way]);
}
