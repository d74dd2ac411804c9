/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list, tree, show, explain: the state, and why. */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <string.h>

#include "report/json.h"
#include "basic/util.h"

int cmd_list(const struct cmd_options *options, int argc _unused_, char **argv _unused_)
{
	_cleanup_(cmd_close) struct cmd_session s;
	int r = cmd_open_plan(options, &s);

	if (r != CMD_OK)
		return r;
	r = options->json ? json_write_list(stdout, &s.view) : render_list(&s.render, &s.view);
	return cmd_written(r, cmd_exit_code(&s, CMD_OK));
}

int cmd_tree(const struct cmd_options *options, int argc _unused_, char **argv _unused_)
{
	_cleanup_(cmd_close) struct cmd_session s;
	int r = cmd_open_plan(options, &s);

	if (r != CMD_OK)
		return r;
	r = options->json ? json_write_tree(stdout, &s.view) : render_tree(&s.render, &s.view);
	return cmd_written(r, cmd_exit_code(&s, CMD_OK));
}

int cmd_show(const struct cmd_options *options, int argc _unused_, char **argv)
{
	_cleanup_(cmd_close) struct cmd_session s;
	struct link *link;
	int r = cmd_open_plan(options, &s);

	if (r != CMD_OK)
		return r;
	link = cmd_find_link(&s, argv[0]);
	if (!link)
		return CMD_ERROR;
	r = options->json ? json_write_show(stdout, &s.view, link)
			  : render_show(&s.render, &s.view, link);
	return cmd_written(r, cmd_exit_code(&s, CMD_OK));
}

/* What explain was asked for: features of a link, and the story of each. */
struct asked {
	struct json_explained told[2 * FEATURE_MAX];
	struct explanation stories[2 * FEATURE_MAX];
	feature_set falls_with[2 * FEATURE_MAX]; /* told with this one, not by themselves */
	bool tell_once;
	size_t n;
};

static void clear_asked(struct asked *asked)
{
	for (size_t i = 0; i < asked->n; i++)
		explanation_clear(&asked->stories[i]);
}

static int ask_bit(
	struct asked *asked, struct cmd_session *s, const struct link *link, unsigned bit)
{
	const struct plan_link *pl = plan_find(&s->plan, link->ifindex);
	size_t at = asked->n;
	int r;

	if (at == ARRAY_SIZE(asked->told))
		return 0;
	r = explain_feature(
		&s->context, s->view.links, &s->plan, link->ifindex, bit, &asked->stories[at]);
	if (r < 0)
		return r;
	asked->told[at] = (struct json_explained){
		.bit = bit, .item = view_item(pl, bit), .explanation = &asked->stories[at]
	};
	asked->n++;
	return 0;
}

/* A feature that other kernels have: all there is to say is that this one has not. */
static int ask_word(struct asked *asked, const struct cmd_session *s, const struct link *link,
	const char *word, const struct plan_item *item)
{
	struct explanation *story = &asked->stories[asked->n];

	if (asked->n == ARRAY_SIZE(asked->told))
		return 0;
	story->lines = calloc(1, sizeof(*story->lines));
	if (!story->lines)
		return -ENOMEM;
	story->n_lines = 1;
	story->lines[0].ifindex = link->ifindex;
	story->lines[0].bit = FEATURE_MAX;
	memcpy(story->lines[0].name, link->name, sizeof(story->lines[0].name));
	snprintf(story->lines[0].text, sizeof(story->lines[0].text),
		"Linux %s has no feature %s; other kernels do", s->host.kernel_release, word);
	asked->told[asked->n++] = (struct json_explained){
		.bit = FEATURE_MAX, .word = word, .item = item, .explanation = story
	};
	return 0;
}

static const struct plan_item *find_word(const struct plan_link *pl, const char *word)
{
	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].bit >= FEATURE_MAX &&
			strcmp(pl->items[i].feature->word, word) == 0)
			return &pl->items[i];
	return NULL;
}

/* The feature of the same link for want of which this one is not as declared, NULL when it is another reason. */
static const struct plan_item *wanting(const struct plan_link *pl, const struct plan_item *item)
{
	const struct plan_item *need;

	if (item->cause != CAUSE_NEEDS || item->cause_bit >= FEATURE_MAX)
		return NULL;
	need = view_item(pl, item->cause_bit);
	return need && need->verdict != VERDICT_COMPLIANT ? need : NULL;
}

/* What falls with the feature that was told last. */
static feature_set falling_with(const struct plan_link *pl, const struct plan_item *need)
{
	feature_set set = 0;

	for (size_t i = 0; i < pl->n_items; i++)
		if (wanting(pl, &pl->items[i]) == need)
			set |= FEATURE(pl->items[i].bit);
	return set;
}

