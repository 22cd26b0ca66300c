// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>

#include "test_race.h"

/* Steps that one worker may be ahead of the other. */
#define LEAD 2

/* Where a worker is that has come to its end: never behind the other. */
#define ENDED (UINT_MAX - LEAD)

static struct test_worker *other_of(struct test_worker *worker)
{
	return &worker->race->worker[!worker->id];
}

bool test_race_step(struct test_worker *worker)
{
	unsigned int at = READ_ONCE(other_of(worker)->at);

	if (at != worker->other_at && at != ENDED)
		worker->overlaps++;
	worker->other_at = at;
	WRITE_ONCE(worker->at, worker->at + 1);
	cond_resched();
	return time_before(jiffies, worker->race->deadline);
}

bool test_race_abreast(struct test_worker *worker)
{
	if (!test_race_step(worker))
		return false;
	while (READ_ONCE(other_of(worker)->at) + LEAD < worker->at) {
		if (time_after(jiffies, worker->race->deadline))
			return false;
		cpu_relax();
		cond_resched();
	}
	return true;
}

bool test_race_until_met(struct test_worker *worker, unsigned int steps)
{
	if (worker->at >= steps && worker->rare && READ_ONCE(other_of(worker)->rare))
		return false;
	return test_race_abreast(worker);
}

static int run_worker(void *arg)
{
	struct test_worker *worker = arg;
	struct test_race *race = worker->race;

	atomic_inc(&race->ready);
	while (atomic_read(&race->ready) < TEST_WORKERS)
		cond_resched();
	race->work(worker);
	WRITE_ONCE(worker->at, ENDED);
	complete(&worker->done);
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int make_workers(struct test_race *race)
{
	int cpu = cpumask_first(cpu_online_mask);
	unsigned int i;

	for (i = 0; i < TEST_WORKERS; i++) {
		struct test_worker *worker = &race->worker[i];

		worker->race = race;
		worker->id = i;
		init_completion(&worker->done);
		worker->task = kthread_create(run_worker, worker,
					      "natty_test/%u", i);
		if (IS_ERR(worker->task))
			goto stop;
		kthread_bind(worker->task, cpu);
		cpu = cpumask_next(cpu, cpu_online_mask);
	}
	return 0;

stop:
	/* None of them has run yet. */
	while (i--)
		kthread_stop(race->worker[i].task);
	return -ENOMEM;
}

void test_race_run(struct kunit *test, struct test_race *race)
{
	unsigned int i;

	if (num_online_cpus() < TEST_WORKERS)
		kunit_skip(test, "needs two CPUs");
	memset(race->worker, 0, sizeof(race->worker));
	atomic_set(&race->ready, 0);
	race->deadline = jiffies + race->seconds * HZ;
	KUNIT_ASSERT_EQ(test, make_workers(race), 0);
	for (i = 0; i < TEST_WORKERS; i++)
		wake_up_process(race->worker[i].task);
	for (i = 0; i < TEST_WORKERS; i++)
		wait_for_completion(&race->worker[i].done);
	for (i = 0; i < TEST_WORKERS; i++)
		kthread_stop(race->worker[i].task);
}

void test_race_expect_met(struct kunit *test, const struct test_race *race)
{
	unsigned int i;

	for (i = 0; i < TEST_WORKERS; i++) {
		kunit_info(test, "worker %u: %u steps beside the other, %u done, %u met",
			   i, race->worker[i].overlaps, race->worker[i].good,
			   race->worker[i].rare);
		if (!race->worker[i].overlaps)
			kunit_skip(test, "the threads did not run at the same time");
		if (!race->worker[i].rare)
			kunit_skip(test, "the threads did not meet");
	}
}
