// SPDX-License-Identifier: GPL-2.0-only
/*
 * What arrives is trusted for nothing: every length is checked against what was received before
 * anything behind it is looked at. vr-fuzz feeds this file mutated replies.
 */
#include "message.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "vr_nl.h"

static void put(struct nlmsghdr *message, unsigned int number, const struct attribute *attribute,
		const union value *value)
{
	switch (attribute->type) {
	case TYPE_U8:
		mnl_attr_put_u8(message, number, value->number);
		break;
	case TYPE_U16:
		mnl_attr_put_u16(message, number, value->number);
		break;
	case TYPE_U32:
		mnl_attr_put_u32(message, number, value->number);
		break;
	case TYPE_U64:
		mnl_attr_put_u64(message, number, value->number);
		break;
	case TYPE_STRING:
		mnl_attr_put_strz(message, number, value->string);
		break;
	case TYPE_MAC:
		mnl_attr_put(message, number, sizeof(value->mac), value->mac);
		break;
	case TYPE_IPV4:
		mnl_attr_put(message, number, sizeof(value->ipv4), &value->ipv4);
		break;
	case TYPE_PAD:
		break;
	}
}

struct nlmsghdr *message_write(void *buffer, const struct command *command, uint16_t family,
			       uint16_t flags, uint32_t sequence, const struct fields *fields)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header;

	message->nlmsg_type = family;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = sequence;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = command->number;
	header->version = VR_FAMILY_VERSION;
	for (const uint8_t *number = command->request; *number; number++)
		if (fields->there & BIT(*number))
			put(message, *number, &command->set->attributes[*number], &fields->values[*number]);
	return message;
}

/* The attribute behind `attribute`, the first one at `start` for NULL; NULL where no whole one is left. */
static const struct nlattr *next_attribute(const struct nlattr *attribute, const void *start, const void *end)
{
	const struct nlattr *next = attribute ? mnl_attr_next(attribute) : start;

	return mnl_attr_ok(next, (const char *)end - (const char *)next) ? next : NULL;
}

static bool take(const struct attribute *attribute, const struct nlattr *from, union value *value)
{
	static const uint16_t lengths[] = {
		[TYPE_U8] = 1, [TYPE_U16] = 2, [TYPE_U32] = 4,
		[TYPE_U64] = 8, [TYPE_MAC] = 6, [TYPE_IPV4] = 4,
	};
	uint16_t length = mnl_attr_get_payload_len(from);

	if (attribute->type == TYPE_STRING) {
		const char *string = mnl_attr_get_payload(from);
		size_t characters = strnlen(string, length);

		if (characters == length || characters > attribute->max)
			return false;
		memcpy(value->string, string, characters + 1);
		return true;
	}
	if (length != lengths[attribute->type])
		return false;
	switch (attribute->type) {
	case TYPE_U8:
		value->number = mnl_attr_get_u8(from);
		break;
	case TYPE_U16:
		value->number = mnl_attr_get_u16(from);
		break;
	case TYPE_U32:
		value->number = mnl_attr_get_u32(from);
		break;
	case TYPE_U64:
		value->number = mnl_attr_get_u64(from);
		break;
	default:
		memcpy(value, mnl_attr_get_payload(from), length);
	}
	return true;
}

bool message_read(const struct command *command, const struct nlmsghdr *message, struct fields *fields,
		  char *problem, size_t size)
{
	const struct attribute_set *set = command->set;
	const void *start = mnl_nlmsg_get_payload_offset(message, sizeof(struct genlmsghdr));
	const void *end = (const char *)message + message->nlmsg_len;
	const struct nlattr *attribute = NULL;

	fields->there = 0;
	if (start > end) {
		snprintf(problem, size, "a reply to %s is too short", command->name);
		return false;
	}
	while ((attribute = next_attribute(attribute, start, end))) {
		uint16_t number = mnl_attr_get_type(attribute);

		start = mnl_attr_next(attribute);
		if (!number || number > set->last || set->attributes[number].type == TYPE_PAD)
			continue;
		if (!take(&set->attributes[number], attribute, &fields->values[number])) {
			snprintf(problem, size, "a reply to %s has %u bytes that are no %s", command->name,
				 mnl_attr_get_payload_len(attribute), set->attributes[number].name);
			return false;
		}
		fields->there |= BIT(number);
	}
	if (start < end) {
		snprintf(problem, size, "a reply to %s ends within an attribute", command->name);
		return false;
	}
	return true;
}

unsigned int attribute_at(const struct nlmsghdr *message, uint32_t offset)
{
	const void *start = mnl_nlmsg_get_payload_offset(message, sizeof(struct genlmsghdr));
	const void *end = (const char *)message + message->nlmsg_len;
	const struct nlattr *attribute = NULL;

	while ((attribute = next_attribute(attribute, start, end)))
		if ((uint32_t)((const char *)attribute - (const char *)message) == offset)
			return mnl_attr_get_type(attribute);
	return 0;
}

