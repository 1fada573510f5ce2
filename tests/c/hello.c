/* The smallest program that shows headers and a library at work. */
#include <libmnl/libmnl.h>
#include <stdio.h>

#include "greeting.h"

int main(void)
{
	printf("%s %zu\n", GREETING, mnl_nlmsg_size(0));
	return 0;
}
