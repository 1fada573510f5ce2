/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be typed: objects, what can be done to them, and with which fields. */
#ifndef VERBS_H
#define VERBS_H

#include "schema.h"

struct verb {
	const char *name;
	const char *doc;
	uint8_t command;		/* its number in the schema */
	uint16_t flags;			/* of the netlink message */
	uint32_t required, optional;	/* the fields that can be given */
	uint8_t preset;			/* a field with a value that holds where none is given, or 0 */
	uint64_t preset_value;
	bool nonzero;			/* whether what has counters that are all zero can be left out */
};

#define VERBS_MAX 8

struct object {
	const char *name;
	const char *doc;
	/* The first is meant where none is typed; one without a name ends them. */
	struct verb verbs[VERBS_MAX];
};

/* One without a name ends them. */
extern const struct object objects[];

/* The ones of this name, or NULL. */
const struct object *object_named(const char *name);
const struct verb *verb_named(const struct object *object, const char *name);

const struct command *verb_command(const struct verb *verb);

#endif
