// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a packet: checked on entry, looked up in its interface's VRF, and
 * sent as the next hop says. An error never stops half-way with a packet in
 * hand: each function says in its fate what it did with it.
 */
#include <linux/if_vlan.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/ip.h>

#include "vr_compat.h"
#include "vr_nl.h"
#include "vrouter.h"

/* Counts a packet that entered by `in`, if it was dropped. */
void vr_count_fate(struct vr_vif *in, enum vr_fate fate)
{
	if (fate == VR_SENT)
		return;
	vr_stats_add(in->stats, VR_DROPS, 1);
	vr_drop_count(fate);
}

/*
 * Checks the IPv4 header and cuts off what comes after the packet: short ones
 * are padded to the shortest Ethernet frame. VR_SENT means that all is well;
 * the packet is the caller's still, in either case. No options: they'd be here
 * only to make the router do what it doesn't do (source routes, alerts).
 */
enum vr_fate vr_ipv4_check(struct sk_buff *skb)
{
	const struct iphdr *iph;
	unsigned int length;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		return VR_DROP_BAD_HEADER;
	iph = ip_hdr(skb);
	length = vr_ipv4_length(skb);
	if (iph->version != 4 || iph->ihl < 5 || length < iph->ihl * 4 || length > skb->len)
		return VR_DROP_BAD_HEADER;
	if (iph->ihl > 5)
		return VR_DROP_OPTIONS;
	if (ip_fast_csum(iph, iph->ihl))
		return VR_DROP_BAD_CHECKSUM;
	/* A sender of raw frames says where its checksum begins; who completes it takes that on trust. */
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_start_offset(skb) < (int)sizeof(*iph))
		return VR_DROP_BAD_CHECKSUM;
	if (ipv4_is_multicast(iph->daddr) || ipv4_is_lbcast(iph->daddr))
		return VR_DROP_MULTICAST;
	if (ipv4_is_zeronet(iph->daddr) || ipv4_is_loopback(iph->daddr) ||
	    ipv4_is_zeronet(iph->saddr) || ipv4_is_loopback(iph->saddr) ||
	    ipv4_is_multicast(iph->saddr) || ipv4_is_lbcast(iph->saddr))
		return VR_DROP_BAD_ADDRESS;
	if (pskb_trim_rcsum(skb, length))
		return VR_DROP_NO_MEMORY;
	/* Who cuts segments or finds out their length goes by it; not every sender has set it. */
	skb_set_transport_header(skb, sizeof(*iph));
	return VR_SENT;
}

/*
 * Sends a packet that fits. There's room for the headers in the copies that
 * segmentation and fragmentation made, but a clone's data may be shared still.
 */
static enum vr_fate send_packet(struct vr_vif *vif, const struct vr_action *action, struct sk_buff *skb)
{
	struct net_device *dev = vif->dev;

	if (skb_cow_head(skb, LL_RESERVED_SPACE(dev) + vr_tunnel_overhead()))
		return vr_drop(skb, VR_DROP_NO_MEMORY);
	if (action->type == VR_NH_TYPE_TUNNEL && vr_tunnel_push(skb, action))
		return vr_drop(skb, VR_DROP_NO_MEMORY);
	dev_hard_header(skb, dev, ETH_P_IP, action->dmac, action->has_smac ? action->smac : NULL, skb->len);
	return vr_vif_transmit(vif, skb);
}

static bool fits(const struct sk_buff *skb, unsigned int mtu)
{
	return skb_is_gso(skb) ? skb_gso_validate_network_len(skb, mtu) : skb->len <= mtu;
}

/* Every fragment is sent on its own, a tunnel's with all its headers: none is put together on the way. */
static enum vr_fate send_fragments(struct vr_vif *vif, const struct vr_action *action,
				   struct sk_buff *skb, unsigned int mtu)
{
	unsigned int room = LL_RESERVED_SPACE(vif->dev) + vr_tunnel_overhead();
	enum vr_fate fate = VR_SENT;
	struct ip_frag_state state;
	struct sk_buff *fragment;

	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_csum_hwoffload_help(skb, 0))
		return vr_drop(skb, VR_DROP_NO_MEMORY);
	/* ip_frag_next() takes the IP stack's notes from here; others have left theirs. */
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	ip_frag_init(skb, sizeof(struct iphdr), room, mtu - sizeof(struct iphdr), false, &state);
	while (state.left && fate == VR_SENT) {
		fragment = ip_frag_next(skb, &state);
		fate = IS_ERR(fragment) ? VR_DROP_NO_MEMORY : send_packet(vif, action, fragment);
	}
	if (fate != VR_SENT)
		return vr_drop(skb, fate);
	consume_skb(skb);
	return VR_SENT;
}

static enum vr_fate send_fitting(struct vr_vif *vif, const struct vr_action *action,
				 struct sk_buff *skb, unsigned int mtu)
{
	return fits(skb, mtu) ? send_packet(vif, action, skb) : send_fragments(vif, action, skb, mtu);
}

/* Cuts up what was left to the device to cut up; no features means checksums, too. */
static enum vr_fate send_segments(struct vr_vif *vif, const struct vr_action *action,
				  struct sk_buff *skb, unsigned int mtu)
{
	struct sk_buff *segments = __skb_gso_segment(skb, 0, false);
	struct sk_buff *segment, *next;
	enum vr_fate fate = VR_SENT;

