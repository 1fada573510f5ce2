// SPDX-License-Identifier: GPL-2.0-only
/* The smallest module: what a test needs when only the build is in question. */
#include <linux/init.h>
#include <linux/module.h>

static int __init hello_init(void)
{
	pr_info("hello\n");
	return 0;
}

static void __exit hello_exit(void)
{
}

module_init(hello_init);
module_exit(hello_exit);
MODULE_DESCRIPTION("The smallest module");
MODULE_LICENSE("GPL");
