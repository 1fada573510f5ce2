// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost0: the host's own interface into the router. What the host sends there
 * enters the datapath; as yet the datapath forwards nothing, so it is counted
 * and dropped.
 */
#include <linux/err.h>
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "vr_compat.h"
#include "vrouter.h"

struct vhost {
	struct vr_stats __percpu *stats;
};

/* Called with bottom halves disabled, on several CPUs at once (lockless tx). */
static netdev_tx_t vhost_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vhost *vhost = netdev_priv(dev);

	vr_stats_add_tx(vhost->stats, skb->len);
	vr_stats_add_drop(vhost->stats);
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

void vr_vhost_counters(const struct net_device *dev, struct vr_counters *sum)
{
	const struct vhost *vhost = netdev_priv(dev);

	vr_stats_sum(vhost->stats, sum);
}

static void vhost_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	struct vr_counters sum;

	vr_vhost_counters(dev, &sum);
	stats->rx_packets = sum.rx_packets;
	stats->rx_bytes = sum.rx_bytes;
	stats->tx_packets = sum.tx_packets;
	stats->tx_bytes = sum.tx_bytes;
	stats->tx_dropped = sum.drops;
}

static const struct net_device_ops vhost_ops = {
	.ndo_start_xmit = vhost_xmit,
	.ndo_get_stats64 = vhost_get_stats64,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void vhost_setup(struct net_device *dev)
{
	ether_setup(dev);
	eth_hw_addr_random(dev);
	dev->netdev_ops = &vhost_ops;
	dev->priv_flags |= IFF_NO_QUEUE;
	vr_set_lockless_tx(dev);
	vr_set_netns_immutable(dev);
}

/* Returns the registered device, or an ERR_PTR: -EEXIST when there is a vhost0 already. */
struct net_device *vr_vhost_create(void)
{
	struct net_device *dev;
	struct vhost *vhost;
	int err = -ENOMEM;

	dev = alloc_netdev(sizeof(*vhost), "vhost0", NET_NAME_PREDICTABLE, vhost_setup);
	if (!dev)
		return ERR_PTR(err);

	vhost = netdev_priv(dev);
	vhost->stats = vr_stats_alloc();
	if (!vhost->stats)
		goto free_dev;

	err = register_netdev(dev);
	if (err)
		goto free_stats;
	return dev;

free_stats:
	vr_stats_free(vhost->stats);
free_dev:
	free_netdev(dev);
	return ERR_PTR(err);
}

/*
 * unregister_netdev() returns when no packet is on its way through vhost_xmit()
 * and the last reference to the device is gone; only then may the counters go.
 * It takes the rtnl lock, so the caller must not hold it.
 */
void vr_vhost_destroy(struct net_device *dev)
{
	struct vhost *vhost = netdev_priv(dev);

	unregister_netdev(dev);
	vr_stats_free(vhost->stats);
	free_netdev(dev);
}
