/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/host_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/job.h"
#include "server/service/host_files.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"

/* Whether an attempt is open on that host: 1, 0 or -errno. */
static int is_busy(struct db *db, const char *name)
{
	struct attempt attempt;
	int r = attempt_store_find_open_of_host(db, name, &attempt);

	return r < 0 ? r : r == 0;
}

/* The host of that name, made when there is none. */
static int find_or_make(struct db *db, const char *name, unsigned flags, struct host *ret)
{
	struct host host = { .state = HOST_UNKNOWN,
		             .flags = flags,
		             .n_hdd = HOST_DISKS_UNKNOWN,
		             .n_ssd = HOST_DISKS_UNKNOWN };
	int r = host_store_find(db, name, ret);

	if (r != HOST_STORE_ABSENT)
		return r;
	(void)snprintf(host.name, sizeof(host.name), "%s", name);
	r = host_store_insert(db, &host);
	if (r == 0)
		*ret = host;
	return r;
}

static int apply_document(struct db *db, struct host *host, const json_t *doc,
                          const struct host_document *parsed)
{
	char *text = json_dumps(doc, JSON_COMPACT);
	int r;

	if (!text)
		return -ENOMEM;
	memcpy(host->arch, parsed->arch, sizeof(host->arch));
	host->memory = parsed->memory;
	host->n_hdd = parsed->n_hdd;
	host->n_ssd = parsed->n_ssd;
	memcpy(host->tags, parsed->tags, sizeof(host->tags));
	r = host_store_update(db, host);
	if (r == 0)
		r = host_store_set_document(db, host->name, text);
	free(text);
	return r;
}

static int apply_lists(struct db *db, const char *name, const struct host_document *parsed)
{
	struct slice queues[HOST_QUEUES_MAX];
	int r = 0;

	for (unsigned i = 0; i < parsed->n_queues; i++)
		queues[i] = slice_from_text(parsed->queues[i]);
	if (parsed->n_queues > 0)
		r = host_store_set_queues(db, name, queues, parsed->n_queues);
	for (unsigned i = 0; i < parsed->n_macs && r == 0; i++)
		r = host_store_set_mac(db, parsed->macs[i], name);
	return r;
}

static int take_file(struct db *db, const struct host_file *file)
{
	struct host host;
	int r = find_or_make(db, file->name, HOST_FLAG_FILE, &host);

	if (r < 0)
		return r;
	host.flags = (host.flags | HOST_FLAG_FILE) & ~(unsigned)HOST_FLAG_DISCOVERED;
	r = apply_document(db, &host, file->doc, &file->host);
	if (r == 0)
		r = host_store_delete_macs_of(db, file->name);
	if (r == 0)
		r = apply_lists(db, file->name, &file->host);
	return r;
}

static bool files_have(const struct host_files *files, const char *name)
{
	for (size_t i = 0; files && i < files->n_files; i++)
		if (strcmp(files->files[i].name, name) == 0)
			return true;
	return false;
}

/* The file of that host is gone: so is the host, unless it works. */
static int drop_file(struct db *db, struct host *host)
{
	int busy = is_busy(db, host->name);

	if (busy < 0)
		return busy;
	if (!busy)
		return host_store_delete(db, host->name);
	host->flags &= ~(unsigned)HOST_FLAG_FILE;
	return host_store_update(db, host);
}

static int drop_files_gone(struct db *db, const struct host_files *files)
{
	struct host hosts[16];
	char after[HOST_NAME_MAX_LEN] = "";
	int n;

	do {
		n = host_store_list(db, after, hosts, ARRAY_SIZE(hosts));
		for (int i = 0; i < n; i++) {
			int r = 0;

			memcpy(after, hosts[i].name, sizeof(after));
			if ((hosts[i].flags & HOST_FLAG_FILE) && !files_have(files, after))
				r = drop_file(db, &hosts[i]);
			if (r < 0)
				return r;
		}
	} while (n == ARRAY_SIZE(hosts));
	return n < 0 ? n : 0;
}

int host_service_take_files(struct host_service *hosts, const struct moment *m,
                            const struct host_files *files)
{
	struct db *db = hosts->services->db;
	int r = drop_files_gone(db, files);

	(void)m;
	for (size_t i = 0; files && i < files->n_files && r == 0; i++)
		r = take_file(db, &files->files[i]);
	if (r == 0)
		r = host_store_forget_discovered(db);
	hosts->services->queue_is_touched = true;
	return r;
}

