/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/boot_offer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/job.h"
#include "lib/sys/random.h"
#include "server/core/boot_script.h"
#include "server/core/deadlines.h"
#include "server/core/job_match.h"
#include "server/core/sched_decide.h"
#include "server/proto/ipxe_script.h"
#include "server/service/boot_files.h"
#include "server/service/job_bundle.h"
#include "server/service/moves.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"
#include "server/store/lane_store.h"

/* Lanes chosen from for one request, those with the oldest jobs first. */
#define CANDIDATES_MAX 1024

/* Jobs tried for one request. Those that cannot be booted go to the end of their lane. */
#define TRIES_MAX 64

struct offer {
	struct services *s;
	const struct moment *m;
	const struct host *host;
	const struct boot_ask *ask;
	uint32_t address; /* of the machine */
	struct sched_candidate candidates[CANDIDATES_MAX];
	int n;
	unsigned n_tries;
	struct boot_files files;
};

uint32_t boot_offer_server(const struct services *s, uint32_t local)
{
	return s->config.boot_server ? s->config.boot_server : local;
}

/* The names this host goes by, as a JSON array: itself, its groups, its queues. */
static char *host_names(const struct host *host)
{
	struct slice groups[HOST_GROUPS_MAX];
	unsigned n = host_groups(slice_from_text(host->name), groups);
	json_t *names = json_array();
	char *text;

	(void)json_array_append_new(names, json_string(host->name)); /* a failure shows below */
	for (unsigned i = 0; i < n; i++)
		(void)json_array_append_new(
			names, json_stringn((const char *)groups[i].data, groups[i].len));
	for (unsigned i = 0; i < host->n_queues; i++)
		(void)json_array_append_new(names, json_string(host->queues[i]));
	text = names ? json_dumps(names, JSON_COMPACT) : NULL;
	json_decref(names);
	return text;
}

static struct job_wish wish_of(const struct job_record *job, const struct moment *m)
{
	struct job_wish wish = {
		.testbox = slice_from_text(job->testbox),
		.tbox_group = slice_from_text(job->tbox_group),
		.n_queues = job->n_queues,
		.arch = slice_from_text(job->arch),
		.needs = &job->needs,
		.submitter = slice_from_text(job->submitter),
		.kind = job->kind,
		.steady = m->steady,
	};

	for (unsigned i = 0; i < job->n_queues; i++)
		wish.queues[i] = slice_from_text(job->queues[i]);
	return wish;
}

/* A host not heard of for this long may be switched off: no job waits for it. */
#define HOST_AWAY (60 * USEC_PER_MINUTE)

static bool is_around(const struct host *host, const struct moment *m)
{
	return (host->state >= HOST_ASSIGNED && host->state <= HOST_BUSY) ||
	       usec_add(host->seen_wall, HOST_AWAY) > m->wall;
}

/* Whether a host which has not failed this job would take it: 1, 0 or -errno. */
static int can_go_elsewhere(struct services *s, const struct moment *m,
                            const struct job_record *job, const struct job_wish *wish)
{
	char after[HOST_NAME_MAX_LEN] = "";
	struct host hosts[16];
	int n, r;

	do {
		n = host_store_list(s->db, after, hosts, ARRAY_SIZE(hosts));
		for (int i = 0; i < n; i++) {
			memcpy(after, hosts[i].name, sizeof(after));
			if (job_match(wish, &hosts[i]) != JOB_MATCHES || !is_around(&hosts[i], m))
				continue;
			r = attempt_store_has_failed(s->db, job->id, hosts[i].name);
			if (r <= 0)
				return r < 0 ? r : 1;
		}
	} while (n == ARRAY_SIZE(hosts));
	return n < 0 ? n : 0;
}

