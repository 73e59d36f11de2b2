/* SPDX-License-Identifier: MulanPSL-2.0 */
/* hosts.d, and which files a job boots from. */
#include "tests/support/services_world.h"

#include "lib/doc/document.h"
#include "lib/doc/job.h"
#include "server/service/boot_files.h"

static const char *hosts_dir(struct world *w)
{
	static char dir[128];

	(void)snprintf(dir, sizeof(dir), "%s/hosts", w->dir);
	assert_true(mkdir(dir, 0755) == 0 || errno == EEXIST);
	return dir;
}

static void restart_with_hosts(struct world *w)
{
	w->config.hosts_dir = hosts_dir(w);
	world_restart(w);
}

static void assert_refused(struct world *w, const char *what)
{
	char error[SERVICES_ERROR_MAX];

	assert_int_equal(services_check_hosts(hosts_dir(w), error), SERVICES_REFUSED);
	if (!strstr(error, what))
		fail_msg("\"%s\" does not say \"%s\"", error, what);
}

static void host_files_define_hosts(void **state)
{
	struct world *w = *state;

	world_put_file(hosts_dir(w), "vm-1.yaml",
	               "arch: x86_64\nmemory: 4G\nmac_addr: [52-54-00-12-34-56]\n"
	               "queues: [fast]\n");
	world_put_file(hosts_dir(w), "vm-2", "arch: aarch64\nmac_addr:\n- 52-54-00-12-34-57\n");
	world_put_file(hosts_dir(w), ".hidden", ": : :");
	world_put_file(hosts_dir(w), "old~", ": : :");
	restart_with_hosts(w);
	assert_int_equal(world_get(w, "/v1/hosts"), 200);
	assert_int_equal(json_array_size(world_member(w, "hosts")), 2);
	assert_string_equal(world_text(w, "hosts.0.name"), "vm-1");
	assert_string_equal(world_text(w, "hosts.0.queues.0"), "fast");
	assert_string_equal(world_text(w, "hosts.0.flags.0"), "file");
	assert_string_equal(world_text(w, "hosts.1.macs.0"), "52:54:00:12:34:57");
	assert_int_equal(world_do(w, HTTP_METHOD_PUT, WORLD_ADMIN, "/v1/hosts/vm-1",
	                          "{\"memory\":\"8G\"}", NULL),
	                 409);
	assert_int_equal(world_do(w, HTTP_METHOD_DELETE, WORLD_ADMIN, "/v1/hosts/vm-1", NULL, NULL),
	                 409);
}

static void a_file_that_is_gone_takes_its_host_along(void **state)
{
	struct world *w = *state;
	char path[256], error[SERVICES_ERROR_MAX];

	world_put_file(hosts_dir(w), "vm-1", "mac_addr: [52-54-00-12-34-56]\n");
	restart_with_hosts(w);
	world_put_file(hosts_dir(w), "vm-2", "mac_addr: [52-54-00-12-34-56]\n");
	assert_int_equal(services_reload(w->s, w->now, w->wall, error), SERVICES_REFUSED);
	assert_int_equal(world_get(w, "/v1/hosts/vm-1"), 200); /* all or nothing */
	(void)snprintf(path, sizeof(path), "%s/vm-1", hosts_dir(w));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(services_reload(w->s, w->now, w->wall, error), 0);
	assert_int_equal(world_get(w, "/v1/hosts/vm-1"), 404);
	assert_int_equal(world_get(w, "/v1/hosts/vm-2"), 200);
}

static void a_wrong_host_file_is_refused_by_place(void **state)
{
	struct world *w = *state;

	world_put_file(hosts_dir(w), "vm-1", "arch: x86_64\nmac_addr: [zz]\n");
	assert_refused(w, "vm-1:2:1: mac_addr: expected");
	world_put_file(hosts_dir(w), "vm-1", "arch: [\n");
	assert_refused(w, "vm-1:");
	world_put_file(hosts_dir(w), "vm-1", "mac_addr: [52-54-00-12-34-56]\n");
	world_put_file(hosts_dir(w), "vm-1.yaml", "memory: 4G\n");
	assert_refused(w, "two files for this host");
	world_put_file(hosts_dir(w), "vm-1.yaml", "");
}

static void one_address_belongs_to_one_host(void **state)
{
	struct world *w = *state;

	world_put_file(hosts_dir(w), "vm-1", "mac_addr: [52-54-00-12-34-56]\n");
	world_put_file(hosts_dir(w), "vm-2", "mac_addr: ['52:54:00:12:34:56']\n");
	assert_refused(w, "52:54:00:12:34:56 belongs to vm-");
}

static void a_name_that_is_none_is_refused(void **state)
{
	struct world *w = *state;

	world_put_file(hosts_dir(w), "a b", "arch: x86_64\n");
	assert_refused(w, "no name of a host");
}

static void a_directory_that_is_not_there_is_empty(void **state)
{
	char error[SERVICES_ERROR_MAX];

	assert_int_equal(services_check_hosts("/nonexistent/hosts.d", error), 0);
}

