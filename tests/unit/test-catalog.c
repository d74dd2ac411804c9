/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue: every code has a name and a sentence, every placeholder is known, one example of each is in
 * tests/golden/catalog.txt; and nothing but the text depends on the sentences. */
#include "report/catalog.h"

#include <stdio.h>

#include "engine/event_report.h"
#include "golden.h"
#include "report/hook.h"
#include "report/journal.h"
#include "report/json.h"
#include "report/metrics.h"
#include "unit-model.h"
#include "view-sample.h"

static struct feature_table table;

/* ---- examples ---- */

static bool is_about_link(enum finding_code code)
{
	enum event_kind kind = finding_event(code);

	return code == FINDING_NAME_UNSETTLED ||
		(kind != EVENT_RULES && kind != EVENT_STATE && kind != EVENT_OVERRUN && kind != EVENT_RESTARTED);
}

static void add_step(struct finding *f, enum cause code, const char *other_link, const char *other)
{
	struct cause_step step = { .code = code, .bit = 16, .want = true, .other_bit = FEATURE_MAX };

	if (other_link) {
		step.other_ifindex = 4;
		strcpy(step.other_link, other_link);
	}
	if (other)
		step.other_bit = (unsigned)feature_bit(&table, other);
	assert_true(finding_add_cause(f, &step));
}

static const char *object_of(enum finding_code code)
{
	switch (code) {
	case FINDING_RULE_ERROR:
		return "/etc/offloadd/rules.d/10-vlan.rule";
	case FINDING_SETTINGS_ERROR:
		return "/etc/offloadd/offloadd.conf";
	case FINDING_RESTART_NEEDED:
		return "Probes";
	case FINDING_STARTED:
		return "1.2.3";
	case FINDING_RELOAD_FAILED:
		return "rules";
	case FINDING_LOOP_DISTURBED:
	case FINDING_LOOP_FAILED:
		return "link events";
	case FINDING_HOST_NAME_FAILED:
		return "web1";
	case FINDING_CONTROL_FAILED:
	case FINDING_CONTROL_REFUSES:
	case FINDING_CONTROL_OPEN:
	case FINDING_AUDIT_BY_OTHER:
		return "/run/offloadd/control";
	case FINDING_HOOK_FAILED:
		return "/run/offloadd-hook/socket";
	case FINDING_METRICS_UNWRITABLE:
		return "/run/offloadd/metrics.prom";
	case FINDING_SERVICES_UNWRITABLE:
		return "/run/offloadd/services";
	default:
		return "/run/offloadd/ledger.json";
	}
}

static const char *words_of(enum finding_code code)
{
	switch (code) {
	case FINDING_RULE_ERROR:
		return "unknown key Nmae=, did you mean \"Name\"?";
	case FINDING_SETTINGS_ERROR:
		return "unknown key Mod=, did you mean \"Mode\"?";
	case FINDING_REFUSED:
		return "firmware is busy";
	case FINDING_STARTED:
		return "netlink";
	case FINDING_LEDGER_SET_ASIDE:
		return "it is not a JSON object";
	case FINDING_RESTART_FAILED:
		return "Access denied";
	default:
		return "";
	}
}

static bool is_diagnosis(enum finding_code code)
{
	return code >= FINDING_DIAGNOSIS_DEVICE && code <= FINDING_DIAGNOSIS_BLIND;
}

