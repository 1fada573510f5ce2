// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that does harm when it is loaded: insmod trouble.ko what=oops.
 * The tests of the VM driver load it to see that each kind is recognised.
 */
#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nmi.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

static char *what = "nothing";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "the kind of harm, a name of kinds[]");

static void do_panic(void)
{
	panic("trouble was asked for");
}

/* The pointer comes from a volatile, or the compiler would see the null and warn. */
static void do_oops(void)
{
	int *volatile nowhere = NULL;

	*nowhere = 1;
}

static void do_warn(void)
{
	WARN(1, "trouble was asked for\n");
}

static void do_bug(void)
{
	BUG();
}

/* With one CPU nothing runs any more, neither the timer nor the console. */
static void do_hang(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

/* Interrupts still come, so the soft-lockup watchdog sees that nothing else is scheduled. */
static void do_soft_lockup(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static void grace_period_over(struct rcu_head *head)
{
}

/*
 * A reader that never ends, and somebody who waits for the readers: without a grace period to
 * wait for there is no stall. Where readers are preemptible, the rest of the kernel goes on.
 */
static void do_rcu_stall(void)
{
	static struct rcu_head head;

	call_rcu(&head, grace_period_over);
	rcu_read_lock();
	for (;;) {
		/* Else it would be a soft lockup where readers aren't preemptible. */
		touch_softlockup_watchdog();
		cpu_relax();
	}
}

/* Nothing wakes this task up again. */
static void do_hung_task(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule();
}

static void do_flood(void)
{
	for (;;) {
		pr_info("the same line again and again\n");
		cond_resched();
	}
}

/* The first lines of a report as kernel/locking/lockdep.c prints it; no Debian kernel has lockdep. */
static void do_lockdep(void)
{
	pr_warn("\n");
	pr_warn("======================================================\n");
	pr_warn("WARNING: possible circular locking dependency detected\n");
	pr_warn("------------------------------------------------------\n");
	pr_warn("insmod/1 is trying to acquire lock:\n");
}

static void do_error(void)
{
	pr_err("something went wrong\n");
}

static void do_taint(void)
{
	add_taint(TAINT_USER, LOCKDEP_STILL_OK);
}

static const struct {
	const char *name;
	void (*act)(void);
} kinds[] = {
	{ "panic", do_panic },
	{ "oops", do_oops },
	{ "warn", do_warn },
	{ "bug", do_bug },
	{ "hang", do_hang },
	{ "soft-lockup", do_soft_lockup },
	{ "rcu-stall", do_rcu_stall },
	{ "hung-task", do_hung_task },
	{ "flood", do_flood },
	{ "lockdep", do_lockdep },
	{ "error", do_error },
	{ "taint", do_taint },
};

static int __init trouble_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(what, kinds[i].name)) {
			kinds[i].act();
			return 0;
		}
	}
	pr_info("trouble: what=%s is no kind\n", what);
	return -EINVAL;
}

static void __exit trouble_exit(void)
{
}

module_init(trouble_init);
module_exit(trouble_exit);
MODULE_DESCRIPTION("Harm for tests");
MODULE_LICENSE("GPL");
