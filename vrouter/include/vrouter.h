/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VROUTER_H
#define VROUTER_H

#include <linux/netdevice.h>

#include "vr_stats.h"

#define VR_VERSION "0.1.0"

/*
 * The router's state. There is one for the host, in the initial network
 * namespace, as the physical links are: tenants are told apart by the router's
 * own VRFs, not by network namespaces.
 *
 * Who may touch it: vr_init() fills it before the netlink family is there, and
 * vr_exit() empties it after the family is gone, so a netlink handler finds it
 * whole. Tables that change meanwhile need a lock for their writers, and RCU
 * for the packets that read them.
 */
struct vrouter {
	struct net_device *vhost;
};

extern struct vrouter vrouter;

int vr_netlink_init(void);
void vr_netlink_exit(void);

struct net_device *vr_vhost_create(void);
void vr_vhost_destroy(struct net_device *dev);
void vr_vhost_counters(const struct net_device *dev, struct vr_counters *sum);

#endif
