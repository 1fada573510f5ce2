/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_STATS_H
#define VR_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <linux/u64_stats_sync.h>

/*
 * What is counted of an interface, as the router sees it: what it receives
 * enters the router, what it sends leaves it. Drops are of received packets.
 */
enum vr_counter {
	VR_RX_PACKETS,
	VR_RX_BYTES,
	VR_TX_PACKETS,
	VR_TX_BYTES,
	VR_DROPS,
	VR_ICMP_ERRORS,
	VR_COUNTERS,
};

/* One interface's counters on one CPU. */
struct vr_stats {
	u64_stats_t counters[VR_COUNTERS];
	struct u64_stats_sync syncp;
};

struct vr_stats __percpu *vr_stats_alloc(void);
void vr_stats_free(struct vr_stats __percpu *stats);
void vr_stats_add(struct vr_stats __percpu *stats, enum vr_counter counter, unsigned int n);
void vr_stats_sum(const struct vr_stats __percpu *stats, u64 sums[VR_COUNTERS]);

#endif
