/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the decoder of the control socket any bytes, message by message as a client would send them, and holds what it gives to its
 * contract: a clean method name, parameters that are an object, and that are the same when written and read again. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"
#include "control/varlink.h"

struct parameters {
	const char *link;
	const struct json_value *links;
	int64_t seconds;
	bool follow;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct parameters, link, "link", JSON_BORROWED),
	JSON_FIELD(struct parameters, links, "links", JSON_LIST, .most = 64),
	JSON_FIELD(struct parameters, seconds, "seconds", JSON_INT, .least = 1, .most = 86400),
	JSON_FIELD(struct parameters, follow, "follow", JSON_BOOL),
	{ 0 },
};

static void look(const struct varlink_call *call)
{
	char why[JSON_WHY_LEN] = "";
	struct json_reader r = { .why = why, .why_size = sizeof(why) };
	struct parameters p = { .seconds = 1 };

	(void)json_unknown(call->parameters, fields);
	assert(json_read(&r, call->parameters, fields, &p) == 0 || *why);
	assert(p.seconds >= 1 && p.seconds <= 86400);
	assert(json_count(p.links) <= 64);
	json_foreach(item, p.links)
		(void)json_as_text(item);
}

static void write_again(const struct varlink_call *call)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	struct varlink_call again;
	char *text, *same;
	size_t len, same_len;

	json_add_value(&w, NULL, call->parameters);
	assert(varlink_compose_call(call->method, call->parameters ? &w : NULL, call->more, &text, &len) == 0);
	assert(text[len - 1] == '\0' && strlen(text) == len - 1);
	assert(varlink_call_decode(text, len - 1, &again) == 0);
	assert(json_count(again.parameters) == json_count(call->parameters));
	json_clear(&w);
	json_add_value(&w, NULL, again.parameters);
	assert(varlink_compose_call(again.method, &w, again.more, &same, &same_len) == 0);
	assert(same_len == len && memcmp(text, same, len) == 0);
	varlink_call_clear(&again);
	free(text);
	free(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	while (at < end) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));
		size_t len = (size_t)((nul ? nul : end) - at);
		struct varlink_call call;
		int r = varlink_call_decode(at, len, &call);

		assert(r == 0 || r == -EBADMSG);
		if (r == 0) {
			assert(call.method[0] && strlen(call.method) < VARLINK_NAME_MAX);
			assert(!call.parameters || json_kind(call.parameters) == JSON_OBJECT);
			look(&call);
			write_again(&call);
			varlink_call_clear(&call);
		}
		at += len + 1;
	}
	return 0;
}
