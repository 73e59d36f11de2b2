/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The table of Compass-CI's words.
 */
#include "server/core/compass_state.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/core/deadlines.h"

#define STAGE(w, e)                                                                                \
	{                                                                                          \
		.word = w, .moves = true, .event = e                                               \
	}
#define CHECK(w, e)                                                                                \
	{                                                                                          \
		.word = w, .moves = true, .event = e, .limit = CHECK_LENGTH                        \
	}
#define HEALTH(w, v, c)                                                                            \
	{                                                                                          \
		.word = w, .verdict = v, .cause = c                                                \
	}
#define BROKEN(w, c)                                                                               \
	{                                                                                          \
		.word = w, .cause = c, .is_infra = true                                            \
	}

static const struct compass_word words[] = {
	/* stages */
	STAGE("boot", ATTEMPT_EVENT_KERNEL),
	STAGE("booting", ATTEMPT_EVENT_KERNEL),
	STAGE("setup", ATTEMPT_EVENT_HELLO),
	STAGE("running", ATTEMPT_EVENT_RUN),
	STAGE("renew", ATTEMPT_EVENT_RUN),
	CHECK("on_fail", ATTEMPT_EVENT_RUN),
	CHECK("manual_check", ATTEMPT_EVENT_POST),
	STAGE("post_run", ATTEMPT_EVENT_POST),
	/* how the program ended */
	HEALTH("finished", JOB_PASS, NULL),
	HEALTH("success", JOB_PASS, NULL),
	HEALTH("return", JOB_PASS, "returned"),
	HEALTH("failed", JOB_FAIL, "failed"),
	HEALTH("fail", JOB_FAIL, "failed"),
	HEALTH("incomplete", JOB_FAIL, "incomplete"),
	HEALTH("OOM", JOB_FAIL, "oom"),
	HEALTH("soft_timeout", JOB_FAIL, "soft_timeout"),
	HEALTH("disturbed", JOB_FAIL, "disturbed"),
	HEALTH("kernel_panic", JOB_FAIL, "crash"),
	HEALTH("crash", JOB_FAIL, "crash"),
	HEALTH("nfs_hang", JOB_FAIL, "nfs_hang"),
	/* what kept it from starting */
	BROKEN("load_disk_fail", "load_disk_fail"),
	BROKEN("microcode_is_not_matched", "microcode_mismatch"),
	BROKEN("microcode_mismatch", "microcode_mismatch"),
	BROKEN("downgrade_ucode", "microcode_mismatch"),
	BROKEN("unknown_result_service", "result_service"),
	BROKEN("error_mount", "result_mount"),
	BROKEN("miss_nfs", "result_mount"),
	BROKEN("miss_cifs", "result_mount"),
	BROKEN("miss_virtfs", "result_mount"),
	BROKEN("miss_tmpfs", "result_mount"),
	BROKEN("mount_fs_failed", "mount"),
	BROKEN("error", "proxy"), /* error:proxy */
	BROKEN("wget_kernel_fail", "download"),
	BROKEN("wget_initrd_fail", "download"),
	BROKEN("initrd_broken", "download"),
	BROKEN("kexec_fail", "kexec"),
};

const struct compass_word *compass_word_find(struct slice word)
{
	struct slice head = slice_cut(&word, ':');

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (slice_equal_nocase(head, slice_from_text(words[i].word)))
			return &words[i];
	return NULL;
}

bool compass_word_is_at(const struct compass_word *word, enum attempt_state state)
{
	if (!word->moves)
		return false;
	if (word->event == ATTEMPT_EVENT_KERNEL)
		return state == ATTEMPT_BOOTING;
	if (word->event == ATTEMPT_EVENT_HELLO)
		return state == ATTEMPT_SETUP;
	if (word->event == ATTEMPT_EVENT_RUN && state == ATTEMPT_RUNNING)
		return true;
	return (word->event == ATTEMPT_EVENT_POST || word->limit > 0) && state == ATTEMPT_UPLOADING;
}

const char *compass_state_of(enum job_state state, enum job_verdict verdict)
{
	switch (state) {
	case JOB_WAITING:
	case JOB_QUEUED:
		return "submit";
	case JOB_ACTIVE:
		return "running";
	case JOB_FINISHED:
		return verdict == JOB_FAIL ? "failed" : "finished";
	case JOB_CANCELLED:
	case JOB_SKIPPED:
		return "cancel";
	case JOB_TIMEOUT:
	case JOB_EXPIRED:
		return "timeout";
	case JOB_ERROR:
		return "abnormal";
	case _JOB_STATE_MAX:
		break;
	}
	return "?";
}
