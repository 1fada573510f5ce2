/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The message schema as tables. vr_schema.c, which defines them, is generated from
 * schema/vrouter.yaml by schema/generate_user.py.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

/* More than the number of any attribute: a set of them is a bit mask of 32 bits. */
#define ATTRIBUTES 32
/* The longest string. */
#define STRING_MAX 31

/* A set with one attribute, by its number. */
#define BIT(number) (UINT32_C(1) << (number))

enum type {
	TYPE_U8,
	TYPE_U16,
	TYPE_U32,
	TYPE_U64,
	TYPE_STRING,
	TYPE_MAC,
	TYPE_IPV4,
	TYPE_PAD,
};

struct attribute {
	const char *name;
	const char *doc;
	enum type type;
	uint64_t min, max;		/* of a number; of a string, max is the most characters */
	const char *const *values;	/* the names of a number from min to max, or NULL */
	uint8_t length;			/* of a prefix: the attribute with the number of bits; else 0 */
};

/* The attributes that one kind of object has; `attributes` is indexed by number, from 1 to `last`. */
struct attribute_set {
	const char *name;
	const struct attribute *attributes;
	unsigned int last;
};

/* A command; what a request and a reply may carry ends with 0. */
struct command {
	const char *name;
	uint8_t number;
	bool dump;
	const struct attribute_set *set;
	uint8_t request[ATTRIBUTES];
	uint8_t reply[ATTRIBUTES];
};

/* Indexed by number, from 1 to last_command. */
extern const struct command commands[];
extern const unsigned int last_command;

#endif
