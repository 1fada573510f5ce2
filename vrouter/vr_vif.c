// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router's interfaces: network devices whose received packets come to the
 * router before the host's stack sees them (rx_handler), and vhost0.
 *
 * Attaching and detaching need rtnl; so does the name of a device.
 */
#include <linux/if_arp.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

#include "vr_compat.h"
#include "vr_netlink.h"
#include "vrouter.h"

/* Called in an RCU section with bottom halves disabled, like every rx_handler. */
static rx_handler_result_t virtual_receive(struct sk_buff **pskb)
{
	struct vr_vif *vif = rcu_dereference((*pskb)->dev->rx_handler_data);

	vr_input(vif, *pskb);
	return RX_HANDLER_CONSUMED;
}

/*
 * Sends a frame, which begins with its Ethernet header, out of an interface: to
 * the device's queue, or to the host as if it had arrived at vhost0. It may be
 * a part of a packet; the whole is for vr_vif_sent() to count.
 */
enum vr_fate vr_vif_transmit(struct vr_vif *vif, struct sk_buff *skb)
{
	struct net_device *dev = vif->dev;
	unsigned int bytes = skb->len;
	int err;

	/* Without a carrier the queue would swallow it and report success. */
	if (!netif_running(dev) || !netif_carrier_ok(dev))
		return vr_drop(skb, VR_DROP_DEVICE_DOWN);

	if (vif->type == VR_VIF_TYPE_HOST) {
		/* netif_rx() queues the packet, so the stack isn't entered from within itself. */
		skb->protocol = eth_type_trans(skb, dev);
		err = netif_rx(skb);
	} else {
		skb->dev = dev;
		skb_forward_csum(skb);
		err = dev_queue_xmit(skb);
		err = net_xmit_eval(err);	/* a macro that takes its argument twice */
	}
	if (err)
		return VR_DROP_QUEUE_FULL;	/* freed already */
	vr_stats_add(vif->stats, VR_TX_BYTES, bytes);
	return VR_SENT;
}

/* Counts a packet, if all of it was transmitted. */
enum vr_fate vr_vif_sent(struct vr_vif *vif, enum vr_fate fate)
{
	if (fate == VR_SENT)
		vr_stats_add(vif->stats, VR_TX_PACKETS, 1);
	return fate;
}

/* Why a device can't be attached. */
static int vif_check_device(struct genl_info *info, const struct net_device *dev)
{
	if (!dev)
		return VR_NL_FAIL(info, VR_VIF_ATTR_IFINDEX, -ENODEV, "ifindex: no such device");
	if (dev->flags & IFF_LOOPBACK)
		return VR_NL_FAIL(info, VR_VIF_ATTR_IFINDEX, -EINVAL, "ifindex: a loopback device");
	if (dev->type != ARPHRD_ETHER || dev->addr_len != ETH_ALEN)
		return VR_NL_FAIL(info, VR_VIF_ATTR_IFINDEX, -EINVAL, "ifindex: not an Ethernet device");
	if (vrouter.vifs.count >= VR_MAX_VIFS)
		return VR_NL_FAIL(info, VR_VIF_ATTR_IFINDEX, -ENOSPC, "ifindex: the router has its most interfaces");
	return 0;
}

static int vif_attach(struct genl_info *info, struct net_device *dev, u8 type, u32 vrf)
{
	rx_handler_func_t *receive = type == VR_VIF_TYPE_FABRIC ? vr_tunnel_receive : virtual_receive;
	struct vr_vif *vif;
	int err;

	err = vif_check_device(info, dev);
	if (err)
		return err;
	vif = kzalloc(sizeof(*vif), GFP_KERNEL);
	if (!vif)
		return -ENOMEM;
	vif->dev = dev;
	vif->type = type;
	vif->vrf = vrf;
	err = -ENOMEM;
	vif->stats = vr_stats_alloc();
	if (!vif->stats)
		goto free_vif;

	/* So that a device which filters by address lets in what is sent to the router. */
	if (type == VR_VIF_TYPE_VIRTUAL) {
		err = dev_uc_add(dev, vr_mac);
		if (err)
			goto free_stats;
	}
	err = vr_table_set(&vrouter.vifs, dev->ifindex, vif);
	if (err)
		goto del_address;
	err = netdev_rx_handler_register(dev, receive, vif);
	if (err) {
		err = VR_NL_FAIL(info, VR_VIF_ATTR_IFINDEX, err,
				 "ifindex: the device's packets go elsewhere already (bridge, bond, macvlan, ...)");
		goto remove;
	}
	/* A packet that the device merged in this way can't be sent on. */
	dev_disable_lro(dev);
	return 0;

remove:
	vr_table_remove(&vrouter.vifs, dev->ifindex);
del_address:
	if (type == VR_VIF_TYPE_VIRTUAL)
		dev_uc_del(dev, vr_mac);
free_stats:
	vr_stats_free(vif->stats);
free_vif:
	kfree(vif);
	return err;
}

