// SPDX-License-Identifier: GPL-2.0-only
/*
 * Next hops: what becomes of a packet that a route or a label leads to.
 */
#include <linux/in.h>
#include <linux/slab.h>

#include "vr_compat.h"
#include "vr_netlink.h"
#include "vrouter.h"

static struct vr_action *nh_action(const struct vr_nh *nh)
{
	return rcu_dereference_protected(nh->action, lockdep_is_held(&vrouter.lock));
}

static struct vr_vif *action_vif(const struct vr_action *action)
{
	return rcu_dereference_protected(action->vif, lockdep_is_held(&vrouter.lock));
}

/* The interface goes: what was sent out of it is dropped from now on. */
void vr_nh_forget_vif(const struct vr_vif *vif)
{
	struct vr_nh *nh;
	unsigned long id;

	xa_for_each(&vrouter.nexthops.entries, id, nh) {
		if (action_vif(nh_action(nh)) != vif)
			continue;
		RCU_INIT_POINTER(nh_action(nh)->vif, NULL);
		vrouter.nexthops.generation++;
	}
}

static bool is_unicast(const struct nlattr *attr)
{
	__be32 address = nla_get_in_addr(attr);

	return !ipv4_is_zeronet(address) && !ipv4_is_loopback(address) &&
	       !ipv4_is_multicast(address) && !ipv4_is_lbcast(address);
}

/* A field that next hops of some types have, which `owner` tells, and the others don't. */
#define NH_FIELD(info, attr, field, wanted, owner)				\
	((wanted) ? VR_NL_REQUIRE(info, attr, field) :				\
	 (info)->attrs[attr] ?							\
		VR_NL_FAIL(info, attr, -EINVAL, field ": only " owner " has one") : 0)

/* That the fields are those of the type, and their values as far as they don't depend on tables. */
static int nh_check_fields(struct genl_info *info, u8 type)
{
	bool tunnel = type == VR_NH_TYPE_TUNNEL;
	bool sends = tunnel || type == VR_NH_TYPE_ENCAP;
	struct nlattr **attrs = info->attrs;
	int err;

	err = NH_FIELD(info, VR_NH_ATTR_IFINDEX, "ifindex", sends, "an encap or a tunnel") ?:
	      NH_FIELD(info, VR_NH_ATTR_DMAC, "dmac", sends, "an encap or a tunnel") ?:
	      NH_FIELD(info, VR_NH_ATTR_SMAC, "smac", sends && attrs[VR_NH_ATTR_SMAC], "an encap or a tunnel") ?:
	      NH_FIELD(info, VR_NH_ATTR_LOCAL, "local", tunnel, "a tunnel") ?:
	      NH_FIELD(info, VR_NH_ATTR_REMOTE, "remote", tunnel, "a tunnel") ?:
	      NH_FIELD(info, VR_NH_ATTR_LABEL, "label", tunnel, "a tunnel");
	if (err)
		return err;
	if (sends && !is_valid_ether_addr(nla_data(attrs[VR_NH_ATTR_DMAC])))
		return VR_NL_FAIL(info, VR_NH_ATTR_DMAC, -EINVAL, "dmac: not the address of one station");
	if (attrs[VR_NH_ATTR_SMAC] && !is_valid_ether_addr(nla_data(attrs[VR_NH_ATTR_SMAC])))
		return VR_NL_FAIL(info, VR_NH_ATTR_SMAC, -EINVAL, "smac: not the address of one station");
	if (tunnel && !is_unicast(attrs[VR_NH_ATTR_LOCAL]))
		return VR_NL_FAIL(info, VR_NH_ATTR_LOCAL, -EINVAL, "local: not the address of one host");
	if (tunnel && !is_unicast(attrs[VR_NH_ATTR_REMOTE]))
		return VR_NL_FAIL(info, VR_NH_ATTR_REMOTE, -EINVAL, "remote: not the address of one host");
	return 0;
}

