/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/import_private.h"

#include <ctype.h>
#include <string.h>

#define WORDS_MAX 128
#define VARIABLES_MAX 64
#define NESTING_MAX 4 /* of sh -c '...' */
#define SELF '\x01'   /* stands for the interface itself in a command */

struct variable {
	char *name, *value;
	bool unknown; /* "$(...)", "$1" */
};

struct shell {
	const struct import_source *source;
	unsigned line;
	struct import_rule *self;
	struct variable variables[VARIABLES_MAX];
	size_t n_variables;
	int conditions; /* nested if, case, while */
	unsigned loops;	/* the open loops, a bit each: 1 for while, 0 for a "for", which is no condition */
	bool tested;	/* the previous command ends in && */
	int nesting;
};

/* A simple command. */
struct command {
	char *words[WORDS_MAX];
	bool unknown[WORDS_MAX]; /* contains a variable or command whose value is not known */
	size_t n;
};

static void command_clear(struct command *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->words[i]);
	c->n = 0;
}

static struct variable *find_variable(struct shell *sh, const char *name, size_t len)
{
	for (size_t i = 0; i < sh->n_variables; i++)
		if (strlen(sh->variables[i].name) == len && strncmp(sh->variables[i].name, name, len) == 0)
			return &sh->variables[i];
	return NULL;
}

static void set_variable(struct shell *sh, const char *name, size_t len, const char *value, bool unknown)
{
	struct variable *v = find_variable(sh, name, len), new = { strndup(name, len), strdup(value), unknown };

	if (!new.name || !new.value || (!v && sh->n_variables == VARIABLES_MAX)) {
		free(new.name);
		free(new.value);
		return;
	}
	if (!v)
		v = &sh->variables[sh->n_variables++];
	free(v->name);
	free(v->value);
	*v = new;
}

/* Appends the value of what follows "$". Returns what is left. */
static const char *expand(struct shell *sh, const char *s, char *word, size_t size, bool *unknown)
{
	bool braces = *s == '{';
	const char *name = s + braces, *end = name;
	const struct variable *v;

	if (*s == '(') {
		int depth = 0;

		*unknown = true;
		for (; *s; s++) {
			depth += (*s == '(') - (*s == ')');
			if (depth == 0)
				return s + 1;
		}
		return s;
	}
	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	if (end == name && *end)
		end++;
	v = find_variable(sh, name, (size_t)(end - name));
	if (braces && *end != '}') {
		v = NULL;
		end += strcspn(end, "}");
	}
	if (v)
		util_append(word, size, "%s", v->value);
	*unknown = *unknown || !v || v->unknown;
	return end + (braces && *end == '}');
}

/* Takes the next word off the text. False: the command ends here. */
static bool next_word(struct shell *sh, const char **text, char *word, size_t size, bool *unknown)
{
	const char *s = *text + strspn(*text, " \t");
	bool any = false;
	char quote = '\0';

	*word = '\0';
	*unknown = false;
	for (; *s && (quote || !strchr(" \t;&|\n()<>", *s)); any = true) {
		if (*s == '#' && !any && !quote) {
			s += strlen(s);
			break;
		} else if (quote ? *s == quote : *s == '\'' || *s == '"') {
			quote = quote ? '\0' : *s;
			s++;
		} else if (*s == '\\' && s[1] && quote != '\'') {
			util_append(word, size, "%c", s[1]);
			s += 2;
		} else if (*s == '`') {
			*unknown = true;
			s += 1 + strcspn(s + 1, "`");
			s += *s == '`';
		} else if (*s == '$' && quote != '\'') {
			s = expand(sh, s + 1, word, size, unknown);
		} else {
			util_append(word, size, "%c", *s++);
		}
	}
	*text = s;
	return any;
}

static void skip_redirection(struct shell *sh, const char **text)
{
	char word[512];
	bool unknown;

	*text += strspn(*text, "<>&|");
	(void)next_word(sh, text, word, sizeof(word), &unknown);
}

