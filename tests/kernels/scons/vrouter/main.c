// SPDX-License-Identifier: GPL-2.0-only
/* A module of which a generator in C++ writes a part. */
#include <linux/init.h>
#include <linux/module.h>

#include "generated/messages.h"

static int __init vrouter_init(void)
{
	unsigned int i;

	for (i = 0; i < MESSAGES; i++)
		pr_info("message %s of %u fields\n", messages[i].name, messages[i].fields);
	return 0;
}

static void __exit vrouter_exit(void)
{
}

module_init(vrouter_init);
module_exit(vrouter_exit);
MODULE_DESCRIPTION("A module with messages from a generator");
MODULE_LICENSE("GPL");
