/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The API over a store of its own: requests as text, several of them parted by a line `--`. The
 * first line of each is `METHOD TARGET [TOKEN]`, what follows is the body.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/proto/url_path.h"
#include "server/service/api.h"
#include "server/service/services.h"
#include "server/store/db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW  (1000 * USEC_PER_SEC)
#define WALL (UINT64_C(1790000000) * USEC_PER_SEC)

/* Results of all inputs go to one directory, which stays empty unless a job boots. */
static char directory[] = "/tmp/fuzz-api-XXXXXX";

static void remove_directory(void)
{
	(void)rmdir(directory);
}

static struct slice next_request(struct slice *rest)
{
	static const char part[] = "\n--\n";
	const uint8_t *at = rest->len > 0 ? memmem(rest->data, rest->len, part, 4) : NULL;
	struct slice request = *rest;

	if (!at) {
		*rest = SLICE_NULL;
		return request;
	}
	request.len = (size_t)(at - rest->data);
	*rest = slice_sub(*rest, request.len + 4, rest->len);
	return request;
}

static void follow(struct api *api, struct api_follow cursor)
{
	struct buffer out = BUFFER_NULL;

	for (int i = 0; i < 3 && api_follow_next(api, &cursor, &out) == API_FOLLOW_MORE; i++)
		buffer_consume(&out, out.len);
	buffer_deinit(&out);
}

static void ask(struct api *api, struct slice request, usec_t now)
{
	struct slice line = slice_cut(&request, '\n'), target, path;
	struct api_answer answer = API_ANSWER_NULL;
	struct api_call call = { .peer = 0x7f000001, .local = 0x7f000001, .local_port = 3000 };
	uint8_t room[URL_PATH_MAX];
	struct bytes decoded = BYTES_ON(room);
	int method = http_method_from_name(slice_cut(&line, ' '));

	if (method < 0)
		return;
	target = slice_cut(&line, ' ');
	url_split_target(target, &path, &call.query);
	if (url_path_decode(path, &decoded) != URL_PATH_OK)
		return;
	call.method = (enum http_method)method;
	call.path = bytes_slice(&decoded);
	call.authorization = line;
	call.body = request;
	call.now = now;
	call.wall = WALL + now;
	if (api_handle(api, &call, &answer) == 0) {
		if (answer.want == API_FOLLOW)
			follow(api, answer.follow);
		if (answer.want == API_HOLD)
			api_drop_held(api, &call);
		api_answer_deinit(&answer);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_made;
	const struct services_root roots[] = { { "/os", directory } };
	const struct ipv4_net open_to[] = { { 0x7f000000, 8 } };
	const struct services_config config = { .lab = "lab1",
		                                .results = directory,
		                                .state = directory,
		                                .roots = roots,
		                                .n_roots = ARRAY_SIZE(roots),
		                                .api_port = 3000,
		                                .os_port = 8000,
		                                .files_port = 8800,
		                                .upload_port = 3080,
		                                .hold = USEC_PER_SEC,
		                                .exports = { .nfs_path = "/os",
		                                             .nfs_options = "",
		                                             .cifs_share = "os",
		                                             .cifs_options = "ro",
		                                             .cifs_user = "",
		                                             .cifs_password = "" },
		                                .open_to = open_to,
		                                .n_open_to = 1 };
	struct slice rest = slice_make(data, size);
	char error[SERVICES_ERROR_MAX];
	struct services *s;
	usec_t now = NOW;
	struct db *db;

	if (!is_made) {
		if (!mkdtemp(directory))
			abort();
		if (atexit(remove_directory) != 0)
			abort();
		is_made = true;
	}
	if (db_open(":memory:", &db) < 0)
		abort();
	if (services_new(db, &config, now, WALL, &s, error) != 0)
		abort();
	for (int i = 0; i < 16 && rest.len > 0; i++, now += USEC_PER_SEC)
		ask(services_api(s), next_request(&rest), now);
	services_free(s);
	db_close(db);
	return 0;
}
