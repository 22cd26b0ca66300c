#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What programs that know NATs say of natty, and those that need a good one.
#
#  a 10.0.0.2, .3 --- lan0 [ra: natty] wan0 198.51.100.1 ---+
#  b 10.1.0.2     --- lan0 [rb: natty] wan0 203.0.113.1 ----+--- [s] 192.0.2.10, .11
#  i 10.2.0.2, .3 --- lan0 [ri: iptables] wan0 192.0.2.129 -+
#
# IPv6 the same with fd00:N::/64 inside, 2001:db8:N::1 outside, the server at
# 2001:db8:9::10 and ::11. In s are two STUN servers, stund (RFC 3489) and
# turnserver (RFC 5780). The three homes do not know of each other.

# Cases are called by name, in subshells, and other shells expand what they are given.
# shellcheck disable=SC2317,SC2016,SC2086,SC2030,SC2031

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
. "$here/lib/common.sh"

SERVER=192.0.2.10 SERVER_ALT=192.0.2.11
SERVER6=2001:db8:9::10 SERVER6_ALT=2001:db8:9::11
STUN_PORT=3478		# stund; its other port is the next one
TURN_PORT=3480		# turnserver

# Four minutes of silence, ten times faster; so are the timeouts of rb and ri.
SCALE=10
IDLE=$((240 / SCALE))

# home HOST ROUTER NUMBER OUTSIDE_ADDRESS NEXT_HOP
home() {
	link "$1" eth0 "$2" lan0
	link "$2" wan0 s "to$1"
	router "$2"
	addr "$1" eth0 "10.$3.0.2/24" "10.$3.0.3/24" "fd00:$3::2/64" "fd00:$3::3/64"
	addr "$2" lan0 "10.$3.0.1/24" "fd00:$3::1/64"
	addr "$2" wan0 "$4" "2001:db8:$3::1/64"
	addr s "to$1" "$5" "2001:db8:$3::fe/64"
	ip -n "$NS$1" route add default via "10.$3.0.1"
	ip -n "$NS$1" route add default via "fd00:$3::1"
	ip -n "$NS$2" route add default via "${5%/*}"
	ip -n "$NS$2" route add default via "2001:db8:$3::fe"
}

set_up() {
	netns_add a ra b rb i ri s
	home a ra 0 198.51.100.1/24 198.51.100.254/24
	home b rb 1 203.0.113.1/24 203.0.113.254/24
	home i ri 2 192.0.2.129/25 192.0.2.254/25
	router s
	addr s lo $SERVER/32 $SERVER_ALT/32 $SERVER6/128 $SERVER6_ALT/128
	{
		echo 'rule postrouting oif wan0 masquerade'
		echo "set timeout.udp $((300 / SCALE))"
		echo "set timeout.udp-replied $((300 / SCALE))"
	} | configure rb
	until_ok 5 in_ns a ping -q -c1 -W1 10.0.0.1 >/dev/null
	until_ok 5 in_ns b ping -q -c1 -W1 $SERVER >/dev/null
}

# The real thing, without natty. False where it cannot be had.
masquerade_by_iptables() {
	in_ns ri iptables-legacy -t nat -A POSTROUTING -o wan0 -j MASQUERADE &&
		in_ns ri ip6tables-legacy -t nat -A POSTROUTING -o wan0 -j MASQUERADE &&
		in_ns ri sh -c "cd /proc/sys/net/netfilter &&
			echo $((30 / SCALE)) >nf_conntrack_udp_timeout &&
			echo $((120 / SCALE)) >nf_conntrack_udp_timeout_stream"
}

need_iptables() {
	[ -e "$WORK/iptables" ] || skip 'no iptables-legacy nat table'
}