/* ---- boot files ---- */

static struct job *make_job(const char *text)
{
	struct document *doc = NULL;
	struct document_error bad;
	struct job_error error;
	struct job *job = NULL;

	assert_int_equal(document_parse(slice_from_text(text), &doc, &bad), 0);
	assert_int_equal(job_parse(document_root(doc), &job, &error), 0);
	document_free(doc);
	return job;
}

static struct boot_files *find(struct world *w, const char *text, int outcome)
{
	static struct boot_files files;
	struct job *job = make_job(text);

	assert_int_equal(boot_files_find(&w->config, job, "lab1.7", &files), outcome);
	job_free(job);
	return &files;
}

#define DEBIAN                                                                                     \
	"suite: hello\ntestbox: vm-1\nos: debian\nos_arch: x86_64\nos_version: bookworm\n"         \
	"script: x\n"

static void files_come_in_the_kernels_order(void **state)
{
	struct world *w = *state;
	const struct boot_files *f = find(w, DEBIAN "os_mount: initramfs\n", 0);

	assert_string_equal(f->kernel.url,
	                    "/os/debian/x86_64/bookworm-2026-01-02-03-04-05/boot/vmlinuz-6.1");
	assert_int_equal(f->n_initrds, 4);
	assert_string_equal(boot_file_basename(f->initrds[0].url), "20260102.0.cgz");
	assert_string_equal(boot_file_basename(f->initrds[1].url), "modules-6.1.cgz");
	assert_string_equal(f->initrds[2].url, "/job_initrd_tmpfs/lab1.7/job.cgz");
	assert_true(f->initrds[2].is_job);
	assert_string_equal(boot_file_basename(f->initrds[3].url), "cci.cgz");
}

static void the_first_missing_file_is_named(void **state)
{
	struct world *w = *state;

	assert_string_equal(find(w, DEBIAN "os_mount: nfs\n", BOOT_FILES_MISSING)->missing,
	                    "missing file /os/debian/x86_64/bookworm/initrd.lkp");
	assert_string_equal(find(w, DEBIAN "kernel_version: 9.9\n", BOOT_FILES_MISSING)->missing,
	                    "missing kernel /os/debian/x86_64/bookworm/boot/vmlinuz-9.9");
	assert_string_equal(find(w,
	                         DEBIAN "pkg_data: {lkp-tests: {tag: v1, md5: "
	                                "08624540efe0e8de8b582ee73aef162c}}\n",
	                         BOOT_FILES_MISSING)
	                            ->missing,
	                    "missing file /upload-files/lkp-tests/x86_64/v1.cgz");
}

static void a_root_over_the_network_names_its_real_directory(void **state)
{
	const char *tree = "debian/x86_64/bookworm-2026-01-02-03-04-05";
	struct world *w = *state;
	const struct boot_files *f;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/boot/initramfs.lkp-6.1.img", tree);
	world_put_file(w->os, path, "");
	(void)snprintf(path, sizeof(path), "%s/initrd.lkp", tree);
	world_link(w->os, path, "boot/initramfs.lkp-6.1.img");
	f = find(w, DEBIAN "os_mount: nfs\n", 0);
	assert_string_equal(f->os_path, "/os/debian/x86_64/bookworm-2026-01-02-03-04-05");
	assert_string_equal(boot_file_basename(f->initrds[0].url), "initramfs.lkp-6.1.img");
	f = find(w, DEBIAN "os_mount: http\n", BOOT_FILES_MISSING);
	assert_non_null(strstr(f->missing, "rootfs.squashfs"));
	(void)snprintf(path, sizeof(path), "%s/rootfs.squashfs", tree);
	world_put_file(w->os, path, "12345");
	(void)snprintf(path, sizeof(path), "%s/rootfs.squashfs.sha256", tree);
	world_put_file(w->os, path,
	               "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5  x\n");
	f = find(w, DEBIAN "os_mount: http\n", 0);
	assert_int_equal(f->root_size, 5);
	assert_string_equal(f->root_sha256,
	                    "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5");
}

static void two_files_of_one_name_are_refused(void **state)
{
	struct world *w = *state;

	assert_string_equal(find(w, DEBIAN "modules_uri: [http://a/x.cgz, http://b/x.cgz]\n",
	                         BOOT_FILES_MISSING)
	                            ->missing,
	                    "two files have the name x.cgz");
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(host_files_define_hosts),
		IN_A_WORLD(a_file_that_is_gone_takes_its_host_along),
		IN_A_WORLD(a_wrong_host_file_is_refused_by_place),
		IN_A_WORLD(one_address_belongs_to_one_host),
		IN_A_WORLD(a_name_that_is_none_is_refused),
		cmocka_unit_test(a_directory_that_is_not_there_is_empty),
		IN_A_WORLD(files_come_in_the_kernels_order),
		IN_A_WORLD(the_first_missing_file_is_named),
		IN_A_WORLD(a_root_over_the_network_names_its_real_directory),
		IN_A_WORLD(two_files_of_one_name_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
