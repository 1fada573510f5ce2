/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HELP_H
#define HELP_H

#include "verbs.h"

/* What can be done to an object and with which options; for NULL, which objects there are. */
void help(const struct object *object);

void help_batch(void);

#endif
