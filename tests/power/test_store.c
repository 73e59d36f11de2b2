/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The power is cut three hundred times under the real scheduler and its store: whatever was
 * acknowledged is there afterwards, whatever was not may be, and the store is whole. On a disk that
 * lies about syncing, the same checks must find losses.
 */
#include "tests/power/power_vfs.h"
#include "tests/support/services_agent.h"

#include "server/service/result_service.h"

#define N_AGENTS 4
#define N_JOBS   400
#define SHA      "0000000000000000000000000000000000000000000000000000000000000001"

/* Any of the machines may have it. */
#define JOB                                                                                        \
	"suite: hello\ntestbox: vm\nos: debian\nos_arch: x86_64\nos_version: bookworm\n"           \
	"os_mount: initramfs\nruntime: 60\nscript: |\n  uname -a\n"

enum step {
	STEP_BOOT,
	STEP_FETCH,
	STEP_HELLO,
	STEP_RUNNING,
	STEP_UPLOAD,
	STEP_FINISH,
	STEP_REBOOT
};

struct player {
	struct agent agent;
	enum step step;
	char finished[64]; /* the job whose end was acknowledged last */
};

/* What was acknowledged, and what has been found missing. */
struct story {
	struct world *w;
	struct rng rng;
	struct player players[N_AGENTS];
	char job[N_JOBS][64];         /* by the number in its key; "": nothing was acknowledged */
	bool is_finished[N_JOBS * 2]; /* by the number of its id */
	unsigned n_submitted, n_lost, n_acknowledged;
	unsigned n_finished;
	bool is_lying;
};

static void lose(struct story *s, const char *what, const char *which)
{
	s->n_lost++;
	if (!s->is_lying)
		print_message("lost: %s %s\n", what, which);
}

static int ask(struct story *s, const struct agent *agent, enum http_method method,
               const char *target, const char *body)
{
	const char *question = strchr(target, '?');
	char authorization[96] = "";
	struct api_call call = {
		.method = method,
		.path = slice_make(target, question ? (size_t)(question - target) : strlen(target)),
		.query = slice_from_text(question ? question + 1 : ""),
		.body = slice_from_text(body ? body : ""),
		.peer = agent ? agent->machine.address : WORLD_ADMIN,
	};

	if (agent && agent->token[0]) {
		(void)snprintf(authorization, sizeof(authorization), "Bearer %s", agent->token);
		call.authorization = slice_from_text(authorization);
	}
	return world_try(s->w, &call);
}

static int call_agent(struct story *s, const struct agent *agent, const char *verb,
                      const char *body)
{
	char target[128];

	(void)snprintf(target, sizeof(target), "/v1/attempts/%s/%s", agent->attempt, verb);
	return ask(s, agent, HTTP_METHOD_POST, target, body);
}

/* ---- what machines do; each returns whether it was answered as hoped ---- */

static bool boot(struct story *s, struct player *p)
{
	char target[128], text[MAC_TEXT_MAX];
	const char *at;

	p->agent.token[0] = '\0';
	(void)snprintf(target, sizeof(target), "/boot.ipxe/mac/%s?b=%lld",
	               mac_format(p->agent.machine.mac, '-', text),
	               (long long)p->agent.machine.session);
	if (ask(s, &p->agent, HTTP_METHOD_GET, target, NULL) != 200 ||
	    !world_body_has(s->w, "/job_initrd_tmpfs/"))
		return false;
	at = strstr((const char *)s->w->answer.body.data, "/job_initrd_tmpfs/") + 18;
	(void)snprintf(p->agent.job, sizeof(p->agent.job), "%.*s", (int)strcspn(at, "/"), at);
	return true;
}

static bool fetch(struct story *s, struct player *p)
{
	char target[128], text[1024];

	(void)snprintf(target, sizeof(target), "/job_initrd_tmpfs/%s/job.cgz", p->agent.job);
	if (ask(s, &p->agent, HTTP_METHOD_GET, target, NULL) != 200)
		return false;
	read_attempt_file(buffer_slice(&s->w->answer.body), text, sizeof(text));
	copy_line(text, "\nattempt=", p->agent.attempt, sizeof(p->agent.attempt));
	copy_line(text, "\ntoken=", p->agent.token, sizeof(p->agent.token));
	return true;
}

static bool upload(struct story *s, struct player *p)
{
	return result_service_commit(services_results(s->w->s), atoll(p->agent.attempt), "output",
	                             3, SHA, s->w->now, s->w->wall) == 0;
}

static bool finish(struct story *s, struct player *p)
{
	(void)snprintf(p->finished, sizeof(p->finished), "%s", p->agent.job);
	return call_agent(s, &p->agent, "finish",
	                  "{\"verdict\":\"pass\",\"cause\":\"\",\"exit_code\":0,\"manifest\":"
	                  "[{\"name\":\"output\",\"size\":3,\"sha256\":\"" SHA
	                  "\"}],\"cut\":0}") == 200;
}

