/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A job as a user submits it: a document with Compass-CI's fields, checked, with defaults and
 * derived fields filled in, and a typed view of what the server itself reads. Fields nobody here
 * knows are kept: they belong to the test suite.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/macro.h"

enum os_mount {
	OS_MOUNT_INITRAMFS,
	OS_MOUNT_NFS,
	OS_MOUNT_CIFS,
	OS_MOUNT_LOCAL,
	OS_MOUNT_HTTP, /* ours: root=live: squashfs over HTTP */
	_OS_MOUNT_MAX,
};

const char *os_mount_to_name(int value);
int os_mount_from_name(struct slice name);

/* What the machine does when its job has ended (`on_finish`). */
enum job_next {
	JOB_NEXT_REBOOT,
	JOB_NEXT_POWEROFF,
	_JOB_NEXT_MAX,
};

const char *job_next_to_name(int value);
int job_next_from_name(struct slice name);

#define JOB_RUNTIME_DEFAULT_SEC 3600
#define JOB_SECONDS_MAX         (365 * 86400)
#define JOB_DISKS_MAX           16
#define JOB_QUEUES_MAX          2
#define JOB_PRIORITY_MAX        9
#define JOB_TAGS_MAX            256
#define JOB_PP_MAX              40 /* length of the parameters in a result path */

/*
 * Texts are views into doc (or owned beside it) and live as long as the job; NULL when the field is
 * absent and has no default. Texts marked "name" are one safe component of a path; no text has a
 * control character, so none can break a line of a script.
 */
struct job {
	json_t *doc;            /* the whole job, defaults and derived fields included */
	const char *suite;      /* name */
	const char *category;   /* name, or NULL */
	const char *testbox;    /* name: a host or a group */
	const char *tbox_group; /* name: as given, else testbox up to its first `.` or `--` */
	const char *os;         /* name */
	const char *os_arch;    /* name; `arch` stands over it */
	const char *os_version; /* name; ends in -iso when os_mount is local */
	const char *os_dir;     /* os/os_arch/os_version */
	const char *rootfs;     /* os-os_version-os_arch */
	enum os_mount os_mount;
	uint32_t runtime_sec;               /* JOB_RUNTIME_DEFAULT_SEC when the job does not say */
	uint32_t timeout_sec;               /* 0 when the job does not say: see job_run_seconds */
	int32_t priority;                   /* 0 to JOB_PRIORITY_MAX; the higher goes first */
	uint64_t memory_minimum;            /* bytes that the machine must have; 0 */
	unsigned n_hdd, n_ssd;              /* `disk: 4HDD`: partitions it must have to use */
	char need_tags[JOB_TAGS_MAX];       /* "a,b": what the machine must be called; "" */
	bool is_idle;                       /* `subqueue: idle`: only for idle machines */
	bool health_check;                  /* shows whether its host is in order */
	const char *queue;                  /* name as given, or NULL */
	const char *queues[JOB_QUEUES_MAX]; /* where the job waits: queue, else the defaults */
	unsigned n_queues;
	bool strict; /* a missing file fails the job at submit */
	enum job_next on_finish;
	bool has_job2sh;            /* brings its functions; else it has `script` */
	bool wants_cci_agent;       /* `agent: cci` */
	const char *kernel_version; /* name, or NULL: what the OS directory has */
	const char *kernel_uri;     /* URL, or NULL: the OS directory's */
	const char *kernel_params;  /* more words for the command line; "" when none */
	const char *crashkernel;    /* or NULL: by the host's memory */
	const char *rootfs_disk[JOB_DISKS_MAX];
	unsigned n_rootfs_disk;                                          /* 0: the host's */
	const char *os_lv, *os_lv_size, *src_lv_suffix, *boot_lv_suffix; /* names, or NULL */
	const char *my_email, *my_name, *my_account;                     /* or NULL */
	const char *pp; /* name: the program's parameters for the result path; "" when none */
	char *owned[3]; /* texts that stand in no document */
};

struct job_error {
	char field[64]; /* the field that is wrong; "" when it is the document as a whole */
	char text[200]; /* "job.os_mount: expected one of initramfs, nfs, ..." */
};

enum { JOB_BAD = 1 };

/*
 * Checks a document and makes a job of it; doc is not changed. job->doc of the result can be parsed
 * again and gives the same job. null counts as absent (lkp sends many).
 * Returns 0; JOB_BAD with *ret_error filled; -ENOMEM.
 */
int job_parse(const json_t *doc, struct job **ret, struct job_error *ret_error);

void job_free(struct job *job);

DEFINE_FREEP(struct job, job_free);

/*
 * How long the job may be in state running: its timeout, else runtime + max(runtime/8, 300) +
 * sqrt(runtime), as Compass-CI counts.
 */
uint32_t job_run_seconds(const struct job *job);

/*
 * Where the results of the job go: /result/<suite>/<date>/<tbox_group>/<rootfs>/<pp>/<id>, without
 * <pp> when there are no parameters (spec of Compass-CI, 8). id and date (YYYY-MM-DD) must be safe
 * components. Returns a malloc'ed text, or NULL when memory is short.
 */
char *job_result_root(const struct job *job, const char *id, const char *date);

/*
 * Reads tags, a list of names or a text with commas, as one comma list in their order, each once.
 * Returns 0, or JOB_BAD when they are no names or do not fit.
 */
int job_tags_read(const json_t *value, char *to, size_t size);

/* Whether text may be one component of a path and a word anywhere: a letter, digit or `_`, then
 * those and `.+:@-`; at most 128 bytes. */
bool job_is_name(struct slice text);
