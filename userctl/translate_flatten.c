// SPDX-License-Identifier: GPL-2.0
/*
 * Chains that call each other as one list in which the first match wins.
 *
 * What a packet meets after a rule that makes it return is written out for the
 * packets that this rule matches, in place of that rule, and closed by an
 * accept. So no rule needs the opposite of what another one matches. Packets
 * that a list has already decided on may match what follows it.
 */
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "translate.h"
#include "value.h"

#define DEPTH_MAX	64	/* of chains that call each other */
#define STEPS_MAX	100000	/* rules looked at for a hook */

/* A chain that is being gone through, and who called it. */
struct frame {
	const struct tchain *chain;
	size_t at;			/* the next of its rules */
	const struct frame *up;		/* NULL at the hook */
};

struct flat {
	struct translation *translation;
	enum natty_chain hook;
	const char *comment;		/* of the rule that is being written */
	unsigned int depth, steps;
	unsigned int ahead;		/* rules are repeated before their place */
	bool full;			/* the limits were reached */
};

static bool run(struct flat *flat, const struct frame *frame,
		const struct box *box);

static void tell(struct flat *flat, struct step *step, const char *what)
{
	struct translation *tr = flat->translation;

	step->note = what;
	if (step->told || flat->ahead)
		return;
	step->told = true;
	translate_comment(tr, arena_printf(&tr->arena, "%s  # %s",
					   translate_quote(tr, &step->place),
					   what));
}

static void refuse(struct flat *flat, struct step *step, const char *why)
{
	if (!step->problem)
		translate_refuse(flat->translation, step, &step->place, "%s",
				 why);
	tell(flat, step, step->problem);
}

static void take(const struct rule *rule, void *data)
{
	struct flat *flat = data;

	translate_statement(flat->translation, rule, flat->comment);
}

/* An action without an address keeps the only one that there can be. */
static const char *keep_address(struct rule *rule, const struct box *box)
{
	enum side side = rule->action == NATTY_ACTION_SNAT ? SIDE_IN : SIDE_OUT;
	struct set set = box->addr[side];

	if ((rule->action != NATTY_ACTION_SNAT &&
	     rule->action != NATTY_ACTION_DNAT) || rule->to.min.len)
		return NULL;
	if (!set_is_single(set))
		return "natty changes a port only together with an address";
	rule->to.min = addr_of_num(set.list[0].min,
				   box->families == FAMILY_6 ? 16 : 4);
	rule->to.max = rule->to.min;
	return NULL;
}

/* Write an action for the packets in @box; false if natty cannot say it. */
static bool emit(struct flat *flat, struct step *step, const struct box *box,
		 const struct rule *action)
{
	struct rule rule = *action;
	const char *why;

	rule.chain = flat->hook;
	/* There it looks for the mappings that it made behind the route. */
	if (rule.action == NATTY_ACTION_MASQUERADE && rule.filtering >= 0 &&
	    flat->hook == NATTY_CHAIN_PREROUTING) {
		tell(flat, step, "mappings of natty need no rule for this");
		return false;
	}
	if (!translate_possible(rule.action, flat->hook)) {
		why = arena_printf(&flat->translation->arena,
				   "%s is not possible in %s",
				   name_of(action_names, rule.action),
				   name_of(chain_names, flat->hook));
	} else {
		why = keep_address(&rule, box);
		flat->comment = step->comment;
		if (!why)
			why = box_rules(&flat->translation->arena, box, &rule,
					take, flat);
	}
	if (why)
		refuse(flat, step, why);
	return !why;
}

static bool emit_accept(struct flat *flat, struct step *step,
			const struct box *box)
{
	static const struct rule accept = {
		.action = NATTY_ACTION_ACCEPT, .mapping = -1, .filtering = -1,
	};

	return emit(flat, step, box, &accept);
}

/*
 * All that packets meet from @frame on, which end there because of @step. False
 * if that cannot be said.
 */
