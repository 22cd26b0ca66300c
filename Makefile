# SPDX-License-Identifier: GPL-2.0
#
# The verbs of people. "make help" lists them; selftests/vm/ does the work of those that need other kernels.

SHELL := /bin/sh

# The kernel to build for: by version, or by its build folder.
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
PREFIX ?= /usr/local
DESTDIR ?=
NATTY_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/natty

# Objects of one kernel must never meet those of another, so each has its own copy of the sources.
RELEASE = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
BUILD ?= $(NATTY_CACHE)/build/$(RELEASE)
MODULE_SOURCES = Kbuild $(shell find module uapi -type f \( -name '*.[ch]' -o -name Kbuild \))

.DEFAULT_GOAL := all

all: module userctl ## build the module for KVER or KDIR, and the tool

module: kernel-there module-sources
	$(MAKE) -C $(KDIR) M=$(BUILD) modules
	@cp $(BUILD)/module/natty.ko module/natty.ko

module-sources:
	@mkdir -p $(BUILD)
	@cd $(BUILD) && find . -name '*.[ch]' ! -name '*.mod.c' | while read -r file; do \
		[ -e "$(CURDIR)/$$file" ] || rm -f "$$file"; done
	@for file in $(MODULE_SOURCES); do cmp -s $$file $(BUILD)/$$file || cp --parents $$file $(BUILD) || exit 1; done

kernel-there:
	@test -e $(KDIR)/Makefile || { \
		echo "natty: there is nothing to build a module against in $(KDIR)."; \
		echo "Install the headers of that kernel (Debian: apt install linux-headers-$(KVER)), or name another"; \
		echo "kernel: make KVER=6.1.0-18-amd64, or its build folder: make KDIR=/usr/src/linux"; \
		exit 1; } >&2

userctl:
	$(MAKE) -C userctl

install: install-module install-userctl ## install both, with manual pages and a sample configuration

install-module: module
	install -d $(DESTDIR)/lib/modules/$(RELEASE)/updates
	install -m 644 $(BUILD)/module/natty.ko $(DESTDIR)/lib/modules/$(RELEASE)/updates/natty.ko
	$(if $(DESTDIR),,depmod $(RELEASE))

install-userctl: userctl
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/man/man5
	install -d $(DESTDIR)$(PREFIX)/share/doc/natty
	install -m 755 userctl/userctl $(DESTDIR)$(PREFIX)/sbin/userctl
	install -m 644 userctl/userctl.8 $(DESTDIR)$(PREFIX)/share/man/man8/userctl.8
	install -m 644 userctl/natty.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/natty.conf.5
	install -m 644 userctl/natty.conf $(DESTDIR)$(PREFIX)/share/doc/natty/natty.conf

demo: ## boot Debian's own kernel and show a home network behind natty
	@selftests/vm/demo

vm: ## a shell in a guest that has natty loaded (K=uml-6.1, uml-7.3-debug, qemu-6.1, qemu-6.12)
	@selftests/vm/run $(if $(K),-k $(K)) -i

check: ## build, look at and test everything; T=NAME: one test (K=: on which kernel)
	@selftests/vm/check $(if $(K),-k $(K)) $(T)

lint: ## only what looks at the sources
	@selftests/vm/check lint

style: ## only the kernel's style checker
	@selftests/vm/check style

bench: ## measure
	@selftests/bench/run --icount

dkms: ## give the sources to dkms, which builds natty for every kernel that is installed, and will be
	@packaging/dkms-add

deb: ## Debian packages of tool and module sources, in packaging/out
	@packaging/make-deb

clean: ## remove what was built
	rm -rf $(NATTY_CACHE)/build
	rm -f module/natty.ko
	$(MAKE) -C userctl clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 16

.PHONY: all module module-sources kernel-there userctl install install-module install-userctl demo vm check lint style bench dkms \
	deb clean help
