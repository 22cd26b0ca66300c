# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# What is looked at without running it. Each function look_NAME is one test: its output is shown when it is false.

LOOKS=(build-6.1 build-6.12 build-7.3 userctl-gcc userctl-clang userctl-test install dkms checkpatch kernel-doc shellcheck python
	ynl-drift spdx length manual requirements)

MODULE_FILES() {
	find module uapi -name '*.[ch]' ! -name 'netlink_gen.*' ! -path 'uapi/linux/natty.h' ! -name '*.mod.c'
}

USER_FILES() {
	find userctl selftests -name '*.[ch]'
}

# What is or is going to be in the repository.
ALL_FILES() {
	git ls-files -co --exclude-standard | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
}

SHELL_FILES() {
	ALL_FILES | while read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*.patch) ;;
		*) head -n 1 "$file" | tr -d '\0' | grep -qE '^#!.*[/ ](ba|da)?sh' && echo "$file" ;;
		esac
	done
}

# The checkers that come with the kernel's source.
kernel_tools() {
	need linux-source-6.12 perl python3-ply python3-git
	TOOLS=$CACHE/kernel-tools-$(dpkg-query -W -f '${Version}' linux-source-6.12)
	[ -e "$TOOLS/scripts/checkpatch.pl" ] || once kernel-tools logged kernel-tools kernel_tools_make
}

kernel_tools_make() {
	rm -rf "$TOOLS.part" && mkdir -p "$TOOLS.part" &&
		tar xf /usr/src/linux-source-6.12.tar.xz -C "$TOOLS.part" --strip-components=1 --wildcards \
			'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch' \
			'*/scripts/kernel-doc' && mv "$TOOLS.part" "$TOOLS"
}

# A build from nothing: an incremental one would hide the warnings of yesterday.
look_build() {
	local flavour=$1 build=$BUILDS/lint-$1 log=$CACHE/log/lint-$1.log flags="W=1 C=2 CF=-D__CHECK_ENDIAN__"

	rm -rf "$build"
	kernel_get "$flavour" || return 1
	# shellcheck disable=SC2086 # a list of words
	make -C "$TOP_DIR" module -j"$(nproc)" KDIR="$K_BUILD" BUILD="$build" $flags >"$log" 2>&1 &&
		no_warnings "$log"
}

no_warnings() {
	if grep -nE 'warning:|error:|WARNING:|ERROR:' "$1"; then
		return 1
	fi
}

look_build-6.1() {
	look_build qemu-6.1 || tail_of lint-qemu-6.1
}

look_build-6.12() {
	look_build qemu-6.12 || tail_of lint-qemu-6.12
}

tail_of() {
	grep -E '\*\*\*|error|warning' "$CACHE/log/$1.log" || tail -n 30 "$CACHE/log/$1.log"
	return 1
}

look_build-7.3() {
	local build=$BUILDS/lint-7.3 log=$CACHE/log/lint-7.3.log

	once next next_ready || return 1
	rm -rf "$build"
	make -C "$TOP_DIR" module-sources BUILD="$build" >"$log" 2>&1
	# shellcheck disable=SC2016 # expanded in there
	next_run "$build" sh -c 'exec make -j"$(nproc)" -C /lib/modules/*/build M=/build W=1 C=2 \
		CF=-D__CHECK_ENDIAN__ modules' >>"$log" 2>&1 || { tail_of lint-7.3; return 1; }
	no_warnings "$log"
}

# look_userctl COMPILER: in a copy, so that the objects of two compilers do not meet.
look_userctl() {
	local build=$BUILDS/userctl-$1 log=$CACHE/log/userctl-$1.log

	need clang
	rm -rf "$build" && mkdir -p "$build" && cp -r userctl uapi "$build/" || return 1
	make -C "$build/userctl" clean >/dev/null 2>&1
	if ! make -C "$build/userctl" -j"$(nproc)" CC="$1" CFLAGS="-O2 -Wall -Wextra -Werror" >"$log" 2>&1; then
		cat "$log"
		return 1
	fi
}

look_userctl-gcc() {
	look_userctl gcc
}

look_userctl-clang() {
	look_userctl clang
}

look_userctl-test() {
	make -C "$BUILDS/userctl-gcc/userctl" CFLAGS="-O2 -Wall -Wextra -Werror" check
}

look_install() {
	local root=$BUILDS/install file

	rm -rf "$root"
	kernel_get qemu-6.1 || return 1
	make install KDIR="$K_BUILD" BUILD="$BUILDS/qemu-6.1" DESTDIR="$root" PREFIX=/usr \
		>"$CACHE/log/install.log" 2>&1 || tail_of install || return 1
	for file in usr/sbin/userctl usr/share/man/man8/userctl.8 usr/share/man/man5/natty.conf.5 \
		usr/share/doc/natty/natty.conf "lib/modules/$(basename "$(dirname "$K_BUILD")")/updates/natty.ko"; do
		[ -s "$root/$file" ] || echo "not installed: $file"
	done | grep . && return 1
	return 0
}

