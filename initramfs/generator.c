/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * cci-generator, as systemd calls it (systemd.generator(7)): NORMAL EARLY LATE. Reads the kernel
 * command line, decides, writes /run/cci/plan and the units into EARLY, where they come before what
 * systemd's own generators make of root=. When the boot is not for us it writes nothing at all.
 *
 * It runs while PID 1 waits, before there is a journal, and a second time when systemd reloads for
 * the new root's fstab: so it needs nothing but the C library, starts no process, and writes the
 * same again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/initrds.h"
#include "initramfs/paths.h"
#include "initramfs/plan.h"
#include "initramfs/plan_file.h"
#include "initramfs/units.h"
#include "lib/base/macro.h"

/* One more than any line that plan.h accepts, so that a longer one is seen. */
#define LINE_ROOM 4352

/* Levels of the kernel's log (syslog(2)). */
#define KMSG_ERROR 3
#define KMSG_INFO  6

/* Tests put a directory here; "" is the real thing. */
static const char *root_prefix = "";

/* The path below the prefix, in a buffer that the next call uses again. */
static const char *at(const char *path)
{
	static char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", root_prefix, path);
	return full;
}

/* One line of the kernel's log: PID 1 has no journal yet. Without it, standard error. */
static void say(int level, const char *format, ...) PRINTF_LIKE(2, 3);