/*
 * netdev_rx_handler_unregister() waits until no packet is in an RCU section
 * that began before it. Those are all that can still see the interface, because
 * no table and no next hop leads to it any more by then.
 */
static void vif_detach(struct vr_vif *vif)
{
	ASSERT_RTNL();
	lockdep_assert_held(&vrouter.lock);
	vr_table_remove(&vrouter.vifs, vif->dev->ifindex);
	vr_nh_forget_vif(vif);
	if (vif->type == VR_VIF_TYPE_VIRTUAL)
		dev_uc_del(vif->dev, vr_mac);
	netdev_rx_handler_unregister(vif->dev);
	vr_stats_free(vif->stats);
	kfree(vif);
}

static int vif_add(struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	u32 ifindex, vrf = 0;
	struct vr_vif *vif;
	int err;
	u8 type;

	err = VR_NL_REQUIRE(info, VR_VIF_ATTR_IFINDEX, "ifindex") ?:
	      VR_NL_REQUIRE(info, VR_VIF_ATTR_TYPE, "type");
	if (err)
		return err;
	ifindex = nla_get_u32(attrs[VR_VIF_ATTR_IFINDEX]);
	type = nla_get_u8(attrs[VR_VIF_ATTR_TYPE]);
	if (type == VR_VIF_TYPE_HOST)
		return VR_NL_FAIL(info, VR_VIF_ATTR_TYPE, -EINVAL, "type: vhost0 is the only one of type host");
	if (type == VR_VIF_TYPE_VIRTUAL) {
		err = VR_NL_REQUIRE(info, VR_VIF_ATTR_VRF, "vrf");
		if (err)
			return err;
		vrf = nla_get_u32(attrs[VR_VIF_ATTR_VRF]);
	} else if (attrs[VR_VIF_ATTR_VRF]) {
		return VR_NL_FAIL(info, VR_VIF_ATTR_VRF, -EINVAL, "vrf: only a virtual interface has one");
	}

	vif = vr_table_get(&vrouter.vifs, ifindex);
	err = VR_NL_CHECK_ADD(info, VR_VIF_ATTR_IFINDEX, "ifindex", vif);
	if (err)
		return err;
	if (!vif)
		return vif_attach(info, __dev_get_by_index(&init_net, ifindex), type, vrf);
	if (vif->type != type)
		return VR_NL_FAIL(info, VR_VIF_ATTR_TYPE, -EINVAL, "type: an interface keeps its own");
	WRITE_ONCE(vif->vrf, vrf);
	vrouter.vifs.generation++;
	return 0;
}

static int vif_find(struct genl_info *info, struct vr_vif **vif)
{
	int err = VR_NL_REQUIRE(info, VR_VIF_ATTR_IFINDEX, "ifindex");

	if (err)
		return err;
	*vif = vr_table_get(&vrouter.vifs, nla_get_u32(info->attrs[VR_VIF_ATTR_IFINDEX]));
	if (!*vif)
		return VR_NL_FAIL(info, VR_VIF_ATTR_IFINDEX, -ENODEV, "ifindex: not an interface of the router");
	return 0;
}

static int vif_del(struct genl_info *info)
{
	struct vr_vif *vif;
	int err;

	err = vif_find(info, &vif);
	if (err)
		return err;
	if (vif->type == VR_VIF_TYPE_HOST)
		return VR_NL_FAIL(info, VR_VIF_ATTR_IFINDEX, -EINVAL, "ifindex: vhost0 is always there");
	if (vif->users)
		return VR_NL_FAIL(info, VR_VIF_ATTR_IFINDEX, -EBUSY, "ifindex: next hops send out of it");
	vif_detach(vif);
	return 0;
}

