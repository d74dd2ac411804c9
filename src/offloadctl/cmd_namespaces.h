/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces other than our own, for --netns. */
#ifndef OFFLOADD_CMD_NAMESPACES_H
#define OFFLOADD_CMD_NAMESPACES_H

#include "offloadctl/cmd.h"

/* Opens sockets in the namespace that options->netns names, if it is not our own: options->sockets; and sets options->control to the
 * control socket of an offloadd in it, unless that is set. Both are released by cmd_leave_namespace(). CMD_OK, or CMD_ERROR after printing
 * the reason. */
int cmd_enter_namespace(struct cmd_options *options);
void cmd_leave_namespace(struct cmd_options *options);
/* The other ends of the veths in a session, in other network namespaces, with what the rules say of them. */
struct cmd_far {
	struct view_far *ends;
	size_t n;
	struct plan *plans;
	size_t n_plans;
};
/* Finds those of the network namespace of this process, and sets session->view.far. Prints on standard error if some cannot be found. ret:
 * released by cmd_far_clear() after the last use of the view. 0 or -ENOMEM. */
int cmd_find_far(struct cmd_session *session, struct cmd_far *ret);
void cmd_far_clear(struct cmd_far *far);
/* Prints that commands in the output are to be run in that namespace, and how. */
void cmd_render_namespace(const struct cmd_options *options);

#endif