/* Takes the next simple command off the text, and what ends it. False: there is none left. */
static bool next_command(struct shell *sh, const char **text, struct command *ret, char ret_end[3])
{
	char word[1024];
	bool unknown;

	command_clear(ret);
	ret_end[0] = '\0';
	while (**text) {
		if (next_word(sh, text, word, sizeof(word), &unknown)) {
			if (strchr("<>", **text) && **text && strspn(word, "0123456789") == strlen(word))
				continue;
			if (ret->n == WORDS_MAX)
				continue;
			ret->words[ret->n] = strdup(word);
			ret->unknown[ret->n] = unknown;
			if (!ret->words[ret->n])
				return false;
			ret->n++;
		} else if (**text == '<' || **text == '>' || strncmp(*text, "&>", 2) == 0) {
			skip_redirection(sh, text);
		} else if (**text) {
			size_t len = strncmp(*text, "&&", 2) == 0 || strncmp(*text, "||", 2) == 0 || strncmp(*text, ";;", 2) == 0 ? 2 : 1;

			snprintf(ret_end, 3, "%.*s", (int)len, *text);
			*text += len;
			return true;
		}
	}
	return ret->n > 0;
}

/* What options of ethtool(8) set, other than features. */
static const struct {
	const char *options, *topic;
} other_options[] = {
	{ " -G --set-ring ", "rings" },
	{ " -C --coalesce -Q --per-queue ", "interrupt coalescing" },
	{ " -L --set-channels -l ", "channels" },
	{ " -A --pause ", "flow control" },
	{ " -s --change ", "link settings" },
	{ " -X --set-rxfh-indir --rxfh -N -U --config-nfc --config-ntuple ", "queues" },
	{ " --set-priv-flags ", "private flags of a driver" },
	{ " --set-eee ", "Energy-Efficient Ethernet" },
	{ " --set-fec ", "forward error correction" },
	{ " --set-phy-tunable --set-tunable --set-module -W --set-dump -E --change-eeprom -f --flash -P --reset -r --negotiate ",
		"settings of the device" },
};

static const char *other_topic(const char *option)
{
	char padded[64];

	snprintf(padded, sizeof(padded), " %s ", option);
	for (size_t i = 0; i < ARRAY_SIZE(other_options); i++)
		if (strstr(other_options[i].options, padded))
			return other_options[i].topic;
	return NULL;
}

static void set_features(struct shell *sh, struct import_rule *rule, const struct command *c, size_t first)
{
	for (size_t i = first; i + 1 < c->n; i += 2) {
		if (c->unknown[i] || c->unknown[i + 1])
			import_skip(sh->source, sh->line, "%s %s: the value of a variable or command is not known", c->words[i],
				c->words[i + 1]);
		else
			import_feature(sh->source, rule, sh->line, c->words[i], c->words[i + 1]);
	}
	if ((c->n - first) % 2)
		import_skip(sh->source, sh->line, "%s: expected on or off after it", c->words[c->n - 1]);
}

static void set_device(struct shell *sh, const char *device, const struct command *c, size_t first)
{
	struct import_rule *rule;

	if (*device == SELF && sh->self) {
		set_features(sh, sh->self, c, first);
		return;
	}
	/* "%i" of units, "{{ item }}" of templates */
	if (strlen(device) > 15 || strpbrk(device, "/%{}<>:\x01")) {
		import_skip(sh->source, sh->line, "ethtool: \"%s\" is not the name of an interface", device);
		return;
	}
	rule = import_rule_named(sh->source, sh->line, device);
	if (rule)
		set_features(sh, rule, c, first);
}

