/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EXECUTE_H
#define EXECUTE_H

#include "arguments.h"

/* Does what the words asked for and prints what came of it. */
enum code execute(const struct arguments *arguments);

#endif
