// SPDX-License-Identifier: GPL-2.0-only
#include "execute.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "output.h"
#include "session.h"

/* The attribute that a message of the kernel begins with, as in "vrf: not an interface's", or 0. */
static unsigned int field_at_fault(const struct attribute_set *set, const char *text)
{
	const char *colon = strstr(text, ": ");

	if (!colon)
		return 0;
	for (unsigned int number = 1; number <= set->last; number++) {
		const char *name = set->attributes[number].name;

		if (strlen(name) == (size_t)(colon - text) && !memcmp(name, text, colon - text))
			return number;
	}
	return 0;
}

/* The option by which a user gives the attribute: a prefix's length is part of the prefix. */
static const char *option_at_fault(const struct arguments *arguments, unsigned int number)
{
	const struct attribute_set *set = verb_command(arguments->verb)->set;

	for (unsigned int other = 1; other <= set->last; other++)
		if (set->attributes[other].length == number)
			number = other;
	return option_name(set, number, arguments->by_ifindex);
}

/* The kernel's no, in terms of what the user typed. */
static enum code refused(const struct arguments *arguments, const struct replies *replies,
			 const struct nlmsghdr *request)
{
	const struct attribute_set *set = verb_command(arguments->verb)->set;
	unsigned int number = field_at_fault(set, replies->text);
	const char *text = replies->text, *reason = strerror(replies->error);

	if (replies->error == EPERM)
		return complain(CODE_REFUSED, "'vr %s %s' needs CAP_NET_ADMIN; run it as root",
				arguments->object->name, arguments->verb->name);
	if (number)
		text += strlen(set->attributes[number].name) + strlen(": ");
	else if (replies->offset)
		number = attribute_at(request, replies->offset);
	if (number && number <= set->last)
		return complain(CODE_REFUSED, "--%s: %s%s%s%s", option_at_fault(arguments, number), text,
				*text ? " (" : "", reason, *text ? ")" : "");
	return complain(CODE_REFUSED, "'vr %s %s': %s%s%s%s", arguments->object->name, arguments->verb->name,
			text, *text ? " (" : "", reason, *text ? ")" : "");
}

static void print(const struct arguments *arguments, const struct replies *replies)
{
	if (!arguments->json)
		output_table(replies, arguments->nonzero);
	else if (arguments->verb->flags & NLM_F_DUMP)
		output_json_list(replies, arguments->nonzero);
	else
		output_json_object(replies);
}

enum code execute(const struct arguments *arguments)
{
	const struct verb *verb = arguments->verb;
	const struct command *command = verb_command(verb);
	const struct nlmsghdr *request;
	struct replies replies;
	enum code code = session_ask(command, verb->flags, &arguments->fields, &replies, &request);

	if (replies.error)
		code = refused(arguments, &replies, request);
	else if (!code && *command->reply)
		print(arguments, &replies);
	replies_free(&replies);
	return code;
}
