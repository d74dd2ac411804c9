# SPDX-License-Identifier: GPL-2.0-or-later
"""Rule files of offloadd, and what offloadctl makes of them. Used by the Ansible module and by the Salt modules, so it needs
nothing but Python 3.6's own library."""

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile

DIRECTORY = "/etc/offloadd/rules.d"
FILE_MODE = 0o644  # the service runs as a user of its own, who must be able to read
LIMIT_SECONDS = 120
LIMIT_CHARACTERS = 1 << 20
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,200}\Z")
HEAD = ("description", "reason", "mode", "until")
KEYS = ("name", "state", "content", "match", "features") + HEAD
STATES = ("present", "absent", "masked")
MODES = ("audit", "enforce")


class Failed(Exception):
    """What cannot be done, in words for people; `errors` has one line each, as file:line: message where a file is at fault."""

    def __init__(self, message, errors=()):
        super().__init__(message)
        self.errors = list(errors)


def word(value):
    """A value as it stands in a rule file. YAML reads on and off as booleans."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return " ".join(word(part) for part in value)
    text = str(value)
    if "\n" in text or "\r" in text:
        raise Failed("a value must be one line: %r" % text)
    return text


def render(rule):
    """The text of a rule file that is given by its keys."""
    head = [(key.capitalize(), rule[key]) for key in HEAD if rule.get(key) is not None]
    sections = (("Rule", head), ("Match", (rule.get("match") or {}).items()), ("Features", (rule.get("features") or {}).items()))
    return "\n".join(
        "[%s]\n%s" % (name, "".join("%s=%s\n" % (word(key), word(value)) for key, value in items))
        for name, items in sections
        if items
    )


def wanted_file(rule):
    """File name and text of a rule, the text None for a file that shall not be there."""
    unknown = sorted(set(rule) - set(KEYS))
    if unknown:
        raise Failed("unknown key %s of a rule: there are %s" % (", ".join(unknown), " ".join(KEYS)))
    name = str(rule.get("name") or "")
    if not name.endswith(".rule"):
        name += ".rule"
    if not NAME.match(name):
        raise Failed("not a name of a rule file: %r" % rule.get("name"))
    state = rule.get("state") or "present"
    if state not in STATES:
        raise Failed("%s: state is one of %s" % (name, " ".join(STATES)))
    if state != "present":
        return name, None if state == "absent" else ""
    content = rule.get("content")
    if (content is None) == (rule.get("features") is None):
        raise Failed("%s: either content, or match and features" % name)
    if content is None:
        return name, render(rule)
    mixed = [key for key in HEAD + ("match",) if rule.get(key) is not None]
    if mixed:
        raise Failed("%s: content says it all, %s cannot be given too" % (name, ", ".join(mixed)))
    return name, content if not content or content.endswith("\n") else content + "\n"


def read(path):
    """The text of a file, None when there is none. A link to /dev/null reads as an empty file, which means the same; of a pipe, a
    folder or a link to nowhere it says what it is."""
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
        raise Failed("cannot read %s: %s" % (path, error.strerror))


def access(path):
    """Mode and owner of what a path leads to, None where that is no regular file."""
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
        raise Failed("cannot read %s: %s" % (directory, error.strerror))


def make_directory(path):
    """With all above it, readable for the service whatever the umask is."""
    path = os.path.abspath(path)
    if not os.path.isdir(path):
        make_directory(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)


def write(path, text):
    """Replaces a file in one step. The name of the unfinished one begins with a dot: offloadd does not look at such files."""
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
        raise Failed("cannot write %s: %s" % (path, error.strerror))


class Offloadctl:
    """Runs offloadctl on the folders of rules that are in force. Where it speaks of the folder `staged`, answers have `directory`
    instead."""

    def __init__(self, program="offloadctl", directory=DIRECTORY, staged=None):
        self.program, self.directory, self.staged = program, directory, staged
        self.in_force = None

    def there(self):
        return shutil.which(self.program) is not None

    def run(self, command, *arguments):
        """Exit status, the JSON document or None, and what was said on standard error."""
        words = [self.program, command, "--json"] + list(arguments)
        environment = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1")
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=environment, timeout=LIMIT_SECONDS, check=False)
        except FileNotFoundError:
            raise Failed("%s is not there: install the package offloadd" % self.program)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed("%s: %s" % (" ".join(words), error))
        said, complaint = (self.unstage(text.decode("utf-8", "replace")) for text in (done.stdout, done.stderr))
        if not said.strip():
            return done.returncode, None, complaint.strip()
        try:
            document = json.loads(said)
        except ValueError as error:
            raise Failed("%s: not JSON: %s" % (" ".join(words), error))
        if document.get("version") != 1:
            raise Failed("%s: version %s of the document is not known here" % (" ".join(words), document.get("version")))
        return done.returncode, document, complaint.strip()

    def unstage(self, text):
        return text.replace(self.staged, self.directory) if self.staged else text

    def folders(self):
        """--rules for each folder in force that is there, the strongest first, `staged` in the place of `directory`. Raises where
        `directory` is none of them: rules there have no effect."""
        if self.in_force is None:
            status, document, complaint = self.run("rules")
            if document is None:
                raise Failed("offloadctl rules: %s" % (complaint or "status %d" % status))
            self.in_force = document["folders"]
        own = [folder for folder in self.in_force if os.path.realpath(folder) == os.path.realpath(self.directory)]
        if not own:
            raise Failed("rules in %s are not in force: RulesDirectory= of offloadd.conf has %s" % (
                self.directory, " ".join(self.in_force)))
        folders = [self.staged if self.staged and folder == own[0] else folder for folder in self.in_force]
        return [part for folder in folders if os.path.isdir(folder) for part in ("--rules", folder)]

    def arguments(self, links):
        return self.folders() + (["--"] + list(links) if links else [])

    def any_rule(self):
        """Is there a file that offloadctl would look at? One of no bytes masks another one."""
        for folder in self.folders()[1::2]:
            for name in rule_names(folder):
                path = os.path.join(folder, name)
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
    """What is declared and cannot be had, in offloadctl's words."""
    lines = []
    for link in plan.get("links", []):
        for item in link["features"]:
            if item["verdict"] not in ("blocked", "unsupported", "refused", "contended"):
                continue
            reason = item["text"] or (item["cause"] or {}).get("text") or "no reason given"
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
    """What is planned, and what only rules with Mode=audit declare otherwise, which is never planned."""
    changes = planned_changes(plan)
    planned = {(change["link"], change["feature"]) for change in changes}
    return changes + [
        {"link": link["link"], "feature": item["feature"], "before": on_off(item["active"]), "after": on_off(item["want"])}
        for link in plan.get("links", []) for item in link["features"]
        if item["verdict"] == "drifted" and item["active"] != item["want"] and (link["link"], item["feature"]) not in planned]


