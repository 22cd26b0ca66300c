#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Real programs and real stacks through the router.
#
#  client               router            middle              server
#  10.0.0.2 ---- lan0 [natty] wan0 ---- [      ] ---- 203.0.113.10
#  fd00:a::2  10.0.0.1   198.51.100.1   .20   203.0.113.1   2001:db8:2::10
#
# The middle router makes traceroute and path-MTU discovery worth a test. The
# server has no way back to the inside addresses: nothing works untranslated.

# Cases are called by name, and other shells expand what they are given.
# shellcheck disable=SC2317,SC2016,SC2086

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
. "$here/lib/common.sh"

SERVER=203.0.113.10
SERVER6=2001:db8:2::10
BYTES=20000000

set_up() {
	netns_add c r m s
	link c eth0 r lan0
	link r wan0 m near
	link m far s eth0
	router r m
	addr c eth0 10.0.0.2/24 fd00:a::2/64
	addr r lan0 10.0.0.1/24 fd00:a::1/64
	addr r wan0 198.51.100.1/24 2001:db8:1::1/64
	addr m near 198.51.100.20/24 2001:db8:1::20/64
	addr m far 203.0.113.1/24 2001:db8:2::1/64
	addr s eth0 $SERVER/24 $SERVER6/64
	ip -n "${NS}c" route add default via 10.0.0.1
	ip -n "${NS}c" route add default via fd00:a::1
	ip -n "${NS}r" route add 203.0.113.0/24 via 198.51.100.20
	ip -n "${NS}r" route add 2001:db8:2::/64 via 2001:db8:1::20
	ip -n "${NS}s" route add 198.51.100.0/24 via 203.0.113.1
	ip -n "${NS}s" route add 2001:db8:1::/64 via 2001:db8:2::1
	configure r <<-END
		rule postrouting oif wan0 src 10.0.0.0/24 masquerade
		rule postrouting oif wan0 src fd00:a::/64 masquerade
		forward tcp 198.51.100.1:8080 10.0.0.2:80
		forward tcp [2001:db8:1::1]:8080 [fd00:a::2]:80
	END
	mkdir "$WORK/www"
	head -c $BYTES /dev/urandom >"$WORK/www/big"
	head -c 20000 /dev/urandom >"$WORK/www/small"
	sum=$(sha256sum "$WORK/www/big" | cut -d' ' -f1)
	start s python3 -S -E "$here/lib/httpd.py" 80 "$WORK/www"
	start c python3 -S -E "$here/lib/httpd.py" 80 "$WORK/www"
	until_ok 10 listens s tcp 80
	until_ok 10 listens c tcp 80
	until_ok 5 in_ns c ping -q -c1 -W1 $SERVER >/dev/null
}

# Fetch $2 in the namespace $1 and compare it with what was served.
fetch() {
	rm -f "$WORK/got"
	in_ns "$1" timeout $((60 * PATIENCE)) curl -gsSf -o "$WORK/got" "$2"
	got=$(sha256sum "$WORK/got" | cut -d' ' -f1)
	[ "$got" = "$sum" ] || fail "sha256 $got, expected $sum"
}

offload() {
	need ethtool
	for at in 'c eth0' 'r lan0' 'r wan0' 's eth0'; do
		# shellcheck disable=SC2086 # two words
		set -- $at "$@"
		in_ns "$1" ethtool -K "$2" tx "$3" >/dev/null
		shift 2
	done
}

# Checksums that the sender leaves to the device, and the router completes.
fetch_partial() {
	need ethtool
	in_ns r ethtool -K wan0 tx off
	in_ns r ethtool -K lan0 tx off
	fetch c "http://$1/big"
	put_big "$1"
	in_ns r ethtool -K wan0 tx on
	in_ns r ethtool -K lan0 tx on
}

# Checksums that the sender computes.
fetch_whole() {
	offload off
	fetch c "http://$1/big"
	put_big "$1"
	offload on
}

