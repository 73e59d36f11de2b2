/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/net_mount.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "initramfs/handover.h"
#include "initramfs/kmsg.h"
#include "initramfs/mount_tree.h"
#include "initramfs/net_root.h"
#include "initramfs/nfs_client.h"
#include "initramfs/tcp.h"
#include "initramfs/tell.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define PATIENCE      (5 * USEC_PER_SEC)
#define BACKOFF_FIRST (250 * USEC_PER_MSEC)
#define BACKOFF_MAX   (8 * USEC_PER_SEC)

/* How one try ended, besides 0 and -ECANCELED: to be repeated, or made with an older version. */
enum { MOUNT_LATER = 1, MOUNT_OLDER = 2 };

struct net_job {
	const struct plan *plan;
	const char *target;
	bool read_only;
	char server[256];                   /* as in the source */
	char address[NET_ROOT_ADDRESS_MAX]; /* that answers */
	char last[MOUNT_ERROR_MAX + 256];   /* why the last try failed */
	char first[MOUNT_ERROR_MAX +
	           256]; /* what the newest version of NFS said; "": nothing yet */
};

/* Who serves: as the line says, or the lease. Returns 0 or -ECANCELED. */
static int find_server(struct net_job *job)
{
	(void)snprintf(job->server, sizeof(job->server), "%s", job->plan->net_server);
	if (job->server[0] || handover_find_server(job->server, sizeof(job->server)))
		return 0;
	return tell_failure(CAUSE_NETWORK, "%s names no server, and neither does the lease",
	                    job->plan->source);
}

/* The first address of the server that takes a connection. Returns 0 or MOUNT_LATER. */
static int find_address(struct net_job *job)
{
	CLEANUP(tcp_free_addresses) struct addrinfo *list = NULL;
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct slice name = slice_from_text(job->server);
	char host[256], port[8];
	int r;

	if (name.len > 2 && name.data[0] == '[')
		name = slice_sub(name, 1, name.len - 2);
	(void)text_copy(host, sizeof(host), name); /* no longer than where it comes from */
	(void)snprintf(port, sizeof(port), "%u", net_root_port(job->plan));
	r = getaddrinfo(host, port, &hints, &list);
	if (r != 0) {
		(void)snprintf(job->last, sizeof(job->last), "the name %.200s has no address: %s",
		               host, gai_strerror(r));
		return MOUNT_LATER;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		CLEANUP(fd_closep) int fd = tcp_connect(a, usec_min(PATIENCE, job->plan->timeout));

		if (fd >= 0 && getnameinfo(a->ai_addr, a->ai_addrlen, job->address,
		                           sizeof(job->address), NULL, 0, NI_NUMERICHOST) == 0)
			return 0;
		(void)snprintf(job->last, sizeof(job->last), "nobody at port %s of %.200s: %s",
		               port, host, strerror(fd < 0 ? -fd : EADDRNOTAVAIL));
	}
	return MOUNT_LATER;
}