static bool reboot(struct story *s, struct player *p)
{
	struct lease lease = { .key = lease_key_from_mac(p->agent.machine.mac),
		               .mac = p->agent.machine.mac,
		               .address = p->agent.machine.address,
		               .expires_wall = LEASE_FOR_EVER,
		               .seen_wall = s->w->wall,
		               .session = p->agent.machine.session + 10 };

	p->agent.machine.session = lease.session;
	if (db_begin(s->w->db) < 0)
		return false;
	if (lease_store_apply(s->w->db, &lease) == 0)
		return db_commit(s->w->db) == 0;
	db_rollback(s->w->db);
	return false;
}

static bool play(struct story *s, struct player *p)
{
	switch (p->step) {
	case STEP_BOOT:
		return boot(s, p);
	case STEP_FETCH:
		return fetch(s, p);
	case STEP_HELLO:
		return call_agent(s, &p->agent, "hello", HELLO) == 200;
	case STEP_RUNNING:
		return call_agent(s, &p->agent, "stage", "{\"stage\":\"running\"}") == 200;
	case STEP_UPLOAD:
		return upload(s, p);
	case STEP_FINISH:
		return finish(s, p);
	case STEP_REBOOT:
		return reboot(s, p);
	}
	return false;
}

/* The job of that key; to has its id when it was acknowledged. */
static bool submit(struct story *s, unsigned number, char to[64])
{
	char key[32];
	struct api_call call = { .method = HTTP_METHOD_POST,
		                 .path = SLICE_LITERAL("/v1/jobs"),
		                 .body = SLICE_LITERAL(JOB),
		                 .peer = WORLD_ADMIN };

	(void)snprintf(key, sizeof(key), "key-%u", number);
	call.idempotency_key = slice_from_text(key);
	if (world_try(s->w, &call) != 201)
		return false;
	(void)snprintf(to, 64, "%s", world_text(s->w, "id"));
	return true;
}

/* ---- turns ---- */

static void note_submit(struct story *s, unsigned number, const char *id)
{
	if (s->job[number][0] && strcmp(s->job[number], id) != 0)
		lose(s, "one key made two jobs:", id);
	(void)snprintf(s->job[number], sizeof(s->job[0]), "%s", id);
	s->n_acknowledged++;
}

static void note_step(struct story *s, struct player *p, const struct player *next)
{
	bool is_end = p->step == STEP_FINISH;

	*p = *next;
	p->step = (p->step + 1) % (STEP_REBOOT + 1);
	s->n_acknowledged++;
	if (is_end) {
		s->is_finished[atoi(p->finished + strlen("lab1."))] = true;
		s->n_finished++;
	}
}

/* Each machine does one thing, and perhaps somebody submits; as one group, or one by one. */
static void take_turn(struct story *s)
{
	bool is_group = rng_between(&s->rng, 0, 1) == 0, is_good[N_AGENTS], is_kept = true;
	struct api *api = services_api(s->w->s);
	struct player next[N_AGENTS];
	unsigned number = s->n_submitted;
	char id[64] = "";

	s->w->now += WORLD_SEC / 100;
	s->w->wall += WORLD_SEC / 100;
	if (is_group)
		api_group_begin(api);
	for (int i = 0; i < N_AGENTS; i++) {
		next[i] = s->players[i];
		is_good[i] = false;
		/* a lease is written outside of any group */
		if (!(is_group && next[i].step == STEP_REBOOT))
			is_good[i] = play(s, &next[i]);
	}
	if (number < N_JOBS && rng_between(&s->rng, 0, 2) == 0 && submit(s, number, id))
		s->n_submitted++;
	if (is_group) {
		api_group_end(api);
		is_kept = api_group_commit(api) == 0;
		s->n_submitted = is_kept ? s->n_submitted : number;
	}
	for (int i = 0; is_kept && i < N_AGENTS; i++)
		if (is_good[i])
			note_step(s, &s->players[i], &next[i]);
	if (is_kept && id[0])
		note_submit(s, number, id);
}

/* ---- after a cut ---- */

static const char *query(struct story *s, const char *sql)
{
	static char text[128];
	struct sqlite3_stmt *stmt;

	(void)snprintf(text, sizeof(text), "no answer");
	if (db_prepare(s->w->db, sql, &stmt) == 0 && db_step(s->w->db, stmt) == DB_ROW) {
		(void)snprintf(text, sizeof(text), "%s", db_column_text(stmt, 0));
		db_reset(stmt);
	}
	return text;
}

static const char sql_integrity[] = "PRAGMA integrity_check(1)";
static const char sql_foreign[] = "SELECT count(*) FROM pragma_foreign_key_check";
static const char sql_one_end[] = "SELECT count(*) FROM jobs WHERE state = 'finished' AND"
				  " attempt NOT IN (SELECT attempt FROM manifests)";
static const char sql_active[] = "SELECT count(*) FROM attempts a JOIN jobs j ON j.id = a.job"
				 " WHERE a.is_open = 1 AND j.state <> 'active'";
static const char sql_orphan[] = "SELECT count(*) FROM jobs WHERE state = 'active' AND id NOT IN"
				 " (SELECT job FROM attempts WHERE is_open = 1)";

