/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <stdlib.h>

#include "lib/base/macro.h"
#include "server/core/timeline.h"

#define AT(ms, k, ...)                                                                             \
	{                                                                                          \
		.kind = k, .mono = (ms)*USEC_PER_MSEC, .wall = 1000000 + (ms)*USEC_PER_MSEC,       \
		__VA_ARGS__                                                                        \
	}

static const struct event boot[] = {
	AT(0, EVENT_JOB_FINISHED, .attempt = 1),
	AT(10, EVENT_DHCP_DISCOVER),
	AT(20, EVENT_DHCP_DISCOVER),
	AT(30, EVENT_DHCP_ACK),
	AT(40, EVENT_TFTP_START, .fields = "{\"file\":\"snp.efi\"}"),
	AT(90, EVENT_TFTP_DONE, .fields = "{\"file\":\"snp.efi\"}"),
	AT(200, EVENT_IPXE_DHCP),
	AT(210, EVENT_TFTP_START, .fields = "{\"file\":\"boot.ipxe\"}"),
	AT(220, EVENT_TFTP_DONE, .fields = "{\"file\":\"boot.ipxe\"}"),
	AT(300, EVENT_IPXE_SCRIPT),
	AT(310, EVENT_BOOT_REQUEST),
	AT(400, EVENT_BOOT_OFFER, .attempt = 2),
	AT(410, EVENT_FILE_START, .attempt = 2, .fields = "{\"file\":\"a\"}"),
	AT(420, EVENT_FILE_START, .attempt = 2, .fields = "{\"file\":\"b\"}"),
	AT(430, EVENT_FILE_DONE, .attempt = 2, .fields = "{\"file\":\"a\",\"bytes\":5}"),
	AT(480, EVENT_FILE_DONE, .attempt = 2, .fields = "{\"file\":\"b\"}"),
	AT(900, EVENT_AGENT_HELLO, .attempt = 2),
	AT(950, EVENT_JOB_RUNNING, .attempt = 2),
	AT(960, EVENT_UPLOAD_START, .attempt = 2),
	AT(990, EVENT_HOST_STATE, .attempt = 2),
};

/* GRUB asks without a DHCP round of its own */
static const struct event grub_boot[] = {
	AT(10, EVENT_DHCP_DISCOVER),
	AT(30, EVENT_DHCP_ACK),
	AT(40, EVENT_TFTP_START, .fields = "{\"file\":\"grubaa64.efi\"}"),
	AT(90, EVENT_TFTP_DONE, .fields = "{\"file\":\"grubaa64.efi\"}"),
	AT(210, EVENT_TFTP_START, .fields = "{\"file\":\"grub.cfg\"}"),
	AT(220, EVENT_TFTP_DONE, .fields = "{\"file\":\"grub.cfg\"}"),
	AT(310, EVENT_BOOT_REQUEST),
	AT(400, EVENT_BOOT_OFFER, .attempt = 2),
};

static const struct timeline_span *find(const struct timeline *line, const char *stage,
                                        unsigned nth)
{
	for (size_t i = 0; i < line->n_spans; i++)
		if (strcmp(line->spans[i].stage, stage) == 0 && nth-- == 0)
			return &line->spans[i];
	fail_msg("no %s", stage);
	return NULL;
}

static void assert_span(const struct timeline *line, const char *stage, unsigned nth, usec_t start,
                        usec_t end)
{
	const struct timeline_span *span = find(line, stage, nth);

	assert_int_equal(span->start, start * USEC_PER_MSEC);
	assert_int_equal(span->end, end * USEC_PER_MSEC);
}

