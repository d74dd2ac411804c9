# SPDX-License-Identifier: GPL-2.0-or-later
# offloadd: enforces rules for network offload features.
#   make            build/offloadd, build/offloadctl
#   make deps       install the packages to build (Debian 12 or later, root)
#   make run        deps, build, show this host with offloadctl; if no rule matches, play the first half of the demo
#   make demo       deps, build, play the incident in a user-mode kernel: no root, no virtual machine, ten seconds
#   make demo-evidence  play the incident with traffic, stale connections and a restart, in a VM, in about a minute
#   make check      deps, build, run all tests; KERNELS="6.1" and LAYERS="unit vm" select some
#   make check-long the same, with long random runs
#   make bench      deps, build, measure offloadd and its alternatives (docs/performance.md)
#   make bench-evidence  measure the cost of probes under real traffic, in an emulated machine
#   make fuzz       build/fuzz/tests/fuzz-*, with clang and libFuzzer; FUZZ_S=600 runs each for so many seconds, FUZZ_RUNS=N as often
#   make soak       a busy day within SOAK_S=3600 seconds, in a user-mode kernel (KERNEL=6.1)
#   make coverage   which lines the tests execute, for each directory (docs/testing.md)
#   make install    honours DESTDIR and PREFIX; keeps an existing offloadd.conf
#   make uninstall  remove the installed files, but keep /etc/offloadd
#   make deb        build/deb/*.deb, from committed files, checked with lintian

BUILD ?= build
PREFIX ?= /usr
UNITDIR ?= $(PREFIX)/lib/systemd/system
DESTDIR ?=
CFLAGS ?= -O2 -g
# make WERROR=1: warnings are errors (CI); make SANITIZE=address,undefined: instrumented build
WERROR ?=
SANITIZE ?=

PKG_CONFIG ?= pkg-config
PKGS := libnl-3.0 libnl-route-3.0 libmnl libsystemd smartcols libbpf
TEST_LIBS := -lcmocka -ljson-c # json-c reads what we write, so that no mistake of ours hides in both
VERSION := 0.1.0

override CFLAGS += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
override CPPFLAGS += -D_GNU_SOURCE -Isrc -I. -I$(BUILD)/bpf -DOFFLOADD_VERSION='"$(VERSION)"' \
	$(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null) -I/usr/include/iniparser
override LDLIBS += $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -liniparser
ifneq ($(WERROR),)
override CFLAGS += -Werror
endif
ifneq ($(SANITIZE),)
override CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=$(SANITIZE)
endif

