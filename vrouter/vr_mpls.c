// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MPLS labels that this router gave to others: packets that come through a
 * tunnel with one of them go to its next hop.
 */
#include "vr_compat.h"
#include "vr_netlink.h"
#include "vrouter.h"

static int mpls_add(struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct vr_nh *old, *nh;
	u32 label;
	int err;

	err = VR_NL_REQUIRE(info, VR_MPLS_ATTR_LABEL, "label") ?:
	      VR_NL_REQUIRE(info, VR_MPLS_ATTR_NH, "nh");
	if (err)
		return err;
	label = nla_get_u32(attrs[VR_MPLS_ATTR_LABEL]);
	old = vr_table_get(&vrouter.labels, label);
	err = VR_NL_CHECK_ADD(info, VR_MPLS_ATTR_LABEL, "label", old);
	if (err)
		return err;
	nh = vr_table_get(&vrouter.nexthops, nla_get_u32(attrs[VR_MPLS_ATTR_NH]));
	if (!nh)
		return VR_NL_FAIL(info, VR_MPLS_ATTR_NH, -ENOENT, "nh: no such next hop");
	/* A packet from a tunnel doesn't enter another: routers in a ring would pass it round. */
	if (rcu_dereference_protected(nh->action, lockdep_is_held(&vrouter.lock))->type == VR_NH_TYPE_TUNNEL)
		return VR_NL_FAIL(info, VR_MPLS_ATTR_NH, -EINVAL, "nh: a label can't lead to a tunnel");
	if (!old && vrouter.labels.count >= VR_MAX_LABELS)
		return VR_NL_FAIL(info, VR_MPLS_ATTR_LABEL, -ENOSPC, "label: the router has its most labels");
	err = vr_table_set(&vrouter.labels, label, nh);
	if (err)
		return err;
	if (old)
		old->labels--;
	nh->labels++;
	return 0;
}

static int mpls_find(struct genl_info *info, u32 *label, struct vr_nh **nh)
{
	int err = VR_NL_REQUIRE(info, VR_MPLS_ATTR_LABEL, "label");

	if (err)
		return err;
	*label = nla_get_u32(info->attrs[VR_MPLS_ATTR_LABEL]);
	*nh = vr_table_get(&vrouter.labels, *label);
	if (!*nh)
		return VR_NL_FAIL(info, VR_MPLS_ATTR_LABEL, -ENOENT, "label: no such label");
	return 0;
}

static int mpls_del(struct genl_info *info)
{
	struct vr_nh *nh;
	u32 label;
	int err;

	err = mpls_find(info, &label, &nh);
	if (err)
		return err;
	vr_table_remove(&vrouter.labels, label);
	nh->labels--;
	return 0;
}

static int mpls_fill(struct sk_buff *message, u32 label, const void *entry)
{
	const struct vr_nh *nh = entry;

	return nla_put_u32(message, VR_MPLS_ATTR_LABEL, label) ||
	       nla_put_u32(message, VR_MPLS_ATTR_NH, nh->id);
}

static int mpls_get(struct genl_info *info)
{
	struct vr_nh *nh;
	u32 label;
	int err;

	err = mpls_find(info, &label, &nh);
	if (err)
		return err;
	return vr_nl_reply(info, VR_CMD_MPLS_GET, mpls_fill, label, nh);
}

int vr_nl_mpls_add(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = mpls_add(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_mpls_del(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = mpls_del(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_mpls_get(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = mpls_get(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_mpls_get_dump(struct sk_buff *reply, struct netlink_callback *cb)
{
	int length;

	mutex_lock(&vrouter.lock);
	length = vr_nl_dump_table(reply, cb, VR_CMD_MPLS_GET, mpls_fill, &vrouter.labels,
				  vr_dump_attrs(cb)[VR_MPLS_ATTR_LABEL]);
	mutex_unlock(&vrouter.lock);
	return length;
}

void vr_label_exit(void)
{
	xa_destroy(&vrouter.labels.entries);
}
