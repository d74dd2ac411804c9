/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plan/doubt.h"
#include "rules/rule_file.h"

#define GOLDEN "tests/golden/rules"
#define GOOD "[Match]\nKind=vlan\n[Features]\nsg=on\n"

static struct feature_table features;
static const struct rule_host debian = { .kernel_release = "6.1.0-50-amd64" };
static char dir[] = "/tmp/offloadd-test-XXXXXX";

static void no_errors(const struct rule_set *set)
{
	for (size_t i = 0; i < set->n_errors; i++)
		print_message("%s:%u: %s\n", set->errors[i].path, set->errors[i].line,
			set->errors[i].message);
	assert_int_equal(set->n_errors, 0);
}

static int load_text(struct rule_set *set, const char *text)
{
	return rule_set_load_text(set, "t.rule", text, strlen(text), &features);
}

/* The text has exactly this one error. */
static void one_error(const char *text, unsigned line, const char *message)
{
	struct rule_set set = { 0 };

	assert_int_equal(load_text(&set, text), 1);
	assert_int_equal(set.n_errors, 1);
	assert_int_equal(set.n_rules, 0);
	assert_string_equal(set.errors[0].path, "t.rule");
	assert_string_equal(set.errors[0].message, message);
	assert_int_equal(set.errors[0].line, line);
	rule_set_clear(&set);
}

static const char *path_of(const char *sub, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX, "%s/%s%s%s", dir, sub, *sub && *name ? "/" : "", name);
	return path;
}

static const char *folder(char path[64], const char *name)
{
	snprintf(path, 64, "%s/%s", dir, name);
	return path;
}

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void file_error(const char *path, const char *message)
{
	struct rule_set set = { 0 };

	assert_int_equal(rule_set_load_file(&set, path, &features), 1);
	assert_int_equal(set.n_errors, 1);
	assert_string_equal(set.errors[0].path, path);
	assert_string_equal(set.errors[0].message, message);
	assert_int_equal(set.errors[0].line, 0);
	assert_int_equal(set.n_rules, 0);
	rule_set_clear(&set);
}

