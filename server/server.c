/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Wiring: what is made from what, in which order, and what a signal does. No decision is made here.
 *
 * Sockets are bound before the store is opened for good, so that a second ccid fails at once and
 * touches nothing; workers start last, when there is somebody to answer them.
 */
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "lib/sys/random.h"
#include "server/config_rooms.h"
#include "server/io/dhcp_io.h"
#include "server/io/http_io.h"
#include "server/io/loop.h"
#include "server/io/netif.h"
#include "server/io/power_io.h"
#include "server/io/ra_io.h"
#include "server/io/remover.h"
#include "server/io/sandbox.h"
#include "server/io/tftp_io.h"
#include "server/io/worker.h"
#include "server/metrics.h"
#include "server/reload.h"
#include "server/service/api.h"
#include "server/service/dhcp_service.h"
#include "server/store/db.h"
#include "server/store/db_backup.h"

#define N_SIGNALS 3

struct server {
	const struct config *config;
	const char *config_path;
	struct config_rooms rooms;
	int lock_fd; /* held as long as this ccid owns the state directory */
	struct event_base *base;
	struct event *signals[N_SIGNALS];
	bool is_stopping;
	struct db *db;
	struct services *services;
	struct reload_dhcp dhcp_config;
	struct dhcp_service *dhcp;
	struct file_service *tftp_files;
	struct http_listeners listen_api, listen_files, listen_upload;
	struct dhcp_io *dhcp_io;
	struct ra_io *ra_io;
	struct http_io *http_io;
	struct worker_pool *workers;
	struct tftp_io *tftp_io;
	struct remover *remover;
	struct power_io *power_io; /* NULL: no host has power */
};

DEFINE_FREEP(struct server, server_free);

/* Fills error[] and returns SERVER_REFUSED. */
PRINTF_LIKE(2, 3) static int refuse(char error[SERVER_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, SERVER_ERROR_MAX, format, args);
	va_end(args);
	return SERVER_REFUSED;
}

static const char *words(int r)
{
	return strerror(-r); /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* Every file, connection and timer wants a number; the soft limit of 1024 is for other programs. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("cannot raise the limit of open files: %s", words(-errno));
}

static int make_directory(const char *path, const char *key, char error[SERVER_ERROR_MAX])
{
	int r = file_make_path(path, 0755);

	if (r < 0)
		return refuse(error, "%s %s: cannot be made: %s", key, path, words(r));
	return 0;
}

