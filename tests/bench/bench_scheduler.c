/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The scheduler measured: the real services over a real store, a thousand hosts, and jobs by the
 * ten thousand. Each measurement is a subcommand and prints one JSON object; tools/bench runs them.
 */
#include "tests/support/services_world.h"

#include <sqlite3.h>
#include <time.h>

#include "lib/sys/heap.h"

#define N_HOSTS      1000u
#define N_SUBMITTERS 20

static double read_clock_ms(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* What one request takes is processor time: it does not matter what else runs on the machine. */
static double cpu_ms(void)
{
	return read_clock_ms(CLOCK_THREAD_CPUTIME_ID);
}

static double wall_sec(void)
{
	return read_clock_ms(CLOCK_MONOTONIC) / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double percentile(double *values, size_t n, unsigned percent)
{
	qsort(values, n, sizeof(*values), compare);
	return values[MIN(n - 1, n * percent / 100)];
}

/* ---- a lab ---- */

static struct world_machine host_number(unsigned n)
{
	return (struct world_machine){
		.mac = { { 0x52, 0x54, 0, 0x12, (uint8_t)(n >> 8), (uint8_t)n } },
		.address = 0x0a010000 + n,
	};
}

/* The store is filled in few transactions: that is not what is measured. */
static void begin(struct world *w)
{
	api_group_begin(services_api(w->s));
}

static void commit(struct world *w)
{
	api_group_end(services_api(w->s));
	assert_int_equal(api_group_commit(services_api(w->s)), 0);
}

static void add_hosts(struct world *w)
{
	begin(w);
	for (unsigned n = 1; n <= N_HOSTS; n++) {
		struct world_machine machine = host_number(n);
		char name[32];

		(void)snprintf(name, sizeof(name), "vm-%u", n);
		world_register(w, name, machine.mac);
		world_dhcp(w, &machine, 1000 + n);
	}
	commit(w);
}

/* Jobs of twenty people with five priorities for any host, and of each tenth for one host. */
static void add_jobs(struct world *w, unsigned n_jobs)
{
	char body[512];

	for (unsigned n = 0; n < n_jobs; n++) {
		char testbox[32] = "vm";

		if (n % 10 == 9 && n_jobs > N_HOSTS)
			(void)snprintf(testbox, sizeof(testbox), "vm-%u", n % N_HOSTS + 1);
		(void)snprintf(body, sizeof(body),
		               "suite: s\ntestbox: %s\nos: debian\nos_arch: x86_64\n"
		               "os_version: bookworm\nos_mount: initramfs\nruntime: 60\n"
		               "script: x\npriority: %u\nmy_account: user-%u\n",
		               testbox, n / N_SUBMITTERS % 5, n % N_SUBMITTERS);
		if (n % 1000 == 0)
			begin(w);
		assert_int_equal(world_post(w, "/v1/jobs", body), 201);
		if (n % 1000 == 999 || n == n_jobs - 1)
			commit(w);
	}
}

static void run_sql(const struct world *w, const char *sql)
{
	char *error = NULL;
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(w->db_path, &handle), SQLITE_OK);
	if (sqlite3_exec(handle, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* Jobs of the past, each as the last one that was submitted. */
static void add_past(const struct world *w, unsigned n_jobs)
{
	char sql[1024];

	(void)snprintf(
		sql, sizeof(sql),
		"INSERT INTO jobs (state, suite, testbox, tbox_group, queue, document, max_tries,"
		" run_limit, expires_steady, submitted_wall, submitter, result_root, verdict)"
		" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
		" SELECT 'finished', suite, testbox, tbox_group, queue, document, max_tries,"
		" run_limit, expires_steady, submitted_wall, submitter, result_root, 'pass'"
		" FROM n, (SELECT * FROM jobs ORDER BY id DESC LIMIT 1)",
		n_jobs);
	if (n_jobs > 0)
		run_sql(w, sql);
}

static void add_events(const struct world *w, unsigned n_events)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
	               "INSERT INTO events (wall, mono, kind, host, mac, job, attempt, fields)"
	               " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	               " WHERE i < %u) SELECT i, i, 'boot.request', 'vm-' || (i %% 1000),"
	               " CAST(printf('%%06d', i %% 1000) AS BLOB), i / 20, i / 20,"
	               " '{\"address\":\"10.0.0.7\"}' FROM n",
	               n_events);
	run_sql(w, sql);
}

/* The machine asks; true when it got a job. */
static bool ask(struct world *w, struct world_machine *machine, double *ret_ms)
{
	double start = cpu_ms();
	unsigned status = world_boot(w, machine);

	*ret_ms = cpu_ms() - start;
	return status == 200 && world_body_has(w, "initrd");
}

/* Each host claims once, n of them in each turn. */
static void claim_all(struct world *w, unsigned n_claims, unsigned turn, double *ms,
                      double *ret_sec)
{
	double start = wall_sec();

	for (unsigned n = 0; n < n_claims; n += turn) {
		begin(w);
		for (unsigned i = n; i < MIN(n + turn, n_claims); i++) {
			struct world_machine machine = host_number(i + 1);

			machine.session = 1001 + i;
			if (!ask(w, &machine, &ms[i]))
				fail_msg("host %u got no job", i + 1);
		}
		commit(w);
	}
	*ret_sec = wall_sec() - start;
}

/* ---- measurements ---- */

static void measure_claims(const char *parent, unsigned n_waiting, unsigned n_past, unsigned turn)
{
	unsigned n_claims = MIN(n_waiting, N_HOSTS);
	double *ms = calloc(n_claims, sizeof(*ms)), sec;
	struct world *w;

	assert_int_equal(world_set_up_at((void **)&w, parent), 0);
	add_hosts(w);
	add_jobs(w, n_waiting);
	add_past(w, n_past);
	claim_all(w, n_claims, turn, ms, &sec);
	printf("{\"claims\": %u, \"seconds\": %.4f, \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n",
	       n_claims, sec, percentile(ms, n_claims, 50), percentile(ms, n_claims, 99));
	assert_int_equal(world_tear_down((void **)&w), 0);
	free(ms);
}

static void measure_list(const char *parent, unsigned n_waiting)
{
	double ms[200];
	struct world *w;

	assert_int_equal(world_set_up_at((void **)&w, parent), 0);
	add_hosts(w);
	add_jobs(w, n_waiting);
	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		double start = cpu_ms();

		assert_int_equal(world_get(w, "/v1/jobs?limit=100"), 200);
		ms[i] = cpu_ms() - start;
	}
	printf("{\"p50_ms\": %.4f, \"p99_ms\": %.4f}\n", percentile(ms, ARRAY_SIZE(ms), 50),
	       percentile(ms, ARRAY_SIZE(ms), 99));
	assert_int_equal(world_tear_down((void **)&w), 0);
}

