# SPDX-License-Identifier: GPL-2.0
# compliance.awk REQUIREMENTS RESULTS: what came of each requirement, "id <tab> level <tab> result <tab> text" a line, and
# of every id that tests show but the list lacks, with level "?". RESULTS has "ok|fail|skip <tab> name <tab> detail"
# lines, where a name is "kernel program: ids of requirements and other words".

FNR == 1 {
	file++
}

file == 1 && NF && !/^#/ {
	id = $1
	ids[++count] = id
	level[id] = $2
	sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+/, "")
	if ((at = index($0, "declined: ")) > 0) {
		declined[id] = substr($0, at)
		$0 = substr($0, 1, at - 1)
		gsub(/[ \t]+$/, "")
	}
	text[id] = $0
	next
}

file == 2 {
	split($0, part, "\t")
	if (part[1] == "skip")
		next
	name = part[2]
	if ((at = index(name, ": ")) == 0)
		next
	words = split(substr(name, at + 2), word, /[ ,]+/)
	for (i = 1; i <= words; i++) {
		if (!(word[i] in level)) {
			# A name that begins like one of the list's is meant to be one.
			if (word[i] !~ /^rfc[0-9]+(_|$)/)
				break
			if (!(word[i] in strange))
				ids[++count] = word[i]
			strange[word[i]]
		}
		ran[word[i]]++
		failed[word[i]] += part[1] == "fail"
	}
}

END {
	for (i = 1; i <= count; i++) {
		id = ids[i]
		if (id in strange)
			level[id] = "?"
		if (failed[id])
			result = "FAIL"
		else if (id in strange)
			result = "unknown"
		else if (ran[id])
			result = "pass"
		else
			result = id in declined ? declined[id] : "not tested"
		printf "%s\t%s\t%s\t%s\n", id, level[id], result, text[id]
	}
}
