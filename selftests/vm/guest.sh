# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Starts one guest for one job and waits for its end. A job is a folder that host and guest share.

# guest_job FLAVOUR: makes a job's folder and prints its name.
guest_job() {
	local job

	job=$(mktemp -d "$CACHE/jobs/$1.XXXXXX") && guest_settings "$job" TOP="$TOP_DIR" CACHE="$CACHE" &&
		printf '%s\n' "$job"
}

# guest_settings JOB NAME=VALUE...: read by guest-init.
guest_settings() {
	local job=$1 setting

	shift
	for setting in "$@"; do
		printf '%s=%q\n' "${setting%%=*}" "${setting#*=}"
	done >>"$job/settings"
}

# The command line of a kernel: a panic must end the guest, and what the kernel says must reach its log.
kernel_words() {
	printf '%s' "NATTY_JOB=$1 NATTY_VM=$2 NATTY_INIT=$VM_DIR/guest-init loglevel=7 printk.devkmsg=on"
}

# boot_uml FLAVOUR JOB: replaces this shell.
boot_uml() {
	local words memory=2G serial=null,fd:1

	words=$(kernel_words "$2" "$1")
	# Its own threads on two processors are what finds races; they need seccomp.
	[ "$1" != uml-7.3-debug ] || words="$words ncpus=2 seccomp=on"
	[ -z "$INTERACTIVE" ] || serial=fd:0,fd:1
	ulimit -c 0
	# It waits for its terminals with epoll, which knows pipes but no files.
	exec 3> >(exec cat >"$2/console")
	# shellcheck disable=SC2086 # a list of words
	exec "$K_IMAGE" mem="${MEMORY:-$memory}" uml_dir="$2/" root=/dev/root rootfstype=hostfs rootflags=/ rw \
		init="$VM_DIR/guest-init" con=null con0=null,fd:3 ssl=null ssl0=$serial $words 2>>"$2/stderr"
}

# boot_qemu FLAVOUR JOB: replaces this shell.
# QEMU 7.2 may go on with instructions that another processor has replaced meanwhile: a packet that meets a static key
# just when a hook is registered then hangs or panics the kernel, natty or not. Processors that take turns do not.
boot_qemu() {
	local words serial=stdio

	words="$(kernel_words "$2" "$1") console=ttyS0 panic=-1 mitigations=off rdinit=/init $KERNEL_WORDS"
	[ -z "$INTERACTIVE" ] || serial=mon:stdio
	exec qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none \
		-machine q35 -accel "tcg,thread=${THREADS:-single}" -cpu max -smp 2 -m "${MEMORY:-1536M}" \
		-kernel "$K_IMAGE" -initrd "$K_INITRD" -append "$words" \
		-serial "file:$2/console" -serial "$serial" -device virtio-rng-pci \
		-virtfs local,path=/,mount_tag=rootfs,security_model=none,readonly=on,multidevs=remap \
		-virtfs "local,path=$2,mount_tag=job,security_model=none,multidevs=remap" 2>>"$2/stderr"
}

boot() {
	case $1 in
	uml*) boot_uml "$@" ;;
	qemu*) boot_qemu "$@" ;;
	esac
}

# guest_timed FLAVOUR JOB SECONDS: one that takes no longer.
guest_timed() {
	local job=$2 limit=$3 pid watch status

	boot "$1" "$job" </dev/null &
	pid=$!
	(
		sleep "$limit" &
		trap 'kill $!; exit' TERM
		wait $!
		echo "the guest ran longer than $limit s" >"$job/overdue"
		end_guest "$pid"
	) &
	watch=$!
	wait "$pid" 2>/dev/null
	status=$?
	kill "$watch" 2>/dev/null
	wait "$watch" 2>/dev/null
	return "$status"
}

# guest_run FLAVOUR JOB SECONDS: the guest's output is this function's; prints why, and is false, when the guest did
# not come to its own end.
guest_run() {
	local flavour=$1 job=$2 status

	if [ -n "$INTERACTIVE" ]; then
		(boot "$flavour" "$job")
	else
		guest_timed "$@"
	fi
	status=$?
	[ -s "$job/end" ] && [ "$(cat "$job/end")" = "done" ] && return 0
	if [ -e "$job/overdue" ]; then
		say "$flavour: $(cat "$job/overdue")"
	elif [ -s "$job/end" ]; then
		say "$flavour: $(cat "$job/end")"
	else
		say "$flavour: the guest ended by itself (status $status)"
	fi
	return 1
}

# A User-Mode Linux has children that must go with it.
end_guest() {
	local child

	for child in $(pgrep -P "$1"); do
		end_guest "$child"
	done
	kill -9 "$1" 2>/dev/null
}
