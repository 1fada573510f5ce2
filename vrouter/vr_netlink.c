// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vrouter": a handler per command of
 * schema/vrouter.yaml. The numbers, policies and the table of operations are
 * generated from there, and the core has validated a request's attributes
 * against them before it calls a handler.
 *
 * Handlers run one at a time: the family doesn't set parallel_ops, so the core
 * holds genl_mutex. The rtnl lock nests inside it; hence nothing here may be
 * called, and the family not be registered, with rtnl held.
 */
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <net/genetlink.h>

#include "vr_compat.h"
#include "vr_nl.h"
#include "vr_nl_policy.h"
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
};

MODULE_ALIAS_GENL_FAMILY(VR_FAMILY_NAME);

int vr_nl_version_get(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *header;

	if (!reply)
		return -ENOMEM;
	header = genlmsg_put_reply(reply, info, &vr_family, 0, VR_CMD_VERSION_GET);
	if (!header || nla_put_string(reply, VR_VERSION_ATTR_MODULE, VR_VERSION)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);
}

/* One interface as a message. The caller holds rtnl, which keeps the name still. */
static int vif_put(struct sk_buff *reply, const struct net_device *dev, u32 portid, u32 seq, int flags)
{
	struct vr_counters sum;
	void *header;

	ASSERT_RTNL();
	vr_vhost_counters(dev, &sum);
	header = genlmsg_put(reply, portid, seq, &vr_family, flags, VR_CMD_VIF_GET);
	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(reply, VR_VIF_ATTR_IFINDEX, dev->ifindex) ||
	    nla_put_string(reply, VR_VIF_ATTR_NAME, dev->name) ||
	    nla_put_u64_64bit(reply, VR_VIF_ATTR_RX_PACKETS, sum.rx_packets, VR_VIF_ATTR_PAD) ||
	    nla_put_u64_64bit(reply, VR_VIF_ATTR_RX_BYTES, sum.rx_bytes, VR_VIF_ATTR_PAD) ||
	    nla_put_u64_64bit(reply, VR_VIF_ATTR_TX_PACKETS, sum.tx_packets, VR_VIF_ATTR_PAD) ||
	    nla_put_u64_64bit(reply, VR_VIF_ATTR_TX_BYTES, sum.tx_bytes, VR_VIF_ATTR_PAD) ||
	    nla_put_u64_64bit(reply, VR_VIF_ATTR_DROPS, sum.drops, VR_VIF_ATTR_PAD)) {
		genlmsg_cancel(reply, header);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, header);
	return 0;
}

int vr_nl_vif_get(struct sk_buff *request, struct genl_info *info)
{
	struct nlattr *ifindex = info->attrs[VR_VIF_ATTR_IFINDEX];
	struct sk_buff *reply;
	int err;

	if (!ifindex) {
		GENL_SET_ERR_MSG(info, "ifindex: required");
		return -EINVAL;
	}
	if (nla_get_u32(ifindex) != vrouter.vhost->ifindex) {
		NL_SET_ERR_MSG_ATTR(info->extack, ifindex, "ifindex: not an interface of the router");
		return -ENODEV;
	}
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	rtnl_lock();
	err = vif_put(reply, vrouter.vhost, info->snd_portid, info->snd_seq, 0);
	rtnl_unlock();
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return genlmsg_reply(reply, info);
}

/*
 * Called until it adds nothing more to the message; cb->args[0] keeps between
 * the calls how many interfaces were sent. vhost0 is the only one as yet.
 */
int vr_nl_vif_get_dump(struct sk_buff *reply, struct netlink_callback *cb)
{
	struct nlattr *ifindex = vr_dump_attrs(cb)[VR_VIF_ATTR_IFINDEX];
	int err;

	if (cb->args[0])
		return 0;
	if (ifindex && nla_get_u32(ifindex) != vrouter.vhost->ifindex)
		return 0;
	rtnl_lock();
	err = vif_put(reply, vrouter.vhost, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, NLM_F_MULTI);
	rtnl_unlock();
	if (err)
		return err;
	cb->args[0] = 1;
	return reply->len;
}

int __init vr_netlink_init(void)
{
	return genl_register_family(&vr_family);
}

void vr_netlink_exit(void)
{
	genl_unregister_family(&vr_family);
}
