/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/event.h"

/* The stages of a boot as interfaces.md 7 promises them to clients, in the order of a boot. */
static const char *const promised[] = {
	"dhcp.discover",      "dhcp.offer",       "dhcp.ack",          "tftp.start",
	"tftp.done",          "ipxe.dhcp",        "ipxe.script",       "boot.request",
	"boot.hold",          "boot.offer",       "file.start",        "file.done",
	"initramfs.start",    "initramfs.root",   "initramfs.overlay", "initramfs.wipe",
	"initramfs.degraded", "initramfs.switch", "agent.hello",       "job.setup",
	"job.running",        "job.post",         "upload.start",      "upload.done",
	"job.finished",       "host.reboot",
};

static void every_promised_stage_has_its_name(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(promised); i++)
		assert_int_equal(event_kind_from_name(slice_from_text(promised[i])), i);
}

static void every_kind_reads_back_from_its_name(void **state)
{
	for (int kind = 0; kind < _EVENT_KIND_MAX; kind++)
		assert_int_equal(event_kind_from_name(slice_from_text(event_kind_to_name(kind))),
		                 kind);
	assert_int_equal(event_kind_from_name(SLICE_LITERAL("dhcp")), -1);
	assert_string_equal(event_kind_to_name(_EVENT_KIND_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_promised_stage_has_its_name),
		cmocka_unit_test(every_kind_reads_back_from_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