static bool rest(struct flat *flat, struct step *step,
		 const struct frame *frame, const struct box *box)
{
	bool decided = false;

	flat->ahead++;
	for (; frame && !decided; frame = frame->up)
		decided = run(flat, frame, box);
	flat->ahead--;
	return decided || emit_accept(flat, step, box);
}

/* Does a chain that @to would be called by lead to it again? */
static bool is_loop(const struct frame *frame, const struct tchain *to)
{
	for (; frame; frame = frame->up)
		if (frame->chain == to)
			return true;
	return false;
}

static const struct frame *outermost(const struct frame *frame)
{
	while (frame->up)
		frame = frame->up;
	return frame;
}

/* The packets of @box that fit one of the boxes of a rule. */
static bool meet(struct flat *flat, const struct box *box,
		 const struct box *own, struct box *both)
{
	return box_and(&flat->translation->arena, box, own, both) &&
	       box_at(both, flat->hook);
}

/*
 * Where a rule of natty cannot say that two names are excluded, packets with
 * one of them go on behind the rule first, which then may match them. False if
 * that cannot be said either.
 */
static bool relax(struct flat *flat, const struct frame *frame,
		  struct step *step, const struct box *box,
		  const struct box *own, struct box *both)
{
	struct arena *arena = &flat->translation->arena;
	struct box left = *own, only, out;

	while (box_relax(arena, both, &left, &only)) {
		if (!meet(flat, box, &left, both))
			return false;
		if (box_and(arena, both, &only, &out) &&
		    !rest(flat, step, frame, &out))
			return false;
	}
	return true;
}

/*
 * What a rule does with the packets in @box, which are all that get there if
 * @whole. True if these are then decided on, or leave the chain, says *@leave.
 */
static bool act(struct flat *flat, const struct frame *frame,
		struct step *step, const struct box *box, bool whole,
		bool *leave)
{
	struct frame to = { .chain = step->to, .up = frame };

	if (step->to && is_loop(frame, step->to)) {
		refuse(flat, step,
		       arena_printf(&flat->translation->arena,
				    "chain %s leads back to itself",
				    step->to->name));
		return false;
	}
	switch (step->verdict) {
	case VERDICT_NAT:
		return emit(flat, step, box, &step->nat) && whole;
	case VERDICT_ACCEPT:
		return rest(flat, step, outermost(frame), box) && whole;
	case VERDICT_JUMP:
		return run(flat, &to, box) && whole;
	case VERDICT_RETURN:
		*leave = whole;
		if (!whole)
			rest(flat, step, frame->up, box);
		return false;
	case VERDICT_GOTO:
		to.up = frame->up;
		if (run(flat, &to, box))
			return whole;
		*leave = whole;
		if (!whole)
			rest(flat, step, frame->up, box);
		return false;
	default:
		tell(flat, step, "does nothing but count");
		return false;
	}
}

/*
 * In prerouting natty sees the marks of the table raw, iptables and nft those
 * of mangle as well. Without a rule in sight that sets them in time, they may
 * be another one's. Returns NULL, or why the rule's marks cannot be matched.
 */
static const char *missed_marks(const struct flat *flat, const struct step *step)
{
	const struct translation *tr = flat->translation;
	unsigned int families = 0;
	size_t i;

	for (i = 0; i < step->count; i++)
		if (step->boxes[i].mark.is.mask || step->boxes[i].mark.nots)
			families |= step->boxes[i].families;
	if (flat->hook != NATTY_CHAIN_PREROUTING || !families)
		return NULL;
	if (tr->late_marks & families)
		return "marks of prerouting must be set before priority -201: in raw, not mangle";
	if (families & ~tr->early_marks)
		return "no rule is given that sets marks in time: in raw, before priority -201";
	return NULL;
}

