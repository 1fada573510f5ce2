// SPDX-License-Identifier: GPL-2.0-only
#include "session.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include "vr_nl.h"

/* How often a dump is asked for before "it keeps changing" is the answer. */
#define DUMP_ATTEMPTS 100

/* The one command of the kernel's family of families that is needed: it gives a family's number. */
#define FAMILY_ID CTRL_ATTR_FAMILY_ID
#define FAMILY_NAME CTRL_ATTR_FAMILY_NAME

static const struct attribute family_attributes[] = {
	[FAMILY_ID] = { .name = "family-id", .type = TYPE_U16, .max = UINT16_MAX },
	[FAMILY_NAME] = { .name = "family-name", .type = TYPE_STRING, .max = GENL_NAMSIZ - 1 },
};

static const struct attribute_set family_set = {
	.name = "family", .attributes = family_attributes, .last = FAMILY_NAME,
};

static const struct command get_family = {
	.name = "family-get", .number = CTRL_CMD_GETFAMILY, .set = &family_set, .request = { FAMILY_NAME },
};

static struct mnl_socket *connection;
static uint16_t vrouter_family;
static uint32_t sequence;

static enum code trouble(const char *what)
{
	return complain(CODE_REFUSED, "%s: %s", what, strerror(errno));
}

/* One request, once. The replies' verdict, or UNFINISHED after a complaint. */
static enum verdict ask_once(const struct command *command, uint16_t family, uint16_t flags,
			     const struct fields *fields, struct replies *replies,
			     const struct nlmsghdr **request)
{
	/* The kernel sends no more at a time than the reader's room, and at most 32 KiB. */
	static char buffer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	static char sent[REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	enum verdict verdict = UNFINISHED;

	*request = message_write(sent, command, family, flags | NLM_F_ACK, ++sequence, fields);
	replies_start(replies, command, family, sequence);
	if (mnl_socket_sendto(connection, *request, (*request)->nlmsg_len) < 0) {
		trouble("sending to the kernel");
		return UNFINISHED;
	}
	do {
		ssize_t received = mnl_socket_recvfrom(connection, buffer, sizeof(buffer));

		if (received < 0 && errno == EINTR)
			continue;
		if (received <= 0) {
			trouble("receiving from the kernel");
			return UNFINISHED;
		}
		verdict = replies_take(replies, buffer, received);
	} while (verdict == UNFINISHED);
	return verdict;
}

static enum code ask(const struct command *command, uint16_t family, uint16_t flags,
		     const struct fields *fields, struct replies *replies, const struct nlmsghdr **request)
{
	for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
		switch (ask_once(command, family, flags, fields, replies, request)) {
		case FINISHED:
			return CODE_OK;
		case REFUSED:
		case UNFINISHED:
			return CODE_REFUSED;
		case MALFORMED:
			return complain(CODE_REFUSED, "%s; are vr and the module of one version?",
					replies->text);
		case INTERRUPTED:
			replies_free(replies);
		}
	}
	return complain(CODE_REFUSED, "%s: the table changes faster than it can be read; try again",
			command->name);
}

static enum code open_connection(void)
{
	int on = 1;

	connection = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!connection)
		return trouble("opening a netlink socket");
	if (mnl_socket_bind(connection, 0, MNL_SOCKET_AUTOPID) < 0)
		return trouble("binding a netlink socket");
	/* Errors come with a text, and without the request. */
	mnl_socket_setsockopt(connection, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(connection, NETLINK_CAP_ACK, &on, sizeof(on));
	return CODE_OK;
}

/* Asks the kernel for the number that the family has since the module was loaded. */
static enum code find_family(void)
{
	struct fields name = { .there = BIT(FAMILY_NAME) }, family;
	const struct nlmsghdr *request;
	struct replies replies;
	enum code code;

	strcpy(name.values[FAMILY_NAME].string, VR_FAMILY_NAME);
	code = ask(&get_family, GENL_ID_CTRL, 0, &name, &replies, &request);
	if (code == CODE_OK) {
		const struct nlmsghdr *reply = replies_next(&replies, NULL);

		if (!reply || !message_read(&get_family, reply, &family, replies.text, sizeof(replies.text)) ||
		    !(family.there & BIT(FAMILY_ID)))
			code = complain(CODE_REFUSED, "the kernel doesn't say which number family %s has",
					VR_FAMILY_NAME);
		else
			vrouter_family = family.values[FAMILY_ID].number;
	} else if (replies.error == ENOENT) {
		complain(CODE_REFUSED, "module not loaded: modprobe vrouter");
	} else if (replies.error) {
		complain(CODE_REFUSED, "asking for family %s: %s", VR_FAMILY_NAME, strerror(replies.error));
	}
	replies_free(&replies);
	return code;
}

enum code session_ask(const struct command *command, uint16_t flags, const struct fields *fields,
		      struct replies *replies, const struct nlmsghdr **request)
{
	enum code code = CODE_OK;

	replies_start(replies, command, vrouter_family, sequence);
	*request = NULL;
	if (!connection)
		code = open_connection();
	if (!code && !vrouter_family)
		code = find_family();
	return code ? code : ask(command, vrouter_family, flags, fields, replies, request);
}

uint16_t session_family(void)
{
	return vrouter_family;
}
