/* SPDX-License-Identifier: GPL-2.0-only */
/* A netlink socket to the module, for one command or many. */
#ifndef SESSION_H
#define SESSION_H

#include "complain.h"
#include "message.h"

/*
 * Sends a request and receives the replies; a dump that changes interrupted is asked for again. The
 * first call opens the socket. What fails has been complained about, except a refusal, which sets
 * `replies->error`: that is for the caller, who knows what the user typed. `request` is the message
 * that was sent, or NULL.
 */
enum code session_ask(const struct command *command, uint16_t flags, const struct fields *fields,
		      struct replies *replies, const struct nlmsghdr **request);

/* The family's number, once a request was answered. */
uint16_t session_family(void);

#endif
