/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The scheduler's services, made together over one database: the API, boot requests, results,
 * transfers, hosts. main builds them once and hands each to the io room.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/usec.h"
#include "lib/format/netaddr.h"
#include "server/core/boot_script.h"
#include "server/core/power_command.h"
#include "server/core/retention.h"

struct db;
struct services;
struct api;
struct boot_service;
struct result_service;
struct transfer_service;
struct host_service;
struct retention_service;
struct power_service;

/* One entry of ccid.yaml's `files:`. */
struct services_root {
	const char *url;  /* "/os": one component, no slash at the end */
	const char *path; /* "/srv/os": absolute */
};

/* All texts and arrays are borrowed until services_free. */
struct services_config {
	const char *lab;       /* prefix of job ids and of hosts registered by themselves */
	const char *results;   /* absolute directory; its URL path is /result */
	unsigned results_free; /* percent of its file system that no result may take */
	struct retention_rules retention;
	const char *state;     /* absolute directory, for files of the server's own */
	const char *hosts_dir; /* hosts.d; NULL: none */
	const struct services_root *roots;
	size_t n_roots;
	uint32_t boot_server; /* address URLs name; 0: the address a request came to */
	uint16_t api_port;    /* first of listen.api */
	uint16_t os_port;     /* first of listen.files: /os */
	uint16_t files_port;  /* last of listen.files: the other roots, /result */
	uint16_t upload_port; /* first of listen.upload */
	usec_t hold;          /* boot.hold */
	struct boot_exports exports;
	const struct ipv4_net *open_to; /* api.open_to: who may submit, cancel, administer */
	size_t n_open_to;
	const char *health; /* file of the job that shows whether a host is in order; NULL: none */
	const char *tokens; /* api.tokens: file of tokens for everybody else; NULL: none */
	const struct power_method *power; /* how hosts are switched on and off */
	size_t n_power;
	uint64_t seed; /* of names that must not repeat and of jitter; any unpredictable number */
};

#define SERVICES_ERROR_MAX 512

enum {
	SERVICES_REFUSED = 1, /* something a person configured is wrong; the error text says what */
};

/*
 * Makes the services over an open database (borrowed), reads hosts_dir, and takes up what an
 * earlier ccid left: open attempts go on, with deadlines armed anew.
 * now and wall are the two clocks of this moment.
 * Returns 0; SERVICES_REFUSED with error[] filled; or -errno.
 */
int services_new(struct db *db, const struct services_config *config, usec_t now, usec_t wall,
                 struct services **ret, char error[SERVICES_ERROR_MAX]);

void services_free(struct services *services);

/* Borrowed; live as long as the services. */
struct api *services_api(struct services *services);
struct boot_service *services_boot(struct services *services);
struct result_service *services_results(struct services *services);
struct transfer_service *services_transfers(struct services *services);
struct host_service *services_hosts(struct services *services);
struct retention_service *services_retention(struct services *services);
struct power_service *services_power(struct services *services);

/*
 * What other rooms have counted, for GET /metrics: `append` writes lines of Prometheus' text format
 * behind those of the services. userdata must live as long as the services.
 */
typedef void (*services_metrics_fn)(void *userdata, struct buffer *out);
void services_set_metrics(struct services *services, services_metrics_fn append, void *userdata);

/* Reads hosts_dir and the tokens again, all or nothing. Outcomes as services_new. */
int services_reload(struct services *services, usec_t now, usec_t wall,
                    char error[SERVICES_ERROR_MAX]);

/*
 * Reads the host files of a directory without a database, for ccid --check.
 * Returns 0; SERVICES_REFUSED with error[] filled; or -errno.
 */
int services_check_hosts(const char *hosts_dir, char error[SERVICES_ERROR_MAX]);

/* The same for the file of tokens. */
int services_check_tokens(const char *path, char error[SERVICES_ERROR_MAX]);
