// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARP: tenants and the host ask for addresses, and the router answers with its
 * own for all that it has a route to, so that everything is sent to it.
 */
#include <linux/if_arp.h>
#include <linux/skbuff.h>
#include <net/arp.h>

#include "vr_nl.h"
#include "vrouter.h"

/* What follows struct arphdr for IPv4 on Ethernet (RFC 826). */
struct arp_ipv4 {
	u8 sender_mac[ETH_ALEN];
	__be32 sender;
	u8 target_mac[ETH_ALEN];
	__be32 target;
} __packed;

/*
 * Whether packets to the address go anywhere but back to the interface that
 * asks. An address behind this interface is its owner's to answer for: a host
 * that asks for its own before it uses it (RFC 5227) must not hear that it's taken.
 */
static bool leads_elsewhere(const struct vr_vif *vif, __be32 address)
{
	const struct vr_nh *nh = vr_route_lookup(READ_ONCE(vif->vrf), address);
	const struct vr_action *action;

	if (!nh)
		return false;
	action = rcu_dereference(nh->action);
	switch (action->type) {
	case VR_NH_TYPE_RECEIVE:
		return vif != vrouter.vhost;
	case VR_NH_TYPE_DISCARD:
		return false;
	default:
		return rcu_access_pointer(action->vif) != vif;
	}
}

/* The answer counts as sent, the request as received: nothing else becomes of it. */
enum vr_fate vr_arp_input(struct vr_vif *vif, struct sk_buff *skb)
{
	const struct arp_ipv4 *body;
	const struct arphdr *arp;
	struct sk_buff *reply;

	if (!pskb_may_pull(skb, sizeof(*arp) + sizeof(*body)))
		return vr_drop(skb, VR_DROP_ARP);
	arp = arp_hdr(skb);
	body = (const struct arp_ipv4 *)(arp + 1);
	if (arp->ar_hrd != htons(ARPHRD_ETHER) || arp->ar_pro != htons(ETH_P_IP) ||
	    arp->ar_hln != ETH_ALEN || arp->ar_pln != sizeof(__be32) ||
	    arp->ar_op != htons(ARPOP_REQUEST) || !is_valid_ether_addr(body->sender_mac) ||
	    body->sender == body->target || !leads_elsewhere(vif, body->target))
		return vr_drop(skb, VR_DROP_ARP);

	reply = arp_create(ARPOP_REPLY, ETH_P_ARP, body->sender, vif->dev, body->target,
			   body->sender_mac, vr_mac, body->sender_mac);
	if (!reply)
		return vr_drop(skb, VR_DROP_NO_MEMORY);
	consume_skb(skb);
	return vr_vif_sent(vif, vr_vif_transmit(vif, reply));
}
