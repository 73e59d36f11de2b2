/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A whole scheduler without sockets: a store in a file (so that it can be killed and started
 * again), a small tree of boot files, clocks that stand still until told, and calls of its API.
 */
#pragma once

#include "tests/support/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "server/service/api.h"
#include "server/service/services.h"
#include "server/store/db.h"
#include "server/store/lease_store.h"

#define WORLD_SEC    USEC_PER_SEC
#define WORLD_WALL   (UINT64_C(1790000000) * WORLD_SEC) /* 2026-09-21 */
#define WORLD_SERVER 0x0a000001                         /* 10.0.0.1 */
#define WORLD_ADMIN  0x7f000001

struct world {
	char dir[64], db_path[128], results[128], os[128], initrd[128], uploads[128];
	struct services_root roots[3];
	struct ipv4_net open_to[1];
	struct services_config config;
	struct db *db;
	struct services *s;
	usec_t now, wall;
	struct api_answer answer; /* of the last call; the next one frees it */
	json_t *json;             /* its body when it is JSON */
};

static inline void world_start(struct world *w)
{
	char error[SERVICES_ERROR_MAX];

	assert_int_equal(db_open(w->db_path, &w->db), 0);
	assert_int_equal(services_new(w->db, &w->config, w->now, w->wall, &w->s, error), 0);
}

/* As by SIGKILL: nothing is said to anybody. */
static inline void world_kill(struct world *w)
{
	services_free(w->s);
	w->s = NULL;
	db_close(w->db);
	w->db = NULL;
}

static inline void world_restart(struct world *w)
{
	world_kill(w);
	world_start(w);
}

static inline void world_put_file(const char *directory, const char *path, const char *content)
{
	char whole[1024];
	FILE *f;

	(void)snprintf(whole, sizeof(whole), "%s/%s", directory, path);
	for (char *c = whole + strlen(directory) + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			assert_true(mkdir(whole, 0755) == 0 || errno == EEXIST);
			*c = '/';
		}
	f = fopen(whole, "w");
	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void world_link(const char *directory, const char *path, const char *target)
{
	char whole[1024];

	(void)snprintf(whole, sizeof(whole), "%s/%s", directory, path);
	assert_int_equal(symlink(target, whole), 0);
}

static inline void world_unlink(const char *directory, const char *path)
{
	char whole[1024];

	(void)snprintf(whole, sizeof(whole), "%s/%s", directory, path);
	assert_int_equal(unlink(whole), 0);
}

/* What cci-mkos makes for debian:bookworm. */
static inline void world_put_image(struct world *w)
{
	const char *tree = "debian/x86_64/bookworm-2026-01-02-03-04-05/boot";
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/vmlinuz-6.1", tree);
	world_put_file(w->os, path, "kernel");
	(void)snprintf(path, sizeof(path), "%s/modules-6.1.cgz", tree);
	world_put_file(w->os, path, "modules");
	(void)snprintf(path, sizeof(path), "%s/vmlinuz", tree);
	world_link(w->os, path, "vmlinuz-6.1");
	world_link(w->os, "debian/x86_64/bookworm", "bookworm-2026-01-02-03-04-05");
	world_put_file(w->initrd, "osimage/debian/x86_64/bookworm/20260102.0.cgz", "image");
	world_link(w->initrd, "osimage/debian/x86_64/bookworm/current", "20260102.0.cgz");
	world_put_file(w->initrd, "deps/initramfs/debian/x86_64/bookworm/cci/cci.cgz", "agent");
}

/* Below that directory. */
static inline int world_set_up_at(void **state, const char *parent)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	(void)snprintf(w->dir, sizeof(w->dir), "%s/cci-world-XXXXXX", parent);
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->db_path, sizeof(w->db_path), "%s/ccid.sqlite", w->dir);
	(void)snprintf(w->results, sizeof(w->results), "%s/result", w->dir);
	(void)snprintf(w->os, sizeof(w->os), "%s/os", w->dir);
	(void)snprintf(w->initrd, sizeof(w->initrd), "%s/initrd", w->dir);
	(void)snprintf(w->uploads, sizeof(w->uploads), "%s/upload-files", w->dir);
	assert_int_equal(mkdir(w->results, 0755), 0);
	assert_int_equal(mkdir(w->os, 0755), 0);
	assert_int_equal(mkdir(w->initrd, 0755), 0);
	assert_int_equal(mkdir(w->uploads, 0755), 0);
	w->roots[0] = (struct services_root){ "/os", w->os };
	w->roots[1] = (struct services_root){ "/initrd", w->initrd };
	w->roots[2] = (struct services_root){ "/upload-files", w->uploads };
	w->open_to[0] = (struct ipv4_net){ 0x7f000000, 8 };
	w->config = (struct services_config){
		.lab = "lab1",
		.results = w->results,
		.state = w->dir,
		.roots = w->roots,
		.n_roots = 3,
		.api_port = 3000,
		.os_port = 8000,
		.files_port = 8800,
		.upload_port = 3080,
		.hold = 45 * WORLD_SEC,
		.exports = { .nfs_path = "/os",
		             .nfs_options = "",
		             .cifs_share = "os",
		             .cifs_options = "ro,hard,vers=1.0,noacl,nouser_xattr,noserverino",
		             .cifs_user = "",
		             .cifs_password = "" },
		.open_to = w->open_to,
		.n_open_to = 1,
		.seed = 7,
	};
	w->now = 1000 * WORLD_SEC;
	w->wall = WORLD_WALL;
	world_start(w);
	world_put_image(w);
	*state = w;
	return 0;
}