/* The interface that the next hop is to send out of. */
static int nh_find_vif(struct genl_info *info, u8 type, struct vr_vif **vif)
{
	*vif = vr_table_get(&vrouter.vifs, nla_get_u32(info->attrs[VR_NH_ATTR_IFINDEX]));
	if (!*vif)
		return VR_NL_FAIL(info, VR_NH_ATTR_IFINDEX, -ENODEV, "ifindex: not an interface of the router");
	if ((*vif)->type == VR_VIF_TYPE_HOST)
		return VR_NL_FAIL(info, VR_NH_ATTR_IFINDEX, -EINVAL, "ifindex: only a receive leads to vhost0");
	if (type == VR_NH_TYPE_TUNNEL && (*vif)->type != VR_VIF_TYPE_FABRIC)
		return VR_NL_FAIL(info, VR_NH_ATTR_IFINDEX, -EINVAL, "ifindex: a tunnel goes out of a fabric interface");
	return 0;
}

static struct vr_action *action_create(struct genl_info *info, u8 type, struct vr_vif *vif)
{
	struct vr_action *action = kzalloc(sizeof(*action), GFP_KERNEL);
	struct nlattr **attrs = info->attrs;

	if (!action)
		return NULL;
	action->type = type;
	if (vif) {
		RCU_INIT_POINTER(action->vif, vif);
		ether_addr_copy(action->dmac, nla_data(attrs[VR_NH_ATTR_DMAC]));
	}
	action->has_smac = attrs[VR_NH_ATTR_SMAC];
	if (action->has_smac)
		ether_addr_copy(action->smac, nla_data(attrs[VR_NH_ATTR_SMAC]));
	if (type == VR_NH_TYPE_TUNNEL) {
		action->local = nla_get_in_addr(attrs[VR_NH_ATTR_LOCAL]);
		action->remote = nla_get_in_addr(attrs[VR_NH_ATTR_REMOTE]);
		action->label = nla_get_u32(attrs[VR_NH_ATTR_LABEL]);
	}
	return action;
}

/* For an action that nothing leads to any more, save for packets on their way. */
static void action_release(struct vr_action *action)
{
	struct vr_vif *vif = action_vif(action);

	if (vif)
		vif->users--;
	kfree_rcu(action, rcu);
}

/* Adds a next hop that does this; on an error the action is the caller's still. */
static int nh_create(u32 id, struct vr_action *action)
{
	struct vr_nh *nh = kzalloc(sizeof(*nh), GFP_KERNEL);
	int err;

	if (!nh)
		return -ENOMEM;
	nh->id = id;
	RCU_INIT_POINTER(nh->action, action);
	err = vr_table_set(&vrouter.nexthops, id, nh);
	if (err)
		kfree(nh);
	return err;
}

/* From now on packets meet the new action, and each meets one or the other whole. */
static void nh_replace(struct vr_nh *nh, struct vr_action *action)
{
	struct vr_action *old = nh_action(nh);

	rcu_assign_pointer(nh->action, action);
	vrouter.nexthops.generation++;
	action_release(old);
}

static int nh_add(struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct vr_action *action;
	struct vr_vif *vif = NULL;
	struct vr_nh *nh;
	int err;
	u32 id;
	u8 type;

	err = VR_NL_REQUIRE(info, VR_NH_ATTR_ID, "id") ?:
	      VR_NL_REQUIRE(info, VR_NH_ATTR_TYPE, "type");
	if (err)
		return err;
	id = nla_get_u32(attrs[VR_NH_ATTR_ID]);
	type = nla_get_u8(attrs[VR_NH_ATTR_TYPE]);
	nh = vr_table_get(&vrouter.nexthops, id);
	err = VR_NL_CHECK_ADD(info, VR_NH_ATTR_ID, "id", nh) ?: nh_check_fields(info, type);
	if (err)
		return err;
	if (nh && nh->labels && type == VR_NH_TYPE_TUNNEL)
		return VR_NL_FAIL(info, VR_NH_ATTR_TYPE, -EBUSY, "type: labels name it, and they can't lead to a tunnel");
	if (attrs[VR_NH_ATTR_IFINDEX]) {
		err = nh_find_vif(info, type, &vif);
		if (err)
			return err;
	}

	action = action_create(info, type, vif);
	if (!action)
		return -ENOMEM;
	if (nh) {
		nh_replace(nh, action);
	} else {
		err = nh_create(id, action);
		if (err) {
			kfree(action);
			return err;
		}
	}
	if (vif)
		vif->users++;
	return 0;
}

