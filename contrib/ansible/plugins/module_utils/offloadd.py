# SPDX-License-Identifier: GPL-2.0-or-later
"""Installs rule files of offloadd and runs offloadctl on them. Shared by the Ansible module and the Salt modules, so it uses only the
standard library of Python 3.6."""

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile

DIRECTORY = "/etc/offloadd/rules.d"
FILE_MODE = 0o644  # the service runs as its own user and must be able to read rules
LIMIT_SECONDS = 120
LIMIT_CHARACTERS = 1 << 20
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,200}\Z")
HEAD = ("description", "reason", "mode", "until")
KEYS = ("name", "state", "content", "match", "features") + HEAD
STATES = ("present", "absent", "masked")
MODES = ("audit", "enforce")


class Failed(Exception):
    """A failure with its message; `errors` has one line for each error, as file:line: message if a file is the cause."""

    def __init__(self, message, errors=()):
        super().__init__(message)
        self.errors = list(errors)


def word(value):
    """A value as text for a rule file. YAML reads on and off as booleans."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return " ".join(word(part) for part in value)
    text = str(value)
    if "\n" in text or "\r" in text:
        raise Failed("invalid value %r: expected one line" % text)
    return text


def render(rule):
    """The text of a rule file, from its keys."""
    head = [(key.capitalize(), rule[key]) for key in HEAD if rule.get(key) is not None]
    sections = (("Rule", head), ("Match", (rule.get("match") or {}).items()), ("Features", (rule.get("features") or {}).items()))
    return "\n".join(
        "[%s]\n%s" % (name, "".join("%s=%s\n" % (word(key), word(value)) for key, value in items))
        for name, items in sections
        if items
    )


def wanted_file(rule):
    """File name and text of a rule; the text is None for a file that must not exist."""
    unknown = sorted(set(rule) - set(KEYS))
    if unknown:
        raise Failed("unknown rule key %s, expected one of: %s" % (", ".join(unknown), " ".join(KEYS)))
    name = str(rule.get("name") or "")
    if not name.endswith(".rule"):
        name += ".rule"
    if not NAME.match(name):
        raise Failed("invalid rule file name: %r" % rule.get("name"))
    state = rule.get("state") or "present"
    if state not in STATES:
        raise Failed("%s: invalid state, expected one of: %s" % (name, " ".join(STATES)))
    if state != "present":
        return name, None if state == "absent" else ""
    content = rule.get("content")
    if (content is None) == (rule.get("features") is None):
        raise Failed("%s: expected either content, or match and features" % name)
    if content is None:
        return name, render(rule)
    mixed = [key for key in HEAD + ("match",) if rule.get(key) is not None]
    if mixed:
        raise Failed("%s: content and %s are mutually exclusive" % (name, ", ".join(mixed)))
    return name, content if not content or content.endswith("\n") else content + "\n"


def read(path):
    """The text of a file, None if it does not exist. A symbolic link to /dev/null reads as an empty file, which means the same. A pipe,
    a directory or a dangling link reads as a placeholder."""
    if not os.path.lexists(path):
        return None
    if os.path.realpath(path) == os.devnull:
        return ""
    if not os.path.isfile(path):
        return "(not a regular file)\n"
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read(LIMIT_CHARACTERS)
    except OSError as error:
        raise Failed("failed to read %s: %s" % (path, error.strerror))


def access(path):
    """Mode and owner of the file that a path leads to, None if that is not a regular file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (stat.S_IMODE(status.st_mode), status.st_uid) if stat.S_ISREG(status.st_mode) else None


def access_words(found):
    return "mode %04o, owner %d" % found if found else None


