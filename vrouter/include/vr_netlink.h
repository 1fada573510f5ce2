/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_NETLINK_H
#define VR_NETLINK_H

#include <linux/netlink.h>
#include <net/genetlink.h>

#include "vr_nl.h"
#include "vr_nl_policy.h"
#include "vr_table.h"

/*
 * Refuses a request: `msg` begins with the field's name, and user space also
 * learns where in its message the attribute is, if it is there.
 */
#define VR_NL_FAIL(info, attr, err, msg) ({					\
	NL_SET_ERR_MSG_ATTR((info)->extack, (info)->attrs[attr], msg);		\
	(err);									\
})

#define VR_NL_REQUIRE(info, attr, field)					\
	((info)->attrs[attr] ? 0 : VR_NL_FAIL(info, attr, -EINVAL, field ": required"))

/* Without NLM_F_REPLACE only adds; with it only changes, unless NLM_F_CREATE is there, too. */
#define VR_NL_CHECK_ADD(info, attr, field, exists) ({				\
	u16 __flags = (info)->nlhdr->nlmsg_flags;				\
	int __err = 0;								\
										\
	if ((exists) && !(__flags & NLM_F_REPLACE))				\
		__err = VR_NL_FAIL(info, attr, -EEXIST, field ": there already"); \
	else if (!(exists) && (__flags & NLM_F_REPLACE) && !(__flags & NLM_F_CREATE)) \
		__err = VR_NL_FAIL(info, attr, -ENOENT, field ": none to replace"); \
	__err;									\
})

/* Puts an entry's attributes into a message; nonzero if they don't fit. */
typedef int (*vr_nl_fill)(struct sk_buff *message, u32 number, const void *entry);

int vr_nl_reply(struct genl_info *info, u8 cmd, vr_nl_fill fill, u32 number, const void *entry);
int vr_nl_dump_put(struct sk_buff *reply, struct netlink_callback *cb, u8 cmd,
		   vr_nl_fill fill, u32 number, const void *entry);
int vr_nl_dump_table(struct sk_buff *reply, struct netlink_callback *cb, u8 cmd,
		     vr_nl_fill fill, struct vr_table *table, const struct nlattr *only);

#endif
