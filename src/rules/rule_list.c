/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/rule_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/ini_dir.h"
#include "basic/ini_file.h"
#include "basic/util.h"

#define PLACES_MAX 4096 /* in all directories together; others are not listed */

static const struct rule *find_rule(const struct rule_set *set, const char *path)
{
	for (size_t i = 0; i < set->n_rules; i++)
		if (strcmp(set->rules[i].path, path) == 0)
			return &set->rules[i];
	return NULL;
}

static int add_dir(struct rule_list *list, const struct rule_set *set, const char *dir, const char *rule_file);

static bool is_rule_in_force(const struct rule_set *set, const char *file)
{
	for (size_t i = 0; i < set->n_rules; i++)
		if (strcmp(set->rules[i].file, file) == 0)
			return true;
	return false;
}

static bool has_errors(const struct rule_set *set, const char *path)
{
	for (size_t i = 0; i < set->n_errors; i++)
		if (strcmp(set->errors[i].path, path) == 0)
			return true;
	return false;
}

static enum rule_place_state state_of(const struct rule_set *set, const struct rule_place *place, const char *path)
{
	if (!util_has_suffix(place->file, place->rule_file ? ".conf" : ".rule"))
		return RULE_PLACE_NOT_READ;
	if (ini_dir_is_mask(path))
		return RULE_PLACE_MASK;
	if (!place->rule_file)
		return place->rule ? RULE_PLACE_IN_FORCE : RULE_PLACE_BAD;
	if (is_rule_in_force(set, place->rule_file))
		return RULE_PLACE_IN_FORCE;
	return has_errors(set, place->path) ? RULE_PLACE_BAD : RULE_PLACE_NOT_READ;
}

/* "10-vlan.rule.d" has the drop-ins of 10-vlan.rule. */
static int add_drop_ins(struct rule_list *list, const struct rule_set *set, const char *path)
{
	_cleanup_free_ char *rule_file = NULL;
	const char *name = util_file_name(path);

	if (!util_has_suffix(name, ".rule.d"))
		return 0;
	rule_file = strndup(name, strlen(name) - strlen(".d"));
	return rule_file ? add_dir(list, set, path, rule_file) : -ENOMEM;
}

static int add_place(struct rule_list *list, const struct rule_set *set, const char *dir, const char *name, const char *rule_file)
{
	struct rule_place place = { 0 };
	_cleanup_free_ char *path = NULL;
	char clean[1024];
	struct stat st;

	if (name[0] == '.' || list->n_places == PLACES_MAX)
		return 0;
	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) && !util_has_suffix(name, rule_file ? ".conf" : ".rule"))
		return rule_file ? 0 : add_drop_ins(list, set, path);
	if (!GROW(list->places, list->n_places))
		return -ENOMEM;
	place.path = strdup(util_copy_text(clean, sizeof(clean), path, strlen(path)));
	place.rule_file = rule_file ? strdup(rule_file) : NULL;
	if (!place.path || (rule_file && !place.rule_file)) {
		free(place.path);
		free(place.rule_file);
		return -ENOMEM;
	}
	place.file = util_file_name(place.path);
	place.rule = rule_file ? NULL : find_rule(set, place.path);
	place.state = state_of(set, &place, path);
	list->places[list->n_places++] = place;
	return 0;
}

/* rule_file: that of drop-ins, NULL: rules. */
static int add_dir(struct rule_list *list, const struct rule_set *set, const char *dir, const char *rule_file)
{
	struct dirent **entries = NULL;
	char why[FILE_WHY_LEN];
	_cleanup_close_ int fd = file_open_directory(dir, set->trust, why, sizeof(why));
	int n = fd < 0 ? -1 : scandirat(fd, ".", &entries, NULL, alphasort), r = 0;

	if (n < 0)
		return fd == -ENOMEM || (fd >= 0 && errno == ENOMEM) ? -ENOMEM : 0;
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = add_place(list, set, dir, entries[i]->d_name, rule_file);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int compare_places(const struct rule_place *a, const struct rule_place *b)
{
	int order = strcmp(a->rule_file ? a->rule_file : a->file, b->rule_file ? b->rule_file : b->file);

	if (order == 0)
		order = (a->rule_file != NULL) - (b->rule_file != NULL);
	return order ? order : strcmp(a->file, b->file);
}

/* Stable: files of one name stay in the order of their directories. */
static void sort_places(struct rule_place *places, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct rule_place place = places[i];
		size_t at = i;

		for (; at > 0 && compare_places(&places[at - 1], &place) > 0; at--)
			places[at] = places[at - 1];
		places[at] = place;
	}
}

/* Only the first file of each name is read, even if it has errors. */
static void find_replaced(struct rule_list *list)
{
	for (size_t i = 1, first = 0; i < list->n_places; i++) {
		struct rule_place *place = &list->places[i];

		if (compare_places(place, &list->places[first]) != 0) {
			first = i;
		} else if (place->state != RULE_PLACE_NOT_READ) {
			place->state = RULE_PLACE_REPLACED;
			place->by = first;
		}
	}
}

int rule_list_make(const char *const *dirs, const struct rule_set *set, struct rule_list *ret)
{
	int r = 0;

	*ret = (struct rule_list){ 0 };
	for (size_t i = 0; dirs[i] && r >= 0; i++)
		r = add_dir(ret, set, dirs[i], NULL);
	if (r < 0) {
		rule_list_clear(ret);
		return r;
	}
	sort_places(ret->places, ret->n_places);
	find_replaced(ret);
	return 0;
}

int rule_list_join(struct rule_list *to, struct rule_list *from)
{
	for (size_t i = 0; i < from->n_places; i++) {
		if (!GROW(to->places, to->n_places))
			return -ENOMEM;
		to->places[to->n_places++] = from->places[i];
		from->places[i].path = from->places[i].rule_file = NULL;
	}
	from->n_places = 0;
	return 0;
}

void rule_list_clear(struct rule_list *list)
{
	for (size_t i = 0; i < list->n_places; i++) {
		free(list->places[i].path);
		free(list->places[i].rule_file);
	}
	free(list->places);
	*list = (struct rule_list){ 0 };
}

const char *rule_place_state_name(enum rule_place_state state)
{
	static const char *const names[] = {
		[RULE_PLACE_IN_FORCE] = "in force",
		[RULE_PLACE_BAD] = "bad",
		[RULE_PLACE_MASK] = "masks",
		[RULE_PLACE_REPLACED] = "replaced",
		[RULE_PLACE_NOT_READ] = "not read",
	};

	return names[state];
}
