// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one ICMP error that the router sends, without which TCP would hang where
 * a path takes less than its first hop: "fragmentation needed" (RFC 1191).
 */
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ip.h>

#include "vr_compat.h"
#include "vr_nl.h"
#include "vrouter.h"

/* An error is at most as long as what every host takes (RFC 1812, 4.3.2.3). */
#define QUOTE_MAX (576 - sizeof(struct iphdr) - sizeof(struct icmphdr))

/* RFC 1812, 4.3.2.7: no error about an error, nor about any but the first fragment. */
static bool may_answer(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	const u8 *type;
	u8 buffer;

	if (iph->frag_off & htons(IP_OFFSET))
		return false;
	if (iph->protocol != IPPROTO_ICMP)
		return true;
	type = skb_header_pointer(skb, sizeof(*iph) + offsetof(struct icmphdr, type), sizeof(buffer), &buffer);
	return type && !icmp_is_err(*type);
}

/*
 * Tells the sender of a packet, straight back to where it came from, how much
 * fits. A tunnel's packet gets no answer: nothing says which way leads back. The
 * error comes from the address that the packet was for, because the router has
 * none in a tenant's VRF.
 */
void vr_icmp_too_big(struct vr_vif *in, const struct sk_buff *skb, unsigned int mtu)
{
	unsigned int quote = min_t(unsigned int, skb->len, QUOTE_MAX);
	struct net_device *dev = in->dev;
	struct icmphdr *icmph;
	struct sk_buff *error;
	struct iphdr *iph;

	if (in->type == VR_VIF_TYPE_FABRIC || !may_answer(skb))
		return;
	error = alloc_skb(LL_RESERVED_SPACE(dev) + sizeof(*iph) + sizeof(*icmph) + quote, GFP_ATOMIC);
	if (!error)
		return;
	skb_reserve(error, LL_RESERVED_SPACE(dev));
	skb_reset_network_header(error);
	iph = skb_put_zero(error, sizeof(*iph));
	icmph = skb_put_zero(error, sizeof(*icmph));
	if (skb_copy_bits(skb, 0, skb_put(error, quote), quote)) {
		kfree_skb(error);
		return;
	}

	icmph->type = ICMP_DEST_UNREACH;
	icmph->code = ICMP_FRAG_NEEDED;
	icmph->un.frag.mtu = htons(min(mtu, 0xffffU));
	icmph->checksum = ip_compute_csum(icmph, sizeof(*icmph) + quote);
	iph->version = 4;
	iph->ihl = 5;
	iph->tos = IPTOS_PREC_INTERNETCONTROL;
	iph->tot_len = htons(error->len);
	iph->frag_off = htons(IP_DF);
	iph->ttl = 64;
	iph->protocol = IPPROTO_ICMP;
	iph->saddr = ip_hdr(skb)->daddr;
	iph->daddr = ip_hdr(skb)->saddr;
	ip_send_check(iph);

	error->protocol = htons(ETH_P_IP);
	dev_hard_header(error, dev, ETH_P_IP, eth_hdr(skb)->h_source, vr_mac, error->len);
	if (vr_vif_sent(in, vr_vif_transmit(in, error)) == VR_SENT)
		vr_stats_add(in->stats, VR_ICMP_ERRORS, 1);
}
