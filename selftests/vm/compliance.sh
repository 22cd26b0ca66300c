# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Requirements, and what the tests that are named after them say of each.

REQUIREMENTS=$TOP_DIR/selftests/requirements

# compliance_table: what came of each requirement; of those only that had tests, where not all were run.
compliance_table() {
	awk -f "$VM_DIR/compliance.awk" "$REQUIREMENTS" "$RESULTS/all" >"$RESULTS/compliance"
	awk -F '\t' -v whole="$1" '
		whole || $3 == "pass" || $3 == "FAIL" || $3 == "unknown" {
			if (!n++)
				print "\ncompliance:"
			printf "  %-18s %s  %s\n", $1, $2, $3
		}' "$RESULTS/compliance"
}

# compliance: the table of a whole run, and whether each requirement is shown or declined.
compliance() {
	compliance_table whole
	awk -F '\t' '$3 != "pass" && $3 !~ /^declined/ { print "  | " $1 ": " $3 }' "$RESULTS/compliance" >"$RESULTS/gaps"
	if [ -s "$RESULTS/gaps" ]; then
		result fail "static: compliance" "$(wc -l <"$RESULTS/gaps") requirements are not met"
		cat "$RESULTS/gaps"
	else
		result ok "static: compliance"
	fi
}

# compliance_markdown: the table as the README has it. It says what a run without a failure shows.
compliance_markdown() {
	echo "| id | level | what it asks for | result |"
	echo "|---|---|---|---|"
	awk '/^#/ || !NF { next }
		{
			id = $1
			level = $2
			sub(/^[^ ]+ +[^ ]+ +/, "")
			result = "pass"
			if ((at = index($0, "declined: ")) > 0) {
				result = substr($0, at)
				$0 = substr($0, 1, at - 1)
			}
			gsub(/ +$/, "")
			print "| " id " | " level " | " $0 " | " result " |"
		}' "$REQUIREMENTS"
}
