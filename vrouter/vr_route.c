// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VRFs' tables of IPv4 routes. All routes are in one hash table, by VRF,
 * prefix and length; each VRF knows which lengths it has. A lookup tries these
 * from the longest on, so it takes at most 33 steps and mostly a few, and to
 * add or delete a route touches nothing but the route itself.
 */
#include <linux/hashtable.h>
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "vr_compat.h"
#include "vr_netlink.h"
#include "vrouter.h"

#define LENGTHS 33		/* 0 to 32 */

struct vr_route {
	struct hlist_node node;
	__be32 prefix;
	u32 vrf;
	u8 length;
	struct vr_nh __rcu *nh;
	struct rcu_head rcu;
};

static DEFINE_HASHTABLE(routes, 14);
static u32 route_count;
static u32 route_generation = 1;	/* as in struct vr_table */
static u32 route_seed;

static struct {
	u64 lengths;			/* a bit for each that some route has */
	u32 count[LENGTHS];
} vrfs[VR_VRFS];

static u32 route_hash(u32 vrf, __be32 prefix, u8 length)
{
	return jhash_3words((__force u32)prefix, vrf, length, route_seed);
}

/* The caller holds the lock or is in an RCU section. */
static struct vr_route *route_find(u32 vrf, __be32 prefix, u8 length)
{
	struct vr_route *route;

	hash_for_each_possible_rcu(routes, route, node, route_hash(vrf, prefix, length),
				   lockdep_is_held(&vrouter.lock))
		if (route->vrf == vrf && route->prefix == prefix && route->length == length)
			return route;
	return NULL;
}

static struct vr_route *route_match(u32 vrf, __be32 address)
{
	u64 lengths = READ_ONCE(vrfs[vrf].lengths);
	struct vr_route *route;
	u8 length;

	while (lengths) {
		length = fls64(lengths) - 1;
		route = route_find(vrf, address & inet_make_mask(length), length);
		if (route)
			return route;
		lengths &= ~BIT_ULL(length);
	}
	return NULL;
}

/* Where packets to the address go, or NULL. The caller is in an RCU section. */
struct vr_nh *vr_route_lookup(u32 vrf, __be32 address)
{
	const struct vr_route *route = route_match(vrf, address);

	return route ? rcu_dereference(route->nh) : NULL;
}

static struct vr_nh *route_nh(const struct vr_route *route)
{
	return rcu_dereference_protected(route->nh, lockdep_is_held(&vrouter.lock));
}

static void route_insert(struct vr_route *route)
{
	hash_add_rcu(routes, &route->node, route_hash(route->vrf, route->prefix, route->length));
	if (!vrfs[route->vrf].count[route->length]++)
		WRITE_ONCE(vrfs[route->vrf].lengths, vrfs[route->vrf].lengths | BIT_ULL(route->length));
	route_count++;
	route_generation++;
}

static void route_remove(struct vr_route *route)
{
	if (!--vrfs[route->vrf].count[route->length])
		WRITE_ONCE(vrfs[route->vrf].lengths, vrfs[route->vrf].lengths & ~BIT_ULL(route->length));
	hash_del_rcu(&route->node);
	route_count--;
	route_generation++;
}

/* The route that a request names by VRF, prefix and length; NULL if there is none. */
static int route_named(struct genl_info *info, struct vr_route **route)
{
	struct nlattr **attrs = info->attrs;
	__be32 prefix;
	u8 length;
	int err;

	err = VR_NL_REQUIRE(info, VR_RT_ATTR_VRF, "vrf") ?:
	      VR_NL_REQUIRE(info, VR_RT_ATTR_PREFIX, "prefix") ?:
	      VR_NL_REQUIRE(info, VR_RT_ATTR_LENGTH, "length");
	if (err)
		return err;
	prefix = nla_get_in_addr(attrs[VR_RT_ATTR_PREFIX]);
	length = nla_get_u8(attrs[VR_RT_ATTR_LENGTH]);
	if (prefix & ~inet_make_mask(length))
		return VR_NL_FAIL(info, VR_RT_ATTR_PREFIX, -EINVAL, "prefix: bits behind the length are set");
	*route = route_find(nla_get_u32(attrs[VR_RT_ATTR_VRF]), prefix, length);
	return 0;
}

static int rt_add(struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct vr_route *route;
	struct vr_nh *nh;
	int err;

	err = route_named(info, &route) ?:
	      VR_NL_REQUIRE(info, VR_RT_ATTR_NH, "nh") ?:
	      VR_NL_CHECK_ADD(info, VR_RT_ATTR_PREFIX, "prefix", route);
	if (err)
		return err;
	nh = vr_table_get(&vrouter.nexthops, nla_get_u32(attrs[VR_RT_ATTR_NH]));
	if (!nh)
		return VR_NL_FAIL(info, VR_RT_ATTR_NH, -ENOENT, "nh: no such next hop");
	if (route) {
		route_nh(route)->routes--;
		rcu_assign_pointer(route->nh, nh);
		route_generation++;
	} else {
		if (route_count >= VR_MAX_ROUTES)
			return VR_NL_FAIL(info, VR_RT_ATTR_PREFIX, -ENOSPC, "prefix: the router has its most routes");
		route = kzalloc(sizeof(*route), GFP_KERNEL);
		if (!route)
			return -ENOMEM;
		route->vrf = nla_get_u32(attrs[VR_RT_ATTR_VRF]);
		route->prefix = nla_get_in_addr(attrs[VR_RT_ATTR_PREFIX]);
		route->length = nla_get_u8(attrs[VR_RT_ATTR_LENGTH]);
		RCU_INIT_POINTER(route->nh, nh);
		route_insert(route);
	}
	nh->routes++;
	return 0;
}