static void every_key_arrives(void **state)
{
	static const char text[] = "\xef\xbb\xbf# comment\r\n"
				   "; comment\n"
				   "  [Rule]  ; comment\n"
				   "Description = Caf\xc3\xa9 for all\t \n"
				   "Reason=a\n"
				   "Mode=audit\n"
				   "Until=2028-02-29\n"
				   "\n"
				   "[ Match ]\n"
				   "Kind=vlan bond\n"
				   "Name=v* !v1\n"
				   "Driver=e1000e\n"
				   "MACAddress=52:54:*\n"
				   "LowerKind=bond\n"
				   "LowerDriver=bonding\n"
				   "MasterKind=bridge\n"
				   "MasterDriver=hv_netvsc\n"
				   "Role=bond-port vlan-lower ovs-port failover-vf\n"
				   "Path=pci-0000:02:00.* platform-*,1\n"
				   "Device=8086:10d3 10EC:*:17aa:*\n"
				   "Firmware=3.65,?0x* >=7.1\n"
				   "DriverVersion=!5.*\n"
				   "Namespace=any !blue\n"
				   "Container=web* kube-system/*\n"
				   "Unit=web.service user@*.service\n"
				   "Image=*/nginx:1.* *@sha256:0f\n"
				   "KernelVersion=>=5.10 <7\n"
				   "KernelRelease=>=4.18.0-193 *.x86_64 !*.el7.*\n"
				   "Host=web*\n"
				   "Virtualization=!container\n"
				   "[Features]\r\n"
				   "sg=on\r\n"
				   "tx-tcp-segmentation=off\n"
				   "tx-checksumming=lower ; comment";
	struct rule_set set = { 0 };
	const struct rule *r;

	(void)state;
	assert_int_equal(rule_set_load_text(
				 &set, "/some/where/50-x.rule", text, sizeof(text) - 1, &features),
		0);
	no_errors(&set);
	assert_int_equal(set.n_rules, 1);
	r = &set.rules[0];
	assert_string_equal(r->file, "50-x.rule");
	assert_string_equal(r->path, "/some/where/50-x.rule");
	assert_string_equal(r->description, "Caf\xc3\xa9 for all");
	assert_string_equal(r->reason, "a");
	assert_int_equal(r->mode, RULE_MODE_AUDIT);
	assert_int_equal(r->until, 1835481600); /* 2028-03-01 00:00 UTC */
	assert_string_equal(r->match.value[RULE_KIND], "vlan bond");
	assert_string_equal(r->match.value[RULE_NAME], "v* !v1");
	assert_string_equal(r->match.value[RULE_DRIVER], "e1000e");
	assert_string_equal(r->match.value[RULE_MAC_ADDRESS], "52:54:*");
	assert_string_equal(r->match.value[RULE_LOWER_KIND], "bond");
	assert_string_equal(r->match.value[RULE_LOWER_DRIVER], "bonding");
	assert_string_equal(r->match.value[RULE_MASTER_KIND], "bridge");
	assert_int_equal(r->match.roles, RULE_ROLE_BOND_PORT | RULE_ROLE_VLAN_LOWER | RULE_ROLE_OVS_PORT | RULE_ROLE_FAILOVER_VF);
	assert_string_equal(r->match.value[RULE_MASTER_DRIVER], "hv_netvsc");
	assert_string_equal(r->match.value[RULE_PATH], "pci-0000:02:00.* platform-*,1");
	assert_string_equal(r->match.value[RULE_DEVICE], "8086:10d3 10EC:*:17aa:*");
	assert_string_equal(r->match.value[RULE_FIRMWARE], "3.65,?0x* >=7.1");
	assert_string_equal(r->match.value[RULE_DRIVER_VERSION], "!5.*");
	assert_string_equal(r->match.value[RULE_KERNEL_RELEASE], ">=4.18.0-193 *.x86_64 !*.el7.*");
	assert_int_equal(r->match.keys, (1u << RULE_KEYS) - 1);
	assert_string_equal(r->match.value[RULE_NAMESPACE], "any !blue");
	assert_string_equal(r->match.value[RULE_CONTAINER], "web* kube-system/*");
	assert_string_equal(r->match.value[RULE_UNIT], "web.service user@*.service");
	assert_string_equal(r->match.value[RULE_IMAGE], "*/nginx:1.* *@sha256:0f");
	assert_string_equal(r->match.value[RULE_KERNEL_VERSION], ">=5.10 <7");
	assert_string_equal(r->match.value[RULE_HOST], "web*");
	assert_string_equal(r->match.value[RULE_VIRTUALIZATION], "!container");
	assert_int_equal(r->n_features, 3);
	assert_string_equal(r->features[0].word, "sg");
	assert_int_equal(r->features[0].word_kind, FEATURE_WORD_ALIAS);
	assert_int_equal(r->features[0].value, RULE_ON);
	assert_int_equal(r->features[0].line, 32);
	assert_int_equal(r->features[0].bits, unit_set(&features, "sg"));
	assert_int_equal(r->features[1].word_kind, FEATURE_WORD_NAME);
	assert_int_equal(r->features[1].value, RULE_OFF);
	assert_int_equal(r->features[2].value, RULE_LOWER);
	rule_set_clear(&set);
}

static void what_is_not_given_is_unset(void **state)
{
	struct rule_set set = { 0 };

	(void)state;
	assert_int_equal(load_text(&set, GOOD), 0);
	assert_null(set.rules[0].description);
	assert_null(set.rules[0].match.value[RULE_NAME]);
	assert_int_equal(set.rules[0].until, 0);
	assert_int_equal(set.rules[0].mode, RULE_MODE_ENFORCE);
	assert_int_equal(set.rules[0].match.roles, 0);
	rule_set_clear(&set);
}

