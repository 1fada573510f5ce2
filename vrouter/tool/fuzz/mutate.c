// SPDX-License-Identifier: GPL-2.0-only
#include "mutate.h"

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <string.h>

#include "random.h"

/* An attribute of the message, as far as they can be told apart; NULL if there's none. */
static struct nlattr *any_attribute(struct nlmsghdr *message, size_t offset)
{
	char *end = (char *)message + message->nlmsg_len;
	struct nlattr *next = mnl_nlmsg_get_payload_offset(message, offset), *chosen = NULL;

	for (uint32_t seen = 1; mnl_attr_ok(next, end - (char *)next); next = mnl_attr_next(next), seen++)
		if (!random_below(seen))
			chosen = next;
	return chosen;
}

static size_t size_of(const struct nlattr *attribute)
{
	return MNL_ALIGN(attribute->nla_len);
}

/* Some bytes of what is behind the message's header. */
static void change_bytes(struct nlmsghdr *message)
{
	uint32_t size = message->nlmsg_len - NLMSG_HDRLEN;

	for (uint32_t count = 1 + random_below(4); size && count; count--)
		((unsigned char *)message)[NLMSG_HDRLEN + random_below(size)] = random_bits();
}

static void change_attribute_length(struct nlattr *attribute)
{
	static const uint16_t lengths[] = { 0, 1, 3, 4, 5, 6, 7, 8, 9, 12, 255, UINT16_MAX };

	attribute->nla_len = random_below(2) ? lengths[random_below(sizeof(lengths) / sizeof(*lengths))] :
					       attribute->nla_len + random_below(9) - 4;
}

static void change_attribute_type(struct nlattr *attribute)
{
	static const uint16_t flags[] = {
		0, NLA_F_NESTED, NLA_F_NET_BYTEORDER, NLA_F_NESTED | NLA_F_NET_BYTEORDER,
	};

	attribute->nla_type = (random_below(4) ? random_below(16) : random_bits()) |
			      flags[random_below(sizeof(flags) / sizeof(*flags))];
}

static void duplicate(struct nlmsghdr *message, const struct nlattr *attribute, size_t room)
{
	size_t size = size_of(attribute), end = MNL_ALIGN(message->nlmsg_len);

	if ((const char *)attribute + size > (const char *)message + end || end + size > room)
		return;
	memcpy((char *)message + end, attribute, size);
	message->nlmsg_len = end + size;
}

static void drop(struct nlmsghdr *message, struct nlattr *attribute)
{
	char *end = (char *)message + message->nlmsg_len, *next = (char *)attribute + size_of(attribute);

	if (next > end)
		return;
	memmove(attribute, next, end - next);
	message->nlmsg_len -= next - (char *)attribute;
}

/* Puts all attributes into one, again and again. */
static void nest(struct nlmsghdr *message, size_t offset, size_t room)
{
	char *start = mnl_nlmsg_get_payload_offset(message, offset);
	char *end = (char *)message + message->nlmsg_len;

	if (start > end)
		return;
	for (uint32_t depth = 1 + random_below(16); depth; depth--) {
		size_t size = (char *)message + message->nlmsg_len - start;
		struct nlattr outer = {
			.nla_len = sizeof(outer) + size,
			.nla_type = random_below(16) | NLA_F_NESTED,
		};

		if (message->nlmsg_len + sizeof(outer) > room)
			return;
		memmove(start + sizeof(outer), start, size);
		memcpy(start, &outer, sizeof(outer));
		message->nlmsg_len += sizeof(outer);
	}
}

static void append(struct nlmsghdr *message, size_t room)
{
	for (uint32_t count = 1 + random_below(16); count && message->nlmsg_len < room; count--)
		((unsigned char *)message)[message->nlmsg_len++] = random_bits();
}

static void change_header(struct nlmsghdr *message)
{
	struct genlmsghdr *header = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_len < NLMSG_HDRLEN + sizeof(*header))
		return;
	switch (random_below(3)) {
	case 0:
		header->cmd = random_below(2) ? random_below(32) : random_bits();
		break;
	case 1:
		header->version = random_bits();
		break;
	default:
		header->reserved = random_bits();
	}
}

static void mutate_once(struct nlmsghdr *message, size_t offset, size_t room)
{
	uint32_t kind = random_below(12);
	struct nlattr *attribute = any_attribute(message, offset);

	if (kind == 0)
		change_bytes(message);
	else if (kind == 1)
		message->nlmsg_len = NLMSG_HDRLEN + random_below(message->nlmsg_len - NLMSG_HDRLEN + 1);
	else if (kind == 2)
		append(message, room);
	else if (kind == 3)
		nest(message, offset, room);
	else if (kind == 4)
		change_header(message);
	else if (kind == 5)
		message->nlmsg_flags ^= random_below(2) ? random_bits() : 1u << random_below(16);
	else if (kind == 6 && !random_below(4))
		message->nlmsg_seq = random_bits();
	else if (!attribute)
		return;
	else if (kind <= 7)
		change_attribute_type(attribute);
	else if (kind <= 9)
		change_attribute_length(attribute);
	else if (kind == 10)
		duplicate(message, attribute, room);
	else
		drop(message, attribute);
}

void mutate(struct nlmsghdr *message, size_t offset, size_t room)
{
	/* Half stay as they are, so that others are met by a state that changes. */
	for (uint32_t count = random_below(2) * (1 + random_below(3)); count; count--)
		mutate_once(message, offset, room);
}

void mutate_length(struct nlmsghdr *message)
{
	message->nlmsg_len = random_below(2) ? random_bits() : message->nlmsg_len + random_below(65) - 32;
}
