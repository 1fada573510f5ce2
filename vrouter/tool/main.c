// SPDX-License-Identifier: GPL-2.0-only
/* vr: shows and changes the tables of the router in the kernel. README.md describes its use. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "batch.h"
#include "execute.h"
#include "help.h"

static enum code run(int count, char *const words[])
{
	struct arguments arguments;
	enum code code = arguments_read(&arguments, count, words);

	if (code)
		return code;
	if (arguments.help && arguments.batch)
		help_batch();
	else if (arguments.help)
		help(arguments.object);
	else if (arguments.batch)
		return batch(arguments.batch, arguments.json, arguments.force);
	else
		return execute(&arguments);
	return CODE_OK;
}

int main(int argc, char *argv[])
{
	enum code code = run(argc - 1, argv + 1);

	if (fflush(stdout) || ferror(stdout))
		return complain(CODE_REFUSED, "writing the output: %s", strerror(errno));
	return code;
}
