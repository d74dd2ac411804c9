/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "basic/util.h"
#include "evidence/evidence.h"

#define GSO_SIZE_DEFAULT 65536     /* GSO_LEGACY_MAX_SIZE of the kernel */
#define GSO_SEGMENTS_DEFAULT 65535 /* GSO_MAX_SEGS */
#define DEPTH_MAX 3 /* a finding, its causes, and sentences in those */

/* ---- sentences ----
 *
 * {NAME} is a value. {NAME?A|B} is A when the value is neither empty nor 0, else B. {NAME#A|B} is A when the value is 1, or a
 * set of one, else B. A and B may hold further braces; |B may be omitted. */

#define STATE "{on?{on} {on#is|are} off}{both? and }{off?{off} {off#is|are} on}{limits_differ?{limits_differ}}"
#define DECLARES "{rules} {n_rules#declares|declare} {both?otherwise|{on?{on#it|them} on|{off#it|them} off}}"
#define DECLARED "{both?declared by {rules}|{limits?declared by {rules}|" DECLARES "}}"
#define TURN "{on?turn on {on}}{both? and }{off?turn off {off}}{limits?set {limits}}"
#define AT "{object}{line?:{line}|}"
#define MODE "{enforce?enforce|audit} mode"
#define CHANGED_BY "{changed_by?; {changed_by}}"
#define SOFTWARE "software fallback on {link?{link}|an interface} ({kind})"
/* "A process outside any service holds ...; restart it", but "web.service holds ...; restart the service" */
#define HAS_STALE "{outside?A process outside any service|{service}} has {count?{count} }stale {count#connection|connections}: " \
		    "{count#it still lacks|they still lack} {features}, which {link?{link}|the interface} has regained; " \
		    CATALOG_RECONNECT("{outside?it|the service}")
#define AFTERWARDS "{copied_any?and connections may have to be re-established then|{refused_any?and its processes may have to be " \
		    "restarted then|and no restart is needed}}"
#define HAS_GAVE_UP "{outside?A process outside any service|{service}} sends UDP{link? on {link}|} without segmentation ({count} " \
		    "{count#process|processes}): the kernel refused segmentation while the interface lacked checksum offload, " \
		    "which it has regained; restart " \
		    "{outside?it|the service}"
#define SENDER "{forwarded?Forwarded traffic|{outside?A process outside any service|{service?{service}|Traffic sent by the kernel}}}"
#define FALLS_BACK SENDER " is using software fallback on {link?{link}|an unknown interface}; per second: " \
		    "{rates?{rates}|less than one packet}; {why}"
#define LIMIT(name, unit) "{link?{link}|the interface} limits " name "{limit? to {limit}}{largest?, but packets of up to {largest} " \
			   unit " are sent}; raise the limit (ip link set dev {link?{link}|INTERFACE} " name " {wanted}), or lower that of " \
			   "the interfaces above to match"
#define COST "{service}: {cpu_before} of CPU per GB before, {cpu_after?{cpu_after} after|unknown after} the repair of {link}{n_others? and " \
	     "{n_others} more {n_others#interface|interfaces}} ({on?{on} on}{both?, }{off?{off} off})"
#define SOFTIRQ "{softirq_before?; soft interrupts of the host: {softirq_before} per GB before, {softirq_after} after}"
#define CALLS "{calls?{calls} {calls#call|calls}, median {median}{running?, }}" \
	      "{running?{running} still running{running# for|, the longest for} {longest}}"

