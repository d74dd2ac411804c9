/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/drawing.h"

#include <errno.h>
#include <string.h>

#include "report/html.h"
#include "basic/util.h"

#define MARGIN 6
#define SWEEPS 8

static bool is_stacked(const struct link_table *table, const struct link *link)
{
	return link_lower(table, link) || link_master(table, link) || link->first_upper || link->first_port;
}

static size_t find(const struct drawing *d, const struct link *link)
{
	for (size_t i = 0; i < d->n_nodes; i++)
		if (d->nodes[i].link == link)
			return i;
	return SIZE_MAX;
}

bool drawing_has(const struct drawing *d, const struct link *link)
{
	return find(d, link) != SIZE_MAX;
}

static void add_node(struct drawing *d, const struct view *view, const struct link *link)
{
	if (drawing_has(d, link))
		return;
	if (d->n_nodes == DRAWING_NODES_MAX) {
		d->omitted++;
		return;
	}
	d->nodes[d->n_nodes++] = (struct drawing_node){
		.link = link,
		.rank = link->depth,
		.verdict = view_verdict(view->plan, link->ifindex),
	};
}

static void add_edge(struct drawing *d, const struct link *lower, const struct link *upper)
{
	size_t a = lower ? find(d, lower) : SIZE_MAX, b = upper ? find(d, upper) : SIZE_MAX;

	if (a == SIZE_MAX || b == SIZE_MAX || d->n_edges == DRAWING_EDGES_MAX)
		return;
	d->edges[d->n_edges].lower = a;
	d->edges[d->n_edges++].upper = b;
}

static bool is_compliant(const struct view *view, const struct link *link)
{
	const char *verdict = view_verdict(view->plan, link->ifindex);

	return !verdict || strcmp(verdict, "compliant") == 0;
}

