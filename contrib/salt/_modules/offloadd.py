# SPDX-License-Identifier: GPL-2.0-or-later
"""
Network offload features with offloadctl
========================================

Requires the utility module offloadd_rules, and the package offloadd on the minion.
"""

import json
import shutil
import subprocess

__virtualname__ = "offloadd"
__func_alias__ = {"apply_": "apply"}


def __virtual__():
    return __virtualname__


def converge(rules=None, directory="/etc/offloadd/rules.d", purge=False, apply=True, links=None, unmet="fail", test=None,
             offloadctl="offloadctl"):
    """
    Install rule files, make a running offloadd reload them, and apply them. Returns what changed, or with test what would change:
    changed, placed, files, changes, pending, unmet, errors, daemon, notes, failed.

    rules
        A list of rule files: name, and either content, or match and features with description, reason, mode, until; state: absent
        or masked.
    apply
        Repair what differs. If false, it is only returned as pending.
    links
        These interfaces only.
    unmet
        fail or warn: what to do if a declared feature is not possible.

    CLI Example:

    .. code-block:: bash

        salt '*' offloadd.converge '[{name: 50-tso, match: {Driver: e1000e}, features: {tso: off}}]' test=True
    """
    if test is None:
        test = __opts__.get("test", False)
    result = __utils__["offloadd_rules.converge"](
        rules=rules or [], directory=directory, purge=purge, apply=apply, links=links or [], unmet=unmet, dry_run=bool(test),
        program=offloadctl)
    if result["failed"]:
        __context__["retcode"] = 1
    return result


def take_mode(mode, test=None, offloadctl="offloadctl"):
    """
    Make a running offloadd use Mode= of its settings, which is ``mode``. Returns changed, before, notes, failed.

    CLI Example:

    .. code-block:: bash

        salt '*' offloadd.take_mode enforce
    """
    if test is None:
        test = __opts__.get("test", False)
    result = __utils__["offloadd_rules.take_mode"](mode, dry_run=bool(test), program=offloadctl)
    if result["failed"]:
        __context__["retcode"] = 1
    return result


def plan(*links):
    """
    Show what differs from the rules in force and would be changed. Changes nothing.

    CLI Example:

    .. code-block:: bash

        salt '*' offloadd.plan
        salt '*' offloadd.plan vlan10
    """
    return converge(links=list(links), test=True)


def apply_(*links):
    """
    Repair what differs from the rules in force.

    CLI Example:

    .. code-block:: bash

        salt '*' offloadd.apply
    """
    return converge(links=list(links))


def status():
    """
    Return the document of ``offloadctl status --json``; its daemon is None if offloadd is not running.

    CLI Example:

    .. code-block:: bash

        salt '*' offloadd.status
    """
    program = shutil.which("offloadctl")
    if program is None:
        __context__["retcode"] = 1
        return {}
    done = subprocess.run([program, "status", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=60, check=False)
    return json.loads(done.stdout.decode("utf-8", "replace"))