static void say(int level, const char *format, ...)
{
	char line[900];
	int fd = open(at("/dev/kmsg"), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_APPEND);
	int len = snprintf(line, sizeof(line), "<%d>cci-generator: ", level);
	va_list args;

	va_start(args, format);
	len += vsnprintf(line + len, sizeof(line) - (size_t)len - 1, format, args);
	va_end(args);
	if ((size_t)len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	/* nobody is left to be told if this fails */
	if (fd < 0) {
		(void)!write(STDERR_FILENO, line + 3, (size_t)len - 3);
		return;
	}
	(void)!write(fd, line, (size_t)len);
	(void)close(fd);
}

/* systemd says it since 251; before that the file is the only sign (and its own test as well). */
static bool is_initrd(void)
{
	const char *said = getenv("SYSTEMD_IN_INITRD");

	if (said && *said)
		return strcmp(said, "1") == 0 || strcmp(said, "yes") == 0 ||
		       strcmp(said, "true") == 0 || strcmp(said, "on") == 0;
	return access(at(CCI_INITRD_RELEASE), F_OK) == 0;
}

/* Reads the command line into room. Returns its length, or -errno. */
static ssize_t read_cmdline(char *room, size_t size)
{
	const char *given = getenv("SYSTEMD_PROC_CMDLINE");
	size_t len = 0;
	ssize_t n;
	int fd;

	if (given) {
		len = strnlen(given, size);
		memcpy(room, given, len);
		return (ssize_t)len;
	}
	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, room + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	n = n < 0 ? -errno : (ssize_t)len;
	(void)close(fd);
	return n;
}

/* Writes the whole file, over an older one. Returns 0 or -errno. */
static int write_file(int dir_fd, const char *path, mode_t mode, struct slice text)
{
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return -errno;
	while (text.len > 0) {
		n = write(fd, text.data, text.len);
		if (n >= 0) {
			(void)slice_take(&text, (size_t)n);
		} else if (errno != EINTR) {
			r = -errno;
			break;
		}
	}
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int make_link(int dir_fd, const char *path, struct slice target)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%.*s", (int)target.len, (const char *)target.data);
	if (symlinkat(text, dir_fd, path) == 0)
		return 0;
	if (errno != EEXIST || unlinkat(dir_fd, path, 0) < 0)
		return -errno;
	return symlinkat(text, dir_fd, path) == 0 ? 0 : -errno;
}

/* One unit, and the directory in its name if there is one. */
static int write_unit(int dir_fd, const struct units *units, const struct unit *unit)
{
	const char *slash = strchr(unit->name, '/');
	char directory[UNITS_NAME_MAX];

	if (slash) {
		(void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - unit->name),
		               unit->name);
		if (mkdirat(dir_fd, directory, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	if (unit->is_link)
		return make_link(dir_fd, unit->name, units_text(units, unit));
	return write_file(dir_fd, unit->name, 0644, units_text(units, unit));
}

static int write_units(const char *directory, const struct units *units)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0) {
		r = -errno;
		say(KMSG_ERROR, "%s: %s", directory, strerror(-r));
		return r;
	}
	for (size_t i = 0; i < units->n_units && r == 0; i++) {
		r = write_unit(fd, units, &units->units[i]);
		if (r < 0)
			say(KMSG_ERROR, "%s/%s: %s", directory, units->units[i].name, strerror(-r));
	}
	(void)close(fd);
	return r;
}

static int write_plan(const struct plan *plan)
{
	static uint8_t room[PLAN_FILE_MAX];
	struct bytes text = BYTES_ON(room);
	int r;

	plan_write(plan, &text);
	assert(!text.overflow);
	(void)mkdir(at("/run"), 0755); /* there already, but in tests */
	if (mkdir(at(CCI_RUN_DIR), 0755) < 0 && errno != EEXIST)
		r = -errno;
	else
		/* it may hold a password */
		r = write_file(AT_FDCWD, at(CCI_PLAN_FILE), 0600, bytes_slice(&text));
	if (r < 0) {
		say(KMSG_ERROR, CCI_PLAN_FILE ": %s", strerror(-r));
		(void)unlink(at(CCI_PLAN_FILE)); /* half a plan is none */
	}
	return r;
}

static enum initrd_state look_for(const struct initrd *initrd)
{
	for (size_t i = 0; i < INITRD_WITNESSES && initrd->witness[i][0]; i++)
		if (access(at(initrd->witness[i]), F_OK) == 0)
			return INITRD_HERE;
	return initrd->witness[0][0] ? INITRD_MISSING : INITRD_UNKNOWN;
}

/* Accounts for every archive that the line names. Returns whether it lacks its job. */
static bool account(struct slice line)
{
	static uint8_t room[LINE_ROOM * 4]; /* a name may be escaped */
	struct bytes text = BYTES_ON(room);
	bool lacks_job = false;
	struct initrd initrd;

	while (initrds_next(&line, &initrd)) {
		enum initrd_state state = look_for(&initrd);

		if (state == INITRD_MISSING)
			say(KMSG_ERROR, "initrd=%.*s did not arrive", (int)initrd.name.len,
			    (const char *)initrd.name.data);
		lacks_job |= state == INITRD_MISSING && initrd.is_job;
		initrds_append(&text, &initrd, state);
	}
	(void)mkdir(at("/run"), 0755); /* there already, but in tests */
	(void)mkdir(at(CCI_RUN_DIR), 0755);
	if (text.len > 0) /* a report without it says less, that is all */
		(void)write_file(AT_FDCWD, at(CCI_INITRDS_FILE), 0644, bytes_slice(&text));
	return lacks_job;
}

static struct plan_facts gather_facts(void)
{
	return (struct plan_facts){
		.networkd = access(at(CCI_NETWORKD_UNIT), F_OK) == 0,
		.shell = access(at(CCI_EMERGENCY_UNIT), F_OK) == 0,
		.https = access(at(CCI_HTTPS_PROGRAM), F_OK) == 0,
	};
}

static void say_plan(const struct plan *plan)
{
	if (plan->refused[0] != '\0')
		say(KMSG_ERROR, "refused: %s; the boot will be reported and end with %s",
		    plan->refused, plan_onfail_to_name(plan->onfail));
	else
		say(KMSG_INFO, "%s root %s%s", plan_kind_to_name(plan->kind), plan->source,
		    plan->overlay ? " below an overlay" : "");
	if (plan->onfail == BOOT_ONFAIL_SHELL && !plan->has_shell)
		say(KMSG_ERROR, "cci.onfail=shell: this initramfs has no emergency shell; a failed "
		                "boot will reboot");
}

static int generate(const char *directory, struct slice line)
{
	static struct units units;
	struct plan_facts facts = gather_facts();
	struct plan plan;
	int r = plan_from_cmdline(line, &facts, &plan);

	if (r != PLAN_NOT_OURS) {
		facts.lacks_job = account(line);
		r = plan_from_cmdline(line, &facts, &plan);
	}

	if (r == PLAN_NOT_OURS) {
		if (plan_is_stray_initrd(line))
			say(KMSG_ERROR, "rdinit= without root=, yet " CCI_INITRD_RELEASE
			                " is here: systemd waits for a root that nobody mounts. "
			                "Remove that file from the cgz that brought it");
		return 0;
	}
	say_plan(&plan);
	units_make(&plan, &units);
	r = write_units(directory, &units);
	if (r < 0)
		return r;
	/* last: without it cci-guard.service ends the boot */
	return write_plan(&plan);
}

int main(int argc, char *argv[])
{
	const char *prefix = getenv("CCI_GENERATOR_ROOT");
	char line[LINE_ROOM];
	ssize_t len;

	if (prefix)
		root_prefix = prefix;
	if (argc != 4) {
		fprintf(stderr, "usage: cci-generator NORMAL-DIR EARLY-DIR LATE-DIR\n"
		                "systemd calls it in an initramfs; see cci-generator(8)\n");
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 1;
	}
	if (!is_initrd())
		return 0;
	len = read_cmdline(line, sizeof(line));
	if (len < 0) {
		say(KMSG_ERROR, "/proc/cmdline: %s", strerror((int)-len));
		return 1;
	}
	return generate(argv[2], slice_make(line, (size_t)len)) < 0 ? 1 : 0;
}
