// SPDX-License-Identifier: GPL-2.0-only
/* Per-CPU counters: the packet path writes its own CPU's, a reader sums them up. */
#include <linux/netdevice.h>

#include "vr_stats.h"

struct vr_stats __percpu *vr_stats_alloc(void)
{
	return netdev_alloc_pcpu_stats(struct vr_stats);
}

void vr_stats_free(struct vr_stats __percpu *stats)
{
	free_percpu(stats);
}

/*
 * The writers run with bottom halves disabled, as every packet path does: that
 * keeps them on their CPU, and keeps a second writer away from it.
 */
void vr_stats_add_tx(struct vr_stats __percpu *stats, unsigned int bytes)
{
	struct vr_stats *mine = this_cpu_ptr(stats);

	u64_stats_update_begin(&mine->syncp);
	u64_stats_inc(&mine->tx_packets);
	u64_stats_add(&mine->tx_bytes, bytes);
	u64_stats_update_end(&mine->syncp);
}

void vr_stats_add_drop(struct vr_stats __percpu *stats)
{
	struct vr_stats *mine = this_cpu_ptr(stats);

	u64_stats_update_begin(&mine->syncp);
	u64_stats_inc(&mine->drops);
	u64_stats_update_end(&mine->syncp);
}

static void vr_stats_read(const struct vr_stats *stats, struct vr_counters *out)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		out->rx_packets = u64_stats_read(&stats->rx_packets);
		out->rx_bytes = u64_stats_read(&stats->rx_bytes);
		out->tx_packets = u64_stats_read(&stats->tx_packets);
		out->tx_bytes = u64_stats_read(&stats->tx_bytes);
		out->drops = u64_stats_read(&stats->drops);
	} while (u64_stats_fetch_retry(&stats->syncp, start));
}

/* CPUs that went offline keep what they counted, hence all the possible ones. */
void vr_stats_sum(const struct vr_stats __percpu *stats, struct vr_counters *sum)
{
	struct vr_counters one;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		vr_stats_read(per_cpu_ptr(stats, cpu), &one);
		sum->rx_packets += one.rx_packets;
		sum->rx_bytes += one.rx_bytes;
		sum->tx_packets += one.tx_packets;
		sum->tx_bytes += one.tx_bytes;
		sum->drops += one.drops;
	}
}
