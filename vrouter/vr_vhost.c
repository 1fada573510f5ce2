// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost0: the host's own interface into the router, in VRF 0. What the host
 * sends there enters the router, and a receive next hop hands packets to the
 * host as if they had arrived there.
 */
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "vr_compat.h"
#include "vr_nl.h"
#include "vrouter.h"

/*
 * Called with bottom halves disabled, on several CPUs at once (lockless tx).
 * The device offers no offloads, so the core has completed the checksums and
 * cut segments already.
 */
static netdev_tx_t vhost_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vr_vif *vif = netdev_priv(dev);

	/* Not every sender takes care to send a whole header. */
	if (!pskb_may_pull(skb, ETH_HLEN)) {
		vr_stats_add(vif->stats, VR_RX_PACKETS, 1);
		vr_stats_add(vif->stats, VR_RX_BYTES, skb->len);
		vr_count_fate(vif, vr_drop(skb, VR_DROP_BAD_HEADER));
		return NETDEV_TX_OK;
	}
	/* As if it had been received: that is what the router deals with. */
	skb->protocol = eth_type_trans(skb, dev);
	skb_reset_network_header(skb);
	rcu_read_lock();
	vr_input(vif, skb);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/* As the host sees it: it receives what the router sends. */
static void vhost_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	const struct vr_vif *vif = netdev_priv(dev);
	u64 sums[VR_COUNTERS];

	vr_stats_sum(vif->stats, sums);
	stats->rx_packets = sums[VR_TX_PACKETS];
	stats->rx_bytes = sums[VR_TX_BYTES];
	stats->tx_packets = sums[VR_RX_PACKETS];
	stats->tx_bytes = sums[VR_RX_BYTES];
	stats->tx_dropped = sums[VR_DROPS];
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
	/* The router changes packets, so they must be its own. */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	vr_set_lockless_tx(dev);
	vr_set_netns_immutable(dev);
}

/* Returns -EEXIST when there is a vhost0 already. */
int vr_vhost_create(void)
{
	struct net_device *dev;
	struct vr_vif *vif;
	int err = -ENOMEM;

	dev = alloc_netdev(sizeof(*vif), "vhost0", NET_NAME_PREDICTABLE, vhost_setup);
	if (!dev)
		return err;

	vif = netdev_priv(dev);
	vif->dev = dev;
	vif->type = VR_VIF_TYPE_HOST;
	vif->stats = vr_stats_alloc();
	if (!vif->stats)
		goto free_dev;
	vrouter.vhost = vif;

	err = register_netdev(dev);
	if (err)
		goto free_stats;
	return 0;

free_stats:
	vr_stats_free(vif->stats);
free_dev:
	free_netdev(dev);
	return err;
}

/*
 * unregister_netdev() returns when no packet is on its way through vhost_xmit()
 * and the last reference to the device is gone; only then may the counters go.
 * It takes the rtnl lock, so the caller must not hold it.
 */
void vr_vhost_destroy(void)
{
	struct vr_vif *vif = vrouter.vhost;

	unregister_netdev(vif->dev);
	vr_stats_free(vif->stats);
	free_netdev(vif->dev);
}
