/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A whole lab in one process: the real services over a real store, simulated machines with the real
 * agent's step, a network that delays, loses, doubles and cuts, and one clock. One seed is one
 * story, event for event (only tokens are drawn elsewhere, and nothing depends on them).
 *
 * sim.c keeps time; sim_server is the server with its crashes, sim_group its commits; sim_machine
 * the machines; sim_user the people; sim_check the rules of state-machines.md, held against every
 * event.
 */
#pragma once

#include "tests/support/services_world.h"

#include "agent/step.h"
#include "lib/base/rng.h"
#include "server/core/attempt.h"
#include "server/service/dhcp_service.h"

#define SIM_MACHINES_MAX 250
#define SIM_JOBS_MAX     500
#define SIM_ATTEMPTS_MAX 8192
#define SIM_QUEUE_MAX    65536
#define SIM_USER         (-1) /* in place of the number of a machine */

#define SIM_SERVER_NET 0x0a000000 /* 10.0.0.0/23 */

/* What travels. A reply carries the number of its request; a machine knows what it waits for. */
enum sim_kind { SIM_DHCP, SIM_API, SIM_TRANSFER };

struct sim_message {
	enum sim_kind kind;
	bool is_reply;
	uint64_t request;
	enum http_method method;
	char target[192], token[64], key[32];
	unsigned status;    /* of a reply; 0: the connection was lost */
	struct buffer body; /* owned */
};

struct sim_event {
	usec_t at;
	uint64_t order; /* of two at one moment the one made first goes first */
	int machine;
	unsigned life;               /* of the machine it is for or from; another one drops it */
	struct sim_message *message; /* NULL: the machine wakes */
};

enum machine_state {
	MACHINE_OFF,
	MACHINE_DHCP,  /* iPXE asks for an address */
	MACHINE_FIRST, /* for boot.ipxe */
	MACHINE_ASK,   /* for its script */
	MACHINE_LOAD,  /* fetches what the script names */
	MACHINE_BOOT,  /* its kernel starts */
	MACHINE_AGENT,
	MACHINE_KDUMP, /* a crashed kernel's successor */
	_MACHINE_STATE_MAX,
};

struct machine_sim {
	int number;
	struct mac mac;
	uint32_t address;
	enum machine_state state;
	unsigned life; /* rises with each reset: what was under way is nobody's any more */
	usec_t cut_until;
	uint64_t request; /* the one whose answer is waited for; 0: none */
	usec_t give_up_at;
	uint32_t xid;
	int64_t session;
	unsigned loading; /* how far */
	char job[64], attempt[32], token[64];
	struct step step;
	usec_t skew; /* of the agent's clock */
	/* the job's code: */
	bool executes, is_stubborn, says_reboot;
	bool was_started; /* in this life: what the agent finds out from its marker */
	usec_t code_ends_at;
	int exit_code;
	usec_t last_idle_or_busy; /* L2 */
};

struct attempt_shadow {
	int64_t job;
	char host[HOST_NAME_MAX_LEN];
	enum attempt_state state;
	unsigned began_life; /* of its machine, when its code was let run; 0: not yet */
	bool may_begin_again;
};

struct job_shadow {
	enum job_state state;
	unsigned n_open, n_infra, n_lost, n_released;
	int executed_by; /* machine, or -1 */
	bool is_known;
};

struct sim_user {
	unsigned n_jobs; /* submitted, acknowledged or not */
	int64_t job[SIM_JOBS_MAX +
	            1]; /* the id that the n-th one was acknowledged with; 0: not yet */
	usec_t act_at;
};

/* A turn of the server whose answers wait for their commit. */
struct sim_group {
	bool is_begun;
	struct sim_reply {
		int machine;
		unsigned life;
		struct sim_message *message;
	} replies[SIM_MACHINES_MAX * 8];
	size_t n;
	/* what the event table had told when it began */
	int64_t last_event;
	size_t n_attempts;
	struct attempt_shadow attempts[SIM_ATTEMPTS_MAX];
	struct job_shadow jobs[SIM_JOBS_MAX + 1];
	unsigned open_of_host[SIM_MACHINES_MAX];
};

struct sim {
	struct world *w;
	struct dhcp_service *dhcp;
	struct dhcp_config dhcp_config;
	struct rng rng;
	uint64_t seed;
	bool is_loud, is_calm; /* calm: no faults any more, everything has to end */
	struct sim_event queue[SIM_QUEUE_MAX];
	size_t n_queue;
	uint64_t n_orders, n_requests, n_events, n_crashes, n_lost, n_full;
	struct machine_sim machines[SIM_MACHINES_MAX];
	int n_machines;
	struct sim_user user;
	unsigned n_jobs; /* to be submitted */
	/* held boot requests */
	struct sim_held {
		bool is_used;
		int machine;
		unsigned life;
		uint64_t request;
		char target[192];
		usec_t since, until;
	} held[SIM_MACHINES_MAX * 4];
	uint64_t generation;
	struct sim_group group;
	/* what the event table told so far */
	int64_t last_event;
	size_t n_attempts; /* one more than the last that was told of */
	struct attempt_shadow attempts[SIM_ATTEMPTS_MAX];
	struct job_shadow jobs[SIM_JOBS_MAX + 1];
	unsigned open_of_host[SIM_MACHINES_MAX];
};

/* A rule is broken: says it with the seed and ends the program. */
void sim_fail(const struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_say(const struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True in n of 1000 cases, never when calm. */
bool sim_chance(struct sim *s, unsigned n);
usec_t sim_between_ms(struct sim *s, unsigned low, unsigned high);

/* The machine wakes then, if it is in this life still; it may wake more often than it asked for. */
void sim_wake(struct sim *s, struct machine_sim *m, usec_t at);

/* To the server, or (a reply) to the machine, over a network with faults; takes the message. */
void sim_send(struct sim *s, int machine, unsigned life, struct sim_message *message);

struct sim_message *sim_message_new(enum sim_kind kind);
void sim_message_free(struct sim_message *message);

/* sim_server.c */
void server_start(struct sim *s);
void server_crash(struct sim *s);
void server_take(struct sim *s, int machine, unsigned life, const struct sim_message *message);
void server_pass_time(struct sim *s, usec_t until);
void server_look_at_held(struct sim *s);

/* sim_group.c: group_begin and group_end around what answers; group_settle ends the turn. */
void group_begin(struct sim *s);
void group_end(struct sim *s);
void group_reply(struct sim *s, int machine, unsigned life, struct sim_message *message);
void group_settle(struct sim *s);
void group_crash(struct sim *s);

/* sim_machine.c */
void machine_reset(struct sim *s, struct machine_sim *m, usec_t delay);
void machine_wake(struct sim *s, struct machine_sim *m);
void machine_take(struct sim *s, struct machine_sim *m, const struct sim_message *reply);
void machine_fault(struct sim *s, struct machine_sim *m);

/* sim_user.c */
void user_act(struct sim *s);
void user_take(struct sim *s, const struct sim_message *reply);
bool user_is_done(struct sim *s);

/* sim_check.c */
void check_events(struct sim *s);
void check_answer(struct sim *s, const struct sim_message *asked, bool was_final, unsigned status);
bool check_attempt_is_final(const struct sim *s, const char *target);
void check_code_begins(struct sim *s, struct machine_sim *m);
void check_code_ends(struct sim *s, struct machine_sim *m);
void check_lanes(const struct sim *s);
void check_end(struct sim *s);