static const char *const catalog[CATALOG_SENTENCES] = {
	[FINDING_NONE] = "nothing to report",
	[FINDING_REPAIRED] = "{link}: {on?turned on {on}}{both? and }{off?turned off {off}}{limits?set {limits}}, as {rules} "
			     "{n_rules#declares|declare}{other_link?; this also repaired {other_link}{n_others? and {n_others} more}}"
			     "{changed_by?; before that, {changed_by}}",
	[FINDING_REPAIRED_MEANWHILE] = "{link} matches {rules} again: {on?{on} {on#is|are} on}{both? and }"
				       "{off?{off} {off#is|are} off}{limits?{limits_are}}{changed_by?; last {changed_by}}",
	[FINDING_REPAIRED_MORE] = "{count} more {count#interface|interfaces} in {duration}: {on?turned on {on}}{both? and }{off?turned off {off}}{limits?set {limits}}, "
				  "as {rules} {n_rules#declares|declare}. Run: offloadctl events",
	[FINDING_DRIFTED] = "{link} drifted{limits? from {rules}}: " STATE "{limits?|, " DECLARES "}" CHANGED_BY
			    "; audit mode: not repaired",
	[FINDING_UNMET] = "{link} does not match the rules: {rules} {n_rules#declares|declare} {on?{on} on}{both? and }"
			  "{off?{off} off}{limits?{features}}, which is not possible: {causes}",
	[FINDING_NOT_IN_KERNEL] = "{link} does not match the rules: {rules} {n_rules#declares|declare} {features} on, "
				  "which this kernel does not have; other kernels do",
	[FINDING_REFUSED] = "Failed to " TURN " on {link}: {words}; {rules} {n_rules#is|are} not met",
	[FINDING_UNREADABLE] = "Failed to read the features of {link}: {error}; not checked against {rules}: {features}",
	[FINDING_CONTENDED] = "{link}: another program keeps reverting {features} (" DECLARED "); backing off" CHANGED_BY,
	[FINDING_RESETS] = "{link}: {features} {features#was|were} reverted again, and each repair made {link} lose its carrier "
			   "(" DECLARED "); backing off" CHANGED_BY,
	[FINDING_RESOLVED] = "{link}: {features} no longer contended: the last repair has held",
	[FINDING_RECOVERED] = "{link}: {features} {features#matches|match} {rules} again (not changed by offloadd)",
	[FINDING_READABLE] = "{link}: its features can be read again; {features} {features#matches|match} {rules}",
	[FINDING_PAUSED] = "{link} paused by {user} {duration?for {duration}|until resumed}",
	[FINDING_RESUMED] = "{link} resumed by {user}",
	[FINDING_PAUSE_EXPIRED] = "{link} resumed: the pause expired",

	[FINDING_RULE_ERROR] = AT ": {words}",
	[FINDING_RULE_ERRORS_MORE] = "{total} more {total#error|errors} in rule files. Run: offloadctl check",
	[FINDING_RULES_REJECTED] = "Rules rejected: a rule file in use has errors, or a directory cannot be read; keeping the previous "
				   "{total#rule|{total} rules}",
	[FINDING_RULES_LOADED] = "{total} {total#rule|rules} loaded",
	[FINDING_NO_RULES] = "No rules are loaded; offload features are not being enforced",
	[FINDING_SETTINGS_ERROR] = AT ": {words}",
	[FINDING_SETTINGS_REJECTED] = "Settings rejected: offloadd.conf has errors; keeping the previous settings (" MODE ")",
	[FINDING_AUDIT_BY_ERROR] = "audit mode: offloadd.conf has errors{enforce?, so its Mode=enforce is ignored}; "
				   "nothing is changed",
	[FINDING_AUDIT_BY_CAPABILITY] = "Failed to switch to enforce mode: CAP_NET_ADMIN is missing; staying in audit mode",
	[FINDING_AUDIT_BY_OTHER] = "Failed to switch to enforce mode: another offloadd is running (it holds {object}.lock); staying in audit mode",
	[FINDING_MODE] = "{enforce?switched to enforce mode|switched to audit mode: reporting only, nothing is changed}",
	[FINDING_RESTART_NEEDED] = "{object}= changed; restart offloadd to apply it",

	[FINDING_STARTED] = "offloadd {object} started in " MODE ": {count} {count#rule|rules}, {total} {total#interface|interfaces}, "
			    "ethtool over {words}",
	[FINDING_STOPPED] = "offloadd stopped after {total} {total#reconcile|reconciles}, {changes} {changes#change|changes}, "
			    "{count} {count#overrun|overruns}",
	[FINDING_OVERRUN] = "Kernel events were lost: the receive buffer overflowed {count#once|{count} times} since the start; all "
			    "interfaces were read again",
	[FINDING_RELOAD_FAILED] = "Failed to reload the {object}: {error}; keeping the previous {object}",
	[FINDING_RECONCILE_FAILED] = "Failed to reconcile: {error}; trying again",
	[FINDING_NAME_UNSETTLED] = "udev has not initialised {link} in {duration}; rules match it by this name from now on",
	[FINDING_LOOP_DISTURBED] = "Failed to handle {object}: {error}; trying again",
	[FINDING_LOOP_FAILED] = "Failed to handle {object}: {error}; exiting",
	[FINDING_WORKER_FAILED] = "The process for other network namespaces has failed; starting it again in {duration}. This namespace is "
				  "not affected",
	[FINDING_NETNS_UNAVAILABLE] = "Failed to enter other network namespaces: {error}; their interfaces are not looked at. Is "
				      "offloadd-netns.socket running?",
	[FINDING_HOST_NAME_FAILED] = "Failed to match the rules with the new host name {object}: {error}; run: offloadctl reload",
	[FINDING_LEDGER_SET_ASIDE] = "Failed to read the ledger {object}: {words}; moved it to {object}.bad and started a new one",
	[FINDING_LEDGER_UNREADABLE] = "Failed to read the ledger {object}: {error}; original values are kept in memory only",
	[FINDING_LEDGER_UNWRITABLE] = "Failed to write the ledger {object}: {error}; original values are kept in memory only",
	[FINDING_METRICS_UNWRITABLE] = "Failed to write metrics to {object}: {error}",
	[FINDING_WRITABLE] = "Writing {object} works again",
	[FINDING_CONTROL_FAILED] = "Failed to open the control socket {object}: {error}; offloadctl cannot reach this offloadd",
	[FINDING_CONTROL_REFUSES] = "Failed to accept a client on {object}: {error}; trying again",
	[FINDING_CONTROL_OPEN] = "Opened the control socket {object}",
	[FINDING_CAPABILITIES_KEPT] = "Failed to give up the capabilities that only loading probes needs: {error}; offloadd keeps them",
	[FINDING_HOOK_FAILED] = "Failed to call hooks through {object}: {error}; is offloadd-hook.socket running?",
	[FINDING_EVENTS_SUPPRESSED] = "{count} {count#event was|events were} not logged: more than {total} in {duration}",
	[FINDING_EVENTS_LOST] = "{count} {count#event was|events were} not logged: the journal did not accept {count#it|them}",
	[FINDING_PROBES_FAILED] = "Failed to start probes: {error}; enforcement is not affected",
	[FINDING_PROBES_MISSING] = "{count} of {total} probes unavailable; enforcement is not affected. Run: offloadctl status",
	[FINDING_SETTING_BLIND] = "{object} has no effect: {reason}",
	[FINDING_SETTING_LIMITED] = "{object} acts only on what can be observed: {reason}",
	[FINDING_SENDFILE_UNTIMED] = "Failed to measure sendfile latency: {reason}; SendfileLatency=yes has no effect",

	[FINDING_FALLBACK_SERVICE] = "{outside?A process outside any service|{service}} is using " SOFTWARE "; {remedy}",
	[FINDING_FALLBACK_SOCKET] = "{outside?A process outside any service|{service}} is using " SOFTWARE "; {remedy}",
	[FINDING_UDP_REFUSED] = "{outside?A process outside any service|{service}} requests UDP segmentation on {link?{link}|an interface}, "
				"which the kernel refuses; {remedy}",
	[FINDING_FALLBACK_FORWARDED] = "Forwarded traffic is using " SOFTWARE "; {remedy}",
	[FINDING_FALLBACK_KERNEL] = "Traffic sent by the kernel is using " SOFTWARE "; {remedy}",
	[FINDING_FALLBACK_MORE] = "More than {total} services are using software fallback; further ones are not reported one by one. "
				  "Run: offloadctl services",
	[FINDING_FALLBACK_LOST] = "More services are using software fallback than can be counted separately; {count} {count#hit was|hits were} "
				  "not attributed to a service. Run: offloadctl services --json",
	[FINDING_STALE] = HAS_STALE,
	[FINDING_RECONNECTED] = "{service} has no stale connections{link? on {link}} any more; no restart is needed",
	[FINDING_GAVE_UP] = HAS_GAVE_UP,
	[FINDING_SEGMENTS_AGAIN] = "{service} no longer has a process that gave up UDP segmentation{link? on {link}}; no restart is needed",
	[FINDING_EFFECT_HELPED] = COST SOFTIRQ,
	[FINDING_EFFECT_NONE] = COST ": no difference" SOFTIRQ,
	[FINDING_EFFECT_UNKNOWN] = COST ": {why_unknown}",
	[FINDING_EFFECT_WORSE] = COST ": it costs more than before" SOFTIRQ ". Run: offloadctl explain {link}",
	[FINDING_EFFECT_UNDONE] = "{link}: {on?turned off {on}}{both? and }{off?turned on {off}} again, because services need more CPU per GB "
				  "than before, and paused it; {rules} {n_rules#is|are} not met. Run: offloadctl resume {link}",
	[FINDING_RESTARTED] = "{service} restarted: it lacked an offload that its interface has regained",
	[FINDING_RESTART_FAILED] = "Failed to restart {service}: {words}; it still lacks an offload that its interface has regained",
	[FINDING_SERVICES_UNWRITABLE] = "Failed to write {object}: {error}; if offloadd restarts, stale connections appear as new",

	[FINDING_DIAGNOSIS_DEVICE] = SENDER " {has_again?used|is using} software fallback on {link?{link}|an unknown interface}"
		"{features?, which {has_again?lacked|lacks} {features}}; per second: {rates?{rates}|less than one packet}"
		"; {only_copied?{features?{remedy}|its connections are closed by now, or not visible}|{remedy}}",
	[FINDING_DIAGNOSIS_LIMIT] = FALLS_BACK,
	[FINDING_DIAGNOSIS_OTHER] = FALLS_BACK,
	[FINDING_DIAGNOSIS_RECONNECT] = HAS_STALE,
	[FINDING_DIAGNOSIS_GAVE_UP] = HAS_GAVE_UP,
	[FINDING_DIAGNOSIS_DISK] = SENDER " waits for data to be read: {percent}% of the time in sendfile (" CALLS ") was spent asleep "
		"until data arrived from disk; offloads are not the cause",
	[FINDING_DIAGNOSIS_RECEIVER] = SENDER " waits for its receivers: {percent}% of the time in sendfile (" CALLS ") was spent "
		"asleep until the send buffer had room; offloads are not the cause",
	[FINDING_DIAGNOSIS_WELL] = "No software fallback "
		"and no stale connections were found; {timed?sendfile to TCP sockets: " CALLS "|no sendfile call to a TCP socket "
		"started{begun? (some that had started earlier ended)}}",
	[FINDING_DIAGNOSIS_BLIND] = "{link_gone?{link} was removed during the investigation. }{unseen?Not observed: {unseen}; the "
		"reasons are listed below. }{beside?What was observed is reported separately|What was observed shows no problem}",

	[FINDING_CHANGED_BY] = "changed by {process}[{pid}]{parent?, child of {parent}[{parent_pid}]}{unit?, in {unit}}"
			       "{process_link?, via {process_link}}, at {time}",
	[FINDING_CHANGED_BY_UNKNOWN] = "changed by an unknown process",

	[CATALOG_RATE(0)] = "{segmented} {segmented#packet|packets} segmented",
	[CATALOG_RATE(1)] = "{summed} {summed#checksum|checksums} computed",
	[CATALOG_RATE(2)] = "{copied} {copied#copy|copies} by its sockets",
	[CATALOG_UNSEEN(DIAGNOSIS_NO_SEGMENTATION)] = "segmentation",
	[CATALOG_UNSEEN(DIAGNOSIS_NO_CHECKSUM)] = "checksums",
	[CATALOG_RATE(3)] = "{refused} UDP {refused#send|sends} refused",
	[CATALOG_UNSEEN(DIAGNOSIS_NO_UDP)] = "refused UDP sends",
	[CATALOG_UNSEEN(DIAGNOSIS_NO_COPY)] = "copies by sockets",
	[CATALOG_UNSEEN(DIAGNOSIS_NO_SOCKETS)] = "stale connections",
	[CATALOG_UNSEEN(DIAGNOSIS_NO_SENDERS)] = "services that gave up UDP segmentation before",
	[CATALOG_UNSEEN(DIAGNOSIS_UNDECIDED_SENDERS)] = "whether some processes gave up UDP segmentation",
	[CATALOG_UNSEEN(DIAGNOSIS_IDLE_SOCKETS)] = "stale connections that are not used",
	[CATALOG_UNSEEN(DIAGNOSIS_NO_LATENCY)] = "sendfile",
	[CATALOG_UNSEEN(DIAGNOSIS_LOST_PACKETS)] = "some packets (more senders than the BPF maps have room for)",
	[CATALOG_UNSEEN(DIAGNOSIS_LOST_CALLS)] = "some sendfile calls (more than the BPF maps have room for)",
	[CATALOG_MEASURE(INVESTIGATION_MEDIAN)] = "sendfile median{service?, {service}}",
	[CATALOG_MEASURE(INVESTIGATION_PER_CALL)] = "{object} per sendfile call",
	[CATALOG_MEASURE(INVESTIGATION_PER_SECOND)] = "{object} per second",
	[CATALOG_MEASURE(INVESTIGATION_STALE)] = "stale connections",
	[CATALOG_REMEDY(REMEDY_UNKNOWN)] = "{link?{features?what ends this|what {link} lacks} is not known. Run: "
		"offloadctl explain {link}|the outgoing interface is not known}",
	[CATALOG_REMEDY(REMEDY_REASON)] = "{why}",
	[CATALOG_REMEDY(REMEDY_OVER)] = "{link} has regained {features?{features}|it}; no restart is needed",
	[CATALOG_REMEDY(REMEDY_REPAIR)] = "this ends when {link} is repaired, " AFTERWARDS ". Run: offloadctl apply {link}",
	[CATALOG_REMEDY(REMEDY_RESUME)] = "enforcement is paused on {link}; this ends when it is resumed, " AFTERWARDS
		". Run: offloadctl resume {link}",
	[CATALOG_REMEDY(REMEDY_CONTEND)] = "another program keeps reverting {features} of {link}. Run: offloadctl explain {link}",
	[CATALOG_REMEDY(REMEDY_NOT_POSSIBLE)] = "a rule declares {features} on {link}, which is not possible now. Run: offloadctl explain {link}",
	[CATALOG_REMEDY(REMEDY_RULE)] = "a rule turns {features} off on {link}; this ends when the rule changes. Run: offloadctl explain {link}",
	[CATALOG_REMEDY(REMEDY_DECLARE)] = "no rule declares {features} on {link}; this ends when a rule does. Run: offloadctl explain {link}",
	[CATALOG_REMEDY(REMEDY_UNSUPPORTED)] = "{features} cannot be changed on {link}. Run: offloadctl explain {link}",
	[CATALOG_REMEDY(REMEDY_RECONNECT)] = "{link?{link}|the interface} has regained its offloads, but some of its connections have not; "
		CATALOG_RECONNECT("the service"),
	[CATALOG_DIFFERENCE(INVESTIGATION_SAME)] = "",
	[CATALOG_DIFFERENCE(INVESTIGATION_PAGES_OR_CALLS)] = "it counts pages up to Linux 6.4, and calls from Linux 6.5 on",
	[CATALOG_DIFFERENCE(INVESTIGATION_SENDFILE_COUNTED)] = "it includes sendfile from Linux 6.5 on, but not on older kernels",

	[CATALOG_WHY(FALLBACK_REASON_UNKNOWN)] = "the reason is unknown",
	[CATALOG_WHY(FALLBACK_REASON_FEATURE)] = "",
	[CATALOG_WHY(FALLBACK_REASON_XDP)] = "an XDP program at the other end of {link?{link}|the interface} prevents this offload; "
					     "it returns when the program is removed",
	[CATALOG_WHY(FALLBACK_REASON_SIZE)] = LIMIT("gso_max_size", "bytes"),
	[CATALOG_WHY(FALLBACK_REASON_IPV4_SIZE)] = LIMIT("gso_ipv4_max_size", "bytes"),
	[CATALOG_WHY(FALLBACK_REASON_SEGMENTS)] = LIMIT("gso_max_segs", "segments"),
	[CATALOG_WHY(FALLBACK_REASON_VLAN)] = "{link?{link}|the interface} does not offer this to packets with a VLAN tag; no setting "
					      "changes that",
	[CATALOG_WHY(FALLBACK_REASON_ENCAPSULATION)] = "{link?{link}|the interface} does not offer this to encapsulated packets; no "
						       "setting changes that",
	[CATALOG_WHY(FALLBACK_REASON_HEADERS)] = "checksum offload of {link?{link}|the interface} does not cover the headers of these "
						 "packets",
	[CATALOG_WHY(FALLBACK_REASON_DRIVER)] = "the driver of {link?{link}|the interface} does not accept these packets",
	[CATALOG_WHY(FALLBACK_REASON_MTU)] = "packets{largest? of up to {largest} bytes} do not fit the MTU{limit? {limit}} of "
					     "{link?{link}|the interface}, so the kernel splits and fragments them; lower the MTU of "
					     "the interfaces above it",
	[CATALOG_WHY(FALLBACK_REASON_QDISC)] = "the queueing discipline of {link?{link}|the interface} splits packets. Run: tc qdisc show "
					       "dev {link?{link}|INTERFACE}",
	[CATALOG_WHY(FALLBACK_REASON_FORCED)] = "another part of the kernel requests this, for example a queueing discipline, IPsec or "
						"WireGuard; the features of {link?{link}|the interface} do not change that",
	[CATALOG_WHY(FALLBACK_REASON_STALE)] = "",

	[CATALOG_CAUSE(CAUSE_NONE)] = "",
	[CATALOG_CAUSE(CAUSE_UNSUPPORTED_DRIVER)] = "the driver{driver? {driver}} does not allow {feature} to be turned {want?on|off}",
	[CATALOG_CAUSE(CAUSE_UNSUPPORTED_KERNEL)] = "this kernel does not have {feature}; other kernels do",
	[CATALOG_CAUSE(CAUSE_LOWER_OFF)] = "{other_link} below has {other} off",
	[CATALOG_CAUSE(CAUSE_LOWER_UNSUPPORTED)] = "{other_link} below does not support {other}",
	[CATALOG_CAUSE(CAUSE_LOWER_NOT_FOR_VLAN)] = "{other_link} below has {other} on, but does not offer it to interfaces above",
	[CATALOG_CAUSE(CAUSE_SLAVE_OFF)] = "no port has {other} on ({other_link} has it off)",
	[CATALOG_CAUSE(CAUSE_NO_SLAVES)] = "there are no ports yet",
	[CATALOG_CAUSE(CAUSE_OFF)] = "{feature} is turned off on this interface",
	[CATALOG_CAUSE(CAUSE_ON)] = "{feature} is turned on on this interface",
	[CATALOG_CAUSE(CAUSE_NEEDS)] = "needs {other}, which is off",
	[CATALOG_CAUSE(CAUSE_CONFLICTS)] = "not possible while {other} is on",
	[CATALOG_CAUSE(CAUSE_UPPER_OFF)] = "{other_link} above has {other} off",
	[CATALOG_CAUSE(CAUSE_LOWER_ON)] = "follows {other_link} below, which has {other} on",
	[CATALOG_CAUSE(CAUSE_STALE)] = "{feature} is out of date: the kernel has not recomputed the features of this interface",
	[CATALOG_CAUSE(CAUSE_AUDIT)] = "audit mode: nothing is changed",
	[CATALOG_CAUSE(CAUSE_UNKNOWN)] = "the kernel accepted the change without effect; the driver does not report why",
	[CATALOG_CAUSE(CAUSE_NOT_SHOWN)] = "requested, and kept off by what the text does not show: the interface below, a port, another feature "
					   "or the driver",
	[CATALOG_CAUSE(CAUSE_NO_EFFECT)] = "a change is expected to have no effect; the driver does not report why",
	[CATALOG_CAUSE(CAUSE_PEER_XDP)] = "its peer{other_link? {other_link}} has an XDP program, so the kernel does not allow {feature}",
	[CATALOG_CAUSE(CAUSE_LOWER_ELSEWHERE)] = "follows the interface below, which is in another network namespace and cannot be read",
	[CATALOG_CAUSE(CAUSE_CREATED_WITHOUT)] = "{other_link} below had {feature} off when {link} was created, and {link} inherited "
							"that",
	[CATALOG_CAUSE(CAUSE_OWNER)] = "the program that opened {link} decides (TUNSETOFFLOAD), and keeps {feature} off",
	[CATALOG_CAUSE(CAUSE_HOST)] = "the host of this virtual machine decides, and keeps {feature} off",
	[CATALOG_CAUSE(CAUSE_COUPLED)] = "the driver{driver? {driver}} has one switch for {feature} and {other}",
	[CATALOG_CAUSE(CAUSE_PORT_OFF)] = "the port {other_link} has {other} off",
	[CATALOG_CAUSE(CAUSE_FORWARDS)] = "{other_link?{other_link} above|{link}} forwards packets, and the kernel drops what {feature} has merged",
	[CATALOG_CAUSE(CAUSE_BRIDGED)] = "{other_link?{other_link} above|{link}} is a port of a bridge, and the kernel drops what {feature} has "
					 "merged",
	[CATALOG_CAUSE(CAUSE_XDP)] = "{other_link?{other_link} above|{link}} has an XDP program, which cannot take what {feature} has merged",
	[CATALOG_CAUSE(CAUSE_IS_ON)] = "{features?{features}|{feature}} {features?{features#is|are}|is} on",
	[CATALOG_CAUSE(CAUSE_SOME_PORTS)] = "{feature} is on because at least one port has it; traffic leaving by a port that has it off "
					    "uses software fallback",
	[CATALOG_CAUSE(CAUSE_EVERY_PORT)] = "{feature} is on here and on every port",
	[CATALOG_CAUSE(CAUSE_CLAIMED)] = "{feature} is on, but no port has it: the kernel turns it on here whatever the ports have; packets "
					 "that need it use software fallback at the port",
	[CATALOG_CAUSE(CAUSE_DECLARED)] = "{feature} is {active?on|off}; {rules} declares {object}{provided?|, which the interface below cannot "
					  "provide}: {words}{overdue?, and the rule is due for review}",
	[CATALOG_CAUSE(CAUSE_UNDECLARED)] = "{feature} is {active?on|off}; no rule applies to it",
	[CATALOG_CAUSE(CAUSE_IGNORED)] = "{feature} is {active?on|off}; {rules} declares {object}, ignored since {link} cannot change it",
	[CATALOG_CAUSE(CAUSE_REFUSED)] = "{words}",
	[CATALOG_CAUSE(CAUSE_CONTENDED)] = "another program keeps reverting it",
	[CATALOG_CAUSE(CAUSE_RESETS)] = "each repair made {link} lose its carrier, and was reverted",
	[CATALOG_CAUSE(CAUSE_UNCERTAIN)] = "the result cannot be predicted: it depends on the driver, or on state that the kernel does not report",
	[CATALOG_CAUSE(CAUSE_UNREADABLE)] = "features could not be read: {error}",
	[CATALOG_CAUSE(CAUSE_LIMIT_DIFFERS)] = "this interface has {number}",
	[CATALOG_CAUSE(CAUSE_LIMIT_DEVICE)] = "the driver allows at most {number}",
	[CATALOG_CAUSE(CAUSE_LIMIT_ELSEWHERE)] = "the interface below is in another network namespace, where its limit cannot be read",
	[CATALOG_CAUSE(CAUSE_LIMIT_UNUSABLE)] = "{other_link} below has {number}, which is too small for TCP to send",
	[CATALOG_CAUSE(CAUSE_LIMIT_NARROWER)] = "{other_link} below has {number}, and may segment larger packets in software",
	[CATALOG_CAUSE(CAUSE_LIMIT_DECLARED)] = "{feature} is {number}; {rules} declares {object}{provided?|, and there is no interface "
						"below}: {words}{overdue?, and the rule is due for review}",
	[CATALOG_CAUSE(CAUSE_LIMIT_UNDECLARED)] = "{feature} is {number}; no rule applies to it",

	[CATALOG_ADVICE(ADVICE_NONE)] = "",
	[CATALOG_ADVICE(ADVICE_APPLY)] = "offloadctl apply {link}{requested?|, or `ethtool -K {link} {feature} {want?on|off}`}",
	[CATALOG_ADVICE(ADVICE_RESUME)] = "offloadctl resume {link}{requested?|, or `ethtool -K {link} {feature} {want?on|off}`}",
	[CATALOG_ADVICE(ADVICE_AUDIT_RULE)] = "{rules} has Mode=audit: remove that line{requested?|, or run `ethtool -K {link} {feature} {want?on|off}`}",
	[CATALOG_ADVICE(ADVICE_CHANGE_RULE)] = "{rules} declares {feature} off on {link}; the two rules conflict: change one of them",
	[CATALOG_ADVICE(ADVICE_REQUEST)] = "`ethtool -K {link} {feature} on`, or a rule that declares it for {link}",
	[CATALOG_ADVICE(ADVICE_TURN_OFF)] = "turn {feature} off on {link}, or change the rule",
	[CATALOG_ADVICE(ADVICE_TURN_ON_ABOVE)] = "turn {feature} on on {link} first",
	[CATALOG_ADVICE(ADVICE_NOT_BELOW)] = "{feature} is not possible below {link}, a {object}: remove it from the rule",
	[CATALOG_ADVICE(ADVICE_DECLARE_LOWER)] = "the driver of {link} does not offer it to interfaces above: declare `lower` in "
						 "the rule to accept that",
	[CATALOG_ADVICE(ADVICE_OTHER_DEVICE)] = "no setting can change this on {link}: remove the feature from the rule, or use another device",
	[CATALOG_ADVICE(ADVICE_REMOVE)] = "{link} cannot change this: remove the feature from the rule",
	[CATALOG_ADVICE(ADVICE_LIMIT_APPLY)] = "offloadctl apply {link}, or `ip link set {link} {object} {number}`",
	[CATALOG_ADVICE(ADVICE_LIMIT_LOWER)] = "declare {feature}=lower in [Limits] of a rule for {link} and for each interface between it and "
					       "the one with the smaller limit, or raise the smaller limit",
	[CATALOG_ADVICE(ADVICE_DETACH_XDP)] = "{feature} returns when the XDP program is detached from the peer of {link}; otherwise remove "
					      "the feature from the rule",
	[CATALOG_ADVICE(ADVICE_RECREATE)] = "delete {link} and create it again, now that the interface below has {feature} on",
	[CATALOG_ADVICE(ADVICE_OWNER)] = "change the settings of the program that opened {link}, or declare `lower`",
	[CATALOG_ADVICE(ADVICE_HOST)] = "change the network device of this virtual machine on its host, or declare `lower`",
	[CATALOG_ADVICE(ADVICE_COUPLE)] = "turn {feature} {want?on|off} as well: the hardware of {link} has one switch for both, so a rule has "
					  "to declare the same for both",
	[CATALOG_ADVICE(ADVICE_KEEP_OFF)] = "declare {feature} off on {link}, or `lower`",

	[CATALOG_UNKNOWN(UNKNOWN_NOT)] = "nothing is unknown",
	[CATALOG_UNKNOWN(UNKNOWN_LITTLE_TRAFFIC)] = "too little traffic on the repaired interface",
	[CATALOG_UNKNOWN(UNKNOWN_UNCERTAIN)] = "the difference is smaller than the uncertainty, or other traffic is too large",
	[CATALOG_UNKNOWN(UNKNOWN_UNSTEADY)] = "two measurements after it disagree",
	[CATALOG_UNKNOWN(UNKNOWN_SOFTIRQ)] = "the time in soft interrupts of the host changed as well{softirq_before?, from {softirq_before} to {softirq_after} per GB}",
	[CATALOG_UNKNOWN(UNKNOWN_SERVICE_GONE)] = "the service was restarted or has no connections any more",
	[CATALOG_UNKNOWN(UNKNOWN_LINK_GONE)] = "the interface no longer exists",
	[CATALOG_UNKNOWN(UNKNOWN_FEATURES_CHANGED)] = "features changed again",
	[CATALOG_UNKNOWN(UNKNOWN_RULES_CHANGED)] = "rules changed meanwhile",
	[CATALOG_UNKNOWN(UNKNOWN_NOT_READ)] = "the counters could not be read",
};

