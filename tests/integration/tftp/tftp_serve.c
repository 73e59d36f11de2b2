/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * ccid's TFTP side alone, for test_tftp.py: serves ROOT on INTERFACE, writes each transfer that is
 * reported as a line on stdout, and the counters when SIGTERM ends it.
 *
 *   tftp_serve INTERFACE ROOT [SESSIONS [CACHE]]
 */
#include <event2/event.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/format/netaddr.h"
#include "lib/sys/log_sink.h"
#include "server/io/file_loader.h"
#include "server/io/loop.h"
#include "server/io/tftp_io.h"
#include "server/service/boot_service.h"
#include "server/service/file_service.h"
#include "server/service/transfer_service.h"

/* Stand-ins for the services that want a database. */
int boot_service_first_script(struct boot_service *boot, uint32_t peer, uint32_t local, usec_t now,
                              usec_t wall, struct buffer *out)
{
	char a[IPV4_TEXT_MAX], b[IPV4_TEXT_MAX];

	buffer_printf(out, "#!ipxe\n# peer %s local %s\n", ipv4_format(peer, a),
	              ipv4_format(local, b));
	return buffer_error(out);
}

int boot_service_grub_cfg(struct boot_service *boot, uint32_t peer, uint32_t local,
                          struct buffer *out)
{
	char a[IPV4_TEXT_MAX];

	buffer_printf(out, "# grub of %s\n", ipv4_format(peer, a));
	return buffer_error(out);
}

int transfer_service_report(struct transfer_service *transfers, const struct transfer *t,
                            usec_t now, usec_t wall)
{
	char peer[IPV4_TEXT_MAX];

	printf("%s %s %.*s %" PRId64 " %" PRId64 " %s\n",
	       t->phase == TRANSFER_START ? "start" : "done", ipv4_format(t->peer, peer),
	       (int)t->path.len, (const char *)t->path.data, t->bytes, t->size,
	       t->is_aborted ? "aborted" : "well");
	(void)fflush(stdout);
	return 0;
}

static void on_signal(evutil_socket_t fd, short what, void *userdata)
{
	(void)event_base_loopbreak(userdata);
}

static void print_counters(struct tftp_io *io, struct file_service *files)
{
	const struct tftp_io_counters *c = tftp_io_get_counters(io);
	const struct file_service_counters *f = file_service_get_counters(files);

	printf("counters malformed=%" PRIu64 " requests=%" PRIu64 " refused=%" PRIu64
	       " repeated=%" PRIu64 " busy=%" PRIu64 " finished=%" PRIu64 " aborted=%" PRIu64
	       " timed_out=%" PRIu64 " failed=%" PRIu64 " sessions=%u bad_path=%" PRIu64
	       " outside=%" PRIu64 " not_regular=%" PRIu64 " absent=%" PRIu64 "\n",
	       c->n_malformed, c->n_requests, c->n_refused, c->n_repeated, c->n_busy, c->n_finished,
	       c->n_aborted, c->n_timed_out, c->n_failed, c->n_sessions, f->n[FILE_BAD_PATH],
	       f->n[FILE_OUTSIDE], f->n[FILE_NOT_REGULAR], f->n[FILE_ABSENT]);
}

int main(int argc, char *argv[])
{
	struct event_base *base = loop_new();
	const char *interface = argc > 2 ? argv[1] : NULL;
	const struct file_service_root root = { NULL, argc > 2 ? argv[2] : NULL };
	const struct tftp_io_config config = {
		.interfaces = &interface,
		.n_interfaces = 1,
		.sessions_max = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0,
		.cache_max = argc > 4 ? strtoull(argv[4], NULL, 10) : 0,
	};
	struct file_service *files = NULL;
	struct tftp_io *io = NULL;
	struct event *term;
	char nobody; /* the address of a service that is never looked into */
	int r;

	if (argc < 3 || !base) {
		(void)fprintf(stderr, "usage: tftp_serve INTERFACE ROOT [SESSIONS [CACHE]]\n");
		return 2;
	}
	log_set_sink(log_sink_stderr, LOG_LEVEL_DEBUG);
	r = file_service_new(&root, 1, &files);
	if (r == 0)
		r = tftp_io_new(base, &config, files, (struct transfer_service *)(void *)&nobody,
		                (struct boot_service *)(void *)&nobody, file_loader_inline(), &io);
	if (r < 0) {
		(void)fprintf(stderr, "tftp_serve: %s\n", strerror(-r));
		return 1;
	}
	term = evsignal_new(base, SIGTERM, on_signal, base);
	(void)event_add(term, NULL);
	printf("ready\n");
	(void)fflush(stdout);
	(void)event_base_dispatch(base);
	print_counters(io, files);
	(void)tftp_io_free(io);
	(void)file_service_free(files);
	event_free(term);
	event_base_free(base);
	return 0;
}
