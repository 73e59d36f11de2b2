/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Names of hosts and what a host file says.
 */
#include "server/core/host.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/job.h"
#include "lib/format/boot_params.h"
#include "lib/format/size.h"

#define HOST_COUNT_MAX 1024 /* disks of one machine */

bool host_name_is_good(struct slice name)
{
	return name.len < HOST_NAME_MAX_LEN && job_is_name(name);
}

static bool groups_have(const struct slice *groups, unsigned n, struct slice name)
{
	for (unsigned i = 0; i < n; i++)
		if (slice_equal(groups[i], name))
			return true;
	return false;
}

static struct slice cut_at_separator(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == '.')
			return slice_sub(name, 0, i);
		if (name.data[i] == '-' && i + 1 < name.len && name.data[i + 1] == '-')
			return slice_sub(name, 0, i);
	}
	return name;
}

static struct slice cut_number(struct slice name)
{
	size_t len = name.len;

	while (len > 0 && char_is_digit((char)name.data[len - 1]))
		len--;
	if (len == name.len || len < 2 || name.data[len - 1] != '-')
		return name;
	return slice_sub(name, 0, len - 1);
}

unsigned host_groups(struct slice name, struct slice ret_groups[HOST_GROUPS_MAX])
{
	const struct slice cuts[HOST_GROUPS_MAX] = { cut_at_separator(name), cut_number(name) };
	unsigned n = 0;

	for (unsigned i = 0; i < HOST_GROUPS_MAX; i++) {
		if (cuts[i].len == 0 || slice_equal(cuts[i], name) ||
		    groups_have(ret_groups, n, cuts[i]))
			continue;
		ret_groups[n++] = cuts[i];
	}
	return n;
}

int host_discovered_name(const char *lab, struct mac mac, char to[HOST_NAME_MAX_LEN])
{
	char text[MAC_TEXT_MAX];
	int n = snprintf(to, HOST_NAME_MAX_LEN, "sched-%s-%s", lab, mac_format(mac, '-', text));

	return n < HOST_NAME_MAX_LEN ? 0 : HOST_BAD;
}

static int refuse(struct host_document_error *error, const char *key, const char *text)
{
	(void)snprintf(error->key, sizeof(error->key), "%s", key);
	(void)snprintf(error->text, sizeof(error->text), "%s", text);
	return HOST_BAD;
}

static struct slice string_slice(const json_t *value)
{
	return slice_make(json_string_value(value), json_string_length(value));
}

/* Calls take for the text itself, or for each text of a list. */
static int each_text(const json_t *value, int (*take)(struct host_document *, struct slice),
                     struct host_document *ret)
{
	const json_t *item;
	size_t i;
	int r;

	if (json_is_string(value))
		return take(ret, string_slice(value));
	if (!json_is_array(value))
		return HOST_BAD;
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return HOST_BAD;
		r = take(ret, string_slice(item));
		if (r != 0)
			return r;
	}
	return 0;
}

static int take_mac(struct host_document *ret, struct slice text)
{
	if (ret->n_macs == HOST_MACS_MAX || mac_parse(text, &ret->macs[ret->n_macs]) != 0)
		return HOST_BAD;
	ret->n_macs++;
	return 0;
}

static int take_queues(struct host_document *ret, struct slice text)
{
	while (text.len > 0) {
		struct slice name = text_trim(slice_cut(&text, ','));

		if (name.len == 0)
			continue;
		if (ret->n_queues == HOST_QUEUES_MAX || !job_is_name(name) ||
		    text_copy(ret->queues[ret->n_queues], HOST_QUEUE_MAX, name) != 0)
			return HOST_BAD;
		ret->n_queues++;
	}
	return 0;
}

static int take_disk(struct host_document *ret, struct slice text)
{
	(void)ret;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f || text.data[i] == ',' ||
		    text.data[i] == '"' || text.data[i] == '$')
			return HOST_BAD;
	return boot_params_is_disk(text) ? 0 : HOST_BAD;
}