static void measure_start(const char *parent, unsigned n_events)
{
	struct world *w;
	double start;

	assert_int_equal(world_set_up_at((void **)&w, parent), 0);
	add_hosts(w);
	add_jobs(w, 1000);
	add_past(w, n_events / 20);
	add_events(w, n_events);
	world_kill(w);
	start = wall_sec();
	world_start(w);
	assert_int_equal(world_get(w, "/healthz"), 200);
	(void)api_deadline(services_api(w->s));
	printf("{\"seconds\": %.4f}\n", wall_sec() - start);
	assert_int_equal(world_tear_down((void **)&w), 0);
}

/* The peer: what this disk and SQLite can do when each row is a transaction of its own. */
static void measure_peer(const char *parent, unsigned n)
{
	char path[128];
	sqlite3 *handle;
	double start;

	(void)snprintf(path, sizeof(path), "%s/cci-peer-XXXXXX", parent);
	assert_non_null(mkdtemp(path));
	(void)strcat(path, "/db");
	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle,
	                              "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	                              "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	start = wall_sec();
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(sqlite3_exec(handle, "INSERT INTO t (text) VALUES ('a claim')",
		                              NULL, NULL, NULL),
		                 SQLITE_OK);
	printf("{\"commits\": %u, \"seconds\": %.4f}\n", n, wall_sec() - start);
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
	*strrchr(path, '/') = '\0';
	assert_int_equal(nftw(path, world_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int main(int argc, char *argv[])
{
	unsigned n[3] = { 0 };

	heap_keep(); /* as ccid does */

	for (int i = 3; i < argc && i < 6; i++)
		n[i - 3] = (unsigned)atoi(argv[i]);
	if (argc > 3 && strcmp(argv[1], "peer") == 0)
		measure_peer(argv[2], n[0]);
	else if (argc > 5 && strcmp(argv[1], "claims") == 0)
		measure_claims(argv[2], n[0], n[1], n[2]);
	else if (argc > 3 && strcmp(argv[1], "list") == 0)
		measure_list(argv[2], n[0]);
	else if (argc > 3 && strcmp(argv[1], "start") == 0)
		measure_start(argv[2], n[0]);
	else
		return 2;
	return 0;
}