/* In the order of the tree, so that related links are near each other. If there are too many, those that do not match the rules first. */
static int add_nodes(const struct view *view, struct drawing *d)
{
	_cleanup_free_ struct view_node *tree = NULL;
	size_t n = 0, stacked = 0;
	int r = view_tree(view->links, &tree, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		stacked += !tree[i].repeated && is_stacked(view->links, tree[i].link);
	for (int pass = stacked > DRAWING_NODES_MAX ? 0 : 1; pass < 2; pass++)
		for (size_t i = 0; i < n; i++)
			if (!tree[i].repeated && is_stacked(view->links, tree[i].link) &&
				(pass == 1 || !is_compliant(view, tree[i].link)))
				add_node(d, view, tree[i].link);
	for (size_t i = 0; i < d->n_nodes; i++) {
		const struct link *link = d->nodes[i].link;

		add_edge(d, link_lower(view->links, link), link);
		add_edge(d, link, link_master(view->links, link));
	}
	return 0;
}

/* ---- placement ---- */

/* Closes gaps between ranks, which omitted links and cut loops leave. Returns the number of ranks. */
static unsigned pack_ranks(struct drawing *d)
{
	unsigned rank = 0;

	for (unsigned depth = 0; depth < 64; depth++) {
		bool any = false;

		for (size_t i = 0; i < d->n_nodes; i++)
			if (d->nodes[i].rank == depth) {
				d->nodes[i].rank = rank;
				any = true;
			}
		rank += any;
	}
	return rank;
}

static int center(const struct drawing_node *node)
{
	return node->x + DRAWING_NODE_WIDTH / 2;
}

/* The mean center of the neighbours below, or of those above; the node's own center if there are none. */
static int wanted_center(const struct drawing *d, size_t node, bool below)
{
	long sum = 0, n = 0;

	for (size_t i = 0; i < d->n_edges; i++) {
		size_t here = below ? d->edges[i].upper : d->edges[i].lower;
		size_t there = below ? d->edges[i].lower : d->edges[i].upper;

		if (here == node) {
			sum += center(&d->nodes[there]);
			n++;
		}
	}
	return n ? (int)(sum / n) : center(&d->nodes[node]);
}

/* The nodes of a rank, sorted by their wanted center. */
static size_t sort_rank(const struct drawing *d, unsigned rank, bool below, size_t *row, int *wanted)
{
	int at_node[DRAWING_NODES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < d->n_nodes; i++) {
		size_t at = n;

		if (d->nodes[i].rank != rank)
			continue;
		at_node[i] = wanted_center(d, i, below);
		for (; at > 0 && at_node[row[at - 1]] > at_node[i]; at--)
			row[at] = row[at - 1];
		row[at] = i;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		wanted[i] = at_node[row[i]];
	return n;
}

/* Places the nodes of a rank without overlaps and with the least squared distance from their wanted centers: neighbours that would
 * overlap are joined to a block around their mean (isotonic regression by pooling adjacent violators). */
static void place_rank(struct drawing *d, unsigned rank, bool below)
{
	const long step = DRAWING_NODE_WIDTH + DRAWING_GAP_X;
	struct {
		long sum, n;
	} blocks[DRAWING_NODES_MAX];
	size_t row[DRAWING_NODES_MAX], n_blocks = 0, at = 0;
	int wanted[DRAWING_NODES_MAX];
	size_t n = sort_rank(d, rank, below, row, wanted);

	for (size_t i = 0; i < n; i++) {
		/* the wanted center minus the width of the nodes before it */
		blocks[n_blocks].sum = wanted[i] - (long)i * step;
		blocks[n_blocks++].n = 1;
		while (n_blocks > 1 && blocks[n_blocks - 2].sum * blocks[n_blocks - 1].n >=
					       blocks[n_blocks - 1].sum * blocks[n_blocks - 2].n) {
			n_blocks--;
			blocks[n_blocks - 1].sum += blocks[n_blocks].sum;
			blocks[n_blocks - 1].n += blocks[n_blocks].n;
		}
	}
	for (size_t b = 0; b < n_blocks; b++)
		for (long i = 0; i < blocks[b].n; i++, at++)
			d->nodes[row[at]].x = (int)(blocks[b].sum / blocks[b].n + (long)at * step) - DRAWING_NODE_WIDTH / 2;
}

static void place(struct drawing *d)
{
	unsigned ranks = pack_ranks(d);
	int left = INT32_MAX;

	for (unsigned rank = 0; rank < ranks; rank++) {
		int x = 0;

		for (size_t i = 0; i < d->n_nodes; i++)
			if (d->nodes[i].rank == rank) {
				d->nodes[i].x = x;
				d->nodes[i].y = MARGIN + (int)(ranks - 1 - rank) * (DRAWING_NODE_HEIGHT + DRAWING_GAP_Y);
				x += DRAWING_NODE_WIDTH + DRAWING_GAP_X;
			}
	}
	for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
		for (unsigned rank = 1; rank < ranks; rank++)
			place_rank(d, rank, true);
		for (unsigned rank = ranks; rank-- > 0;)
			if (rank + 1 < ranks)
				place_rank(d, rank, false);
	}
	for (unsigned rank = 1; rank < ranks; rank++)
		place_rank(d, rank, true);
	for (size_t i = 0; i < d->n_nodes; i++)
		if (d->nodes[i].x < left)
			left = d->nodes[i].x;
	for (size_t i = 0; i < d->n_nodes; i++) {
		d->nodes[i].x += MARGIN - left;
		if (d->nodes[i].x + DRAWING_NODE_WIDTH + MARGIN > d->width)
			d->width = d->nodes[i].x + DRAWING_NODE_WIDTH + MARGIN;
	}
	d->height = (int)ranks * (DRAWING_NODE_HEIGHT + DRAWING_GAP_Y) - DRAWING_GAP_Y + 2 * MARGIN;
}

int drawing_make(const struct view *view, struct drawing *ret)
{
	int r;

	*ret = (struct drawing){ 0 };
	link_table_stack(view->links);
	r = add_nodes(view, ret);
	if (r == 0 && ret->n_nodes)
		place(ret);
	return r;
}

/* ---- SVG ---- */

static void write_edge(FILE *out, const struct drawing_node *lower, const struct drawing_node *upper)
{
	int x1 = center(lower), y1 = lower->y, x2 = center(upper), y2 = upper->y + DRAWING_NODE_HEIGHT;
	int bend = (y1 - y2) / 2;

	fputs("<path class=\"edge\" data-lower=\"", out);
	html_text(out, lower->link->name);
	fputs("\" data-upper=\"", out);
	html_text(out, upper->link->name);
	fprintf(out, "\" d=\"M%d %d C%d %d %d %d %d %d\" marker-end=\"url(#arrow)\"/>\n", x1, y1, x1, y1 - bend, x2,
		y2 + 5 + bend, x2, y2 + 5);
}

static void write_node(FILE *out, const struct drawing_node *node)
{
	const char *verdict = node->verdict ? node->verdict : "no-rule";

	fprintf(out, "<g class=\"node %s\" data-link=\"", verdict);
	html_text(out, node->link->name);
	fprintf(out, "\" data-rank=\"%u\" transform=\"translate(%d %d)\">", node->rank, node->x, node->y);
	fprintf(out, "<rect width=\"%d\" height=\"%d\" rx=\"9\"/><text class=\"name\" x=\"14\" y=\"23\">", DRAWING_NODE_WIDTH,
		DRAWING_NODE_HEIGHT);
	html_text(out, node->link->name);
	fprintf(out, "</text><text class=\"kind\" x=\"%d\" y=\"23\" text-anchor=\"end\">", DRAWING_NODE_WIDTH - 12);
	html_printf(out, "%.10s", node->link->kind);
	fputs("</text><circle cx=\"18\" cy=\"38.5\" r=\"4\"/><text class=\"verdict\" x=\"28\" y=\"42.5\">", out);
	html_text(out, node->verdict ? node->verdict : "no rule");
	fputs("</text></g>\n", out);
}

void drawing_write(FILE *out, const struct drawing *d)
{
	fprintf(out,
		"<svg class=\"stack\" role=\"img\" aria-label=\"Interfaces, each above those that it uses\" viewBox=\"0 0 %d %d\" "
		"width=\"%d\" height=\"%d\">\n<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
		"markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\"><path class=\"tip\" d=\"M0 0 L8 4 L0 8 "
		"z\"/></marker></defs>\n",
		d->width, d->height, d->width, d->height);
	for (size_t i = 0; i < d->n_edges; i++)
		write_edge(out, &d->nodes[d->edges[i].lower], &d->nodes[d->edges[i].upper]);
	for (size_t i = 0; i < d->n_nodes; i++)
		write_node(out, &d->nodes[i]);
	fputs("</svg>\n", out);
}