/* In memory when there is some: hundreds of commits, each of them synced. */
static inline int world_set_up(void **state)
{
	return world_set_up_at(state, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static inline int world_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static inline int world_tear_down(void **state)
{
	struct world *w = *state;

	api_answer_deinit(&w->answer);
	json_decref(w->json);
	world_kill(w);
	assert_int_equal(nftw(w->dir, world_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(w);
	return 0;
}

/* Lets time pass, and what is due happen. */
static inline void world_wait(struct world *w, usec_t usec)
{
	w->now += usec;
	w->wall += usec;
	if (api_deadline(services_api(w->s)) <= w->now)
		assert_int_equal(api_timeout(services_api(w->s), w->now, w->wall), 0);
}

/* A machine with its lease, as the DHCP server leaves it. */
struct world_machine {
	struct mac mac;
	uint32_t address;
	int64_t session;
};

static inline void world_dhcp(struct world *w, struct world_machine *machine, int64_t session)
{
	struct lease lease = { .key = lease_key_from_mac(machine->mac),
		               .mac = machine->mac,
		               .address = machine->address,
		               .expires_wall = LEASE_FOR_EVER,
		               .seen_wall = w->wall,
		               .session = session };

	machine->session = session;
	assert_int_equal(db_begin(w->db), 0);
	assert_int_equal(lease_store_apply(w->db, &lease), 0);
	assert_int_equal(db_commit(w->db), 0);
}

static inline struct world_machine world_machine(struct world *w, uint8_t number)
{
	struct world_machine machine = { .mac = { { 0x52, 0x54, 0, 0x12, 0x34, number } },
		                         .address = 0x0a000000 + number };

	world_dhcp(w, &machine, 100 + number);
	return machine;
}

/* One call; the answer stays in w->answer and w->json until the next. Returns the status, 0 when it
 * is held, or -errno when the server could not work. */
static inline int world_try(struct world *w, struct api_call *call)
{
	int r;

	api_answer_deinit(&w->answer);
	json_decref(w->json);
	w->json = NULL;
	w->answer = API_ANSWER_NULL;
	call->now = w->now;
	call->wall = w->wall;
	call->local = WORLD_SERVER;
	call->local_port = 3000;
	r = api_handle(services_api(w->s), call, &w->answer);
	if (r < 0)
		return r;
	if (w->answer.content_type && strstr(w->answer.content_type, "json"))
		w->json = json_loadb((const char *)w->answer.body.data, w->answer.body.len,
		                     JSON_DECODE_ANY, NULL);
	return w->answer.want == API_HOLD ? 0 : (int)w->answer.status;
}

/* The same where the server can work. */
static inline unsigned world_call(struct world *w, struct api_call *call)
{
	int r = world_try(w, call);

	assert_true(r >= 0);
	return (unsigned)r;
}

static inline unsigned world_do(struct world *w, enum http_method method, uint32_t peer,
                                const char *target, const char *body, const char *token)
{
	const char *question = strchr(target, '?');
	char authorization[128];
	struct api_call call = {
		.method = method,
		.path = question ? slice_make(target, (size_t)(question - target))
		                 : slice_from_text(target),
		.query = slice_from_text(question ? question + 1 : ""),
		.body = slice_from_text(body),
		.peer = peer,
	};

	(void)snprintf(authorization, sizeof(authorization), "Bearer %s", token ? token : "");
	if (token)
		call.authorization = slice_from_text(authorization);
	return world_call(w, &call);
}

static inline unsigned world_get(struct world *w, const char *target)
{
	return world_do(w, HTTP_METHOD_GET, WORLD_ADMIN, target, NULL, NULL);
}

static inline unsigned world_post(struct world *w, const char *target, const char *body)
{
	return world_do(w, HTTP_METHOD_POST, WORLD_ADMIN, target, body, NULL);
}

/* A member of the last answer: "a" or "a.b". */
static inline const json_t *world_member(const struct world *w, const char *path)
{
	const json_t *value = w->json;
	char name[64];

	while (value && *path) {
		size_t len = strcspn(path, ".");

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name))
		                             : json_object_get(value, name);
		path += len + (path[len] == '.');
	}
	return value;
}

static inline const char *world_text(const struct world *w, const char *path)
{
	const char *text = json_string_value(world_member(w, path));

	return text ? text : "";
}

static inline bool world_body_has(const struct world *w, const char *what)
{
	return w->answer.body.data && strstr((const char *)w->answer.body.data, what) != NULL;
}

#define WORLD_JOB                                                                                  \
	"suite: hello\ntestbox: vm-1\nos: debian\nos_arch: x86_64\nos_version: bookworm\n"         \
	"os_mount: initramfs\nruntime: 60\nscript: |\n  uname -a\n"

/* Submits the smallest job. id has its id then. */
static inline void world_submit(struct world *w, char id[64])
{
	assert_int_equal(world_post(w, "/v1/jobs", WORLD_JOB), 201);
	(void)snprintf(id, 64, "%s", world_text(w, "id"));
}

static inline void world_register(struct world *w, const char *name, struct mac mac)
{
	char target[256], text[MAC_TEXT_MAX];

	(void)snprintf(target, sizeof(target), "/set_host_mac?hostname=%s&mac=%s", name,
	               mac_format(mac, '-', text));
	assert_int_equal(world_do(w, HTTP_METHOD_PUT, WORLD_ADMIN, target, NULL, NULL), 200);
	assert_true(world_body_has(w, "Done"));
}

/* A boot request. 0: it is held. */
static inline unsigned world_boot(struct world *w, const struct world_machine *machine)
{
	char target[128], text[MAC_TEXT_MAX];

	if (machine->session)
		(void)snprintf(target, sizeof(target), "/boot.ipxe/mac/%s?b=%lld",
		               mac_format(machine->mac, '-', text), (long long)machine->session);
	else
		(void)snprintf(target, sizeof(target), "/boot.ipxe/mac/%s",
		               mac_format(machine->mac, '-', text));
	return world_do(w, HTTP_METHOD_GET, machine->address, target, NULL, NULL);
}
