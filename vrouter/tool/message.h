/* SPDX-License-Identifier: GPL-2.0-only */
/* Netlink messages: a request is written from fields, and the replies to it are read. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <linux/netlink.h>
#include <stddef.h>

#include "fields.h"

/* Room for any request. */
#define REQUEST_MAX 1024

/* Writes a request of at most REQUEST_MAX bytes into `buffer`, which is aligned as messages are. */
struct nlmsghdr *message_write(void *buffer, const struct command *command, uint16_t family,
			       uint16_t flags, uint32_t sequence, const struct fields *fields);

/* The message at `*data`, which then moves on behind it; NULL if what is left isn't a whole one. */
const struct nlmsghdr *message_take(const char **data, size_t *left);

/*
 * Takes a reply's attributes apart. Those that the schema doesn't know are passed over, for a newer
 * module may have more. False if the message isn't one; `problem` then says how.
 */
bool message_read(const struct command *command, const struct nlmsghdr *message, struct fields *fields,
		  char *problem, size_t size);

/* The number of the attribute at `offset` of a message, or 0. */
unsigned int attribute_at(const struct nlmsghdr *message, uint32_t offset);

enum verdict {
	UNFINISHED,	/* there is more to come */
	FINISHED,
	REFUSED,	/* the kernel said no; `error` and perhaps `text` and `offset` say why */
	INTERRUPTED,	/* tables changed during a dump: ask again */
	MALFORMED,	/* what came isn't a reply; `text` says how */
};

/* What the kernel has said to one request. */
struct replies {
	const struct command *command;
	uint16_t family;
	uint32_t sequence;
	bool interrupted;
	int error;		/* an errno */
	char text[256];		/* the kernel's message, or what is malformed; "" if there's none */
	uint32_t offset;	/* of the attribute at fault in the request; 0 if unknown */
	/* The reply's messages, each one read without a problem and aligned as messages are. */
	char *messages;
	size_t length, room;
};

void replies_start(struct replies *replies, const struct command *command, uint16_t family,
		   uint32_t sequence);

/* Takes what one receive call brought, whatever it is. */
enum verdict replies_take(struct replies *replies, const void *data, size_t length);

/* The message behind `message`, the first one for NULL; NULL if there's none. */
const struct nlmsghdr *replies_next(const struct replies *replies, const struct nlmsghdr *message);

void replies_free(struct replies *replies);

#endif
