// SPDX-License-Identifier: GPL-2.0-only
#include "odd.h"

#include <arpa/inet.h>
#include <string.h>

#include "message.h"
#include "random.h"

/*
 * Most numbers are small ones above the least, so that messages name what earlier ones made; some are
 * the limits, and what lies just outside of them.
 */
static uint64_t odd_number(const struct attribute *attribute)
{
	switch (random_below(16)) {
	case 0:
		return attribute->max;
	case 1:
		return attribute->max + 1;
	case 2:
		return attribute->min - 1;
	case 3:
		return random_bits();
	default:
		return attribute->min + random_below(attribute->values ? attribute->max : 8);
	}
}

static void odd_value(const struct attribute *attribute, union value *value)
{
	size_t length;

	switch (attribute->type) {
	case TYPE_STRING:
		length = random_below(attribute->max + 1);
		for (size_t i = 0; i < length; i++)
			value->string[i] = 1 + random_below(255);
		value->string[length] = '\0';
		break;
	case TYPE_MAC:
		value->number = random_bits();
		/* Mostly the address of one host: multicast and zero are odd. */
		value->mac[0] = random_below(8) ? 2 : value->mac[0];
		break;
	case TYPE_IPV4:
		/* Mostly one of few networks, with no bits behind most lengths. */
		value->ipv4.s_addr = htonl(random_below(8) ? random_below(4) << 30 : random_bits());
		break;
	default:
		value->number = odd_number(attribute);
	}
}

/* The schema lists first what must be there, so often only the first few are. */
static void odd_fields(const struct attribute_set *set, const uint8_t *numbers, struct fields *fields)
{
	uint32_t count = random_below(2) ? ATTRIBUTES : random_below(ATTRIBUTES / 4);

	fields->there = 0;
	for (; *numbers && count; numbers++, count--) {
		odd_value(&set->attributes[*numbers], &fields->values[*numbers]);
		if (random_below(16))
			fields->there |= BIT(*numbers);
	}
}

const struct command *odd_command(void)
{
	for (;;) {
		const struct command *command = &commands[1 + random_below(last_command)];

		/* What there is should be used for a while before it's deleted. */
		if (!strstr(command->name, "-del") || !random_below(4))
			return command;
	}
}

struct nlmsghdr *odd_request(void *buffer, const struct command *command, uint16_t family, uint32_t sequence)
{
	static const uint16_t flags[] = {
		NLM_F_ACK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, NLM_F_ACK | NLM_F_REPLACE,
		NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, 0, NLM_F_ECHO,
	};
	uint16_t chosen = flags[random_below(sizeof(flags) / sizeof(*flags))];
	struct fields fields;

	/* The flags of a dump are others' too (NLM_F_REPLACE is a part of it). */
	if (command->dump && !random_below(2))
		chosen = NLM_F_DUMP;
	odd_fields(command->set, command->request, &fields);
	return message_write(buffer, command, family, chosen, sequence, &fields);
}

struct nlmsghdr *odd_reply(void *buffer, const struct command *command, uint16_t family, uint32_t sequence)
{
	struct command turned = *command;
	struct fields fields;

	memcpy(turned.request, command->reply, sizeof(turned.request));
	odd_fields(command->set, command->reply, &fields);
	return message_write(buffer, &turned, family, NLM_F_MULTI, sequence, &fields);
}