/* A value goes through iniparser unharmed, whatever iniparser would make of it. */
static void keeps_text(const char *value)
{
	struct rule_set set = { 0 };
	char text[2048];

	snprintf(text, sizeof(text), "[Rule]\nReason=%s\n%s", value, GOOD);
	assert_int_equal(load_text(&set, text), 0);
	no_errors(&set);
	assert_string_equal(set.rules[0].reason, value);
	rule_set_clear(&set);
}

static void iniparser_does_not_alter_values(void **state)
{
	char longest[INI_MAX_LINE + 1] = "";

	(void)state;
	keeps_text("CASE Matters");
	keeps_text("issue #12, a;b and a #comment that is none");
	keeps_text("\"quoted\"");
	keeps_text("\"half");
	keeps_text("it's 'so");
	keeps_text("a \"middle\" part");
	keeps_text("back\\slash \\\" \\n");
	keeps_text("a=b=c [x] %s %n 100%");
	keeps_text("''");
	keeps_text("\"\"");
	keeps_text("tab\there");
	memset(longest, '"', INI_MAX_LINE - strlen("Reason="));
	keeps_text(longest);
}

static void iniparser_merges_nothing(void **state)
{
	(void)state;
	one_error("[Match]\nKind=vlan\n[Features]\nsg=on\n[Match]\nName=x\n", 5,
		"duplicate [Match], first used in line 1; move its keys there");
	one_error("[Match]\nKind=vlan\nKind=bond\n[Features]\nsg=on\n", 3,
		"duplicate Kind=, already set in line 2");
	one_error("[Match]\nKind=vlan\n[Features]\nsg=on\nsg=off\n", 5,
		"duplicate sg=, already set in line 4");
	one_error("[Match]\nKind=vlan\n[Features]\nsg=on\nscatter-gather=on\n", 5,
		"scatter-gather is the same feature as sg in line 4; remove one of them");
	one_error("[Match]\nKind=vlan\n[Features]\nrx=on\nrx-checksum=off\n", 5,
		"rx-checksum is the same feature as rx in line 4; remove one of them");
	one_error("[Match]\nUnit=web\n[Features]\nsg=on\n", 2,
		"invalid Unit= value \"web\": expected the name of a unit with its suffix, for example web.service");
	one_error("[match]\nKind=vlan\n[Features]\nsg=on\n", 1,
		"unknown section [match], did you mean [Match]?");
	one_error("[Match]\nkind=vlan\n[Features]\nsg=on\n", 2,
		"unknown key kind= in [Match], did you mean Kind=?");
}

static void iniparser_skips_nothing(void **state)
{
	(void)state;
	one_error(GOOD "x", 5, "expected [Section], Key=value or a comment (# or ;), found \"x\"");
	one_error(GOOD "=", 5, "missing key before =");
	one_error("sg=on\n" GOOD, 1, "sg= is outside of any section");
	one_error("[Match \"a[0-9]\"]\nKind=x\n[Features]\nsg=on\n", 1,
		"invalid section name \"Match \"a[0-9\": expected letters, digits and - . _");
	one_error("[Match]\nKind=vlan\\\nName=x\n[Features]\nsg=on\n", 2,
		"Kind= ends in a backslash: a value cannot continue on the next line");
	one_error(GOOD "tso=\n", 5, "tso= has no value; set one or remove the line");
	one_error(GOOD "tso= ; off\n", 5, "tso= has no value; set one or remove the line");
	one_error("[Features]\nsg=on\n", 0,
		"no [Match] section; select links, for example Kind=vlan, or Name=* for all");
	one_error("\n# a\n ; b", 0,
		"no sections, expected [Match] and [Features]; to mask a rule, leave its file empty or link it to "
		"/dev/null");
}

