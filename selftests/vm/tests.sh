# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Test programs in guests: which, where, and what came of them.

test_programs() {
	# shellcheck disable=SC2016 # make's own variable
	make --no-print-directory -s -C "$TOP_DIR/selftests" --eval 'print: ; @echo $(TEST_PROGS)' print
}

# plan_programs WORD...: the words of a plan's line, with * and -NAME worked out.
plan_programs() {
	local word list=" "

	for word in "$@"; do
		case $word in
		'*') list+="$(test_programs) " ;;
		-*) list=${list/ ${word#-} / } ;;
		*) list+="$word " ;;
		esac
	done
	printf '%s' "$list"
}

# test_guest FLAVOUR SECONDS FOLDER PROGRAM...: runs one guest; what it leaves is in FOLDER.
test_guest() {
	local flavour=$1 limit=$2 folder=$3 job slow='' total command=true

	shift 3
	kernel_get "$flavour" || return 1
	job=$(guest_job "$flavour")
	cp "$FRESH/$flavour${KUNIT:+-kunit}.ko" "$job/natty.ko" && cp -r "$FRESH/bin" "$job/" || return 1
	[ "$flavour" = uml-6.1 ] || slow=1
	guest_settings "$job" WORKDIR="$TOP_DIR/selftests" MODULES="$K_MODULES" TOOLS="$(guest_path "$job")" \
		NATTY_SLOW="$slow" UNLOAD=y NATTY_KO="$job/natty.ko"
	[ -n "$KUNIT" ] || command="$(printf '%q ' "$VM_DIR/guest-tests" "$TOP_DIR/selftests" "$limit" "$@")"
	printf '%s\n' "$command" >"$job/command"
	total=$((180 + limit * $#))
	[ "$total" -lt 2400 ] || total=2400
	guest_run "$flavour" "$job" "$total" >"$job/terminal" 2>&1 || cp "$job/terminal" "$job/broken"
	rm -rf "${job:?}/bin" "$folder"
	mv "$job" "$folder"
}

# test_kunit FOLDER PREFIX
test_kunit() {
	# Asked for one suite, the others are not counted.
	report_log "$1/console" | awk -f "$VM_DIR/ktap.awk" | grep -P "\t(natty_)?$SUITE.*\t" >"$1/kunit"
	if [ -s "$1/kunit" ]; then
		results_from "$2" <"$1/kunit"
	else
		result fail "$2: unit tests" "none ran"
	fi
}

# test_program FOLDER PROGRAM PREFIX
test_program() {
	local out="$1/out/$2" status=none leaves="$1/$2.leaves"

	[ ! -e "$out.status" ] || status=$(cat "$out.status")
	mkdir -p "$1/out"
	[ -e "$out" ] || cp "$1/terminal" "$out" 2>/dev/null || : >"$out"
	awk -f "$VM_DIR/ktap.awk" <"$out" >"$leaves"
	results_from "$3" <"$leaves"
	case $status in
	none) result fail "$3: program" "did not come to its end" ;;
	124 | 137) result fail "$3: program" "took too long" ;;
	4) [ -s "$leaves" ] || result skip "$3: program" "$(grep -m1 -i skip "$out")" ;;
	0) [ -s "$leaves" ] || result fail "$3: program" "printed no result" ;;
	*) grep -q '^fail' "$leaves" || result fail "$3: program" "exit code $status" ;;
	esac
	[ "$status" = 0 ] || [ "$status" = 4 ] || tail -n 60 "$out" | sed 's/^/  | /'
}

# test_results FLAVOUR FOLDER PROGRAM...: prints the results of one guest.
test_results() {
	local flavour=$1 folder=$2 program

	shift 2
	for program in "$@"; do
		if [ "$program" = kunit ]; then
			test_kunit "$folder" "$flavour kunit"
		else
			test_program "$folder" "$program" "$flavour $program"
		fi
	done
	program=$*
	[ $# -eq 1 ] || program=programs
	if [ -s "$folder/broken" ]; then
		result fail "$flavour $program: guest" "$(head -n 1 "$folder/broken")"
		report_log "$folder/console" | tail -n 60 | sed 's/^/  | /'
	elif kernel_get "$flavour" && report_new "$flavour" "$folder/console" >"$folder/reports"; then
		result ok "$flavour $program: kernel log"
	else
		result fail "$flavour $program: kernel log" "the kernel reports"
		cat "$folder/reports"
	fi
}

# test_builds FLAVOUR...: fresh modules for the guests, and the tool.
test_builds() {
	local flavour

	FRESH=$RESULTS/fresh
	mkdir -p "$FRESH/bin"
	tool_build "$FRESH/bin" || return 1
	for flavour in "$@"; do
		kernel_get "${flavour%-kunit}" || return 1
		case $flavour in
		*-kunit) module_build "$flavour" "$FRESH/$flavour.ko" NATTY_KUNIT=y ;;
		*) module_build "$flavour" "$FRESH/$flavour.ko" ;;
		esac || return 1
	done
}

# test_job LINE_NUMBER FLAVOUR SECONDS PROGRAM...: one guest in the background of test_plan.
test_job() {
	local folder=$RESULTS/$1-$2 flavour=$2 limit=$3 begin=$SECONDS KUNIT=

	shift 3
	[ "$*" != kunit ] || KUNIT=y
	test_guest "$flavour" "$limit" "$folder" "$@"
	{
		test_results "$flavour" "$folder" "$@"
		echo "        ($flavour: $((SECONDS - begin)) s)"
	} >"$folder.report" 2>&1
	cat "$folder.report"
}

# test_lines: the plan, one guest a line: FLAVOUR SECONDS PROGRAM...
test_lines() {
	local flavour share limit words program list

	grep -v '^#' "$VM_DIR/plan" | while read -r flavour share limit words; do
		set -f
		# shellcheck disable=SC2086 # a list of words
		list=$(plan_programs $words)
		set +f
		case $share in
		each) for program in $list; do echo "$flavour $limit $program"; done ;;
		*) echo "$flavour $limit $list" ;;
		esac
	done
}

# test_plan: all guests, as many at a time as there are processors.
test_plan() {
	local number=0 line

	while read -r line; do
		number=$((number + 1))
		while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
			wait -n
		done
		# shellcheck disable=SC2086 # a list of words
		test_job "$number" $line &
	done
	wait
}