def rule_names(directory):
    try:
        return sorted(name for name in os.listdir(directory) if name.endswith(".rule") and not name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Failed("failed to read %s: %s" % (directory, error.strerror))


def make_directory(path):
    """Create a directory and its parents, readable for the service regardless of the umask."""
    path = os.path.abspath(path)
    if not os.path.isdir(path):
        make_directory(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)


def write(path, text):
    """Replace a file atomically. The name of the temporary file starts with a dot, so offloadd ignores it."""
    directory, name = os.path.split(path)
    unfinished = os.path.join(directory, "." + name + ".new")
    try:
        make_directory(directory)
        with open(unfinished, "w", encoding="utf-8", errors="surrogateescape") as stream:
            os.fchmod(stream.fileno(), FILE_MODE)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(unfinished, path)
    except OSError as error:
        raise Failed("failed to write %s: %s" % (path, error.strerror))


class Offloadctl:
    """Runs offloadctl on the rules directories in force. In its output, the path `staged` is replaced by `directory`."""

    def __init__(self, program="offloadctl", directory=DIRECTORY, staged=None):
        self.program, self.directory, self.staged = program, directory, staged
        self.in_force = None

    def installed(self):
        return shutil.which(self.program) is not None

    def run(self, command, *arguments):
        """Exit status, the JSON document or None, and the text on standard error."""
        words = [self.program, command, "--json"] + list(arguments)
        environment = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1")
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=environment, timeout=LIMIT_SECONDS, check=False)
        except FileNotFoundError:
            raise Failed("%s is not installed: install the package offloadd" % self.program)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed("%s: %s" % (" ".join(words), error))
        output, complaint = (self.unstage(text.decode("utf-8", "replace")) for text in (done.stdout, done.stderr))
        if not output.strip():
            return done.returncode, None, complaint.strip()
        try:
            document = json.loads(output)
        except ValueError as error:
            raise Failed("%s: invalid JSON: %s" % (" ".join(words), error))
        if document.get("version") != 1:
            raise Failed("%s: unsupported document version %s" % (" ".join(words), document.get("version")))
        return done.returncode, document, complaint.strip()

    def unstage(self, text):
        return text.replace(self.staged, self.directory) if self.staged else text

    def directories(self):
        """--rules for each existing rules directory in force, highest priority first, with `staged` instead of `directory`. Raises if
        `directory` is not one of them, because rules there have no effect."""
        if self.in_force is None:
            status, document, complaint = self.run("rules")
            if document is None:
                raise Failed("offloadctl rules: %s" % (complaint or "status %d" % status))
            self.in_force = document["directories"]
        own = [path for path in self.in_force if os.path.realpath(path) == os.path.realpath(self.directory)]
        if not own:
            raise Failed("rules in %s have no effect: RulesDirectory= in offloadd.conf is %s" % (
                self.directory, " ".join(self.in_force)))
        paths = [self.staged if self.staged and path == own[0] else path for path in self.in_force]
        return [part for path in paths if os.path.isdir(path) for part in ("--rules", path)]

    def arguments(self, links):
        return self.directories() + (["--"] + list(links) if links else [])

    def any_rule(self):
        """Whether there is a rule file that offloadctl would read. An empty file only masks another one."""
        for directory in self.directories()[1::2]:
            for name in rule_names(directory):
                path = os.path.join(directory, name)
                if os.path.realpath(path) != os.devnull and (not os.path.exists(path) or os.path.getsize(path)):
                    return True
        return False


def error_lines(document):
    found = (document or {}).get("rule_errors", []) + (document or {}).get("settings_errors", [])
    return ["%s:%d: %s" % (error["path"], error["line"], error["message"]) if error["line"] else
            "%s: %s" % (error["path"], error["message"]) for error in found]


def on_off(value):
    return "on" if value else "off"


def features_of(plan):
    """Every declared feature of a plan that this kernel knows, by link and name."""
    return {(link["link"], item["feature"]): item for link in plan.get("links", []) for item in link["features"] if item["known"]}


def unmet_lines(plan):
    """Declared features that are not possible, with the reason given by offloadctl."""
    lines = []
    for link in plan.get("links", []):
        for item in link["features"]:
            if item["verdict"] not in ("blocked", "unsupported", "refused", "contended"):
                continue
            reason = item["text"] or (item["cause"] or {}).get("text") or "unknown reason"
            lines.append("%s: %s is %s, declared %s by %s:%d: %s: %s" % (
                link["link"], item["feature"], on_off(item["active"]), item["declared"], item["rule"]["file"],
                item["rule"]["line"], item["verdict"], reason))
        if link["error"]:
            lines.append("%s: %s" % (link["link"], link["error"]))
    return lines


def planned_changes(plan):
    return [{"link": link["link"], "feature": change["feature"], "before": on_off(not change["active"]),
             "after": on_off(change["active"])} for link in plan.get("links", []) for change in link["changes"]]


