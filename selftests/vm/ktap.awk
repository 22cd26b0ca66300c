# SPDX-License-Identifier: GPL-2.0
# Reads KTAP; prints "ok|fail|skip <tab> name <tab> detail" for each test case. A line that sums up deeper lines is no
# case of its own, unless it failed while all below it passed.

function emit(verdict, name, detail) {
	printf "%s\t%s\t%s\n", verdict, name, detail
	count++
}

# A plan that was not kept: a program that stopped half way must not look good.
function check_plan(depth) {
	if (depth in planned && planned[depth] != seen[depth])
		emit("fail", "plan", "planned " planned[depth] " tests, " (seen[depth] + 0) " came")
	delete planned[depth]
	seen[depth] = 0
}

{
	match($0, /^[ \t]*/)
	depth = RLENGTH
	line = substr($0, depth + 1)
}

line ~ /^1\.\.[0-9]+/ {
	split(line, part, /\.\.| /)
	planned[depth] = part[2]
	skip_all = line ~ /# *SKIP/
	deepest = depth > deepest ? depth : deepest
	next
}

line ~ /^# Subtest: / {
	suite[depth] = substr(line, 12) "."
}

line ~ /^(not )?ok [0-9]+/ {
	bad = line ~ /^not /
	sub(/^(not )?ok [0-9]+ *(- )?/, "", line)
	detail = ""
	if ((hash = index(line, "#")) > 0) {
		detail = substr(line, hash + 1)
		line = substr(line, 1, hash - 1)
		gsub(/^ +| +$/, "", detail)
	}
	gsub(/ +$/, "", line)
	below = failed_below = 0
	for (d = depth + 1; d <= deepest; d++) {
		below += seen[d]
		failed_below += failed[d]
		failed[d] = 0
		delete suite[d]
		check_plan(d)
	}
	line = suite[depth] line
	deepest = depth > deepest ? depth : deepest
	seen[depth]++
	if (bad && !failed_below)
		emit("fail", line, detail)
	else if (!bad && !below)
		emit(toupper(substr(detail, 1, 4)) == "SKIP" ? "skip" : "ok", line, substr(detail, 6))
	if (bad)
		failed[depth]++
}

END {
	for (d = 0; d <= deepest; d++)
		check_plan(d)
	exit count == 0
}