/* enum job_match of this job and this host, or -errno. */
static int match(struct offer *o, const struct job_record *job)
{
	struct job_wish wish = wish_of(job, o->m);
	struct host named;
	int r = host_store_find(o->s->db, job->testbox, &named);

	if (r < 0)
		return r;
	wish.testbox_is_host = r == 0;
	r = job_match(&wish, o->host);
	if (r != JOB_MATCHES || (job->tries == 0 && job->lost_offers == 0))
		return r;
	r = attempt_store_has_failed(o->s->db, job->id, o->host->name);
	if (r <= 0)
		return r < 0 ? r : JOB_MATCHES;
	r = can_go_elsewhere(o->s, o->m, job, &wish);
	if (r < 0)
		return r;
	wish.failed_here = true;
	wish.can_go_elsewhere = r > 0;
	return job_match(&wish, o->host);
}

static int find_candidates(struct offer *o)
{
	char *names = host_names(o->host);

	if (!names)
		return -ENOMEM;
	o->n = lane_store_heads(o->s->db, names, o->m->steady, o->candidates, CANDIDATES_MAX);
	free(names);
	return MIN(o->n, 0);
}

/* That job is not for this host now: the next one of its lane stands for it. 0 or -errno. */
static int pass_on(struct offer *o, struct sched_candidate *c, const struct job_record *passed)
{
	struct job_record next;
	int r = job_store_after(o->s->db, passed, &next);

	if (r == 0) {
		c->job = next.id;
		c->rank = next.rank;
	} else {
		c->is_refused = true;
	}
	return MIN(r, 0);
}

/* The job cannot be offered to anybody: it waits, behind the others, and says for what. */
static int make_wait(struct offer *o, struct job_record *job, const char *reason)
{
	int64_t last = 0;
	int r = job_store_last_rank(o->s->db, job->lane, &last);

	if (r < 0)
		return r;
	job->rank = MAX(job->rank, last) + 1;
	if (job->state == JOB_QUEUED) {
		(void)snprintf(job->reason, sizeof(job->reason), "%s", reason);
		r = move_job(o->s, o->m, job, JOB_EVENT_BLOCK);
	} else {
		(void)snprintf(job->reason, sizeof(job->reason), "%s", reason);
		r = move_job_touch(o->s, job);
	}
	return r < 0 ? r : BOOT_OFFER_NONE;
}

static uint16_t port_of(const struct services_config *config, const struct boot_file *file)
{
	if (file->is_job)
		return config->api_port;
	return strncmp(file->url, "/os/", 4) == 0 ? config->os_port : config->files_port;
}

static void set_host_facts(const struct host *host, const json_t *doc,
                           struct boot_script_facts *facts)
{
	const json_t *disks = json_object_get(doc, "rootfs_disk"), *disk;
	size_t i;

	facts->memory = host->memory;
	if (json_is_string(disks))
		facts->host_disks[facts->n_host_disks++] = json_string_value(disks);
	json_array_foreach(disks, i, disk)
	{
		if (facts->n_host_disks < JOB_DISKS_MAX && json_is_string(disk))
			facts->host_disks[facts->n_host_disks++] = json_string_value(disk);
	}
}

static json_t *host_document(struct db *db, const char *name)
{
	struct buffer text = BUFFER_NULL;
	json_t *doc = NULL;

	if (host_store_document(db, name, &text) == 0)
		doc = json_loadb((const char *)text.data, text.len, 0, NULL);
	buffer_deinit(&text);
	return doc;
}

/* The script of this attempt into out. Returns 0, an outcome of boot_script, or -errno. */
static int build_script(struct offer *o, const struct job *job, const struct job_record *record,
                        const struct attempt *attempt, struct bytes *out)
{
	struct boot_source initrds[BOOT_INITRDS_MAX];
	const struct services_config *config = &o->s->config;
	json_t *host_doc = host_document(o->s->db, o->host->name);
	char id[JOB_ID_TEXT_MAX];
	struct boot_script_facts facts = {
		.loader = o->ask->loader,
		.job = job,
		.job_id = services_job_id(o->s, record->id, id),
		.result_root = record->result_root,
		.mac = attempt->mac,
		.session = attempt->session,
		.server = attempt->server,
		.api_port = config->api_port,
		.kernel = { o->files.kernel.url, port_of(config, &o->files.kernel) },
		.initrds = initrds,
		.n_initrds = o->files.n_initrds,
		.os_path = o->files.os_path,
		.exports = config->exports,
		.root_image = o->files.root_image,
		.root_sha256 = o->files.root_sha256,
		.root_size = o->files.root_size,
		.os_port = config->os_port,
		.pause_sec = 5,
	};
	int r;

	for (size_t i = 0; i < o->files.n_initrds; i++)
		initrds[i] = (struct boot_source){ o->files.initrds[i].url,
			                           port_of(config, &o->files.initrds[i]) };
	set_host_facts(o->host, host_doc, &facts);
	r = boot_script_build(&facts, out);
	json_decref(host_doc);
	return r;
}

