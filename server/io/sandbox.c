/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Capabilities through libcap-ng, system calls through libseccomp. Names that this architecture or
 * this libseccomp does not know are passed over: then nobody here can call them either.
 */
#include "server/io/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define NAME_MAX_LEN 32 /* of a system call */

/* What every program needs to live: memory, time, signals, files, open sockets, the loop. */
static const char common[] =
	"arch_prctl brk exit exit_group futex getrandom madvise membarrier memfd_create mlock mmap "
	"mprotect mremap munmap prctl prlimit64 restart_syscall rseq sched_getaffinity sched_yield "
	"set_robust_list set_tid_address sysinfo umask uname "
	"clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time "
	"getegid geteuid getgid getpgrp getpid getppid getrusage gettid getuid "
	"rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait "
	"sigaltstack signalfd4 tgkill "
	"access close close_range dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate fchmod "
	"fcntl fdatasync flock fstat fstatfs fsync ftruncate getcwd getdents64 ioctl lseek lstat "
	"mkdirat newfstatat open openat openat2 pipe pipe2 pread64 preadv pwrite64 pwritev read readlink "
	"readlinkat readv rename renameat renameat2 sendfile splice stat statfs statx "
	"sync_file_range unlink unlinkat utimensat write writev "
	"accept4 getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg "
	"sendto setsockopt shutdown "
	"epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd2 poll ppoll "
	"timerfd_create timerfd_gettime timerfd_settime";

/* What only main does: SQLite's files, sockets, workers, which then enter a sandbox of their own.
 */
static const char only_main[] =
	"fchown link mkdir rmdir bind connect listen socketpair "
	"clone clone3 execve execveat fork kill pidfd_open pidfd_send_signal setpgid setsid vfork "
	"wait4 waitid capget capset seccomp";

/* The leak check at the end of a sanitizer build looks at the process from a thread of its own. */
#ifdef __SANITIZE_ADDRESS__
static const char sanitizer[] =
	"clone getdents mlock2 personality process_vm_readv ptrace sched_setaffinity wait4";
#else
static const char sanitizer[] = "";
#endif

static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static int allow(scmp_filter_ctx filter, const char *names)
{
	struct slice rest = slice_from_text(names);

	while (rest.len > 0) {
		char name[NAME_MAX_LEN];
		int number, r;

		r = text_copy(name, sizeof(name), slice_cut(&rest, ' '));
		assert(r == 0);
		number = seccomp_syscall_resolve_name(name);
		if (number < 0)
			continue;
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int allow_sockets(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		int r;

		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		                     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
		if (r < 0)
			return r;
	}
	return 0;
}

/* glibc tries the newer call first and goes on with the older one only after ENOSYS. */
static int refuse_as_unknown(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static int fill(scmp_filter_ctx filter, enum sandbox_role role)
{
	int r;

	r = allow(filter, common);
	if (r < 0)
		return r;
	r = allow(filter, sanitizer);
	if (r < 0)
		return r;
	if (role == SANDBOX_WORKER)
		return refuse_as_unknown(filter);
	r = allow(filter, only_main);
	if (r < 0)
		return r;
	return allow_sockets(filter);
}

static int filter_calls(enum sandbox_role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!filter)
		return -ENOMEM;
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1); /* only where the kernel can */
	r = fill(filter, role);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/* What main keeps where it has it: to serve an interface that goes away and comes back. */
static const unsigned kept_by_main[] = { CAP_NET_BIND_SERVICE, CAP_NET_RAW };

static int drop_capabilities(enum sandbox_role role)
{
	const capng_type_t sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	bool has[ARRAY_SIZE(kept_by_main)];

	/* without it, a program that root starts would have them all again */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (capng_get_caps_process() < 0)
		return -EPERM;
	for (size_t i = 0; i < ARRAY_SIZE(kept_by_main); i++)
		has[i] = capng_have_capability(CAPNG_EFFECTIVE, kept_by_main[i]);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; role == SANDBOX_MAIN && i < ARRAY_SIZE(kept_by_main); i++)
		if (has[i] && capng_update(CAPNG_ADD, sets, kept_by_main[i]) < 0)
			return -EPERM;
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

int sandbox_enter(enum sandbox_role role)
{
	int r;

	r = drop_capabilities(role);
	if (r < 0 || role == SANDBOX_POWER)
		return r;
	r = filter_calls(role);
	return r == -ENOMEM ? r : r < 0 ? SANDBOX_UNFILTERED : 0;
}
