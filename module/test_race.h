/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NATTY_TEST_RACE_H
#define NATTY_TEST_RACE_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/sched.h>

#define TEST_WORKERS 2

struct test_race;

/**
 * struct test_worker - one of two threads, each on a CPU of its own
 * @race: both of them
 * @id: 0 or 1
 * @task: the thread
 * @done: it has come to its end
 * @at: how far it is; read by the other
 * @other_at: how far the other was when this one last looked
 * @overlaps: how often the other moved while this one did
 * @good: what the work counts as done
 * @bad: what the work counts as wrong
 * @rare: what the work counts to know that it tested anything
 */
struct test_worker {
	struct test_race *race;
	unsigned int id;
	struct task_struct *task;
	struct completion done;
	unsigned int at;
	unsigned int other_at;
	unsigned int overlaps;
	unsigned int good;
	unsigned int bad;
	unsigned int rare;
};

/**
 * struct test_race - what two threads do at the same time
 * @work: run by both; must not use expectations, which belong to the test's
 *	own thread
 * @arg: for @work
 * @seconds: after which it ends, however far it is
 * @ready: how many have begun
 * @deadline: jiffies
 * @worker: the threads
 */
struct test_race {
	void (*work)(struct test_worker *worker);
	void *arg;
	unsigned int seconds;
	atomic_t ready;
	unsigned long deadline;
	struct test_worker worker[TEST_WORKERS];
};

/* Run it and wait for both; skips the test if there is one CPU only. */
void test_race_run(struct kunit *test, struct test_race *race);

/* One step further; false if it is too late to go on. */
bool test_race_step(struct test_worker *worker);

/* The same, but let neither get far ahead of the other. */
bool test_race_abreast(struct test_worker *worker);

/*
 * The same, for @steps at least and until both have counted something rare: on
 * a busy machine the threads may long not run at the same time.
 */
bool test_race_until_met(struct test_worker *worker, unsigned int steps);

/*
 * After all has proved right: skip the test unless both threads ran at the
 * same time and each met what it was to meet, for nothing was tested then.
 */
void test_race_expect_met(struct kunit *test, const struct test_race *race);

#endif