static const char *const *sentences = catalog;

void catalog_replace(const char *const *other)
{
	sentences = other ? other : catalog;
}

/* ---- values ---- */

/* The values of a sentence. */
struct subject {
	const struct finding *f;
	const struct feature_table *table;
	const struct cause_step *step; /* NULL: none */
	unsigned known;   /* the feature to refer to as "it" */
	uint32_t number;  /* without a step */
	const char *word; /* of a feature that this kernel does not have */
	bool active, provided, overdue; /* of CAUSE_DECLARED */
	bool requested;	  /* of advice */
	const struct diagnosis *diagnosis; /* NULL: none */
};

static void expand(const struct subject *s, const char *text, const char *end, unsigned depth, char *buf, size_t size);

static void expand_sentence(const struct subject *s, size_t index, unsigned depth, char *buf, size_t size)
{
	if (depth < DEPTH_MAX)
		expand(s, sentences[index], sentences[index] + strlen(sentences[index]), depth + 1, buf, size);
}

enum name {
	LINK, OTHER_LINK, N_OTHERS, ON, OFF, BOTH, FEATURES, RULES, N_RULES, SERVICE, OBJECT, LINE, WORDS, ERROR, REASON, ENFORCE,
	USER, COUNT, TOTAL, CHANGES, DURATION, CAUSES, CHANGED_BY_NAME, PROCESS, PID, PARENT, PARENT_PID, UNIT, PROCESS_LINK, TIME,
	FEATURE_OF, OTHER, WANT, REQUESTED, DRIVER, ACTIVE, PROVIDED, OVERDUE, KIND, FORWARDED, OUTSIDE, SEGMENTED, SUMMED, COPIED, REFUSED, RATES,
	COPIED_ANY, REFUSED_ANY, ONLY_COPIED, HAS_AGAIN, PERCENT, CALLS_NAME, MEDIAN, RUNNING, LONGEST, TIMED, BEGUN, UNSEEN, LINK_GONE,
	BESIDE, WHY, LIMIT_NAME, LARGEST, WANTED, REMEDY_OF, LIMITS, LIMITS_ARE, LIMITS_DIFFER, NUMBER,
	CPU_BEFORE, CPU_AFTER, SOFTIRQ_BEFORE, SOFTIRQ_AFTER, WHY_UNKNOWN, NAMES
};