/* Each of the boxes of a rule in turn; as act(). */
static bool visit(struct flat *flat, const struct frame *frame,
		  struct step *step, const struct box *box, bool *leave)
{
	bool decided = false, whole;
	const char *why = missed_marks(flat, step);
	struct box both;
	size_t i;

	step->visited = true;
	if (why)
		refuse(flat, step, why);
	if (step->problem) {
		if (!why)
			tell(flat, step, step->problem);
		return false;
	}
	if (!step->count)
		tell(flat, step, "no packet fits");
	for (i = 0; i < step->count && !decided && !*leave; i++) {
		if (!meet(flat, box, &step->boxes[i], &both))
			continue;
		whole = box_is_all(&both, box);
		if (step->verdict != VERDICT_NONE &&
		    !relax(flat, frame, step, box, &step->boxes[i], &both))
			continue;
		decided = act(flat, frame, step, &both, whole, leave);
	}
	return decided;
}

/* The rest of a chain. True if it decides on all of the packets in @box. */
static bool run(struct flat *flat, const struct frame *frame,
		const struct box *box)
{
	struct frame here = *frame;
	bool decided = false, leave = false;

	if (flat->depth == DEPTH_MAX)
		flat->full = true;
	flat->depth++;
	while (here.at < here.chain->count && !decided && !leave &&
	       !flat->full) {
		struct step *step = &here.chain->steps[here.at++];

		if (++flat->steps == STEPS_MAX)
			flat->full = true;
		decided = visit(flat, &here, step, box, &leave);
	}
	flat->depth--;
	return decided;
}

static int by_priority(const void *a, const void *b)
{
	const struct base *one = a, *other = b;

	if (one->priority != other->priority)
		return one->priority < other->priority ? -1 : 1;
	return one->number < other->number ? -1 : 1;
}

/* A hook calls its chains as if they were jumped to, until one translates. */
static void flatten_hook(struct translation *tr, enum natty_chain hook)
{
	struct flat flat = { .translation = tr, .hook = hook };
	size_t i, n = tr->base_count[hook];
	struct base *bases = tr->bases[hook];
	struct box any = { .families = FAMILY_BOTH };
	struct tchain top = { .count = n };
	struct frame frame = { .chain = &top };
	struct box *boxes;

	if (!n)
		return;
	qsort(bases, n, sizeof(*bases), by_priority);
	top.steps = arena_alloc(&tr->arena, n * sizeof(*top.steps));
	boxes = arena_alloc(&tr->arena, n * sizeof(*boxes));
	for (i = 0; i < n; i++) {
		boxes[i].families = bases[i].families;
		top.steps[i].boxes = &boxes[i];
		top.steps[i].count = 1;
		top.steps[i].verdict = VERDICT_JUMP;
		top.steps[i].to = bases[i].chain;
	}
	run(&flat, &frame, &any);
	if (flat.full)
		translate_problem(tr, &bases[0].chain->place,
				  "chain %s: the chains that it calls call each other, or there are too many ways through them",
				  bases[0].chain->name);
}

/* Rules that no packet gets to are told, too, and what had no place. */
static void tell_rest(struct translation *tr)
{
	struct flat flat = { .translation = tr };
	struct tchain *chain;
	size_t i, j;

	for (i = 0; i < tr->chain_count; i++) {
		chain = tr->chains[i];
		for (j = 0; j < chain->count; j++) {
			struct step *step = &chain->steps[j];

			if (step->problem)
				tell(&flat, step, step->problem);
			else if (!step->visited || step->note)
				tell(&flat, step, step->visited ? step->note :
				     "no packet gets there");
		}
	}
}

void translate_flatten(struct translation *translation)
{
	static const enum natty_chain order[] = {
		NATTY_CHAIN_PREROUTING, NATTY_CHAIN_INPUT, NATTY_CHAIN_OUTPUT,
		NATTY_CHAIN_POSTROUTING,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		flatten_hook(translation, order[i]);
	tell_rest(translation);
}
