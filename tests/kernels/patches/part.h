/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PART
#define PART "plain"
#endif
