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
void vr_stats_add(struct vr_stats __percpu *stats, enum vr_counter counter, unsigned int n)
{
	struct vr_stats *mine = this_cpu_ptr(stats);

	u64_stats_update_begin(&mine->syncp);
	u64_stats_add(&mine->counters[counter], n);
	u64_stats_update_end(&mine->syncp);
}

/* CPUs that went offline keep what they counted, hence all the possible ones. */
void vr_stats_sum(const struct vr_stats __percpu *stats, u64 sums[VR_COUNTERS])
{
	const struct vr_stats *one;
	unsigned int counter, start;
	u64 value;
	int cpu;

	memset(sums, 0, VR_COUNTERS * sizeof(*sums));
	for_each_possible_cpu(cpu) {
		one = per_cpu_ptr(stats, cpu);
		for (counter = 0; counter < VR_COUNTERS; counter++) {
			do {
				start = u64_stats_fetch_begin(&one->syncp);
				value = u64_stats_read(&one->counters[counter]);
			} while (u64_stats_fetch_retry(&one->syncp, start));
			sums[counter] += value;
		}
	}
}
