/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Hosts as people and files define them, and as machines make themselves known. Everything here
 * runs inside the caller's transaction.
 */
#pragma once

#include <jansson.h>

#include "server/core/host.h"
#include "server/service/context.h"

struct host_files;

enum {
	HOST_SERVICE_ABSENT = 1,
	HOST_SERVICE_READ_ONLY = 2, /* a file of hosts.d defines it */
	HOST_SERVICE_BUSY = 3,      /* an attempt is open on the machine */
	HOST_SERVICE_BAD = 4,       /* a name or a document that cannot be */
};

/*
 * Makes the store agree with the files (NULL: there are none): their hosts exist with their
 * addresses and keys; hosts of files that are gone are removed. Returns 0 or -errno.
 */
int host_service_take_files(struct host_service *hosts, const struct moment *m,
                            const struct host_files *files);

/* Machines that may register themselves; addresses cost a liar nothing. */
#define HOST_DISCOVERED_MAX 4096

/*
 * The host with that address, registered as sched-<lab>-<mac> when nobody knows it and there are
 * not too many of those. Returns 0 or -errno.
 */
int host_service_find_or_discover(struct host_service *hosts, const struct moment *m,
                                  struct mac mac, struct host *ret);

/* Gives a host an address; both are made when needed. 0, READ_ONLY, BUSY, BAD, or -errno. */
int host_service_set_mac(struct host_service *hosts, struct slice name, struct mac mac);

/* 0, ABSENT, READ_ONLY, BUSY, or -errno. */
int host_service_delete_mac(struct host_service *hosts, struct mac mac);

/* Replaces the queues of a name by a comma list, empty for none. 0, READ_ONLY, BAD, or -errno. */
int host_service_set_queues(struct host_service *hosts, struct slice name, struct slice list);

/*
 * Makes or changes a host by a document with the keys of a host file. 0, READ_ONLY, BUSY, BAD with
 * *ret_error filled, or -errno.
 */
int host_service_put(struct host_service *hosts, struct slice name, const json_t *doc,
                     struct host_document_error *ret_error);

/* 0, ABSENT, READ_ONLY, BUSY, or -errno. */
int host_service_delete(struct host_service *hosts, const char *name);

/*
 * Keeps a host for the jobs of one submitter until that moment (steady). 0, ABSENT, BAD for a name
 * that is none, or -errno.
 */
int host_service_reserve(struct host_service *hosts, const struct moment *m, const char *name,
                         const char *submitter, usec_t until_steady);

/* Sets or clears a flag; reason is kept with it. 0, ABSENT, or -errno. */
int host_service_set_flag(struct host_service *hosts, const struct moment *m, const char *name,
                          enum host_flag flag, bool on, const char *reason);
