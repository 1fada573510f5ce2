/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MODES_H
#define MODES_H

#include "complain.h"
#include "counts.h"

/* Sends mutated requests to the kernel; CODE_REFUSED if it no longer answers as it should. */
enum code fuzz_kernel(const struct run *run);

/* Feeds mutated replies to what vr reads and prints them with. */
enum code fuzz_replies(const struct run *run);

#endif
