/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP segmentation that was refused: who gave it up, and what is concluded from that. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "evidence/diagnose.h"
#include "evidence/evidence.h"
#include "evidence/gave_up.h"

static void judge(void **state)
{
	struct probe_sender s = { .refused = 1 };

	(void)state;
	assert_int_equal(gave_up_judge(&s), GAVE_UP_UNDECIDED);
	s.single = 100000; /* one burst, just after the repair */
	s.single_usec = GAVE_UP_USEC - 1;
	assert_int_equal(gave_up_judge(&s), GAVE_UP_UNDECIDED);
	s.single_usec = GAVE_UP_USEC;
	assert_int_equal(gave_up_judge(&s), GAVE_UP_YES);
	s.single = GAVE_UP_SINGLE - 1; /* hardly anything that could be segmented */
	assert_int_equal(gave_up_judge(&s), GAVE_UP_UNDECIDED);
	s.single = 100000;
	s.segmented = 1;
	assert_int_equal(gave_up_judge(&s), GAVE_UP_NO);
}

static void are_no_connections(void **state)
{
	struct evidence e = { .has_sockets = true };
	struct evidence_stale *row = evidence_stale_row(&e, "quic.service", "vlan10");

	(void)state;
	row->senders = 2;
	assert_null(evidence_find_stale(&e, "quic.service", "vlan10"));
	assert_non_null(evidence_find_service(&e, "quic.service"));
	assert_int_equal(evidence_count_stale(&e), 0);
	assert_ptr_equal(evidence_stale_row(&e, "quic.service", "vlan10"), row);
	row->sockets = 1;
	assert_ptr_equal(evidence_find_stale(&e, "quic.service", "vlan10"), row);
	evidence_clear(&e);
}

static unsigned count(const struct diagnosis *diagnoses, size_t n, enum finding_code code)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		found += diagnoses[i].finding.code == code;
	return found;
}

static void are_diagnosed(void **state)
{
	struct investigation i = { .elapsed_usec = 10000000, .evidence = { .has_sockets = true, .has_latency = true } };
	struct evidence_stale *row = evidence_stale_row(&i.evidence, "quic.service", "vlan10");
	struct diagnosis *diagnoses;
	size_t n;

	(void)state;
	for (unsigned k = 0; k < INVESTIGATION_RATES; k++)
		i.rates[k].known = true;
	row->senders = 2;
	assert_int_equal(diagnose(&i, &diagnoses, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(diagnoses[0].finding.code, FINDING_DIAGNOSIS_GAVE_UP);
	assert_int_equal(diagnoses[0].finding.count, 2);
	free(diagnoses);
	row->sockets = 1;
	i.rates[INVESTIGATION_REFUSED].known = false;
	assert_int_equal(diagnose(&i, &diagnoses, &n), 0);
	assert_int_equal(count(diagnoses, n, FINDING_DIAGNOSIS_GAVE_UP), 1);
	assert_int_equal(count(diagnoses, n, FINDING_DIAGNOSIS_RECONNECT), 1);
	assert_int_equal(count(diagnoses, n, FINDING_DIAGNOSIS_BLIND), 1);
	free(diagnoses);
	investigation_clear(&i);
}

static void refusals_are_no_segmentation(void **state)
{
	(void)state;
	assert_int_equal(investigation_rate_of(FALLBACK_UDP), INVESTIGATION_REFUSED);
	assert_string_equal(investigation_rate_name(INVESTIGATION_REFUSED), evidence_kind_name(FALLBACK_UDP));
	assert_int_equal(evidence_kind_parse("udp-segmentation"), FALLBACK_UDP);
	assert_true(evidence_is_by_process(FALLBACK_UDP));
	assert_false(evidence_is_by_socket(FALLBACK_UDP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judge),
		cmocka_unit_test(are_no_connections),
		cmocka_unit_test(are_diagnosed),
		cmocka_unit_test(refusals_are_no_segmentation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