	if (IS_ERR_OR_NULL(segments))
		return vr_drop(skb, VR_DROP_BAD_HEADER);
	consume_skb(skb);
	skb_list_walk_safe(segments, segment, next) {
		skb_mark_not_on_list(segment);
		fate = fate == VR_SENT ? send_fitting(vif, action, segment, mtu) : vr_drop(segment, fate);
	}
	return fate;
}

/*
 * Sends a packet out of an interface. What doesn't fit is fragmented, or if its
 * sender doesn't want that (DF) refused with an ICMP error. A tunnel's outer
 * packet is never fragmented, so what fits is less by its headers.
 */
static enum vr_fate send_out(struct vr_vif *in, const struct vr_action *action, struct sk_buff *skb)
{
	bool tunnel = action->type == VR_NH_TYPE_TUNNEL;
	unsigned int overhead = tunnel ? vr_tunnel_overhead() : 0;
	struct vr_vif *vif = rcu_dereference(action->vif);
	unsigned int mtu;

	if (!vif)
		return vr_drop(skb, VR_DROP_NO_DEVICE);
	if (ip_hdr(skb)->ttl <= 1)
		return vr_drop(skb, VR_DROP_TTL);
	mtu = READ_ONCE(vif->dev->mtu);
	if (mtu < IPV4_MIN_MTU + overhead)
		return vr_drop(skb, VR_DROP_TOO_BIG);
	mtu -= overhead;
	if (!fits(skb, mtu) && (ip_hdr(skb)->frag_off & htons(IP_DF))) {
		vr_icmp_too_big(in, skb, mtu);
		return vr_drop(skb, VR_DROP_TOO_BIG);
	}

	if (skb_cow_head(skb, LL_RESERVED_SPACE(vif->dev) + overhead))
		return vr_drop(skb, VR_DROP_NO_MEMORY);
	/* The header's checksum makes up for it, so a CHECKSUM_COMPLETE sum stays right. */
	ip_decrease_ttl(ip_hdr(skb));
	/* No device knows how to cut up what is inside of such a tunnel. */
	if (skb_is_gso(skb) && (tunnel || !fits(skb, mtu)))
		return vr_vif_sent(vif, send_segments(vif, action, skb, mtu));
	return vr_vif_sent(vif, send_fitting(vif, action, skb, mtu));
}

/* Hands a packet to the host, segments uncut and checksums incomplete: it takes them as they are. */
static enum vr_fate send_to_host(struct sk_buff *skb)
{
	struct vr_vif *vhost = vrouter.vhost;

	if (skb_cow_head(skb, ETH_HLEN))
		return vr_drop(skb, VR_DROP_NO_MEMORY);
	dev_hard_header(skb, vhost->dev, ETH_P_IP, vhost->dev->dev_addr, vr_mac, skb->len);
	return vr_vif_sent(vhost, vr_vif_transmit(vhost, skb));
}

/*
 * Sends a packet that vr_ipv4_check() found good to a next hop. It leaves
 * behind what belongs to where it came from: its socket (as it does on entry to
 * the host's stack), mark, connection tracking, route, queue and time.
 */
enum vr_fate vr_forward(struct vr_vif *in, struct sk_buff *skb, const struct vr_nh *nh)
{
	const struct vr_action *action = rcu_dereference(nh->action);

	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb_set_queue_mapping(skb, 0);
	switch (action->type) {
	case VR_NH_TYPE_RECEIVE:
		return send_to_host(skb);
	case VR_NH_TYPE_DISCARD:
		return vr_drop(skb, VR_DROP_DISCARD);
	default:
		return send_out(in, action, skb);
	}
}

/* A packet of the host or of a tenant. */
static enum vr_fate route_packet(struct vr_vif *vif, struct sk_buff *skb)
{
	const u8 *destination = eth_hdr(skb)->h_dest;
	bool arp = skb->protocol == htons(ETH_P_ARP);
	const struct vr_nh *nh;
	enum vr_fate fate;

	/* A VLAN's packet, with the tag in it or taken out by the device, is none of ours. */
	if (skb_vlan_tag_present(skb) || !(arp || skb->protocol == htons(ETH_P_IP)))
		return vr_drop(skb, VR_DROP_NOT_IPV4);
	/*
	 * pkt_type doesn't tell whether it's for us: it goes by the device's own
	 * address, but senders know only the router's.
	 */
	if (is_multicast_ether_addr(destination)) {
		if (!arp)
			return vr_drop(skb, VR_DROP_MULTICAST);
	} else if (!ether_addr_equal(destination, vr_mac)) {
		return vr_drop(skb, VR_DROP_WRONG_MAC);
	}
	if (arp)
		return vr_arp_input(vif, skb);

	fate = vr_ipv4_check(skb);
	if (fate != VR_SENT)
		return vr_drop(skb, fate);
	nh = vr_route_lookup(READ_ONCE(vif->vrf), ip_hdr(skb)->daddr);
	if (!nh)
		return vr_drop(skb, VR_DROP_NO_ROUTE);
	return vr_forward(vif, skb, nh);
}

/*
 * Takes a packet that arrived on an interface of the host or of a tenant. The
 * caller is in an RCU section with bottom halves disabled.
 */
void vr_input(struct vr_vif *vif, struct sk_buff *skb)
{
	vr_stats_add(vif->stats, VR_RX_PACKETS, 1);
	vr_stats_add(vif->stats, VR_RX_BYTES, skb->len + ETH_HLEN);
	/* A packet socket may have kept a reference; then this is a clone of our own. */
	skb = skb_share_check(skb, GFP_ATOMIC);
	vr_count_fate(vif, skb ? route_packet(vif, skb) : VR_DROP_NO_MEMORY);
}