/* hdd_partitions: [..] or nr_hdd_partitions: 4. The list says more than the number. */
static int read_disks(const json_t *value, bool is_list, int *ret)
{
	if (is_list && json_is_string(value)) {
		*ret = 1;
		return 0;
	}
	if (is_list && json_is_array(value) && json_array_size(value) <= HOST_COUNT_MAX) {
		*ret = (int)json_array_size(value);
		return 0;
	}
	if (is_list || !json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > HOST_COUNT_MAX)
		return HOST_BAD;
	if (*ret == HOST_DISKS_UNKNOWN)
		*ret = (int)json_integer_value(value);
	return 0;
}

static int read_tags(const json_t *value, struct host_document *ret)
{
	return job_tags_read(value, ret->tags, sizeof(ret->tags)) == 0 ? 0 : HOST_BAD;
}

static int read_disk_key(const char *key, const json_t *value, struct host_document *ret,
                         struct host_document_error *error)
{
	bool is_list = strncmp(key, "nr_", 3) != 0;
	const char *name = is_list ? key : key + 3;
	int r = 0;

	if (strcmp(name, "hdd_partitions") == 0)
		r = read_disks(value, is_list, &ret->n_hdd);
	else if (strcmp(name, "ssd_partitions") == 0)
		r = read_disks(value, is_list, &ret->n_ssd);
	return r == 0 ? 0 : refuse(error, key, is_list ? "expected a list" : "expected a number");
}

static int read_memory(const json_t *value, uint64_t *ret)
{
	if (json_is_integer(value) && json_integer_value(value) > 0) {
		/* a bare number has always meant GiB in host files */
		*ret = (uint64_t)json_integer_value(value) << 30;
		return 0;
	}
	if (json_is_string(value) && size_parse(string_slice(value), ret) == 0)
		return 0;
	return HOST_BAD;
}

static int read_arch(const json_t *value, struct host_document *ret)
{
	if (!json_is_string(value) || !job_is_name(string_slice(value)))
		return HOST_BAD;
	return text_copy(ret->arch, sizeof(ret->arch), string_slice(value)) == 0 ? 0 : HOST_BAD;
}

static int read_address(const json_t *value, uint32_t *ret)
{
	return json_is_string(value) && ipv4_parse(string_slice(value), ret) == 0 ? 0 : HOST_BAD;
}

static int read_key(const char *key, const json_t *value, struct host_document *ret,
                    struct host_document_error *error)
{
	if (json_is_null(value))
		return 0;
	if (strcmp(key, "arch") == 0 && read_arch(value, ret) != 0)
		return refuse(error, key, "expected the name of an architecture");
	if (strcmp(key, "memory") == 0 && read_memory(value, &ret->memory) != 0)
		return refuse(error, key, "expected a size such as 256G");
	if (strcmp(key, "mac_addr") == 0 && each_text(value, take_mac, ret) != 0)
		return refuse(error, key, "expected a list of Ethernet addresses (at most 16)");
	if (strcmp(key, "address") == 0 && read_address(value, &ret->address) != 0)
		return refuse(error, key, "expected an IPv4 address such as 10.0.0.7");
	if (strcmp(key, "queues") == 0 && each_text(value, take_queues, ret) != 0)
		return refuse(error, key, "expected a list of names of queues (at most 16)");
	if (strcmp(key, "rootfs_disk") == 0 && each_text(value, take_disk, ret) != 0)
		return refuse(
			error, key,
			"expected a list of paths below /dev/, LABEL= and its like, or wwn-...");
	if (strcmp(key, "tags") == 0 && read_tags(value, ret) != 0)
		return refuse(error, key, "expected a list of names");
	return read_disk_key(key, value, ret, error);
}

int host_document_parse(const json_t *doc, struct host_document *ret,
                        struct host_document_error *ret_error)
{
	struct host_document host = { .n_hdd = HOST_DISKS_UNKNOWN, .n_ssd = HOST_DISKS_UNKNOWN };
	const char *key;
	json_t *value;

	if (!json_is_object(doc))
		return refuse(ret_error, "", "expected a mapping of keys to values");
	json_object_foreach((json_t *)doc, key, value)
	{
		int r = read_key(key, value, &host, ret_error);

		if (r != 0)
			return r;
	}
	*ret = host;
	return 0;
}