static void make_example(enum finding_code code, struct finding *f)
{
	*f = (struct finding){ .code = code, .kind = FALLBACK_SEGMENTATION, .error = -ENOSPC, .count = 1, .total = 3, .changes = 2, .line = 7,
		.duration_usec = 30 * USEC_PER_SEC, .n_rules = 1, .rules = "10-vlan.rule", .reason = FALLBACK_REASON_FEATURE, .remedy = REMEDY_REPAIR };
	if (code >= FINDING_EFFECT_HELPED && code <= FINDING_EFFECT_WORSE)
		f->cost = (struct finding_cost){ .cpu_before_usec = 4100000, .cpu_after_usec = 600000, .softirq_before_usec = 900000,
			.softirq_after_usec = 200000, .before_bytes = 9000000000, .after_bytes = 5000000000, .before_usec = 60000000,
			.after_usec = 20000000, .unknown = code == FINDING_EFFECT_UNKNOWN ? UNKNOWN_SERVICE_GONE : UNKNOWN_NOT };
	if (code == FINDING_UDP_REFUSED)
		f->kind = FALLBACK_UDP;
	if (code == FINDING_DIAGNOSIS_LIMIT)
		f->reason = FALLBACK_REASON_SIZE;
	if (code == FINDING_DIAGNOSIS_OTHER)
		f->reason = FALLBACK_REASON_QDISC;
	if (is_about_link(code)) {
		f->ifindex = 10;
		strcpy(f->link, "vlan10");
		strcpy(f->service, "signed.service");
		f->on = unit_set(&table, "tx-scatter-gather");
		f->n_others = 1;
	}
	if (finding_event(code) == EVENT_RESTARTED || code == FINDING_RESTART_FAILED)
		strcpy(f->service, "signed.service");
	if (code == FINDING_REPAIRED)
		strcpy(f->other_link, "vlan100");
	if (finding_event(code) == EVENT_REPAIRED || finding_event(code) == EVENT_DRIFT ||
		finding_event(code) == EVENT_CONTENDED || code == FINDING_CHANGED_BY)
		f->changed_by = (struct finding_process){ .asked = true, .pid = 7, .parent_pid = 6, .comm = "ethtool",
			.parent_comm = "bash", .unit = "session-3.scope", .link = "bond0", .time_usec = 1000000 };
	if (code == FINDING_NOT_IN_KERNEL) {
		f->on = 0;
		f->foreign = feature_known_set("ufo");
	}
	if (code == FINDING_UNMET) {
		add_step(f, CAUSE_LOWER_OFF, "bond0", NULL);
		add_step(f, CAUSE_NEEDS, NULL, "tx-checksum-ip-generic");
	}
	finding_set_object(f, object_of(code));
	finding_set_words(f, words_of(code));
}

static const char *format_example(const struct finding *f, char *buf, size_t size)
{
	const struct diagnosis d = { .finding = *f, .per_sec = { 1, 2, 3, 4, 5 }, .copies = true, .percent = 90, .calls = 812,
		.median_usec = 1500, .running = 2, .longest_usec = 12 * USEC_PER_SEC, .unseen = (1U << DIAGNOSIS_UNSEEN) - 1,
		.link_gone = true };

	return is_diagnosis(f->code) ? catalog_diagnosis(&d, &table, buf, size) : catalog_format(f, &table, buf, size);
}

static void make_story(enum cause cause, enum advice advice, struct explanation *e, struct cause_step *step)
{
	static struct rule rule = { .file = (char *)"10-vlan.rule" };
	static struct rule_feature feature = { .word = (char *)"tso", .value = RULE_LOWER };
	static const struct plan_item item = { .bit = 16, .declared = RULE_LOWER, .want = true, .verdict = VERDICT_BLOCKED,
		.text = "firmware is busy" };

	*step = (struct cause_step){ .code = cause, .ifindex = 10, .link = "vlan10", .bit = 16, .want = true, .other_ifindex = 4,
		.other_link = "bond0", .other_bit = 0, .driver = "e1000e" };
	*e = (struct explanation){ .steps = step, .n_steps = 1, .item = &item, .rule = &rule, .feature = &feature, .error = -EIO,
		.advice = { .code = advice, .link = "vlan10", .kind = "vlan", .bit = 16, .want = true, .number = 8000, .rule = &rule } };
	if (cause < CAUSE_LIMIT_DIFFERS && advice < ADVICE_LIMIT_APPLY)
		return;
	step->number = 8000;
	e->word = "gso-max-size";
	e->is_limit = true;
}

/* A value that is missing leaves two blanks, or one before a punctuation mark. */
static void check_text(const char *name, const char *text)
{
	static const char *const holes[] = { "  ", " ,", " ;", " :", " .", "( ", " )", "()", "(null)" };

	for (size_t i = 0; i < ARRAY_SIZE(holes); i++)
		if (strpbrk(text, "{}|#") || strstr(text, holes[i]))
			fail_msg("%s: %s", name, text);
}

static void put(FILE *out, const char *what, const char *name, const char *text)
{
	check_text(name, text);
	fprintf(out, "%s %s: %s\n", what, name, text);
}

