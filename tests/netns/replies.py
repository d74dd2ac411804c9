#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""replies.py OFFLOADCTL SOCKET: a daemon that replies what it likes. Takes the replies of the one that answers at SOCKET apart, and gives
each command a copy in which one value is of another type, missing, hostile text, or far too many. No command may crash, hang, grow, or
print a byte that a terminal acts on. Prints TAP."""
import copy
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading

CTL, REAL = sys.argv[1:3]
METHODS = {
    "GetStatus": [["status"], ["status", "--json"], ["list"], ["report", "--html", "-"], ["plan"]],
    "GetServices": [["services"], ["services", "--json"], ["services", "--format", "nagios"], ["services", "--format", "needrestart"],
                    ["report", "--html", "-"]],
    "GetMetrics": [["metrics"]],
    "GetEvents": [["events"], ["events", "--json"]],
    "Revert": [["revert"], ["revert", "--json"]],
    "Reload": [["reload"], ["reload", "--json"]],
    "Resume": [["resume", "veth0"], ["resume", "veth0", "--json"]],
}
HOSTILE = "a\x7f\u009b31m\u202eb\u2066c\u200fd\u061ce\x1b[2Jf\nOFFLOADD=\"x\\"
FORBIDDEN = [c.encode() for c in ("\x7f", "\u009b", "\u202e", "\u2066", "\u200f", "\u061c", "\x1b")]
OTHERS = [None, True, -1, 2**63 - 1, 1e308, HOSTILE, [], {}, [None], [[None]], [{}], {"link": None}, [None, 1, "x", {}, [], True]]
# what a quiet daemon leaves empty
FILL = {
    "noncompliant": [{"link": "veth0", "ifindex": 2, "verdict": "drifted", "features": ["tx-scatter-gather"]}],
    "contended": [{"link": "veth0", "ifindex": 2, "features": ["tx-scatter-gather"], "limits": ["gso_max_size"]}],
    "paused": [{"link": "veth0", "ifindex": 2, "seconds": 5}],
    "rule_errors": [{"path": "/x", "line": 3, "message": "wrong"}],
    "settings_errors": [{"path": "/x", "line": 0, "message": "wrong"}],
    "results": [{"link": "veth0", "ifindex": 2, "on": ["tx-scatter-gather"], "off": [], "changed_on": [], "changed_off": [],
                 "missed": ["tx-scatter-gather"], "limits": {"gso_max_size": 1}, "limits_missed": ["gso_max_size"],
                 "error": {"errno": -2**31, "kernel": "no"}}],
    "fallback": [{"service": "a.service", "link": "veth0", "ifindex": 2, "origin": "socket", "kind": "segmentation", "reason": "feature",
                  "hits": 3, "missing": ["tx-scatter-gather"], "remedy": "repair"}],
    "stale": [{"service": "a.service", "link": "veth0", "ifindex": 2, "missing": ["tx-scatter-gather"], "sockets": 1, "hits": 2,
               "since_usec": 5, "senders": 1}],
    "events": [{"event": "drift", "message": "m", "time_usec": 5, "link": "veth0", "features": ["tx-scatter-gather"]}],
}


def ask(method, parameters):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(REAL)
        s.sendall(json.dumps({"method": "org.offloadd." + method, "parameters": parameters}).encode() + b"\0")
        data = b""
        while not data.endswith(b"\0"):
            data += s.recv(65536)
    return json.loads(data[:-1]).get("parameters", {})


class Daemon(threading.Thread):
    """Replies self.answers[method] to whatever is asked."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.answers = {}
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(16)

    def run(self):
        while True:
            client, _ = self.socket.accept()
            try:
                data = b""
                while not data.endswith(b"\0"):
                    more = client.recv(65536)
                    if not more:
                        break
                    data += more
                    if data.endswith(b"\0"):
                        client.sendall(self.answers.get(json.loads(data[:-1])["method"].split(".")[-1], b'{"parameters":{}}\0'))
                        data = b""
            except OSError:
                pass
            client.close()


def places(value, path=()):
    """The paths of all values inside."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], path + (key,))
    elif isinstance(value, list) and value:
        yield from places(value[0], path + (0,))


def replaced(document, path, other):
    copied = copy.deepcopy(document)
    if not path:
        return other
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other
    return copied


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))


def play(command, reply):
    daemon.answers = {method: reply for method in METHODS}
    daemon.answers["GetStatus"] = reply if command[0] in ("status", "list", "report", "plan") else status
    try:
        done = subprocess.run([CTL, *command, "--control", path], capture_output=True, timeout=20, preexec_fn=limit, check=False)
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode < 0 or done.returncode > 6:
        return f"status {done.returncode}"
    found = [c for c in FORBIDDEN if c in done.stdout + done.stderr]
    return f"prints {found}" if found else None


scratch = tempfile.mkdtemp()
path = os.path.join(scratch, "control")
daemon = Daemon(path)
status = json.dumps({"parameters": ask("GetStatus", {})}).encode() + b"\0"
daemon.start()
number = 0
for method, commands in METHODS.items():
    genuine = ask(method, {"link": "veth0"} if method == "Resume" else {})
    for key, rows in FILL.items():
        if key in genuine or (method, key) in (("Revert", "results"), ("GetEvents", "events")):
            genuine[key] = rows
    # null at each place, and three of the others in turn; each command gets its share
    replies = [replaced({"parameters": genuine}, at, other) for i, at in enumerate(places({"parameters": genuine}))
               for other in [None] + [OTHERS[1 + (3 * i + j) % (len(OTHERS) - 1)] for j in range(3)]]
    failures, played = [], 0
    for i, reply in enumerate(replies):
        command = commands[(i + i // 4) % len(commands)]
        what = play(command, json.dumps(reply).encode() + b"\0")
        played += 1
        if what:
            failures.append(f"{what}: {' '.join(command)}: {json.dumps(reply)[:300]}")
    for text in (b'{"parameters":[' + b"{}," * 4_000_000 + b"{}]}\0", b"[" * 100_000 + b"\0", b'{"parameters":{"a":"' + b"a" * (17 << 20) + b'"}}\0'):
        what = play(commands[0], text)
        if what:
            failures.append(f"{what}: {' '.join(commands[0])}: {text[:40]!r}")
    number += 1
    print(f"{'not ' if failures else ''}ok {number} - {played} replies to {method} that are not what they should be")
    for failure in failures[:5]:
        print("#   " + failure.encode("unicode_escape").decode())
print(f"1..{number}")
os.unlink(path)
os.rmdir(scratch)
sys.exit(any(failures))
