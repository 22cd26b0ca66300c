# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The module's sources, laid out the way dkms wants them below /usr/src.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The day of the last change numbers a version: later ones compare as later.
natty_version() {
	local day

	day=$(git -C "$top" log -1 --format=%cd --date=format:%Y%m%d.%H%M 2>/dev/null)
	printf '0.%s' "${day:-0}"
}

# natty_sources FOLDER VERSION
natty_sources() {
	mkdir -p "$1" || return 1
	(cd "$top" && find Kbuild module uapi -type f \( -name '*.[ch]' -o -name Kbuild \) ! -name '*.mod.c' \
		-exec cp --parents {} "$1" \;) || return 1
	sed "s/@VERSION@/$2/" "$top/packaging/dkms.conf" >"$1/dkms.conf"
}
