// SPDX-License-Identifier: GPL-2.0-only
/* A module that patches add fields to. */
#include <linux/module.h>

MODULE_DESCRIPTION("A module that patches add fields to");
MODULE_LICENSE("GPL");
