/* SPDX-License-Identifier: MulanPSL-2.0 */
/* What is done about a host's power, event for event; and the command that does it. */
#include "tests/support/test.h"

#include <string.h>

#include "lib/base/macro.h"
#include "server/core/power_command.h"

#define SEC  USEC_PER_SEC
#define WAIT (600 * SEC)

/* One event at the first moment it can count (at_steady), and what it leaves. */
struct step {
	enum power_event event;
	enum power_action goal; /* with ASKED */
	int outcome;
	enum power_phase phase;
	enum power_action action; /* unless idle */
	unsigned tries;
};

#define TAKEN(action, n)                                                                           \
	{                                                                                          \
		POWER_EVENT_TAKEN, 0, POWER_CHANGED, POWER_RUNNING, action, n                      \
	}
#define MISSED                                                                                     \
	{                                                                                          \
		POWER_EVENT_MISSED, 0, POWER_CHANGED, POWER_DUE, POWER_CYCLE, 0                    \
	}
#define ASKED(goal)                                                                                \
	{                                                                                          \
		POWER_EVENT_ASKED, goal, POWER_CHANGED, POWER_DUE, goal, 0                         \
	}
#define DONE(phase, action, n)                                                                     \
	{                                                                                          \
		POWER_EVENT_DONE, 0, POWER_CHANGED, phase, action, n                               \
	}
#define TIME(action, n)                                                                            \
	{                                                                                          \
		POWER_EVENT_TIME, 0, POWER_CHANGED, POWER_DUE, action, n                           \
	}

