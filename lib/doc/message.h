/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the agent on a test machine and the server say to each other: the JSON bodies of
 * /v1/attempts/ID/. Unknown keys are ignored, so that the two may be of different versions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"
#include "lib/format/attempt_file.h" /* users of messages read it as well */

enum { MESSAGE_BAD = 1 };

#define MESSAGE_API 1 /* what `api` says today */
/* Stages an agent reports, in the order it passes through them. */
enum message_stage {
	MESSAGE_STAGE_SETUP,
	MESSAGE_STAGE_RUNNING,
	MESSAGE_STAGE_POST,
	MESSAGE_STAGE_UPLOADING,
	MESSAGE_STAGE_REBOOTING, /* the machine goes down and comes back for the same attempt */
	_MESSAGE_STAGE_MAX,
};

const char *message_stage_to_name(int value);
int message_stage_from_name(struct slice name);

enum message_verdict {
	MESSAGE_VERDICT_PASS,
	MESSAGE_VERDICT_FAIL,
	MESSAGE_VERDICT_SKIP,
	_MESSAGE_VERDICT_MAX,
};

const char *message_verdict_to_name(int value);
int message_verdict_from_name(struct slice name);

/*
 * Fixed-size texts: a message outlives the body it came in. Each parse returns 0, MESSAGE_BAD or
 * -ENOMEM; each build shows in out->failed that memory was short.
 */
#define MESSAGE_WORD_MAX 64
#define MESSAGE_PATH_MAX 1024

struct message_hello {
	char boot_id[MESSAGE_WORD_MAX], agent[MESSAGE_WORD_MAX], kernel[MESSAGE_PATH_MAX];
	unsigned api;
	uint64_t uptime_ms;
	char mode[16]; /* "kdump": the kernel that was started because another one died; else "" */
};

void message_hello_build(struct buffer *out, const struct message_hello *m);
int message_hello_parse(struct slice body, struct message_hello *ret);

/* The answer to hello, and (with the fields they have) to stage, heartbeat and finish. */
struct message_answer {
	char job[MESSAGE_WORD_MAX];
	char result_root[MESSAGE_PATH_MAX];
	bool has_deadline;
	uint32_t deadline_sec;    /* what is left of the stage */
	uint32_t lease_sec;       /* 0: not said */
	uint32_t log_interval_ms; /* 0: not said */
	bool cancel;
	int next; /* an enum job_next, or -1: not said */
};

void message_answer_build(struct buffer *out, const struct message_answer *m);

/* An empty body is an answer that says nothing. */
int message_answer_parse(struct slice body, struct message_answer *ret);

struct message_stage_report {
	enum message_stage stage;
	uint64_t uptime_ms;
	/* with REBOOTING, which counts only from the kernel that said hello last: */
	char boot_id[MESSAGE_WORD_MAX];
	uint32_t within_sec; /* it is back in that time; 0: not said */
};

void message_stage_build(struct buffer *out, const struct message_stage_report *m);
int message_stage_parse(struct slice body, struct message_stage_report *ret);

void message_heartbeat_build(struct buffer *out, uint64_t uptime_ms);
int message_heartbeat_parse(struct slice body, uint64_t *ret_uptime_ms);

#define MESSAGE_FILE_NAME_MAX 256
#define MESSAGE_FILES_MAX     10000

struct message_file {
	char name[MESSAGE_FILE_NAME_MAX];
	uint64_t size;
	char sha256[65]; /* hexadecimal, lower case */
};

/* The cause that both ends must mean the same by: the job's code was ended at its deadline. */
#define MESSAGE_CAUSE_TIMEOUT "timeout"

struct message_finish {
	enum message_verdict verdict;
	char cause[MESSAGE_WORD_MAX];  /* "" when there is nothing to say */
	int exit_code;                 /* -1: none (killed, never run) */
	uint64_t cut;                  /* bytes of output that were left out */
	struct message_file *manifest; /* owned when parsed */
	size_t n_manifest;
};

void message_finish_build(struct buffer *out, const struct message_finish *m);

/* Returns 0 (message_finish_deinit frees), MESSAGE_BAD or -ENOMEM. */
int message_finish_parse(struct slice body, struct message_finish *ret);
void message_finish_deinit(struct message_finish *m);
