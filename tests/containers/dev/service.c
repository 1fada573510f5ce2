/* A service for dev_verb_test: says what its source, the environment and its own state hold, and waits for SIGTERM. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end(int number)
{
	_exit(number == SIGTERM ? 0 : 1);
}

int main(void)
{
	char name[16] = "";
	const char *greeting = getenv("GREETING");
	FILE *source = fopen("/etc/service.conf", "r");
	FILE *state = fopen("/state", "a+");

	if (!source || !state || !fgets(name, sizeof(name), source))
		return 2;
	name[strcspn(name, "\n")] = 0;
	if (!strcmp(name, "wrong"))
		return 3;
	signal(SIGTERM, end);
	fseek(state, 0, SEEK_END);
	printf("%s: %s: started before: %ld\n", name, greeting ? greeting : "", ftell(state));
	fflush(stdout);
	fputc('x', state);
	fclose(state);
	for (;;)
		pause();
}
