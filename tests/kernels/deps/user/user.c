// SPDX-License-Identifier: GPL-2.0-only
/* Uses a symbol of a module of another source. */
#include <linux/init.h>
#include <linux/module.h>

int provider_answer(void);

static int __init user_init(void)
{
	return provider_answer() == 42 ? 0 : -EINVAL;
}

static void __exit user_exit(void)
{
}

module_init(user_init);
module_exit(user_exit);
MODULE_DESCRIPTION("Uses a symbol of another source");
MODULE_LICENSE("GPL");
