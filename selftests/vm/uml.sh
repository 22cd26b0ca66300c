# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# User-Mode Linux kernels: built once for each version of the source, each configuration and each compiler.

# The words of a configuration that the kernel has to accept; what it has no symbol for is listed in its log.
uml_configure() (
	set -e
	make -s ARCH=um defconfig
	grep -hE '^(CONFIG_|# CONFIG_)' "${@:2}" >natty.config
	scripts/kconfig/merge_config.sh -m .config natty.config
	# Each build has its own folder of modules; one built for another configuration panics.
	printf 'CONFIG_LOCALVERSION="-%s"\n' "$1" >>.config
	make -s ARCH=um olddefconfig
	sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=[ym]$/\1/p' natty.config | while read -r symbol; do
		grep -q "^$symbol=" .config || echo "not in this kernel: $symbol"
	done
)

# uml_make FOLDER TARBALL FLAVOUR NAME CONFIG...: builds in FOLDER.part, which becomes FOLDER when all is well.
uml_make() (
	set -e
	rm -rf "$1" "$1.part"
	mkdir -p "$1.part"
	cd "$1.part"
	tar xf "$2" --strip-components=1
	cat "$VM_DIR/$3"-*.patch 2>/dev/null | patch -s -p1
	uml_configure "${@:4}"
	make -s ARCH=um -j"$(nproc)" all
	make -s ARCH=um INSTALL_MOD_PATH="$PWD/root" modules_install
	cd /
	mv "$1.part" "$1"
	ln -sfn "$1" "$1/root/lib/modules/$(cat "$1/include/config/kernel.release")/build"
)

# uml_kernel FLAVOUR VERSION TARBALL CONFIG...
uml_kernel() {
	local flavour=$1 version=$2 tarball=$3 name folder patches

	shift 3
	patches=$(cat "$VM_DIR/$flavour"-*.patch 2>/dev/null)
	name=$flavour-$version-$(stamp "$version" "$(cat "$@")" "$patches" "$(gcc -dumpfullversion)")
	folder=$CACHE/$name
	if [ ! -e "$folder/linux" ]; then
		logged "build $flavour" uml_make "$folder" "$tarball" "$flavour" "natty-${name##*-}" "$@" || return 1
	fi
	K_ARCH=um K_BUILD=$folder K_IMAGE=$folder/linux K_MODULES=$folder/root/lib/modules K_INITRD=''
}

uml_stock_source() {
	need "${BUILD_PACKAGES[@]}" "${UML_PACKAGES[@]}"
	uml_kernel uml-6.1 "$(dpkg-query -W -f '${Version}' linux-source-6.1)" /usr/src/linux-source-6.1.tar.xz \
		"$VM_DIR/uml.config" "$VM_DIR/uml-fast.config"
}

uml_debug_source() {
	need "${BUILD_PACKAGES[@]}" "${UML_PACKAGES[@]}"
	uml_kernel uml-7.3-debug "$(next_version linux-source-7.3)" "$NEXT/usr/src/linux-source-7.3.tar.xz" \
		"$VM_DIR/uml.config" "$VM_DIR/uml-debug.config"
}