static void a_boot_becomes_spans(void **state)
{
	struct timeline *line = calloc(1, sizeof(*line));
	size_t from = timeline_boot_start(boot, ARRAY_SIZE(boot), 2);

	assert_int_equal(from, 1);
	timeline_compute(boot + from, ARRAY_SIZE(boot) - from, line);
	assert_span(line, "dhcp", 0, 0, 20);
	assert_span(line, "tftp", 0, 30, 80);
	assert_span(line, "loader", 0, 80, 190);
	assert_span(line, "ipxe", 0, 190, 300);
	assert_span(line, "wait", 0, 300, 390);
	assert_span(line, "file", 0, 400, 420);
	assert_span(line, "file", 1, 410, 470);
	assert_span(line, "kernel", 0, 470, 890);
	assert_span(line, "setup", 0, 890, 940);
	assert_span(line, "run", 0, 940, 950);
	assert_span(line, "upload", 0, 950, 980);
	assert_null(find(line, "upload", 0)->to);
	assert_non_null(find(line, "setup", 0)->to);
	assert_span(line, "tftp", 1, 200, 210);
	assert_int_equal(line->n_spans, 12); /* and no second loader */
	for (size_t i = 1; i < line->n_spans; i++)
		assert_true(line->spans[i - 1].start <= line->spans[i].start);
	free(line);
}

static void a_loader_without_a_round_of_its_own_ends_with_its_question(void **state)
{
	struct timeline *line = calloc(1, sizeof(*line));

	timeline_compute(grub_boot, ARRAY_SIZE(grub_boot), line);
	assert_span(line, "dhcp", 0, 0, 20);
	assert_span(line, "loader", 0, 210, 300);
	assert_span(line, "wait", 0, 300, 390);
	assert_int_equal(line->n_spans, 5); /* and two of tftp */
	free(line);
}

/* Told in one report at the end: the fetch of the image came in between. */
static void stages_of_the_initramfs_stand_where_they_were(void **state)
{
	struct event late[] = {
		AT(0, EVENT_FILE_START, .attempt = 2, .fields = "{\"file\":\"k\"}"),
		AT(10, EVENT_FILE_DONE, .attempt = 2, .fields = "{\"file\":\"k\"}"),
		AT(300, EVENT_FILE_START, .attempt = 2, .fields = "{\"file\":\"r\"}"),
		AT(400, EVENT_FILE_DONE, .attempt = 2, .fields = "{\"file\":\"r\"}"),
		AT(200, EVENT_INITRAMFS_START, .attempt = 2),
		AT(450, EVENT_INITRAMFS_ROOT, .attempt = 2),
		AT(470, EVENT_INITRAMFS_OVERLAY, .attempt = 2),
		AT(500, EVENT_INITRAMFS_SWITCH, .attempt = 2),
		AT(900, EVENT_AGENT_HELLO, .attempt = 2),
	};
	struct timeline *line = calloc(1, sizeof(*line));

	timeline_order(late, ARRAY_SIZE(late));
	assert_int_equal(late[2].kind, EVENT_INITRAMFS_START);
	assert_int_equal(late[4].kind, EVENT_FILE_DONE);
	timeline_compute(late, ARRAY_SIZE(late), line);
	assert_span(line, "kernel", 0, 10, 200);
	assert_span(line, "initramfs", 0, 200, 500);
	assert_span(line, "root", 0, 200, 450);
	assert_span(line, "file", 1, 300, 400);
	assert_span(line, "overlay", 0, 450, 470);
	assert_span(line, "deploy", 0, 470, 500);
	assert_span(line, "start", 0, 500, 900);
	assert_int_equal(line->n_spans, 9); /* and setup; no second kernel */
	free(line);
}

static void no_event_no_span(void **state)
{
	struct timeline *line = calloc(1, sizeof(*line));

	timeline_compute(boot, 0, line);
	assert_int_equal(line->n_spans, 0);
	assert_int_equal(timeline_boot_start(boot, ARRAY_SIZE(boot), 77), ARRAY_SIZE(boot));
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boot_becomes_spans),
		cmocka_unit_test(stages_of_the_initramfs_stand_where_they_were),
		cmocka_unit_test(a_loader_without_a_round_of_its_own_ends_with_its_question),
		cmocka_unit_test(no_event_no_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
