/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the decoder of the control socket any bytes, message by message as a client would send them, and holds what it gives to its
 * contract: a clean method name, parameters that are an object, getters that give what they say. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "basic/util.h"
#include "control/varlink.h"

static const char *const names[] = { "link", "links", "seconds", "after", "follow", "interface" };

static void look(const struct varlink_call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text;
		int64_t number;
		bool flag;
		size_t n;
		int given = 0;

		if (varlink_get_string(call, names[i], &text) > 0) {
			assert(text);
			given++;
		}
		if (varlink_get_int(call, names[i], 1, 86400, &number) > 0) {
			assert(number >= 1 && number <= 86400);
			given++;
		}
		if (varlink_get_bool(call, names[i], &flag) > 0)
			given++;
		if (varlink_get_list(call, names[i], &n) > 0) {
			for (size_t j = 0; j < n; j++)
				assert(varlink_get_item(call, names[i], j));
			given++;
		}
		assert(given <= 1);
	}
	(void)varlink_unknown_parameter(call, (const char *const[]){ "link", NULL });
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
			char *text;
			size_t text_len;

			assert(call.method[0] && strlen(call.method) < VARLINK_NAME_MAX);
			assert(!call.parameters ||
				json_object_is_type(call.parameters, json_type_object));
			look(&call);
			assert(varlink_compose(call.method, json_object_get(call.parameters), call.more,
				       &text, &text_len) == 0);
			assert(text[text_len - 1] == '\0' && strlen(text) == text_len - 1);
			free(text);
			varlink_call_clear(&call);
		}
		at += len + 1;
	}
	return 0;
}
