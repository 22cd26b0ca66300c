# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# What every script here shares: where things are, how to speak, how to wait for one another.

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP_DIR=$(cd "$VM_DIR/../.." && pwd)
CACHE=${NATTY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/natty}
# Each checkout builds on its own.
BUILDS=$CACHE/build/${TOP_DIR//\//-}
ALL_FLAVOURS="uml-6.1 uml-7.3-debug qemu-6.1 qemu-6.12"

mkdir -p "$CACHE/log" "$BUILDS" "$CACHE/jobs" "$CACHE/results"

say() {
	printf '%s\n' "natty: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# once NAME COMMAND...: runs COMMAND in this shell while no other process runs one of the same NAME.
once() {
	local lock="$CACHE/log/$1.lock" fd status

	shift
	exec {fd}>"$lock"
	flock "$fd"
	"$@" {fd}>&-
	status=$?
	exec {fd}>&-
	return "$status"
}

# logged NAME COMMAND...: keeps the output of something long in a file; shows its end when it fails.
logged() {
	local log="$CACHE/log/${1// /-}.log" begin=$SECONDS

	say "$1 ..."
	shift
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 30 "$log" >&2
		say "failed: $* (all of it: $log)"
		return 1
	fi
	say "... $((SECONDS - begin)) s"
}

# stamp TEXT...: a short name for a set of inputs, for folders that hold what was made from them.
stamp() {
	printf '%s\n' "$@" | sha256sum | cut -c1-10
}
