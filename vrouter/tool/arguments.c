// SPDX-License-Identifier: GPL-2.0-only
#include "arguments.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_OPTION "name"

/* Text that grows to a limit, for the lists in messages. */
struct text {
	char text[512];
	size_t used;
};

static void add(struct text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *to, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	to->used += vsnprintf(to->text + to->used, sizeof(to->text) - to->used, format, arguments);
	va_end(arguments);
	if (to->used >= sizeof(to->text))
		to->used = sizeof(to->text) - 1;
}

bool is_device(const struct attribute_set *set, unsigned int number)
{
	return !strcmp(set->attributes[number].name, "ifindex");
}

const char *option_name(const struct attribute_set *set, unsigned int number, bool by_ifindex)
{
	return is_device(set, number) && !by_ifindex ? NAME_OPTION : set->attributes[number].name;
}

static enum code unknown_object(const char *word)
{
	struct text known = { .used = 0 };

	for (const struct object *object = objects; object->name; object++)
		add(&known, "%s, ", object->name);
	return complain(CODE_USAGE, "'%s' is no object; there are: %sbatch", word, known.text);
}

static enum code unknown_verb(const struct object *object, const char *word)
{
	struct text known = { .used = 0 };

	for (const struct verb *verb = object->verbs; verb->name; verb++)
		add(&known, "%s%s", known.used ? ", " : "", verb->name);
	return complain(CODE_USAGE, "'%s' is nothing that %s does; there are: %s", word, object->name,
			known.text);
}

static enum code unknown_option(const struct arguments *arguments, const char *option)
{
	struct text known = { .used = 0 };

	if (arguments->verb) {
		const struct attribute_set *set = verb_command(arguments->verb)->set;
		uint32_t fields = arguments->verb->required | arguments->verb->optional;

		for (unsigned int number = 1; number <= set->last; number++) {
			if (!(fields & BIT(number)))
				continue;
			if (is_device(set, number))
				add(&known, "--%s, ", NAME_OPTION);
			add(&known, "--%s, ", set->attributes[number].name);
		}
		if (arguments->verb->nonzero)
			add(&known, "--nonzero, ");
		return complain(CODE_USAGE, "%s: no option of 'vr %s %s'; there are: %s--json, --help",
				option, arguments->object->name, arguments->verb->name, known.text);
	}
	return complain(CODE_USAGE, "%s: no option here; there are: %s--json, --help", option,
			arguments->batch ? "--force, " : "");
}

static enum code read_device(struct arguments *arguments, unsigned int number, const char *name)
{
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex)
		return complain(CODE_REFUSED, "--" NAME_OPTION ": no network device '%s'", name);
	arguments->fields.values[number].number = ifindex;
	arguments->fields.there |= BIT(number);
	return CODE_OK;
}

/* --FIELD VALUE of a verb. */
static enum code read_field(struct arguments *arguments, const char *option, const char *text)
{
	const struct attribute_set *set = verb_command(arguments->verb)->set;
	uint32_t allowed = arguments->verb->required | arguments->verb->optional;
	bool by_name = !strcmp(option + 2, NAME_OPTION);
	const char *name = by_name ? "ifindex" : option + 2;
	unsigned int number = field_named(set, name, strlen(name));
	char problem[128];

	if (!number || !(allowed & BIT(number)))
		return unknown_option(arguments, option);
	if (!text || !strncmp(text, "--", 2))
		return complain(CODE_USAGE, "%s: needs a value", option);
	if (arguments->fields.there & BIT(number)) {
		if (is_device(set, number) && by_name == arguments->by_ifindex)
			return complain(CODE_USAGE, "%s: give either --name or --ifindex", option);
		return complain(CODE_USAGE, "%s: given twice", option);
	}
	if (by_name)
		return read_device(arguments, number, text);
	arguments->by_ifindex |= is_device(set, number);
	if (!field_read(set, number, text, &arguments->fields, problem, sizeof(problem)))
		return complain(CODE_USAGE, "%s: %s %s", option, text, problem);
	return CODE_OK;
}

/* An option without a value; false if it's none. */
static bool read_switch(struct arguments *arguments, const char *option)
{
	if (!strcmp(option, "--json"))
		return arguments->json = true;
	if (!strcmp(option, "--help"))
		return arguments->help = true;
	if (!strcmp(option, "--nonzero") && arguments->verb && arguments->verb->nonzero)
		return arguments->nonzero = true;
	if (!strcmp(option, "--force") && arguments->batch)
		return arguments->force = true;
	return false;
}

/* The object, what to do to it, or a batch's file: whatever isn't an option. */
static enum code read_word(struct arguments *arguments, const char *word, unsigned int position)
{
	if (position == 0) {
		if (!strcmp(word, "batch")) {
			arguments->batch = "";
			return CODE_OK;
		}
		arguments->object = object_named(word);
		if (!arguments->object)
			return unknown_object(word);
		arguments->verb = &arguments->object->verbs[0];
		return CODE_OK;
	}
	if (position == 1 && arguments->batch) {
		arguments->batch = word;
		return CODE_OK;
	}
	if (position == 1) {
		arguments->verb = verb_named(arguments->object, word);
		return arguments->verb ? CODE_OK : unknown_verb(arguments->object, word);
	}
	return complain(CODE_USAGE, "'%s': a value goes with an option, as in --field value", word);
}

static enum code check_required(const struct arguments *arguments)
{
	const struct attribute_set *set = verb_command(arguments->verb)->set;
	uint32_t missing = arguments->verb->required & ~arguments->fields.there;

	for (unsigned int number = 1; number <= set->last; number++)
		if (missing & BIT(number))
			return complain(CODE_USAGE, "--%s: required by 'vr %s %s'",
					option_name(set, number, false), arguments->object->name,
					arguments->verb->name);
	return CODE_OK;
}

static void use_preset(struct arguments *arguments)
{
	const struct verb *verb = arguments->verb;

	if (!verb->preset || arguments->fields.there & BIT(verb->preset))
		return;
	arguments->fields.values[verb->preset].number = verb->preset_value;
	arguments->fields.there |= BIT(verb->preset);
}

enum code arguments_read(struct arguments *arguments, int count, char *const words[])
{
	unsigned int position = 0;
	enum code code;

	memset(arguments, 0, sizeof(*arguments));
	for (int i = 0; i < count; i++) {
		if (strncmp(words[i], "--", 2)) {
			code = read_word(arguments, words[i], position++);
		} else if (read_switch(arguments, words[i])) {
			continue;
		} else if (!arguments->verb) {
			code = unknown_option(arguments, words[i]);
		} else {
			code = read_field(arguments, words[i], i + 1 < count ? words[i + 1] : NULL);
			i++;
		}
		if (code)
			return code;
	}
	if (arguments->help)
		return CODE_OK;
	if (arguments->batch && !*arguments->batch)
		return complain(CODE_USAGE, "batch: needs a file, or - for standard input");
	if (arguments->batch)
		return CODE_OK;
	if (!arguments->object)
		return complain(CODE_USAGE, "no object given; vr --help lists them");
	use_preset(arguments);
	return check_required(arguments);
}
