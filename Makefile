# SPDX-License-Identifier: GPL-2.0-or-later
# offloadd: keeps the offload features of every network interface as rules declare them.
#   make            build/offloadd, build/offloadctl
#   make deps       install what building and testing need (Debian 12 or later, root)
#   make run        deps, build, and a dry run on this host
#   make check      deps, build, all tests
#   make install    DESTDIR and PREFIX are honoured

BUILD ?= build
PREFIX ?= /usr
DESTDIR ?=
CFLAGS ?= -O2 -g
# make WERROR=1: warnings are errors (CI); make SANITIZE=address,undefined: instrumented build
WERROR ?=
SANITIZE ?=

PKGS := libnl-3.0 libnl-route-3.0 libmnl libsystemd json-c smartcols
VERSION := 0.1.0

override CFLAGS += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
override CPPFLAGS += -D_GNU_SOURCE -Isrc -DOFFLOADD_VERSION='"$(VERSION)"' -DOFFLOADD_PREFIX='"$(PREFIX)"' \
	$(shell pkg-config --cflags $(PKGS) 2>/dev/null) -I/usr/include/iniparser
override LDLIBS += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -liniparser
ifneq ($(WERROR),)
override CFLAGS += -Werror
endif
ifneq ($(SANITIZE),)
override CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=$(SANITIZE)
endif

MAINS := offloadd offloadctl
LIB_SRC := $(filter-out $(MAINS:%=src/%.c),$(wildcard src/*.c))
LIB_OBJ := $(LIB_SRC:src/%.c=$(BUILD)/obj/%.o)
LIB := $(BUILD)/liboffloadd.a
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test-*.c))

.PHONY: all
all: $(MAINS:%=$(BUILD)/%)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(MAINS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/%.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Everything but main() is in the library, so the tests link the product.
.PHONY: unit
unit: $(UNIT)
$(BUILD)/tests/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS) -lcmocka

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/obj/*.d)
