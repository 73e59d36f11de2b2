/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/power.h"

#include "lib/base/macro.h"
#include "lib/base/rng.h"
#include "lib/base/table.h"

static const char *const actions[_POWER_ACTION_MAX] = {
	[POWER_ON] = "on",
	[POWER_OFF] = "off",
	[POWER_CYCLE] = "cycle",
};

static const char *const phases[_POWER_PHASE_MAX] = {
	[POWER_IDLE] = "idle",
	[POWER_DUE] = "due",
	[POWER_RUNNING] = "running",
	[POWER_AWAITED] = "awaited",
};

DEFINE_NAME_TABLE(power_action, actions);
DEFINE_NAME_TABLE(power_phase, phases);

usec_t power_back_off(unsigned tries, uint64_t seed)
{
	static const usec_t pauses[] = { 2 * USEC_PER_SEC, 8 * USEC_PER_SEC, 20 * USEC_PER_SEC };
	usec_t pause = pauses[MIN((size_t)tries, ARRAY_SIZE(pauses) - 1)];
	struct rng rng;

	rng_init(&rng, seed + tries);
	return pause + rng_next(&rng) % (pause / 4);
}

static void want(struct power *power, enum power_action goal, bool is_asked, usec_t at_steady)
{
	*power = (struct power){ .phase = POWER_DUE,
		                 .goal = goal,
		                 .action = goal,
		                 .is_asked = is_asked,
		                 .at_steady = at_steady };
}

/* A try is over without success: the next one, or the end. */
static int try_again(struct power *power, const struct power_facts *facts)
{
	if (power->tries >= POWER_TRIES) {
		power->phase = POWER_IDLE;
		return power->goal == POWER_CYCLE ? POWER_IS_BROKEN : POWER_GAVE_UP;
	}
	power->phase = POWER_DUE;
	/* what a short cycle does not mend may be mended by a long one */
	power->action = power->goal == POWER_CYCLE && power->tries == POWER_TRIES - 1 ? POWER_OFF
	                                                                              : power->goal;
	power->at_steady = usec_add(facts->steady, power_back_off(power->tries, facts->seed));
	return POWER_CHANGED;
}

/* The command has ended. No try of the goal: somebody asked for another while it ran. */
static int step(struct power *power, const struct power_facts *facts)
{
	bool is_half = power->action != power->goal && power->action == POWER_OFF;

	if (power->tries == 0) {
		want(power, power->goal, true, facts->steady);
		return POWER_CHANGED;
	}
	if (is_half) { /* off, or nobody knows: on in any case */
		power->phase = POWER_DUE;
		power->action = POWER_ON;
		power->at_steady = usec_add(facts->steady, POWER_OFF_TIME);
		return POWER_CHANGED;
	}
	if (facts->event == POWER_EVENT_FAILED)
		return try_again(power, facts);
	power->phase = power->goal == POWER_CYCLE ? POWER_AWAITED : POWER_IDLE;
	power->at_steady = usec_add(facts->steady, facts->wait);
	return POWER_CHANGED;
}

/* On after off is the second half of a try. */
static bool begins_try(const struct power *power)
{
	return power->action == power->goal || power->action == POWER_OFF;
}

static int take(struct power *power)
{
	power->tries += begins_try(power);
	power->phase = POWER_RUNNING;
	return POWER_CHANGED;
}

/* The same step once more: none of them does harm twice. */
static int lose(struct power *power, const struct power_facts *facts)
{
	if (power->tries == 0) {
		want(power, power->goal, true, facts->steady);
		return POWER_CHANGED;
	}
	power->tries -= begins_try(power);
	power->phase = POWER_DUE;
	power->at_steady = facts->steady;
	return POWER_CHANGED;
}

static int miss(struct power *power, const struct power_facts *facts)
{
	if (power->phase != POWER_IDLE)
		return 0; /* it is being seen to */
	want(power, POWER_CYCLE, false, usec_add(facts->steady, power_back_off(0, facts->seed)));
	return POWER_CHANGED;
}

static int ask(struct power *power, const struct power_facts *facts)
{
	if (power->phase != POWER_RUNNING) {
		want(power, facts->goal, true, facts->steady);
		return POWER_CHANGED;
	}
	power->goal = facts->goal;
	power->is_asked = true;
	power->tries = 0;
	return POWER_CHANGED;
}

static int see(struct power *power)
{
	bool is_over = power->phase == POWER_AWAITED ||
	               (power->phase == POWER_DUE && !power->is_asked && power->action != POWER_ON);

	if (!is_over)
		return 0;
	power->phase = POWER_IDLE;
	return POWER_CHANGED;
}

int power_decide(struct power *power, const struct power_facts *facts)
{
	switch (facts->event) {
	case POWER_EVENT_MISSED:
		return miss(power, facts);
	case POWER_EVENT_ASKED:
		return ask(power, facts);
	case POWER_EVENT_TAKEN:
		return power->phase == POWER_DUE && power->at_steady <= facts->steady ? take(power)
		                                                                      : 0;
	case POWER_EVENT_DONE:
	case POWER_EVENT_FAILED:
		return power->phase == POWER_RUNNING ? step(power, facts) : 0;
	case POWER_EVENT_SEEN:
		return see(power);
	case POWER_EVENT_TIME:
		return power->phase == POWER_AWAITED && power->at_steady <= facts->steady
		               ? try_again(power, facts)
		               : 0;
	case POWER_EVENT_LOST:
		return power->phase == POWER_RUNNING ? lose(power, facts) : 0;
	case _POWER_EVENT_MAX:
		break;
	}
	return 0;
}
