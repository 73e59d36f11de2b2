/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The part of attempt_service that Compass-CI's clients drive: they know their job, have no token,
 * and never say hello. What each of their words means is in core/compass_state.
 */
#include <stdio.h>

#include "lib/base/text.h"
#include "server/core/deadlines.h"
#include "server/service/attempt_service.h"
#include "server/service/moves.h"
#include "server/store/attempt_store.h"

/* The open attempt of the job, when it is the machine of it that speaks. */
static int find_machine(struct services *s, int64_t job, uint32_t peer, struct attempt *ret)
{
	int r = attempt_store_find_open_of_job(s->db, job, ret);

	if (r != 0)
		return r < 0 ? r : ATTEMPT_GONE;
	r = attempt_service_is_machine(s, ret, peer);
	if (r < 0)
		return r;
	return r > 0 ? ATTEMPT_OK : ATTEMPT_FOREIGN;
}

static enum event_kind stage_event(enum attempt_event event)
{
	if (event == ATTEMPT_EVENT_RUN)
		return EVENT_JOB_RUNNING;
	return event == ATTEMPT_EVENT_POST ? EVENT_JOB_POST : EVENT_JOB_SETUP;
}

/* How long the stage may last: as the client said, else as the word is known for. */
static void apply_limit(const struct moment *m, struct attempt *attempt,
                        const struct compass_word *word, usec_t said)
{
	usec_t limit = said;

	if (!compass_word_is_at(word, attempt->state))
		return;
	if (limit == 0 && attempt->state == ATTEMPT_UPLOADING)
		limit = word->limit;
	if (limit > 0)
		deadline_set(attempt, m->steady, limit);
}

static int apply_word(struct services *s, const struct moment *m, struct attempt *attempt,
                      const struct compass_word *word, usec_t said)
{
	const struct subject subject = attempt_subject(attempt);
	bool moved;
	int r;

	attempt->seen_steady = m->steady;
	if (!word->moves) {
		if (word->verdict)
			attempt->verdict = word->verdict;
		(void)snprintf(attempt->cause, sizeof(attempt->cause), "%s",
		               word->cause ? word->cause : "");
		return move_attempt_touch(s, attempt);
	}
	r = move_attempt(s, m, attempt, word->event, NULL);
	if (r < 0)
		return r;
	moved = r != MOVE_REFUSED;
	apply_limit(m, attempt, word, said);
	r = move_attempt_touch(s, attempt);
	if (r < 0 || !moved)
		return r;
	return services_event(s, m, stage_event(word->event), &subject, "{s:s}", "word",
	                      word->word);
}

static int say_state(struct services *s, const struct moment *m, int64_t job, uint32_t peer,
                     struct slice text, usec_t said)
{
	const struct compass_word *word = compass_word_find(text);
	struct attempt attempt;
	int r = find_machine(s, job, peer, &attempt);

	if (r != 0)
		return r;
	if (word)
		return apply_word(s, m, &attempt, word, said);
	attempt.seen_steady = m->steady;
	return move_attempt_touch(s, &attempt);
}

int attempt_service_compass_state(struct services *s, const struct moment *m, int64_t job,
                                  uint32_t peer, struct slice word, usec_t limit)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	return services_finish(s, say_state(s, m, job, peer, word, limit));
}

/* A cause without a verdict is what kept the program from starting: not the job's fault. */
static bool is_broken(const struct attempt *attempt)
{
	return attempt->verdict == JOB_VERDICT_NONE && attempt->cause[0];
}

static int end_attempt(struct services *s, const struct moment *m, struct attempt *attempt)
{
	if (is_broken(attempt))
		return move_attempt(s, m, attempt, ATTEMPT_EVENT_FAIL, NULL);
	if (attempt->verdict == JOB_VERDICT_NONE)
		attempt->verdict = JOB_PASS;
	(void)snprintf(attempt->upload, sizeof(attempt->upload), "complete");
	return move_attempt(s, m, attempt, ATTEMPT_EVENT_FINISH, NULL);
}

static int say_finish(struct services *s, const struct moment *m, int64_t job, uint32_t peer,
                      struct slice text)
{
	const struct compass_word *word = compass_word_find(text);
	struct attempt attempt;
	int r = find_machine(s, job, peer, &attempt);

	if (r != 0)
		return r;
	if (word && !word->moves &&
	    (text_equal(text, "return") ||
	     (attempt.verdict == JOB_VERDICT_NONE && !attempt.cause[0])))
		r = apply_word(s, m, &attempt, word, 0);
	return r != 0 ? r : end_attempt(s, m, &attempt);
}

int attempt_service_compass_finish(struct services *s, const struct moment *m, int64_t job,
                                   uint32_t peer, struct slice word)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	return services_finish(s, say_finish(s, m, job, peer, word));
}

/* Before its program ran, a client without a cause may reboot for reasons of its own. */
static int say_reboot(struct services *s, const struct moment *m, int64_t job, uint32_t peer)
{
	struct attempt attempt;
	int r = find_machine(s, job, peer, &attempt);

	if (r != 0)
		return r;
	if (!is_broken(&attempt) && attempt.verdict == JOB_VERDICT_NONE)
		return 0;
	return end_attempt(s, m, &attempt);
}

int attempt_service_compass_reboot(struct services *s, const struct moment *m, int64_t job,
                                   uint32_t peer)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	return services_finish(s, say_reboot(s, m, job, peer));
}
