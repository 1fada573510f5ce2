// SPDX-License-Identifier: GPL-2.0-only
/* vr-fuzz: mutated messages to the kernel's family, and mutated replies to vr's reader of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "modes.h"
#include "random.h"

#define MESSAGES 100000

static const char usage[] =
	"Usage: vr-fuzz kernel|replies [--messages N] [--seed N]\n"
	"\n"
	"  kernel   sends mutated requests to the module, which changes its tables at random\n"
	"  replies  feeds mutated replies to the code that vr reads and prints them with\n"
	"\n"
	"N is 100000 messages unless given. The same seed sends the same messages; without one\n"
	"the clock gives it. Exit codes: 0 nothing unexpected; 1 something unexpected; 2 usage.\n";

static enum code read_number(const char *option, const char *text, unsigned long long *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text ? text : "", &end, 10);
	if (!text || !*text || *end || errno || strchr(text, '-'))
		return complain(CODE_USAGE, "%s: expected a number", option);
	return CODE_OK;
}

int main(int argc, char *argv[])
{
	unsigned long long messages = MESSAGES;
	struct run run = { .seed = time(NULL) };
	enum code (*mode)(const struct run *run) = NULL;
	enum code code = CODE_OK;

	for (int i = 1; i < argc && !code; i++) {
		if (!strcmp(argv[i], "--help"))
			return fputs(usage, stdout) < 0;
		if (!strcmp(argv[i], "kernel"))
			mode = fuzz_kernel;
		else if (!strcmp(argv[i], "replies"))
			mode = fuzz_replies;
		else if (!strcmp(argv[i], "--messages"))
			code = read_number(argv[i], argv[i + 1], &messages), i++;
		else if (!strcmp(argv[i], "--seed"))
			code = read_number(argv[i], argv[i + 1], &run.seed), i++;
		else
			code = complain(CODE_USAGE, "'%s': expected kernel, replies, --messages N or --seed N",
					argv[i]);
	}
	if (code)
		return code;
	if (!mode)
		return complain(CODE_USAGE, "say what to fuzz: kernel or replies");
	run.messages = messages;
	random_seed(run.seed);
	fprintf(stderr, "%lu messages, seed %llu\n", run.messages, run.seed);
	return mode(&run);
}
