/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One source for all the kernels from 5.10 on: whatever differs between their
 * interfaces is settled here, and no other file looks at the kernel's version.
 */
#ifndef VR_COMPAT_H
#define VR_COMPAT_H

#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/version.h>
#include <net/genetlink.h>

/*
 * The core takes no queue lock around ndo_start_xmit, which may run on several
 * CPUs at once. A feature bit until 6.12, then a field.
 */
static inline void vr_set_lockless_tx(struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

/*
 * The device stays in its network namespace. A feature bit until 6.12, then a
 * field, which 6.15 renamed; the 6.12 stable line took the new name between
 * 6.12.113 and 6.12.115 (Debian publishes no 6.12.114).
 */
static inline void vr_set_netns_immutable(struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	dev->features |= NETIF_F_NETNS_LOCAL;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 115) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0))
	dev->netns_immutable = true;
#else
	dev->netns_local = true;
#endif
}

/* The parsed attributes of the request that a dump answers. */
static inline struct nlattr **vr_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_info_dump(cb)->attrs;
#endif
}

#endif