/* words[at] is "ethtool". */
static void read_ethtool(struct shell *sh, const struct command *c, size_t at)
{
	const char *option = at + 1 < c->n ? c->words[at + 1] : "", *devices;
	const char *topic = other_topic(option);
	char device[256];

	if (topic) {
		import_skip(sh->source, sh->line, "ethtool %s: %s, not an offload feature", option, topic);
		return;
	}
	if (strcmp(option, "-K") != 0 && strcmp(option, "--features") != 0 && strcmp(option, "--offload") != 0)
		return;
	if (at + 3 >= c->n) {
		import_skip(sh->source, sh->line, "ethtool %s: no interface or no feature after it", option);
		return;
	}
	devices = c->words[at + 2];
	if (c->unknown[at + 2] || !*devices) {
		import_skip(sh->source, sh->line, "ethtool %s: which interface is in the variable or command is not known here", option);
		return;
	}
	if (sh->conditions || sh->tested)
		import_doubt(sh->source, sh->line, "ethtool %s runs on a condition; the rule always applies", option);
	for (size_t len; devices += strspn(devices, " \t\n"), len = strcspn(devices, " \t\n"); devices += len) {
		snprintf(device, sizeof(device), "%.*s", (int)len, devices);
		set_device(sh, device, c, at + 3);
	}
}

static void read_text(struct shell *sh, const char *text);

