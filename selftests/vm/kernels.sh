# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Names of kernels ("flavours"), and what each name stands for.

# kernel_get FLAVOUR: makes the kernel ready; sets K_IMAGE, K_INITRD, K_MODULES, K_BUILD (where modules are built
# against) and K_ARCH.
kernel_get() {
	case $1 in
	uml-6.1)
		need linux-source-6.1
		kernel_locked "$1" uml_stock_source
		;;
	uml-7.3-debug)
		once next next_ready || return 1
		kernel_locked "$1" uml_debug_source
		;;
	qemu-6.1) kernel_locked "$1" stock_kernel "$1" linux-image-amd64 linux-headers-amd64 ;;
	qemu-6.12) kernel_locked "$1" stock_kernel "$1" linux-image-6.12-amd64 linux-headers-6.12-amd64 ;;
	*) die "no kernel flavour is called $1; there are: $ALL_FLAVOURS" ;;
	esac
}

# Two at a time would build the same kernel twice.
kernel_locked() {
	once "kernel-$1" "${@:2}"
}
