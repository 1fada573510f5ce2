// SPDX-License-Identifier: GPL-2.0-only
#include "batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute.h"
#include "output.h"

/* More words than any command has. */
#define WORDS 64

/* Parts a line into words, up to a comment; their number, or -1 if they're too many. */
static int split(char *line, char *words[WORDS])
{
	static const char space[] = " \t\r\n";
	int count = 0;

	line[strcspn(line, "#")] = '\0';
	for (char *word = strtok(line, space); word; word = strtok(NULL, space)) {
		if (count == WORDS)
			return -1;
		words[count++] = word;
	}
	return count;
}

static enum code run_line(char *line, bool json)
{
	struct arguments arguments;
	char *words[WORDS];
	int count = split(line, words);
	enum code code;

	if (count == 0)
		return CODE_OK;
	if (count < 0)
		return complain(CODE_USAGE, "more than %d words", WORDS);
	code = arguments_read(&arguments, count, words);
	if (code)
		return code;
	if (arguments.batch || arguments.help || arguments.json)
		return complain(CODE_USAGE, "batch, --help and --json aren't for lines of a batch");
	arguments.json = json;
	return execute(&arguments);
}

enum code batch(const char *file, bool json, bool force)
{
	bool standard_input = !strcmp(file, "-");
	FILE *in = standard_input ? stdin : fopen(file, "re");
	enum code worst = CODE_OK;
	unsigned int number = 0;
	size_t size = 0;
	char *line = NULL;

	if (!in)
		return complain(CODE_USAGE, "batch: %s: %s", file, strerror(errno));
	if (json)
		output_begin_array();
	while ((force || !worst) && getline(&line, &size, in) >= 0) {
		enum code code;

		complain_about(standard_input ? "stdin" : file, ++number);
		code = run_line(line, json);
		if (code > worst)
			worst = code;
	}
	complain_about(NULL, 0);
	if (ferror(in))
		worst = complain(CODE_USAGE, "batch: reading %s: %s", file, strerror(errno));
	if (json)
		output_end_array();
	free(line);
	if (!standard_input)
		fclose(in);
	return worst;
}