static const struct {
	const char *what;
	struct step steps[16]; /* an outcome -1 ends them */
} stories[] = {
	{ "a machine that missed its deadline is cycled, and comes",
	  { MISSED,
	    TAKEN(POWER_CYCLE, 1),
	    DONE(POWER_AWAITED, POWER_CYCLE, 1),
	    { POWER_EVENT_SEEN, 0, POWER_CHANGED, POWER_IDLE, 0, 1 },
	    { .outcome = -1 } } },
	{ "it is cycled twice, then switched off and on, then broken",
	  { MISSED,
	    TAKEN(POWER_CYCLE, 1),
	    DONE(POWER_AWAITED, POWER_CYCLE, 1),
	    TIME(POWER_CYCLE, 1),
	    TAKEN(POWER_CYCLE, 2),
	    DONE(POWER_AWAITED, POWER_CYCLE, 2),
	    TIME(POWER_OFF, 2),
	    TAKEN(POWER_OFF, 3),
	    DONE(POWER_DUE, POWER_ON, 3),
	    TAKEN(POWER_ON, 3),
	    DONE(POWER_AWAITED, POWER_ON, 3),
	    { POWER_EVENT_TIME, 0, POWER_IS_BROKEN, POWER_IDLE, 0, 3 },
	    { .outcome = -1 } } },
	{ "a command that always fails breaks it too; on follows off that failed",
	  { MISSED,
	    TAKEN(POWER_CYCLE, 1),
	    { POWER_EVENT_FAILED, 0, POWER_CHANGED, POWER_DUE, POWER_CYCLE, 1 },
	    TAKEN(POWER_CYCLE, 2),
	    { POWER_EVENT_FAILED, 0, POWER_CHANGED, POWER_DUE, POWER_OFF, 2 },
	    TAKEN(POWER_OFF, 3),
	    { POWER_EVENT_FAILED, 0, POWER_CHANGED, POWER_DUE, POWER_ON, 3 },
	    TAKEN(POWER_ON, 3),
	    { POWER_EVENT_FAILED, 0, POWER_IS_BROKEN, POWER_IDLE, 0, 3 },
	    { .outcome = -1 } } },
	{ "one that comes by itself is left alone",
	  { MISSED,
	    { POWER_EVENT_SEEN, 0, POWER_CHANGED, POWER_IDLE, 0, 0 },
	    { POWER_EVENT_TAKEN, 0, 0, POWER_IDLE, 0, 0 },
	    { .outcome = -1 } } },
	{ "but not what a person asked for, nor the half of a try",
	  { ASKED(POWER_CYCLE),
	    { POWER_EVENT_SEEN, 0, 0, POWER_DUE, POWER_CYCLE, 0 },
	    { POWER_EVENT_MISSED, 0, 0, POWER_DUE, POWER_CYCLE, 0 },
	    TAKEN(POWER_CYCLE, 1),
	    { POWER_EVENT_SEEN, 0, 0, POWER_RUNNING, POWER_CYCLE, 1 },
	    { .outcome = -1 } } },
	{ "off that is asked for is nothing to wait for",
	  { ASKED(POWER_OFF),
	    TAKEN(POWER_OFF, 1),
	    DONE(POWER_IDLE, 0, 1),
	    { POWER_EVENT_TIME, 0, 0, POWER_IDLE, 0, 1 },
	    { .outcome = -1 } } },
	{ "on that fails thrice is given up, and breaks nothing",
	  { ASKED(POWER_ON),
	    TAKEN(POWER_ON, 1),
	    { POWER_EVENT_FAILED, 0, POWER_CHANGED, POWER_DUE, POWER_ON, 1 },
	    TAKEN(POWER_ON, 2),
	    { POWER_EVENT_FAILED, 0, POWER_CHANGED, POWER_DUE, POWER_ON, 2 },
	    TAKEN(POWER_ON, 3),
	    { POWER_EVENT_FAILED, 0, POWER_GAVE_UP, POWER_IDLE, 0, 3 },
	    { .outcome = -1 } } },
	{ "what is asked while a command runs follows it",
	  { MISSED,
	    TAKEN(POWER_CYCLE, 1),
	    { POWER_EVENT_ASKED, POWER_OFF, POWER_CHANGED, POWER_RUNNING, POWER_CYCLE, 0 },
	    DONE(POWER_DUE, POWER_OFF, 0),
	    TAKEN(POWER_OFF, 1),
	    DONE(POWER_IDLE, 0, 1),
	    { .outcome = -1 } } },
	{ "a command that a restart cut off is given again, and is no try more",
	  { MISSED,
	    TAKEN(POWER_CYCLE, 1),
	    { POWER_EVENT_LOST, 0, POWER_CHANGED, POWER_DUE, POWER_CYCLE, 0 },
	    TAKEN(POWER_CYCLE, 1),
	    DONE(POWER_AWAITED, POWER_CYCLE, 1),
	    { POWER_EVENT_LOST, 0, 0, POWER_AWAITED, POWER_CYCLE, 1 },
	    { .outcome = -1 } } },
};

static void each_story_goes_as_it_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
		struct power power = { .phase = POWER_IDLE };
		usec_t now = 5 * SEC;

		for (size_t k = 0; stories[i].steps[k].outcome >= 0; k++) {
			const struct step *step = &stories[i].steps[k];
			struct power_facts facts = {
				.event = step->event, .goal = step->goal, .wait = WAIT, .seed = 7
			};
			int outcome;

			if (step->event == POWER_EVENT_TIME || step->event == POWER_EVENT_TAKEN)
				now = MAX(now, power.at_steady);
			facts.steady = now;
			outcome = power_decide(&power, &facts);
			if (outcome != step->outcome || power.phase != step->phase ||
			    power.tries != step->tries ||
			    (power.phase != POWER_IDLE && power.action != step->action))
				fail_msg("%s, step %zu: outcome %d, %s, %s, try %u",
				         stories[i].what, k, outcome,
				         power_phase_to_name((int)power.phase),
				         power_action_to_name((int)power.action), power.tries);
		}
	}
}

