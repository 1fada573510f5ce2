/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that only the seed decides. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

void random_seed(uint64_t seed);

uint64_t random_bits(void);

/* 0 to below - 1. */
uint32_t random_below(uint32_t below);

#endif
