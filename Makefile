# SPDX-License-Identifier: GPL-2.0-or-later
# offloadd: enforces rules for network offload features. `make help` prints this list.
#   make            build/offloadd, build/offloadd-hook, build/offloadd-netns, build/offloadctl
#   make deps       install the packages to build (Debian 12 or later, root)
#   make run        deps, build, show this host with offloadctl; if no rule matches, play the first half of the demo
#   make demo       deps, build, play the incident in a user-mode kernel: no root, no virtual machine, ten seconds
#   make demo-evidence  play the incident with traffic, stale connections and a restart, in a VM, in about a minute
#   make test       build and run the unit tests: no root, no network, no package is installed; for %check and the like
#   make check      deps, build, run all tests; KERNELS="6.1" and LAYERS="unit vm" select some
#   make check-long the same, with long random runs
#   make bench      deps, build, measure offloadd and its alternatives (docs/performance.md)
#   make bench-evidence  measure the cost of probes under real traffic, in an emulated machine
#   make fuzz       build/fuzz/tests/fuzz-*, with clang and libFuzzer; FUZZ_S=600 runs each for so many seconds, FUZZ_RUNS=N as often
#   make soak       a busy day within SOAK_S=3600 seconds, in a user-mode kernel (KERNEL=6.1)
#   make coverage   which lines the tests execute, for each directory (docs/testing.md)
#   make man        build/man/*, with scdoc
#   make install    install what `make` and `make man` built, without compiling; keeps an existing offloadd.conf
#   make uninstall  remove the installed files, but keep SYSCONFDIR/offloadd
#   make deb        build/deb/*.deb, from committed files, checked with lintian
# Variables of make and make install, each with its default:
#   PREFIX=/usr  SYSCONFDIR=/etc  DOCDIR=PREFIX/share/doc/offloadd   compiled in: give them to make; make install knows them
#   DESTDIR=  BINDIR=PREFIX/bin  SBINDIR=PREFIX/sbin  LIBEXECDIR=PREFIX/lib  MANDIR=PREFIX/share/man
#   UNITDIR=PREFIX/lib/systemd/system  ZSHDIR=PREFIX/share/zsh/site-functions  INSTALL=install
#   BPF=yes         no: without probes, and without clang, bpftool and libbpf
#   MANPAGES=yes    no: without manual pages, and without scdoc
#   CC CFLAGS CPPFLAGS LDFLAGS AR PKG_CONFIG CLANG BPFTOOL           as usual; different flags rebuild everything
#   WERROR=1  SANITIZE=address,undefined  LIBSYSTEMD=libsystemd  BUILD=build

define newline


endef
space := $(subst x,,x x)

BUILD ?= build
# what the last build was configured with, so that `make install` need not be given it again
RECORDED := PREFIX SYSCONFDIR DOCDIR BPF
GOALS := $(or $(MAKECMDGOALS),all)
# Goals that compile nothing themselves. They must not write below build/: `sudo make deps` would create a directory owned by root, and
# `make deb` would store other flags.
PASSIVE := help deps clean man run demo check check-long soak coverage bench deb fuzz install uninstall %-evidence
COMPILES := $(filter-out $(PASSIVE),$(GOALS))
ifeq ($(COMPILES),)
-include $(BUILD)/recorded.mk
endif
PREFIX ?= $(or $(BUILT_PREFIX),/usr)
SYSCONFDIR ?= $(or $(BUILT_SYSCONFDIR),/etc)
DOCDIR ?= $(or $(BUILT_DOCDIR),$(PREFIX)/share/doc/offloadd)
BPF ?= $(or $(BUILT_BPF),yes)
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/lib
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
MANPAGES ?= yes
INSTALL ?= install
DESTDIR ?=
CFLAGS ?= -O2 -g
# behind CFLAGS, for the code of the unit tests
UNIT_CFLAGS ?=
# make WERROR=1: warnings are errors (CI); make SANITIZE=address,undefined: instrumented build
WERROR ?=
SANITIZE ?=

PKG_CONFIG ?= pkg-config
LIBSYSTEMD ?= libsystemd
TEST_LIBS := -lcmocka -ljson-c # json-c reads what we write, so that no mistake of ours hides in both
VERSION := 0.1.0