def drifted(plan):
    """Planned changes, and differences from rules with Mode=audit, which are never planned."""
    changes = planned_changes(plan)
    planned = {(change["link"], change["feature"]) for change in changes}
    return changes + [
        {"link": link["link"], "feature": item["feature"], "before": on_off(item["active"]), "after": on_off(item["want"])}
        for link in plan.get("links", []) for item in link["features"]
        if item["verdict"] == "drifted" and item["active"] != item["want"] and (link["link"], item["feature"]) not in planned]


def made_changes(before, document):
    """Features that changed: by our steps, or by an offloadd that repaired them on reload."""
    made = {}
    for result in document.get("results", []):
        for words in (("changed_on", True), ("changed_off", False)):
            made.update({(result["link"], feature): words[1] for feature in result[words[0]]})
    after = features_of(document.get("after", {}))
    for key, item in features_of(before).items():
        if key in after and item["active"] != after[key]["active"]:
            made[key] = after[key]["active"]
    return [{"link": link, "feature": feature, "before": on_off(not made[link, feature]), "after": on_off(made[link, feature])}
            for link, feature in sorted(made)]


def wanted_files(rules, directory, purge):
    """Differences between the directory and the rules: path, text before, text after; None if there is no file. If mode or owner
    differ, also access_before and access_after, as text."""
    wanted = {}
    for rule in rules:
        name, text = wanted_file(rule)
        if name in wanted:
            raise Failed("%s is listed twice" % name)
        wanted[name] = text
    if purge:
        for name in rule_names(directory):
            wanted.setdefault(name, None)
    files = []
    for name in sorted(wanted):
        path = os.path.join(directory, name)
        entry = {"path": path, "before": read(path), "after": wanted[name]}
        found, due = access(path), (FILE_MODE, os.geteuid())
        if found not in (None, due) and wanted[name] is not None:
            entry.update(access_before=access_words(found), access_after=access_words(due))
        if entry["before"] != entry["after"] or "access_after" in entry:
            files.append(entry)
    return wanted, files


def stage(wanted, directory, staged):
    """Fill `staged` with the directory as it will be, so that offloadctl can check it before anything is changed. Files that stay
    are symbolic links."""
    for name in rule_names(directory):
        if name not in wanted:
            os.symlink(os.path.join(os.path.abspath(directory), name), os.path.join(staged, name))
    for name, text in wanted.items():
        if text is not None:
            write(os.path.join(staged, name), text)


def no_plan(errors=()):
    return {"rules": [], "rule_errors": list(errors), "links": [], "steps": []}


def ask(ctl, command, links):
    """The document of plan or apply. If no rule file is valid, offloadctl prints none; then no_plan() with the errors."""
    status, document, complaint = ctl.run(command, "--detailed-exitcodes", *ctl.arguments(links))
    if document is None:
        errors = (ctl.run("check", *ctl.directories()[1::2])[1] or {}).get("rule_errors")
        if not errors:
            raise Failed("offloadctl %s: %s" % (command, complaint or "status %d" % status))
        document = no_plan(errors)
    return status, document, complaint


def plan(ctl, links=()):
    """The plan as a document, empty if there is no rule at all. Files with errors are ignored and listed in it."""
    return ask(ctl, "plan", links)[1] if ctl.any_rule() else no_plan()


def check(ctl, wanted):
    """Raise if one of the new files has an error, before anything is installed."""
    names = [name for name in sorted(wanted) if wanted[name]]
    if not names:
        return
    status, document, complaint = ctl.run("check", *[os.path.join(ctl.staged, name) for name in names])
    lines = error_lines(document)
    if lines or status:
        raise Failed("invalid rule: " + "; ".join(lines or [complaint]), lines)


def reload(ctl):
    """Make a running offloadd reload its rules: "reloaded" or "not running"."""
    status, document, complaint = ctl.run("reload")
    if status == 3:
        return "not running"
    if status:
        lines = error_lines(document)
        raise Failed("offloadd rejected rules: " + "; ".join(lines or [complaint]), lines)
    return "reloaded"


def place(files):
    for entry in files:
        if entry["after"] is not None:
            write(entry["path"], entry["after"])
            continue
        try:
            os.unlink(entry["path"])
        except OSError as error:
            raise Failed("failed to remove %s: %s" % (entry["path"], error.strerror))


def complain(result, message, lines):
    result["errors"] += [line for line in lines if line not in result["errors"]]
    result["failed"] = message


