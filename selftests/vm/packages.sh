# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Debian packages: install what is missing, fetch and unpack what only has to lie somewhere as files.

export DEBIAN_FRONTEND=noninteractive
# A kernel that is only here to be looked at needs no initramfs of the host.
export INITRD=No

BUILD_PACKAGES=(build-essential pkg-config libmnl-dev libjansson-dev kmod)
UML_PACKAGES=(bc bison cpio flex libelf-dev libssl-dev python3 rsync xz-utils)
QEMU_PACKAGES=(busybox-static cpio qemu-system-x86 xz-utils)
GUEST_PACKAGES=(conntrack curl dnsmasq-base dnsutils ethtool iperf3 iproute2 ipset iptables
	iputils-ping libmnl0 libjansson4 netcat-openbsd nftables procps python3 python3-jsonschema
	python3-yaml socat strace tcpdump traceroute)
# Known clients of a NAT, and the libraries of those in UNPACKED_PACKAGES. These would start servers on the host if
# they were installed; so they are only unpacked, and guests have them in PATH.
CLIENT_PACKAGES=(libevent-core-2.1-7 libevent-extra-2.1-7 libevent-openssl-2.1-7 libevent-pthreads-2.1-7 libhiredis0.14
	libmariadb3 libpq5 libsqlite3-0 libssl3 libsystemd0 python3-aioice stun-client wireguard-tools)
UNPACKED_PACKAGES=(coturn stun-server)
UNPACKED=$CACHE/unpacked
CHECK_PACKAGES=(clang man-db shellcheck sparse)

apt() {
	apt-get -o DPkg::Lock::Timeout=900 -qq -y --no-install-recommends "$@"
}

missing_packages() {
	local package

	for package in "$@"; do
		case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
		*" installed") ;;
		*) printf '%s\n' "$package" ;;
		esac
	done
}

# Suites can be listed and yet never have been read: a fresh machine has empty lists.
update_lists() {
	local fresh=/run/natty-apt-updated

	[ -w /run ] || fresh=$CACHE/log/apt-updated
	[ -n "$(find "$fresh" -mmin -720 2>/dev/null)" ] && return 0
	logged apt-update apt-get -o DPkg::Lock::Timeout=900 -qq update || return 1
	touch "$fresh"
}

install_missing() {
	local missing

	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "not root, and these packages are missing: ${missing//$'\n'/ }"
	update_lists || return 1
	# shellcheck disable=SC2086 # a list of words
	logged "install packages" apt install $missing
}

# need PACKAGE...
need() {
	once apt install_missing "$@" || die "these packages cannot be installed: $*"
}

# The address that the machine's own main suite comes from; the next release is fetched from there too.
archive_address() {
	local codename

	codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
	update_lists
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' |
		awk -v c="$codename" '$1 == c && $2 == "main" { print $3; exit }'
}

candidate() {
	LC_ALL=C apt-cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# A suite that holds newer kernels, added beside the machine's own sources when a package is not to be had.
add_backports() {
	local address codename list=/etc/apt/sources.list.d/natty-backports.list

	codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
	address=$(archive_address)
	[ -n "$address" ] || die "no apt source with the suite $codename"
	[ -e "$list" ] || printf 'deb %s %s-backports main\n' "$address" "$codename" >"$list"
	rm -f /run/natty-apt-updated "$CACHE/log/apt-updated"
	update_lists
}

# reachable PACKAGE: some apt source has it, with the backports if need be.
reachable() {
	update_lists
	[ -n "$(candidate "$1")" ] && return 0
	once backports add_backports
	[ -n "$(candidate "$1")" ] || die "no apt source has $1"
}

# unpack PACKAGE FOLDER: its files, without installing it.
unpack() (
	set -e
	rm -rf "$2" "$2.deb"
	mkdir -p "$2.deb" "$2.part"
	cd "$2.deb"
	apt-get -qq -o APT::Sandbox::User=root download "$1"
	dpkg -x ./*.deb "$2.part"
	rm -rf "$2.deb"
	mv "$2.part" "$2"
)

unpack_missing() {
	[ ! -e "$UNPACKED/$1" ] || return 0
	mkdir -p "$UNPACKED" && update_lists && logged "unpack $1" unpack "$1" "$UNPACKED/$1"
}

# The clients that judge the NAT; a test that finds one missing says so.
need_clients() {
	local package

	need "${CLIENT_PACKAGES[@]}"
	for package in "${UNPACKED_PACKAGES[@]}"; do
		once "unpack-$package" unpack_missing "$package" ||
			say "$package cannot be had"
	done
}

# guest_path JOB: where a guest looks for programs before its own folders.
guest_path() {
	local package path=$1/bin

	for package in "${UNPACKED_PACKAGES[@]}"; do
		path+=:$UNPACKED/$package/usr/bin:$UNPACKED/$package/usr/sbin
	done
	printf '%s' "$path"
}
