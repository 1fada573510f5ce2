// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *about_file;
static unsigned int about_line;

void complain_about(const char *file, unsigned int line)
{
	about_file = file;
	about_line = line;
}

void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

enum code complain(enum code code, const char *format, ...)
{
	va_list arguments;
	char text[1024];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	make_printable(text);
	/* What was printed before stands before, also where both go to one file. */
	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	if (about_file)
		fprintf(stderr, "%s:%u: ", about_file, about_line);
	fprintf(stderr, "%s\n", text);
	return code;
}

void *grow(void *memory, size_t size)
{
	memory = realloc(memory, size);
	if (!memory)
		exit(complain(CODE_REFUSED, "no memory left"));
	return memory;
}