def made_changes(before, document):
    """What is otherwise than before: by our steps, or by an offloadd that repaired on reload what we had planned."""
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
    """What differs between the folder and the rules: path, text before, text after; None where there is no file. Where mode or
    owner differ, they are there too, as words: access_before, access_after."""
    wanted = {}
    for rule in rules:
        name, text = wanted_file(rule)
        if name in wanted:
            raise Failed("%s is given twice" % name)
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
    """The folder as it shall be, so that offloadctl can judge it before anything is changed: links to what stays as it is."""
    for name in rule_names(directory):
        if name not in wanted:
            os.symlink(os.path.join(os.path.abspath(directory), name), os.path.join(staged, name))
    for name, text in wanted.items():
        if text is not None:
            write(os.path.join(staged, name), text)


def no_plan(errors=()):
    return {"rules": [], "rule_errors": list(errors), "links": [], "steps": []}


def ask(ctl, command, links):
    """Answer of plan or apply. Where no file is any good, offloadctl has none: no_plan with the errors then."""
    status, document, complaint = ctl.run(command, "--detailed-exitcodes", *ctl.arguments(links))
    if document is None:
        errors = (ctl.run("check", *ctl.folders()[1::2])[1] or {}).get("rule_errors")
        if not errors:
            raise Failed("offloadctl %s: %s" % (command, complaint or "status %d" % status))
        document = no_plan(errors)
    return status, document, complaint