static int vif_fill(struct sk_buff *message, u32 ifindex, const void *entry)
{
	static const u16 numbers[VR_COUNTERS] = {
		[VR_RX_PACKETS] = VR_VIF_ATTR_RX_PACKETS,
		[VR_RX_BYTES] = VR_VIF_ATTR_RX_BYTES,
		[VR_TX_PACKETS] = VR_VIF_ATTR_TX_PACKETS,
		[VR_TX_BYTES] = VR_VIF_ATTR_TX_BYTES,
		[VR_DROPS] = VR_VIF_ATTR_DROPS,
		[VR_ICMP_ERRORS] = VR_VIF_ATTR_ICMP_ERRORS,
	};
	const struct vr_vif *vif = entry;
	u64 sums[VR_COUNTERS];
	unsigned int i;

	ASSERT_RTNL();
	vr_stats_sum(vif->stats, sums);
	if (nla_put_u32(message, VR_VIF_ATTR_IFINDEX, ifindex) ||
	    nla_put_string(message, VR_VIF_ATTR_NAME, vif->dev->name) ||
	    nla_put_u8(message, VR_VIF_ATTR_TYPE, vif->type) ||
	    (vif->type != VR_VIF_TYPE_FABRIC && nla_put_u32(message, VR_VIF_ATTR_VRF, vif->vrf)))
		return -EMSGSIZE;
	for (i = 0; i < VR_COUNTERS; i++)
		if (nla_put_u64_64bit(message, numbers[i], sums[i], VR_VIF_ATTR_PAD))
			return -EMSGSIZE;
	return 0;
}

static int vif_get(struct genl_info *info)
{
	struct vr_vif *vif;
	int err;

	err = vif_find(info, &vif);
	if (err)
		return err;
	return vr_nl_reply(info, VR_CMD_VIF_GET, vif_fill, vif->dev->ifindex, vif);
}

static void vif_lock(void)
{
	rtnl_lock();
	mutex_lock(&vrouter.lock);
}

static void vif_unlock(void)
{
	mutex_unlock(&vrouter.lock);
	rtnl_unlock();
}

int vr_nl_vif_add(struct sk_buff *request, struct genl_info *info)
{
	int err;

	vif_lock();
	err = vif_add(info);
	vif_unlock();
	return err;
}

int vr_nl_vif_del(struct sk_buff *request, struct genl_info *info)
{
	int err;

	vif_lock();
	err = vif_del(info);
	vif_unlock();
	return err;
}

int vr_nl_vif_get(struct sk_buff *request, struct genl_info *info)
{
	int err;

	vif_lock();
	err = vif_get(info);
	vif_unlock();
	return err;
}

int vr_nl_vif_get_dump(struct sk_buff *reply, struct netlink_callback *cb)
{
	int length;

	vif_lock();
	length = vr_nl_dump_table(reply, cb, VR_CMD_VIF_GET, vif_fill, &vrouter.vifs,
				  vr_dump_attrs(cb)[VR_VIF_ATTR_IFINDEX]);
	vif_unlock();
	return length;
}

/*
 * Called with rtnl held, which keeps the table still. The lock is taken for
 * nothing but this event: others come from within what vif_attach() calls. A device
 * that goes, be it to another network namespace, is let go; and it stays an
 * Ethernet device as long as it is here. The table goes by numbers, which other
 * namespaces use for their own devices.
 */
static int vif_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);
	struct vr_vif *vif = vr_table_get(&vrouter.vifs, dev->ifindex);

	if (!vif || vif->dev != dev || vif->type == VR_VIF_TYPE_HOST)
		return NOTIFY_DONE;
	switch (event) {
	case NETDEV_UNREGISTER:
		mutex_lock(&vrouter.lock);
		vif_detach(vif);
		mutex_unlock(&vrouter.lock);
		return NOTIFY_DONE;
	case NETDEV_PRE_TYPE_CHANGE:
		return NOTIFY_BAD;
	default:
		return NOTIFY_DONE;
	}
}

static struct notifier_block vif_notifier = { .notifier_call = vif_event };

int __init vr_vif_init(void)
{
	struct vr_vif *vhost = vrouter.vhost;
	int err;

	mutex_lock(&vrouter.lock);
	err = vr_table_set(&vrouter.vifs, vhost->dev->ifindex, vhost);
	mutex_unlock(&vrouter.lock);
	if (err)
		return err;
	err = register_netdevice_notifier(&vif_notifier);
	if (err)
		xa_destroy(&vrouter.vifs.entries);
	return err;
}

/* A notifier that leaves is told that every device goes, so this detaches them all. */
void vr_vif_exit(void)
{
	unregister_netdevice_notifier(&vif_notifier);
	xa_destroy(&vrouter.vifs.entries);
}
