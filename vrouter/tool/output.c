// SPDX-License-Identifier: GPL-2.0-only
#include "output.h"

#include <stdio.h>
#include <string.h>

#include "complain.h"

/*
 * The columns, as attribute numbers that end with 0: what identifies and describes comes before the
 * counters, which the schema mixes, because it only ever grows at its ends.
 */
static void columns(const struct command *command, uint8_t order[ATTRIBUTES])
{
	const struct attribute_set *set = command->set;
	unsigned int count = 0;

	for (int counters = 0; counters <= 1; counters++) {
		for (const uint8_t *number = command->reply; *number; number++) {
			bool counter = set->attributes[*number].type == TYPE_U64;

			if (counter == counters && !is_prefix_length(set, *number))
				order[count++] = *number;
		}
	}
	order[count] = 0;
}

/* The next message that is to be shown, taken apart; NULL behind the last. */
static const struct nlmsghdr *next_shown(const struct replies *replies, const struct nlmsghdr *message,
					 bool nonzero, struct fields *fields)
{
	const struct attribute_set *set = replies->command->set;
	char problem[128];

	while ((message = replies_next(replies, message))) {
		message_read(replies->command, message, fields, problem, sizeof(problem));
		if (!nonzero)
			return message;
		for (const uint8_t *number = replies->command->reply; *number; number++)
			if (set->attributes[*number].type == TYPE_U64 && fields->there & BIT(*number) &&
			    fields->values[*number].number)
				return message;
	}
	return NULL;
}

static bool right_aligned(const struct attribute *attribute)
{
	return is_number(attribute) && !attribute->values;
}

/* Numbers are aligned on the right; the last column ends with its text. */
static void print_cell(const struct attribute *attribute, const char *text, int width, bool last)
{
	if (!right_aligned(attribute))
		width = last ? 0 : -width;
	printf("%*s%s", width, text, last ? "\n" : "  ");
}

void output_table(const struct replies *replies, bool nonzero)
{
	const struct attribute_set *set = replies->command->set;
	const struct nlmsghdr *message;
	int widths[ATTRIBUTES];
	uint8_t order[ATTRIBUTES];
	struct fields fields;
	char text[TEXT_MAX];

	columns(replies->command, order);
	for (const uint8_t *number = order; *number; number++)
		widths[*number] = strlen(set->attributes[*number].name);
	for (message = NULL; (message = next_shown(replies, message, nonzero, &fields));) {
		for (const uint8_t *number = order; *number; number++) {
			field_text(set, *number, &fields, text);
			if ((int)strlen(text) > widths[*number])
				widths[*number] = strlen(text);
		}
	}
	for (const uint8_t *number = order; *number; number++)
		print_cell(&set->attributes[*number], set->attributes[*number].name, widths[*number], !number[1]);
	for (message = NULL; (message = next_shown(replies, message, nonzero, &fields));) {
		for (const uint8_t *number = order; *number; number++) {
			field_text(set, *number, &fields, text);
			make_printable(text);
			print_cell(&set->attributes[*number], text, widths[*number], !number[1]);
		}
	}
}

/* The length of the UTF-8 character that `text` begins with (RFC 3629), or 0 if that's none. */
static int utf8_length(const unsigned char *text)
{
	int length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 :
		     text[0] < 0xf5 ? 4 : 0;

	for (int i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, half of a surrogate pair, or past U+10FFFF. */
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

/* A JSON string (RFC 8259). A byte that is no UTF-8 becomes the character of its number. */
static void print_string(const char *string)
{
	const unsigned char *text = (const unsigned char *)string;

	fputc('"', stdout);
	while (*text) {
		int length = utf8_length(text);

		if (length == 0 || *text < ' ' || *text == 0x7f)
			printf("\\u%04x", *text++);
		else if (*text == '"' || *text == '\\')
			printf("\\%c", *text++);
		else
			text += fwrite(text, 1, length, stdout);
	}
	fputc('"', stdout);
}

static void print_object(const struct command *command, const struct fields *fields)
{
	const char *separator = "";
	char text[TEXT_MAX];

	fputc('{', stdout);
	for (const uint8_t *number = command->reply; *number; number++) {
		const struct attribute *attribute = &command->set->attributes[*number];

		if (!(fields->there & BIT(*number)) || is_prefix_length(command->set, *number))
			continue;
		printf("%s\"%s\": ", separator, attribute->name);
		field_text(command->set, *number, fields, text);
		if (right_aligned(attribute))
			fputs(text, stdout);
		else
			print_string(text);
		separator = ", ";
	}
	fputc('}', stdout);
}

/* What goes before and behind a document, or an item of the array of documents. */
static bool in_array;
static unsigned int items;

static void begin_document(void)
{
	if (in_array)
		fputs(items++ ? ",\n" : "\n", stdout);
}

static void end_document(void)
{
	if (!in_array)
		putchar('\n');
}

void output_begin_array(void)
{
	in_array = true;
	putchar('[');
}

void output_end_array(void)
{
	puts(items ? "\n]" : "]");
}

void output_json_list(const struct replies *replies, bool nonzero)
{
	const struct nlmsghdr *message = NULL;
	const char *separator = "\n";
	struct fields fields;

	begin_document();
	putchar('[');
	while ((message = next_shown(replies, message, nonzero, &fields))) {
		printf("%s ", separator);
		print_object(replies->command, &fields);
		separator = ",\n";
	}
	fputs(*separator == ',' ? "\n]" : "]", stdout);
	end_document();
}

void output_json_object(const struct replies *replies)
{
	struct fields fields = { .there = 0 };

	begin_document();
	next_shown(replies, NULL, false, &fields);
	print_object(replies->command, &fields);
	end_document();
}
