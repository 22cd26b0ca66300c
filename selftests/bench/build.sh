# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What is measured, and the generator, as modules for the kernel that kernel_get made ready.

# bench_module FLAVOUR COMMIT FILE: natty.ko as it is in a commit, while others change the sources; without a commit
# that of the working tree.
bench_module() {
	local tree=$CACHE/build/bench-tree-$1

	if [ -z "$2" ]; then
		module_build "$1" "$3"
		return
	fi
	rm -rf "$tree" && mkdir -p "$tree/src" && git -C "$TOP_DIR" archive "$2" | tar x -C "$tree/src" &&
		make --no-print-directory -C "$tree/src" module KDIR="$K_BUILD" BUILD="$tree/build" \
			${K_ARCH:+ARCH=$K_ARCH} >"$CACHE/log/bench-module.log" 2>&1 &&
		cp "$tree/build/module/natty.ko" "$3" && return 0
	say "the module of $2 does not build (see $CACHE/log/bench-module.log)"
	return 1
}

# The generator for what pktgen cannot make.
blast_build() {
	local build=$CACHE/build/bench-blast log=$CACHE/log/bench-blast.log

	need "${BUILD_PACKAGES[@]}"
	mkdir -p "$build" && cp -u "$BENCH_DIR"/blast/* "$build/" &&
		make -C "$K_BUILD" ${K_ARCH:+ARCH=$K_ARCH} M="$build" modules >"$log" 2>&1 && return 0
	tail -n 20 "$log" >&2
	return 1
}