def plan(ctl, links=()):
    """The plan as a document; an empty one where there is no rule at all. Bad files are left out of it, and told in it."""
    return ask(ctl, "plan", links)[1] if ctl.any_rule() else no_plan()


def check(ctl, wanted):
    """Raises when one of the files that are to be placed is bad; nothing is placed then."""
    names = [name for name in sorted(wanted) if wanted[name]]
    if not names:
        return
    status, document, complaint = ctl.run("check", *[os.path.join(ctl.staged, name) for name in names])
    lines = error_lines(document)
    if lines or status:
        raise Failed("bad rule: " + "; ".join(lines or [complaint]), lines)


def reload(ctl):
    """Has a running offloadd read its rules again: reloaded, or not running."""
    status, document, complaint = ctl.run("reload")
    if status == 3:
        return "not running"
    if status:
        lines = error_lines(document)
        raise Failed("offloadd did not take all rules: " + "; ".join(lines or [complaint]), lines)
    return "reloaded"


def place(files):
    for entry in files:
        if entry["after"] is not None:
            write(entry["path"], entry["after"])
            continue
        try:
            os.unlink(entry["path"])
        except OSError as error:
            raise Failed("cannot remove %s: %s" % (entry["path"], error.strerror))


def complain(result, message, lines):
    result["errors"] += [line for line in lines if line not in result["errors"]]
    result["failed"] = message


def judge(result, document, unmet):
    """What offloadctl found wrong makes the run a failure, after everything that could be done was done."""
    complain(result, result["failed"], error_lines(document))
    result["unmet"] = unmet_lines(document.get("after", document))
    if result["errors"]:
        result["failed"] = "; ".join(result["errors"])
    elif result["unmet"] and unmet == "fail" and not result["failed"]:
        result["failed"] = "cannot be had: " + "; ".join(result["unmet"])


def converge(rules=(), directory=DIRECTORY, purge=False, apply=True, links=(), unmet="fail", dry_run=False,
             program="offloadctl"):
    """Places rules, has offloadd reload, and applies them. Returns what changed, or with dry_run what would: changed, placed (False
    where nothing was written, since a rule given here is bad), files (path, before, after), changes (link, feature, before, after),
    pending (the same, where nothing is applied, and what rules with Mode=audit declare), unmet and errors (lines), daemon
    (reloaded, not running, None), notes, failed (None, or why)."""
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
    """The plan with the rules as they shall be, before anything is written; None where a dry run cannot know."""
    with tempfile.TemporaryDirectory(prefix="offloadd-rules-") as staged:
        ctl = Offloadctl(program, directory, staged)
        if dry_run and not ctl.there():
            result["notes"].append("%s is not there yet: nobody looked at the rules" % program)
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
        result["failed"] = complaint or "something else changes these links at the same time"


def running_mode(ctl):
    """audit or enforce, None where offloadd does not run."""
    status, document, complaint = ctl.run("status")
    if document is None:
        raise Failed("offloadctl status: %s" % (complaint or "status %d" % status))
    return document["daemon"]["mode"] if document["daemon"] else None


def take_mode(mode, dry_run=False, program="offloadctl"):
    """Has a running offloadd do what Mode= in its settings says, which is `mode`. Returns changed, before (its mode, None where it
    does not run), notes, failed (None, or why)."""
    result = {"changed": False, "before": None, "notes": [], "failed": None}
    ctl = Offloadctl(program)
    try:
        if mode not in MODES:
            raise Failed("not a mode: %r; there are %s" % (mode, " ".join(MODES)))
        if dry_run and not ctl.there():
            result["notes"].append("%s is not there yet" % program)
            return result
        result["before"] = running_mode(ctl)
        result["changed"] = result["before"] not in (None, mode)
        if result["changed"] and not dry_run:
            change_mode(ctl, mode)
    except Failed as failure:
        result.update(changed=False, failed=str(failure))
    return result


def change_mode(ctl, mode):
    complaint = "an option of the service, or a file in offloadd.conf.d that sorts later, says otherwise"
    try:
        reload(ctl)
    except Failed as failure:
        complaint = str(failure)
    now = running_mode(ctl)
    if now not in (None, mode):
        raise Failed("Mode=%s is asked for, and offloadd has %s: %s" % (mode, now, complaint))
