/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A job of a host with one machine, as far as a test of the API needs it to have come.
 */
#pragma once

#include "tests/support/services_agent.h"

/* A host vm-1, its machine, a job for it. */
static inline struct agent prepare_job(struct world *w)
{
	struct agent agent = { .machine = world_machine(w, 0x11) };

	world_register(w, "vm-1", agent.machine.mac);
	world_submit(w, agent.job);
	return agent;
}

static inline struct agent prepare_running_job(struct world *w)
{
	struct agent agent = prepare_job(w);

	assert_int_equal(world_boot(w, &agent.machine), 200);
	fetch_job(w, &agent);
	transfer(w, &agent, kernel_path, TRANSFER_DONE);
	assert_int_equal(say(w, &agent, "hello", HELLO), 200);
	assert_int_equal(say(w, &agent, "stage", "{\"stage\":\"running\"}"), 200);
	return agent;
}
