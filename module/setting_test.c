// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "setting.h"

static struct natty_settings set;
static struct netlink_ext_ack extack;

static int setting_test_init(struct kunit *test)
{
	natty_settings_init(&set);
	memset(&extack, 0, sizeof(extack));
	return 0;
}

static void defaults_are_of_profile_rfc(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_PROFILE], NATTY_PROFILE_RFC);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_TCP_ESTABLISHED], 7440);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_UDP], 300);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_MAPPING], 0);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(set.explicit, NATTY_SET_MAX));
}

static void every_key_is_found(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < NATTY_SET_MAX; i++)
		KUNIT_EXPECT_EQ(test, natty_setting_find(natty_setting_key(i)), i);
	KUNIT_EXPECT_EQ(test, natty_setting_find("timeout.none"), -ENOENT);
	KUNIT_EXPECT_EQ(test, natty_setting_find(""), -ENOENT);
}

static void profile_changes_what_is_not_explicit(struct kunit *test)
{
	int err;

	err = natty_setting_set(&set, NATTY_SET_PROFILE, "iptables", &extack);

	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_TCP_ESTABLISHED], 432000);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_FILTERING], 2);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_HAIRPIN], 0);
	KUNIT_EXPECT_FALSE(test, test_bit(NATTY_SET_HAIRPIN, set.explicit));
}

static void explicit_wins_wherever_it_stands(struct kunit *test)
{
	natty_setting_set(&set, NATTY_SET_UDP, "77", &extack);
	natty_setting_set(&set, NATTY_SET_PROFILE, "iptables", &extack);
	natty_setting_set(&set, NATTY_SET_ICMP, "88", &extack);

	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_UDP], 77);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_ICMP], 88);
	KUNIT_EXPECT_TRUE(test, test_bit(NATTY_SET_UDP, set.explicit));
}

static void restoring_takes_the_profile_in_force(struct kunit *test)
{
	natty_setting_set(&set, NATTY_SET_UDP, "77", &extack);
	natty_setting_set(&set, NATTY_SET_PROFILE, "iptables", &extack);

	natty_setting_set(&set, NATTY_SET_UDP, NULL, &extack);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_UDP], 30);

	natty_setting_set(&set, NATTY_SET_PROFILE, NULL, &extack);
	KUNIT_EXPECT_EQ(test, set.value[NATTY_SET_UDP], 300);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(set.explicit, NATTY_SET_MAX));
}

static const char filtering_message[] =
	"filtering is endpoint-independent|address-dependent|address-and-port-dependent";

static void refusals_name_key_value_and_range(struct kunit *test)
{
	static const struct {
		enum natty_setting id;
		const char *value;
		int err;
		const char *message;
	} cases[] = {
		{ NATTY_SET_UDP, "0", -ERANGE,
		  "timeout.udp: 0 is not in 1-1000000 seconds" },
		{ NATTY_SET_UDP, "99999999999", -ERANGE,
		  "timeout.udp: 99999999999 is not in 1-1000000 seconds" },
		{ NATTY_SET_LIMIT_CONNECTIONS, "15", -ERANGE,
		  "limit.connections: 15 is not in 16-16777216" },
		{ NATTY_SET_UDP, "", -EINVAL, "timeout.udp:  is not a number" },
		{ NATTY_SET_UDP, "+5", -EINVAL, "timeout.udp: +5 is not a number" },
		{ NATTY_SET_UDP, "5s", -EINVAL, "timeout.udp: 5s is not a number" },
		{ NATTY_SET_HAIRPIN, "yes", -EINVAL,
		  "hairpin: yes is not off|on" },
		{ NATTY_SET_PROFILE, "RFC", -EINVAL,
		  "profile: RFC is not rfc|iptables" },
		{ NATTY_SET_FILTERING, "open", -EINVAL, filtering_message },
		{ NATTY_SET_ICMP_EXHAUSTED, "abcdefghijklmnop", -EINVAL,
		  "icmp.exhausted: abcdefghijkl is not host-unreachable|admin-prohibited|silent" },
	};
	struct natty_settings before = set;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int err = natty_setting_set(&set, cases[i].id, cases[i].value,
					    &extack);

		KUNIT_EXPECT_EQ(test, err, cases[i].err);
		KUNIT_EXPECT_STREQ(test, extack._msg, cases[i].message);
		KUNIT_EXPECT_EQ(test, memcmp(&before, &set, sizeof(set)), 0);
	}
	KUNIT_EXPECT_EQ(test, natty_setting_set(&set, NATTY_SET_UDP, "x", NULL),
			-EINVAL);
}

/* What is printed can be set again, in both profiles. */
static void print_and_set_are_inverse(struct kunit *test)
{
	static const char * const profile[] = { "rfc", "iptables" };
	struct natty_settings copy;
	unsigned int i, p;
	char text[80];

	for (p = 0; p < ARRAY_SIZE(profile); p++) {
		natty_setting_set(&set, NATTY_SET_PROFILE, profile[p], NULL);
		natty_settings_init(&copy);
		for (i = 0; i < NATTY_SET_MAX; i++) {
			natty_setting_print(&set, i, text, sizeof(text));
			KUNIT_EXPECT_EQ(test, natty_setting_set(&copy, i, text, NULL),
					0);
		}
		KUNIT_EXPECT_EQ(test, memcmp(set.value, copy.value,
					     sizeof(set.value)), 0);
	}
}

static void ranges_are_for_people(struct kunit *test)
{
	char text[80];

	natty_setting_print_range(NATTY_SET_UDP, text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, text, "1-1000000 seconds");
	natty_setting_print_range(NATTY_SET_LIMIT_HOST_PORTS, text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, text, "0-65535");
	natty_setting_print_range(NATTY_SET_ACCOUNTING, text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, text, "off|on");
	natty_setting_print_range(NATTY_SET_MAPPING, text, 8);
	KUNIT_EXPECT_STREQ(test, text, "endpoin");
}

static struct kunit_case setting_test_cases[] = {
	KUNIT_CASE(defaults_are_of_profile_rfc),
	KUNIT_CASE(every_key_is_found),
	KUNIT_CASE(profile_changes_what_is_not_explicit),
	KUNIT_CASE(explicit_wins_wherever_it_stands),
	KUNIT_CASE(restoring_takes_the_profile_in_force),
	KUNIT_CASE(refusals_name_key_value_and_range),
	KUNIT_CASE(print_and_set_are_inverse),
	KUNIT_CASE(ranges_are_for_people),
	{}
};

static struct kunit_suite natty_setting_suite = {
	.name = "natty_setting",
	.init = setting_test_init,
	.test_cases = setting_test_cases,
};

kunit_test_suite(natty_setting_suite);
