# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Debian's own kernels, unmodified, for QEMU: unpacked beside the system rather than installed into it.

# What turns a 9p share of the host into a root file system, in the order of loading. What a version has built in or
# does not know any more is left out.
INITRAMFS_MODULES="netfs fscache 9pnet 9p virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci
	9pnet_virtio"

# stock_initramfs FOLDER
stock_initramfs() (
	set -e
	cd "$1"
	rm -rf initramfs
	mkdir -p initramfs/bin initramfs/modules initramfs/proc initramfs/sys initramfs/dev initramfs/root
	cp "$(command -v busybox)" initramfs/bin/
	cp "$VM_DIR/initramfs-init" initramfs/init
	chmod +x initramfs/init
	for name in $INITRAMFS_MODULES; do
		file=$(find modules -name "$name.ko*" | head -n 1)
		[ -n "$file" ] || continue
		cp "$file" initramfs/modules/
		[ "${file%.xz}" = "$file" ] || unxz "initramfs/modules/${file##*/}"
		echo "$name.ko" >>initramfs/modules/order
	done
	(cd initramfs && find . | cpio -o -H newc --quiet) >initramfs.cpio
)

# stock_make FOLDER PACKAGE
stock_make() (
	set -e
	unpack "$2" "$1.part"
	cd "$1.part"
	mkdir modules
	mv "$(find lib usr/lib -path '*/modules/*' -prune -print 2>/dev/null | head -n 1)" modules/
	cp boot/vmlinuz-* vmlinuz
	cp boot/System.map-* System.map
	depmod -b "$PWD/depmod" "$(ls modules)" 2>/dev/null || true
	mkdir -p depmod/lib
	ln -s ../../modules depmod/lib/modules
	depmod -b "$PWD/depmod" -F System.map "$(ls modules)"
	stock_initramfs "$PWD"
	rm -rf "$1"
	mv "$1.part" "$1"
)

# stock_kernel FLAVOUR META_PACKAGE HEADERS
stock_kernel() {
	local flavour=$1 package version folder release

	need "${BUILD_PACKAGES[@]}" "${QEMU_PACKAGES[@]}"
	reachable "$2"
	need "$3"
	package=$(apt-cache depends "$2" | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
	version=$(candidate "$package")
	folder=$CACHE/$flavour-$version-$(stamp "$(cat "$VM_DIR/initramfs-init" "$VM_DIR/stock.sh")")
	[ -e "$folder/vmlinuz" ] || logged "unpack $flavour" stock_make "$folder" "$package" || return 1
	release=$(ls "$folder/modules")
	K_ARCH='' K_BUILD=/lib/modules/$release/build K_IMAGE=$folder/vmlinuz K_MODULES=$folder/modules
	K_INITRD=$folder/initramfs.cpio
	[ -d "$K_BUILD" ] || need "linux-headers-$release"
}
