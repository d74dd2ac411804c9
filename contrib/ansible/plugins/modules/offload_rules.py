#!/usr/bin/python
# SPDX-License-Identifier: GPL-2.0-or-later

DOCUMENTATION = r"""
module: offload_rules
short_description: Install offloadd rules and apply them
description:
  - Installs rule files of offloadd, makes a running offloadd reload them, and applies them with offloadctl.
  - Rules are checked before anything is written. If one of the rules passed here has an error, nothing is changed.
  - If a declared feature is not possible, the task fails and names the interface or feature that prevents it.
version_added: 0.1.0
options:
  rules:
    description: Rule files, each either as text in C(content), or as keys.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: File name, with or without C(.rule). Rules apply in the order of their names.
        type: str
        required: true
      state:
        description:
          - C(masked) installs an empty file, which disables the rule of that name in a lower priority directory, such as a packaged
            rule.
        type: str
        choices: [present, absent, masked]
        default: present
      content:
        description: Text of the file.
        type: str
      description:
        description: What the rule does, in one line.
        type: str
      reason:
        description: Why the rule exists.
        type: str
      mode:
        description: C(audit) only reports differences.
        type: str
        choices: [enforce, audit]
      until:
        description: Date after which the rule is due for review, as C(2027-06-30).
        type: str
      match:
        description: Keys of C([Match]), as in offloadd.rule(5). A list is joined with blanks.
        type: dict
      features:
        description: Features, each C(on), C(off), C(lower) or C(lower-all).
        type: dict
  directory:
    description: Directory of the files. It must be listed in C(RulesDirectory=) of C(offloadd.conf).
    type: path
    default: /etc/offloadd/rules.d
  purge:
    description: Remove rule files from this directory that are not in I(rules).
    type: bool
    default: false
  apply:
    description: Repair what differs. If false, differences are returned in C(pending) and do not count as a change.
    type: bool
    default: true
  links:
    description: Apply to these interfaces only. Each must exist.
    type: list
    elements: str
    default: []
  unmet:
    description: What to do if a declared feature is not possible.
    type: str
    choices: [fail, warn]
    default: fail
  offloadctl:
    description: Path of offloadctl.
    type: path
    default: offloadctl
attributes:
  check_mode:
    support: full
    description: Plans with the new rules, without writing them.
  diff_mode:
    support: full
    description: Shows rule files and features that change.
author:
  - offloadd maintainers
"""

EXAMPLES = r"""
- name: Keep TSO off on e1000e
  offloadd.offloadd.offload_rules:
    rules:
      - name: 50-e1000e-tso
        reason: Transmit unit hangs with TSO on
        until: "2027-12-31"
        match:
          Driver: e1000e
        features:
          tso: false

- name: Install our own file and disable a packaged rule
  offloadd.offloadd.offload_rules:
    rules:
      - name: 40-storage
        content: "{{ lookup('file', '40-storage.rule') }}"
      - name: 30-bond-port
        state: masked

- name: Only report (--check does the same for rules that are not installed yet)
  offloadd.offloadd.offload_rules:
    apply: false
  register: offload
  failed_when: offload is failed or offload.pending | length > 0
"""

RETURN = r"""
placed:
  description: Whether the rule files match the parameters. False if one of them has an error; then nothing was written.
  type: bool
  returned: always
files:
  description:
    - Rule files that changed. A file must be world-readable and owned by root; if it was not, C(access_before) and
      C(access_after) show the difference.
  type: list
  elements: dict
  returned: always
  sample: [{path: /etc/offloadd/rules.d/10-vlan.rule, before: null, after: "[Match]\nKind=vlan\n"}]
changes:
  description: Features that changed, including side effects, or that would change in check mode.
  type: list
  elements: dict
  returned: always
  sample: [{link: vlan10, feature: tx-scatter-gather, before: "off", after: "on"}]
pending:
  description: The same if I(apply) is false, and differences from rules with C(Mode=audit), which are never applied.
  type: list
  elements: dict
  returned: always
unmet:
  description: Declared features that are not possible, with the reason.
  type: list
  elements: str
  returned: always
  sample: ["eth3: rx-gro-hw is off, declared on by 50-lro.rule:4: unsupported: the driver does not allow rx-gro-hw to be turned on"]
errors:
  description: Errors in rule files.
  type: list
  elements: str
  returned: always
  sample: ["/etc/offloadd/rules.d/60-bad.rule:5: unknown feature tzo, did you mean tso?"]
daemon:
  description: C(reloaded) or C(not running). None if no file changed.
  type: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offloadd.offloadd.plugins.module_utils import offloadd

RULE = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent", "masked"], "default": "present"},
    "content": {"type": "str"},
    "description": {"type": "str"},
    "reason": {"type": "str"},
    "mode": {"type": "str", "choices": ["enforce", "audit"]},
    "until": {"type": "str"},
    "match": {"type": "dict"},
    "features": {"type": "dict"},
}
OPTIONS = {
    "rules": {"type": "list", "elements": "dict", "options": RULE, "default": []},
    "directory": {"type": "path", "default": offloadd.DIRECTORY},
    "purge": {"type": "bool", "default": False},
    "apply": {"type": "bool", "default": True},
    "links": {"type": "list", "elements": "str", "default": []},
    "unmet": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
    "offloadctl": {"type": "path", "default": "offloadctl"},
}


def state_of(changes, when):
    return "".join("%s %s %s\n" % (change["link"], change["feature"], change[when]) for change in changes)


def diff_of_file(entry):
    """An empty file and a missing file have the same text; placeholders make the difference visible."""
    part = {"before_header": entry["path"], "after_header": entry["path"]}
    for when in ("before", "after"):
        text = entry[when] or ""
        if not (entry["before"] or entry["after"]):
            text = "(absent)\n" if entry[when] is None else "(masked: an empty file)\n"
        if "access_after" in entry:
            text += "(%s)\n" % entry["access_" + when]
        part[when] = text
    return part


def diff_of(result):
    parts = [diff_of_file(entry) for entry in result["files"]]
    changes = result["changes"]
    if changes:
        parts.append({"before_header": "features", "after_header": "features", "before": state_of(changes, "before"),
                      "after": state_of(changes, "after")})
    return parts


def main():
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    given = module.params
    result = offloadd.converge(
        rules=given["rules"], directory=given["directory"], purge=given["purge"], apply=given["apply"], links=given["links"],
        unmet=given["unmet"], dry_run=module.check_mode, program=given["offloadctl"])
    if module._diff:
        result["diff"] = diff_of(result)
    for note in result.pop("notes"):
        module.warn(note)
    failed = result.pop("failed")
    if failed:
        module.fail_json(msg=failed, **result)
    for line in result["unmet"]:
        module.warn("not possible: " + line)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