static const char *const names[NAMES] = {
	[LINK] = "link", [OTHER_LINK] = "other_link", [N_OTHERS] = "n_others", [ON] = "on", [OFF] = "off", [BOTH] = "both",
	[FEATURES] = "features", [RULES] = "rules", [N_RULES] = "n_rules", [SERVICE] = "service", [OBJECT] = "object", [LINE] = "line",
	[WORDS] = "words", [ERROR] = "error", [REASON] = "reason", [ENFORCE] = "enforce", [USER] = "user", [COUNT] = "count",
	[TOTAL] = "total", [CHANGES] = "changes", [DURATION] = "duration", [CAUSES] = "causes", [CHANGED_BY_NAME] = "changed_by",
	[PROCESS] = "process", [PID] = "pid", [PARENT] = "parent", [PARENT_PID] = "parent_pid", [UNIT] = "unit",
	[PROCESS_LINK] = "process_link", [TIME] = "time", [FEATURE_OF] = "feature", [OTHER] = "other", [WANT] = "want", [REQUESTED] = "requested",
	[DRIVER] = "driver", [ACTIVE] = "active", [PROVIDED] = "provided", [OVERDUE] = "overdue", [KIND] = "kind",
	[FORWARDED] = "forwarded", [OUTSIDE] = "outside", [SEGMENTED] = "segmented", [SUMMED] = "summed", [COPIED] = "copied", [REFUSED] = "refused",
	[RATES] = "rates", [COPIED_ANY] = "copied_any", [REFUSED_ANY] = "refused_any", [ONLY_COPIED] = "only_copied", [HAS_AGAIN] = "has_again",
	[PERCENT] = "percent", [CALLS_NAME] = "calls", [MEDIAN] = "median", [RUNNING] = "running",
	[LONGEST] = "longest", [TIMED] = "timed", [BEGUN] = "begun", [UNSEEN] = "unseen", [LINK_GONE] = "link_gone",
	[BESIDE] = "beside", [WHY] = "why", [LIMIT_NAME] = "limit", [LARGEST] = "largest", [WANTED] = "wanted",
	[REMEDY_OF] = "remedy", [LIMITS] = "limits", [LIMITS_ARE] = "limits_are", [LIMITS_DIFFER] = "limits_differ", [NUMBER] = "number",
	[CPU_BEFORE] = "cpu_before", [CPU_AFTER] = "cpu_after", [SOFTIRQ_BEFORE] = "softirq_before", [SOFTIRQ_AFTER] = "softirq_after",
	[WHY_UNKNOWN] = "why_unknown",
};