static int make_token(char to[ATTEMPT_TOKEN_LEN + 1])
{
	uint8_t octets[ATTEMPT_TOKEN_LEN / 2];
	int r = random_bytes(octets, sizeof(octets));

	if (r < 0)
		return r;
	text_hex(to, octets, sizeof(octets));
	return 0;
}

static int insert_attempt(struct offer *o, const struct job_record *job, enum os_mount mount,
                          struct attempt *ret)
{
	struct attempt attempt = {
		.job = job->id,
		.mac = o->ask->mac,
		.state = ATTEMPT_OFFERED,
		.session = o->ask->session,
		.address = o->address,
		.server = boot_offer_server(o->s, o->ask->local),
		.deadline_steady = usec_add(o->m->steady, deadline_of_state(ATTEMPT_OFFERED, 0)),
		.since_steady = o->m->steady,
		.seen_steady = o->m->steady,
		.offered_wall = o->m->wall,
		.run_limit = job->run_limit,
	};
	int r = make_token(attempt.token);

	if (r < 0)
		return r;
	(void)snprintf(attempt.host, sizeof(attempt.host), "%s", o->host->name);
	(void)snprintf(attempt.os_mount, sizeof(attempt.os_mount), "%s",
	               os_mount_to_name((int)mount));
	r = attempt_store_insert(o->s->db, &attempt, &attempt.id);
	if (r == 0)
		*ret = attempt;
	return r;
}

static int record_offer(struct offer *o, const struct attempt *attempt)
{
	const struct subject subject = attempt_subject(attempt);
	char id[JOB_ID_TEXT_MAX];
	int r;

	o->s->n_offers++;
	log_notice("job offered job=%s attempt=%lld host=%s",
	           services_job_id(o->s, attempt->job, id), (long long)attempt->id, attempt->host);
	r = services_event(o->s, o->m, EVENT_BOOT_OFFER, &subject, "{s:I, s:i}", "session",
	                   (json_int_t)attempt->session, "files", (int)o->files.n_initrds + 1);
	return r < 0 ? r : move_host(o->s, o->m, attempt->host, HOST_EVENT_CLAIM);
}

/* The kernel's path as its transfer will be reported; a URL elsewhere has none. */
static const char *kernel_path(const struct offer *o)
{
	return o->files.kernel.url[0] == '/' ? o->files.kernel.url : "";
}

static const char *script_error(int r)
{
	if (r == BOOT_SCRIPT_LONG)
		return "the kernel command line or the boot script would be too long";
	if (r == BOOT_SCRIPT_NO_DISK)
		return "os_mount local needs a disk: name it in rootfs_disk of the job or of the "
		       "host";
	return "a value of the job cannot stand in a boot script";
}

/*
 * Everything of an offer but the choice. A job that turns out not to be bootable waits: then
 * nothing of the attempt may stay, so the attempt is written last of all.
 */
static int offer(struct offer *o, struct job_record *record, const struct job *job,
                 struct buffer *out)
{
	uint8_t *room = malloc(IPXE_SCRIPT_MAX);
	struct bytes script = { .data = room, .cap = IPXE_SCRIPT_MAX };
	struct attempt attempt = { .mac = o->ask->mac,
		                   .session = o->ask->session,
		                   .server = boot_offer_server(o->s, o->ask->local) };
	int r;

