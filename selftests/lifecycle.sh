#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Namespaces, addresses, links and the module itself come and go under traffic.
#
#  client               router                server
#  10.0.0.2 ---- lan0 [natty] wan0 ---- 198.51.100.10
#  fd00:a::2  10.0.0.1  |     198.51.100.1  2001:db8:1::10
#                       +- alt0 198.51.101.1 ---- 198.51.101.10

# Cases are called by name, and other shells expand what they are given.
# shellcheck disable=SC2317,SC2016,SC2086

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
. "$here/lib/common.sh"

ROUNDS=${NATTY_ROUNDS:-50}
RULES='rule postrouting oif wan0 masquerade
rule postrouting oif alt0 masquerade'

# The whole topology, with the suffix $1 so that several may exist.
set_up() {
	netns_add "c$1" "r$1" "s$1"
	link "c$1" eth0 "r$1" lan0
	link "r$1" wan0 "s$1" eth0
	link "r$1" alt0 "s$1" eth1
	router "r$1"
	addr "c$1" eth0 10.0.0.2/24 fd00:a::2/64
	addr "r$1" lan0 10.0.0.1/24 fd00:a::1/64
	addr "r$1" wan0 198.51.100.1/24 2001:db8:1::1/64
	addr "r$1" alt0 198.51.101.1/24
	addr "s$1" eth0 198.51.100.10/24 2001:db8:1::10/64
	addr "s$1" eth1 198.51.101.10/24
	ip -n "${NS}c$1" route add default via 10.0.0.1
	ip -n "${NS}c$1" route add default via fd00:a::1
	say "$RULES" | configure "r$1"
}

tear_down() {
	for ns in c r s; do
		ip netns del "$NS$ns$1"
	done
}

ping_once() {
	in_ns "$1" ping -q -n -c1 -W$((2 * PATIENCE)) "$2"
}

count() {
	in_ns r userctl conn count "$@"
}

# How many connections have the address as their external one?
using() {
	in_ns r userctl conn list | grep -c "dst=$1 " || true
}

gone() {
	[ "$(using "$1")" = 0 ]
}

address_change() {
	in_ns r userctl conn flush
	ping_once c 198.51.100.10
	ping_once c 198.51.101.10
	[ "$(using 198.51.100.1)" = 1 ] || fail "flows of .100.1: $(using 198.51.100.1)"
	[ "$(using 198.51.101.1)" = 1 ] || fail "flows of .101.1: $(using 198.51.101.1)"
	ip -n "${NS}r" addr add 198.51.100.7/24 dev wan0
	ip -n "${NS}r" addr del 198.51.100.1/24 dev wan0
	# The last address of a network may take its secondary ones along.
	ip -n "${NS}r" addr replace 198.51.100.7/24 dev wan0
	until_ok 5 gone 198.51.100.1
	[ "$(using 198.51.101.1)" = 1 ] || fail 'flows of the other interface are gone'
	ping_once c 198.51.100.10
	[ "$(using 198.51.100.7)" = 1 ] || fail 'new flows do not use the new address'
	ip -n "${NS}r" addr del 198.51.100.7/24 dev wan0
	ip -n "${NS}r" addr add 198.51.100.1/24 dev wan0
	until_ok 5 gone 198.51.100.7
	ping_once c 198.51.100.10
}

link_down() {
	in_ns r userctl conn flush
	ping_once c 198.51.100.10
	ping_once c 198.51.101.10
	ip -n "${NS}r" link set wan0 down
	until_ok 5 gone 198.51.100.1
	[ "$(using 198.51.101.1)" = 1 ] || fail 'flows of the other interface are gone'
	ip -n "${NS}r" link set wan0 up
	addr r wan0 2001:db8:1::1/64 2>/dev/null || true
	until_ok 5 ping_once c 198.51.100.10
}

address_change6() {
	in_ns r userctl conn flush
	until_ok 5 ping_once c 2001:db8:1::10
	[ "$(using 2001:db8:1::1)" = 1 ] || fail 'no flow'
	addr r wan0 2001:db8:1::7/64
	ip -n "${NS}r" addr del 2001:db8:1::1/64 dev wan0
	until_ok 5 gone 2001:db8:1::1
	until_ok 5 ping_once c 2001:db8:1::10
	[ "$(using 2001:db8:1::7)" = 1 ] || fail 'new flows do not use the new address'
	addr r wan0 2001:db8:1::1/64
	ip -n "${NS}r" addr del 2001:db8:1::7/64 dev wan0
}

drops() {
	in_ns r userctl --json stats | sed -n 's/.*"'"$1"'": \([0-9]*\).*/\1/p'
}

