/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors: one line each on stderr, and the exit codes. */
#ifndef COMPLAIN_H
#define COMPLAIN_H

#include <stddef.h>

enum code {
	CODE_OK,
	CODE_REFUSED,	/* by the kernel, or there's no such module or device */
	CODE_USAGE,	/* the command line, or a line of a batch, is wrong */
};

/* Where commands come from, for the errors to name: a batch's file and line; NULL for the command line. */
void complain_about(const char *file, unsigned int line);

/* Says what is wrong, as printf would, and returns `code`. */
enum code complain(enum code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Replaces what would move a terminal's cursor: names and words may have any byte. */
void make_printable(char *text);

/* realloc, which here ends the program when there's no memory. */
void *grow(void *memory, size_t size);

#endif