static void make_limit_example(enum finding_code code, struct finding *f)
{
	make_example(code, f);
	f->on = 0;
	f->other_link[0] = '\0';
	f->changed_by = (struct finding_process){ 0 };
	f->n_causes = 0;
	f->limits = (struct link_limits){ .value = { 8000, 64 },
		.has = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) | LINK_LIMIT(LINK_LIMIT_GSO_MAX_SEGS) };
	if (code == FINDING_UNMET)
		add_step(f, CAUSE_UNKNOWN, NULL, NULL);
}

static void each_code_has_an_example(void **state)
{
	char buf[CATALOG_TEXT_MAX], *text = NULL;
	struct explanation e;
	struct cause_step step;
	struct finding f;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (unsigned code = FINDING_NONE + 1; code < FINDING_CODES; code++) {
		make_example(code, &f);
		put(out, event_kind_name(finding_event(code)), finding_name(code), format_example(&f, buf, sizeof(buf)));
	}
	for (unsigned code = FINDING_NONE + 1; code <= FINDING_RECOVERED; code++) {
		if (code == FINDING_NOT_IN_KERNEL)
			continue;
		make_limit_example(code, &f);
		put(out, event_kind_name(finding_event(code)), "limit", format_example(&f, buf, sizeof(buf)));
	}
	for (unsigned cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
		make_story(cause, ADVICE_NONE, &e, &step);
		put(out, "cause", cause_name(cause), catalog_step(&table, &e, &step, FEATURE_MAX, buf, sizeof(buf)));
	}
	for (unsigned advice = ADVICE_NONE + 1; advice < ADVICE_COUNT; advice++) {
		make_story(CAUSE_OFF, advice, &e, &step);
		put(out, "advice", advice_name(advice), catalog_advice(&table, &e, buf, sizeof(buf)));
		if (advice == ADVICE_APPLY || advice == ADVICE_RESUME || advice == ADVICE_AUDIT_RULE) {
			e.advice.requested = true;
			put(out, "advice", "requested", catalog_advice(&table, &e, buf, sizeof(buf)));
		}
	}
	for (unsigned reason = 0; reason < FALLBACK_REASONS; reason++) {
		struct evidence_fallback row = { .reason = reason, .link = "eth2", .remedy = REMEDY_REASON };

		if (evidence_is_limit(row.reason)) {
			row.limit = 8000;
			row.largest = 65226;
		}
		put(out, "reason", evidence_reason_name(reason), catalog_remedy(&row, &table, buf, sizeof(buf)));
	}
	for (unsigned remedy = 0; remedy < REMEDY_COUNT; remedy++) {
		struct evidence_fallback row = { .link = "vlan10", .remedy = remedy, .missing = unit_set(&table, "tx-scatter-gather"),
			.hits[FALLBACK_SENDPAGE].n = remedy == REMEDY_RESUME };

		if (remedy != REMEDY_REASON)
			put(out, "remedy", remedy_name(remedy), catalog_remedy(&row, &table, buf, sizeof(buf)));
	}
	fclose(out);
	golden_compare("tests/golden/catalog.txt", text, len);
	free(text);
}

/* ---- completeness ---- */

static void make_full(enum finding_code code, struct finding *f)
{
	make_example(code, f);
	f->off = unit_set(&table, "rx-lro rx-gro");
	f->n_rules = 2;
	f->count = f->total = 5;
	f->enforce = true;
	f->user = 1000;
	finding_set_words(f, "words");
	strcpy(f->other_link, "bond0");
	f->changed_by.asked = true;
}

