/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/event.h"

static const struct {
	const char *name, *message_id;
} kinds[EVENT_KIND_COUNT] = {
	[EVENT_REPAIRED] = { "repaired", "829abb19675b4e078b661500c0d0c0e6" },
	[EVENT_DRIFT] = { "drift", "bc372f54f9b04f2d8ddf8ac60eb5c9aa" },
	[EVENT_UNMET] = { "unmet", "c7da8be196e64ed694ff266d15805343" },
	[EVENT_REFUSED] = { "refused", "79ad267e4bfa44bcb3df0fe571504893" },
	[EVENT_CONTENDED] = { "contended", "6b036e8fd608424aa96f91496d00d5ad" },
	[EVENT_RESOLVED] = { "resolved", "2ac7686d092a4557996a2ab07150fff8" },
	[EVENT_RECOVERED] = { "recovered", "8583a1ea96fc4ca3891b085c80854244" },
	[EVENT_OVERRUN] = { "overrun", "8db875088bc44666a15a66b7588cdedd" },
	[EVENT_RULES] = { "rules", "4da008c9f0ac4942bcfc9dc1abe03b21" },
	[EVENT_STATE] = { "state", "6b39a9027fd5427ba85af6fbe2924f81" },
	[EVENT_PAUSED] = { "paused", "9cc42cb4c9374c2192d2dbd6aecece63" },
	[EVENT_RESUMED] = { "resumed", "0add72eb582d4e40b7264f67223053af" },
	[EVENT_FALLBACK] = { "fallback", "77fce3dd6f16449d93e38f060de25a98" },
	[EVENT_STALE] = { "stale", "8bf299c637c8419c99af3cd4a3c3d60e" },
	[EVENT_RECONNECTED] = { "reconnected", "6043fe542a994e979f3a56fcfc4a54f9" },
	[EVENT_RESTARTED] = { "restarted", "d0b3f6a51e9c4c6f8f27a4be5319c07d" },
	[EVENT_EFFECT] = { "effect", "6ecb687a9a0841599194522eff2f8543" },
	[EVENT_WORSE] = { "worse", "5905ae7fc6de422d847a946d7e102595" },
};

const char *event_kind_name(enum event_kind kind)
{
	return (size_t)kind < EVENT_KIND_COUNT ? kinds[kind].name : "none";
}

const char *event_message_id(enum event_kind kind)
{
	return (size_t)kind < EVENT_KIND_COUNT ? kinds[kind].message_id : NULL;
}

bool event_limit_allows(struct event_limit *limit, uint64_t now_usec)
{
	if (now_usec - limit->window_usec >= EVENT_LIMIT_USEC) {
		limit->window_usec = now_usec;
		limit->count = 0;
	}
	if (limit->count >= EVENT_LIMIT_BURST) {
		limit->suppressed++;
		return false;
	}
	limit->count++;
	return true;
}
