// SPDX-License-Identifier: GPL-2.0-only
#include "fields.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool is_number(const struct attribute *attribute)
{
	return attribute->type <= TYPE_U64;
}

bool is_prefix_length(const struct attribute_set *set, unsigned int number)
{
	for (unsigned int other = 1; other <= set->last; other++)
		if (set->attributes[other].length == number)
			return true;
	return false;
}

unsigned int field_named(const struct attribute_set *set, const char *name, size_t length)
{
	for (unsigned int number = 1; number <= set->last; number++) {
		const char *known = set->attributes[number].name;

		if (strlen(known) == length && !memcmp(known, name, length) &&
		    set->attributes[number].type != TYPE_PAD && !is_prefix_length(set, number))
			return number;
	}
	return 0;
}

/* The names of an attribute's values, with commas between them. */
static void value_names(const struct attribute *attribute, char *names, size_t size)
{
	size_t used = 0;

	names[0] = '\0';
	for (uint64_t value = attribute->min; value <= attribute->max && used < size; value++)
		used += snprintf(names + used, size - used, "%s%s", used ? ", " : "",
				 attribute->values[value - attribute->min]);
}

void field_form(const struct attribute_set *set, unsigned int number, char *form, size_t size)
{
	const struct attribute *attribute = &set->attributes[number];

	if (attribute->values)
		value_names(attribute, form, size);
	else if (is_number(attribute))
		snprintf(form, size, "%" PRIu64 " to %" PRIu64, attribute->min, attribute->max);
	else if (attribute->length)
		snprintf(form, size, "ADDRESS/LENGTH");
	else if (attribute->type == TYPE_IPV4)
		snprintf(form, size, "ADDRESS");
	else if (attribute->type == TYPE_MAC)
		snprintf(form, size, "MAC");
	else
		snprintf(form, size, "at most %" PRIu64 " characters", attribute->max);
}

/* Decimal digits and nothing else. */
static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	*number = value;
	return value >= min && value <= max;
}

static bool read_named(const struct attribute *attribute, const char *text, uint64_t *number)
{
	for (uint64_t value = attribute->min; value <= attribute->max; value++) {
		if (!strcmp(attribute->values[value - attribute->min], text)) {
			*number = value;
			return true;
		}
	}
	return false;
}

static int hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character = tolower((unsigned char)character);
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static bool read_mac(const char *text, unsigned char mac[6])
{
	if (strlen(text) != strlen("00:00:00:00:00:00"))
		return false;
	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (high < 0 || low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = high << 4 | low;
	}
	return true;
}

static bool read_prefix(const struct attribute_set *set, unsigned int number, const char *text,
			struct fields *fields, char *problem, size_t size)
{
	unsigned int length = set->attributes[number].length;
	union value *address = &fields->values[number], *bits = &fields->values[length];
	const char *slash = strchr(text, '/');
	char before[INET_ADDRSTRLEN] = "";
	struct in_addr network;

	if (slash && slash - text < (ptrdiff_t)sizeof(before))
		memcpy(before, text, slash - text);
	if (!inet_pton(AF_INET, before, &address->ipv4) ||
	    !read_number(slash + 1, 0, set->attributes[length].max, &bits->number)) {
		snprintf(problem, size, "is not ADDRESS/LENGTH, such as 10.0.1.0/24");
		return false;
	}
	network.s_addr = htonl(bits->number ? UINT32_MAX << (32 - bits->number) : 0) & address->ipv4.s_addr;
	if (network.s_addr != address->ipv4.s_addr) {
		inet_ntop(AF_INET, &network, before, sizeof(before));
		snprintf(problem, size, "has bits behind its length; that network is %s/%" PRIu64, before,
			 bits->number);
		return false;
	}
	fields->there |= BIT(length);
	return true;
}

bool field_read(const struct attribute_set *set, unsigned int number, const char *text,
		struct fields *fields, char *problem, size_t size)
{
	const struct attribute *attribute = &set->attributes[number];
	union value *value = &fields->values[number];
	char names[TEXT_MAX];
	bool right;

	if (attribute->length) {
		right = read_prefix(set, number, text, fields, problem, size);
	} else if (attribute->values) {
		right = read_named(attribute, text, &value->number);
		value_names(attribute, names, sizeof(names));
		snprintf(problem, size, "is none of: %s", names);
	} else if (is_number(attribute)) {
		right = read_number(text, attribute->min, attribute->max, &value->number);
		snprintf(problem, size, "is not a number from %" PRIu64 " to %" PRIu64, attribute->min,
			 attribute->max);
	} else if (attribute->type == TYPE_MAC) {
		right = read_mac(text, value->mac);
		snprintf(problem, size, "is not a MAC address, such as 02:00:00:00:00:01");
	} else if (attribute->type == TYPE_IPV4) {
		right = inet_pton(AF_INET, text, &value->ipv4) == 1;
		snprintf(problem, size, "is not an IPv4 address, such as 10.0.1.2");
	} else {
		right = strlen(text) <= attribute->max;
		if (right)
			strcpy(value->string, text);
		snprintf(problem, size, "is longer than %" PRIu64 " characters", attribute->max);
	}
	if (right)
		fields->there |= BIT(number);
	return right;
}

void field_text(const struct attribute_set *set, unsigned int number, const struct fields *fields,
		char text[TEXT_MAX])
{
	const struct attribute *attribute = &set->attributes[number];
	const union value *value = &fields->values[number];

	if (!(fields->there & BIT(number)) ||
	    (attribute->length && !(fields->there & BIT(attribute->length)))) {
		strcpy(text, "-");
	} else if (attribute->values && value->number >= attribute->min && value->number <= attribute->max) {
		snprintf(text, TEXT_MAX, "%s", attribute->values[value->number - attribute->min]);
	} else if (is_number(attribute)) {
		snprintf(text, TEXT_MAX, "%" PRIu64, value->number);
	} else if (attribute->type == TYPE_MAC) {
		snprintf(text, TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", value->mac[0], value->mac[1],
			 value->mac[2], value->mac[3], value->mac[4], value->mac[5]);
	} else if (attribute->type == TYPE_IPV4) {
		inet_ntop(AF_INET, &value->ipv4, text, TEXT_MAX);
		if (attribute->length)
			snprintf(text + strlen(text), TEXT_MAX - strlen(text), "/%" PRIu64,
				 fields->values[attribute->length].number);
	} else {
		snprintf(text, TEXT_MAX, "%s", value->string);
	}
}
