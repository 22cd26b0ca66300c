# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# A folder with Debian's next release: the newest kernel's headers need tools that this release does not have.

NEXT=$CACHE/next-release

next_sources() {
	local address

	address=$(archive_address)
	[ -n "$address" ] || return 1
	printf 'deb %s %s main\n' "$address" trixie "$address" trixie-backports >"$1/etc/apt/sources.list"
}

next_apt() {
	chroot "$1" apt-get -qq -y --no-install-recommends -t trixie-backports "${@:2}"
}

# objtool and apt look at /proc; unmounted again at once, so that the folder can be removed at any time.
next_make() (
	set -e
	rm -rf --one-file-system "$NEXT" "$NEXT.part"
	debootstrap --variant=minbase trixie "$NEXT.part" "$(archive_address)"
	next_sources "$NEXT.part"
	[ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf "$NEXT.part/etc/resolv.conf"
	mount -t proc proc "$NEXT.part/proc"
	trap 'umount "$NEXT.part/proc"' EXIT
	next_apt "$NEXT.part" update
	next_apt "$NEXT.part" install make sparse linux-headers-amd64 linux-source-7.3
	rm -f "$NEXT.part"/var/cache/apt/archives/*.deb
	umount "$NEXT.part/proc"
	trap - EXIT
	mv "$NEXT.part" "$NEXT"
)

next_ready() {
	need debootstrap
	[ -e "$NEXT/usr/src/linux-source-7.3.tar.xz" ] || logged "unpack the next release" next_make
}

next_version() {
	dpkg-query --admindir "$NEXT/var/lib/dpkg" -W -f '${Version}' "$1"
}

# next_run FOLDER COMMAND...: runs a command in the next release, with FOLDER at /build.
next_run() {
	local folder=$1

	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	# Its own mount namespace: nothing stays mounted, whatever happens.
	unshare --mount sh -c '
		mount -t proc proc "$1/proc" && mkdir -p "$1/build" && mount --bind "$2" "$1/build" || exit 1
		root=$1
		shift 2
		exec chroot "$root" "$@"' sh "$NEXT" "$folder" "$@"
}