static void check_store(struct story *s)
{
	static const char *const none[] = { sql_foreign, sql_one_end, sql_active, sql_orphan };

	if (strcmp(query(s, sql_integrity), "ok") != 0)
		lose(s, "integrity:", query(s, sql_integrity));
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (strcmp(query(s, none[i]), "0") != 0)
			lose(s, query(s, none[i]), none[i]);
}

static void check_jobs(struct story *s)
{
	char target[128];

	for (unsigned n = 0; n < s->n_submitted; n++) {
		const char *id = s->job[n];
		bool is_finished = id[0] && s->is_finished[atoi(id + strlen("lab1."))];

		(void)snprintf(target, sizeof(target), "/v1/jobs/%s", id);
		if (!id[0])
			continue;
		if (ask(s, NULL, HTTP_METHOD_GET, target, NULL) != 200)
			lose(s, "a job:", id);
		else if (is_finished && (strcmp(world_text(s->w, "state"), "finished") != 0 ||
		                         strcmp(world_text(s->w, "upload"), "complete") != 0))
			lose(s, "the end of a job:", id);
	}
}

/* The attempt of each machine is the one it was given. */
static void check_attempts(struct story *s)
{
	for (int i = 0; i < N_AGENTS; i++) {
		const struct player *p = &s->players[i];

		if (p->step < STEP_HELLO || p->step > STEP_UPLOAD)
			continue; /* has none, or its finish may have been kept unanswered */
		if (call_agent(s, &p->agent, "heartbeat", "{}") != 200)
			lose(s, "an attempt of:", p->agent.job);
	}
}

/* False: the store cannot be opened. */
static bool start(struct story *s)
{
	char error[SERVICES_ERROR_MAX];
	struct world *w = s->w;

	w->s = NULL;
	w->db = NULL;
	return db_open(w->db_path, &w->db) == 0 &&
	       services_new(w->db, &w->config, w->now, w->wall, &w->s, error) == 0;
}

/* The power goes, comes, perhaps goes again while ccid starts; then everything is looked at. */
static bool recover(struct story *s)
{
	bool is_cut_again = rng_between(&s->rng, 0, 3) == 0;

	world_kill(s->w);
	power_vfs_restore();
	if (is_cut_again) {
		power_vfs_cut_after((unsigned)rng_between(&s->rng, 1, 6));
		(void)start(s);
		power_vfs_cut();
		world_kill(s->w);
		power_vfs_restore();
	}
	if (!start(s)) {
		lose(s, "the whole store", "");
		return false;
	}
	check_store(s);
	check_jobs(s);
	check_attempts(s);
	return true;
}

static void begin(struct story *s)
{
	world_start(s->w);
	for (int i = 0; i < N_AGENTS; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "vm-%d", i + 1);
		s->players[i].agent.machine = world_machine(s->w, (uint8_t)(0x11 + i));
		world_register(s->w, name, s->players[i].agent.machine.mac);
	}
}

/* Returns what was lost in so many cuts; *ret_acknowledged: what was acknowledged. */
static unsigned tell_story(struct world *w, uint64_t seed, unsigned n_cuts, bool is_lying,
                           unsigned *ret_acknowledged)
{
	static struct story s;

	memset(&s, 0, sizeof(s));
	s.w = w;
	s.is_lying = is_lying;
	rng_init(&s.rng, seed);
	world_kill(w);
	power_vfs_forget();
	assert_int_equal(unlink(w->db_path), 0);
	power_vfs_install(&s.rng);
	power_vfs_set_lying(is_lying);
	begin(&s);
	for (unsigned cut = 0; cut < n_cuts && (!is_lying || s.n_lost == 0); cut++) {
		power_vfs_cut_after((unsigned)rng_between(&s.rng, 1, 300));
		while (!power_vfs_is_cut())
			take_turn(&s);
		if (!recover(&s))
			break;
	}
	print_message("seed %llu: %u acknowledged, %u jobs finished\n", (unsigned long long)seed,
	              s.n_acknowledged, s.n_finished);
	*ret_acknowledged = s.n_acknowledged;
	world_kill(w);
	power_vfs_forget();
	return s.n_lost;
}

static void what_was_acknowledged_survives_every_cut(void **state)
{
	unsigned n_acknowledged, n_all = 0;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		assert_int_equal(tell_story(*state, seed, 25, false, &n_acknowledged), 0);
		n_all += n_acknowledged;
	}
	print_message("acknowledged: %u\n", n_all);
	assert_true(n_all > 1000);
}

static void a_disk_that_lies_is_found_out(void **state)
{
	unsigned n_acknowledged, n_found = 0;

	for (uint64_t seed = 1; seed <= 2; seed++)
		n_found += tell_story(*state, seed, 10, true, &n_acknowledged) > 0;
	assert_int_equal(n_found, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_acknowledged_survives_every_cut,
		                                world_set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(a_disk_that_lies_is_found_out, world_set_up,
		                                world_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
