// SPDX-License-Identifier: GPL-2.0-only
#include "help.h"

#include <stdio.h>

#include "arguments.h"

#define EXIT_CODES                                                                            \
	"Exit codes: 0 done; 1 the kernel refused, or there's no such module or device;\n"    \
	"2 the command line is wrong.\n"

static void overview(void)
{
	printf("Usage: vr OBJECT [COMMAND] [--FIELD VALUE]... [--json]\n"
	       "       vr batch FILE|- [--force]\n"
	       "\n"
	       "Objects; vr OBJECT --help says more:\n");
	for (const struct object *object = objects; object->name; object++) {
		printf("  %-8s %s:", object->name, object->doc);
		for (const struct verb *verb = object->verbs; verb->name; verb++)
			printf(" %s", verb->name);
		putchar('\n');
	}
	printf("  %-8s many commands over one socket, a line each\n"
	       "\n"
	       "--json prints one JSON document. Without a command, the object's first one is meant.\n"
	       EXIT_CODES, "batch");
}

void help_batch(void)
{
	printf("Usage: vr batch FILE [--force] [--json]\n"
	       "\n"
	       "Runs the commands of a file, or of standard input if FILE is -. Each line has one, without\n"
	       "the 'vr'; empty lines and what follows a # are left out. The first error ends the batch;\n"
	       "with --force the rest is run all the same, and the exit code is that of the worst error.\n"
	       "With --json the documents of all commands that print one are items of one array.\n");
}

static void options(const struct attribute_set *set, uint32_t fields, bool required)
{
	for (unsigned int number = 1; number <= set->last; number++) {
		const char *name = set->attributes[number].name;

		if (!(fields & BIT(number)))
			continue;
		printf(required ? " " : " [");
		if (is_device(set, number))
			printf(required ? "(--name NAME | --%s N)" : "--name NAME | --%s N", name);
		else
			printf("--%s %s", name, set->attributes[number].length ? "ADDRESS/LENGTH" : "VALUE");
		if (!required)
			putchar(']');
	}
}

void help(const struct object *object)
{
	const struct attribute_set *set;
	char form[TEXT_MAX];
	uint32_t used = 0;

	if (!object) {
		overview();
		return;
	}
	set = verb_command(object->verbs)->set;
	printf("vr %s: %s\n\n", object->name, object->doc);
	for (const struct verb *verb = object->verbs; verb->name; verb++) {
		printf("  vr %s %s", object->name, verb->name);
		options(set, verb->required, true);
		options(set, verb->optional, false);
		if (verb->nonzero)
			printf(" [--nonzero]");
		printf("\n      %s\n", verb->doc);
		used |= verb->required | verb->optional;
	}
	if (used)
		printf("\nValues:\n");
	for (unsigned int number = 1; number <= set->last; number++) {
		if (!(used & BIT(number)))
			continue;
		field_form(set, number, form, sizeof(form));
		printf("  --%s %s\n      %s\n", set->attributes[number].name, form,
		       set->attributes[number].doc);
	}
	printf("\n--json prints one JSON document.\n" EXIT_CODES);
}