static int nh_find(struct genl_info *info, struct vr_nh **nh)
{
	int err = VR_NL_REQUIRE(info, VR_NH_ATTR_ID, "id");

	if (err)
		return err;
	*nh = vr_table_get(&vrouter.nexthops, nla_get_u32(info->attrs[VR_NH_ATTR_ID]));
	if (!*nh)
		return VR_NL_FAIL(info, VR_NH_ATTR_ID, -ENOENT, "id: no such next hop");
	return 0;
}

static int nh_del(struct genl_info *info)
{
	struct vr_nh *nh;
	int err;

	err = nh_find(info, &nh);
	if (err)
		return err;
	if (nh->routes || nh->labels)
		return VR_NL_FAIL(info, VR_NH_ATTR_ID, -EBUSY, "id: routes or labels name it");
	vr_table_remove(&vrouter.nexthops, nh->id);
	action_release(nh_action(nh));
	kfree_rcu(nh, rcu);
	return 0;
}

static int nh_fill(struct sk_buff *message, u32 id, const void *entry)
{
	const struct vr_nh *nh = entry;
	const struct vr_action *action = nh_action(nh);
	const struct vr_vif *vif = action_vif(action);
	bool tunnel = action->type == VR_NH_TYPE_TUNNEL;
	bool sends = tunnel || action->type == VR_NH_TYPE_ENCAP;

	return nla_put_u32(message, VR_NH_ATTR_ID, id) ||
	       nla_put_u8(message, VR_NH_ATTR_TYPE, action->type) ||
	       (vif && nla_put_u32(message, VR_NH_ATTR_IFINDEX, vif->dev->ifindex)) ||
	       (sends && nla_put(message, VR_NH_ATTR_DMAC, ETH_ALEN, action->dmac)) ||
	       (action->has_smac && nla_put(message, VR_NH_ATTR_SMAC, ETH_ALEN, action->smac)) ||
	       (tunnel && (nla_put_in_addr(message, VR_NH_ATTR_LOCAL, action->local) ||
			   nla_put_in_addr(message, VR_NH_ATTR_REMOTE, action->remote) ||
			   nla_put_u32(message, VR_NH_ATTR_LABEL, action->label))) ||
	       nla_put_u32(message, VR_NH_ATTR_USERS, nh->routes + nh->labels);
}

static int nh_get(struct genl_info *info)
{
	struct vr_nh *nh;
	int err;

	err = nh_find(info, &nh);
	if (err)
		return err;
	return vr_nl_reply(info, VR_CMD_NH_GET, nh_fill, nh->id, nh);
}

int vr_nl_nh_add(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = nh_add(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_nh_del(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = nh_del(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_nh_get(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = nh_get(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_nh_get_dump(struct sk_buff *reply, struct netlink_callback *cb)
{
	int length;

	mutex_lock(&vrouter.lock);
	length = vr_nl_dump_table(reply, cb, VR_CMD_NH_GET, nh_fill, &vrouter.nexthops,
				  vr_dump_attrs(cb)[VR_NH_ATTR_ID]);
	mutex_unlock(&vrouter.lock);
	return length;
}

/* Called when no packet comes any more. */
void vr_nh_exit(void)
{
	struct vr_nh *nh;
	unsigned long id;

	xa_for_each(&vrouter.nexthops.entries, id, nh) {
		kfree(rcu_dereference_protected(nh->action, true));
		kfree(nh);
	}
	xa_destroy(&vrouter.nexthops.entries);
}
