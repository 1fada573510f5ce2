/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes to netlink messages that no well-behaved sender would make. */
#ifndef MUTATE_H
#define MUTATE_H

#include <linux/netlink.h>
#include <stddef.h>

/*
 * Changes a message a few times, or leaves it as it is. Its attributes begin `offset` bytes behind its
 * header. The length in the header stays that of the message's bytes, and at most `room`.
 */
void mutate(struct nlmsghdr *message, size_t offset, size_t room);

/* Gives the header a length that isn't the message's own. Who reads on behind it is lost. */
void mutate_length(struct nlmsghdr *message);

#endif
