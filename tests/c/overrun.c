/* Writes behind what it allocated, which only a sanitizer notices at once. */
#include <stdlib.h>

int main(int count, char *words[])
{
	volatile char *memory = malloc(count);

	(void)words;
	memory[count] = 1;
	free((void *)memory);
	return 0;
}
