/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What tools/bench puts beside an initramfs, to read the kernel's counters where it begins and
 * where it ends. The kernel starts it as PID 1 (rdinit=/bench-probe): it reads, and becomes /init.
 * systemd starts it again ("bench-probe end") just before initrd-switch-root.service's own program:
 * it reads, and turns the machine off. What it says goes to qemu's debug port, so no driver and no
 * console stands between: lines, and after the line "trace" the kernel's trace.
 *
 * With bench.trace on the kernel command line it also has the kernel write down which process ran
 * when. That costs time of its own: such a boot is for looking into, not for comparing.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEBUG_PORT 0xe9
#define TRACE_DIR  "/bench-trace" /* of our cpio; tracefs while we look at it */
#define ENDING     "end"

/* Which process ran when; what our own programs asked of the kernel. */
static const struct {
	const char *path, *value;
} trace_setup[] = {
	{ "/buffer_size_kb", "65536" },
	{ "/events/raw_syscalls/filter", "comm == \"cci-init\" || comm == \"cci-generator\"" },
	{ "/events/raw_syscalls/enable", "1" },
	{ "/events/sched/sched_switch/enable", "1" },
	{ "/events/sched/sched_process_fork/enable", "1" },
	{ "/events/sched/sched_process_exec/enable", "1" },
	{ "/events/sched/sched_process_exit/enable", "1" },
	{ "/events/module/module_load/enable", "1" },
	{ "/events/module/module_request/enable", "1" },
};

static void put(const char *data, size_t len)
{
	outsb(DEBUG_PORT, data, len);
}

/* The whole of a small file, or nothing. */
static size_t read_small(const char *path, char *room, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	room[0] = '\0';
	if (fd < 0)
		return 0;
	while (len < size - 1 && (n = read(fd, room + len, size - 1 - len)) > 0)
		len += (size_t)n;
	room[len] = '\0';
	(void)close(fd);
	return len;
}

/* One line: when, CPU time in hundredths of a second (proc_stat(5): user, nice, system), processes.
 */
static void put_counters(const char *moment)
{
	static char stat[1 << 16];
	unsigned long long user = 0, nice = 0, system = 0, processes = 0;
	struct timespec now = { 0 };
	const char *line;
	char said[160];

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	(void)read_small("/proc/stat", stat, sizeof(stat));
	(void)sscanf(stat, "cpu %llu %llu %llu", &user, &nice, &system);
	line = strstr(stat, "\nprocesses ");
	if (line)
		(void)sscanf(line, "\nprocesses %llu", &processes);
	(void)snprintf(said, sizeof(said), "%s uptime=%lld.%09ld cpu=%llu processes=%llu\n", moment,
	               (long long)now.tv_sec, now.tv_nsec, user + nice + system, processes);
	put(said, strlen(said));
}

static bool wants_trace(void)
{
	char line[4096];

	(void)read_small("/proc/cmdline", line, sizeof(line));
	return strstr(line, "bench.trace") != NULL;
}

static void write_setting(const char *path, const char *value)
{
	char full[128];
	int fd;

	(void)snprintf(full, sizeof(full), TRACE_DIR "%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		put("lacks ", 6);
		put(full, strlen(full));
		put("\n", 1);
	}
	if (fd >= 0)
		(void)close(fd);
}

static void begin_trace(void)
{
	if (mount("tracefs", TRACE_DIR, "tracefs", 0, NULL) < 0)
		return;
	for (size_t i = 0; i < sizeof(trace_setup) / sizeof(trace_setup[0]); i++)
		write_setting(trace_setup[i].path, trace_setup[i].value);
	(void)umount(TRACE_DIR);
}

static void put_file(const char *name, const char *path)
{
	static char room[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	put(name, strlen(name));
	while ((n = read(fd, room, sizeof(room))) > 0)
		put(room, (size_t)n);
	(void)close(fd);
}

static void put_trace(void)
{
	if (mount("tracefs", TRACE_DIR, "tracefs", 0, NULL) < 0)
		return;
	write_setting("/tracing_on", "0");
	put_file("trace\n", TRACE_DIR "/trace");
}

static int begin(char *argv[])
{
	(void)mkdir("/proc", 0555); /* mostly there */
	if (mount("proc", "/proc", "proc", 0, NULL) == 0) {
		put_counters("begin");
		if (wants_trace())
			begin_trace();
		(void)umount("/proc");
	}
	argv[0] = "/init";
	(void)execv(argv[0], argv);
	put("no /init\n", 9);
	return 1;
}

static int end(void)
{
	put_counters("end");
	put_file("stages\n", "/run/cci/stages");
	if (wants_trace())
		put_trace();
	sync();
	(void)reboot(RB_POWER_OFF);
	return 1;
}

int main(int argc, char *argv[])
{
	if (iopl(3) < 0)
		return 1;
	if (argc == 2 && strcmp(argv[1], ENDING) == 0)
		return end();
	return begin(argv);
}