	if (!room)
		return -ENOMEM;
	r = build_script(o, job, record, &attempt, &script);
	if (r > 0)
		r = make_wait(o, record, script_error(r));
	else if (r == 0 && record->state == JOB_WAITING)
		r = move_job(o->s, o->m, record, JOB_EVENT_READY);
	if (r == 0)
		r = insert_attempt(o, record, job->os_mount, &attempt);
	if (r == 0)
		r = attempt_store_set_script(o->s->db, attempt.id, bytes_slice(&script),
		                             kernel_path(o));
	if (r == 0) {
		record->attempt = attempt.id;
		r = move_job(o->s, o->m, record, JOB_EVENT_CLAIM);
	}
	if (r == 0)
		r = lane_store_charge(o->s->db, record->submitter, o->m->steady,
		                      (int64_t)(record->run_limit / USEC_PER_SEC));
	if (r == 0)
		r = record_offer(o, &attempt);
	if (r == 0)
		r = job_bundle_prepare(o->s, record, job, &attempt);
	if (r == 0)
		buffer_append_slice(out, bytes_slice(&script));
	free(room);
	return r;
}

/* Tries the candidate. Returns 0, BOOT_OFFER_NONE when it has to wait, or -errno. */
static int try(struct offer *o, struct job_record *record, struct buffer *out)
{
	CLEANUP(job_freep) struct job *job = NULL;
	char id[JOB_ID_TEXT_MAX];
	int r = job_bundle_load(o->s, record->id, &job);

	if (r < 0)
		return r;
	r = boot_files_find(&o->s->config, job, services_job_id(o->s, record->id, id), &o->files);
	if (r < 0)
		return r;
	if (r > 0)
		return make_wait(o, record, o->files.missing);
	r = job_bundle_check_room(o->s, record);
	if (r < 0) {
		(void)snprintf(o->files.missing, sizeof(o->files.missing),
		               "cannot write results below %s: %s", o->s->config.results,
		               strerror(-r));
		return make_wait(o, record, o->files.missing);
	}
	return offer(o, record, job, out);
}

/*
 * Tries that candidate. Returns 0, or -errno; BOOT_OFFER_NONE when it is another one's turn. The
 * machine is the same for all of a lane: only where a job failed before is its own.
 */
static int try_candidate(struct offer *o, struct sched_candidate *c, struct buffer *out)
{
	struct job_record record, passed;
	int r = job_store_find(o->s->db, c->job, &record);

	if (r == 0)
		r = match(o, &record);
	else if (r > 0)
		r = -EUCLEAN; /* was found in this transaction */
	if (r < 0)
		return r;
	passed = record;
	if (r != JOB_MATCHES && r != JOB_MATCH_FAILED) {
		c->is_refused = true;
		return BOOT_OFFER_NONE;
	}
	o->n_tries++;
	if (r == JOB_MATCHES)
		r = try(o, &record, out);
	else
		r = BOOT_OFFER_NONE;
	if (r != BOOT_OFFER_NONE)
		return r;
	r = pass_on(o, c, &passed);
	return r < 0 ? r : BOOT_OFFER_NONE;
}

int boot_offer_make(struct services *s, const struct moment *m, const struct host *host,
                    const struct boot_ask *ask, uint32_t address, struct buffer *out)
{
	CLEANUP(freep) struct offer *o = calloc(1, sizeof(*o));
	int i, r;

	if (!o)
		return -ENOMEM;
	o->s = s;
	o->m = m;
	o->host = host;
	o->ask = ask;
	o->address = address;
	r = find_candidates(o);
	if (r < 0)
		return r;
	while (o->n_tries < TRIES_MAX &&
	       (i = sched_decide(o->candidates, (size_t)o->n, s->n_turns)) >= 0) {
		r = try_candidate(o, &o->candidates[i], out);
		s->n_turns += r == 0;
		if (r != BOOT_OFFER_NONE)
			return r;
	}
	return BOOT_OFFER_NONE;
}

int boot_offer_check(struct services *s, const struct job *job, char *reason)
{
	CLEANUP(freep) struct boot_files *files = calloc(1, sizeof(*files));
	int r;

	if (!files)
		return -ENOMEM;
	r = boot_files_find(&s->config, job, "x", files);
	if (r > 0)
		(void)snprintf(reason, JOB_REASON_MAX, "%s", files->missing);
	return r > 0 ? BOOT_OFFER_NONE : r;
}
