# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The results of a whole run: a line for each test as it comes, and one to close.

# results_open: a new folder for this run; the ten latest are kept.
results_open() {
	local old

	RESULTS=$CACHE/results/$(date +%Y%m%d-%H%M%S)-$$
	mkdir -p "$RESULTS"
	: >"$RESULTS/all"
	ln -sfn "$RESULTS" "$CACHE/results/latest"
	find "$CACHE/results" -mindepth 1 -maxdepth 1 -type d -mmin +180 | sort | head -n -10 | while read -r old; do
		rm -rf "$old"
	done
}

# A skip is in order only when selftests/known-skips expects it.
skip_known() {
	local pattern rest

	while IFS='#' read -r pattern rest; do
		pattern=${pattern%"${pattern##*[![:space:]]}"}
		[ -n "$pattern" ] || continue
		# shellcheck disable=SC2053 # a pattern
		[[ $1 == $pattern ]] && return 0
	done <"$TOP_DIR/selftests/known-skips"
	return 1
}

# result VERDICT NAME [DETAIL]
result() {
	local verdict=$1 name=$2 detail=${3:-}

	case $verdict in
	ok) printf 'ok      %s\n' "$name" ;;
	skip)
		printf 'skip    %s  # %s\n' "$name" "$detail"
		if ! skip_known "$name"; then
			printf 'not ok  %s  # skipped, and selftests/known-skips does not know it\n' "$name"
			verdict=fail
		fi
		;;
	*) printf 'not ok  %s%s\n' "$name" "${detail:+  # $detail}" ;;
	esac
	printf '%s\t%s\t%s\n' "$verdict" "$name" "$detail" >>"$RESULTS/all"
}

# results_from PREFIX: reads what ktap.awk prints.
results_from() {
	local verdict name detail

	while IFS=$'\t' read -r verdict name detail; do
		result "$verdict" "$1: $name" "$detail"
	done
}

results_count() {
	grep -c "^$1	" "$RESULTS/all"
}

# results_close: the closing line; true when nothing failed.
results_close() {
	local failed

	failed=$(results_count fail)
	if [ "$failed" -gt 0 ]; then
		echo
		echo "failed (logs: $RESULTS):"
		awk -F '\t' '$1 == "fail" { print "  " $2 ($3 == "" ? "" : "  # " $3) }' "$RESULTS/all"
	fi
	echo "$(results_count ok) passed, $failed failed, $(results_count skip) skipped"
	[ "$failed" -eq 0 ] && [ "$(results_count ok)" -gt 0 ]
}
