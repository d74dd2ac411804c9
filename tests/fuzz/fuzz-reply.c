/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies that an offloadd might send to a command of offloadctl, which the first byte chooses; in the second, bit 0 is --json. The rest
 * is what comes over the socket. Whatever comes, the command ends with an exit code of its own, and what it prints as JSON is JSON. */
#include "fuzz.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "engine/apply.h"
#include "offloadctl/cmd.h"

static struct feature_table features;
static char path[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the following two */
static uint8_t *reply;
static size_t reply_size;
static char *printed;
static size_t printed_len;

static void *serve(void *userdata)
{
	int listener = *(int *)userdata;

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		char call[4096];

		assert(fd >= 0);
		(void)!recv(fd, call, sizeof(call), 0);
		pthread_mutex_lock(&lock);
		(void)!send(fd, reply, reply_size, MSG_NOSIGNAL);
		pthread_mutex_unlock(&lock);
		close(fd);
	}
	return NULL;
}

static void remove_socket(void)
{
	unlink(path);
}

static void begin(void)
{
	static int listener;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pthread_t thread;

	unit_features(&features);
	snprintf(path, sizeof(path), "/tmp/fuzz-reply-%d", (int)getpid());
	strcpy(address.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 8) == 0);
	atexit(remove_socket);
	assert(pthread_create(&thread, NULL, serve, &listener) == 0);
	stderr = fopen("/dev/null", "w"); /* libFuzzer keeps the one of before */
}

static int revert(const struct cmd_options *options)
{
	struct apply_report report = { 0 };
	int code = cmd_revert_by_daemon(options, NULL, &features, &report);

	for (size_t i = 0; i < report.n_results; i++) {
		assert(memchr(report.results[i].name, '\0', sizeof(report.results[i].name)));
		assert(!(report.results[i].value & ~report.results[i].asked));
	}
	apply_report_clear(&report);
	return code;
}

static int read_states(const struct cmd_options *options)
{
	struct cmd_session session = { .options = options, .view.features = &features };

	assert(cmd_read_states(&session) == 0);
	cmd_close(&session);
	return CMD_OK;
}

static int run(uint8_t command, const struct cmd_options *options)
{
	char link[] = "eth2", *argv[] = { link, NULL };

	switch (command) {
	case 'a':
		return cmd_status(options, 0, argv + 1);
	case 'b':
		return cmd_services(options, 0, argv + 1);
	case 'c':
		return cmd_events(options, 0, argv + 1);
	case 'd':
		return cmd_reload(options, 0, argv + 1);
	case 'e':
		return cmd_resume(options, 1, argv);
	case 'f':
		return cmd_wait_online(options, 1, argv);
	case 'g':
		return cmd_metrics(options, 0, argv + 1);
	case 'h':
		return cmd_pause(options, 1, argv);
	case 'i':
		return revert(options);
	case 'j':
		return read_states(options);
	default:
		return CMD_ERROR;
	}
}

static void check_json(int code, const char *text, size_t len)
{
	struct json_value *root = NULL;
	char why[JSON_WHY_LEN];

	if (code == CMD_ERROR && len == 0)
		return;
	assert(json_parse(text, len, JSON_OF_FILE, &root, why, sizeof(why)) == 0);
	json_free(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cmd_options options = { .control = path, .colour = RENDER_COLOUR_NEVER };
	FILE *out = stdout;
	int code;

	if (!path[0])
		begin();
	if (size < 2)
		return 0;
	options.json = data[1] & 1 && data[0] < 'i';
	if (data[0] == 'b' && !options.json)
		options.format = data[1] >> 1 & 3;
	if (options.format > CMD_FORMAT_NAGIOS || (options.json && data[0] == 'g'))
		return 0;
	pthread_mutex_lock(&lock); /* a command may end before it was answered */
	free(reply);
	reply = (uint8_t *)fuzz_text(data + 2, size - 2);
	reply_size = size - 2;
	pthread_mutex_unlock(&lock);
	stdout = open_memstream(&printed, &printed_len);
	assert(stdout);
	render_init(&options.render, stdout, options.colour);
	code = run(data[0], &options);
	fclose(stdout);
	stdout = out;
	assert(code >= 0 && code <= (CMD_PENDING | CMD_UNMET));
	if (options.json)
		check_json(code, printed, printed_len);
	free(printed);
	return 0;
}