put_big() {
	got=$(in_ns c timeout $((60 * PATIENCE)) curl -gsSf -T "$WORK/www/big" "http://$1/up")
	[ "$got" = "$sum" ] || fail "sha256 of the upload $got, expected $sum"
}

# Packets of many segments must stay whole on their way through the router.
gso() {
	# shellcheck disable=SC2046 # two words
	set -- $(wan_counts)
	fetch c "http://$SERVER/big"
	# shellcheck disable=SC2046
	set -- "$@" $(wan_counts)
	packets=$(($4 - $2)) bytes=$(($3 - $1))
	[ $bytes -gt $BYTES ] || fail "$bytes bytes went through wan0"
	[ $((bytes / packets)) -gt 4000 ] ||
		fail "$bytes bytes in $packets packets: segments were taken apart"
}

wan_counts() {
	in_ns r cat /proc/net/dev | sed -n 's/.*wan0: *\([0-9]*\) *\([0-9]*\).*/\1 \2/p'
}

parallel() {
	in_ns c sh -c '
		for n in $(seq 50); do
			timeout '$((60 * PATIENCE))' curl -gsSf -o "'"$WORK"'/p$n" "http://$0/small" &
		done
		wait' "$1"
	for n in $(seq 50); do
		cmp "$WORK/www/small" "$WORK/p$n"
		rm "$WORK/p$n"
	done
	count=$(in_ns r userctl conn count src "$2" proto tcp dport 80)
	[ "$count" -ge 50 ] || fail "$count connections are listed"
}

iperf() {
	need iperf3
	in_ns s iperf3 -s -1 -D
	until_ok 10 listens s tcp 5201
	in_ns c timeout $((20 * PATIENCE)) iperf3 "$@" -t 1 -J >"$WORK/iperf"
	bytes=$(sed -n 's/.*"bytes":[^0-9]*\([0-9]*\).*/\1/p' "$WORK/iperf" | tail -1)
	[ "$bytes" -gt 100000 ] || { cat "$WORK/iperf"; fail "only $bytes bytes"; }
	! grep -q '"error"' "$WORK/iperf"
}

pings() {
	for size in 0 56 1472 1473 4432 8000; do
		in_ns c ping -q -n -M dont -c2 -i0.2 -W$((2 * PATIENCE)) -s $size "$1" >"$WORK/ping"
		grep -q ' 2 received' "$WORK/ping" || { cat "$WORK/ping"; fail "size $size"; }
	done
}

dns() {
	need dnsmasq dig
	if ! listens s udp 53; then
		fail 'dnsmasq does not listen'
	fi
	for how in +notcp +tcp; do
		answer=$(in_ns c timeout $((20 * PATIENCE)) dig +short +tries=2 \
			+time=$((3 * PATIENCE)) "@$1" a.test A $how)
		[ "$answer" = 192.0.2.7 ] || fail "$how: $answer"
	done
	# Both kinds from one port at once, as resolvers ask.
	in_ns c sh -c '
		for n in $(seq 20); do
			dig -b 0.0.0.0#$((40000 + n)) +short +tries=1 +time='$((3 * PATIENCE))' \
				@'"$1"' a.test A b.test AAAA >"'"$WORK"'/dns$n" &
		done
		wait'
	for n in $(seq 20); do
		[ "$(tr '\n' ' ' <"$WORK/dns$n")" = '192.0.2.7 2001:db8::7 ' ] ||
			fail "answer $n: $(cat "$WORK/dns$n")"
	done
}

trace() {
	need traceroute
	dest=$1 hops=$2
	shift 2
	in_ns c timeout $((30 * PATIENCE)) traceroute -n -q1 -m5 -w$((2 * PATIENCE)) "$@" \
		"$dest" >"$WORK/trace"
	got=$(sed -n 's/^ *[0-9]*  \([^ ]*\) .*/\1/p' "$WORK/trace" | tr '\n' ' ')
	[ "$got" = "$hops " ] || { cat "$WORK/trace"; fail "hops $got, expected $hops"; }
}

