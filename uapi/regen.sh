#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Generate the uapi header and the kernel's netlink policies from natty.yaml.
#
#   uapi/regen.sh           write uapi/linux/natty.h and module/netlink_gen.[ch]
#   uapi/regen.sh --check   exit 1 and show a diff if the committed files differ
#
# The generator is the kernel's own, of linux 6.12: others word some of their
# output differently. NATTY_YNL names a folder that holds its tools/net/ynl and
# Documentation/netlink; without it they are unpacked once, from Debian's
# linux-source-6.12, into NATTY_CACHE (~/.cache/natty). It needs python3-yaml
# and python3-jsonschema. Exit 2: the generator could not be run.

set -u

uapi=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$uapi")
cache=${NATTY_CACHE:-$HOME/.cache/natty}
ynl=${NATTY_YNL:-$cache/ynl-6.12}
tarball=/usr/src/linux-source-6.12.tar.xz

fail()
{
	echo "regen.sh: $*" >&2
	exit 2
}

unpack()
{
	local part

	[ -r "$tarball" ] ||
		fail "no generator in $ynl: apt-get install linux-source-6.12, or set NATTY_YNL"
	mkdir -p "$cache" || fail "cannot create $cache"
	part=$(mktemp -d "$cache/ynl-part.XXXXXX") || fail "cannot write to $cache"
	tar -xf "$tarball" -C "$part" --strip-components=1 \
		linux-source-6.12/tools/net/ynl \
		linux-source-6.12/Documentation/netlink ||
		{ rm -rf "$part"; fail "cannot unpack $tarball"; }
	# Whoever comes second keeps what the first one unpacked.
	mv -T "$part" "$ynl" 2>/dev/null || rm -rf "$part"
}

generate() # mode, --header or --source, output file
{
	(cd "$tmp/tree" &&
	 timeout 60 python3 "$gen" --mode "$1" "$2" -o "$3" \
		 --spec Documentation/netlink/specs/natty.yaml) ||
		fail "the generator failed"
}

check=
case "${1-}" in
"") ;;
--check) check=1 ;;
*) echo "usage: regen.sh [--check]" >&2; exit 2 ;;
esac

gen=$ynl/tools/net/ynl/ynl-gen-c.py
[ -r "$gen" ] || unpack
[ -r "$gen" ] || fail "no $gen"
python3 -c 'import yaml, jsonschema' 2>/dev/null ||
	fail "apt-get install python3-yaml python3-jsonschema"

tmp=$(mktemp -d) || fail "cannot create a temporary folder"
trap 'rm -rf "$tmp"' EXIT

# The generator looks for the schema beside the folder of the specification,
# and for the top of a kernel tree by its file MAINTAINERS.
mkdir -p "$tmp/tree/Documentation/netlink/specs"
touch "$tmp/tree/MAINTAINERS"
cp "$ynl"/Documentation/netlink/*.yaml "$tmp/tree/Documentation/netlink/" ||
	fail "no schema in $ynl"
cp "$uapi/natty.yaml" "$tmp/tree/Documentation/netlink/specs/" || exit 2

generate uapi --header "$tmp/natty.h"
generate kernel --header "$tmp/netlink_gen.h"
generate kernel --source "$tmp/netlink_gen.c"

status=0
while read -r new old; do
	if [ -n "$check" ]; then
		diff -u "$top/$old" "$tmp/$new" || status=1
	else
		mkdir -p "$(dirname "$top/$old")"
		cmp -s "$tmp/$new" "$top/$old" || cp "$tmp/$new" "$top/$old" || status=2
	fi
done <<-EOF
	natty.h uapi/linux/natty.h
	netlink_gen.h module/netlink_gen.h
	netlink_gen.c module/netlink_gen.c
EOF

[ $status = 1 ] && echo "regen.sh: generated files differ from uapi/natty.yaml; run uapi/regen.sh" >&2
exit $status