start_servers() {
	if command -v stund >/dev/null; then
		start s stund -h $SERVER -a $SERVER_ALT -p $STUN_PORT -o $((STUN_PORT + 1))
		until_ok 10 listens s udp $STUN_PORT
	fi
	if command -v turnserver >/dev/null; then
		start s turnserver -n -m 1 -L $SERVER -L $SERVER_ALT -L $SERVER6 -L $SERVER6_ALT \
			-p $TURN_PORT --alt-listening-port $((TURN_PORT + 1)) --no-auth --no-tls --no-dtls \
			--no-cli --log-file stdout --userdb "$WORK/turndb" --pidfile "$WORK/turnpid"
		until_ok 20 listens s udp $TURN_PORT
	fi
	start s python3 -S -E "$here/lib/quic.py" server $SERVER 443
	until_ok 10 listens s udp 443
}

# The configuration of ra from standard input, without memory of the one before.
configure_a() {
	configure ra
	in_ns ra userctl conn flush >/dev/null
}

rfc() {
	echo "rule postrouting oif wan0 masquerade $*" | configure_a
}

as_iptables() {
	printf 'set profile iptables\nrule postrouting oif wan0 masquerade\n' | configure_a
}

# What stund's client says: stun_type HOST [PORT ADDRESS]
stun_type() {
	need stun stund
	in_ns "$1" timeout $((30 * PATIENCE)) stun $SERVER:$STUN_PORT ${2:+-p "$2"} ${3:+-i "$3"} >"$WORK/stun-$1" 2>&1 ||
		true # its exit code is the type of NAT
	sed -n 's/^Primary: *\(.*[^[:space:]]\)[[:space:]]*$/\1/p' "$WORK/stun-$1"
}

# What coturn's client says: turn_type HOST SERVER OPTION...
turn_type() {
	need turnutils_natdiscovery turnserver
	turn_host=$1 turn_server=$2
	shift 2
	in_ns "$turn_host" timeout $((60 * PATIENCE)) turnutils_natdiscovery "$@" -p $TURN_PORT "$turn_server" \
		>"$WORK/turn-$turn_host" 2>&1 || { cat "$WORK/turn-$turn_host"; fail 'turnutils_natdiscovery'; }
	sed -n -e 's/^NAT with \(.*\)!$/\1/p' -e 's/^No NAT.*/&/p' -e 's/.*successful hairpin.*/Hairpinning/p' \
		"$WORK/turn-$turn_host" | paste -sd, -
}

is() {
	[ "$1" = "$2" ] || fail "said '$1', expected '$2'"
}

# stun WANTED RULE_OPTION...
stun_says() {
	wanted=$1
	shift
	rfc "$@"
	is "$(stun_type a)" "$wanted"
}

# Another host has the port already: stun_clash WANTED RULE_OPTION...
stun_clash() {
	wanted=$1
	shift
	rfc "$@"
	stun_type a 6000 10.0.0.3 >/dev/null
	is "$(stun_type a 6000 10.0.0.2)" "$wanted"
}

# turn_says WANTED SERVER RULE_OPTION...
turn_says() {
	wanted=$1 server=$2
	shift 2
	rfc "$@"
	is "$(turn_type a $server -m -f)" "$wanted"
}

turn_hairpin() {
	rfc filtering endpoint-independent
	is "$(turn_type a $1 -H)" Hairpinning
}

# turn_clash WANTED
turn_clash() {
	rfc
	turn_type a $SERVER -m -L 10.0.0.3 -l 7000 >/dev/null
	is "$(turn_type a $SERVER -m -L 10.0.0.2 -l 7000)" "$1"
}

# Both must say the same of iptables and of natty as iptables. They are asked at the same time, as they wait for
# what does not come: same FUNCTION [ARGUMENT...], which is called with host and number of the home, too.
same() {
	need_iptables
	as_iptables
	"$@" i 2 >"$WORK/real" &
	said=$("$@" a 0)
	wait $!
	is "$said" "$(cat "$WORK/real")"
}

type_stun() {
	stun_type "$1"
}

type_stun_clash() {
	stun_type "$1" 6000 "10.$2.0.3" >/dev/null
	stun_type "$1" 6000 "10.$2.0.2"
}

type_turn() {
	turn_type "$2" $1 -m -f
}

