/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The decision, case by case of the open attempt's state.
 */
#include "server/core/boot_decide.h"

#include "server/core/deadlines.h"

static bool is_echo(const struct boot_facts *facts)
{
	return facts->session != 0 && facts->lease_session != 0 &&
	       facts->session != facts->lease_session;
}

static bool is_new_boot(const struct boot_facts *facts)
{
	return facts->session != 0 && !is_echo(facts) && facts->session != facts->attempt_session;
}

static struct boot_decision reset(void)
{
	return (struct boot_decision){ .answer = BOOT_ANSWER_TAKE, .was_reset = true };
}

/* The kernel was served; nobody said hello yet. */
static struct boot_decision decide_booting(const struct boot_facts *facts)
{
	bool dhcp_says_new = facts->session == 0 && facts->lease_session != 0 &&
	                     facts->lease_session != facts->attempt_session;

	if (is_new_boot(facts) || dhcp_says_new)
		return reset();
	return (struct boot_decision){ .answer = BOOT_ANSWER_SAME };
}

static struct boot_decision decide_running(const struct boot_facts *facts)
{
	if (is_new_boot(facts))
		return reset();
	if (facts->session == 0 && facts->silent > LEASE_LENGTH)
		return reset();
	return (struct boot_decision){ .answer = BOOT_ANSWER_WAIT };
}

struct boot_decision boot_decide(const struct boot_facts *facts)
{
	if (!facts->has_attempt || attempt_state_is_final(facts->state))
		return (struct boot_decision){ .answer = BOOT_ANSWER_TAKE };
	if (facts->state == ATTEMPT_OFFERED || facts->state == ATTEMPT_LOADING)
		return (struct boot_decision){ .answer = BOOT_ANSWER_SAME,
			                       .rebind = is_new_boot(facts) };
	if (facts->state == ATTEMPT_REBOOTING) /* announced: it comes back for its own script */
		return (struct boot_decision){ .answer = BOOT_ANSWER_SAME,
			                       .rebind = is_new_boot(facts) };
	if (facts->state == ATTEMPT_BOOTING)
		return decide_booting(facts);
	return decide_running(facts);
}