# Each minimum is that of a function that src/ calls: scols_column_get_name() of libsmartcols, mnl_socket_open2() of libmnl,
# sd_event_source_disable_unref() of libsystemd; from libbpf 1.0 on, a failed open is NULL.
REQUIRES := "libnl-3.0" "libnl-route-3.0" "libmnl >= 1.0.4" "$(LIBSYSTEMD) >= 243" "smartcols >= 2.38"
ifeq ($(BPF),yes)
REQUIRES += "libbpf >= 1.0"
else ifneq ($(BPF),no)
$(error BPF=$(BPF): expected yes or no)
endif
ifneq ($(COMPILES),)
ifneq ($(shell $(PKG_CONFIG) --print-errors --exists $(REQUIRES) >&2 && echo found),found)
$(error offloadd needs $(REQUIRES); iniparser and uthash, too. On Debian: make deps.$(if $(filter yes,$(BPF)), Without probes: make BPF=no))
endif
# newer versions of iniparser have a pkg-config file
PKGS := $(REQUIRES) $(shell $(PKG_CONFIG) --exists iniparser 2>/dev/null && echo iniparser)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS))
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS)) $(if $(filter iniparser,$(PKGS)),,-liniparser)
endif

override CFLAGS += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
override CPPFLAGS += -D_GNU_SOURCE -Isrc -I. -I$(BUILD)/bpf -DOFFLOADD_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
override LDLIBS += $(PKG_LIBS)
ifneq ($(WERROR),)
override CFLAGS += -Werror
endif
ifneq ($(SANITIZE),)
override CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=$(SANITIZE)
endif