int host_service_find_or_discover(struct host_service *hosts, const struct moment *m,
                                  struct mac mac, struct host *ret)
{
	struct services *s = hosts->services;
	struct host host = { .state = HOST_UNKNOWN, .flags = HOST_FLAG_DISCOVERED };
	int r = host_store_find_by_mac(s->db, mac, ret);

	if (r != HOST_STORE_ABSENT)
		return r;
	r = host_discovered_name(s->config.lab, mac, host.name);
	if (r != 0)
		return -ENAMETOOLONG; /* the configuration limits the name of the lab */
	r = host_store_count_discovered(s->db);
	if (r < 0)
		return r;
	if (r >= HOST_DISCOVERED_MAX) { /* it waits all the same, under that name */
		*ret = host;
		return 0;
	}
	r = find_or_make(s->db, host.name, HOST_FLAG_DISCOVERED, &host);
	if (r == 0)
		r = host_store_set_mac(s->db, mac, host.name);
	if (r < 0)
		return r;
	log_notice("unknown machine registered host=%s", host.name);
	(void)m;
	*ret = host;
	return 0;
}

/* Whether the machine with that address works under another name than `name`. */
static int works_elsewhere(struct db *db, struct mac mac, const char *name)
{
	struct host owner;
	int r = host_store_find_by_mac(db, mac, &owner);

	if (r != 0)
		return r < 0 ? r : 0;
	if (name && strcmp(owner.name, name) == 0)
		return 0;
	if (owner.flags & HOST_FLAG_FILE)
		return HOST_SERVICE_READ_ONLY;
	r = is_busy(db, owner.name);
	return r > 0 ? HOST_SERVICE_BUSY : r;
}

static int copy_name(struct slice name, char to[HOST_NAME_MAX_LEN])
{
	if (!host_name_is_good(name) || text_copy(to, HOST_NAME_MAX_LEN, name) != 0)
		return HOST_SERVICE_BAD;
	return 0;
}

/* Finds or makes a host that people may change; a name that a machine gave itself is then taken. */
static int take_name(struct db *db, const char *name, struct host *ret)
{
	int r = find_or_make(db, name, 0, ret);

	if (r < 0)
		return r;
	if (ret->flags & HOST_FLAG_FILE)
		return HOST_SERVICE_READ_ONLY;
	if (!(ret->flags & HOST_FLAG_DISCOVERED))
		return 0;
	ret->flags &= ~(unsigned)HOST_FLAG_DISCOVERED;
	return host_store_update(db, ret);
}

int host_service_set_mac(struct host_service *hosts, struct slice name, struct mac mac)
{
	struct db *db = hosts->services->db;
	char text[HOST_NAME_MAX_LEN];
	struct host host;
	int r = copy_name(name, text);

	if (r == 0)
		r = works_elsewhere(db, mac, text);
	if (r == 0)
		r = take_name(db, text, &host);
	if (r != 0)
		return r;
	hosts->services->queue_is_touched = true;
	r = host_store_set_mac(db, mac, text);
	return r < 0 ? r : host_store_forget_discovered(db);
}

int host_service_delete_mac(struct host_service *hosts, struct mac mac)
{
	struct db *db = hosts->services->db;
	int r = works_elsewhere(db, mac, NULL);

	if (r != 0)
		return r;
	r = host_store_delete_mac(db, mac);
	if (r != 0)
		return r < 0 ? r : HOST_SERVICE_ABSENT;
	return host_store_forget_discovered(db);
}

int host_service_set_queues(struct host_service *hosts, struct slice name, struct slice list)
{
	struct db *db = hosts->services->db;
	struct slice queues[HOST_QUEUES_MAX];
	char text[HOST_NAME_MAX_LEN];
	size_t n = 0;
	int r = copy_name(name, text);

	if (r != 0)
		return r;
	while (list.len > 0) {
		struct slice queue = text_trim(slice_cut(&list, ','));

		if (queue.len == 0)
			continue;
		if (n == HOST_QUEUES_MAX || queue.len >= HOST_QUEUE_MAX || !job_is_name(queue))
			return HOST_SERVICE_BAD;
		queues[n++] = queue;
	}
	hosts->services->queue_is_touched = true;
	return host_store_set_queues(db, text, queues, n);
}