static enum name find_name(const char *text, size_t len)
{
	for (unsigned i = 0; i < NAMES; i++)
		if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0)
			return (enum name)i;
	return NAMES;
}

static const char *feature_of(const struct subject *s, unsigned bit)
{
	if (s->word)
		return s->word;
	return bit < FEATURE_MAX && bit != s->known ? feature_name(s->table, bit) : "it";
}

static void append_causes(const struct subject *s, unsigned depth, char *buf, size_t size)
{
	for (size_t i = 0; i < s->f->n_causes; i++) {
		struct subject cause = *s;

		cause.step = &s->f->causes[i];
		cause.known = cause.step->bit;
		util_append(buf, size, "%s", i ? "; " : "");
		expand_sentence(&cause, CATALOG_CAUSE(cause.step->code), depth, buf, size);
	}
}

/* A number for `?` and `#`; appends the value as text unless buf is NULL. */
static uint64_t take_text(const char *text, char *buf, size_t size)
{
	if (buf)
		util_append(buf, size, "%s", text);
	return strnlen(text, 2) ? 2 : 0;
}

static uint64_t take_number(uint64_t number, char *buf, size_t size)
{
	if (buf)
		util_append(buf, size, "%" PRIu64, number);
	return number;
}

/* In one unit, so that two of them are easy to compare; two digits are more than is certain. */
static uint64_t take_seconds(uint64_t usec, char *buf, size_t size)
{
	double sec = (double)usec / USEC_PER_SEC;

	if (buf)
		util_append(buf, size, sec < 10 ? "%.2g s" : "%.0f s", sec);
	return 2;
}

