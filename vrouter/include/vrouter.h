/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VROUTER_H
#define VROUTER_H

#include <linux/etherdevice.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>

#include "vr_drop.h"
#include "vr_stats.h"
#include "vr_table.h"

#define VR_VERSION "0.2.0"

/* The schema bounds VRFs and next hops by their numbers; these are bounded by count. */
#define VR_MAX_VIFS 4096
#define VR_MAX_ROUTES 65536
#define VR_MAX_LABELS 16384
#define VR_VRFS 256

/*
 * An interface of the router. Its device is held by nothing but the promise to
 * let go of it in NETDEV_UNREGISTER, before which it doesn't vanish.
 */
struct vr_vif {
	struct net_device *dev;
	struct vr_stats __percpu *stats;
	u32 vrf;			/* READ_ONCE(): it changes under traffic */
	u8 type;
	u32 users;			/* next hops that send out of it; vrouter.lock */
};

/* What a next hop does. It never changes: another one takes its place. */
struct vr_action {
	u8 type;
	bool has_smac;
	u8 dmac[ETH_ALEN];
	u8 smac[ETH_ALEN];
	__be32 local;
	__be32 remote;
	u32 label;
	struct vr_vif __rcu *vif;	/* NULL also once its device is gone */
	struct rcu_head rcu;
};

/*
 * A next hop, from nh-add to nh-del. Routes and labels lead to it by pointer: by
 * id, a packet on its way could come to another that has got the same one.
 */
struct vr_nh {
	u32 id;
	u32 routes;			/* that lead to it; vrouter.lock */
	u32 labels;			/* the same */
	struct vr_action __rcu *action;
	struct rcu_head rcu;
};

/*
 * The router's state. There is one for the host, in the initial network
 * namespace, as the physical links are: tenants are told apart by the router's
 * own VRFs, not by network namespaces.
 *
 * Packets read the tables under RCU, with bottom halves disabled. Who changes
 * them holds the lock. Order of locks: genl_mutex (held around every netlink
 * handler), rtnl (by what touches devices), vrouter.lock.
 */
struct vrouter {
	struct mutex lock;
	struct vr_vif *vhost;
	struct vr_table vifs;		/* struct vr_vif by index of the device */
	struct vr_table nexthops;	/* struct vr_nh by id */
	struct vr_table labels;		/* struct vr_nh by label */
};

extern struct vrouter vrouter;

/* The address that tenants and the host send to, whatever the device. */
extern const u8 vr_mac[ETH_ALEN];

/* vr_netlink.c */
int vr_netlink_init(void);
void vr_netlink_exit(void);

/* vr_vhost.c */
int vr_vhost_create(void);
void vr_vhost_destroy(void);

/* vr_vif.c */
int vr_vif_init(void);
void vr_vif_exit(void);
enum vr_fate vr_vif_transmit(struct vr_vif *vif, struct sk_buff *skb);
enum vr_fate vr_vif_sent(struct vr_vif *vif, enum vr_fate fate);

/* vr_nexthop.c */
void vr_nh_forget_vif(const struct vr_vif *vif);
void vr_nh_exit(void);

/* vr_route.c */
void vr_route_init(void);
void vr_route_exit(void);
struct vr_nh *vr_route_lookup(u32 vrf, __be32 address);

/* vr_mpls.c */
void vr_label_exit(void);

/* vr_forward.c; the packet's data begin with the network header */
void vr_input(struct vr_vif *vif, struct sk_buff *skb);
enum vr_fate vr_ipv4_check(struct sk_buff *skb);
enum vr_fate vr_forward(struct vr_vif *in, struct sk_buff *skb, const struct vr_nh *nh);
void vr_count_fate(struct vr_vif *in, enum vr_fate fate);

/* vr_arp.c, vr_icmp.c */
enum vr_fate vr_arp_input(struct vr_vif *vif, struct sk_buff *skb);
void vr_icmp_too_big(struct vr_vif *in, const struct sk_buff *skb, unsigned int mtu);

/* vr_tunnel.c */
unsigned int vr_tunnel_overhead(void);
int vr_tunnel_push(struct sk_buff *skb, const struct vr_action *action);
rx_handler_result_t vr_tunnel_receive(struct sk_buff **pskb);

#endif
