// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tunnels to other routers: MPLS over UDP (RFC 7510) on IPv4, with one label.
 *
 * The inner packet's TTL is decremented by each router, like on any hop; the
 * tunnel's own TTLs are fresh (the pipe model, RFC 3443). Traffic class and
 * congestion marks go to the outer header, and marks come back (RFC 6040).
 */
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/mpls.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/mpls.h>
#include <net/route.h>
#include <net/udp.h>

#include "vr_compat.h"
#include "vrouter.h"

#define MPLS_UDP_PORT 6635
/* Source ports tell flows apart, for routers that spread them over paths. */
#define FLOW_PORT_MIN 49152
#define FLOW_PORT_MAX 65535

struct tunnel_header {
	struct iphdr ip;
	struct udphdr udp;
	struct mpls_shim_hdr mpls;
};

unsigned int vr_tunnel_overhead(void)
{
	return sizeof(struct tunnel_header);
}

/*
 * Puts the tunnel's headers before an IPv4 packet, for which there is room. The
 * outer packet may not be fragmented, as the other router takes none apart; so
 * it needs no identification. It has no UDP checksum, as RFC 7510 recommends;
 * the inner ones are completed, since devices wouldn't find them inside.
 */
int vr_tunnel_push(struct sk_buff *skb, const struct vr_action *action)
{
	u8 tos = ip_hdr(skb)->tos;
	struct tunnel_header *header;
	__be16 port;
	int err;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		err = skb_csum_hwoffload_help(skb, 0);
		if (err)
			return err;
	}
	skb->ip_summed = CHECKSUM_NONE;
	skb->encapsulation = 0;
	port = udp_flow_src_port(&init_net, skb, FLOW_PORT_MIN, FLOW_PORT_MAX, false);

	header = skb_push(skb, sizeof(*header));
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, sizeof(header->ip));
	memset(header, 0, sizeof(*header));
	header->mpls = mpls_entry_encode(action->label, 64, 0, true);
	header->udp.source = port;
	header->udp.dest = htons(MPLS_UDP_PORT);
	header->udp.len = htons(skb->len - sizeof(header->ip));
	header->ip.version = 4;
	header->ip.ihl = 5;
	header->ip.tos = INET_ECN_encapsulate(tos, tos);
	header->ip.tot_len = htons(skb->len);
	header->ip.frag_off = htons(IP_DF);
	header->ip.ttl = 64;
	header->ip.protocol = IPPROTO_UDP;
	header->ip.saddr = action->local;
	header->ip.daddr = action->remote;
	ip_send_check(&header->ip);
	return 0;
}

/* Whether it is a tunnel's packet and for this host; no fragment, which the host has to put together. */
static bool is_tunnel(struct sk_buff *skb)
{
	const struct tunnel_header *header;

	if (skb->protocol != htons(ETH_P_IP) || skb->pkt_type != PACKET_HOST ||
	    skb_vlan_tag_present(skb) || !pskb_may_pull(skb, sizeof(*header)))
		return false;
	header = (const struct tunnel_header *)skb_network_header(skb);
	return header->ip.version == 4 && header->ip.ihl == 5 &&
	       header->ip.protocol == IPPROTO_UDP && !ip_is_fragment(&header->ip) &&
	       header->udp.dest == htons(MPLS_UDP_PORT) &&
	       inet_addr_type(&init_net, header->ip.daddr) == RTN_LOCAL;
}

/*
 * Checks the outer headers and takes them off. On success the inner packet's
 * header begins the data, and the label is in *label, its own as in the packet.
 */
static enum vr_fate tunnel_strip(struct sk_buff *skb, u32 *label, u8 *tos)
{
	const struct udphdr *udp;
	enum vr_fate fate;
	unsigned int length;

	fate = vr_ipv4_check(skb);
	if (fate != VR_SENT)
		return fate;
	/* Several datagrams in one, that a sender left to the device to part; no router sends such. */
	if (skb_is_gso(skb))
		return VR_DROP_BAD_TUNNEL;
	*tos = ip_hdr(skb)->tos;

	skb_pull_rcsum(skb, sizeof(struct iphdr));
	udp = udp_hdr(skb);
	length = ntohs(udp->len);
	if (length < sizeof(*udp) + sizeof(struct mpls_shim_hdr) || length > skb->len)
		return VR_DROP_BAD_TUNNEL;
	if (pskb_trim_rcsum(skb, length))
		return VR_DROP_NO_MEMORY;
	if (skb_checksum_validate_zero_check(skb, IPPROTO_UDP, udp_hdr(skb)->check, inet_compute_pseudo))
		return VR_DROP_BAD_CHECKSUM;

	*label = be32_to_cpu(((const struct mpls_shim_hdr *)(udp_hdr(skb) + 1))->label_stack_entry);
	skb_pull_rcsum(skb, sizeof(*udp) + sizeof(struct mpls_shim_hdr));
	skb_reset_network_header(skb);
	return VR_SENT;
}

static enum vr_fate tunnel_input(struct vr_vif *vif, struct sk_buff *skb)
{
	const struct vr_nh *nh;
	enum vr_fate fate;
	u32 label;
	u8 tos;

	fate = tunnel_strip(skb, &label, &tos);
	if (fate != VR_SENT)
		return vr_drop(skb, fate);
	if (!(label & MPLS_LS_S_MASK))
		return vr_drop(skb, VR_DROP_BAD_TUNNEL);
	if (!(label & MPLS_LS_TTL_MASK))
		return vr_drop(skb, VR_DROP_TTL);
	nh = vr_table_get(&vrouter.labels, label >> MPLS_LS_LABEL_SHIFT);
	if (!nh)
		return vr_drop(skb, VR_DROP_NO_LABEL);

	/* The flow's hash and checksum notes were the outer packet's. */
	skb_clear_hash(skb);
	skb->encapsulation = 0;
	fate = vr_ipv4_check(skb);
	if (fate != VR_SENT)
		return vr_drop(skb, fate);
	if (skb_cow_head(skb, 0))
		return vr_drop(skb, VR_DROP_NO_MEMORY);
	/* A mark of congestion on a packet whose sender can't heed it stands for a drop. */
	if (INET_ECN_decapsulate(skb, tos, ip_hdr(skb)->tos) > 1)
		return vr_drop(skb, VR_DROP_BAD_TUNNEL);
	return vr_forward(vif, skb, nh);
}

/*
 * The rx_handler of a fabric interface: takes the tunnels' packets, and leaves
 * everything else to the host's stack. Called in an RCU section with bottom
 * halves disabled.
 */
rx_handler_result_t vr_tunnel_receive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct vr_vif *vif = rcu_dereference(skb->dev->rx_handler_data);

	/* The headers may have to be pulled together, which nobody else may be looking at. */
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return RX_HANDLER_CONSUMED;
	*pskb = skb;
	if (!is_tunnel(skb))
		return RX_HANDLER_PASS;

	vr_stats_add(vif->stats, VR_RX_PACKETS, 1);
	vr_stats_add(vif->stats, VR_RX_BYTES, skb->len + ETH_HLEN);
	vr_count_fate(vif, tunnel_input(vif, skb));
	return RX_HANDLER_CONSUMED;
}
