# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of userctl(8) for bash.

# Words that may follow the words of a rule so far.
_userctl_rule()
{
	local behaviours="endpoint-independent address-dependent address-and-port-dependent"
	local matches="not iif oif src dst proto sport dport mark"
	local actions="accept masquerade snat dnat redirect netmap"
	local options="random persistent mapping filtering"
	local word

	case $1 in
	iif|oif) _userctl_interfaces; return ;;
	proto) echo "tcp udp icmp icmpv6 sctp dccp udplite gre esp ah ipip"; return ;;
	mapping|filtering) echo "$behaviours"; return ;;
	snat) echo "pool"; return ;;
	pool) _userctl_pools; return ;;
	src|dst) echo "local"; return ;;
	sport|dport|mark|dnat|netmap) return ;;
	esac
	for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do
		case $word in
		accept|masquerade|snat|dnat|redirect|netmap)
			echo "$options"
			return
			;;
		esac
	done
	echo "$matches $actions"
}

_userctl_interfaces()
{
	local path

	for path in /sys/class/net/*; do
		echo "${path##*/}"
	done
}

_userctl_pools()
{
	userctl pool list 2>/dev/null | while read -r _ name _; do
		echo "$name"
	done
}

_userctl_keys()
{
	userctl get 2>/dev/null | while read -r key _; do
		echo "$key"
	done
}

# What may follow, $4 words into the command $1, whose next word is $2 and whose
# last complete one is $3.
_userctl_words()
{
	local chains="prerouting postrouting output input"

	case $4:$1 in
	1:rule) echo "add insert list delete flush" ;;
	1:pool|1:forward) echo "add list delete flush" ;;
	1:conn) echo "list count delete flush" ;;
	1:mapping) echo "list" ;;
	1:set|1:get) _userctl_keys ;;
	1:monitor) echo "--count" ;;
	*:apply) echo "--dry-run" ;;
	*:translate)
		case $3 in
		--profile) echo "iptables rfc" ;;
		*) echo "-4 -6 --profile" ;;
		esac
		;;
	2:rule)
		[ "$2" = delete ] && echo "id"
		echo "$chains"
		;;
	*:rule) case $2 in add|insert) _userctl_rule "$3" ;; esac ;;
	2:pool) [ "$2" = delete ] && _userctl_pools ;;
	*:pool) [ "$2" = add ] && echo "ports" ;;
	2:forward) echo "tcp udp sctp dccp udplite" ;;
	*:conn)
		case $3 in
		proto) echo "tcp udp icmp icmpv6 sctp dccp udplite gre esp" ;;
		src|dst|sport|dport) ;;
		*) echo "not src dst proto sport dport" ;;
		esac
		;;
	2:set)
		echo "default on off"
		case $2 in
		profile) echo "rfc iptables" ;;
		mapping|filtering) _userctl_rule mapping ;;
		tcp.unsolicited) echo "port-unreachable silent pass" ;;
		icmp.exhausted) echo "host-unreachable admin-prohibited silent" ;;
		esac
		;;
	esac
}

_userctl()
{
	local word=${COMP_WORDS[COMP_CWORD]}
	local commands="apply save status rule pool forward set get conn mapping stats monitor translate"
	local at=1 words

	[ "${COMP_WORDS[1]}" = --json ] && at=2
	if [ "$COMP_CWORD" -le "$at" ]; then
		words="$commands --help"
		[ "$COMP_CWORD" = 1 ] && words="$words --json --version"
	else
		words=$(_userctl_words "${COMP_WORDS[at]}" \
			"${COMP_WORDS[at + 1]}" "${COMP_WORDS[COMP_CWORD - 1]}" \
			$((COMP_CWORD - at)))
		[ "${word:0:1}" = - ] && words="$words --help"
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	if [[ ${COMP_WORDS[at]} = @(apply|translate) ]] && [ "$COMP_CWORD" -gt "$at" ]; then
		compopt -o filenames
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -F _userctl userctl
