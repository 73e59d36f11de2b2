/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Hosts, their network addresses and their queues; and what the leases say of a machine.
 */
#pragma once

#include "lib/base/buffer.h"
#include "server/core/host.h"
#include "server/store/db.h"

enum {
	HOST_STORE_ABSENT = 1,
	HOST_STORE_STALE = 2, /* the host is not in the state the caller believed */
};

/* Each find fills *ret, queues included, and returns 0, HOST_STORE_ABSENT, or -errno. */
int host_store_find(struct db *db, const char *name, struct host *ret);
int host_store_find_by_mac(struct db *db, struct mac mac, struct host *ret);

/* The hosts whose names follow `after`, in their order. Returns how many (≤ max), or -errno. */
int host_store_list(struct db *db, const char *after, struct host *hosts, int max);

/* The host's document as JSON text. Returns 0, HOST_STORE_ABSENT or -errno. */
int host_store_document(struct db *db, const char *name, struct buffer *out);

/* Its addresses. Returns how many (≤ max), or -errno. */
int host_store_macs(struct db *db, const char *name, struct mac *macs, int max);

/* What follows belongs inside the caller's transaction and returns 0 or -errno, or what is said. */

/* Adds a host (flags, arch, memory as given; no queues). */
int host_store_insert(struct db *db, const struct host *host);

/* Writes flags, reason, arch, memory, disks, tags, reservation and checks of a host that exists. */
int host_store_update(struct db *db, const struct host *host);

/* Moves it on when it is in state `from`; else HOST_STORE_STALE. */
int host_store_move(struct db *db, const char *name, enum host_state from, enum host_state to);

int host_store_see(struct db *db, const char *name, usec_t wall);
int host_store_set_document(struct db *db, const char *name, const char *json);

/* Gives an address to a host, taking it from any other. */
int host_store_set_mac(struct db *db, struct mac mac, const char *name);

/* 0, or HOST_STORE_ABSENT. */
int host_store_delete_mac(struct db *db, struct mac mac);
int host_store_delete_macs_of(struct db *db, const char *name);

/* Replaces the queues of a name, registered or not. */
int host_store_set_queues(struct db *db, const char *name, const struct slice *queues, size_t n);

/* Removes a host with its addresses and queues. 0, or HOST_STORE_ABSENT. */
int host_store_delete(struct db *db, const char *name);

/* How many hosts registered themselves. Returns the number, or -errno. */
int host_store_count_discovered(struct db *db);

/* Removes hosts that registered themselves and have no address any more. */
int host_store_forget_discovered(struct db *db);

/* What the leases say of a machine. */
struct known_machine {
	struct mac mac;
	uint32_t address;
	int64_t session;              /* boot session; 0: none yet */
	char name[HOST_NAME_MAX_LEN]; /* of its host; empty when it has none */
};

/* Each returns 0, HOST_STORE_ABSENT, or -errno. By mac: also without a lease (address 0). */
int host_store_machine_at(struct db *db, uint32_t address, struct known_machine *ret);
int host_store_machine_of(struct db *db, struct mac mac, struct known_machine *ret);
