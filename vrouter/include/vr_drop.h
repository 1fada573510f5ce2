/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_DROP_H
#define VR_DROP_H

#include <linux/skbuff.h>

/*
 * What became of a packet: sent, or why it was dropped. A function that returns
 * it has consumed the packet, whatever became of it; only where packets enter
 * the router is the fate counted, so each is counted once.
 */
enum vr_fate {
	VR_SENT,
	VR_DROP_NO_ROUTE,
	VR_DROP_NO_LABEL,
	VR_DROP_DISCARD,
	VR_DROP_TTL,
	VR_DROP_TOO_BIG,
	VR_DROP_BAD_HEADER,
	VR_DROP_BAD_CHECKSUM,
	VR_DROP_BAD_ADDRESS,
	VR_DROP_BAD_TUNNEL,
	VR_DROP_OPTIONS,
	VR_DROP_MULTICAST,
	VR_DROP_NOT_IPV4,
	VR_DROP_WRONG_MAC,
	VR_DROP_ARP,
	VR_DROP_NO_DEVICE,
	VR_DROP_DEVICE_DOWN,
	VR_DROP_QUEUE_FULL,
	VR_DROP_NO_MEMORY,
	VR_FATES,
};

static inline enum vr_fate vr_drop(struct sk_buff *skb, enum vr_fate reason)
{
	kfree_skb(skb);
	return reason;
}

void vr_drop_count(enum vr_fate reason);

#endif
