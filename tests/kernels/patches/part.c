// SPDX-License-Identifier: GPL-2.0-only
/* What patches of the header and of the Kbuild file change. */
#include <linux/module.h>
#include "part.h"

MODULE_INFO(part, PART);