static uint64_t take_features(const struct subject *s, feature_set set, char *buf, size_t size)
{
	char text[512];

	if (buf && set)
		util_append(buf, size, "%s", feature_format(s->table, set, text, sizeof(text)));
	return (uint64_t)__builtin_popcountll(set);
}

/* "gso-max-size to 8000", or with another word between. between NULL: names only. */
static uint64_t take_limits(const struct link_limits *limits, const char *between, char *buf, size_t size)
{
	const char *comma = "";

	for (unsigned i = 0; buf && i < LINK_LIMIT_COUNT; i++)
		if (limits->has & LINK_LIMIT(i)) {
			util_append(buf, size, "%s%s", comma, link_limit_name(i));
			if (between && limits->value[i])
				util_append(buf, size, " %s %" PRIu32, between, limits->value[i]);
			else if (between)
				util_append(buf, size, " is not known to match");
			comma = ", ";
		}
	return (uint64_t)__builtin_popcount(limits->has);
}

/* The sentences from `first` whose bits are set, with commas between. */
static uint64_t take_list(const struct subject *s, size_t first, unsigned bits, unsigned depth, char *buf, size_t size)
{
	const char *comma = "";

	for (size_t k = 0; buf && bits >> k; k++)
		if (bits >> k & 1) {
			util_append(buf, size, "%s", comma);
			expand_sentence(s, first + k, depth, buf, size);
			comma = ", ";
		}
	return (uint64_t)__builtin_popcount(bits);
}

/* The limit that would be enough: the default of the kernel, or more. */
static uint64_t wanted_limit(const struct finding *f)
{
	uint64_t usual = f->reason == FALLBACK_REASON_SEGMENTS ? GSO_SEGMENTS_DEFAULT : GSO_SIZE_DEFAULT;

	return f->largest < usual ? usual : (uint64_t)f->largest + 1;
}

