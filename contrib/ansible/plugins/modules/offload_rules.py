#!/usr/bin/python
# SPDX-License-Identifier: GPL-2.0-or-later

DOCUMENTATION = r"""
module: offload_rules
short_description: Network offload features as offloadd's rules declare them
description:
  - Places rule files of offloadd, has a running offloadd read them, and applies them by offloadctl.
  - Rules are checked before anything is written. With an error in one of those given here, nothing is changed.
  - What the kernel does not give is not retried in silence. The task fails, with the device that stands in the way.
version_added: 0.1.0
options:
  rules:
    description: Rule files, each with all of its text in C(content), or as keys.
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
          - C(masked) places an empty file, which switches off the rule of that name in a weaker folder, such as one that came
            with the package.
        type: str
        choices: [present, absent, masked]
        default: present
      content:
        description: The text of the file.
        type: str
      description:
        description: What the rule does, in one line.
        type: str
      reason:
        description: Why it is there.
        type: str
      mode:
        description: C(audit) only reports what differs.
        type: str
        choices: [enforce, audit]
      until:
        description: The day on which the rule is due for review, as C(2027-06-30).
        type: str
      match:
        description: Keys of C([Match]), as in offloadd.rule(5). A list is written as words.
        type: dict
      features:
        description: Features, each C(on), C(off) or C(lower).
        type: dict
  directory:
    description: Where the files are. A folder that C(RulesDirectory=) of C(offloadd.conf) does not name is an error.
    type: path
    default: /etc/offloadd/rules.d
  purge:
    description: Remove rule files of this folder that are not in I(rules).
    type: bool
    default: false
  apply:
    description: Put right what differs. Without it the differences are returned in C(pending), and are no change.
    type: bool
    default: true
  links:
    description: Apply to these interfaces only. Each must be there.
    type: list
    elements: str
    default: []
  unmet:
    description: What to do about a feature that is declared and cannot be had.
    type: str
    choices: [fail, warn]
    default: fail
  offloadctl:
    description: The program.
    type: path
    default: offloadctl
attributes:
  check_mode:
    support: full
    description: The plan is made with the rules as they would be.
  diff_mode:
    support: full
    description: Rule files, and features that change.
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

- name: A file of ours, and the one that came with the package switched off
  offloadd.offloadd.offload_rules:
    rules:
      - name: 40-storage
        content: "{{ lookup('file', '40-storage.rule') }}"
      - name: 30-bond-port
        state: masked

- name: Only look (--check does the same with rules that are not there yet)
  offloadd.offloadd.offload_rules:
    apply: false
  register: offload
  failed_when: offload is failed or offload.pending | length > 0
"""

RETURN = r"""
placed:
  description: Rule files are as given. False where one of them is bad; then nothing was written.
  type: bool
  returned: always
files:
  description:
    - Rule files that changed. A file must be readable for all, and be root's; where it was not, C(access_before) and
      C(access_after) say what was and what is.
  type: list
  elements: dict
  returned: always
  sample: [{path: /etc/offloadd/rules.d/10-vlan.rule, before: null, after: "[Match]\nKind=vlan\n"}]
changes:
  description: Features that changed, side effects included, or that would change in check mode.
  type: list
  elements: dict
  returned: always
  sample: [{link: vlan10, feature: tx-scatter-gather, before: "off", after: "on"}]
pending:
  description: The same without I(apply), and what differs from rules with C(Mode=audit), which are never applied.
  type: list
  elements: dict
  returned: always
unmet:
  description: What is declared and cannot be had, with the reason.
  type: list
  elements: str
  returned: always
  sample: ["eth3: rx-gro-hw is off, declared on by 50-lro.rule:4: unsupported: the driver does not allow rx-gro-hw to be turned on"]
errors:
  description: Errors in rule files.
  type: list
  elements: str
  returned: always
  sample: ["/etc/offloadd/rules.d/60-bad.rule:5: unknown feature tzo: did you mean tso?"]
daemon:
  description: C(reloaded) or C(not running). None when no file changed.
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
    """An empty file and none have the same text: where that would show nothing, words in brackets stand for them."""
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
        module.warn("cannot be had: " + line)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