MAINS := offloadd offloadd-hook offloadctl
MAIN_SRC := src/offloadd/offloadd.c src/offloadd/offloadd-hook.c src/offloadctl/offloadctl.c
LIB_SRC := $(filter-out $(MAIN_SRC),$(wildcard src/*/*.c))
LIB_OBJ := $(LIB_SRC:src/%.c=$(BUILD)/obj/%.o)
LIB := $(BUILD)/liboffloadd.a
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test-*.c))

.PHONY: all
all: $(MAINS:%=$(BUILD)/%)

# A different compiler or different flags rebuild everything; a different PREFIX rebuilds only the objects that contain it. Goals that build
# nothing themselves must not write here: `sudo make deps` would create a directory owned by root, and `make deb` would store other flags.
FLAGS := $(subst -I$(BUILD)/,-I,$(CC) $(CPPFLAGS) $(CFLAGS)) # independent of the build directory
ifneq ($(filter-out deps clean man run demo check check-long soak coverage bench deb fuzz uninstall %-evidence,$(or $(MAKECMDGOALS),all)),)
ifneq ($(file <$(BUILD)/flags),$(FLAGS))
$(shell mkdir -p $(BUILD))
$(file >$(BUILD)/flags,$(FLAGS))
endif
ifneq ($(file <$(BUILD)/prefix),$(PREFIX))
$(file >$(BUILD)/prefix,$(PREFIX))
endif
endif
# objects that contain PREFIX
PREFIXED := $(BUILD)/obj/offloadd/conf.o $(BUILD)/obj/offloadctl/cmd_write.o $(BUILD)/obj/rules/rule_file.o
$(PREFIXED): override CPPFLAGS += -DOFFLOADD_PREFIX='"$(PREFIX)"'
$(PREFIXED): $(BUILD)/prefix

# BPF programs: each bpf/NAME.bpf.c becomes a skeleton that probe.c includes.
CLANG ?= clang
BPFTOOL ?= $(or $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool),bpftool)
TRIPLE := $(or $(shell $(CC) -print-multiarch 2>/dev/null),$(shell gcc -print-multiarch 2>/dev/null),$(shell uname -m)-linux-gnu)
BPF_ARCH := $(patsubst x86_64-%,x86,$(patsubst aarch64-%,arm64,$(patsubst powerpc64le-%,powerpc,$(patsubst \
	ppc64le-%,powerpc,$(patsubst s390x-%,s390,$(patsubst riscv64-%,riscv,$(TRIPLE)))))))
# the byte order of the host architecture, not of the build machine
BPF_TARGET := $(if $(filter s390x-%,$(TRIPLE)),bpfeb,bpfel)
SKELETONS := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.skel.h,$(wildcard bpf/*.bpf.c))

define COMPILE_BPF
	@mkdir -p $(@D)
	@command -v $(CLANG) >/dev/null || { echo "$(CLANG) is needed to compile bpf/ (make deps)" >&2; exit 1; }
	$(CLANG) -target $(BPF_TARGET) -D__TARGET_ARCH_$(BPF_ARCH) -O2 -g -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra $(if $(WERROR),-Werror) \
		-Wno-unused-parameter -I/usr/include/$(TRIPLE) -c -o $@ $<
endef
$(BUILD)/bpf/%.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	$(COMPILE_BPF)
# the benchmark uses the product's own code
$(BUILD)/bpf/hit.o: tests/bench/hit.bpf.c tests/bench/hit.h $(wildcard bpf/*)
	$(COMPILE_BPF)
$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.o
	@command -v $(BPFTOOL) >/dev/null || { echo "bpftool is needed to build (make deps)" >&2; exit 1; }
	$(BPFTOOL) gen object $(@:.skel.h=.linked.o) $<
	$(BPFTOOL) gen skeleton $(@:.skel.h=.linked.o) name $(subst -,_,$*)_bpf >$@.part
	mv $@.part $@
$(patsubst %,$(BUILD)/obj/evidence/%.o,probe probe_udp probe_watch): $(SKELETONS)
.SECONDARY: $(SKELETONS:.skel.h=.o)

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# the compiler does not list .incbin files as dependencies
$(BUILD)/obj/report/report_skeleton.o: src/report/report.html
# with link-time optimisation the linker does not see symbols defined in assembler
$(BUILD)/obj/report/report_skeleton.o: override CFLAGS += -fno-lto

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(AR) qcs $@ $^ # no r: two directories may have a file of one name

$(foreach main,$(MAIN_SRC:src/%.c=%),$(eval $(BUILD)/$(notdir $(main)): $(BUILD)/obj/$(main).o))
$(MAINS:%=$(BUILD)/%): $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LDLIBS)

# Everything except main() is in the library, so tests link the product.
.PHONY: unit
unit: $(UNIT)
$(BUILD)/tests/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS) $(TEST_LIBS)

# whose allocations fail on demand (unit-malloc.h)
FAILING := malloc calloc realloc reallocarray strdup
$(BUILD)/tests/test-basic-json $(BUILD)/tests/test-json $(BUILD)/tests/test-ledger: override LDFLAGS += $(FAILING:%=-Wl,--wrap=%)

# whose accept4(2) fails on demand
$(BUILD)/tests/test-accept: override LDFLAGS += -Wl,--wrap=accept4

# Small C programs for the VM tests and benchmarks.
TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tests/%,$(wildcard tests/tools/*.c)) \
	$(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
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
fuzz:
	$(MAKE) BUILD=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzz-targets
	$(if $(FUZZ_S)$(FUZZ_RUNS),tests/fuzz/explore $(FUZZ))
fuzz-targets: $(FUZZ:%=$(BUILD)/tests/%)
$(BUILD)/obj/fuzz/%.o: tests/fuzz/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/tests/fuzz-%: $(BUILD)/obj/fuzz/fuzz-%.o $(LIB)
	@mkdir -p $(@D)
	$(FUZZ_LD) $(CFLAGS) $(LDFLAGS) $(FUZZ_ENGINE) -o $@ $< $(LIB) $(LDLIBS)
.SECONDARY: $(FUZZ:%=$(BUILD)/obj/fuzz/%.o)

MAN := $(patsubst docs/%.scd,$(BUILD)/man/%,$(wildcard docs/*.scd))
.PHONY: man
man: $(MAN)
$(BUILD)/man/%: docs/%.scd
	@mkdir -p $(@D)
	scdoc <$< >$@.part
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
	tests/deps build check
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
# the address of docs/runbook.md, in the annotations of alerts
RUNBOOK_URL ?= file://$(PREFIX)/share/doc/offloadd/runbook.md
# pages for users; the others are for contributors
PAGES := ansible baseline fleet puppet runbook salt
.PHONY: install
install: all man
	install -D -m 755 $(BUILD)/offloadd $(DESTDIR)$(PREFIX)/sbin/offloadd
	install -D -m 755 $(BUILD)/offloadd-hook $(DESTDIR)$(PREFIX)/lib/offloadd/offloadd-hook
	install -D -m 755 $(BUILD)/offloadctl $(DESTDIR)$(PREFIX)/bin/offloadctl
	[ -e $(DESTDIR)/etc/offloadd/offloadd.conf ] || \
		install -D -m 644 systemd/offloadd.conf $(DESTDIR)/etc/offloadd/offloadd.conf
	install -d $(DESTDIR)/etc/offloadd/rules.d $(DESTDIR)/etc/offloadd/offloadd.conf.d
	install -d $(DESTDIR)$(PREFIX)/lib/offloadd/rules.d $(SHARE)/doc/offloadd/examples/prometheus
	install -m 644 $(wildcard rules/*.rule) $(DESTDIR)$(PREFIX)/lib/offloadd/rules.d
	install -m 644 $(wildcard rules/examples/*) contrib/offloadd-alert@.service contrib/offloadd-restart.rules \
		$(wildcard contrib/offloadd-*.conf) $(SHARE)/doc/offloadd/examples
	install -m 644 $(wildcard contrib/prometheus/*) $(SHARE)/doc/offloadd/examples/prometheus
	sed -i 's,\(runbook_url: \)[^#]*,\1$(RUNBOOK_URL),' $(SHARE)/doc/offloadd/examples/prometheus/*.rules.yml
	cd contrib && for file in $$(find ansible puppet salt ! -type d ! -name '*.pyc'); do \
		mode=644; if [ -x $$file ]; then mode=755; fi; \
		install -D -m $$mode $$file $(abspath $(SHARE))/doc/offloadd/examples/$$file || exit 1; \
	done
	install -m 644 $(PAGES:%=docs/%.md) $(SHARE)/doc/offloadd
	for page in $(MAN); do \
		install -D -m 644 $$page $(SHARE)/man/man$${page##*.}/$${page##*/} || exit 1; \
	done
	install -d $(DESTDIR)$(UNITDIR)
	for unit in $(wildcard systemd/*.service systemd/*.socket systemd/*.target); do \
		sed 's,=\(-\?\)/usr/,=\1$(PREFIX)/,' $$unit >$(DESTDIR)$(UNITDIR)/$${unit##*/} && chmod 644 $(DESTDIR)$(UNITDIR)/$${unit##*/} || exit 1; \
	done
	install -D -m 644 systemd/offloadd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/offloadd.conf
	install -D -m 644 systemd/offloadd.catalog \
		$(DESTDIR)$(PREFIX)/lib/systemd/catalog/offloadd.catalog
	install -D -m 644 contrib/completion/bash/offloadctl \
		$(SHARE)/bash-completion/completions/offloadctl

# Removes what install would write now, except settings, and directories that are empty afterwards.
.PHONY: uninstall
uninstall:
	root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && $(MAKE) --no-print-directory -s install DESTDIR="$$root" && cd "$$root" && \
	find . -type f ! -path './etc/*' | sed 's,^\.,$(DESTDIR),' | xargs -d '\n' rm -f && \
	find . -depth -type d -path '*/offloadd*' ! -path './etc/*' | sed 's,^\.,$(DESTDIR),' | \
		xargs -d '\n' rmdir --ignore-fail-on-non-empty 2>/dev/null || :

# The package is built from a copy of HEAD, so that it contains only committed files.
.PHONY: deb
deb:
	tests/deps build deb
	rm -rf $(BUILD)/deb
	mkdir -p $(BUILD)/deb
	git archive --prefix=offloadd-$(VERSION)/ HEAD | tar -x -C $(BUILD)/deb
	cd $(BUILD)/deb/offloadd-$(VERSION) && dpkg-buildpackage --build=binary --no-sign
	lintian --fail-on error,warning $(BUILD)/deb/*.changes
	git rev-parse HEAD >$(BUILD)/deb/commit

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/obj/*/*.d)
