/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "initramfs/fetch_http.h"
#include "initramfs/form.h"
#include "initramfs/handover.h"
#include "initramfs/hardware.h"
#include "initramfs/journal.h"
#include "initramfs/paths.h"
#include "initramfs/pstore.h"
#include "initramfs/tell.h"
#include "lib/base/text.h"
#include "lib/format/attempt_file.h"
#include "lib/sys/clock.h"
#include "lib/sys/file.h"

#define FILE_MAX     (64 << 10)
#define JOURNAL_MAX  (48 << 10) /* of text; three times that when every byte is escaped */
#define PANIC_MAX    (48 << 10) /* of what an earlier kernel saved */
#define PATIENCE     (5 * USEC_PER_SEC)
#define TRY_FOR      (30 * USEC_PER_SEC)
#define TRY_EVERY    USEC_PER_SEC
#define STAGES_HASTE (100 * USEC_PER_MSEC)

/* Where a report goes. */
struct target {
	char url[URL_TEXT_MAX];
	char token[ATTEMPT_VALUE_MAX];
};

/* Finds out whom to tell. False: nobody. */
static bool find_target(const struct plan *plan, struct target *ret)
{
	struct buffer text = BUFFER_NULL;
	struct attempt_file attempt;
	char mac[HARDWARE_MAC_SIZE];
	bool has_attempt;

	has_attempt = file_read_all(AT_FDCWD, CCI_ATTEMPT_FILE, FILE_MAX, &text) == 0 &&
	              attempt_file_parse(buffer_slice(&text), &attempt) == 0;
	buffer_deinit(&text);
	if (has_attempt) {
		(void)snprintf(ret->url, sizeof(ret->url), "%s/v1/attempts/%s/report",
		               plan->server[0] ? plan->server : attempt.server, attempt.attempt);
		(void)snprintf(ret->token, sizeof(ret->token), "%s", attempt.token);
		return true;
	}
	if (!plan->server[0] || hardware_find_mac(mac) < 0)
		return false;
	(void)snprintf(ret->url, sizeof(ret->url), "%s/v1/boots/%s/report", plan->server, mac);
	ret->token[0] = '\0';
	return true;
}

/* Why nothing could be told: a CAUSE_x, and a sentence. */
struct refusal {
	const char *cause;
	char why[REPORT_WHY_MAX + TLS_LINK_WHY_MAX];
};

static int PRINTF_LIKE(3, 4) refuse(struct refusal *ret, const char *cause, const char *format, ...)
{
	va_list args;

	ret->cause = cause;
	va_start(args, format);
	(void)vsnprintf(ret->why, sizeof(ret->why), format, args);
	va_end(args);
	return -ECANCELED;
}

/* Makes the request. Returns 0 or -ECANCELED. */
static int make_ask(const struct target *target, const struct buffer *form, struct http_ask *ret,
                    struct refusal *ret_refusal)
{
	*ret = (struct http_ask){ .method = "POST", .token = target->token };
	if (buffer_error(form) < 0)
		return refuse(ret_refusal, CAUSE_MEMORY, "no memory for a report");
	ret->form = buffer_slice(form);
	if (url_split(slice_from_text(target->url), &ret->url) != 0)
		return refuse(ret_refusal, CAUSE_PLAN,
		              "cannot report to %.100s: no URL of http or https", target->url);
	return 0;
}

bool report_wants_tls(const struct plan *plan)
{
	struct target target;
	struct url url;

	return find_target(plan, &target) && url_split(slice_from_text(target.url), &url) == 0 &&
	       url.is_https;
}

/* Adds what the first failure left behind. */
static void put_state(struct buffer *form)
{
	static const char *const keys[] = { "stage", "step", "cause", "detail" };
	struct buffer state = BUFFER_NULL;
	struct slice rest;

	if (file_read_all(AT_FDCWD, CCI_STATE_FILE, FILE_MAX, &state) < 0 || state.len == 0) {
		buffer_deinit(&state);
		/* systemd failed a unit before one of ours could: a device, a time limit */
		buffer_append_text(&state, "stage=initramfs\nstep=systemd\ncause=unit\n"
		                           "detail=a unit failed before it began, or took too "
		                           "long; see the journal\n");
	}
	rest = buffer_slice(&state);
	while (rest.len > 0) {
		struct slice value = slice_cut(&rest, '\n'), key = slice_cut(&value, '=');

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (text_equal(key, keys[i]))
				form_append(form, keys[i], value);
	}
	buffer_deinit(&state);
}

