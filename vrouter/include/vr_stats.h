/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_STATS_H
#define VR_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <linux/u64_stats_sync.h>

/*
 * One interface's counters on one CPU. Receive and transmit are as the host
 * sees its interface; a dropped packet is counted as received or sent, too.
 */
struct vr_stats {
	u64_stats_t rx_packets;
	u64_stats_t rx_bytes;
	u64_stats_t tx_packets;
	u64_stats_t tx_bytes;
	u64_stats_t drops;
	struct u64_stats_sync syncp;
};

/* The sum over all CPUs. */
struct vr_counters {
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
	u64 drops;
};

struct vr_stats __percpu *vr_stats_alloc(void);
void vr_stats_free(struct vr_stats __percpu *stats);
void vr_stats_add_tx(struct vr_stats __percpu *stats, unsigned int bytes);
void vr_stats_add_drop(struct vr_stats __percpu *stats);
void vr_stats_sum(const struct vr_stats __percpu *stats, struct vr_counters *sum);

#endif
