/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing rule files: `rules new`, `edit`, `enable` and `disable`, and `import`. */
#ifndef OFFLOADD_CMD_WRITE_H
#define OFFLOADD_CMD_WRITE_H

#include "offloadctl/cmd.h"

/* Is the first argument of `rules` one of new, cat, edit, enable and disable, with something to do? */
bool cmd_is_rules_verb(int argc, char **argv);
int cmd_rules_verb(const struct cmd_options *options, int argc, char **argv);

/* Writes a rule file into the directory of --output, or else /etc/offloadd/rules.d, and prints its path. An existing file is replaced
 * only with --yes, or if a user on a terminal agrees. CMD_OK, or CMD_ERROR after printing the reason. */
int cmd_write_rule(const struct cmd_options *options, const char *name, const char *text);

#endif