static void nothing_is_done_before_its_time(void **state)
{
	struct power power = { .phase = POWER_IDLE };
	struct power_facts facts = { .event = POWER_EVENT_MISSED, .steady = 9 * SEC, .wait = WAIT };

	(void)state;
	assert_int_equal(power_decide(&power, &facts), POWER_CHANGED);
	assert_in_range(power.at_steady, 11 * SEC, 11 * SEC + SEC / 2);
	facts.event = POWER_EVENT_TAKEN;
	facts.steady = power.at_steady - 1;
	assert_int_equal(power_decide(&power, &facts), 0);
	facts.steady++;
	assert_int_equal(power_decide(&power, &facts), POWER_CHANGED);
	facts.event = POWER_EVENT_DONE;
	assert_int_equal(power_decide(&power, &facts), POWER_CHANGED);
	assert_int_equal(power.at_steady, facts.steady + WAIT);
	facts.event = POWER_EVENT_TIME;
	facts.steady = power.at_steady - 1;
	assert_int_equal(power_decide(&power, &facts), 0);
}

static void the_back_off_grows_is_bounded_and_told_by_the_seed(void **state)
{
	static const usec_t least[] = { 2 * SEC, 8 * SEC, 20 * SEC, 20 * SEC };
	bool differs = false;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(least); i++)
		for (uint64_t seed = 0; seed < 100; seed++) {
			usec_t pause = power_back_off(i, seed);

			assert_in_range(pause, least[i], least[i] + least[i] / 4);
			assert_int_equal(pause, power_back_off(i, seed));
			differs = differs || pause != power_back_off(i, seed + 1);
		}
	assert_true(differs);
}

/* The words of a command, a space behind each. */
static void join(const struct power_command *command, char *to, size_t size)
{
	const char *word = command->words;

	to[0] = '\0';
	for (unsigned i = 0; i < command->n_argv + command->n_env; i++) {
		(void)snprintf(to + strlen(to), size - strlen(to), "%s ", word);
		word += strlen(word) + 1;
	}
	assert_int_equal(word - command->words, command->len);
}

#define PATH_WORD "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "

static void a_command_is_told_action_host_and_address(void **state)
{
	struct power_method method = { .host = "vm-1",
		                       .command = { "/etc/cci/power", "pdu 3" },
		                       .n_command = 2 };
	struct mac mac = { { 0x52, 0x54, 0, 1, 2, 3 } };
	struct power_command command;
	char text[1024];

	(void)state;
	assert_int_equal(power_command_make(&method, POWER_OFF, mac, &command), 0);
	assert_int_equal(command.n_argv, 4);
	join(&command, text, sizeof(text));
	assert_string_equal(text, "/etc/cci/power pdu 3 off vm-1 CCI_ACTION=off CCI_HOST=vm-1 "
	                          "CCI_MAC=52:54:00:01:02:03 " PATH_WORD);
}

static void ipmitool_is_told_a_file_for_the_password(void **state)
{
	struct power_method method = { .host = "bm-1",
		                       .ipmi = { .address = "10.0.0.9",
		                                 .user = "root",
		                                 .password_file = "/etc/cci/bmc",
		                                 .port = 623 } };
	struct power_command command;
	char text[1024];

	(void)state;
	assert_int_equal(power_command_make(&method, POWER_CYCLE, (struct mac){ { 0 } }, &command),
	                 0);
	join(&command, text, sizeof(text));
	assert_string_equal(
		text, "ipmitool -I lanplus -H 10.0.0.9 -p 623 -U root -f /etc/cci/bmc "
		      "chassis power cycle CCI_ACTION=cycle CCI_HOST=bm-1 CCI_MAC= " PATH_WORD);
	method.ipmi.cipher = 17;
	assert_int_equal(power_command_make(&method, POWER_ON, (struct mac){ { 0 } }, &command), 0);
	join(&command, text, sizeof(text));
	assert_non_null(strstr(text, " -f /etc/cci/bmc -C 17 chassis power on "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_story_goes_as_it_is_told),
		cmocka_unit_test(nothing_is_done_before_its_time),
		cmocka_unit_test(the_back_off_grows_is_bounded_and_told_by_the_seed),
		cmocka_unit_test(a_command_is_told_action_host_and_address),
		cmocka_unit_test(ipmitool_is_told_a_file_for_the_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