/* /run/cci/initrds: which archives of the command line have arrived. */
static void put_initrds(struct buffer *form)
{
	struct buffer text = BUFFER_NULL;

	if (file_read_all(AT_FDCWD, CCI_INITRDS_FILE, FILE_MAX, &text) == 0 && text.len > 0)
		form_append(form, "initrds", buffer_slice(&text));
	buffer_deinit(&text);
}

static void put_journal(struct buffer *form)
{
	struct buffer journal = BUFFER_NULL;

	if (journal_tail(&journal, JOURNAL_MAX) == 0)
		form_append(form, "journal", buffer_slice(&journal));
	buffer_deinit(&journal);
}

/*
 * Adds what an earlier kernel saved when it died. Returns it, to be forgotten once the server has
 * it; NULL when there is none.
 */
static struct pstore *put_panic(struct buffer *form)
{
	CLEANUP(pstore_freep) struct pstore *pstore = NULL;
	struct buffer text = BUFFER_NULL;
	int r;

	r = pstore_open(CCI_PSTORE_DIR, &pstore);
	if (r < 0)
		tell("cannot read %s: %s", CCI_PSTORE_DIR, strerror(-r));
	if (r != 0)
		return NULL;
	r = pstore_text(pstore, PANIC_MAX, &text);
	if (r == 0 && text.len > 0)
		form_append(form, "panic", buffer_slice(&text));
	buffer_deinit(&text);
	return r == 0 ? steal_ptr(&pstore) : NULL;
}

/* Tells why there was no answer. Returns POST_AGAIN, or -ECANCELED when no other try is better. */
enum { POST_AGAIN = 1 };

static int no_answer(const struct http_stream *stream, int r, const char *url,
                     struct refusal *ret_refusal)
{
	switch (r) {
	case HTTP_STREAM_NO_TLS:
		return refuse(ret_refusal, CAUSE_REFUSED,
		              "cannot report to %.100s: this initramfs speaks http only; build it "
		              "with cci_https=yes",
		              url);
	case HTTP_STREAM_DISTRUST:
		return refuse(ret_refusal, CAUSE_TLS, "cannot report to %.100s: %s", url,
		              stream->why);
	case HTTP_STREAM_TLS:
		(void)refuse(ret_refusal, CAUSE_TLS, "cannot report to %.100s: no TLS: %s", url,
		             stream->why);
		return POST_AGAIN;
	}
	tell_debug("%s: %s", url,
	           r == HTTP_STREAM_BAD    ? "not HTTP"
	           : r == HTTP_STREAM_NAME ? "the name has no address"
	                                   : strerror(-r));
	(void)refuse(ret_refusal, CAUSE_NETWORK, "cannot reach %.100s to report", url);
	return POST_AGAIN;
}

/* One try. Returns 0, POST_AGAIN (it may go better later) or -ECANCELED. */
static int post(struct http_stream *stream, const struct http_ask *ask, const char *url,
                struct refusal *ret_refusal)
{
	unsigned status;
	int r;

	r = http_stream_open(stream, ask, PATIENCE);
	status = stream->reader.head.status;
	http_stream_close(stream);
	if (r != 0)
		return no_answer(stream, r, url, ret_refusal);
	if (status >= 200 && status < 300)
		return 0;
	(void)refuse(ret_refusal, CAUSE_STATUS, "the server refuses the report: %u", status);
	return status >= 500 || status == 408 || status == 429 ? POST_AGAIN : -ECANCELED;
}

/* Tries for half a minute. Returns 0 or -ECANCELED. */
static int post_for_a_while(const struct http_ask *ask, const char *url,
                            struct refusal *ret_refusal)
{
	const struct timespec pause = { .tv_sec = TRY_EVERY / USEC_PER_SEC };
	CLEANUP(freep) struct http_stream *stream = malloc(sizeof(*stream));
	usec_t end = usec_add(clock_now(), TRY_FOR);
	int r;

	if (!stream)
		return refuse(ret_refusal, CAUSE_MEMORY, "no memory for a report");
	for (;;) {
		r = post(stream, ask, url, ret_refusal);
		if (r == POST_AGAIN && clock_now() >= end)
			return -ECANCELED;
		if (r != POST_AGAIN)
			return r;
		(void)nanosleep(&pause, NULL); /* woken early: tried early */
	}
}

