/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stack of links as a picture: in layers, what stands on nothing at the bottom, each link above what it
 * stands on. Pure. */
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
	const char *verdict; /* NULL when no rule names it */
};

struct drawing {
	struct drawing_node nodes[DRAWING_NODES_MAX];
	size_t n_nodes;
	struct {
		size_t lower, upper;
	} edges[DRAWING_EDGES_MAX];
	size_t n_edges;
	size_t omitted; /* links for which there was no room; those not as declared come first */
	int width, height;
};

/* Links that stand on others or carry others; those by themselves are not drawn. Stacks the table. 0 or
 * -ENOMEM. */
int drawing_make(const struct view *view, struct drawing *ret);
/* One <svg> element. */
void drawing_write(FILE *out, const struct drawing *drawing);
/* Is it part of a stack? */
bool drawing_has(const struct drawing *drawing, const struct link *link);

#endif