int host_service_put(struct host_service *hosts, struct slice name, const json_t *doc,
                     struct host_document_error *ret_error)
{
	struct db *db = hosts->services->db;
	struct host_document parsed;
	char text[HOST_NAME_MAX_LEN];
	struct host host;
	int r = copy_name(name, text);

	*ret_error = (struct host_document_error){ .text = "expected a name of a host" };
	if (r == 0 && host_document_parse(doc, &parsed, ret_error) != 0)
		r = HOST_SERVICE_BAD;
	for (unsigned i = 0; r == 0 && i < parsed.n_macs; i++)
		r = works_elsewhere(db, parsed.macs[i], text);
	if (r == 0)
		r = take_name(db, text, &host);
	if (r == 0)
		r = apply_document(db, &host, doc, &parsed);
	if (r == 0 && parsed.n_macs > 0)
		r = host_store_delete_macs_of(db, text);
	if (r == 0)
		r = apply_lists(db, text, &parsed);
	if (r == 0)
		r = host_store_forget_discovered(db);
	hosts->services->queue_is_touched = true;
	return r;
}

int host_service_delete(struct host_service *hosts, const char *name)
{
	struct db *db = hosts->services->db;
	struct host host;
	int r = host_store_find(db, name, &host);

	if (r != 0)
		return r < 0 ? r : HOST_SERVICE_ABSENT;
	if (host.flags & HOST_FLAG_FILE)
		return HOST_SERVICE_READ_ONLY;
	r = is_busy(db, name);
	if (r != 0)
		return r < 0 ? r : HOST_SERVICE_BUSY;
	return host_store_delete(db, name);
}

int host_service_reserve(struct host_service *hosts, const struct moment *m, const char *name,
                         const char *submitter, usec_t until_steady)
{
	struct services *s = hosts->services;
	struct host host;
	int r = host_store_find(s->db, name, &host);

	if (r != 0)
		return r < 0 ? r : HOST_SERVICE_ABSENT;
	if (!submitter[0] || text_copy(host.reserved_for, sizeof(host.reserved_for),
	                               slice_from_text(submitter)) != 0)
		return HOST_SERVICE_BAD;
	host.reserved_until_steady = until_steady;
	r = host_store_update(s->db, &host);
	if (r < 0)
		return r;
	return host_service_set_flag(hosts, m, name, HOST_FLAG_RESERVED, true, submitter);
}

#define WITH_REASON                                                                                \
	(HOST_FLAG_DRAIN | HOST_FLAG_QUARANTINE | HOST_FLAG_MAINTENANCE | HOST_FLAG_NEEDS_CHECK |  \
	 HOST_FLAG_RESERVED | HOST_FLAG_BROKEN)

static int bit_of(enum host_flag flag)
{
	int bit = 0;

	while (bit < HOST_N_FLAGS - 1 && (1U << bit) != (unsigned)flag)
		bit++;
	return bit;
}

int host_service_set_flag(struct host_service *hosts, const struct moment *m, const char *name,
                          enum host_flag flag, bool on, const char *reason)
{
	struct services *s = hosts->services;
	const struct subject subject = { .host = name };
	struct host host;
	int r = host_store_find(s->db, name, &host);

	if (r != 0)
		return r < 0 ? r : HOST_SERVICE_ABSENT;
	host.flags = on ? host.flags | (unsigned)flag : host.flags & ~(unsigned)flag;
	if (on || !(host.flags & WITH_REASON)) /* that of another flag stays */
		(void)snprintf(host.reason, sizeof(host.reason), "%s", on ? reason : "");
	if (flag == HOST_FLAG_QUARANTINE)
		host.checks_passed = 0;
	if (flag == HOST_FLAG_RESERVED && !on)
		host.reserved_for[0] = '\0';
	s->queue_is_touched = true;
	r = host_store_update(s->db, &host);
	if (r < 0)
		return r;
	return services_event(s, m, EVENT_HOST_STATE, &subject, "{s:s, s:b, s:s}", "flag",
	                      host_flag_to_name(bit_of(flag)), "on", (int)on, "reason",
	                      host.reason);
}
