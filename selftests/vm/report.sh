# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A guest's kernel log: what in it is a report of a fault, and which of those natty has to answer for.

REPORTS='BUG:|BUG at|WARNING:|KASAN|UBSAN|KCSAN|ODEBUG|DEBUG_LOCKS_WARN|general protection|Oops|Kernel panic'
REPORTS+='|INFO: (possible|suspicious|rcu|task|trying|inconsistent|NMI)|possible (circular|recursive)|suspicious RCU'
REPORTS+='|refcount_t|(list_add|list_del).* corruption|unregister_netdevice: waiting|unreferenced object|leaked|suspected memory leak'
REPORTS+='|divide error|soft lockup|hung_task|blocked for more than|stack-protector|kmem_cache_destroy|Objects remaining'
REPORTS+='|scheduling while atomic|sleeping function|rcu_sched|rcu_preempt self|Call Trace|page allocation failure'
REPORTS+='|not freed|nf_unregister_net_hook|Unable to handle'

# report_log FILE: the log without the terminal's carriage returns.
report_log() {
	tr -d '\r' <"$1" | sed 's/^\[ *[0-9.]*\]\(\[[^]]*\]\)\? //'
}

# What changes from boot to boot is taken out, so that two logs can be compared.
report_plain() {
	sed -E 's/0x[0-9a-f]+|[0-9a-f]{8,}/X/g; s/[0-9]+/N/g'
}

report_lines() {
	report_log "$1" | grep -aE "$REPORTS" | grep -avE '^natty-guest: (begin|end)' | report_plain | sort
}

# report_baseline FLAVOUR: prints the file with what the kernel says about itself, without natty.
report_baseline() {
	local file job

	file=$CACHE/log/baseline-$1-$(stamp "$K_IMAGE" "$(cat "$VM_DIR/report.sh" "$VM_DIR/guest-init")")
	if [ ! -e "$file" ]; then
		job=$(guest_job "$1") || return 1
		echo 'sleep 1' >"$job/command"
		guest_settings "$job" MODULES="$K_MODULES" UNLOAD=y
		guest_run "$1" "$job" 300 >/dev/null && report_lines "$job/console" >"$file.part"
		mv "$file.part" "$file"
		rm -rf "$job"
	fi
	printf '%s\n' "$file"
}

# report_new FLAVOUR LOG: prints every report that a boot without natty does not have; true when there is none.
report_new() {
	local baseline new

	baseline=$(once "baseline-$1" report_baseline "$1") || return 1
	new=$(report_lines "$2" | comm -13 "$baseline" -)
	[ -n "$new" ] || return 0
	# The later ones of equal lines are the new ones: the kernel's own come while it boots.
	report_log "$2" | awk -v plain=<(report_log "$2" | report_plain) -v new="$new" '
		BEGIN {
			lines = split(new, line, "\n")
			for (i = 1; i <= lines; i++)
				wanted[line[i]]++
			while ((getline text < plain) > 0) {
				all[++total] = text
				count[text]++
			}
		}
		{
			passed[all[NR]]++
			if (passed[all[NR]] > count[all[NR]] - wanted[all[NR]])
				left = 45
			if (left-- > 0)
				print "  | " $0
		}' | head -n 250
	return 1
}
