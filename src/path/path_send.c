/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sending end, which measures. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "path/path_link.h"
#include "basic/util.h"

#define FIRST_BYTES (UINT64_C(1) << 20)
#define CONNECT_USEC (5 * USEC_PER_SEC)
#define CHUNK_BYTES (UINT64_C(1) << 20)
#define PIPE_BYTES (256 << 10)

struct sender {
	const struct path_target *target;
	uint64_t deadline_usec;
	int file, pipe[2];
	uint8_t *memory;
	uint64_t at; /* offset in the data */
	char *why;
};

static void sender_clear(struct sender *s)
{
	if (s->file >= 0)
		close(s->file);
	for (int i = 0; i < 2; i++)
		if (s->pipe[i] >= 0)
			close(s->pipe[i]);
	if (s->memory)
		munmap(s->memory, PATH_DATA_BYTES);
}

/* The same bytes in memory and in a memfd, so that no disk is measured. */
static int sender_init(struct sender *s)
{
	uint64_t x = 88172645463325252;

	s->file = memfd_create("check-path", MFD_CLOEXEC);
	if (s->file < 0 || pipe2(s->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	(void)fcntl(s->pipe[1], F_SETPIPE_SZ, PIPE_BYTES);
	s->memory = mmap(NULL, PATH_DATA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->memory == MAP_FAILED) {
		s->memory = NULL;
		return -errno;
	}
	for (size_t i = 0; i < PATH_DATA_BYTES; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(s->memory + i, &x, sizeof(x));
	}
	for (size_t done = 0; done < PATH_DATA_BYTES;) {
		ssize_t n = write(s->file, s->memory + done, PATH_DATA_BYTES - done);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int explain_connect(struct sender *s, int error)
{
	const struct path_target *t = s->target;
	char peer[PATH_ADDRESS_LEN];

	path_address_format(&t->peer, peer);
	switch (-error) {
	case ECONNREFUSED:
		snprintf(s->why, PATH_WHY_LEN,
			"Failed to connect to %s: connection refused; start offloadctl check-path --serve there", peer);
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
		snprintf(s->why, PATH_WHY_LEN, "Failed to connect to %s over %s: %s", peer,
			t->device ? t->device : "any interface", strerror(-error));
		break;
	case ETIMEDOUT:
		snprintf(s->why, PATH_WHY_LEN, "Failed to connect to %s over %s: timed out", peer,
			t->device ? t->device : "any interface");
		break;
	case EPERM:
		snprintf(s->why, PATH_WHY_LEN, "Failed to bind to %s: this kernel requires CAP_NET_RAW",
			t->device ? t->device : "this interface");
		break;
	case ENODEV:
		snprintf(s->why, PATH_WHY_LEN, "unknown interface \"%s\"", t->device ? t->device : "");
		break;
	case EINTR:
		break;
	default:
		snprintf(s->why, PATH_WHY_LEN, "Failed to connect to %s: %s", peer, strerror(-error));
	}
	return error;
}

static int sender_connect(struct sender *s, unsigned mss, int *ret)
{
	const struct path_target *t = s->target;
	_cleanup_close_ int fd = path_socket_open(t->peer.any.sa_family, t->device);
	int error = 0, value = (int)mss, r = fd < 0 ? fd : 0;
	socklen_t len = sizeof(error);

	if (r == 0 && mss && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &value, sizeof(value)) < 0)
		r = -errno;
	if (r == 0 && connect(fd, &t->peer.any, sizeof(t->peer)) < 0 && errno != EINPROGRESS)
		r = -errno;
	if (r == 0)
		r = path_socket_wait(fd, POLLOUT, util_now_usec() + CONNECT_USEC, t->stop);
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
		r = -error;
	if (r < 0)
		return explain_connect(s, r);
	*ret = TAKE_FD(fd);
	return 0;
}

static ssize_t send_by_pipe(struct sender *s, int fd, size_t len, size_t *in_pipe)
{
	loff_t offset = (loff_t)s->at;

	if (*in_pipe == 0) {
		ssize_t n = splice(s->file, &offset, s->pipe[1], NULL, len, SPLICE_F_NONBLOCK);

		if (n <= 0)
			return n;
		*in_pipe = (size_t)n;
	}
	return splice(s->pipe[0], NULL, fd, NULL, *in_pipe,
		SPLICE_F_NONBLOCK | (*in_pipe < len ? SPLICE_F_MORE : 0));
}

static ssize_t send_some(struct sender *s, int fd, enum path_way way, size_t len, size_t *in_pipe)
{
	off_t offset = (off_t)s->at;
	ssize_t n;

	switch (way) {
	case PATH_SENDFILE:
	case PATH_SMALL:
		return sendfile(fd, s->file, &offset, len);
	case PATH_SPLICE:
		n = send_by_pipe(s, fd, len, in_pipe);
		if (n > 0)
			*in_pipe -= (size_t)n;
		return n;
	case PATH_SEND:
		return send(fd, s->memory + s->at, len, MSG_NOSIGNAL);
	}
	return -1;
}

static int send_bytes(struct sender *s, int fd, enum path_way way, uint64_t bytes)
{
	size_t in_pipe = 0;

	while (bytes) {
		uint64_t len = bytes < CHUNK_BYTES ? bytes : CHUNK_BYTES;
		ssize_t n;
		int r;

		if (len > PATH_DATA_BYTES - s->at)
			len = PATH_DATA_BYTES - s->at;
		n = send_some(s, fd, way, len, &in_pipe);
		if (n > 0) {
			bytes -= (uint64_t)n;
			s->at = (s->at + (uint64_t)n) % PATH_DATA_BYTES;
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return n == 0 ? -EIO : -errno;
		r = path_socket_wait(fd, POLLOUT, s->deadline_usec, s->target->stop);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Of the whole machine, in microseconds; 0 if it cannot be read. */
static uint64_t softirq_usec(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/stat", "re");
	uint64_t irq, softirq;

	if (!f || fscanf(f, "cpu %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &irq, &softirq) != 2)
		return 0;
	return (irq + softirq) * USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
}

static uint64_t cpu_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

static int explain_transfer(struct sender *s, int error)
{
	char peer[PATH_ADDRESS_LEN];

	path_address_format(&s->target->peer, peer);
	if (error == -EINTR)
		return error;
	if (error == -EPROTO)
		snprintf(s->why, PATH_WHY_LEN, "Failed to measure: %s is not an offloadctl check-path --serve", peer);
	else if (error == -ECONNRESET || error == -EPIPE)
		snprintf(s->why, PATH_WHY_LEN, "Failed to send: %s closed the connection", peer);
	else if (error == -ETIMEDOUT)
		snprintf(s->why, PATH_WHY_LEN, "Failed to send: timed out before %s received and confirmed the data", peer);
	else
		snprintf(s->why, PATH_WHY_LEN, "Failed to send to %s: %s", peer, strerror(-error));
	return error;
}

static int ask(struct sender *s, int fd, uint64_t bytes)
{
	struct path_frame frame = { .version = PATH_WIRE_VERSION, .count = bytes };
	int r = path_frame_send(fd, &frame);

	if (r == 0)
		r = path_frame_receive(fd, s->deadline_usec, s->target->stop, &frame);
	if (r < 0)
		return explain_transfer(s, r);
	if (frame.status == PATH_GO && frame.version == PATH_WIRE_VERSION)
		return 0;
	if (frame.status == PATH_TOO_MUCH)
		snprintf(s->why, PATH_WHY_LEN, "%s: %" PRIu64 " MB left, one transfer has %" PRIu64 " MB",
			path_status_words(frame.status), frame.count / 1000000, bytes / 1000000);
	else
		snprintf(s->why, PATH_WHY_LEN, "%s",
			path_status_words(frame.status == PATH_GO ? PATH_OTHER_VERSION : frame.status));
	return -EDQUOT;
}

/* One connection with one transfer, measured from its first byte to the confirmation of the receiver. */
static int transfer(struct sender *s, enum path_way way, uint64_t bytes, struct path_sample *ret, unsigned *ret_mss)
{
	uint64_t wall = 0, cpu = 0, softirq = 0;
	_cleanup_close_ int fd = -1;
	struct path_frame frame = { 0 };
	int mss = 0, r = sender_connect(s, way == PATH_SMALL ? PATH_SMALL_MSS : 0, &fd);
	socklen_t len = sizeof(mss);

	if (r == 0)
		r = ask(s, fd, bytes);
	if (r < 0)
		return r;
	softirq = softirq_usec();
	wall = util_now_usec();
	cpu = cpu_usec();
	r = send_bytes(s, fd, way, bytes);
	if (r == 0)
		r = path_frame_receive(fd, s->deadline_usec, s->target->stop, &frame);
	if (r == 0 && (frame.status != PATH_GO || frame.count != bytes))
		r = -EPROTO;
	if (r < 0)
		return explain_transfer(s, r);
	*ret = (struct path_sample){
		.bytes = bytes,
		.cpu_usec = cpu_usec() - cpu,
		.wall_usec = util_now_usec() - wall,
	};
	ret->softirq_usec = softirq ? softirq_usec() - softirq : 0;
	if (ret_mss && getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) == 0 && mss > 0)
		*ret_mss = (unsigned)mss;
	return 0;
}

/* The order rotates from round to round, so that no way always follows the same other way. */
static int measure_round(struct sender *s, uint64_t bytes, struct path_run *run)
{
	for (unsigned i = 0; i < PATH_WAYS; i++) {
		enum path_way way = (enum path_way)((i + run->rounds) % PATH_WAYS);
		int r = transfer(s, way, bytes, &run->samples[run->rounds][way],
			way == PATH_SMALL ? &run->small_mss : &run->mss);

		if (r < 0)
			return r;
	}
	run->rounds++;
	return 0;
}

static int measure(struct sender *s, struct path_run *run)
{
	const struct path_target *t = s->target;
	struct path_sample first;
	uint64_t bytes, begin_usec, round_usec = 0;
	int r = transfer(s, PATH_SEND, FIRST_BYTES, &first, NULL);

	if (r < 0)
		return r;
	bytes = path_transfer_bytes(t->bytes_max - FIRST_BYTES, t->usec_max,
		(double)first.bytes * 1e6 / (double)(first.wall_usec ? first.wall_usec : 1));
	if (bytes == 0) {
		snprintf(s->why, PATH_WHY_LEN, "this path is too slow to measure within these limits");
		return -ETIME;
	}
	while (run->rounds < PATH_ROUNDS) {
		begin_usec = util_now_usec();
		if (run->rounds >= PATH_ROUNDS_LEAST && begin_usec + round_usec > s->deadline_usec)
			break;
		r = measure_round(s, bytes, run);
		if (r == -ETIMEDOUT && run->rounds >= PATH_ROUNDS_LEAST)
			break;
		if (r < 0)
			return r;
		round_usec = util_now_usec() - begin_usec;
	}
	return 0;
}

int path_measure(const struct path_target *target, struct path_run *ret, char why[PATH_WHY_LEN])
{
	_cleanup_(sender_clear) struct sender s = { .target = target, .file = -1, .pipe = { -1, -1 }, .why = why };
	int r = sender_init(&s);

	*ret = (struct path_run){ 0 };
	why[0] = '\0';
	if (r < 0) {
		snprintf(why, PATH_WHY_LEN, "Failed to prepare data: %s", strerror(-r));
		return r;
	}
	s.deadline_usec = util_now_usec() + target->usec_max;
	return measure(&s, ret);
}