static uint64_t take(const struct subject *s, enum name name, unsigned depth, char *buf, size_t size)
{
	static const struct diagnosis none = { 0 };
	const struct diagnosis *d = s->diagnosis ? s->diagnosis : &none;
	const uint64_t rates[CATALOG_RATES] = { d->per_sec[FALLBACK_SEGMENTATION], d->per_sec[FALLBACK_CHECKSUM],
		d->per_sec[FALLBACK_SENDPAGE] + d->per_sec[FALLBACK_SPLICE], d->per_sec[FALLBACK_UDP] };
	const struct finding *f = s->f;
	const struct finding_process *by = &f->changed_by;
	char text[64], joined[512];

	switch (name) {
	case LINK:
		return take_text(f->link, buf, size);
	case OTHER_LINK:
		return take_text(s->step ? s->step->other_link : f->other_link, buf, size);
	case N_OTHERS:
		return take_number(f->n_others, buf, size);
	case ON:
		return take_features(s, f->on, buf, size);
	case OFF:
		return take_features(s, f->off, buf, size);
	case BOTH:
		return f->on && f->off;
	case FEATURES:
		if (!s->step && f->limits.has)
			return take_limits(&f->limits, NULL, buf, size);
		if (!s->step && f->foreign)
			return take_text(finding_format_features(f, s->table, joined, sizeof(joined)), buf, size);
		return take_features(s, s->step ? s->step->features : finding_features(f), buf, size);
	case RULES:
		return take_text(f->rules, buf, size);
	case N_RULES:
		return take_number(f->n_rules, buf, size);
	case SERVICE:
		return take_text(f->service, buf, size);
	case OBJECT:
		return take_text(f->object, buf, size);
	case LINE:
		return take_number(f->line, buf, size);
	case WORDS:
		return take_text(f->words, buf, size);
	case ERROR:
		return take_text(f->error ? strerror(-f->error) : "", buf, size);
	case REASON:
		return take_text(f->words[0] || !f->error ? f->words : strerror(-f->error), buf, size);
	case ENFORCE:
		return f->enforce;
	case USER:
		snprintf(text, sizeof(text), "uid %u", (unsigned)f->user);
		return take_text(f->user ? text : "root", buf, size);
	case COUNT:
		return take_number(f->count, buf, size);
	case TOTAL:
		return take_number(f->total, buf, size);
	case CHANGES:
		return take_number(f->changes, buf, size);
	case DURATION:
		return take_text(f->duration_usec ? util_format_duration(f->duration_usec, text, sizeof(text)) : "", buf, size);
	case CAUSES:
		if (buf)
			append_causes(s, depth, buf, size);
		return f->n_causes;
	case CHANGED_BY_NAME:
		if (buf && by->asked)
			expand_sentence(s, by->pid ? FINDING_CHANGED_BY : FINDING_CHANGED_BY_UNKNOWN, depth, buf, size);
		return by->asked;
	case PROCESS:
		return take_text(by->comm, buf, size);
	case PID:
		return take_number((uint64_t)by->pid, buf, size);
	case PARENT:
		return take_text(by->parent_pid ? by->parent_comm : "", buf, size);
	case PARENT_PID:
		return take_number((uint64_t)by->parent_pid, buf, size);
	case UNIT:
		return take_text(by->unit, buf, size);
	case PROCESS_LINK:
		return take_text(by->link, buf, size);
	case TIME:
		return take_text(util_format_time(by->time_usec, text, sizeof(text)), buf, size);
	case FEATURE_OF:
		return take_text(feature_of(s, s->step ? s->step->bit : FEATURE_MAX), buf, size);
	case OTHER:
		return take_text(feature_of(s, s->step ? s->step->other_bit : FEATURE_MAX), buf, size);
	case WANT:
		return s->step && s->step->want;
	case REQUESTED:
		return s->requested;
	case DRIVER:
		return take_text(s->step ? s->step->driver : "", buf, size);
	case ACTIVE:
		return s->active;
	case PROVIDED:
		return s->provided;
	case OVERDUE:
		return s->overdue;
	case KIND:
		return take_text(evidence_kind_name(f->kind), buf, size);
	case FORWARDED:
		return d->origin == FALLBACK_FORWARDED;
	case OUTSIDE:
		return strcmp(f->service, UNIT_NO_SERVICE) == 0;
	case SEGMENTED:
	case SUMMED:
	case COPIED:
	case REFUSED:
		return take_number(rates[name - SEGMENTED], buf, size);
	case RATES:
		return take_list(s, CATALOG_RATE(0), (rates[0] ? 1U : 0) | (rates[1] ? 2U : 0) | (rates[2] ? 4U : 0) | (rates[3] ? 8U : 0), depth, buf, size);
	case COPIED_ANY:
		return s->diagnosis ? d->copies : evidence_is_by_socket(f->kind);
	case REFUSED_ANY:
		return s->diagnosis ? d->refused : f->kind == FALLBACK_UDP;
	case ONLY_COPIED:
		return d->only_copies;
	case HAS_AGAIN:
		return d->has_again;
	case PERCENT:
		return take_number(d->percent, buf, size);
	case CALLS_NAME:
		return take_number(d->calls, buf, size);
	case MEDIAN:
		return take_text(util_format_usec(d->median_usec, text, sizeof(text)), buf, size);
	case RUNNING:
		return take_number(d->running, buf, size);
	case LONGEST:
		return take_text(util_format_usec(d->longest_usec, text, sizeof(text)), buf, size);
	case TIMED:
		return d->calls || d->running;
	case BEGUN:
		return d->begun;
	case UNSEEN:
		return take_list(s, CATALOG_UNSEEN(0), d->unseen, depth, buf, size);
	case LINK_GONE:
		return d->link_gone;
	case BESIDE:
		return d->beside;
	case REMEDY_OF:
		if (buf)
			expand_sentence(s, CATALOG_REMEDY(f->remedy), depth, buf, size);
		return 1;
	case WHY:
		if (buf)
			expand_sentence(s, CATALOG_WHY(f->reason), depth, buf, size);
		return sentences[CATALOG_WHY(f->reason)][0] != '\0';
	case LIMIT_NAME:
		return take_number(f->limit, buf, size);
	case LARGEST:
		return take_number(f->largest, buf, size);
	case WANTED:
		return take_number(wanted_limit(f), buf, size);
	case LIMITS:
		return take_limits(&f->limits, "to", buf, size);
	case LIMITS_ARE:
		return take_limits(&f->limits, "is", buf, size);
	case LIMITS_DIFFER:
		return take_limits(&f->limits, "is not", buf, size);
	case NUMBER:
		return take_number(s->step && s->step->number ? s->step->number : s->number, buf, size);
	case CPU_BEFORE:
		return take_seconds(f->cost.cpu_before_usec, buf, size);
	case CPU_AFTER:
		return f->cost.unknown ? 0 : take_seconds(f->cost.cpu_after_usec, buf, size);
	case SOFTIRQ_BEFORE:
		return f->cost.softirq_before_usec ? take_seconds(f->cost.softirq_before_usec, buf, size) : 0;
	case SOFTIRQ_AFTER:
		return take_seconds(f->cost.softirq_after_usec, buf, size);
	case WHY_UNKNOWN:
		if (buf)
			expand_sentence(s, CATALOG_UNKNOWN(f->cost.unknown), depth, buf, size);
		return f->cost.unknown;
	case NAMES:
		break;
	}
	return 0;
}

/* ---- formatting ---- */

/* Returns the first character of `stop` (a closing brace or a bar) outside nested braces, or `end` if there is none. */
static const char *find_stop(const char *text, const char *end, const char *stop)
{
	unsigned level = 0;

	for (; text < end; text++) {
		if (level == 0 && strchr(stop, *text))
			return text;
		if (*text == '{')
			level++;
		else if (*text == '}')
			level--;
	}
	return end;
}

static void expand(const struct subject *s, const char *text, const char *end, unsigned depth, char *buf, size_t size)
{
	while (text < end) {
		const char *open = memchr(text, '{', (size_t)(end - text)), *close, *word, *bar;
		enum name name;
		uint64_t number;

		util_append(buf, size, "%.*s", (int)((open ? open : end) - text), text);
		if (!open)
			return;
		close = find_stop(open + 1, end, "}");
		word = open + 1 + strcspn(open + 1, "?#}");
		name = find_name(open + 1, (size_t)(word - open - 1));
		if (name == NAMES || close == end) { /* unknown name: a test finds the brace in the output */
			util_append(buf, size, "{");
			text = open + 1;
			continue;
		}
		text = close + 1;
		if (word == close) {
			take(s, name, depth, buf, size);
			continue;
		}
		number = take(s, name, depth, NULL, 0);
		bar = find_stop(word + 1, close, "|");
		if (*word == '?' ? number > 0 : number == 1)
			expand(s, word + 1, bar, depth, buf, size);
		else if (bar < close)
			expand(s, bar + 1, close, depth, buf, size);
	}
}

