/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One source for all the kernels from 5.10 on: whatever differs between their
 * interfaces is settled here, and no other file looks at the kernel's version.
 */
#ifndef VR_COMPAT_H
#define VR_COMPAT_H

#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/version.h>
#include <net/genetlink.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <net/gso.h>	/* skb_gso_segment(), in linux/netdevice.h before */
#endif

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

/*
 * From 6.1 on the core refuses NLM_F_REPLACE and NLM_F_CREATE, save for those
 * of a family's commands that come before this field's.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#define VR_ACCEPT_NLM_FLAGS(last)
#else
#define VR_ACCEPT_NLM_FLAGS(last) .resv_start_op = (last) + 1,
#endif

/*
 * The length of an IPv4 packet by its header. From 6.3 on a TCP packet that
 * awaits segmentation may be too long for the field, which has 0 then.
 */
static inline unsigned int vr_ipv4_length(const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	return ntohs(ip_hdr(skb)->tot_len);
#else
	return skb_ip_totlen(skb);
#endif
}

#endif
