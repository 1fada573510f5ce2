/* SPDX-License-Identifier: GPL-2.0-only */
/* The values of one object's attributes, and how a person writes and reads them. */
#ifndef FIELDS_H
#define FIELDS_H

#include <netinet/in.h>
#include <stddef.h>

#include "schema.h"

union value {
	uint64_t number;
	unsigned char mac[6];
	struct in_addr ipv4;
	char string[STRING_MAX + 1];
};

struct fields {
	uint32_t there;			/* the attributes that have a value */
	union value values[ATTRIBUTES];	/* by attribute number */
};

/* Room for any value as text. */
#define TEXT_MAX 64

bool is_number(const struct attribute *attribute);

/*
 * The attribute of this name, or 0. A prefix's length has no name of its own here: ADDRESS/LENGTH is
 * one field.
 */
unsigned int field_named(const struct attribute_set *set, const char *name, size_t length);

/* Whether a number is the length of one of the set's prefixes. */
bool is_prefix_length(const struct attribute_set *set, unsigned int number);

/* What a field's text looks like, for example "0 to 255" or "ADDRESS/LENGTH". */
void field_form(const struct attribute_set *set, unsigned int number, char *form, size_t size);

/*
 * Takes a field's text. False if it's wrong; `problem` then says how, as the end of a sentence that
 * begins with the text itself.
 */
bool field_read(const struct attribute_set *set, unsigned int number, const char *text,
		struct fields *fields, char *problem, size_t size);

/* A field's value as text of at most TEXT_MAX bytes; "-" if it isn't there. */
void field_text(const struct attribute_set *set, unsigned int number, const struct fields *fields,
		char text[TEXT_MAX]);

#endif
