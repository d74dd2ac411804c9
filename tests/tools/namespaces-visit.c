/* SPDX-License-Identifier: GPL-2.0-or-later */
/* namespaces-visit NAME COMMAND [COMMAND]: finds the network namespaces, runs a command with the shell, and then visits the one with this
 * name or first process. Prints the names of its links; with another command, looks at the link eth0, runs the command, turns
 * scatter-gather of that link off, and prints OK. Or prints the error. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/namespaces.h"
#include "kernel/observe.h"

static const struct namespace *find(const char *word, const struct namespace *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, word) == 0 || (all[i].pid && all[i].pid == atoi(word)))
			return &all[i];
	return NULL;
}

static int turn_off(struct observe *o, const char *command)
{
	const struct link *link = link_table_find_name(&o->links, "eth0");
	feature_set sg = feature_named(&o->features, "tx-scatter-gather");
	struct ethtool_result result = { 0 };
	int r = link && system(command) == 0 ? ethtool_features_set(o->ethtool, link->ifindex, link->name, sg, 0, &result) : -EINVAL;

	if (r >= 0 && result.error >= 0)
		puts("OK");
	return r < 0 ? r : result.error;
}

static int visit(const struct netns_sockets *sockets, const char *command)
{
	const struct observe_options how = { .sockets = sockets };
	_cleanup_(observe_close_pointer) struct observe *o = NULL;
	const char *what;
	int r = observe_open(&how, &o, &what);

	if (r >= 0)
		r = observe_refresh(o);
	if (r < 0)
		return r;
	if (command)
		return turn_off(o, command);
	link_table_foreach(&o->links, link)
		printf("%s\n", link->name);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(namespaces_close_pointer) struct namespaces *visitor = NULL;
	_cleanup_free_ struct namespace *all = NULL;
	const struct namespace *at = NULL;
	struct netns_sockets sockets;
	struct namespaces_missing missing;
	size_t n;
	int r;

	if (argc != 3 && argc != 4)
		return EXIT_FAILURE;
	r = namespaces_open(&visitor);
	if (r >= 0)
		r = namespaces_list(visitor, &all, &n, &missing);
	if (r >= 0)
		at = find(argv[1], all, n);
	if (!at || system(argv[2]) != 0) {
		printf("%s\n", r < 0 ? strerrorname_np(-r) : at ? "the command failed" : "not found");
		return EXIT_FAILURE;
	}
	r = namespaces_visit(visitor, at, &sockets);
	if (r >= 0) {
		r = visit(&sockets, argv[3]);
		netns_close_sockets(&sockets);
	}
	if (r < 0)
		puts(strerrorname_np(-r));
	return EXIT_SUCCESS;
}