static bool may_pass(int error)
{
	static const int errors[] = {
		ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN,
		ENETUNREACH,  ENETDOWN,   EAGAIN,    EPIPE,        ENOTCONN,
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (error == errors[i])
			return true;
	return false;
}

/* Whether an older version of NFS may do what this one would not. */
static bool is_of_version(int error)
{
	return error == EPROTONOSUPPORT || error == EINVAL || error == ENOENT || error == EPERM ||
	       error == EIO;
}

static int tell_no_module(const struct net_job *job)
{
	return tell_failure(CAUSE_MOUNT,
	                    "this kernel has no %s here: build the initramfs with "
	                    "cci_net_roots=yes, or bring the modules in a cgz",
	                    plan_kind_to_name((int)job->plan->kind));
}

/* One call of the kernel's. Returns 0, MOUNT_LATER, MOUNT_OLDER or -ECANCELED. */
static int mount_version(struct net_job *job, const char *version, bool is_last)
{
	const struct net_root_facts facts = {
		.server = job->server,
		.address = job->address,
		.version = version,
		.read_only = job->read_only,
	};
	struct mount_request request = { .target = job->target };
	char error[MOUNT_ERROR_MAX], words[160];
	struct net_root root;
	const char *why;
	int r;

	why = net_root_compose(job->plan, &facts, &root);
	if (why)
		return tell_failure(CAUSE_REFUSED, "%s: %s", job->plan->source, why);
	request.type = root.type;
	request.source = root.source;
	request.read_only = root.read_only;
	request.nosuid = root.nosuid;
	request.nodev = root.nodev;
	request.noatime = root.noatime;
	for (size_t i = 0; i < root.n_options; i++)
		request.options[i] =
			(struct mount_option){ root.options[i].key, root.options[i].value };
	r = mount_make(&request, error);
	if (r == 0) {
		tell_debug("%s (%s%s%s, %s) is on %s", root.source, root.type, version ? " " : "",
		           version ? version : "", root.address, job->target);
		return 0;
	}
	if (r == -ENODEV)
		return tell_no_module(job);
	/* then what an SMB server said, "0xc000006d NT_STATUS_LOGON_FAILURE"; as its own error that
	   client gives advice on versions */
	kmsg_find("CIFS: Status code returned ", words, sizeof(words));
	(void)snprintf(job->last, sizeof(job->last), "%s%s%s%s%s%s", version ? "version " : "",
	               version ? version : "", version ? ": " : "", words[0] ? strerror(-r) : error,
	               words[0] ? "; " : "", words);
	if (may_pass(-r))
		return MOUNT_LATER;
	if (version && !is_last && is_of_version(-r)) {
		tell_debug("%s: %s", root.source, job->last);
		if (!job->first[0])
			memcpy(job->first, job->last, sizeof(job->first));
		return MOUNT_OLDER;
	}
	return tell_failure(CAUSE_MOUNT, "cannot mount %s: %s%s%s", root.source, job->first,
	                    job->first[0] ? "; " : "", job->last);
}

/* major * 1000 + minor; 0 when it cannot be known. */
static unsigned kernel_version(void)
{
	struct utsname name;
	unsigned major, minor;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return major * 1000 + minor % 1000;
}

static int try_once(struct net_job *job)
{
	const char *versions[NET_ROOT_VERSIONS_MAX];
	int r;

	r = find_address(job);
	if (r != 0)
		return r;
	net_root_versions(job->plan, kernel_version(), versions);
	if (!versions[0])
		return mount_version(job, NULL, true);
	r = MOUNT_OLDER;
	for (size_t i = 0; versions[i] && r == MOUNT_OLDER; i++)
		r = mount_version(job, versions[i], !versions[i + 1]);
	return r;
}

static void pause_for(usec_t pause)
{
	const struct timespec time = {
		.tv_sec = (time_t)(pause / USEC_PER_SEC),
		.tv_nsec = (long)(pause % USEC_PER_SEC * 1000),
	};

	(void)nanosleep(&time, NULL); /* woken early: tried early */
}

int net_mount(const struct plan *plan, const char *target, bool read_only)
{
	struct net_job job = { .plan = plan, .target = target, .read_only = read_only };
	usec_t pause = BACKOFF_FIRST, end = usec_add(clock_now(), plan->timeout);
	int r;

	r = file_make_path(target, 0755);
	if (r < 0)
		return tell_failure(CAUSE_MOUNT, "cannot make %s: %s", target, strerror(-r));
	if (plan->kind == PLAN_NFS)
		nfs_client_name();
	handover_resolver();
	r = find_server(&job);
	if (r < 0)
		return r;
	for (unsigned n = 0;; n++) {
		r = try_once(&job);
		if (r <= 0)
			return r;
		tell("%s: %s", plan->source, job.last);
		if (n >= plan->retry && clock_now() >= end)
			return tell_failure(
				CAUSE_NETWORK, "cannot reach %s within %llu s: %s", plan->source,
				(unsigned long long)(plan->timeout / USEC_PER_SEC), job.last);
		pause_for(usec_min(pause, plan->timeout));
		pause = usec_min(2 * pause, BACKOFF_MAX);
	}
}
