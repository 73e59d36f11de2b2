/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "server/io/sandbox.h"

/* What a child found: 0 as it should be, else the number of the line that says no. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ % 251 + 1;                                                 \
	} while (0)

/* Runs body in a child inside the sandbox. */
static void in_sandbox(enum sandbox_role role, int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(sandbox_enter(role) == 0 ? body() : 255);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The four sets hold nothing but, in those that count, `kept`. */
static int has_only(unsigned long long kept)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");
	unsigned n_seen = 0;

	MUST(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "CapInh:", 7) != 0 && strncmp(line, "CapPrm:", 7) != 0 &&
		    strncmp(line, "CapEff:", 7) != 0 && strncmp(line, "CapAmb:", 7) != 0)
			continue;
		MUST((strtoull(line + 7, NULL, 16) &
		      ~(line[3] == 'P' || line[3] == 'E' ? kept : 0)) == 0);
		n_seen++;
	}
	(void)fclose(file);
	MUST(n_seen == 4);
	return 0;
}

static int has_what_main_keeps(void)
{
	return has_only(1ULL << CAP_NET_BIND_SERVICE | 1ULL << CAP_NET_RAW);
}

static int has_no_capability(void)
{
	return has_only(0);
}

static void main_keeps_two_capabilities_and_workers_none(void **state)
{
	in_sandbox(SANDBOX_MAIN, has_what_main_keeps);
	in_sandbox(SANDBOX_WORKER, has_no_capability);
}

static bool is_refused(long result)
{
	return result < 0 && errno == EPERM;
}

static int dangerous_calls_are_refused(void)
{
	MUST(is_refused(mount("none", "/nowhere", "tmpfs", 0, NULL)));
	MUST(is_refused(syscall(SYS_unshare, 0)));
	MUST(is_refused(syscall(SYS_setuid, 0)));
	MUST(is_refused(syscall(SYS_bpf, 0, NULL, 0)));
	MUST(is_refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0)));
	MUST(is_refused(syscall(SYS_init_module, NULL, 0, "")));
	MUST(is_refused(socket(AF_PACKET, SOCK_DGRAM, 0)));
	return 0;
}

static void both_roles_are_refused_what_no_server_does(void **state)
{
	in_sandbox(SANDBOX_MAIN, dangerous_calls_are_refused);
	in_sandbox(SANDBOX_WORKER, dangerous_calls_are_refused);
}

static int ordinary_work_goes_on(void)
{
	void *memory =
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int memfd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	char byte;

	MUST(memory != MAP_FAILED);
	MUST(memfd >= 0 && write(memfd, "x", 1) == 1 &&
	     fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	MUST(fd >= 0 && read(fd, &byte, 1) == 1);
	(void)close(fd);
	(void)close(memfd);
	return 0;
}

static int main_opens_sockets_and_starts_programs(void)
{
	int pair[2], fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), status;
	pid_t pid;

	MUST(ordinary_work_goes_on() == 0);
	MUST(fd >= 0);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		(void)execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	MUST(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}

static void main_can_do_its_work(void **state)
{
	in_sandbox(SANDBOX_MAIN, main_opens_sockets_and_starts_programs);
}

static int worker_starts_nothing(void)
{
	MUST(ordinary_work_goes_on() == 0);
	MUST(is_refused(execl("/bin/true", "true", (char *)NULL)));
	MUST(is_refused(socket(AF_INET, SOCK_STREAM, 0)));
	MUST(is_refused(kill(getppid(), 0)));
	return 0;
}

static void worker_can_do_its_work_and_no_more(void **state)
{
	in_sandbox(SANDBOX_WORKER, worker_starts_nothing);
}

static int worker_of_main(void)
{
	MUST(sandbox_enter(SANDBOX_WORKER) == 0);
	return worker_starts_nothing();
}

static void worker_that_main_starts_anew_is_one_too(void **state)
{
	in_sandbox(SANDBOX_MAIN, worker_of_main);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(main_keeps_two_capabilities_and_workers_none),
		cmocka_unit_test(both_roles_are_refused_what_no_server_does),
		cmocka_unit_test(main_can_do_its_work),
		cmocka_unit_test(worker_can_do_its_work_and_no_more),
		cmocka_unit_test(worker_that_main_starts_anew_is_one_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