MAINS := offloadd offloadd-hook offloadd-netns offloadctl
MAIN_SRC := src/offloadd/offloadd.c src/offloadd/offloadd-hook.c src/offloadd/offloadd-netns.c src/offloadctl/offloadctl.c
PROBE_SRC := $(filter-out %/probe_parse.c %/probe_none.c,$(wildcard src/evidence/probe*.c)) # with libbpf
LIB_SRC := $(filter-out $(MAIN_SRC) $(if $(filter no,$(BPF)),$(PROBE_SRC),%/probe_none.c),$(wildcard src/*/*.c))
LIB_OBJ := $(LIB_SRC:src/%.c=$(BUILD)/obj/%.o)
LIB := $(BUILD)/liboffloadd.a
# what BPF=no builds does not have the probes and their names of cgroups
UNIT_SRC := $(filter-out $(if $(filter no,$(BPF)),%/test-probe.c %/test-probe-kernel.c %/test-sender.c),$(wildcard tests/unit/test-*.c))
UNIT := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)

.PHONY: all
all: $(MAINS:%=$(BUILD)/%)

# A different compiler or different flags rebuild everything, different flags of the linker link again; a different PREFIX rebuilds only the
# objects that contain it. A file below build/ is written only if its text changes.
FLAGS := $(subst -I$(BUILD)/,-I,$(CC) $(CPPFLAGS) $(CFLAGS)) BPF=$(BPF)# independent of the build directory
ifneq ($(COMPILES),)
LINKING := $(LDFLAGS) $(LDLIBS)
SETTINGS := $(subst $(space)$(newline),$(newline),$(foreach name,$(RECORDED),$(newline)BUILT_$(name) := $($(name))))
$(shell mkdir -p $(BUILD))
ifneq ($(file <$(BUILD)/flags),$(FLAGS))
$(file >$(BUILD)/flags,$(FLAGS))
endif
ifneq ($(file <$(BUILD)/linking),$(LINKING))
$(file >$(BUILD)/linking,$(LINKING))
endif
ifneq ($(file <$(BUILD)/recorded.mk),$(SETTINGS))
$(file >$(BUILD)/recorded.mk,$(SETTINGS))
endif
endif
# objects that contain PREFIX, SYSCONFDIR or DOCDIR
PREFIXED := $(BUILD)/obj/offloadd/conf.o $(BUILD)/obj/offloadctl/cmd_write.o $(BUILD)/obj/rules/rule_file.o
$(PREFIXED): override CPPFLAGS += -DOFFLOADD_PREFIX='"$(PREFIX)"' -DOFFLOADD_SYSCONFDIR='"$(SYSCONFDIR)"' -DOFFLOADD_DOCDIR='"$(DOCDIR)"'
$(PREFIXED): $(BUILD)/recorded.mk

.PHONY: help
help:
	@sed -n 's/^# \(  .*\)/\1/p; s/^# \(Variables .*\)/\1/p; /^BUILD/q' Makefile

# BPF programs: each bpf/NAME.bpf.c becomes a skeleton that probe.c includes.
CLANG ?= clang
BPFTOOL ?= $(or $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool),bpftool)
TRIPLE := $(or $(shell $(CC) -print-multiarch 2>/dev/null),$(shell gcc -print-multiarch 2>/dev/null),$(shell $(CC) -dumpmachine))
CPU := $(firstword $(subst -, ,$(TRIPLE)))
# the architecture by its name in bpf_tracing.h, which has the registers of arguments
ARCHS := x86_64:x86 i386:x86 i486:x86 i586:x86 i686:x86 aarch64:arm64 arm%:arm powerpc%:powerpc ppc%:powerpc s390x:s390 \
	riscv%:riscv loongarch%:loongarch mips%:mips sparc%:sparc
BPF_ARCH := $(firstword $(foreach arch,$(ARCHS),$(if $(filter $(firstword $(subst :, ,$(arch))),$(CPU)),$(lastword $(subst :, ,$(arch))))) $(CPU))
# the byte order of the host architecture, not of the build machine
BPF_TARGET := $(if $(filter s390x sparc% powerpc powerpc64 ppc ppc64 mips mips64 mipsisa%r6,$(CPU)),bpfeb,bpfel)
SKELETONS := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.skel.h,$(wildcard bpf/*.bpf.c))

define COMPILE_BPF
	@mkdir -p $(@D)
	@command -v $(CLANG) >/dev/null || { echo "$(CLANG) is needed to compile bpf/ (make deps)" >&2; exit 1; }
	$(CLANG) -target $(BPF_TARGET) -D__TARGET_ARCH_$(BPF_ARCH) -O2 -g -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra $(if $(WERROR),-Werror) \
		-Wno-unused-parameter $(filter -I%,$(PKG_CFLAGS)) -I/usr/include/$(TRIPLE) -c -o $@ $<
endef
$(BUILD)/bpf/%.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	$(COMPILE_BPF)
# the benchmark uses the product's own code
$(BUILD)/bpf/hit.o: tests/bench/hit.bpf.c tests/bench/hit.h $(wildcard bpf/*)
	$(COMPILE_BPF)
# what tc(8) loads in tests
$(BUILD)/bpf/verify-faults.o: tests/tools/verify-faults.bpf.c
	$(COMPILE_BPF)
$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.o
	@command -v $(BPFTOOL) >/dev/null || { echo "bpftool is needed to build (make deps)" >&2; exit 1; }
	$(BPFTOOL) gen object $(@:.skel.h=.linked.o) $<
	$(BPFTOOL) gen skeleton $(@:.skel.h=.linked.o) name $(subst -,_,$*)_bpf >$@.part
	mv $@.part $@
ifeq ($(BPF),yes)
$(patsubst %,$(BUILD)/obj/evidence/%.o,probe probe_udp probe_watch): $(SKELETONS)
endif
.SECONDARY: $(SKELETONS:.skel.h=.o)

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# the compiler does not list .incbin files as dependencies
$(BUILD)/obj/report/report_skeleton.o: src/report/report.html
# with link-time optimisation the linker does not see symbols defined in assembler
$(BUILD)/obj/report/report_skeleton.o: override CFLAGS += -fno-lto

$(LIB): $(LIB_OBJ) $(BUILD)/flags
	@rm -f $@
	$(AR) qcs $@ $(LIB_OBJ) # no r: two directories may have a file of one name

$(foreach main,$(MAIN_SRC:src/%.c=%),$(eval $(BUILD)/$(notdir $(main)): $(BUILD)/obj/$(main).o))
$(MAINS:%=$(BUILD)/%): $(LIB) $(BUILD)/linking
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LDLIBS)

# Everything except main() is in the library, so tests link the product.
.PHONY: unit test
unit: $(UNIT)
test: all $(UNIT:%=run-%)
.PHONY: $(UNIT:%=run-%)
$(UNIT:%=run-%): run-%: %
	@CMOCKA_MESSAGE_OUTPUT=TAP $< >$<.tap 2>&1 || { cat $<.tap; echo "$< failed" >&2; exit 1; }
	@echo "$(<F): $$(grep -c ^ok $<.tap) passed"
$(BUILD)/tests/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(UNIT_CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS) $(TEST_LIBS)

# whose allocations fail on demand (unit-malloc.h)
FAILING := malloc calloc realloc reallocarray strdup
$(BUILD)/tests/test-basic-json $(BUILD)/tests/test-json $(BUILD)/tests/test-ledger: override LDFLAGS += $(FAILING:%=-Wl,--wrap=%)

# whose accept4(2) fails on demand
$(BUILD)/tests/test-accept: override LDFLAGS += -Wl,--wrap=accept4

# whose kernel is a script (unit-bpf.h)
SCRIPTED := fopen fopen64 socket bind getsockname connect setsockopt send
$(BUILD)/tests/test-probe-kernel: override LDFLAGS += $(SCRIPTED:%=-Wl,--wrap=%)

# Small C programs for the VM tests and benchmarks.
TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tests/%,$(filter-out %.bpf.c,$(wildcard tests/tools/*.c))) \
	$(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c))) $(BUILD)/bpf/verify-faults.o
.PHONY: tools
tools: $(TOOLS) $(BUILD)/tests/test-json
$(BUILD)/tests/%: tests/tools/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)
$(BUILD)/tests/bench-hit: $(BUILD)/bpf/hit.skel.h tests/bench/hit.h
$(BUILD)/tests/%: tests/bench/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)

# To be preloaded: lets an allocation fail.
$(BUILD)/tests/fail-alloc.so: tests/alloc/fail-alloc.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(CFLAGS) -shared -fPIC -o $@ $<

# FUZZ_ENGINE, FUZZ_LD: for other fuzzing engines, see tests/fuzz/oss-fuzz
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz-*.c))
FUZZ_ENGINE ?= -fsanitize=fuzzer
FUZZ_LD ?= $(CC)
.PHONY: fuzz fuzz-targets
# a target is twice as fast without the operands of each comparison; what matters of these is in its dictionary
fuzz:
	$(MAKE) BUILD=build/fuzz CC=clang CFLAGS="-O2 -g1 -fno-sanitize-coverage=trace-cmp" \
		SANITIZE=fuzzer-no-link,address,undefined fuzz-targets
	$(if $(FUZZ_S)$(FUZZ_RUNS),tests/fuzz/explore $(FUZZ))
fuzz-targets: $(FUZZ:%=$(BUILD)/tests/%)
$(BUILD)/obj/fuzz/%.o: tests/fuzz/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/tests/fuzz-%: $(BUILD)/obj/fuzz/fuzz-%.o $(LIB)
	@mkdir -p $(@D)
	$(FUZZ_LD) $(CFLAGS) $(LDFLAGS) $(FUZZ_ENGINE) -o $@ $< $(LIB) $(LDLIBS)
.SECONDARY: $(FUZZ:%=$(BUILD)/obj/fuzz/%.o)

MAN := $(if $(filter yes,$(MANPAGES)),$(patsubst docs/%.scd,$(BUILD)/man/%,$(wildcard docs/*.scd)))
.PHONY: man
man: $(MAN)
$(BUILD)/man/%: docs/%.scd Makefile
	@mkdir -p $(@D)
	@command -v scdoc >/dev/null || { echo "scdoc is needed for the manual pages; without them: MANPAGES=no" >&2; exit 1; }
	echo "'\\\" t" >$@.part # a page with tables says so in its first line
	sed '1s/$$/ "offloadd $(VERSION)"/' $< | scdoc >>$@.part
	mv $@.part $@

# deps may install pkg-config and libraries that the top of this file uses, hence the second make.
.PHONY: deps
deps:
	tests/deps build

# Neither needs the packages for tests, nor root if its packages are installed.
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
.PHONY: run demo
run demo:
	@tests/deps build demo
	@$(MAKE) -sq all >/dev/null 2>&1 || echo "Building offloadd..."
	@$(MAKE) --no-print-directory -s $(PARALLEL) all
	@BUILD=$(BUILD) demo/$(if $(filter run,$@),host,run links)

.PHONY: check check-long soak coverage bench bench-evidence demo-evidence
check check-long:
	tests/deps build check $(if $(filter check-long,$@),long)
	LONG=$(if $(filter check-long,$@),1) tests/run
soak:
	tests/deps build check
	@$(MAKE) --no-print-directory -s all
	BUILD=$(BUILD) tests/soak/run
coverage:
	tests/deps build check
	tests/coverage
bench:
	tests/deps build bench
	@$(MAKE) --no-print-directory -s all tools
	tests/bench/run
bench-evidence:
	tests/deps build check bench
	@$(MAKE) --no-print-directory -s all tools
	tests/bench/evidence
demo-evidence:
	tests/deps build check
	@$(MAKE) --no-print-directory -s all tools
	@BUILD=$(BUILD) demo/run evidence

SHARE := $(DESTDIR)$(PREFIX)/share
DOC := $(DESTDIR)$(DOCDIR)
ETC := $(DESTDIR)$(SYSCONFDIR)/offloadd
# the address of docs/runbook.md, in the annotations of alerts
RUNBOOK_URL ?= file://$(DOCDIR)/runbook.md
# pages for users; the others are for contributors
PAGES := README.md SECURITY.md $(filter-out docs/design.md docs/hacking.md docs/testing.md,$(wildcard docs/*.md))
DATA := $(INSTALL) -m 644
EXAMPLES := ansible puppet salt container kubernetes
MISSING = $(filter-out $(wildcard $(1)),$(1))
# Paths in units and manual pages, and links in README.md: those of this installation.
HERE := sed -e 's,/usr/lib/offloadd/offloadd-\(hook\|netns\),@LIBEXEC@-\1,g' -e 's,/usr/lib/offloadd,$(PREFIX)/lib/offloadd,g' \
	-e 's,@LIBEXEC@,$(LIBEXECDIR)/offloadd/offloadd,g' -e 's,/usr/sbin/offloadd,$(SBINDIR)/offloadd,g' \
	-e 's,/usr/bin/offloadctl,$(BINDIR)/offloadctl,g' -e 's,/usr/share/doc/offloadd,$(DOCDIR),g' \
	-e 's,/etc/offloadd,$(SYSCONFDIR)/offloadd,g' -e 's,](docs/,](,g' -e 's,](\(\.\./\)\?contrib/,](examples/,g' \
	-e 's,](\.\./\([A-Z]*\.md\),](\1,g'

# What was built is installed, with whatever flags. Only what is missing is built.
.PHONY: install
install: | $(filter-out $(PASSIVE),$(MAKECMDGOALS)) $(filter man,$(MAKECMDGOALS))
	$(if $(call MISSING,$(MAINS:%=$(BUILD)/%)),$(MAKE) all)
	$(if $(call MISSING,$(MAN)),$(MAKE) man)
	@$(foreach name,$(RECORDED),$(if $(BUILT_$(name)),[ '$(BUILT_$(name))' = '$($(name))' ] || { echo \
		"install: $(BUILD) was built with $(name)=$(BUILT_$(name)) instead of $($(name)). Run: make $(name)=$($(name))" >&2; exit 1; };))
	@[ -z "$$(find src bpf -type f -newer $(BUILD)/offloadd -print -quit)" ] || \
		echo "install: warning: sources are newer than $(BUILD)/offloadd, which is installed as it is. To build it again: make" >&2
	$(INSTALL) -D -m 755 $(BUILD)/offloadd $(DESTDIR)$(SBINDIR)/offloadd
	$(INSTALL) -D -m 755 $(BUILD)/offloadd-hook $(DESTDIR)$(LIBEXECDIR)/offloadd/offloadd-hook
	$(INSTALL) -D -m 755 $(BUILD)/offloadd-netns $(DESTDIR)$(LIBEXECDIR)/offloadd/offloadd-netns
	$(INSTALL) -D -m 755 $(BUILD)/offloadctl $(DESTDIR)$(BINDIR)/offloadctl
	$(INSTALL) -d $(ETC)/rules.d $(ETC)/offloadd.conf.d $(DESTDIR)$(PREFIX)/lib/offloadd/rules.d $(DOC)/examples/prometheus $(DOC)/schema
	[ -e $(ETC)/offloadd.conf ] || $(DATA) systemd/offloadd.conf $(ETC)/offloadd.conf
	$(DATA) $(wildcard rules/*.rule) $(DESTDIR)$(PREFIX)/lib/offloadd/rules.d
	$(DATA) $(wildcard rules/examples/*) contrib/offloadd-alert@.service contrib/offloadd-restart.rules \
		$(wildcard contrib/offloadd-*.conf) $(DOC)/examples
	$(DATA) $(wildcard contrib/prometheus/*) $(DOC)/examples/prometheus
	sed -i 's,\(runbook_url: \)[^#]*,\1$(RUNBOOK_URL),' $(DOC)/examples/prometheus/*.rules.yml
	$(DATA) $(wildcard docs/schema/*.json) $(DOC)/schema
	cd contrib && for file in $$(find $(EXAMPLES) ! -type d ! -name '*.pyc'); do \
		mode=644; if [ -x $$file ]; then mode=755; fi; \
		$(INSTALL) -D -m $$mode $$file $(abspath $(DOC))/examples/$$file || exit 1; \
	done
	sed -i 's,](\.\./\.\./docs/,](../../,g' $(EXAMPLES:%=$(DOC)/examples/%/README.md)
	set -e; put() { mkdir -p $${2%/*}; $(HERE) $$1 >$$2; chmod 644 $$2; }; \
	for page in $(PAGES); do put $$page $(DOC)/$${page##*/}; done; \
	for page in $(MAN); do put $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done; \
	for unit in $(wildcard systemd/*.service systemd/*.socket); do put $$unit $(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	$(INSTALL) -D -m 644 systemd/offloadd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/offloadd.conf
	$(INSTALL) -D -m 644 systemd/offloadd.catalog $(DESTDIR)$(PREFIX)/lib/systemd/catalog/offloadd.catalog
	$(INSTALL) -D -m 644 contrib/completion/bash/offloadctl $(SHARE)/bash-completion/completions/offloadctl
	$(INSTALL) -D -m 644 contrib/completion/zsh/_offloadctl $(DESTDIR)$(ZSHDIR)/_offloadctl
	$(INSTALL) -D -m 644 contrib/completion/fish/offloadctl.fish $(SHARE)/fish/vendor_completions.d/offloadctl.fish

# Removes what install would write now, except settings, and directories that are empty afterwards.
.PHONY: uninstall
uninstall:
	root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && $(MAKE) --no-print-directory -s install DESTDIR="$$root" && cd "$$root" && \
	find . -type f ! -path '.$(SYSCONFDIR)/*' | sed 's,^\.,$(DESTDIR),' | xargs -d '\n' rm -f && \
	find . -depth -type d -path '*/offloadd*' ! -path '.$(SYSCONFDIR)/*' | sed 's,^\.,$(DESTDIR),' | \
		xargs -d '\n' rmdir --ignore-fail-on-non-empty 2>/dev/null || :

# The source and binary packages are built from a copy of HEAD, so that they contain only committed files.
.PHONY: deb
deb:
	tests/deps build deb
	rm -rf $(BUILD)/deb
	mkdir -p $(BUILD)/deb
	git archive --prefix=offloadd-$(VERSION)/ HEAD | tar -x -C $(BUILD)/deb
	cd $(BUILD)/deb/offloadd-$(VERSION) && dpkg-buildpackage --build=full --no-sign
	lintian --display-info --pedantic --fail-on error,warning $(BUILD)/deb/*.changes
	git rev-parse HEAD >$(BUILD)/deb/commit

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/obj/*/*.d)
