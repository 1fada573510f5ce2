// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replies as the kernel would send them, mutated, through the code that vr reads them with. Each lies
 * in memory of exactly its size, so that a sanitizer notices a read behind its end.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "modes.h"
#include "mutate.h"
#include "odd.h"
#include "output.h"
#include "random.h"

#define FAMILY 31
#define SEQUENCE 7
/* The most messages of a reply besides its end. */
#define ROWS 6

/* The end of a dump, or an error or acknowledgement; returns where its attributes begin. */
static size_t write_end(struct nlmsghdr *message, const struct command *command)
{
	char request[REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsgerr about = { .error = random_below(2) ? 0 : -(int)random_below(200) };
	size_t offset = sizeof(about.error);
	char text[64];

	mnl_nlmsg_put_header(message);
	message->nlmsg_seq = SEQUENCE;
	message->nlmsg_flags = NLM_F_ACK_TLVS;
	if (random_below(2)) {
		message->nlmsg_type = NLMSG_DONE;
		message->nlmsg_flags |= NLM_F_MULTI;
		memcpy(mnl_nlmsg_put_extra_header(message, offset), &about, offset);
	} else {
		const struct nlmsghdr *asked = odd_request(request, command, FAMILY, SEQUENCE);
		size_t size = asked->nlmsg_len;

		message->nlmsg_type = NLMSG_ERROR;
		if (random_below(2)) {
			message->nlmsg_flags |= NLM_F_CAPPED;
			size = sizeof(*asked);
		}
		offset += MNL_ALIGN(size);
		memcpy(mnl_nlmsg_put_extra_header(message, sizeof(about.error)), &about, sizeof(about.error));
		memcpy(mnl_nlmsg_put_extra_header(message, size), asked, size);
	}
	if (random_below(2)) {
		snprintf(text, sizeof(text), "%s: not today", command->set->attributes[1].name);
		mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, text);
		mnl_attr_put_u32(message, NLMSGERR_ATTR_OFFS, random_below(64));
	}
	return offset;
}

/* A reply, mutated, mostly with its end; returns its length, and counts its messages. */
static size_t write_reply(char *buffer, const struct command *command, unsigned long *messages)
{
	uint32_t rows = random_below(ROWS + 1), mislead = random_below(64);
	uint32_t last = random_below(4) ? rows : random_below(rows + 1);
	size_t length = 0;

	for (uint32_t row = 0; row <= last; row++) {
		struct nlmsghdr *message = (struct nlmsghdr *)(buffer + length);
		size_t offset = sizeof(struct genlmsghdr);

		if (row == rows) {
			offset = write_end(message, command);
		} else {
			odd_reply(message, command, FAMILY, SEQUENCE);
			if (!random_below(64))
				message->nlmsg_flags |= NLM_F_DUMP_INTR;
		}
		mutate(message, offset, REQUEST_MAX);
		length += row == last ? message->nlmsg_len : MNL_ALIGN(message->nlmsg_len);
		if (row == mislead)
			mutate_length(message);
		++*messages;
	}
	/* A part may be all that arrives. */
	return random_below(8) ? length : random_below(length);
}

/* What vr does with what came: it reads all of it, and prints it both ways. */
static enum verdict take(const void *reply, size_t length, const struct command *command)
{
	char request[REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct replies replies;
	enum verdict verdict;

	replies_start(&replies, command, FAMILY, SEQUENCE);
	verdict = replies_take(&replies, reply, length);
	if (verdict == REFUSED)
		attribute_at(odd_request(request, command, FAMILY, SEQUENCE), replies.offset);
	output_table(&replies, random_below(2));
	output_json_list(&replies, random_below(2));
	output_json_object(&replies);
	replies_free(&replies);
	return verdict;
}

enum code fuzz_replies(const struct run *run)
{
	static char buffer[(ROWS + 1) * REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	static const char *const names[] = {
		[UNFINISHED] = "replies without an end",
		[FINISHED] = "whole replies",
		[REFUSED] = "refusals",
		[INTERRUPTED] = "interrupted dumps",
		[MALFORMED] = "malformed replies",
	};
	unsigned long done = 0, counts[sizeof(names) / sizeof(*names)] = { 0 };

	/* What is printed is of no interest, only that it is. */
	if (!freopen("/dev/null", "w", stdout))
		return complain(CODE_REFUSED, "/dev/null: %s", strerror(errno));
	while (done < run->messages) {
		const struct command *command = odd_command();
		size_t length = write_reply(buffer, command, &done);
		char *reply = memcpy(grow(NULL, length ? length : 1), buffer, length);

		counts[take(reply, length, command)]++;
		free(reply);
		progress(run, done);
	}
	print_counts(names, counts, sizeof(names) / sizeof(*names));
	return CODE_OK;
}
