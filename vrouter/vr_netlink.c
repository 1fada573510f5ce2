// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vrouter", and what the handlers of its commands
 * share. Each handler is beside the table that it is about; numbers, policies
 * and the table of operations are generated from schema/vrouter.yaml, and the
 * core has validated a request's attributes against them before it calls one.
 *
 * Handlers run one at a time: the family doesn't set parallel_ops, so the core
 * holds genl_mutex. rtnl and vrouter.lock nest inside it, in this order; hence
 * the family must not be registered with either held.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include "vr_compat.h"
#include "vr_netlink.h"
#include "vrouter.h"

/*
 * netnsok stays unset: the router belongs to the initial network namespace,
 * and the others don't see its family.
 */
static struct genl_family vr_family __ro_after_init = {
	.name = VR_FAMILY_NAME,
	.version = VR_FAMILY_VERSION,
	.module = THIS_MODULE,
	.ops = vr_nl_ops,
	.n_ops = VR_NL_OPS_COUNT,
	VR_ACCEPT_NLM_FLAGS(VR_CMD_MAX)
};

MODULE_ALIAS_GENL_FAMILY(VR_FAMILY_NAME);

/* Completes the message whose header was put, or takes it back if it doesn't fit. */
static int message_finish(struct sk_buff *message, void *header, vr_nl_fill fill, u32 number, const void *entry)
{
	if (fill(message, number, entry)) {
		genlmsg_cancel(message, header);
		return -EMSGSIZE;
	}
	genlmsg_end(message, header);
	return 0;
}

/* Answers a request about one entry. */
int vr_nl_reply(struct genl_info *info, u8 cmd, vr_nl_fill fill, u32 number, const void *entry)
{
	struct sk_buff *reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *header;

	if (!reply)
		return -ENOMEM;
	header = genlmsg_put_reply(reply, info, &vr_family, 0, cmd);
	if (!header || message_finish(reply, header, fill, number, entry)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return genlmsg_reply(reply, info);
}

/* Adds an entry to a dump; -EMSGSIZE when the message is full, and the next call goes on from there. */
int vr_nl_dump_put(struct sk_buff *reply, struct netlink_callback *cb, u8 cmd,
		   vr_nl_fill fill, u32 number, const void *entry)
{
	void *header = genlmsg_put(reply, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &vr_family, NLM_F_MULTI, cmd);

	if (!header)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, header);
	return message_finish(reply, header, fill, number, entry);
}

/*
 * A dump of a table, or of the one entry whose number `only` has. It is called
 * until it adds nothing more; cb->args[0] keeps between the calls which number
 * comes next. The lock is let go between them, and cb->seq is how the core
 * notices that the table has changed meanwhile.
 */
int vr_nl_dump_table(struct sk_buff *reply, struct netlink_callback *cb, u8 cmd,
		     vr_nl_fill fill, struct vr_table *table, const struct nlattr *only)
{
	unsigned long number;
	void *entry;

	lockdep_assert_held(&vrouter.lock);
	cb->seq = table->generation;
	xa_for_each_start(&table->entries, number, entry, cb->args[0]) {
		if (only && number != nla_get_u32(only))
			continue;
		if (vr_nl_dump_put(reply, cb, cmd, fill, number, entry))
			break;
		cb->args[0] = number + 1;
	}
	return reply->len;
}

static int version_fill(struct sk_buff *message, u32 number, const void *entry)
{
	return nla_put_string(message, VR_VERSION_ATTR_MODULE, VR_VERSION);
}

int vr_nl_version_get(struct sk_buff *request, struct genl_info *info)
{
	return vr_nl_reply(info, VR_CMD_VERSION_GET, version_fill, 0, NULL);
}

int __init vr_netlink_init(void)
{
	return genl_register_family(&vr_family);
}

void vr_netlink_exit(void)
{
	genl_unregister_family(&vr_family);
}