static void lines_are_bounded(void **state)
{
	char text[2 * INI_MAX_LINE], line[INI_MAX_LINE + 2] = "";

	(void)state;
	memset(line, 'x', INI_MAX_LINE + 1);
	snprintf(text, sizeof(text), "%s#%s\n", GOOD, line + 1);
	one_error(text, 5, "line too long: 901 bytes, at most 900");
}

static void bytes_are_checked(void **state)
{
	struct rule_set set = { 0 };
	static const char nul[] = "[Match]\nKind=v\0lan\n[Features]\nsg=on\n";

	(void)state;
	assert_int_equal(rule_set_load_text(&set, "t", nul, sizeof(nul) - 1, &features), 1);
	assert_string_equal(set.errors[0].message, "NUL byte: not a text file");
	assert_int_equal(set.errors[0].line, 2);
	rule_set_clear(&set);
	one_error(GOOD "# \xff\n", 5, "byte 0xff in column 3 is not printable UTF-8");
	one_error(GOOD "# \xc3", 5, "byte 0xc3 in column 3 is not printable UTF-8");
	one_error(GOOD "# \xc0\x80\n", 5, "byte 0xc0 in column 3 is not printable UTF-8");
	one_error(GOOD "# \xed\xa0\x80\n", 5, "byte 0xed in column 3 is not printable UTF-8");
	one_error(GOOD "# \xc2\x9b\n", 5,
		"byte 0xc2 in column 3 is not printable UTF-8"); /* C1: CSI */
	one_error(GOOD "# \x1b[31m\n", 5, "control character 0x1b in column 3");
	one_error(GOOD "# a\rb\n", 5, "control character 0x0d in column 4");
}

static void errors_are_bounded(void **state)
{
	static char text[64 * 1024];
	struct rule_set set = { 0 };

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		strcpy(text + 8 * i, "garbage\n");
	assert_int_equal(load_text(&set, text), 1);
	assert_int_equal(set.n_errors, INI_MAX_ERRORS + 1);
	assert_int_equal(set.errors[INI_MAX_ERRORS - 1].line, INI_MAX_ERRORS);
	assert_string_equal(set.errors[INI_MAX_ERRORS].message,
		"more than 100 errors, the others are not shown");
	rule_set_clear(&set);

	strcpy(text, "[Match]\n");
	for (size_t i = 0; i < INI_MAX_ENTRIES; i++)
		sprintf(text + strlen(text), "Kind=v\n");
	one_error(
		text, INI_MAX_ENTRIES + 1, "more than 1024 sections and keys; split the file");
}

static void parser_is_silent(void **state)
{
	int saved = dup(STDERR_FILENO), fd = memfd_create("stderr", 0);
	struct rule_set set = { 0 };
	struct stat st;

	(void)state;
	fflush(stderr);
	assert_true(saved >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	load_text(&set, GOOD);
	load_text(&set, "x\n[\n=\n[a\"b]\nk=\"\n\\\n");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	close(saved);
	close(fd);
	rule_set_clear(&set);
}

static void only_regular_files_are_read(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	static char big[1024 * 1024];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	mkdir(path_of("odd", ""), 0755);
	mkdir(path_of("odd", "dir.rule"), 0755);
	file_error(path_of("odd", "dir.rule"), "is a directory, expected a regular file");

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path_of("odd", "s.rule"));
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	file_error(sun.sun_path, "is a socket, expected a regular file");

	assert_int_equal(mkfifo(path_of("odd", "p.rule"), 0644), 0);
	file_error(path_of("odd", "p.rule"), "is a pipe, expected a regular file");

	assert_int_equal(symlink("/dev/zero", path_of("odd", "z.rule")), 0);
	file_error(path_of("odd", "z.rule"), "is a device, expected a regular file");

	memset(big, '\n', sizeof(big));
	write_file(path_of("odd", "big.rule"), big, sizeof(big));
	file_error(path_of("odd", "big.rule"), "too large: 1048576 bytes, at most 262144");

	assert_int_equal(symlink("nowhere", path_of("odd", "d.rule")), 0);
	file_error(path_of("odd", "d.rule"), "is a symbolic link to a missing file; to mask a rule, link it to "
					     "/dev/null");
	file_error(path_of("odd", "absent.rule"), "failed to open: No such file or directory");
	assert_int_equal(symlink("loop.rule", path_of("odd", "loop.rule")), 0);
	file_error(
		path_of("odd", "loop.rule"), "failed to open: Too many levels of symbolic links");
}