no_address() {
	before=$(drops no-address)
	ip -n "${NS}r" addr flush dev wan0
	ip -n "${NS}r" route add 198.51.100.0/24 dev wan0
	came_back=no
	if ping_once c 198.51.100.10; then
		came_back=yes
	fi
	after=$(drops no-address)
	neighbours=$(ip -n "${NS}s" neigh show)
	ip -n "${NS}r" route del 198.51.100.0/24 dev wan0
	addr r wan0 198.51.100.1/24 2001:db8:1::1/64
	until_ok 5 ping_once c 198.51.100.10
	[ "$came_back" = no ] || fail 'a ping came back'
	[ "$after" -gt "$before" ] || fail 'not counted as no-address'
	# Had it left with its own address, the server would have heard of it.
	case $neighbours in
	*10.0.0.*) fail 'an inside address leaked' ;;
	esac
}

# An interface that rules name goes away and comes back.
device_gone() {
	ip -n "${NS}r" link del alt0
	ping_once c 198.51.100.10
	link r alt0 s eth1
	addr r alt0 198.51.101.1/24
	addr s eth1 198.51.101.10/24
	until_ok 5 ping_once c 198.51.101.10
	[ "$(using 198.51.101.1)" -ge 1 ] || fail 'the new interface is not translated'
	ip -n "${NS}r" link set wan0 down
	ip -n "${NS}r" link set wan0 name wan7
	ip -n "${NS}r" link set wan7 name wan0
	ip -n "${NS}r" link set wan0 up
	addr r wan0 2001:db8:1::1/64 2>/dev/null || true
	until_ok 5 ping_once c 198.51.100.10
	[ "$(using 198.51.100.1)" -ge 1 ] || fail 'a renamed interface is not translated'
}

namespaces() {
	for round in 1 2 3 4 5; do
		set_up x
		in_ns cx ping -q -n -i0.01 -c200 -W1 198.51.100.10 >/dev/null &
		pinging=$!
		ping_once cx 198.51.101.10
		until_ok 5 ping_once cx 2001:db8:1::10
		[ "$(in_ns rx userctl conn count)" -ge 2 ]
		# The router dies first, with its connections, under traffic.
		ip netns del "${NS}rx"
		kill $pinging
		ip netns del "${NS}cx"
		ip netns del "${NS}sx"
	done
	ping_once c 198.51.100.10
}

# No namespace sees the configuration and connections of another.
isolated() {
	set_up y
	in_ns ry userctl conn flush
	ping_once c 198.51.100.10
	[ "$(in_ns ry userctl conn count)" = 0 ] || fail 'connections of another namespace'
	in_ns ry userctl apply - </dev/null
	in_ns r userctl save | grep -q masquerade || fail 'the other configuration is gone'
	ping_once cy 198.51.100.10 && fail 'translated without a rule'
	tear_down y
}

loaded() {
	[ -d /sys/module/natty ]
}

unload() {
	until_ok 5 rmmod natty
}

reload() {
	[ -r "${NATTY_KO:-}" ] || skip 'NATTY_KO does not name the module'
	start c ping -q -n -i0.002 198.51.100.10
	start c ping -q -n -i0.005 -s 3000 198.51.101.10
	start c ping -q -n -i0.005 2001:db8:1::10
	round=0
	while [ $round -lt $ROUNDS ]; do
		unload
		insmod "$NATTY_KO"
		say "$RULES" | configure r
		if [ $((round % 10)) = 0 ]; then
			until_ok 5 ping_once c 198.51.100.10
			[ "$(using 198.51.100.1)" -ge 1 ]
		fi
		round=$((round + 1))
	done
	until_ok 5 ping_once c 198.51.100.10
}

references() {
	loaded || skip 'natty is built into the kernel'
	used=$(cat /sys/module/natty/refcnt)
	[ "$used" = 0 ] || fail "$used references while nobody uses the module"
	in_ns r timeout 60 userctl monitor >"$WORK/monitor" &
	listening=$!
	ping_once c 198.51.100.10
	kill $listening
	wait $listening || true
	used=$(cat /sys/module/natty/refcnt)
	[ "$used" = 0 ] || fail "$used references after a monitor"
}

# Removing the module with a namespace's death in progress.
unload_dying() {
	[ -r "${NATTY_KO:-}" ] || skip 'NATTY_KO does not name the module'
	for round in 1 2 3; do
		set_up z
		ping_once cz 198.51.100.10
		tear_down z
		unload
		insmod "$NATTY_KO"
	done
	say "$RULES" | configure r
	until_ok 5 ping_once c 198.51.100.10
}

prepare set_up ''
prepare until_ok 5 ping_once c 198.51.100.10

plan 10
check 'masquerade follows the address' address_change
check 'masquerade follows the address, IPv6' address_change6
check 'a link that goes down takes its flows' link_down
check 'without an address packets are dropped' no_address
check 'interfaces come, go and change their names' device_gone
check 'a namespace is deleted with live connections' namespaces
check 'namespaces are apart' isolated
check 'references to the module' references
check "rmmod and insmod under traffic, $ROUNDS rounds" reload
check 'rmmod after the death of a namespace' unload_dying
finish