type_turn_clash() {
	turn_type "$1" $SERVER -m -L "10.$2.0.3" -l 7000 >/dev/null
	turn_type "$1" $SERVER -m -L "10.$2.0.2" -l 7000
}

stun_parity() {
	same type_stun
	is "$said" 'Independent Mapping, Port Dependent Filter, preserves ports, no hairpin'
}

turn_parity() {
	same type_turn $1
	is "$said" 'Endpoint Independent Mapping,Address and Port Dependent Filtering'
}

# Without a relay: each must have reached the other's router.
ice() {
	need stund
	python3 -c 'import aioice' 2>/dev/null || skip 'no python3-aioice'
	rfc
	mkdir "$WORK/ice"
	in_ns b timeout $((50 * PATIENCE)) python3 "$here/lib/ice.py" answer call "$WORK/ice" $SERVER $STUN_PORT \
		>"$WORK/ice-b" 2>&1 &
	in_ns a timeout $((50 * PATIENCE)) python3 "$here/lib/ice.py" call answer "$WORK/ice" $SERVER $STUN_PORT \
		>"$WORK/ice-a" 2>&1 || { cat "$WORK/ice-a" "$WORK/ice-b"; fail 'the caller'; }
	wait $! || { cat "$WORK/ice-b"; fail 'the answerer'; }
	# The caller's own side may show as its inside or its outside address.
	grep -q ' [a-z]* 203.0.113.1$' "$WORK/ice-a" || { cat "$WORK/ice-a"; fail 'not directly'; }
	grep -q ' [a-z]* 198.51.100.1$' "$WORK/ice-b" || { cat "$WORK/ice-b"; fail 'not directly'; }
}

need_wireguard() {
	need wg
	ip -n "${NS}a" link add wgtest type wireguard 2>/dev/null || skip 'no wireguard in this kernel'
	ip -n "${NS}a" link del wgtest
}

# wg_make NS DEVICE ADDRESS PORT: its public key stays in $WORK/NS-DEVICE.
wg_make() {
	(umask 77 && wg genkey >"$WORK/key")
	wg pubkey <"$WORK/key" >"$WORK/$1-$2"
	ip -n "$NS$1" link add "$2" type wireguard
	in_ns "$1" wg set "$2" private-key "$WORK/key" listen-port "$4"
	ip -n "$NS$1" addr add "$3/24" dev "$2"
	ip -n "$NS$1" link set "$2" up
}

# wg_peer NS DEVICE PEER_NS PEER_DEVICE PEER_ADDRESS [ENDPOINT [KEEPALIVE]]
wg_peer() {
	in_ns "$1" wg set "$2" peer "$(cat "$WORK/$3-$4")" allowed-ips "$5/32" ${6:+endpoint "$6"} \
		${7:+persistent-keepalive "$7"}
}

wg_pings() {
	in_ns "$1" ping -q -c"${3:-1}" -W$((5 * PATIENCE)) -s 1300 "$2" >"$WORK/wgping" ||
		{ cat "$WORK/wgping"; in_ns "$1" wg; fail "ping from $1 to $2"; }
}

# Neither can be called before it has called, as with any two peers at home.
wireguard_peers() {
	need_wireguard
	rfc
	wg_make a wg1 10.8.0.1 51821
	wg_make b wg1 10.8.0.2 51821
	wg_peer a wg1 b wg1 10.8.0.2 203.0.113.1:51821 25
	wg_peer b wg1 a wg1 10.8.0.1 198.51.100.1:51821 25
	until_ok 15 in_ns a ping -q -c1 -W1 10.8.0.2 >/dev/null
	wg_pings a 10.8.0.2 5
	wg_pings b 10.8.0.1 5
	# A router that forgets everything is no reason to stay apart.
	in_ns ra userctl conn flush >/dev/null
	wg_pings a 10.8.0.2
}