/* Values of NAME=VALUE, and of "for NAME in VALUE...". */
static void read_assignments(struct shell *sh, const struct command *c, size_t first)
{
	char values[1024] = "";
	bool unknown = false;

	if (c->n > first + 3 && strcmp(c->words[first], "for") == 0 && strcmp(c->words[first + 2], "in") == 0) {
		for (size_t i = first + 3; i < c->n; i++) {
			util_append(values, sizeof(values), "%s%s", *values ? " " : "", c->words[i]);
			unknown = unknown || c->unknown[i] || strchr(c->words[i], '/');
		}
		set_variable(sh, c->words[first + 1], strlen(c->words[first + 1]), values, unknown);
		return;
	}
	for (size_t i = first; i < c->n; i++) {
		size_t len = strcspn(c->words[i], "=");

		if (c->words[i][len] && len && strspn(c->words[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == len)
			set_variable(sh, c->words[i], len, c->words[i] + len + 1, c->unknown[i]);
		else if (i > first || strcmp(c->words[i], "export") != 0)
			break;
	}
}

static bool is_ethtool(const char *word)
{
	/* "ExecStart=-/sbin/ethtool" of units too */
	if (strncmp(word, "ExecStart", 9) == 0)
		word += strcspn(word, "=");
	word += *word == '=';
	word += strspn(word, "-+@!:");
	return strcmp(util_file_name(word), "ethtool") == 0;
}

static void close_loop(struct shell *sh)
{
	sh->conditions -= sh->loops & 1 && sh->conditions > 0;
	sh->loops >>= 1;
}

static void read_command(struct shell *sh, const struct command *c)
{
	static const char *const opening[] = { "if", "case", "while", "until" }, *const closing[] = { "fi", "esac" },
				 *const talk[] = { "echo", "printf", "grep", "log", "logger", "which", "type" },
				 *const before[] = { "then", "else", "do", "{", "!", "elif" };
	size_t first = 0;

	for (; first < c->n; first++) {
		int opens = util_find_word(c->words[first], opening, ARRAY_SIZE(opening));

		if (opens >= 2)
			sh->loops = sh->loops << 1 | 1;
		if (opens >= 0)
			sh->conditions++;
		else if (util_find_word(c->words[first], closing, ARRAY_SIZE(closing)) >= 0)
			sh->conditions -= sh->conditions > 0;
		else if (strcmp(c->words[first], "done") == 0)
			close_loop(sh);
		else if (util_find_word(c->words[first], before, ARRAY_SIZE(before)) < 0)
			break;
	}
	if (first < c->n && strcmp(c->words[first], "for") == 0)
		sh->loops <<= 1;
	if (first == c->n || util_find_word(util_file_name(c->words[first]), talk, ARRAY_SIZE(talk)) >= 0)
		return;
	read_assignments(sh, c, first);
	for (size_t i = first; i < c->n; i++) {
		if (strncmp(c->words[i], "ExecStop", 8) == 0 && strstr(c->words[i], "ethtool")) {
			import_skip(sh->source, sh->line, "ExecStop=: runs when the unit stops");
			return;
		}
		if (is_ethtool(c->words[i])) {
			read_ethtool(sh, c, i);
			return;
		}
		if (strstr(c->words[i], "ethtool ") && sh->nesting < NESTING_MAX) {
			sh->nesting++;
			read_text(sh, c->words[i]);
			sh->nesting--;
		}
	}
}

static void read_text(struct shell *sh, const char *text)
{
	struct command c = { 0 };
	char end[3];

	sh->tested = false;
	while (next_command(sh, &text, &c, end)) {
		read_command(sh, &c);
		sh->tested = strcmp(end, "&&") == 0;
	}
	command_clear(&c);
}

static void shell_clear(struct shell *sh)
{
	for (size_t i = 0; i < sh->n_variables; i++) {
		free(sh->variables[i].name);
		free(sh->variables[i].value);
	}
}

void import_command(const struct import_source *s, unsigned line, const char *command, struct import_rule *self, const char *name)
{
	static const char me[] = { SELF, '\0' };
	struct shell sh = { .source = s, .line = line, .self = self };

	set_variable(&sh, "IFACE", 5, name ? name : me, false);
	set_variable(&sh, "INTERFACE", 9, name ? name : me, false);
	read_text(&sh, command);
	shell_clear(&sh);
}

/* The word that ends a here-document which begins in this line; "" without one. */
static void find_here_document(const char *line, char *ret, size_t size)
{
	const char *at = strstr(line, "<<");

	ret[0] = '\0';
	if (!at || at[2] == '<' || (at > line && at[-1] == '<'))
		return;
	at += 2 + strspn(at + 2, "-\"' \t\\");
	snprintf(ret, size, "%.*s", (int)strcspn(at, "\"' \t;|&>)"), at);
}

void import_script(const struct import_source *s, const char *text)
{
	_cleanup_free_ char *line = NULL;
	struct shell sh = { .source = s };
	char end[64] = "";

	while (import_next_line(&text, &sh.line, &line)) {
		if (*end) {
			if (strcmp(line, end) == 0)
				*end = '\0';
			continue;
		}
		read_text(&sh, line);
		find_here_document(line, end, sizeof(end));
	}
	shell_clear(&sh);
}

/* ---- interfaces(5) ---- */

static bool take_word_off(const char **s, char *word, size_t size)
{
	size_t len;

	*s += strspn(*s, " \t");
	len = strcspn(*s, " \t");
	snprintf(word, size, "%.*s", (int)len, *s);
	*s += len;
	*s += strspn(*s, " \t");
	return len > 0;
}

static void read_stanza_line(const struct import_source *s, unsigned line, const char *iface, const char *option, const char *value)
{
	static const char *const ups[] = { "up", "pre-up", "post-up" }, *const downs[] = { "down", "pre-down", "post-down" };
	static const char *const others[] = { "hardware-*", "link-*", "ethernet-*" };
	struct import_rule *rule;

	if (strncmp(option, "offload-", 8) == 0) {
		rule = import_rule_named(s, line, iface);
		if (rule)
			import_feature(s, rule, line, option + 8, value);
	} else if (util_find_word(option, ups, ARRAY_SIZE(ups)) >= 0 && strstr(value, "ethtool")) {
		import_command(s, line, value, NULL, iface);
	} else if (util_find_word(option, downs, ARRAY_SIZE(downs)) >= 0 && strstr(value, "ethtool")) {
		import_skip(s, line, "%s: runs when the interface goes down", option);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strncmp(option, others[i], strlen(others[i]) - 1) == 0)
			import_skip_key(s, line, option);
}

void import_ifupdown(const struct import_source *s, const char *text)
{
	static const char *const ends[] = { "auto", "allow-hotplug", "mapping", "no-auto-down", "no-scripts", "rename" };
	_cleanup_free_ char *line = NULL;
	char option[64], iface[64] = "";
	unsigned number = 0;

	while (import_next_line(&text, &number, &line)) {
		const char *rest = line;

		if (!take_word_off(&rest, option, sizeof(option)) || *option == '#')
			continue;
		if (strcmp(option, "iface") == 0) {
			(void)take_word_off(&rest, iface, sizeof(iface));
			if (strchr(iface, '/')) {
				import_skip(s, number, "iface %s: a pattern of ifupdown", iface);
				*iface = '\0';
			}
			if (strstr(rest, "inherits"))
				import_skip(s, number, "iface %s inherits options of another stanza, which do not apply here", iface);
		} else if (strncmp(option, "source", 6) == 0) {
			import_skip(s, number, "%s %s: import these files too", option, rest);
		} else if (util_find_word(option, ends, ARRAY_SIZE(ends)) >= 0 || strncmp(option, "allow-", 6) == 0) {
			*iface = '\0';
		} else if (*iface) {
			read_stanza_line(s, number, iface, option, rest);
		}
	}
}

/* ---- udev ---- */

struct udev_line {
	struct import_rule rule;
	char vendor[5], device[5];
	char name[1024], assigned[1024]; /* KERNEL==, NAME= */
	char unusable[1200];		/* the condition that no rule can express, "" if none */
	char *commands[16];
	size_t n_commands;
};

/* "eth*|en*" as "eth* en*". */
static void spread_alternatives(const char *value, bool exclude, char *ret, size_t size)
{
	char word[256];

	ret[0] = '\0';
	for (size_t len; value += strspn(value, "|"), len = strcspn(value, "|"); value += len) {
		snprintf(word, sizeof(word), "%.*s", (int)len, value);
		util_append(ret, size, "%s%s%s", *ret ? " " : "", exclude ? "!" : "", word);
	}
}

static const struct {
	const char *udev, *here;
} udev_matches[] = {
	{ "ATTR{address}", "MACAddress" }, { "DRIVERS", "Driver" }, { "ENV{ID_NET_DRIVER}", "Driver" }, { "ENV{ID_PATH}", "Path" },
};

/* true for every interface, or about the time of the event */
static const char *const udev_always[] = { "SUBSYSTEM", "SUBSYSTEMS", "ACTION", "ATTR{type}" };

/* "0x8086" */
static bool is_pci_id(const char *value)
{
	return strncmp(value, "0x", 2) == 0 && strlen(value) == 6 && strspn(value + 2, "0123456789abcdefABCDEF") == 4;
}

static void read_udev_match(const struct import_source *s, struct udev_line *u, const char *key, bool exclude, const char *value)
{
	char words[512], kinds[512];

	spread_alternatives(value, exclude, words, sizeof(words));
	for (size_t i = 0; i < ARRAY_SIZE(udev_matches); i++)
		if (strcmp(key, udev_matches[i].udev) == 0) {
			import_match(s, &u->rule, udev_matches[i].here, words);
			return;
		}
	if (strcmp(key, "KERNEL") == 0 || strcmp(key, "NAME") == 0 || strcmp(key, "ENV{INTERFACE}") == 0) {
		snprintf(u->name, sizeof(u->name), "%s", words);
	} else if (strcmp(key, "ATTRS{vendor}") == 0 && !exclude && is_pci_id(value)) {
		snprintf(u->vendor, sizeof(u->vendor), "%.4s", value + 2);
	} else if (strcmp(key, "ATTRS{device}") == 0 && !exclude && is_pci_id(value)) {
		snprintf(u->device, sizeof(u->device), "%.4s", value + 2);
	} else if (strcmp(key, "ENV{DEVTYPE}") == 0 && !strchr(words, ' ') && import_type(words, kinds, sizeof(kinds))) {
		import_match(s, &u->rule, "Kind", kinds);
	} else if (util_find_word(key, udev_always, ARRAY_SIZE(udev_always)) < 0) {
		snprintf(u->unusable, sizeof(u->unusable), "%s%s\"%s\"", key, exclude ? "!=" : "==", value);
	}
}

/* The name of the interface in a command: "$name", "%k", "$env{INTERFACE}". */
static char *name_self(const char *command)
{
	static const char *const names[] = { "$env{INTERFACE}", "%E{INTERFACE}", "$env{ID_NET_NAME}", "$name", "$kernel", "%k", "$$", "%%" };
	char *ret = malloc(strlen(command) + 1), *to = ret;

	for (const char *c = command; ret && *c;) {
		size_t i = 0;

		while (i < ARRAY_SIZE(names) && strncmp(c, names[i], strlen(names[i])) != 0)
			i++;
		if (i < ARRAY_SIZE(names)) {
			*to++ = i < ARRAY_SIZE(names) - 2 ? SELF : *c;
			c += strlen(names[i]);
		} else {
			*to++ = *c++;
		}
	}
	if (ret)
		*to = '\0';
	return ret;
}

static void read_udev_pair(const struct import_source *s, unsigned line, struct udev_line *u, const char *key, const char *operator,
	const char *value)
{
	bool assigns = operator[0] != '!' && strcmp(operator, "==") != 0;

	if (!assigns && strncmp(key, "PROGRAM", 7) != 0 && strncmp(key, "IMPORT", 6) != 0 && strncmp(key, "TEST", 4) != 0)
		read_udev_match(s, u, key, operator[0] == '!', value);
	else if (!assigns || strncmp(key, "PROGRAM", 7) == 0)
		snprintf(u->unusable, sizeof(u->unusable), "%s", key);
	else if (strcmp(key, "NAME") == 0)
		snprintf(u->assigned, sizeof(u->assigned), "%s", value);
	else if (strncmp(key, "RUN", 3) == 0 && strstr(value, "ethtool") && u->n_commands < ARRAY_SIZE(u->commands))
		u->commands[u->n_commands++] = name_self(value);
	else if (strcmp(key, "GOTO") == 0 && (*u->name || *u->unusable || u->rule.match.n))
		import_doubt(s, line, "GOTO=\"%s\": the lines that it jumps over are converted without this condition", value);
}

static void read_udev_line(const struct import_source *s, unsigned line, const char *text, struct udev_line *u)
{
	char key[128], operator[3], value[1024];

	while (*text) {
		size_t len, n = 0;

		text += strspn(text, " \t,");
		len = strcspn(text, "=!+-: \t");
		if (len == 0 || len >= sizeof(key))
			return;
		snprintf(key, sizeof(key), "%.*s", (int)len, text);
		text += len + strspn(text + len, " \t");
		len = strspn(text, "=!+-:");
		snprintf(operator, sizeof(operator), "%.*s", (int)(len < 2 ? len : 2), text);
		text += len + strspn(text + len, " \t");
		if (len == 0 || *text != '"')
			return;
		for (text++; *text && *text != '"'; text++) {
			if (*text == '\\' && text[1] == '"')
				text++;
			if (n < sizeof(value) - 1)
				value[n++] = *text;
		}
		value[n] = '\0';
		text += *text == '"';
		read_udev_pair(s, line, u, key, operator, value);
	}
}

static void finish_udev_line(const struct import_source *s, unsigned line, struct udev_line *u)
{
	char words[64];

	if (*u->unusable) {
		import_skip(s, line, "%s: no rule can match this", u->unusable);
		return;
	}
	if (*u->assigned && strpbrk(u->assigned, "$%"))
		import_doubt(s, line, "NAME=\"%s\": rules match the final name: check [Match]", u->assigned);
	else if (*u->assigned)
		snprintf(u->name, sizeof(u->name), "%s", u->assigned);
	if (*u->vendor) {
		snprintf(words, sizeof(words), "%s:%s", u->vendor, *u->device ? u->device : "*");
		import_match(s, &u->rule, "Device", words);
	}
	if (*u->name || u->rule.match.n == 0)
		import_match(s, &u->rule, "Name", *u->name ? u->name : "*");
	for (size_t i = 0; i < u->n_commands; i++)
		if (u->commands[i])
			import_command(s, line, u->commands[i], &u->rule, NULL);
	import_finish(s, &u->rule, line, *u->name ? u->name : util_file_name(s->path));
}

void import_udev(const struct import_source *s, const char *text)
{
	_cleanup_free_ char *line = NULL;
	unsigned number = 0;

	while (import_next_line(&text, &number, &line)) {
		struct udev_line u = { 0 };

		if (*line && *line != '#')
			read_udev_line(s, number, line, &u);
		if (u.n_commands)
			finish_udev_line(s, number, &u);
		for (size_t i = 0; i < u.n_commands; i++)
			free(u.commands[i]);
		import_rule_clear(&u.rule);
	}
}