static void every_code_is_complete(void **state)
{
	char buf[CATALOG_TEXT_MAX];
	struct explanation e;
	struct cause_step step;
	struct finding f;

	(void)state;
	for (unsigned code = 0; code < FINDING_CODES; code++) {
		const char *name = finding_name(code);

		assert_non_null(name);
		for (unsigned other = 0; other < code; other++)
			assert_string_not_equal(name, finding_name(other));
		if (finding_event(code) != EVENT_NONE) {
			assert_non_null(event_message_id(finding_event(code)));
			assert_in_range(finding_priority(code), 3, 6);
		}
		make_full(code, &f);
		check_text(name, format_example(&f, buf, sizeof(buf)));
		assert_string_not_equal(buf, "");
		f = (struct finding){ .code = code };
		assert_null(strpbrk(catalog_format(&f, &table, buf, sizeof(buf)), "{}|#"));
		assert_in_range(strlen(catalog_format(&f, &table, buf, 8)), 0, 7); /* no room is no harm */
	}
	for (unsigned reason = 0; reason < FALLBACK_REASONS; reason++) {
		struct evidence_fallback row = { .reason = reason, .remedy = REMEDY_REASON };

		check_text(evidence_reason_name(reason), catalog_remedy(&row, &table, buf, sizeof(buf)));
	}
	for (unsigned remedy = 0; remedy < REMEDY_COUNT; remedy++) {
		struct evidence_fallback row = { .link = "vlan10", .remedy = remedy, .missing = 1, .reason = FALLBACK_REASON_QDISC };

		assert_int_equal(remedy_parse(remedy_name(remedy)), remedy);
		check_text(remedy_name(remedy), catalog_remedy(&row, &table, buf, sizeof(buf)));
		assert_string_not_equal(buf, "");
	}
	for (unsigned cause = 1; cause < CAUSE_COUNT; cause++) {
		assert_non_null(cause_name(cause));
		make_story(cause, ADVICE_NONE, &e, &step);
		check_text(cause_name(cause), catalog_step(&table, &e, &step, 16, buf, sizeof(buf)));
		assert_string_not_equal(buf, "");
	}
	for (unsigned advice = 1; advice < ADVICE_COUNT; advice++) {
		assert_non_null(advice_name(advice));
		make_story(CAUSE_OFF, advice, &e, &step);
		check_text(advice_name(advice), catalog_advice(&table, &e, buf, sizeof(buf)));
		assert_string_not_equal(buf, "");
	}
}

static void an_unknown_placeholder_shows(void **state)
{
	const char *sentences[CATALOG_SENTENCES];
	struct finding f = { .code = FINDING_STOPPED, .count = 1 };
	char buf[CATALOG_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < CATALOG_SENTENCES; i++)
		sentences[i] = "a {nobody} b {count?{count#one|many}|none} {total?some|none}{link? on {link}} {count";
	catalog_replace(sentences);
	assert_string_equal(catalog_format(&f, &table, buf, sizeof(buf)), "a {nobody} b one none {count");
	catalog_replace(NULL);
}

/* ---- nothing but text depends on the sentences ---- */

/* Lines of text that hold sentences are left out: MESSAGE= of the journal and hooks, text members of documents. */
static void put_without_text(FILE *out, char *lines, size_t *ret_texts)
{
	static const char *const texts[] = { "MESSAGE=", "OFFLOADD_MESSAGE=", "\"text\":", "\"advice\":", "\"message\":" };
	char *save = NULL;

	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *start = line + strspn(line, " \t");
		bool is_text = false;

		for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
			is_text |= strncmp(start, texts[i], strlen(texts[i])) == 0;
		*ret_texts += is_text && strstr(line, "X");
		if (!is_text)
			fprintf(out, "%s\n", line);
	}
}

struct transcript {
	FILE *out;
	size_t texts; /* replaced */
};

static void note_event(const struct finding *event, void *userdata)
{
	struct transcript *t = userdata;
	char text[HOOK_EVENT_MAX + 16384];

	journal_format(&table, event, text, sizeof(text));
	put_without_text(t->out, text, &t->texts);
	hook_encode(&(struct hook_target){ &table, "blue", NULL }, event, &(const struct hook_held){ .n = 4, .links = "vlan10" }, text);
	put_without_text(t->out, text, &t->texts);
}

/* A link that drifts, is held from below, recovers: which events come, and which do not come twice. */
static void note_reconciles(struct transcript *t)
{
	struct unit_host *h = unit_host_new();
	struct apply_report report = { 0 };

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", "[Match]\nKind=vlan\n[Features]\nsg=lower\ntso=on\nrx-gro-hw=on\n");
	for (int round = 0; round < 6; round++) {
		h->context.audit = round < 2;
		if (round == 0)
			unit_off(h, "vlan10", "tx-scatter-gather");
		if (round == 2)
			unit_off(h, "bond0", "sg");
		if (round == 4)
			link_table_find(&h->links, 10)->features = link_table_find(&h->links, 2)->features;
		unit_plan(h);
		fprintf(t->out, "round %d, exit code %d, problems %zu\n", round, plan_exit_code(&h->plan), h->states.n_reported);
		assert_int_equal(event_report(&h->states, &h->plan, &report, &h->links, note_event, t), 0);
	}
	unit_host_free(h);
}

