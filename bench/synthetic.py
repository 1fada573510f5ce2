"""A module with many objects, the same one each time, for benchmarks: each object has the weight of a datapath's."""

from pathlib import Path

_INCLUDES = (
    "etherdevice.h", "if_vlan.h", "inetdevice.h", "ip.h", "ipv6.h", "jhash.h", "module.h", "netdevice.h",
    "rculist.h", "rtnetlink.h", "seq_file.h", "skbuff.h", "slab.h", "tcp.h", "udp.h", "workqueue.h",
)  # fmt: skip
_NET_INCLUDES = ("genetlink.h", "ip6_route.h", "ip_tunnels.h", "netns/generic.h", "route.h", "sock.h")
_FUNCTIONS = 12


def _function(file: int, number: int) -> str:
    """One function on a packet; no two are alike."""
    return f"""
static int f{file}_{number}(struct sk_buff *skb, struct net_device *dev, u32 *count)
{{
	struct iphdr *ip = ip_hdr(skb);
	u32 hash = jhash_2words((__force u32)ip->saddr, (__force u32)ip->daddr, {file * 131 + number});
	int i;

	if (skb->len < {20 + number} || !pskb_may_pull(skb, sizeof(*ip) + {number % 4}))
		return -EINVAL;
	for (i = 0; i < {3 + number % 5}; i++) {{
		if (hash & (1u << ((i * {number + 1}) % 32)))
			count[i % 4] += skb->len + {file};
		else if (ip->ttl > {1 + number})
			count[(i + 1) % 4] ^= hash >> i;
		else
			dev_kfree_skb_any(skb_clone(skb, GFP_ATOMIC));
	}}
	if (netif_running(dev) && dev->mtu < skb->len)
		net_warn_ratelimited("%s: {file}.{number}: too long: %u\\n", dev->name, skb->len);
	return skb_cow_head(skb, {8 * (number + 1)}) ?: (int)(hash % {7 + number});
}}
"""


def c_file(number: int) -> str:
    """The text of the `number`th C file; it has one function that isn't static, object_NUMBER."""
    lines = ["// SPDX-License-Identifier: GPL-2.0-only"]
    lines += [f"#include <linux/{name}>" for name in _INCLUDES] + [f"#include <net/{name}>" for name in _NET_INCLUDES]
    lines.append('#include "objects.h"')
    lines += [_function(number, each) for each in range(_FUNCTIONS)]
    calls = " + ".join(f"f{number}_{each}(skb, dev, count)" for each in range(_FUNCTIONS))
    lines += [f"int object_{number}(struct sk_buff *skb, struct net_device *dev)", "{", "\tu32 count[4] = {};", ""]
    return "\n".join([*lines, f"\treturn {calls} + (int)count[0];", "}", ""])


def write_module(folder: Path, name: str, count: int) -> None:
    """Write the source of a module with `count` objects and one that has its init function."""
    folder.mkdir(parents=True)
    numbers = range(count)
    for number in numbers:
        (folder / f"object_{number}.c").write_text(c_file(number))
    declared = "".join(f"int object_{each}(struct sk_buff *skb, struct net_device *dev);\n" for each in numbers)
    (folder / "objects.h").write_text(f"struct sk_buff;\nstruct net_device;\n{declared}")
    table = "".join(f"\tobject_{each},\n" for each in numbers)
    (folder / "main.c").write_text(
        '#include <linux/module.h>\n#include "objects.h"\n\n'
        f"static int (*const objects[])(struct sk_buff *, struct net_device *) = {{\n{table}}};\n\n"
        "static int __init bench_init(void)\n{\n\treturn READ_ONCE(objects[0]) ? 0 : -EINVAL;\n}\n"
        "static void __exit bench_exit(void)\n{\n}\nmodule_init(bench_init);\nmodule_exit(bench_exit);\n"
        'MODULE_DESCRIPTION("For benchmarks");\nMODULE_LICENSE("GPL");\n'
    )
    objects = " ".join(f"object_{each}.o" for each in numbers)
    (folder / "Makefile").write_text(f"obj-m := {name}.o\n{name}-y := main.o {objects}\n")
