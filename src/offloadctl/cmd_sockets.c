/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets: lists stale sockets, read from the kernel. */
#include "offloadctl/cmd_service.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "kernel/cgroup.h"
#include "report/json_evidence.h"
#include "report/render_evidence.h"

struct inventory {
	struct cmd_session *session;
	struct cmd_scope scope;
	const int *only; /* links; none: all */
	int n_only;
	struct evidence evidence;
	int error;
};

static bool is_asked_for(const struct inventory *inventory, int ifindex)
{
	for (int i = 0; i < inventory->n_only; i++)
		if (inventory->only[i] == ifindex)
			return true;
	return inventory->n_only == 0;
}

/* Services and processes are resolved later, not while the kernel iterates over the sockets. */
static int take_socket(const struct socket_info *info, void *userdata)
{
	struct inventory *inventory = userdata;
	struct evidence_socket row = { .info = *info,
		.missing = socket_stale(info, &inventory->scope.collect.features) };

	if (!is_asked_for(inventory, info->ifindex))
		return 0;
	cmd_scope_link(&inventory->scope, info->netns, info->ifindex, row.link);
	inventory->error = evidence_add_socket(&inventory->evidence, &row);
	return inventory->error;
}

/* Resolves the next batch, if row i is not known. */
static void note_batch(const struct evidence *e, struct collect *collect, size_t i, size_t *known)
{
	if (i < *known)
		return;
	for (; *known < e->n_sockets && *known - i < SENDERS_BATCH; ++*known)
		(void)senders_note_socket(&collect->senders, e->sockets[*known].info.cgroup, e->sockets[*known].info.inode);
	(void)senders_find(&collect->senders);
}

/* Processes that cannot be read have no name. 0 or -ENOMEM. */
static int name_owners(struct evidence *e, struct collect *collect)
{
	struct timespec now = { 0 };
	size_t known = 0;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	for (size_t i = 0; i < e->n_sockets; i++) {
		struct evidence_socket *row = &e->sockets[i];
		const struct probe_hits hits = { .kind = FALLBACK_CHECKSUM, .origin = FALLBACK_SOCKET, .cgroup = row->info.cgroup,
			.inode = row->info.inode };
		const struct sender *sender;
		struct cgroup_process process;
		char name[UNIT_SERVICE_LEN];
		struct unit unit;

		note_batch(e, collect, i, &known);
		sender = senders_note(&collect->senders, &hits);
		row->pid = sender ? sender->pid : 0;
		if (row->pid && cgroup_read_process(row->pid, &process) == 0) {
			row->has_age = true;
			row->age_sec = (uint64_t)now.tv_sec > process.start_usec / USEC_PER_SEC
				? (uint64_t)now.tv_sec - process.start_usec / USEC_PER_SEC : 0;
			memcpy(row->comm, process.comm, sizeof(row->comm));
		}
		senders_name(&collect->senders, &hits, &unit, name);
		row->service = strdup(name);
		if (!row->service)
			return -ENOMEM;
	}
	return 0;
}

/* CMD_OK, or CMD_ERROR after printing the reason. */
static int take_inventory(struct inventory *inventory)
{
	const struct feature_table *features = inventory->session->view.features;
	const struct probe_options how = { .features = features, .no_fallback = true, .no_changes = true };
	struct evidence *e = &inventory->evidence;
	_cleanup_(probe_close_pointer) struct probe *probe = NULL;
	int r = probe_open(&how, &probe);

	if (r < 0)
		return cmd_error("Failed to open probes: %s", strerror(-r));
	e->features = *features;
	r = probe_read_sockets(probe, NULL, e->all_sockets, take_socket, inventory, &e->visited);
	if (r == -EOPNOTSUPP) {
		size_t n;
		const struct probe_status *status = probe_status(probe, &n);

		while (n > 0 && strcmp(status->name, "sockets")) {
			status++;
			n--;
		}
		return cmd_probe_absent("sockets", n ? status : NULL);
	}
	if (r >= 0)
		r = inventory->error;
	if (r >= 0)
		r = name_owners(e, &inventory->scope.collect);
	if (r < 0)
		return cmd_error("Failed to read sockets: %s", strerror(-r));
	evidence_sort(e);
	return CMD_OK;
}

int cmd_sockets(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(cmd_close) struct cmd_session s;
	_cleanup_free_ int *only = calloc((size_t)argc + 1, sizeof(*only));
	struct inventory inventory = { .session = &s, .only = only, .n_only = argc };
	int r = cmd_open(options, &s);

	inventory.evidence.all_sockets = options->all;
	if (r == CMD_OK)
		r = only ? cmd_refresh(&s) : cmd_error("%s", strerror(ENOMEM));
	for (int i = 0; r == CMD_OK && i < argc; i++) {
		const struct link *link = cmd_find_link(&s, argv[i]);

		if (!link)
			r = CMD_ERROR;
		else
			only[i] = link->ifindex;
	}
	if (r == CMD_OK) {
		cmd_scope_open(&inventory.scope, &s, NULL);
		r = take_inventory(&inventory);
	}
	if (r == CMD_OK)
		r = cmd_written(options->json ? json_write_sockets(stdout, &inventory.evidence)
					      : render_sockets(&s.render, &inventory.evidence),
			CMD_OK);
	cmd_scope_close(&inventory.scope);
	evidence_clear(&inventory.evidence);
	return r;
}
