// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload. */
#include <linux/module.h>

#include "vrouter.h"

const u8 vr_mac[ETH_ALEN] = { 0x00, 0x00, 0x5e, 0x00, 0x01, 0x00 };

struct vrouter vrouter = {
	.lock = __MUTEX_INITIALIZER(vrouter.lock),
	.vifs = VR_TABLE_INIT(vrouter.vifs),
	.nexthops = VR_TABLE_INIT(vrouter.nexthops),
	.labels = VR_TABLE_INIT(vrouter.labels),
};

/*
 * The netlink family comes last and goes first: from its registration on,
 * requests arrive, so everything that they reach has to be there; and once
 * genl_unregister_family() returns no handler runs any more.
 */
static int __init vr_init(void)
{
	int err;

	vr_route_init();
	err = vr_vhost_create();
	if (err)
		return err;
	err = vr_vif_init();
	if (err)
		goto destroy_vhost;
	err = vr_netlink_init();
	if (err)
		goto exit_vif;
	return 0;

exit_vif:
	vr_vif_exit();
destroy_vhost:
	vr_vhost_destroy();
	return err;
}

/*
 * Packets keep arriving until vr_vif_exit() has detached the devices, and from
 * the host until vhost0 is gone; each waits for those under way. Then nothing
 * reads the tables, and they can be freed at once. What was given to
 * kfree_rcu() may still wait for its time: the kernel frees it without any code
 * of the module, so there's nothing to wait for.
 */
static void __exit vr_exit(void)
{
	vr_netlink_exit();
	vr_vif_exit();
	vr_vhost_destroy();
	vr_label_exit();
	vr_route_exit();
	vr_nh_exit();
}

module_init(vr_init);
module_exit(vr_exit);

MODULE_LICENSE("GPL");
MODULE_VERSION(VR_VERSION);
MODULE_DESCRIPTION("Contrail Forge reference vrouter datapath");
