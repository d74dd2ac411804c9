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

static int add_place(struct rule_list *list, const struct rule_set *set, const char *dir, const char *name)
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
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) && !util_has_suffix(name, ".rule"))
		return 0;
	if (!GROW(list->places, list->n_places))
		return -ENOMEM;
	place.path = strdup(util_copy_text(clean, sizeof(clean), path, strlen(path)));
	if (!place.path)
		return -ENOMEM;
	place.file = util_file_name(place.path);
	place.rule = find_rule(set, place.path);
	place.state = !util_has_suffix(name, ".rule") ? RULE_PLACE_NOT_READ
		: ini_dir_is_mask(path)	  ? RULE_PLACE_MASK
		: place.rule		  ? RULE_PLACE_IN_FORCE
					  : RULE_PLACE_BAD;
	list->places[list->n_places++] = place;
	return 0;
}

static int add_dir(struct rule_list *list, const struct rule_set *set, const char *dir)
{
	struct dirent **entries = NULL;
	char why[FILE_WHY_LEN];
	_cleanup_close_ int fd = file_open_directory(dir, set->trust, why, sizeof(why));
	int n = fd < 0 ? -1 : scandirat(fd, ".", &entries, NULL, alphasort), r = 0;

	if (n < 0)
		return fd >= 0 && errno == ENOMEM ? -ENOMEM : 0;
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = add_place(list, set, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* Stable: files of one name stay in the order of their directories. */
static void sort_places(struct rule_place *places, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct rule_place place = places[i];
		size_t at = i;

		for (; at > 0 && strcmp(places[at - 1].file, place.file) > 0; at--)
			places[at] = places[at - 1];
		places[at] = place;
	}
}

/* Only the first file of each name is read, even if it has errors. */
static void find_replaced(struct rule_list *list)
{
	for (size_t i = 1, first = 0; i < list->n_places; i++) {
		struct rule_place *place = &list->places[i];

		if (strcmp(place->file, list->places[first].file) != 0) {
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
		r = add_dir(ret, set, dirs[i]);
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
		from->places[i].path = NULL;
	}
	from->n_places = 0;
	return 0;
}

void rule_list_clear(struct rule_list *list)
{
	for (size_t i = 0; i < list->n_places; i++)
		free(list->places[i].path);
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