static void note_document(struct transcript *t, int (*write)(FILE *out, const struct sample *s), const struct sample *s)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(write(out, s), 0);
	fclose(out);
	put_without_text(t->out, text, &t->texts);
	free(text);
}

static int write_plan(FILE *out, const struct sample *s)
{
	return json_write_plan(out, &s->view);
}

static int write_show(FILE *out, const struct sample *s)
{
	return json_write_show(out, &s->view, link_table_find(&s->links, 5));
}

static int write_explain(FILE *out, const struct sample *s)
{
	struct explanation explanation = s->explanation;

	explanation.item = &s->items[3];
	return json_write_explain(out, &s->view, link_table_find(&s->links, 5), &explanation, 1);
}

static void note_metrics(struct transcript *t, const struct sample *s)
{
	struct metrics_counts counts = { .events[EVENT_DRIFT] = 1 };
	size_t none = 0;
	const struct rule_host host = { .kernel_release = "6.1.0" };
	struct link_states states = { 0 };
	struct metrics m = { .counts = &counts, .settings_errors = &none, .features = &s->features, .rules = &s->set,
		.host = &host, .links = &s->links, .states = &states };
	char *text;
	size_t len;

	metrics_reaction_init(&counts.reaction);
	assert_int_equal(plan_keep(&s->plan, &states), 0);
	assert_int_equal(metrics_format(&m, &text, &len), 0);
	fputs(text, t->out);
	free(text);
	link_states_clear(&states);
}

static void note_groups(struct transcript *t, const struct sample *s)
{
	struct explanation other = s->explanation;
	struct cause_step steps[3];

	for (size_t i = 0; i < s->plan.n_links; i++) {
		struct view_group group;
		size_t at = 0;

		for (size_t j = 0; view_next_group(&s->plan.links[i], &at, &group); j++)
			fprintf(t->out, "group %zu %zu: %llx\n", i, j, (unsigned long long)group.bits);
	}
	/* the same story of another feature, and another story */
	memcpy(steps, s->lines, sizeof(steps));
	for (size_t i = 0; i < 3; i++)
		steps[i].bit = 20;
	steps[1].other_bit = 20;
	other.advice.bit = 20;
	other.steps = steps;
	assert_true(view_same_explanation(&s->explanation, &other));
	steps[2].code = CAUSE_UNKNOWN;
	assert_false(view_same_explanation(&s->explanation, &other));
}

static char *make_transcript(const char *const *sentences, size_t *ret_texts)
{
	char *text = NULL;
	size_t len;
	struct transcript t = { .out = open_memstream(&text, &len) };
	struct sample s;
	struct finding f;

	catalog_replace(sentences);
	sample_make(&s);
	for (unsigned code = 1; code < FINDING_CODES; code++) {
		make_example(code, &f);
		if (finding_event(code) != EVENT_NONE)
			note_event(&f, &t);
	}
	note_reconciles(&t);
	note_document(&t, write_plan, &s);
	note_document(&t, write_show, &s);
	note_document(&t, write_explain, &s);
	note_groups(&t, &s);
	note_metrics(&t, &s);
	sample_clear(&s);
	catalog_replace(NULL);
	fclose(t.out);
	*ret_texts = t.texts;
	return text;
}

static void nothing_else_depends_on_the_sentences(void **state)
{
	static char others[CATALOG_SENTENCES][16];
	const char *sentences[CATALOG_SENTENCES];
	char *before, *after;
	size_t texts;

	(void)state;
	for (size_t i = 0; i < CATALOG_SENTENCES; i++) {
		snprintf(others[i], sizeof(others[i]), "X%zu", i);
		sentences[i] = others[i];
	}
	before = make_transcript(NULL, &texts);
	after = make_transcript(sentences, &texts);
	assert_string_equal(before, after);
	assert_in_range(texts, 2 * 50, 4 * CATALOG_SENTENCES); /* it did replace them */
	assert_null(strstr(after, "X1"));
	free(before);
	free(after);
}

static int setup(void **state)
{
	(void)state;
	unit_features(&table);
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_an_example),
		cmocka_unit_test(every_code_is_complete),
		cmocka_unit_test(an_unknown_placeholder_shows),
		cmocka_unit_test(nothing_else_depends_on_the_sentences),
	};

	return cmocka_run_group_tests_name("catalog", tests, setup, NULL);
}
