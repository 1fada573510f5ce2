// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload. */
#include <linux/err.h>
#include <linux/module.h>

#include "vrouter.h"

struct vrouter vrouter;

/*
 * The netlink family comes last and goes first: from its registration on,
 * requests arrive, so everything that they reach has to be there; and once
 * genl_unregister_family() returns no handler runs any more.
 */
static int __init vr_init(void)
{
	struct net_device *vhost;
	int err;

	vhost = vr_vhost_create();
	if (IS_ERR(vhost))
		return PTR_ERR(vhost);
	vrouter.vhost = vhost;

	err = vr_netlink_init();
	if (err)
		vr_vhost_destroy(vhost);
	return err;
}

static void __exit vr_exit(void)
{
	vr_netlink_exit();
	vr_vhost_destroy(vrouter.vhost);
}

module_init(vr_init);
module_exit(vr_exit);

MODULE_LICENSE("GPL");
MODULE_VERSION(VR_VERSION);
MODULE_DESCRIPTION("Contrail Forge reference vrouter datapath");