/* One ccid a state directory: two would each give out the same addresses and jobs. */
static int lock_state(struct server *s, char error[SERVER_ERROR_MAX])
{
	CLEANUP(freep) char *path = text_format("%s/lock", s->config->state);
	int r = make_directory(s->config->state, "state", error);

	if (r != 0)
		return r;
	if (!path)
		return -ENOMEM;
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return refuse(error, "%s: %s", path, words(-errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(error, "state %s: another ccid works here; end it first",
		              s->config->state);
	return make_directory(s->config->results, "results", error);
}

/* The addresses of the configured interfaces, and loopback. */
static int collect_addresses(const struct server *s, uint32_t *addresses, size_t max, size_t *ret_n,
                             char error[SERVER_ERROR_MAX])
{
	size_t n = 0;

	addresses[n++] = UINT32_C(0x7f000001);
	for (size_t i = 0; i < s->config->n_interfaces; i++) {
		struct netif netif;
		int r = netif_get(s->config->interfaces[i], &netif);

		if (r < 0)
			return refuse(error, "listen.interfaces: %s: %s", s->config->interfaces[i],
			              words(r));
		for (size_t a = 0; a < netif.n_addresses && n < max; a++)
			addresses[n++] = netif.addresses[a];
	}
	*ret_n = n;
	return 0;
}

static int open_ports(struct server *s, char error[SERVER_ERROR_MAX])
{
	const struct {
		const struct config_ports *ports;
		struct http_listeners *listeners;
	} kinds[] = {
		{ &s->config->api, &s->listen_api },
		{ &s->config->files, &s->listen_files },
		{ &s->config->upload, &s->listen_upload },
	};
	uint32_t addresses[1 + CONFIG_INTERFACES_MAX * NETIF_ADDRESSES_MAX];
	char place[HTTP_LISTEN_PLACE_MAX] = "";
	size_t n = 0;
	int r = collect_addresses(s, addresses, ARRAY_SIZE(addresses), &n, error);

	if (r != 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		r = http_listeners_open(addresses, n, kinds[i].ports->port, kinds[i].ports->n,
		                        kinds[i].listeners, place);
		if (r < 0)
			return refuse(error, "cannot listen on %s: %s", place, words(r));
	}
	return 0;
}

/* Says what to do about a database that cannot be used. */
static int refuse_store(const char *path, int r, char error[SERVER_ERROR_MAX])
{
	CLEANUP(freep) char *backup = NULL;

	if (r == -EPROTONOSUPPORT)
		return refuse(
			error,
			"%s: from a newer ccid, and left as it is; start that ccid, or restore "
			"a backup of this one's",
			path);
	if (r != -EUCLEAN)
		return refuse(error, "%s: %s", path, words(r));
	backup = db_backup_last(path);
	return refuse(error, "%s: damaged; %s with: rm -f %s-wal %s-shm && cp %s %s", path,
	              backup ? "restore the last backup" : "no backup is known here; restore one",
	              path, path, backup ? backup : "BACKUP", path);
}

static int open_store(struct server *s, char error[SERVER_ERROR_MAX])
{
	CLEANUP(freep) char *path = text_format("%s/ccid.sqlite", s->config->state);
	struct services_config config;
	uint64_t seed;
	int r;

	if (!path)
		return -ENOMEM;
	r = random_bytes(&seed, sizeof(seed));
	if (r < 0)
		return r;
	r = db_open(path, &s->db);
	if (r < 0)
		return refuse_store(path, r, error);
	config_to_services(s->config, &s->rooms, seed, &config);
	r = services_new(s->db, &config, clock_now(), clock_wall(), &s->services, error);
	return r == -EUCLEAN ? refuse_store(path, r, error) : r;
}

static int start_dhcp(struct server *s, char error[SERVER_ERROR_MAX])
{
	const struct dhcp_io_config io = { s->rooms.interfaces, s->config->n_interfaces };
	const struct ra_io_config ra = { s->rooms.interfaces, s->config->n_interfaces };
	uint64_t seed;
	int r;

	if (s->config->dhcp.mode == DHCP_MODE_OFF)
		return 0;
	r = reload_dhcp_make(s->config, s->db, &s->dhcp_config, error);
	if (r != 0)
		return r;
	r = random_bytes(&seed, sizeof(seed));
	if (r == 0)
		r = dhcp_service_new(s->dhcp_config.config, s->db, seed, clock_now(), clock_wall(),
		                     &s->dhcp);
	if (r < 0)
		return r;
	r = dhcp_io_new(s->base, s->dhcp, &io, &s->dhcp_io);
	if (r < 0)
		return refuse(error, "DHCP cannot be served: %s", words(r));
	if (!config_wants_ra(s->config))
		return 0;
	r = ra_io_new(s->base, &ra, &s->ra_io);
	return r < 0 ? refuse(error, "router advertisements cannot be sent: %s", words(r)) : 0;
}

static struct http_route make_route(const struct config *config)
{
	struct http_route route = {
		.n_roots = config->n_roots,
		.api_port = config->api.port[0],
		.os_port = config->files.port[0],
		.files_port = config->files.port[config->files.n - 1],
		.upload_port = config->upload.port[0],
	};

	static_assert(CONFIG_ROOTS_MAX <= HTTP_ROUTE_ROOTS_MAX, "every root has a route");
	for (size_t i = 0; i < config->n_roots; i++)
		(void)snprintf(route.roots[i], sizeof(route.roots[i]), "%s",
		               config->roots[i].prefix);
	return route;
}

static int start_http(struct server *s)
{
	const struct http_io_config http = { .listeners = &s->listen_api,
		                             .route = make_route(s->config) };
	struct worker_pool_config pool = {
		.n_workers = s->config->workers,
		.files = &s->listen_files,
		.upload = &s->listen_upload,
		.route = http.route,
		.results = s->config->results,
		.is_debug = log_wants(LOG_LEVEL_DEBUG),
	};
	int r = http_io_new(s->base, services_api(s->services), &http, &s->http_io);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s->config->n_roots; i++)
		pool.directories[i] = s->config->roots[i].directory;
	return worker_pool_new(s->base, &pool, services_results(s->services),
	                       services_transfers(s->services), s->http_io, &s->workers);
}

static int start_tftp(struct server *s, char error[SERVER_ERROR_MAX])
{
	const struct tftp_io_config tftp = { .interfaces = s->rooms.interfaces,
		                             .n_interfaces = s->config->n_interfaces };
	int r = file_service_new(&s->rooms.tftp_root, 1, &s->tftp_files);

	if (r < 0)
		return r;
	r = tftp_io_new(s->base, &tftp, s->tftp_files, services_transfers(s->services),
	                services_boot(s->services), worker_pool_loader(s->workers), &s->tftp_io);
	return r < 0 ? refuse(error, "TFTP cannot be served: %s", words(r)) : 0;
}

static int start_power(struct server *s)
{
	if (s->config->n_power == 0)
		return 0;
	return power_io_new(s->base, services_power(s->services), &s->power_io);
}

static void reload(struct server *s)
{
	char error[SERVER_ERROR_MAX];
	int r = reload_all(s->config, s->config_path, s->db, s->services, s->dhcp, &s->dhcp_config,
	                   error);

	if (r > 0)
		log_error("not reloaded, everything stays as it was: %s", error);
	else if (r < 0)
		log_error("not reloaded, everything stays as it was: %s", words(r));
	else
		log_info("reloaded %s and the host files", s->config_path);
}

static void on_signal(int number, short what, void *userdata)
{
	struct server *s = userdata;

	(void)what;
	if (number == SIGHUP) {
		reload(s);
		return;
	}
	log_info("ending on signal %d", number);
	s->is_stopping = true;
}

static int watch_signals(struct server *s)
{
	static const int numbers[N_SIGNALS] = { SIGTERM, SIGINT, SIGHUP };

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	for (size_t i = 0; i < N_SIGNALS; i++) {
		s->signals[i] = loop_watch_signal(s->base, numbers[i], on_signal, s);
		if (!s->signals[i])
			return -ENOMEM;
	}
	return 0;
}

static void append_metrics(void *userdata, struct buffer *out)
{
	const struct server *s = userdata;
	const struct metrics metrics = {
		.dhcp_io = s->dhcp_io,
		.dhcp = s->dhcp,
		.http_io = s->http_io,
		.tftp_io = s->tftp_io,
		.tftp_files = s->tftp_files,
		.workers = s->workers,
	};

	metrics_append(&metrics, out);
}

static int start(struct server *s, char error[SERVER_ERROR_MAX])
{
	int r = lock_state(s, error);

	if (r == 0)
		r = open_ports(s, error);
	if (r == 0)
		r = open_store(s, error);
	if (r == 0)
		r = watch_signals(s);
	if (r == 0)
		r = start_dhcp(s, error);
	if (r == 0)
		r = start_http(s);
	if (r == 0)
		r = start_tftp(s, error);
	if (r == 0)
		r = remover_new(s->base, services_retention(s->services), s->workers, &s->remover);
	if (r == 0)
		r = start_power(s);
	if (r == 0)
		services_set_metrics(s->services, append_metrics, s);
	return r;
}

int server_new(const struct config *config, const char *config_path, struct server **ret,
               char error[SERVER_ERROR_MAX])
{
	CLEANUP(server_freep) struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->lock_fd = -1;
	s->config = config;
	s->config_path = config_path;
	config_rooms_init(&s->rooms, config);
	raise_file_limit();
	s->base = loop_new();
	if (!s->base)
		return -ENOMEM;
	r = start(s, error);
	if (r != 0)
		return r;
	*ret = steal_ptr(&s);
	return 0;
}

/* Every socket is bound and every worker started: what is left needs no privilege. */
static int confine(void)
{
	int r = sandbox_enter(SANDBOX_MAIN);

	if (r == SANDBOX_UNFILTERED)
		log_warning("this kernel takes no filter of system calls; going on without");
	return MIN(r, 0);
}

int server_run(struct server *s)
{
	struct api *api = services_api(s->services);
	uint64_t seen = api_generation(api);
	int r;

	r = confine();
	if (r < 0)
		return r;
	log_info("serving lab=%s interfaces=%zu workers=%u", s->config->lab,
	         s->config->n_interfaces, s->config->workers);
	(void)sd_notify(0, "READY=1"); /* nobody to tell when not under systemd */
	while (!s->is_stopping) {
		r = loop_turn(s->base);
		if (r < 0)
			return r;
		if (api_generation(api) == seen)
			continue;
		seen = api_generation(api);
		http_io_poke(s->http_io);
		power_io_poke(s->power_io);
	}
	(void)sd_notify(0, "STOPPING=1");
	return 0;
}

struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	remover_free(s->remover);
	power_io_free(s->power_io);
	tftp_io_free(s->tftp_io);
	worker_pool_free(s->workers);
	http_io_free(s->http_io);
	ra_io_free(s->ra_io);
	dhcp_io_free(s->dhcp_io);
	dhcp_service_free(s->dhcp);
	reload_dhcp_free(&s->dhcp_config);
	file_service_free(s->tftp_files);
	services_free(s->services);
	db_close(s->db);
	http_listeners_close(&s->listen_api);
	http_listeners_close(&s->listen_files);
	http_listeners_close(&s->listen_upload);
	for (size_t i = 0; i < N_SIGNALS; i++)
		loop_unwatch(s->signals[i]);
	loop_free(s->base);
	fd_close(&s->lock_fd);
	free(s);
	return NULL;
}
