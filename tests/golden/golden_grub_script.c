/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What GRUB gets of the server: its first script, the scripts of a job whose system is in the
 * initramfs and of one whose root comes by HTTP, and the script that waits.
 */
#include "tests/support/services_world.h"

#include "lib/base/text.h"
#include "tests/support/golden.h"

#define TREE    "debian/aarch64/bookworm-2026-01-02-03-04-05/"
#define VERSION "6.1.0-50-cloud-arm64"

#define JOB(mount)                                                                                 \
	"suite: hello\ntestbox: arm-1\nos: debian\nos_arch: aarch64\nos_version: bookworm\n"       \
	"os_mount: " mount "\nnr_nic: 2\nscript: x\n"                                              \
	"kernel_params: 'quiet dyndbg=\"file x.c +p\" a$b'\n"

static int set_up(void **state)
{
	struct world *w;

	assert_int_equal(world_set_up(state), 0);
	w = *state;
	world_put_file(w->os, TREE "boot/vmlinuz-" VERSION, "");
	world_put_file(w->os, TREE "boot/modules-" VERSION ".cgz", "");
	world_link(w->os, TREE "boot/vmlinuz", "vmlinuz-" VERSION);
	world_put_file(w->os, TREE "boot/initramfs.lkp-" VERSION ".img", "initramfs");
	world_link(w->os, TREE "initrd.lkp", "boot/initramfs.lkp-" VERSION ".img");
	world_put_file(w->os, TREE "rootfs.squashfs", "squashfs");
	world_link(w->os, "debian/aarch64/bookworm", "bookworm-2026-01-02-03-04-05");
	world_put_file(w->initrd, "osimage/debian/aarch64/bookworm/20260102.0.cgz", "");
	world_link(w->initrd, "osimage/debian/aarch64/bookworm/current", "20260102.0.cgz");
	return 0;
}

/* What the machine is answered to /boot.grub/mac/<mac>?b=<session>. */
static unsigned ask(struct world *w, const struct world_machine *machine)
{
	char target[128], text[MAC_TEXT_MAX];

	(void)snprintf(target, sizeof(target), "/boot.grub/mac/%s?b=%lld",
	               mac_format(machine->mac, ':', text), (long long)machine->session);
	return world_do(w, HTTP_METHOD_GET, machine->address, target, NULL, NULL);
}

static void boot_is(struct world *w, const char *job, const char *golden)
{
	struct world_machine machine = world_machine(w, 0x11);

	world_register(w, "arm-1", machine.mac);
	assert_int_equal(world_post(w, "/v1/jobs", job), 201);
	assert_int_equal(ask(w, &machine), 200);
	golden_compare(golden, buffer_slice(&w->answer.body));
	/* the same again, as long as nothing of it ran */
	assert_int_equal(ask(w, &machine), 200);
	golden_compare(golden, buffer_slice(&w->answer.body));
}

static void a_system_in_the_initramfs(void **state)
{
	boot_is(*state, JOB("initramfs"), "grub_script/initramfs.grub");
}

static void a_root_by_http(void **state)
{
	boot_is(*state, JOB("http"), "grub_script/http.grub");
}

static void an_idle_machine_waits(void **state)
{
	struct world *w = *state;
	struct world_machine machine = world_machine(w, 0x11);
	struct api_call call = { .path = SLICE_LITERAL("/boot.grub/mac/52:54:00:12:34:11"),
		                 .query = SLICE_LITERAL("b=117"),
		                 .peer = machine.address,
		                 .is_held = true,
		                 .held_since = w->now - 20 * WORLD_SEC };

	assert_int_equal(world_call(w, &call), 200);
	golden_compare("grub_script/wait.grub", buffer_slice(&w->answer.body));
	call.path = SLICE_LITERAL("/boot.grub");
	assert_int_equal(world_call(w, &call), 200);
	golden_compare("grub_script/grub.cfg", buffer_slice(&w->answer.body));
}

/* GRUB gives up after 30 s: it is not held as long as iPXE may be. */
static void it_is_held_no_longer_than_grub_waits(void **state)
{
	struct world *w = *state;
	struct world_machine machine = world_machine(w, 0x11);
	struct api_call call = { .path = SLICE_LITERAL("/boot.grub/mac/52:54:00:12:34:11"),
		                 .peer = machine.address };

	assert_int_equal(world_call(w, &call), 0);
	assert_int_equal(w->answer.want, API_HOLD);
	assert_int_equal(w->answer.hold_until, w->now + 20 * WORLD_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_system_in_the_initramfs, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(a_root_by_http, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(an_idle_machine_waits, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(it_is_held_no_longer_than_grub_waits, set_up,
		                                world_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
