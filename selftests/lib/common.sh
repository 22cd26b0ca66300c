# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For test programs in sh: KTAP, network namespaces, cleaning up.
#
# A case is a function; it runs in a subshell with -e, so the first command
# that fails ends it. What it prints is shown only then. "skip REASON" ends it
# as skipped.

KTAP_NUMBER=0
KTAP_FAILED=0
KTAP_PASSED=0
NS=natty$$			# prefix of every name that this test makes
WORK=$(mktemp -d) || exit 1
: >"$WORK/pids"

# Waiting costs nothing where it is not needed: machines that emulate get more.
PATIENCE=1
[ "${NATTY_SLOW:-0}" = 0 ] || PATIENCE=8

say() {
	printf '%s\n' "$*"
}

plan() {
	say 'KTAP version 1'
	say "1..$1"
}

skip_all() {
	say 'KTAP version 1'
	say "1..0 # SKIP $*"
	exit 4
}

skip() {
	say "SKIP $*" >"$WORK/skip"
	exit 4
}

need() {
	for program; do
		command -v "$program" >/dev/null || skip "no $program"
	done
}

# Run the function $2 with the arguments behind it as the case $1.
check() {
	name=$1
	shift
	KTAP_NUMBER=$((KTAP_NUMBER + 1))
	rm -f "$WORK/skip"
	(
		set -e
		"$@"
	) >"$WORK/log" 2>&1
	case $? in
	0)
		KTAP_PASSED=$((KTAP_PASSED + 1))
		say "ok $KTAP_NUMBER $name"
		;;
	4)
		if [ -s "$WORK/skip" ]; then
			say "ok $KTAP_NUMBER $name # $(cat "$WORK/skip")"
			return
		fi
		failed
		;;
	*)
		failed
		;;
	esac
}

failed() {
	KTAP_FAILED=1
	tail -40 "$WORK/log" | sed 's/^/# /'
	say "not ok $KTAP_NUMBER $name"
}

# Without the topology there is nothing to test.
prepare() {
	"$@" >"$WORK/log" 2>&1 && return
	plan 1
	name='setting up'
	KTAP_NUMBER=1
	failed
	exit 1
}

fail() {
	say "$*" >&2
	return 1
}

finish() {
	[ "$KTAP_FAILED" = 0 ] || exit 1
	[ "$KTAP_PASSED" -gt 0 ] || exit 4
	exit 0
}

# Start a program in the background, in the namespace $1, until the end.
start() {
	ns=$1
	shift
	ip netns exec "$NS$ns" "$@" >>"$WORK/background" 2>&1 </dev/null &
	say $! >>"$WORK/pids"
}

clean_up() {
	trap - EXIT INT TERM HUP
	while read -r pid; do
		kill "$pid" 2>/dev/null
	done <"$WORK/pids"
	wait 2>/dev/null
	for ns in $(ip netns list | sed -n "s/^\\(${NS}[a-z0-9]*\\).*/\\1/p"); do
		ip netns del "$ns"
	done
	rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

netns_add() {
	for ns; do
		ip netns add "$NS$ns"
		ip netns exec "$NS$ns" sh -c '
			echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
			echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad
			ip link set lo up' 2>/dev/null
	done
}

# A link between two namespaces: link NS1 DEVICE1 NS2 DEVICE2
link() {
	ip -n "$NS$1" link add "$2" type veth peer name "$4" netns "$NS$3"
	ip -n "$NS$1" link set "$2" up
	ip -n "$NS$3" link set "$4" up
}

# addr NS DEVICE ADDRESS...
addr() {
	ns=$1 dev=$2
	shift 2
	for a; do
		case $a in
		*:*) ip -n "$NS$ns" addr add "$a" dev "$dev" nodad ;;
		*) ip -n "$NS$ns" addr add "$a" dev "$dev" ;;
		esac
	done
}

# Make a namespace forward packets of both families.
router() {
	for ns; do
		ip netns exec "$NS$ns" sh -c '
			echo 1 >/proc/sys/net/ipv4/ip_forward
			echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
			echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
			echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter'
	done
}

in_ns() {
	ns=$1
	shift
	ip netns exec "$NS$ns" "$@"
}

# Run a command until it succeeds, at most $1 seconds long.
until_ok() {
	tries=$(($1 * 10 * PATIENCE))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "in vain: $*" || return 1
		sleep 0.1
	done
}

# Is somebody listening on the port? listens NS tcp|udp PORT
listens() {
	case $2 in
	tcp) in_ns "$1" ss -Hltn "sport = :$3" | grep -q . ;;
	udp) in_ns "$1" ss -Hlun "sport = :$3" | grep -q . ;;
	esac
}

configure() {
	in_ns "$1" userctl apply -
}