/* In a child: what it returns is its exit status; 2 means that this machine cannot play it. */
static int run_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(fn());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int read_without_permission(void)
{
	char private[64];
	const char *const dirs[] = {folder(private, "private"), NULL};
	struct rule_set set = { 0 };

	if (geteuid() == 0 && seteuid(65534) < 0)
		return 2;
	if (rule_set_load_file(&set, path_of("odd", "private.rule"), &features) != 1 ||
		strcmp(set.errors[0].message, "failed to open: Permission denied") != 0)
		return 1;
	rule_set_clear(&set);
	if (rule_set_load(dirs, &features, &set) != 0 || set.n_errors != 1 ||
		strcmp(set.errors[0].message, "failed to read rule directory: Permission denied") !=
			0)
		return 1;
	rule_set_clear(&set);
	return 0;
}

static void missing_permission_is_reported(void **state)
{
	(void)state;
	write_file(path_of("odd", "private.rule"), GOOD, strlen(GOOD));
	assert_int_equal(mkdir(path_of("private", ""), 0), 0);
	assert_int_equal(chmod(path_of("odd", "private.rule"), 0), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(run_child(read_without_permission), 0);
}

static int read_without_proc(void)
{
	struct rule_set set = { 0 };

	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 2;
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/proc", "tmpfs", 0, NULL) < 0)
		return 2;
	if (load_text(&set, GOOD) != 1 || set.n_errors != 1 || set.n_rules != 0 ||
		!strstr(set.errors[0].message, "/proc is not mounted"))
		return 1;
	rule_set_clear(&set);
	return 0;
}

static void missing_proc_is_said(void **state)
{
	int r;

	(void)state;
	r = run_child(read_without_proc);
	if (r == 2)
		skip();
	assert_int_equal(r, 0);
}

static void make_rule(const char *sub, const char *name, const char *kind)
{
	char text[256];

	snprintf(text, sizeof(text), "[Match]\nKind=%s\n[Features]\nsg=on\n", kind);
	mkdir(path_of(sub, ""), 0755);
	write_file(path_of(sub, name), text, strlen(text));
}

static void directories_override_and_mask(void **state)
{
	char etc[64], run[64], lib[64];
	const char *const dirs[] = {
		folder(etc, "etc"), folder(run, "run"), folder(lib, "lib"), NULL};
	struct rule_set set;

	(void)state;
	make_rule("lib", "10-a.rule", "lib");
	make_rule("lib", "20-b.rule", "lib");
	make_rule("lib", "30-c.rule", "lib");
	make_rule("lib", "40-d.rule", "lib");
	make_rule("lib", "9-last.rule", "lib");
	make_rule("lib", "README", "x");
	make_rule("lib", "50-e.rule~", "x");
	make_rule("lib", "50-e.rule.dpkg-old", "x");
	make_rule("lib", ".hidden.rule", "x");
	make_rule("lib", ".rule", "x");
	make_rule("run", "20-b.rule", "run");
	make_rule("run", "30-c.rule", "run");
	make_rule("etc", "20-b.rule", "etc");
	make_rule("etc", "15-own.rule", "etc");
	assert_int_equal(symlink("/dev/null", path_of("etc", "30-c.rule")), 0);
	write_file(path_of("etc", "40-d.rule"), "", 0);

	assert_int_equal(rule_set_load(dirs, &features, &set), 0);
	no_errors(&set);
	assert_int_equal(set.n_rules, 4);
	assert_string_equal(set.rules[0].file, "10-a.rule");
	assert_string_equal(set.rules[0].match.value[RULE_KIND], "lib");
	assert_string_equal(set.rules[0].path, path_of("lib", "10-a.rule"));
	assert_string_equal(set.rules[1].file, "15-own.rule");
	assert_string_equal(set.rules[2].file, "20-b.rule");
	assert_string_equal(set.rules[2].match.value[RULE_KIND], "etc");
	assert_string_equal(set.rules[3].file, "9-last.rule");
	rule_set_clear(&set);
}

static void a_bad_file_is_ignored_entirely(void **state)
{
	char bad[64], good[64];
	const char *const dirs[] = {folder(bad, "bad"), folder(good, "good"), NULL};
	static const char typo[] = "[Match]\nKnid=x\n[Features]\nsg=on\n";
	struct rule_set set;

	(void)state;
	make_rule("good", "10-a.rule", "good");
	make_rule("good", "20-b.rule", "good");
	mkdir(path_of("bad", ""), 0755);
	write_file(path_of("bad", "10-a.rule"), typo, strlen(typo));
	mkdir(path_of("bad", "30-dir.rule"), 0755);
	assert_int_equal(rule_set_load(dirs, &features, &set), 0);
	assert_int_equal(set.n_rules, 1); /* what the bad file replaces stays replaced */
	assert_string_equal(set.rules[0].file, "20-b.rule");
	assert_int_equal(set.n_errors, 2);
	assert_string_equal(
		set.errors[0].message, "unknown key Knid= in [Match], did you mean Kind=?");
	assert_int_equal(set.errors[0].line, 2);
	assert_string_equal(set.errors[1].message, "is a directory, expected a regular file");
	rule_set_clear(&set);
}

static void directories_that_cannot_be_read(void **state)
{
	const char *const missing[] = {path_of("missing", ""), NULL};
	const char *const file[] = {path_of("file", ""), NULL};
	struct rule_set set;

	(void)state;
	assert_int_equal(rule_set_load(missing, &features, &set), 0);
	assert_int_equal(set.n_errors, 1);
	assert_string_equal(set.errors[0].path, missing[0]);
	assert_string_equal(
		set.errors[0].message, "failed to read rule directory: No such file or directory");
	rule_set_clear(&set);

	write_file(file[0], GOOD, strlen(GOOD));
	assert_int_equal(rule_set_load(file, &features, &set), 0);
	assert_int_equal(set.n_errors, 1);
	assert_string_equal(set.errors[0].message,
		"is not a directory, expected a directory of rule files");
	rule_set_clear(&set);
}

static void files_are_bounded(void **state)
{
	char many[64];
	const char *const dirs[] = {folder(many, "many"), NULL};
	struct rule_set set;
	char name[32];

	(void)state;
	for (unsigned i = 0; i <= INI_DIR_MAX_FILES; i++) {
		snprintf(name, sizeof(name), "%04u.rule", i);
		make_rule("many", name, "vlan");
	}
	assert_int_equal(rule_set_load(dirs, &features, &set), 0);
	assert_int_equal(set.n_rules, INI_DIR_MAX_FILES);
	assert_string_equal(set.rules[INI_DIR_MAX_FILES - 1].file, "1023.rule");
	assert_int_equal(set.n_errors, 1);
	assert_string_equal(
		set.errors[0].message, "more than 1024 rule files, the others are ignored");
	rule_set_clear(&set);
}

/* Names come out of the file system as any bytes; what is shown of them is clean. */
static void names_are_shown_clean(void **state)
{
	char names[64];
	const char *const dirs[] = {folder(names, "names"), NULL};
	struct rule_set set;

	(void)state;
	make_rule("names", "a\x1b[31m\xff\n.rule", "vlan");
	assert_int_equal(rule_set_load(dirs, &features, &set), 0);
	assert_string_equal(set.rules[0].file, "a?[31m??.rule");
	rule_set_clear(&set);
}

static void text_is_cut_between_characters(void **state)
{
	char buf[8];

	(void)state;
	assert_string_equal(util_copy_text(buf, sizeof(buf), "1234567", 7), "1234567");
	assert_string_equal(util_copy_text(buf, sizeof(buf), "12345678", 8), "1234...");
	assert_string_equal(util_copy_text(buf, sizeof(buf),
				    "123\xc3\xa9"
				    "5678",
				    9),
		"123...");
	assert_string_equal(util_copy_text(buf, sizeof(buf),
				    "12\xc3\xa9"
				    "5678",
				    8),
		"12\xc3\xa9...");
	assert_string_equal(util_copy_text(buf, 4, "\xf0\x9f\x90\xa7\xf0\x9f\x90\xa7", 8), "...");
	assert_string_equal(util_copy_text(buf, sizeof(buf), "\x80\x01", 2), "??");
}

static int parses(const struct dirent *entry)
{
	return strlen(entry->d_name) > 5 && strcmp(strrchr(entry->d_name, '.') ?: "", ".rule") == 0;
}

/* Every rule that is shipped is good, says why it is there, and every example tells when it may go.
 */
static void shipped_rules_parse(void **state)
{
	static const char *const directories[] = {"rules", "rules/examples", NULL};
	struct rule_set set;
	unsigned examples = 0;

	(void)state;
	assert_int_equal(rule_set_load(directories, &features, &set), 0);
	no_errors(&set);
	for (size_t i = 0; i < set.n_rules; i++) {
		const struct rule *r = &set.rules[i];
		char text[8192] = "";
		FILE *f = fopen(r->path, "r");

		assert_non_null(f);
		assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
		fclose(f);
		assert_non_null(r->description);
		assert_non_null(r->reason);
		if (!strstr(r->path, "examples"))
			continue;
		examples++;
		assert_non_null(strstr(text, "# When to remove it: "));
		assert_non_null(strstr(r->reason, "https://"));
		assert_true(strcmp(r->file, "30-bond-port.rule") > 0);
	}
	assert_true(examples >= 6);
	assert_int_equal(set.n_rules - examples, 3);
	rule_set_clear(&set);
}

/* Every file of the folder beside what is said of it, one line an error. OFFLOADD_GOLDEN_UPDATE=1
 * writes it anew. */
static void rules_for_namespaces_without_effect(void **state)
{
	static const struct {
		const char *match;
		struct doubt_namespaces facts;
		unsigned line[3];
	} cases[] = {
		{ "Container=web*", { .ignored = true }, { 3 } },
		{ "Namespace=any", { .ignored = true }, { 3 } },
		{ "Namespace=host", { .ignored = true, .no_images = true }, { 0 } },
		{ "Kind=vlan", { .ignored = true, .observed = true, .no_images = true }, { 0 } },
		{ "Unit=web.service", { .observed = true }, { 3 } },
		{ "Unit=web.service", { .no_images = true }, { 0 } },
		{ "Unit=web.service\nImage=*nginx*", { .ignored = true, .no_images = true }, { 3, 4 } },
		{ "Image=*nginx*", { 0 }, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rule_set set = { 0 };
		char text[256];
		size_t n = 0;

		snprintf(text, sizeof(text), "[Match]\nName=*\n%s\n[Features]\nsg=on\n", cases[i].match);
		assert_int_equal(load_text(&set, text), 0);
		assert_int_equal(doubt_namespaces(&set, &cases[i].facts), 0);
		while (cases[i].line[n])
			n++;
		assert_int_equal(set.n_warnings, n);
		for (size_t j = 0; j < n; j++)
			assert_int_equal(set.warnings[j].line, cases[i].line[j]);
		rule_set_clear(&set);
	}
}

static void golden_files(void **state)
{
	struct dirent **entries;
	int n = scandir(GOLDEN, &entries, parses, alphasort);

	(void)state;
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		char path[512], expected_path[600], got[32768] = "", expected[32768] = "";
		struct rule_set set = { 0 };
		FILE *f;

		snprintf(path, sizeof(path), GOLDEN "/%s", entries[i]->d_name);
		snprintf(expected_path, sizeof(expected_path), "%s.errors", path);
		rule_set_load_file(&set, path, &features);
		for (size_t j = 0; j < set.n_errors; j++)
			util_append(got, sizeof(got), "%s:%u: %s\n", entries[i]->d_name,
				set.errors[j].line, set.errors[j].message);
		assert_int_equal(set.n_rules, set.n_errors == 0);
		assert_int_equal(doubt_rules(&set, &features, &debian), 0);
		for (size_t j = 0; j < set.n_warnings; j++)
			util_append(got, sizeof(got), "%s:%u: warning: %s\n", util_file_name(set.warnings[j].path),
				set.warnings[j].line, set.warnings[j].message);
		rule_set_clear(&set);
		if (getenv("OFFLOADD_GOLDEN_UPDATE"))
			write_file(expected_path, got, strlen(got));
		f = fopen(expected_path, "r");
		assert_non_null(f);
		expected[fread(expected, 1, sizeof(expected) - 1, f)] = '\0';
		fclose(f);
		assert_string_equal(got, expected);
		free(entries[i]);
	}
	free(entries);
}

static int setup(void **state)
{
	(void)state;
	unit_features(&features);
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[sizeof(dir) + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* Each in a line of the manual that begins with a key, and nothing else there. */
static void manual_tells_every_key(void **state)
{
	_cleanup_fclose_ FILE *f = fopen("docs/offloadd.rule.5.scd", "re");
	bool told[64] = { false };
	size_t n = 0, headings = 0;
	const char *key;
	char line[1024];

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] != '*' || !strstr(line, "=*"))
			continue;
		for (char *c = line; (c = strstr(c, "=*")); c++)
			headings++;
		for (n = 0; (key = rule_file_key(n)); n++) {
			char wanted[64];

			assert_true(n < ARRAY_SIZE(told));
			snprintf(wanted, sizeof(wanted), "*%s=*", key);
			told[n] |= strstr(line, wanted) != NULL;
		}
	}
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++)
		if (!told[i])
			fail_msg("the manual does not tell %s=", rule_file_key(i));
	assert_int_equal(headings, n); /* and no key that there is not */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_arrives),
		cmocka_unit_test(manual_tells_every_key),
		cmocka_unit_test(what_is_not_given_is_unset),
		cmocka_unit_test(iniparser_does_not_alter_values),
		cmocka_unit_test(iniparser_merges_nothing),
		cmocka_unit_test(iniparser_skips_nothing),
		cmocka_unit_test(lines_are_bounded),
		cmocka_unit_test(bytes_are_checked),
		cmocka_unit_test(errors_are_bounded),
		cmocka_unit_test(parser_is_silent),
		cmocka_unit_test(only_regular_files_are_read),
		cmocka_unit_test(missing_permission_is_reported),
		cmocka_unit_test(missing_proc_is_said),
		cmocka_unit_test(directories_override_and_mask),
		cmocka_unit_test(a_bad_file_is_ignored_entirely),
		cmocka_unit_test(directories_that_cannot_be_read),
		cmocka_unit_test(files_are_bounded),
		cmocka_unit_test(names_are_shown_clean),
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(shipped_rules_parse),
		cmocka_unit_test(rules_for_namespaces_without_effect),
		cmocka_unit_test(golden_files),
	};

	return cmocka_run_group_tests_name("rule_file", tests, setup, teardown);
}
