/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stack of interfaces as an SVG picture, in layers: the lowest interfaces at the bottom, each interface above those that
 * it uses. Pure. */
#ifndef OFFLOADD_DRAWING_H
#define OFFLOADD_DRAWING_H

#include <stdio.h>

#include "report/view.h"

#define DRAWING_NODES_MAX 96
#define DRAWING_EDGES_MAX 192
#define DRAWING_NODE_WIDTH 148
#define DRAWING_NODE_HEIGHT 54
#define DRAWING_GAP_X 16
#define DRAWING_GAP_Y 44

struct drawing_node {
	const struct link *link;
	unsigned rank;	   /* 0 at the bottom */
	int x, y;	   /* upper left corner */
	const char *verdict; /* NULL: no rule applies */
};

struct drawing {
	struct drawing_node nodes[DRAWING_NODES_MAX];
	size_t n_nodes;
	struct {
		size_t lower, upper;
	} edges[DRAWING_EDGES_MAX];
	size_t n_edges;
	size_t omitted; /* stacked links beyond DRAWING_NODES_MAX; those that do not match the rules are drawn first */
	int width, height; /* pixels, as all coordinates */
};

/* Places the links that use others or are used by others. Stacks view->links (link_table_stack()). ret: borrows links and
 * verdicts from view, and needs no release. 0 or -ENOMEM. */
int drawing_make(const struct view *view, struct drawing *ret);
/* Writes one <svg> element. Errors: ferror(out). */
void drawing_write(FILE *out, const struct drawing *drawing);
/* Is the link drawn? */
bool drawing_has(const struct drawing *drawing, const struct link *link);

#endif