void replies_start(struct replies *replies, const struct command *command, uint16_t family,
		   uint32_t sequence)
{
	memset(replies, 0, sizeof(*replies));
	replies->command = command;
	replies->family = family;
	replies->sequence = sequence;
}

void replies_free(struct replies *replies)
{
	free(replies->messages);
	replies->messages = NULL;
	replies->length = replies->room = 0;
}

const struct nlmsghdr *replies_next(const struct replies *replies, const struct nlmsghdr *message)
{
	size_t offset = 0;

	if (message)
		offset = (const char *)message - replies->messages + MNL_ALIGN(message->nlmsg_len);
	return offset < replies->length ? (const struct nlmsghdr *)(replies->messages + offset) : NULL;
}

static void keep(struct replies *replies, const struct nlmsghdr *message)
{
	size_t size = MNL_ALIGN(message->nlmsg_len);

	if (replies->room - replies->length < size) {
		replies->room = 2 * replies->room + size;
		replies->messages = grow(replies->messages, replies->room);
	}
	memcpy(replies->messages + replies->length, message, message->nlmsg_len);
	replies->length += size;
}

/* The extended acknowledgement that begins at `start`: a text, and where in the request the fault is. */
static void read_extended(struct replies *replies, const void *start, const void *end)
{
	const struct nlattr *attribute = NULL;

	while ((attribute = next_attribute(attribute, start, end))) {
		uint16_t length = mnl_attr_get_payload_len(attribute);
		const char *text = mnl_attr_get_payload(attribute);

		if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG)
			snprintf(replies->text, sizeof(replies->text), "%.*s", (int)length, text);
		else if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_OFFS && length == sizeof(uint32_t))
			replies->offset = mnl_attr_get_u32(attribute);
	}
}

/* The end of the replies: the negative errno comes first, in NLMSG_ERROR as in a dump's NLMSG_DONE. */
static enum verdict read_end(struct replies *replies, const struct nlmsghdr *message)
{
	const char *payload = mnl_nlmsg_get_payload(message);
	const char *end = (const char *)message + message->nlmsg_len;
	size_t size = message->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);
	int error;

	if ((size_t)(end - payload) < size)
		goto malformed;
	memcpy(&error, payload, sizeof(error));
	if (error > 0 || error < -4095)
		goto malformed;
	replies->error = -error;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS) {
		/* The request's own payload stands in between, unless the kernel left it out. */
		if (message->nlmsg_type == NLMSG_ERROR && !(message->nlmsg_flags & NLM_F_CAPPED)) {
			struct nlmsgerr about;

			memcpy(&about, payload, sizeof(about));
			if (about.msg.nlmsg_len < NLMSG_HDRLEN ||
			    about.msg.nlmsg_len - NLMSG_HDRLEN > (size_t)(end - payload) - size)
				goto malformed;
			size += MNL_ALIGN(about.msg.nlmsg_len - NLMSG_HDRLEN);
		}
		read_extended(replies, payload + size, end);
	}
	if (error)
		return REFUSED;
	return replies->interrupted ? INTERRUPTED : FINISHED;
malformed:
	snprintf(replies->text, sizeof(replies->text), "the end of the replies to %s is malformed",
		 replies->command->name);
	return MALFORMED;
}

static enum verdict take_message(struct replies *replies, const struct nlmsghdr *message)
{
	struct fields fields;

	/* What belongs to an earlier request, for example one whose dump was given up. */
	if (message->nlmsg_seq != replies->sequence)
		return UNFINISHED;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		replies->interrupted = true;
	if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE)
		return read_end(replies, message);
	if (message->nlmsg_type != replies->family)
		return UNFINISHED;
	if (!message_read(replies->command, message, &fields, replies->text, sizeof(replies->text)))
		return MALFORMED;
	keep(replies, message);
	return UNFINISHED;
}

const struct nlmsghdr *message_take(const char **data, size_t *left)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)*data;
	size_t size;

	/* Not mnl_nlmsg_ok: to that, lengths of 2 GiB and more are negative and thus small. */
	if (*left < sizeof(*message) || message->nlmsg_len < sizeof(*message) || message->nlmsg_len > *left)
		return NULL;
	size = MNL_ALIGN((size_t)message->nlmsg_len);
	if (size > *left)
		size = *left;
	*data += size;
	*left -= size;
	return message;
}

enum verdict replies_take(struct replies *replies, const void *data, size_t length)
{
	const struct nlmsghdr *message;
	const char *at = data;

	while ((message = message_take(&at, &length))) {
		enum verdict verdict = take_message(replies, message);

		if (verdict != UNFINISHED)
			return verdict;
	}
	if (!length)
		return UNFINISHED;
	snprintf(replies->text, sizeof(replies->text), "a reply to %s ends within a message",
		 replies->command->name);
	return MALFORMED;
}