int report_failure(const struct plan *plan)
{
	CLEANUP(pstore_freep) struct pstore *pstore = NULL;
	struct buffer form = BUFFER_NULL;
	struct refusal refusal;
	struct target target;
	struct http_ask ask;
	int r;

	if (!find_target(plan, &target)) {
		tell("nobody to report to: no attempt, no cci.server=");
		return 0;
	}
	handover_resolver();
	put_state(&form);
	put_initrds(&form);
	form_append_u64(&form, "uptime_ms", clock_now() / USEC_PER_MSEC);
	pstore = put_panic(&form);
	put_journal(&form);
	r = make_ask(&target, &form, &ask, &refusal);
	if (r == 0)
		r = post_for_a_while(&ask, target.url, &refusal);
	if (r == 0)
		tell("reported to %s", target.url);
	else
		r = tell_failure(refusal.cause, "%s", refusal.why);
	if (r == 0 && pstore)
		pstore_forget(pstore);
	buffer_deinit(&form);
	return r;
}

/* /run/cci/stages, lines NAME UPTIME_MS, as fields. */
static void put_stages(struct buffer *form)
{
	struct buffer stages = BUFFER_NULL;
	struct slice rest;

	if (file_read_all(AT_FDCWD, CCI_STAGES_FILE, FILE_MAX, &stages) == 0) {
		rest = buffer_slice(&stages);
		while (rest.len > 0) {
			struct slice uptime = slice_cut(&rest, '\n');
			struct slice name = slice_cut(&uptime, ' ');

			form_append(form, "stage", name);
			form_append(form, "uptime_ms", uptime);
		}
	}
	buffer_deinit(&stages);
}

/*
 * Asks and does not wait for the answer, unless there is something that it says is taken. Over TLS
 * a connection that is closed before all has been read may lose what was sent.
 */
static void send_stages(const struct http_ask *ask, const char *url, struct pstore *pstore)
{
	CLEANUP(freep) struct http_stream *stream = malloc(sizeof(*stream));
	struct refusal refusal;
	int r;

	if (!stream)
		return;
	if (pstore || ask->url.is_https) {
		r = post(stream, ask, url, &refusal);
		if (r == 0 && pstore)
			pstore_forget(pstore);
	} else {
		r = http_stream_ask(stream, ask, STAGES_HASTE);
		http_stream_close(stream);
	}
	if (r != 0)
		tell_debug("the stages could not be sent");
}

void report_stages(const struct plan *plan)
{
	CLEANUP(pstore_freep) struct pstore *pstore = NULL;
	struct buffer form = BUFFER_NULL;
	struct refusal refusal;
	struct target target;
	struct http_ask ask;

	if (!find_target(plan, &target))
		return;
	put_stages(&form);
	if (form.len > 0)
		put_initrds(&form);
	pstore = put_panic(&form);
	/* a name would have to be asked for, which may take seconds; TLS limits that as well */
	if (form.len > 0 && make_ask(&target, &form, &ask, &refusal) == 0 &&
	    (ask.url.is_https || url_is_numeric(&ask.url)))
		send_stages(&ask, target.url, pstore);
	buffer_deinit(&form);
}

int report_stage(const struct plan *plan, const char *stage, const char *detail, char *why)
{
	struct buffer form = BUFFER_NULL;
	struct target target;
	struct http_ask ask;
	struct refusal refusal;
	int r;

	if (!find_target(plan, &target)) {
		(void)snprintf(why, REPORT_WHY_MAX,
		               "there is nobody to tell: no attempt, no cci.server=");
		return -EACCES;
	}
	handover_resolver();
	form_append(&form, "stage", slice_from_text(stage));
	form_append_u64(&form, "uptime_ms", clock_now() / USEC_PER_MSEC);
	form_append(&form, "detail", slice_from_text(detail));
	r = make_ask(&target, &form, &ask, &refusal);
	if (r == 0)
		r = post_for_a_while(&ask, target.url, &refusal);
	if (r != 0)
		(void)snprintf(why, REPORT_WHY_MAX, "%.*s", REPORT_WHY_MAX - 1, refusal.why);
	buffer_deinit(&form);
	return r == 0 ? 0 : -EACCES;
}