# The way behind the middle router is narrower than the client knows: it must
# be told, by an ICMP error about its translated packet. A narrow link would not
# do, as the server would announce a segment size that fits.
pmtu() {
	trap narrow_no_more EXIT
	ip -n "${NS}m" route add $SERVER/32 dev far mtu lock 1300
	ip -n "${NS}m" route add $SERVER6/128 dev far mtu lock 1300
	put_big "$1"
	fetch c "http://$1/big"
	ip -n "${NS}c" route get "$2" | grep -q 'mtu 1300' || {
		ip -n "${NS}c" route get "$2"
		fail 'the client did not learn the MTU'
	}
	if in_ns c ping -q -n -M "do" -c1 -W$((2 * PATIENCE)) -s 1400 "$2" >"$WORK/ping" 2>&1; then
		fail 'a ping of 1400 bytes passed a way of 1300'
	fi
}

narrow_no_more() {
	ip -n "${NS}m" route del $SERVER/32
	ip -n "${NS}m" route del $SERVER6/128
}

inbound() {
	fetch s "http://$1:8080/big"
}

# The router's own programs work beside those that it translates.
own() {
	fetch r "http://$SERVER/big"
	in_ns r ping -q -c1 -W$((2 * PATIENCE)) $SERVER >/dev/null
	in_ns s ping -q -c1 -W$((2 * PATIENCE)) 198.51.100.1 >/dev/null
	in_ns c ping -q -c1 -W$((2 * PATIENCE)) 10.0.0.1 >/dev/null
}

shown() {
	in_ns r userctl conn list proto tcp dport 80 | grep -q 'src=10.0.0.2'
	in_ns r userctl --json stats | grep -q '"drops"'
	in_ns r userctl mapping list | grep -q 198.51.100.1
}

command -v curl >/dev/null || skip_all 'no curl'
prepare set_up
if command -v dnsmasq >/dev/null; then
	start s dnsmasq -k -C /dev/null -R -h -u root --pid-file= --log-facility=- \
		--address=/a.test/192.0.2.7 --address=/b.test/2001:db8::7
	until_ok 10 listens s udp 53
fi

plan 30
for server in $SERVER "[$SERVER6]"; do
	check "curl of 20 MB from $server" fetch c "http://$server/big"
	check "upload of 20 MB to $server" put_big "$server"
	check "checksums completed by the router, $server" fetch_partial "$server"
	check "checksums completed by the sender, $server" fetch_whole "$server"
done
check 'packets of many segments stay whole' gso
check '50 parallel curls' parallel $SERVER 10.0.0.2
check '50 parallel curls, IPv6' parallel "[$SERVER6]" fd00:a::2
check 'iperf3 TCP' iperf -c $SERVER
check 'iperf3 TCP reverse' iperf -c $SERVER -R
check 'iperf3 UDP' iperf -c $SERVER -u -b 20M
check 'iperf3 TCP, IPv6' iperf -c $SERVER6
check 'ping up to 8000 bytes' pings $SERVER
check 'ping up to 8000 bytes, IPv6' pings $SERVER6
check 'dig against dnsmasq' dns $SERVER
for how in '-U -p 33434' -I -T; do
	check "traceroute $how" trace $SERVER "10.0.0.1 198.51.100.20 $SERVER" $how
	check "traceroute $how, IPv6" trace $SERVER6 "fd00:a::1 2001:db8:1::20 $SERVER6" $how
done
check 'path-MTU discovery' pmtu $SERVER $SERVER
check 'path-MTU discovery, IPv6' pmtu "[$SERVER6]" $SERVER6
check 'curl to a static forward' inbound 198.51.100.1
check 'curl to a static forward, IPv6' inbound '[2001:db8:1::1]'
check "the router's own traffic" own
check 'what userctl shows' shown
finish
