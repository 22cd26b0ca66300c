# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# natty.ko for each kernel flavour, built through the top-level Makefile.

# module_build FLAVOUR FILE [MAKE_VARIABLE...]: needs kernel_get before; copies the module to FILE.
module_build() {
	local flavour=$1 file=$2 log

	shift 2
	log=$CACHE/log/module-$flavour.log
	# The lock covers the copying too: the next build must not write what this one reads.
	once "module-$flavour${TOP_DIR//\//-}" module_make "$flavour" "$file" "$@" >"$log" 2>&1 && return 0
	grep -E -A3 'error|warning|\*\*\*|No such|ERROR' "$log" >&2 || tail -n 20 "$log" >&2
	say "natty.ko for $flavour does not build (all of it: $log)"
	return 1
}

module_make() {
	local flavour=$1 file=$2

	shift 2
	make --no-print-directory -j"$(nproc)" -C "$TOP_DIR" module KDIR="$K_BUILD" BUILD="$BUILDS/$flavour" \
		${K_ARCH:+ARCH=$K_ARCH} "$@" && cp "$BUILDS/$flavour/module/natty.ko" "$file"
}

# The tool is the same for all guests; a copy, so that a guest is not disturbed by the next build.
tool_build() {
	local log=$CACHE/log/userctl.log

	[ -e "$TOP_DIR/userctl/Makefile" ] || return 0
	need "${BUILD_PACKAGES[@]}"
	once "userctl${TOP_DIR//\//-}" tool_make "$1" >"$log" 2>&1 && return 0
	tail -n 20 "$log" >&2
	say "userctl does not build (all of it: $log)"
	return 1
}

tool_make() {
	make --no-print-directory -j"$(nproc)" -C "$TOP_DIR/userctl" && mkdir -p "$1" && cp "$TOP_DIR/userctl/userctl" "$1/"
}
