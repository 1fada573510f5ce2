/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BATCH_H
#define BATCH_H

#include "complain.h"

#include <stdbool.h>

/* Runs the commands of a file ("-" for standard input), a line each; `force` goes on after errors. */
enum code batch(const char *file, bool json, bool force);

#endif