def judge(result, document, unmet):
    """Errors reported by offloadctl fail the run, after everything possible was done."""
    complain(result, result["failed"], error_lines(document))
    result["unmet"] = unmet_lines(document.get("after", document))
    if result["errors"]:
        result["failed"] = "; ".join(result["errors"])
    elif result["unmet"] and unmet == "fail" and not result["failed"]:
        result["failed"] = "not possible: " + "; ".join(result["unmet"])


def converge(rules=(), directory=DIRECTORY, purge=False, apply=True, links=(), unmet="fail", dry_run=False,
             program="offloadctl"):
    """Install rules, reload offloadd, and apply them. Returns what changed, or with dry_run what would change: changed, placed (False
    if nothing was written because a rule passed here has an error), files (path, before, after), changes (link, feature, before,
    after), pending (the same, for what is not applied and for rules with Mode=audit), unmet and errors (lines), daemon (reloaded,
    not running, None), notes, failed (None, or the reason)."""
    result = {"changed": False, "placed": False, "files": [], "changes": [], "pending": [], "unmet": [], "errors": [],
              "daemon": None, "notes": [], "failed": None}
    try:
        wanted, files = wanted_files(rules, directory, purge)
        before = foresee(result, wanted, directory, links, dry_run, program)
        if before and (dry_run or not apply):
            result.update({"changes": planned_changes(before)} if apply else {"pending": drifted(before)})
            judge(result, before, unmet)
        result["files"] = files
        if not dry_run:
            place(files)
        result["placed"] = True
        if not dry_run:
            carry_out(result, before, directory, program, apply, links, unmet)
    except Failed as failure:
        complain(result, str(failure), failure.errors)
    result["changed"] = bool(result["files"] or result["changes"])
    return result


def foresee(result, wanted, directory, links, dry_run, program):
    """The plan with the new rules, before anything is written; None if a dry run cannot know it."""
    with tempfile.TemporaryDirectory(prefix="offloadd-rules-") as staged:
        ctl = Offloadctl(program, directory, staged)
        if dry_run and not ctl.installed():
            result["notes"].append("%s is not installed yet: rules were not checked" % program)
            return None
        stage(wanted, directory, staged)
        check(ctl, wanted)
        return plan(ctl, links)


def carry_out(result, before, directory, program, apply, links, unmet):
    ctl = Offloadctl(program, directory)
    try:
        result["daemon"] = reload(ctl) if result["files"] else None
    except Failed as failure:
        complain(result, str(failure), failure.errors)
    if not apply or not ctl.any_rule():
        return
    status, document, complaint = ask(ctl, "apply", links)
    result["changes"] = made_changes(before, document)
    judge(result, document, unmet)
    if status == 1 and not result["failed"]:
        result["failed"] = complaint or "another program changes these interfaces at the same time"


def running_mode(ctl):
    """audit or enforce, None if offloadd is not running."""
    status, document, complaint = ctl.run("status")
    if document is None:
        raise Failed("offloadctl status: %s" % (complaint or "status %d" % status))
    return document["daemon"]["mode"] if document["daemon"] else None


def take_mode(mode, dry_run=False, program="offloadctl"):
    """Make a running offloadd use Mode= of its settings, which is `mode`. Returns changed, before (its mode, None if it is not
    running), notes, failed (None, or the reason)."""
    result = {"changed": False, "before": None, "notes": [], "failed": None}
    ctl = Offloadctl(program)
    try:
        if mode not in MODES:
            raise Failed("invalid mode %r, expected one of: %s" % (mode, " ".join(MODES)))
        if dry_run and not ctl.installed():
            result["notes"].append("%s is not installed yet" % program)
            return result
        result["before"] = running_mode(ctl)
        result["changed"] = result["before"] not in (None, mode)
        if result["changed"] and not dry_run:
            change_mode(ctl, mode)
    except Failed as failure:
        result.update(changed=False, failed=str(failure))
    return result


def change_mode(ctl, mode):
    complaint = "an option of the service, or a file in offloadd.conf.d that sorts later, overrides it"
    try:
        reload(ctl)
    except Failed as failure:
        complaint = str(failure)
    now = running_mode(ctl)
    if now not in (None, mode):
        raise Failed("Mode=%s is configured, but offloadd runs in %s mode: %s" % (mode, now, complaint))