# What dkms has of an older try must not be in the way.
look_dkms() {
	local root=$BUILDS/dkms log=$CACHE/log/dkms.log kernel version=0.1

	need dkms
	kernel_get qemu-6.1 || return 1
	kernel=$(basename "$(dirname "$K_BUILD")")
	rm -rf "$root"
	mkdir -p "$root/usr/src/natty-$version" "$root/var/lib/dkms"
	sed "s/@VERSION@/$version/" packaging/dkms.conf >"$root/usr/src/natty-$version/dkms.conf"
	if ! { dkms add -m natty -v "$version" --dkmstree "$root/var/lib/dkms" --sourcetree "$root/usr/src" &&
		packaging/dkms-add --root "$root" "$kernel"; } >"$log" 2>&1; then
		cat "$log"
		return 1
	fi
	if [ -e "$root/usr/src/natty-$version" ]; then
		echo "version $version is still there"
		return 1
	fi
	modinfo -F vermagic "$root/lib/modules/$kernel/updates/dkms/"natty.ko* | grep "^$kernel "
}

# style_check MORE_TYPES < FILES. The types are what the checker cannot know: where a file lies, that a list of names
# is meant to be given a macro, and that the kernel's version is compared the way that everybody does.
style_check() {
	local ignore=FILE_PATH_CHANGES,LINUX_VERSION_CODE,CONSTANT_COMPARISON,CAMELCASE,EMBEDDED_FUNCTION_NAME
	local top=$PWD bad

	ignore+=,COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_UNUSED$1
	# It leaves a file where it runs.
	sed "s#^#$top/#" | (cd "$RESULTS" && xargs perl "$TOOLS/scripts/checkpatch.pl" --no-tree --strict \
		--terse --no-summary --show-types --ignore "$ignore" -f 2>/dev/null) >"$RESULTS/checkpatch"
	bad=$?
	sed "s#^$top/##" "$RESULTS/checkpatch"
	return "$bad"
}

look_checkpatch() {
	local bad=0

	kernel_tools || return 1
	MODULE_FILES | style_check '' || bad=1
	# Programs have no strscpy and no __printf.
	USER_FILES | style_check ,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,STRCPY || bad=1
	return "$bad"
}

look_kernel-doc() {
	kernel_tools || return 1
	MODULE_FILES | xargs perl "$TOOLS/scripts/kernel-doc" -none -Werror
}

look_shellcheck() {
	need shellcheck
	SHELL_FILES | xargs shellcheck -x -P SCRIPTDIR -P "$TOP_DIR"
}

look_python() {
	find selftests uapi -name '*.py' -print0 | xargs -0 -r python3 -c '
import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name).read(), name)'
}

look_ynl-drift() {
	need linux-source-6.12 python3-yaml python3-jsonschema
	NATTY_CACHE=$CACHE uapi/regen.sh --check
}

look_spdx() {
	ALL_FILES | grep -vE '^selftests/translate/|(^|/)(LICENSE|natty\.conf|\.gitignore)$|\.(md|pcap|patch|json|svg|png)$' | while read -r file; do
		head -n 4 "$file" | grep -q SPDX-License-Identifier || echo "$file: no SPDX line"
	done | grep . && return 1
	return 0
}

look_length() {
	ALL_FILES | grep -vE '^LICENSE$|netlink_gen\.|natty\.yaml$|natty\.h$' | xargs wc -l |
		awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines, 600 are the most"; bad = 1 } END { exit bad }'
}

look_manual() {
	local page bad=0

	need man-db groff
	for page in userctl/userctl.8 userctl/natty.conf.5; do
		LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null | grep . && bad=1
	done
	return "$bad"
}

# The list of requirements is sound, no test names one that it lacks, and the README shows it as it is.
look_requirements() {
	local bad=0

	awk '/^#/ || !NF { next }
		$2 !~ /^[MSRO]$/ || NF < 4 { print "not ID LEVEL TEXT: " $0; bad = 1 }
		$2 == "M" && /declined: / { print "what must be cannot be declined: " $0; bad = 1 }
		seen[$1]++ { print "twice: " $1; bad = 1 }
		END { exit bad }' "$REQUIREMENTS" || bad=1
	grep -ohE '\brfc[0-9]+_req[0-9]+[a-z]?\b' selftests/*.py selftests/*.sh | sort -u | while read -r id; do
		grep -q "^$id " "$REQUIREMENTS" || echo "not in selftests/requirements: $id"
	done | grep . && bad=1
	compliance_markdown | diff - <(sed -n '/^| id | level |/,/^$/p' README.md | grep .) || bad=1
	return "$bad"
}

# What a newcomer tries first.
look_demo() {
	make --no-print-directory demo
}

# look NAME: one test.
look() {
	local out=$RESULTS/static-$1

	if (cd "$TOP_DIR" && "look_$1") >"$out" 2>&1 </dev/null; then
		result ok "static: $1"
	else
		result fail "static: $1"
		head -n 60 "$out" | sed 's/^/  | /'
	fi
}
