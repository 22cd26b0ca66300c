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

# compliance: the table of a whole run, and whether all is as it must be.
compliance() {
	compliance_table whole
	awk -F '\t' '$3 == "unknown" || $3 == "FAIL" || ($3 == "not tested" && $2 != "O")' "$RESULTS/compliance" \
		>"$RESULTS/compliance.gaps"
	[ ! -s "$RESULTS/compliance.gaps" ] || echo "  ($(wc -l <"$RESULTS/compliance.gaps") to be done)"
	result ok "static: compliance"
}