const char *catalog_format(const struct finding *f, const struct feature_table *table, char *buf, size_t size)
{
	const struct subject s = { .f = f, .table = table };

	buf[0] = '\0';
	if (f->netns[0])
		util_append(buf, size, "network namespace %s: ", f->netns);
	expand_sentence(&s, (size_t)f->code < FINDING_CODES ? f->code : FINDING_NONE, 0, buf, size);
	return buf;
}

const char *catalog_diagnosis(const struct diagnosis *d, const struct feature_table *table, char *buf, size_t size)
{
	const struct subject s = { .f = &d->finding, .table = table, .diagnosis = d };

	buf[0] = '\0';
	expand_sentence(&s, d->finding.code, 0, buf, size);
	return buf;
}

const char *catalog_remedy(const struct evidence_fallback *row, const struct feature_table *table, char *buf, size_t size)
{
	struct finding f = { .off = row->missing, .remedy = row->remedy, .reason = row->reason, .limit = row->limit,
		.largest = row->largest,
		.kind = evidence_sum_copied(row)      ? FALLBACK_SENDPAGE
			: row->hits[FALLBACK_UDP].n ? FALLBACK_UDP
						    : FALLBACK_SEGMENTATION };
	const struct subject s = { .f = &f, .table = table };

	util_append(f.link, sizeof(f.link), "%s", row->link);
	buf[0] = '\0';
	expand_sentence(&s, CATALOG_REMEDY(row->remedy), 0, buf, size);
	return buf;
}

const char *catalog_sender(const struct evidence_fallback *row)
{
	if (row->origin == FALLBACK_FORWARDED)
		return "forwarded traffic";
	if (row->origin == FALLBACK_KERNEL)
		return "the kernel itself";
	return strcmp(row->service, UNIT_NO_SERVICE) == 0 ? "a process outside any service" : row->service;
}

const char *catalog_metric(const struct investigation_metric *m, char *buf, size_t size)
{
	struct finding f = { 0 };
	const struct subject s = { .f = &f };

	util_append(f.service, sizeof(f.service), "%s", m->service);
	finding_set_object(&f, investigation_rate_name(m->rate));
	buf[0] = '\0';
	expand_sentence(&s, CATALOG_MEASURE(m->measure), 0, buf, size);
	return buf;
}

const char *catalog_difference(const struct investigation_metric *m)
{
	return m->difference == INVESTIGATION_SAME ? NULL : sentences[CATALOG_DIFFERENCE(m->difference)];
}

const char *catalog_reason(const struct finding *f, const struct feature_table *table, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < f->n_causes; i++) {
		const struct cause_step *step = &f->causes[i];

		util_append(buf, size, "%s%s", i ? ", " : "", cause_name(step->code));
		if (step->other_ifindex)
			util_append(buf, size, " %s", step->other_link);
		if (step->other_bit < FEATURE_MAX && step->other_bit != step->bit)
			util_append(buf, size, " %s", feature_name(table, step->other_bit));
	}
	if (f->n_causes == 0 && f->words[0])
		util_append(buf, size, "%s", f->words);
	else if (f->n_causes == 0 && f->error)
		util_append(buf, size, "%s", strerror(-f->error));
	else if (finding_event(f->code) == EVENT_FALLBACK)
		util_append(buf, size, "%s, %s", evidence_kind_name(f->kind), evidence_reason_name(f->reason));
	else if (f->cost.unknown)
		util_append(buf, size, "%s", finding_unknown_name(f->cost.unknown));
	return buf;
}

/* A finding with the link of a step, for the values of its sentence. */
static void begin_step(const struct cause_step *step, struct finding *f)
{
	*f = (struct finding){ .ifindex = step->ifindex };
	util_copy_name(f->link, sizeof(f->link), step->link, sizeof(step->link));
}

static void add_declaration(struct finding *f, const struct rule *rule, const struct rule_feature *feature,
	enum rule_value value)
{
	if (rule)
		util_append(f->rules, sizeof(f->rules), "%s", rule->file);
	f->n_rules = rule != NULL;
	if (feature && value == RULE_NUMBER)
		util_append(f->object, sizeof(f->object), "%s=%" PRIu32, feature->word, feature->number);
	else if (feature)
		util_append(f->object, sizeof(f->object), "%s=%s", feature->word, rule_value_name(value));
}

const char *catalog_item(const struct feature_table *table, const struct plan_link *pl, const struct plan_item *item,
	unsigned bit, char *buf, size_t size)
{
	struct finding f;
	struct cause_step step;
	struct subject s = { .f = &f, .table = table, .step = &step, .known = bit };

	plan_item_cause(pl, item, &step);
	if (item->unread)
		step.code = CAUSE_UNREADABLE;
	else if (item->verdict == VERDICT_CONTENDED && step.code != CAUSE_RESETS)
		step.code = CAUSE_CONTENDED;
	else if (step.code == CAUSE_NONE && item->text[0])
		step.code = CAUSE_REFUSED;
	begin_step(&step, &f);
	f.error = pl->error;
	finding_set_words(&f, item->text);
	if (item->bit >= FEATURE_MAX)
		s.word = item->feature->word;
	buf[0] = '\0';
	expand_sentence(&s, CATALOG_CAUSE(step.code), 0, buf, size);
	return buf;
}

const char *catalog_step(const struct feature_table *table, const struct explanation *e, const struct cause_step *step,
	unsigned bit, char *buf, size_t size)
{
	const struct plan_item *item = e->item;
	struct finding f;
	struct subject s = { .f = &f, .table = table, .step = step, .known = bit, .word = e->word, .active = e->active,
		.provided = !item || !item->not_provided, .overdue = item && item->overdue };

	begin_step(step, &f);
	f.error = e->error;
	add_declaration(&f, e->rule, e->feature, item ? item->declared : e->feature ? e->feature->value : RULE_UNSET);
	if (item)
		finding_set_words(&f, step->code == CAUSE_DECLARED || step->code == CAUSE_LIMIT_DECLARED ? verdict_name(item->verdict) : item->text);
	buf[0] = '\0';
	expand_sentence(&s, CATALOG_CAUSE(step->code), 0, buf, size);
	return buf;
}

const char *catalog_advice(const struct feature_table *table, const struct explanation *e, char *buf, size_t size)
{
	const struct cause_step step = { .bit = e->advice.bit, .want = e->advice.want, .other_bit = FEATURE_MAX };
	struct finding f = { 0 };
	const struct subject s = { .f = &f, .table = table, .step = &step, .known = FEATURE_MAX, .number = e->advice.number,
		.requested = e->advice.requested, .word = e->is_limit ? e->word : NULL };

	util_copy_name(f.link, sizeof(f.link), e->advice.link, sizeof(e->advice.link));
	finding_set_object(&f, e->is_limit ? e->word : e->advice.kind);
	for (char *dash = f.object; e->is_limit && (dash = strchr(dash, '-'));)
		*dash = '_'; /* as in ip-link(8) */
	add_declaration(&f, e->advice.rule, NULL, RULE_UNSET);
	buf[0] = '\0';
	expand_sentence(&s, CATALOG_ADVICE(e->advice.code), 0, buf, size);
	return buf;
}