/* Everything about a link that is not as declared; with tell_once what falls with another feature is told there. */
static int ask_all(struct asked *asked, struct cmd_session *s, const struct link *link)
{
	const struct plan_link *pl = plan_find(&s->plan, link->ifindex);
	int r = 0;

	for (size_t i = 0; pl && i < pl->n_items && r >= 0; i++) {
		const struct plan_item *item = &pl->items[i];

		if (item->verdict == VERDICT_COMPLIANT || (asked->tell_once && wanting(pl, item)))
			continue;
		asked->falls_with[asked->n] = asked->tell_once ? falling_with(pl, item) : 0;
		r = item->bit < FEATURE_MAX ? ask_bit(asked, s, link, item->bit)
					    : ask_word(asked, s, link, item->feature->word, item);
	}
	return r;
}

/* An alias is about what the device can change, has, or should have; all of its members where that
 * is nothing. */
static feature_set alias_members(
	const struct cmd_session *s, const struct link *link, feature_set set)
{
	const struct plan_link *pl = plan_find(&s->plan, link->ifindex);
	feature_set here = set & (link->features.hw | link->features.active);

	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].bit < FEATURE_MAX)
			here |= set & FEATURE(pl->items[i].bit);
	return here ? here : set;
}

/* One word of the command line. Exit code. */
static int ask_named(
	struct asked *asked, struct cmd_session *s, const struct link *link, const char *word)
{
	const char *nearest;
	feature_set set;
	unsigned bit;
	int r = 0;

	switch (feature_parse(s->view.features, word, &set)) {
	case FEATURE_WORD_UNKNOWN:
		nearest = feature_nearest(word);
		if (nearest)
			return cmd_error("unknown feature \"%s\", did you mean \"%s\"?", word, nearest);
		return cmd_error("unknown feature \"%s\"", word);
	case FEATURE_WORD_FOREIGN:
		r = ask_word(
			asked, s, link, word, find_word(plan_find(&s->plan, link->ifindex), word));
		break;
	case FEATURE_WORD_ALIAS:
		set = alias_members(s, link, set);
		/* fall through */
	case FEATURE_WORD_NAME:
		if (!set)
			r = ask_word(asked, s, link, word, NULL);
		feature_foreach (bit, set)
			if (r >= 0)
				r = ask_bit(asked, s, link, bit);
		break;
	}
	return r < 0 ? cmd_error("Failed to explain %s: %s", word, strerror(-r)) : CMD_OK;
}

/* One block for all features that have the same story. */
static void render_asked(
	const struct cmd_session *s, const struct link *link, const struct asked *asked)
{
	bool done[ARRAY_SIZE(asked->told)] = { false }, first_block = true;

	for (size_t i = 0; i < asked->n; i++) {
		const struct json_explained *first = &asked->told[i];
		feature_set bits = first->bit < FEATURE_MAX ? FEATURE(first->bit) : 0;
		feature_set falls_with = asked->falls_with[i];

		if (done[i])
			continue;
		for (size_t j = i + 1; j < asked->n && bits; j++) {
			const struct json_explained *other = &asked->told[j];

			if (other->bit >= FEATURE_MAX ||
				!view_same_story(s->view.features, first->explanation, first->bit,
					other->explanation, other->bit))
				continue;
			bits |= FEATURE(other->bit);
			falls_with |= asked->falls_with[j];
			done[j] = true;
		}
		if (!first_block)
			fputc('\n', s->render.out);
		first_block = false;
		render_explanation(&s->render, &s->view, link, bits, falls_with, first->word, first->item,
			first->explanation);
	}
}

int cmd_explain(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(clear_asked) struct asked asked = { .tell_once = !options->json };
	_cleanup_(cmd_close) struct cmd_session s;
	struct link *link;
	int r = cmd_open_plan(options, &s);

	if (r != CMD_OK)
		return r;
	link = cmd_find_link(&s, argv[0]);
	if (!link)
		return CMD_ERROR;
	if (argc > 1) {
		r = ask_named(&asked, &s, link, argv[1]);
		if (r != CMD_OK)
			return r;
	} else {
		r = ask_all(&asked, &s, link);
		if (r < 0)
			return cmd_error("Failed to explain %s: %s", argv[0], strerror(-r));
	}
	if (options->json)
		return cmd_written(json_write_explain(stdout, &s.view, link, asked.told, asked.n),
			cmd_exit_code(&s, CMD_OK));
	if (asked.n == 0)
		render_nothing(&s.render, &s.view, link);
	render_asked(&s, link, &asked);
	return cmd_exit_code(&s, CMD_OK);
}
