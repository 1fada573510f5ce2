/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_TABLE_H
#define VR_TABLE_H

#include <linux/xarray.h>

/*
 * A table by number. Packets look entries up under RCU; who changes it holds
 * vrouter.lock, which also covers the count and the generation. The generation
 * lets a dump that goes on after a change say so (NLM_F_DUMP_INTR); it starts
 * at 1, because a dump takes 0 for "not known".
 */
struct vr_table {
	struct xarray entries;
	u32 count;
	u32 generation;
};

#define VR_TABLE_INIT(name) { .entries = XARRAY_INIT((name).entries, 0), .generation = 1 }

/* Adds the entry, or puts it in the old one's place; may sleep. */
static inline int vr_table_set(struct vr_table *table, u32 number, void *entry)
{
	void *old = xa_store(&table->entries, number, entry, GFP_KERNEL);

	if (xa_is_err(old))
		return xa_err(old);
	table->count += !old;
	table->generation++;
	return 0;
}

static inline void *vr_table_get(struct vr_table *table, u32 number)
{
	return xa_load(&table->entries, number);
}

/* A packet may still use what is removed, until a grace period has passed. */
static inline void vr_table_remove(struct vr_table *table, u32 number)
{
	xa_erase(&table->entries, number);
	table->count--;
	table->generation++;
}

#endif
