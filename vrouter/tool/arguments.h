/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of a command line, or of a line of a batch, as what they ask for. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "complain.h"
#include "fields.h"
#include "verbs.h"

struct arguments {
	const struct object *object;	/* NULL for a batch, and for help on everything */
	const struct verb *verb;
	struct fields fields;
	bool by_ifindex;		/* the user gave --ifindex, and --name otherwise */
	bool json, help, nonzero;
	const char *batch;		/* the batch's file */
	bool force;
};

/* The option's name for an attribute: a device is named by --name or by --ifindex. */
const char *option_name(const struct attribute_set *set, unsigned int number, bool by_ifindex);

/* Whether the attribute is the index of a network device. */
bool is_device(const struct attribute_set *set, unsigned int number);

/* Takes the words apart; complains about what is wrong with them. */
enum code arguments_read(struct arguments *arguments, int count, char *const words[]);

#endif