static int rt_del(struct genl_info *info)
{
	struct vr_route *route;
	int err;

	err = route_named(info, &route);
	if (err)
		return err;
	if (!route)
		return VR_NL_FAIL(info, VR_RT_ATTR_PREFIX, -ENOENT, "prefix: no such route");
	route_remove(route);
	route_nh(route)->routes--;
	kfree_rcu(route, rcu);
	return 0;
}

static int rt_fill(struct sk_buff *message, u32 number, const void *entry)
{
	const struct vr_route *route = entry;

	return nla_put_u32(message, VR_RT_ATTR_VRF, route->vrf) ||
	       nla_put_in_addr(message, VR_RT_ATTR_PREFIX, route->prefix) ||
	       nla_put_u8(message, VR_RT_ATTR_LENGTH, route->length) ||
	       nla_put_u32(message, VR_RT_ATTR_NH, route_nh(route)->id);
}

static int rt_get(struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct vr_route *route;
	int err;

	if (attrs[VR_RT_ATTR_ADDRESS]) {
		if (attrs[VR_RT_ATTR_PREFIX] || attrs[VR_RT_ATTR_LENGTH])
			return VR_NL_FAIL(info, VR_RT_ATTR_ADDRESS, -EINVAL,
					  "address: either it or prefix and length");
		err = VR_NL_REQUIRE(info, VR_RT_ATTR_VRF, "vrf");
		if (err)
			return err;
		route = route_match(nla_get_u32(attrs[VR_RT_ATTR_VRF]), nla_get_in_addr(attrs[VR_RT_ATTR_ADDRESS]));
		if (!route)
			return VR_NL_FAIL(info, VR_RT_ATTR_ADDRESS, -ENOENT, "address: no route matches it");
	} else {
		err = route_named(info, &route);
		if (err)
			return err;
		if (!route)
			return VR_NL_FAIL(info, VR_RT_ATTR_PREFIX, -ENOENT, "prefix: no such route");
	}
	return vr_nl_reply(info, VR_CMD_RT_GET, rt_fill, 0, route);
}

/*
 * All routes, or those of one VRF. cb->args[] keeps between the calls which
 * bucket, and how many of its routes were dealt with. As in vr_nl_dump_table(),
 * cb->seq tells the core of changes in between.
 */
static int rt_dump(struct sk_buff *reply, struct netlink_callback *cb)
{
	struct nlattr **attrs = vr_dump_attrs(cb);
	const struct nlattr *vrf = attrs[VR_RT_ATTR_VRF];
	struct vr_route *route;
	unsigned long n;

	if (attrs[VR_RT_ATTR_PREFIX] || attrs[VR_RT_ATTR_LENGTH] || attrs[VR_RT_ATTR_ADDRESS]) {
		NL_SET_ERR_MSG(cb->extack, "vrf: a dump takes nothing else");
		return -EINVAL;
	}
	cb->seq = route_generation;
	for (; cb->args[0] < HASH_SIZE(routes); cb->args[0]++, cb->args[1] = 0) {
		n = 0;
		hlist_for_each_entry(route, &routes[cb->args[0]], node) {
			if (n++ < cb->args[1])
				continue;
			if ((!vrf || route->vrf == nla_get_u32(vrf)) &&
			    vr_nl_dump_put(reply, cb, VR_CMD_RT_GET, rt_fill, 0, route))
				return reply->len;
			cb->args[1] = n;
		}
	}
	return reply->len;
}

int vr_nl_rt_add(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = rt_add(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_rt_del(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = rt_del(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_rt_get(struct sk_buff *request, struct genl_info *info)
{
	int err;

	mutex_lock(&vrouter.lock);
	err = rt_get(info);
	mutex_unlock(&vrouter.lock);
	return err;
}

int vr_nl_rt_get_dump(struct sk_buff *reply, struct netlink_callback *cb)
{
	int length;

	mutex_lock(&vrouter.lock);
	length = rt_dump(reply, cb);
	mutex_unlock(&vrouter.lock);
	return length;
}

/* So that nobody can choose prefixes which all get the same hash. */
void vr_route_init(void)
{
	route_seed = get_random_u32();
}

/* Called when no packet comes any more. */
void vr_route_exit(void)
{
	struct hlist_node *next;
	struct vr_route *route;
	unsigned int bucket;

	hash_for_each_safe(routes, bucket, next, route, node)
		kfree(route);
}
