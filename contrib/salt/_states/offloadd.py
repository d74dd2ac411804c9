# SPDX-License-Identifier: GPL-2.0-or-later
"""
Keep network offload features as offloadd rules declare them
============================================================

.. code-block:: yaml

    TSO off on e1000e:
      offloadd.rules:
        - rules:
          - name: 50-e1000e-tso
            match: {Driver: e1000e}
            features: {tso: off}
"""

__virtualname__ = "offloadd"


def __virtual__():
    if "offloadd.converge" in __salt__:
        return __virtualname__
    return False, "the execution module offloadd is not available"


def _by_link(changes):
    links = {}
    for change in changes:
        links.setdefault(change["link"], {})[change["feature"]] = {"old": change["before"], "new": change["after"]}
    return links


def _changes(result):
    changes = {entry["path"]: {"old": entry["before"], "new": entry["after"]} for entry in result["files"]}
    changes.update({entry["path"] + " (access)": {"old": entry["access_before"], "new": entry["access_after"]}
                    for entry in result["files"] if "access_after" in entry})
    changes.update(_by_link(result["changes"]))
    return changes


def _count(n, what):
    return "%d %s%s" % (n, what, "" if n == 1 else "s")


def _comment(result, test):
    lines = []
    if result["failed"]:
        lines.append(result["failed"])
    else:
        lines += ["not possible: " + line for line in result["unmet"]]
    if result["pending"]:
        n = len(result["pending"])
        lines.append("%s from the rules and %s not changed" % (_count(n, "feature") + (" differs" if n == 1 else " differ"),
                                                               "is" if n == 1 else "are"))
    lines += result["notes"]
    if result["changed"]:
        verb = "would change" if test else "changed"
        lines.append("%s and %s %s" % (_count(len(result["files"]), "rule file"), _count(len(result["changes"]), "feature"), verb))
    return "; ".join(lines) or "All interfaces match the rules"


def rules(name, rules=None, directory="/etc/offloadd/rules.d", purge=False, apply=True, links=None, unmet="fail",
          offloadctl="offloadctl"):
    """
    Rule files are installed, and interfaces match them. Without rules: interfaces match the rules that are already installed.

    A rule with an error fails the state, with file and line, before anything is changed. A feature that is not possible fails it,
    with the reason, after everything else was done.

    name
        Any name.

    For the other arguments, see offloadd.converge of the execution module.
    """
    test = bool(__opts__["test"])
    result = __salt__["offloadd.converge"](
        rules=rules, directory=directory, purge=purge, apply=apply, links=links, unmet=unmet, test=test, offloadctl=offloadctl)
    verdict = not result["failed"]
    if verdict and test and result["changed"]:
        verdict = None
    return {"name": name, "result": verdict, "changes": _changes(result), "comment": _comment(result, test)}


def mode(name, offloadctl="offloadctl"):
    """
    A running offloadd uses Mode= of its settings. Fails if it runs in another mode, because a file in offloadd.conf.d that sorts
    later, or an option of the service, overrides it. If offloadd is not running, there is nothing to do.

    name
        audit or enforce.
    """
    test = bool(__opts__["test"])
    result = __salt__["offloadd.take_mode"](name, test=test, offloadctl=offloadctl)
    answer = {"name": name, "result": not result["failed"], "changes": {}, "comment": result["failed"] or ""}
    if result["changed"]:
        answer["changes"] = {"mode": {"old": result["before"], "new": name}}
        answer["result"] = None if test else True
    if not answer["comment"]:
        words = "offloadd is not running"
        if result["before"]:
            words = "offloadd %s Mode=%s" % ("would have" if result["changed"] and test else "has", name)
        answer["comment"] = "; ".join(result["notes"]) or words
    return answer
