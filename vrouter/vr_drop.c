// SPDX-License-Identifier: GPL-2.0-only
/* Why packets were dropped: the reasons' names, and a counter of each per CPU. */
#include <linux/percpu.h>

#include "vr_compat.h"
#include "vr_drop.h"
#include "vr_netlink.h"

static const char * const names[VR_FATES] = {
	[VR_DROP_NO_ROUTE] = "no-route",
	[VR_DROP_NO_LABEL] = "no-label",
	[VR_DROP_DISCARD] = "discard",
	[VR_DROP_TTL] = "ttl",
	[VR_DROP_TOO_BIG] = "too-big",
	[VR_DROP_BAD_HEADER] = "bad-header",
	[VR_DROP_BAD_CHECKSUM] = "bad-checksum",
	[VR_DROP_BAD_ADDRESS] = "bad-address",
	[VR_DROP_BAD_TUNNEL] = "bad-tunnel",
	[VR_DROP_OPTIONS] = "options",
	[VR_DROP_MULTICAST] = "multicast",
	[VR_DROP_NOT_IPV4] = "not-ipv4",
	[VR_DROP_WRONG_MAC] = "wrong-mac",
	[VR_DROP_ARP] = "arp",
	[VR_DROP_NO_DEVICE] = "no-device",
	[VR_DROP_DEVICE_DOWN] = "device-down",
	[VR_DROP_QUEUE_FULL] = "queue-full",
	[VR_DROP_NO_MEMORY] = "no-memory",
};

/* unsigned long, which a CPU adds to at once and a reader reads whole. */
static DEFINE_PER_CPU(unsigned long [VR_FATES], drops);

void vr_drop_count(enum vr_fate reason)
{
	this_cpu_inc(drops[reason]);
}

static int drop_fill(struct sk_buff *message, u32 reason, const void *entry)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(drops, cpu)[reason]);
	return nla_put_string(message, VR_DROP_ATTR_REASON, names[reason]) ||
	       nla_put_u64_64bit(message, VR_DROP_ATTR_PACKETS, sum, VR_DROP_ATTR_PAD);
}

int vr_nl_drop_get_dump(struct sk_buff *reply, struct netlink_callback *cb)
{
	u32 reason = VR_SENT + 1 + cb->args[0];

	for (; reason < VR_FATES; reason++, cb->args[0]++)
		if (vr_nl_dump_put(reply, cb, VR_CMD_DROP_GET, drop_fill, reason, NULL))
			break;
	return reply->len;
}
