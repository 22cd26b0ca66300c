// SPDX-License-Identifier: GPL-2.0
/* The keys of the set statement: their kinds, ranges and profiles. */

#include <linux/kernel.h>
#include <linux/string.h>

#include "compat/extack.h"
#include "setting.h"

/* Longest list of words, that of behaviour. */
#define RANGE_SIZE 72

/**
 * struct kind - what sort of value a key takes
 * @word: names of the values from 0 on, or NULL for decimal numbers
 * @unit: follows the range of a number
 */
struct kind {
	const char * const *word;
	const char *unit;
};

static const char * const profile_words[] = { "rfc", "iptables" };
static const char * const onoff_words[] = { "off", "on" };
static const char * const behaviour_words[] = {
	"endpoint-independent",
	"address-dependent",
	"address-and-port-dependent",
};

static const char * const exhausted_words[] = {
	"host-unreachable",
	"admin-prohibited",
	"silent",
};

static const char * const unsolicited_words[] = {
	"port-unreachable",
	"silent",
	"pass",
};

static const struct kind kind_seconds = { .unit = " seconds" };
static const struct kind kind_number = { .unit = "" };
static const struct kind kind_profile = { .word = profile_words };
static const struct kind kind_onoff = { .word = onoff_words };
static const struct kind kind_behaviour = { .word = behaviour_words };
static const struct kind kind_exhausted = { .word = exhausted_words };
static const struct kind kind_unsolicited = { .word = unsolicited_words };

/**
 * struct setting - a key
 * @key: its name in the configuration
 * @kind: sort of value
 * @min: lowest value
 * @max: highest value
 * @implied: value by profile
 */
struct setting {
	const char *key;
	const struct kind *kind;
	u32 min;
	u32 max;
	u32 implied[2];
};

static const struct setting settings[NATTY_SET_MAX] = {
#define X(id, name, sort, low, high, rfc, iptables)			\
	[NATTY_SET_##id] = {						\
		.key = name,						\
		.kind = &kind_##sort,					\
		.min = low,						\
		.max = high,						\
		.implied = { rfc, iptables },				\
	},
	NATTY_SETTINGS(X)
#undef X
};

/* Give every key that is not explicit what the profile in force implies. */
static void imply(struct natty_settings *set)
{
	u32 profile = set->value[NATTY_SET_PROFILE];
	unsigned int i;

	for (i = 0; i < NATTY_SET_MAX; i++)
		if (i != NATTY_SET_PROFILE && !test_bit(i, set->explicit))
			set->value[i] = settings[i].implied[profile];
}

void natty_settings_init(struct natty_settings *set)
{
	bitmap_zero(set->explicit, NATTY_SET_MAX);
	set->value[NATTY_SET_PROFILE] = NATTY_PROFILE_RFC;
	imply(set);
}

int natty_setting_find(const char *key)
{
	unsigned int i;

	for (i = 0; i < NATTY_SET_MAX; i++)
		if (!strcmp(settings[i].key, key))
			return i;
	return -ENOENT;
}

const char *natty_setting_key(enum natty_setting id)
{
	return settings[id].key;
}

static int parse_word(const struct setting *s, const char *value, u32 *result,
		      struct netlink_ext_ack *extack)
{
	char range[RANGE_SIZE];
	u32 i;

	for (i = s->min; i <= s->max; i++) {
		if (strcmp(s->kind->word[i], value))
			continue;
		*result = i;
		return 0;
	}
	natty_setting_print_range(s - settings, range, sizeof(range));
	/* The longest list leaves no room for the value. */
	if (s->kind == &kind_behaviour)
		NL_SET_ERR_MSG_FMT(extack, "%s is %s", s->key, range);
	else
		NL_SET_ERR_MSG_FMT(extack, "%s: %.12s is not %s", s->key, value,
				   range);
	return -EINVAL;
}

static int parse_number(const struct setting *s, const char *value, u32 *result,
			struct netlink_ext_ack *extack)
{
	int err = -EINVAL;
	u32 number;

	/* kstrtou32() would take a sign, too. */
	if (*value >= '0' && *value <= '9')
		err = kstrtou32(value, 10, &number);
	if (err == -EINVAL) {
		NL_SET_ERR_MSG_FMT(extack, "%s: %.24s is not a number", s->key,
				   value);
		return err;
	}
	if (err || number < s->min || number > s->max) {
		NL_SET_ERR_MSG_FMT(extack, "%s: %.16s is not in %u-%u%s", s->key,
				   value, s->min, s->max, s->kind->unit);
		return -ERANGE;
	}
	*result = number;
	return 0;
}

int natty_setting_set(struct natty_settings *set, enum natty_setting id,
		      const char *value, struct netlink_ext_ack *extack)
{
	const struct setting *s = &settings[id];
	u32 number;
	int err;

	if (value) {
		if (s->kind->word)
			err = parse_word(s, value, &number, extack);
		else
			err = parse_number(s, value, &number, extack);
		if (err)
			return err;
		set->value[id] = number;
		__set_bit(id, set->explicit);
	} else {
		if (id == NATTY_SET_PROFILE)
			set->value[id] = NATTY_PROFILE_RFC;
		__clear_bit(id, set->explicit);
	}
	imply(set);
	return 0;
}

void natty_setting_print(const struct natty_settings *set, enum natty_setting id,
			 char *buf, size_t size)
{
	const struct kind *kind = settings[id].kind;

	if (kind->word)
		scnprintf(buf, size, "%s", kind->word[set->value[id]]);
	else
		scnprintf(buf, size, "%u", set->value[id]);
}

void natty_setting_print_range(enum natty_setting id, char *buf, size_t size)
{
	const struct setting *s = &settings[id];
	size_t len = 0;
	u32 i;

	if (!s->kind->word) {
		scnprintf(buf, size, "%u-%u%s", s->min, s->max, s->kind->unit);
		return;
	}
	for (i = s->min; i <= s->max; i++)
		len += scnprintf(buf + len, size - len, "%s%s",
				 i > s->min ? "|" : "", s->kind->word[i]);
}