# An endpoint that has had an answer says once that it is there, ten seconds after; silence begins then.
idle_wireguard() {
	need_wireguard
	wg_make b wg0 10.9.0.1 51820
	wg_make s wg0 10.9.0.2 51820
	wg_peer b wg0 s wg0 10.9.0.2 $SERVER:51820
	wg_peer s wg0 b wg0 10.9.0.1
	until_ok 10 in_ns b ping -q -c1 -W1 10.9.0.2 >/dev/null
	sleep $((10 + IDLE))
	wg_pings s 10.9.0.1
}

# idle_quic HOST: what its client says.
idle_quic() {
	in_ns "$1" python3 -S -E "$here/lib/quic.py" client $SERVER 443 $IDLE $((4 * PATIENCE)) >"$WORK/said"
}

# Start the function $2 in the background as $1; what it found is there for "found" in the end.
later() {
	(
		WORK=$WORK/$1
		mkdir "$WORK"
		shift
		(set -e; "$@") >"$WORK/log" 2>&1
		echo $? >"$WORK/status"
	) &
	say $! >>"$WORK/pids"
}

# found NAME [WANTED]: the end of what was started as NAME, and what its program said.
found() {
	until_ok 60 test -s "$WORK/$1/status"
	[ ! -e "$WORK/$1/skip" ] || { cp "$WORK/$1/skip" "$WORK/skip"; exit 4; }
	[ "$(cat "$WORK/$1/status")" = 0 ] || { cat "$WORK/$1/log"; fail "$1"; }
	[ $# -lt 2 ] || is "$(cat "$WORK/$1/said")" "$2"
}

# Of real time, not of the tenth.
five_minutes() {
	is "$(in_ns ra userctl get timeout.udp | cut -d" " -f1-2)" 'timeout.udp 300'
	is "$(in_ns ra userctl get timeout.udp-replied | cut -d" " -f1-2)" 'timeout.udp-replied 300'
}

# What this machine's iptables loses, so that "kept" means something.
idle_iptables() {
	need_iptables
	found quic-iptables lost
}

prepare set_up
prepare start_servers
masquerade_by_iptables >/dev/null 2>&1 && : >"$WORK/iptables"
later quic idle_quic b
later quic-iptables idle_quic i
later wireguard idle_wireguard

ADF='Independent Mapping, Address Dependent Filter'
EIF='Independent Mapping, Independent Filter'
TURN_ADF='Endpoint Independent Mapping,Address Dependent Filtering'
TURN_EIF='Endpoint Independent Mapping,Endpoint Independent Filtering'

plan 22
check 'users_hairpin stun: the default' stun_says "$ADF, preserves ports, will hairpin"
check 'users_full_cone users_hairpin stun: full cone' stun_says "$EIF, preserves ports, will hairpin" filtering endpoint-independent
check 'stun: the default, a taken port' stun_clash "$ADF, random port, will hairpin"
check 'stun: symmetric on request' stun_says 'Dependent Mapping, random port, no hairpin' \
	random mapping address-and-port-dependent filtering address-and-port-dependent
check 'stun: profile iptables is like iptables' stun_parity
check 'stun: profile iptables is like iptables, a taken port' same type_stun_clash
for server in $SERVER $SERVER6; do
	check "natdiscovery $server: the default" turn_says "$TURN_ADF" $server
	check "users_full_cone natdiscovery $server: full cone" turn_says "$TURN_EIF" $server filtering endpoint-independent
	check "users_full_cone users_hairpin natdiscovery $server: full cone hairpins" turn_hairpin $server
	check "natdiscovery $server: profile iptables is like iptables" turn_parity $server
done
check 'natdiscovery: the default, a taken port' turn_clash 'Endpoint Independent Mapping'
check 'natdiscovery: profile iptables is like iptables, a taken port' same type_turn_clash
check 'users_direct ICE agents behind two routers connect directly' ice
check 'users_direct WireGuard peers behind two routers connect directly' wireguard_peers
check 'users_idle WireGuard: an idle tunnel can be called from outside' found wireguard
check 'users_idle QUIC: four minutes of silence end nothing' found quic kept
check 'QUIC: they do with iptables' idle_iptables
check 'users_idle QUIC: the default is five minutes' five_minutes
finish
