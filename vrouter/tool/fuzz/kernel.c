// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutated requests to the kernel's family. Many go in one sendmsg, which the kernel takes apart and
 * answers before it returns; then the answers are read, which also makes it go on with dumps.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "modes.h"
#include "mutate.h"
#include "odd.h"
#include "random.h"
#include "session.h"
#include "vr_nl.h"

/* The most messages in one sendmsg. */
#define BATCH 32
/* How many batches there are between checks that all is well. */
#define CHECK_EVERY 64
/* The longest that the kernel may take for a batch; a slow emulator is slow, but not that slow. */
#define SECONDS 60

/* Errnos, and how many answers had each; 0 is for acknowledgements. */
#define ERRNOS 4096
static unsigned long errnos[ERRNOS], rows;

static void no_answer(int signal)
{
	static const char text[] = "vr-fuzz: the kernel has taken more than a minute for one batch\n";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(CODE_USAGE);
	_exit(CODE_REFUSED);
}

static enum code connect_to_kernel(struct mnl_socket **connection)
{
	int on = 1, room = 4 << 20;

	*connection = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!*connection || mnl_socket_bind(*connection, 0, MNL_SOCKET_AUTOPID) < 0)
		return complain(CODE_REFUSED, "opening a netlink socket: %s", strerror(errno));
	mnl_socket_setsockopt(*connection, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(*connection, NETLINK_CAP_ACK, &on, sizeof(on));
	/* Room for the answers to a whole batch. */
	setsockopt(mnl_socket_get_fd(*connection), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return CODE_OK;
}

/* A batch of mutated requests; returns its length, and counts its messages. */
static size_t write_batch(char *buffer, uint16_t family, unsigned long *messages)
{
	uint32_t count = 1 + random_below(BATCH);
	struct nlmsghdr *message = NULL;
	size_t length = 0;

	for (uint32_t i = 0; i < count; i++) {
		message = odd_request(buffer + length, odd_command(), family, random_bits());
		mutate(message, sizeof(struct genlmsghdr), REQUEST_MAX);
		/* Types that no family has: those of control messages, and what is past all families. */
		if (!random_below(256))
			message->nlmsg_type = random_below(2) ? random_below(NLMSG_MIN_TYPE) :
								GENL_MAX_ID + 1 + i;
		length += MNL_ALIGN(message->nlmsg_len);
	}
	/* Behind a wrong length the kernel finds no further message, so that only the last may have one. */
	if (!random_below(4))
		mutate_length(message);
	*messages += count;
	return length;
}

/* One message from the kernel: it must be what vr can read. */
static enum code count_answer(const struct nlmsghdr *message, uint16_t family)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);
	struct fields fields;
	char problem[128];
	int error;

	if (message->nlmsg_type == NLMSG_ERROR) {
		memcpy(&error, header, sizeof(error));
		if (error > 0 || error <= -ERRNOS)
			return complain(CODE_REFUSED, "the kernel answers with error %d", error);
		errnos[-error]++;
	} else if (message->nlmsg_type == family) {
		if (!header->cmd || header->cmd > last_command)
			return complain(CODE_REFUSED, "the kernel answers with command %u", header->cmd);
		if (!message_read(&commands[header->cmd], message, &fields, problem, sizeof(problem)))
			return complain(CODE_REFUSED, "%s", problem);
		rows++;
	}
	return CODE_OK;
}

/* Reads all that the kernel has answered. */
static enum code read_answers(struct mnl_socket *connection, uint16_t family)
{
	static char buffer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (;;) {
		ssize_t received = mnl_socket_recvfrom(connection, buffer, sizeof(buffer));
		const struct nlmsghdr *message;
		const char *at = buffer;
		size_t left = received;

		if (received < 0 && errno == EAGAIN)
			return CODE_OK;
		if (received < 0)
			return complain(CODE_REFUSED, "reading the kernel's answers: %s", strerror(errno));
		while ((message = message_take(&at, &left)))
			if (count_answer(message, family))
				return CODE_REFUSED;
	}
}

/* The family still answers, as it would anyone. */
static enum code check(void)
{
	struct fields nothing = { .there = 0 };
	const struct nlmsghdr *request;
	struct replies replies;
	enum code code = session_ask(&commands[VR_CMD_VERSION_GET], 0, &nothing, &replies, &request);

	if (replies.error)
		complain(code, "the kernel refuses version-get: %s", strerror(replies.error));
	else if (!code && !replies.messages)
		code = complain(CODE_REFUSED, "the kernel doesn't answer version-get");
	replies_free(&replies);
	return code;
}

static enum code run_batch(struct mnl_socket *connection, uint16_t family, unsigned long *done)
{
	static char buffer[BATCH * REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t length = write_batch(buffer, family, done);

	alarm(SECONDS);
	if (mnl_socket_sendto(connection, buffer, length) < 0)
		return complain(CODE_REFUSED, "sending to the kernel: %s", strerror(errno));
	/* Now and then the answers, and perhaps a dump that has begun, are given up. */
	return random_below(16) ? read_answers(connection, family) : CODE_OK;
}

static void print_errnos(void)
{
	fprintf(stderr, "%9lu acknowledged\n%9lu rows of tables\n", errnos[0], rows);
	for (int error = 1; error < ERRNOS; error++)
		if (errnos[error])
			fprintf(stderr, "%9lu %s\n", errnos[error], strerror(error));
}

enum code fuzz_kernel(const struct run *run)
{
	struct mnl_socket *connection;
	unsigned long done = 0;
	enum code code;
	uint16_t family;

	signal(SIGALRM, no_answer);
	code = check();
	family = session_family();
	while (!code && done < run->messages) {
		code = connect_to_kernel(&connection);
		for (int i = 0; !code && i < CHECK_EVERY && done < run->messages; i++)
			code = run_batch(connection, family, &done);
		mnl_socket_close(connection);
		if (!code)
			code = check();
		progress(run, done);
	}
	alarm(0);
	print_errnos();
	return code;
}
