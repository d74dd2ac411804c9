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
/* Prints that commands in the output are to be run in that namespace, and how. */
void cmd_render_namespace(const struct cmd_options *options);

#endif
