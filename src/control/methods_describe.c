/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <string.h>

static const char service_description[] =
	"interface org.varlink.service\n"
	"method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"error InterfaceNotFound(interface: string)\n"
	"error MethodNotFound(method: string)\n"
	"error MethodNotImplemented(method: string)\n"
	"error InvalidParameter(parameter: string)\n"
	"error PermissionDenied()\n"
	"error ExpectedMore()\n";

static const char description[] =
	"# What offloadd(8) knows and does. Anyone may read; Reload, Pause, Resume and Revert are for root.\n"
	"interface org.offloadd\n"
	"\n"
	"type FileError(path: string, line: int, message: string)\n"
	"# verdict: compliant drifted blocked unsupported refused contended paused, or absent\n"
	"type LinkVerdict(link: string, ifindex: int, verdict: string)\n"
	"type Contended(link: string, ifindex: int, features: []string)\n"
	"# seconds: that are left, null until resumed\n"
	"type Paused(link: string, ifindex: int, seconds: ?int)\n"
	"# made since the start; one drift costs one of each\n"
	"type Work(plans: int, predictions: int)\n"
	"# number counts up from 1 and restarts with the daemon; time_usec is CLOCK_REALTIME\n"
	"type Event(number: int, time_usec: int, event: string, code: string, message_id: string, priority: int,\n"
	"  message: string, link: ?string, ifindex: ?int, features: []string, rule: ?string,\n"
	"  reason: ?string, service: ?string, changed_by: ?Process)\n"
	"# who changed a feature, null where that is unknown; link: where it began, null for the event's own\n"
	"type Process(process: string, pid: int, parent: ?string, parent_pid: ?int, unit: ?string,\n"
	"  link: ?string, time_usec: int)\n"
	"# method: null for one that cannot be had, and why says why\n"
	"type Probe(probe: string, function: string, method: ?string, why: ?string)\n"
	"# kind: sendpage splice segmentation checksum; origin: local forwarded kernel. now: in the last ten seconds.\n"
	"# reconnect: connections may have to be made anew even when the link is as declared again\n"
	"type Fallback(kind: string, origin: string, service: ?string, link: ?string, ifindex: ?int,\n"
	"  verdict: ?string, hits: int, idle_usec: ?int, now: bool, reconnect: bool)\n"
	"type Ends(local: string, remote: string)\n"
	"# sockets that go on without what their link has again; hits since since_usec (CLOCK_REALTIME)\n"
	"type Restart(service: string, unit: ?string, kind: string, link: ?string, ifindex: ?int,\n"
	"  sockets: int, since_usec: int, hits: int, missing: []string, samples: []Ends)\n"
	"\n"
	"# The lists of links end after 64; verdicts and pending count them all.\n"
	"method GetStatus() -> (version: string, pid: int, netns: int, mode: string, ethtool: string,\n"
	"  links: int, rules: int, rule_errors: []FileError, settings_errors: []FileError,\n"
	"  verdicts: [string]int, pending: int, not_as_declared: []LinkVerdict, contended: []Contended,\n"
	"  paused: []Paused, reconciles: int, changes: int, overruns: int, work: Work, probes: []Probe)\n"
	"# links as in `offloadctl plan --json`, in the order of ifindex, those above after. With more, all of them come;\n"
	"# without, a first part, and next is what to give as after for the following one.\n"
	"method GetPlan(links: ?[]string, after: ?int) -> (links: []object, next: ?int)\n"
	"# Who pays for software fallback, and who must reconnect; a list is null where no probe tells. left_out: rows\n"
	"# for which there was no room; lost: hits, by kind, that are in no row\n"
	"method GetServices() -> (probes: []Probe, fallback: ?[]Fallback, restart: ?[]Restart,\n"
	"  left_out: int, lost: [string]int, sockets_dropped: int)\n"
	"# In the exposition format of Prometheus, as in the textfile.\n"
	"method GetMetrics() -> (text: string)\n"
	"# Errors keep the settings, or the rules, that were in force; taken: neither was kept.\n"
	"method Reload() -> (taken: bool, settings_taken: bool, rules_taken: bool, rules: int,\n"
	"  rule_errors: []FileError, settings_errors: []FileError)\n"
	"method Pause(link: string, seconds: ?int) -> ()\n"
	"method Resume(link: string) -> (was_paused: bool)\n"
	"# Puts original values back, and pauses these links, as they would be changed again otherwise.\n"
	"method Revert(link: ?string) -> (results: []object, paused: []string)\n"
	"# Events above after. With more and follow, those to come as well. lost: events that were dropped before they were sent.\n"
	"method GetEvents(after: ?int, follow: ?bool) -> (events: []Event, lost: int)\n"
	"# Answers when no link is to be changed any more, of these or of all, or when seconds have passed.\n"
	"method WaitOnline(links: ?[]string, seconds: ?int) -> (online: bool, timed_out: bool,\n"
	"  missing: []LinkVerdict)\n"
	"\n"
	"error NoSuchLink(link: string, nearest: ?string)\n"
	"error NotPossible(message: string)\n";

void method_get_info(
	_unused_ struct methods *m, struct server_client *client, _unused_ const struct method_arguments *args)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	method_open(&w);
	json_add_text(&w, "vendor", "offloadd");
	json_add_text(&w, "product", "offloadd");
	json_add_text(&w, "version", OFFLOADD_VERSION);
	json_add_text(&w, "url", "");
	json_open_list(&w, "interfaces");
	json_add_text(&w, NULL, "org.varlink.service");
	json_add_text(&w, NULL, METHODS_INTERFACE);
	json_close_list(&w);
	method_reply(client, &w, false);
}

void method_get_description(
	_unused_ struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	bool is_ours = strcmp(args->interface, METHODS_INTERFACE) == 0;
	_cleanup_json_writer_ struct json_writer w = { 0 };

	if (!is_ours && strcmp(args->interface, "org.varlink.service") != 0) {
		method_fail(client, "org.varlink.service.InterfaceNotFound", "interface", args->interface);
		return;
	}
	method_open(&w);
	json_add_lines(&w, "description", is_ours ? description : service_description);
	method_reply(client, &w, false);
}

const char *methods_description(void)
{
	return description;
}
