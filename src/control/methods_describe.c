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
	"# State and control of offloadd(8). Reload, Pause, Resume and Revert require root; anyone may call the others.\n"
	"interface org.offloadd\n"
	"\n"
	"type FileError(path: string, line: int, message: string)\n"
	"# verdict: the worst of compliant drifted blocked unsupported refused contended paused, or absent\n"
	"# verdicts: the number of features of this interface by verdict\n"
	"type LinkVerdict(link: string, ifindex: int, verdict: string, verdicts: [string]int)\n"
	"# limits: names of size limits. resets: the features whose repairs made the link lose its carrier\n"
	"type Contended(link: string, ifindex: int, features: []string, limits: []string, resets: []string)\n"
	"# seconds: remaining time, null: until resumed\n"
	"type Paused(link: string, ifindex: int, seconds: ?int)\n"
	"# Counters since the start. One drift costs one plan and one prediction. uncertain_right, uncertain_wrong: features whose\n"
	"# prediction was uncertain, by whether it was right.\n"
	"type Work(plans: int, predictions: int, uncertain_right: int, uncertain_wrong: int)\n"
	"# number: counts from 1 after each start of the daemon. time_usec: CLOCK_REALTIME. limits: size limits, with their declared values.\n"
	"type Event(number: int, time_usec: int, event: string, code: string, message_id: string, priority: int,\n"
	"  message: string, link: ?string, ifindex: ?int, features: []string, limits: [string]int,\n"
	"  rule: ?string, reason: ?string, service: ?string, remedy: ?string, changed_by: ?Process, cost: ?Cost)\n"
	"# CPU time of a service for a gigabyte of its TCP connections before and after a repair, in microseconds, and time in soft interrupts\n"
	"# of the whole host. before_bytes, before_usec: what was measured, and for how long. cpu_after_usec: null if it is unknown,\n"
	"# and then the event has a reason. Null for other events.\n"
	"type Cost(cpu_before_usec: int, cpu_after_usec: ?int, softirq_before_usec: int, softirq_after_usec: int,\n"
	"  before_bytes: int, after_bytes: int, before_usec: int, after_usec: int)\n"
	"# The process that changed a feature, null if unknown. link: interface that it changed, null if it is the event's link.\n"
	"type Process(process: string, pid: int, parent: ?string, parent_pid: ?int, unit: ?string,\n"
	"  link: ?string, time_usec: int)\n"
	"# method: null if the probe is unavailable, for the reason in why. fixable: that is not due to the kernel.\n"
	"type Probe(probe: string, function: string, method: ?string, why: ?string, fixable: bool)\n"
	"# Another network namespace. look: unseen seen deferred (it has used up its share of time) too-many (interfaces; none was checked)\n"
	"# failed. inode: of its file. verdicts, features: as in GetStatus.\n"
	"type Namespace(netns: string, inode: int, container: ?string, unit: ?string, look: string, error: ?string, mode: string,\n"
	"  compliant: bool, links: int, declared: int, verdicts: [string]int, features: [string]int, pending: int, unread: int,\n"
	"  changes: int)\n"
	"# mode: host observe enforce. needed: a rule applies in them. running: a process looks after them. noncompliant: of those that were\n"
	"# looked at. unknown: the others. list: at most 64, those that are not compliant first.\n"
	"type Namespaces(mode: string, needed: bool, running: bool, complete: bool, error: ?string, total: int, noncompliant: int,\n"
	"  unknown: int, list: []Namespace)\n"
	"# kind: sendpage splice segmentation checksum udp-segmentation (sends that are refused). origin: local forwarded kernel. now: within the last ten seconds.\n"
	"# remedy: how it ends, advice: the same as a sentence: reason over repair resume contend not-possible rule declare unsupported\n"
	"# reconnect unknown.\n"
	"# reason: feature xdp size-limit ipv4-size-limit segments-limit vlan encapsulation headers driver mtu qdisc forced stale unknown.\n"
	"# any_protocol: copies that may include protocols other than TCP. limit, largest: for a limit its value and the largest packet, in bytes or segments.\n"
	"type Fallback(kind: string, origin: string, reason: string, any_protocol: bool, limit: ?int, largest: ?int, service: ?string, link: ?string, ifindex: ?int,\n"
	"  verdict: ?string, hits: int, idle_usec: ?int, now: ?bool, missing: []string,\n"
	"  remedy: string, advice: string)\n"
	"type Ends(local: string, remote: string)\n"
	"# A service with stale connections: they lack features that their link has regained. hits: since since_usec (CLOCK_REALTIME).\n"
	"# udp_senders: processes that gave up UDP segmentation while the link lacked checksums.\n"
	"# sockets: null if they were inferred from copies, because the kernel does not show its sockets.\n"
	"type Restart(service: string, unit: ?string, kind: string, link: ?string, ifindex: ?int,\n"
	"  sockets: ?int, udp_senders: int, since_usec: int, hits: int, missing: []string, samples: []Ends)\n"
	"\n"
	"# Lists of links have at most 64 entries; the numbers count all links. declared: links that a rule applies to. verdicts: those with\n"
	"# a feature of this verdict, compliant: with no other. features: their features by verdict. unread: those whose features could not\n"
	"# be read. observes: probes are not turned off.\n"
	"method GetStatus() -> (version: string, pid: int, netns: int, mode: string, ethtool: string,\n"
	"  links: int, rules: int, rule_directories: []string, rule_errors: []FileError, settings_errors: []FileError,\n"
	"  declared: int, verdicts: [string]int, features: [string]int, pending: int, unread: int, noncompliant: []LinkVerdict, contended: []Contended,\n"
	"  paused: []Paused, reconciles: int, changes: int, overruns: int, work: Work, observes: bool, probes: []Probe,\n"
	"  namespaces: Namespaces)\n"
	"# links: as in `offloadctl plan --json`, by ascending ifindex, starting above after. With the more flag, all links are sent\n"
	"# in several replies. Without it, the first part is sent; pass next as after to get the next part.\n"
	"method GetPlan(links: ?[]string, after: ?int) -> (links: []object, next: ?int)\n"
	"# Services that use software fallback, and services that must reconnect. A list is null if its probe is unavailable.\n"
	"# omitted: number of omitted rows. lost: hits by kind that are in no row. elsewhere: those in other network namespaces.\n"
	"# lost_idle_usec: since the last hit that is in no row, lost or omitted; without one null.\n"
	"# udp_undecided: processes whose UDP segmentation was refused, and that have sent too little since to decide whether they gave up.\n"
	"method GetServices() -> (probes: []Probe, fallback: ?[]Fallback, restart: ?[]Restart,\n"
	"  omitted: int, lost: [string]int, lost_idle_usec: ?int, elsewhere: [string]int, sockets_dropped: int,\n"
	"  udp_undecided: int, connections_seen: bool, lacking: ?string)\n"
	"# Metrics in Prometheus text format, as in the metrics file.\n"
	"method GetMetrics() -> (text: string)\n"
	"# With errors, the previous settings or rules are kept. taken: both were loaded.\n"
	"method Reload() -> (taken: bool, settings_taken: bool, rules_taken: bool, rules: int,\n"
	"  rule_errors: []FileError, settings_errors: []FileError)\n"
	"method Pause(link: string, seconds: ?int) -> ()\n"
	"# contended: features that are not repaired yet, because another program keeps reverting them\n"
	"method Resume(link: string) -> (was_paused: bool, contended: []string)\n"
	"# Restores original values, and pauses these links so that they are not changed again.\n"
	"method Revert(link: ?string) -> (results: []object, paused: []string)\n"
	"# Events with a number above after. With the more flag and follow, future events too. lost: events dropped before they were sent.\n"
	"method GetEvents(after: ?int, follow: ?bool) -> (events: []Event, lost: int)\n"
	"# Replies when no change is pending on these links (default: all), or after seconds.\n"
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
