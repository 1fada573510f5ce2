/* SPDX-License-Identifier: GPL-2.0-only */
/* Values and messages that are valid but odd, made from the schema's tables. */
#ifndef ODD_H
#define ODD_H

#include <linux/netlink.h>

#include "schema.h"

/* Any command of the schema. */
const struct command *odd_command(void);

/* A request of the command, with any of its attributes, in a buffer of REQUEST_MAX bytes. */
struct nlmsghdr *odd_request(void *buffer, const struct command *command, uint16_t family, uint32_t sequence);

/* A message of a reply to the command, with any of its attributes, in a buffer of REQUEST_MAX bytes. */
struct nlmsghdr *odd_reply(void *buffer, const struct command *command, uint16_t family, uint32_t sequence);

#endif
