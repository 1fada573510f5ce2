// SPDX-License-Identifier: GPL-2.0-only
#include "random.h"

static uint64_t state;

void random_seed(uint64_t seed)
{
	state = seed;
}

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
uint64_t random_bits(void)
{
	uint64_t bits = state += 0x9e3779b97f4a7c15;

	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
	return bits ^ bits >> 31;
}

uint32_t random_below(uint32_t below)
{
	return (random_bits() >> 32) * below >> 32;
}
