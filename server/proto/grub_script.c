/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Writes GRUB scripts.
 */
#include "server/proto/grub_script.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/cmdline.h"

static const struct slice scheme = SLICE_LITERAL("http://");

/* Between single quotes, and through `linux`, which puts a backslash before each of ' " \. */
static bool byte_is_good(uint8_t c)
{
	return c >= ' ' && c < 0x7f && c != '\'' && c != '"' && c != '\\';
}

static bool text_is_good(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!byte_is_good(text.data[i]))
			return false;
	return text.len > 0;
}

/* A byte that means nothing to GRUB outside of quotes: no variable, no pattern, no operator. */
static bool byte_is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("./:,=+-_@%()", c));
}

static void append_quoted(struct bytes *out, struct slice text)
{
	bool is_plain = true;

	for (size_t i = 0; i < text.len; i++)
		is_plain = is_plain && byte_is_plain(text.data[i]);
	if (!is_plain)
		bytes_append_u8(out, '\'');
	bytes_append_slice(out, text);
	if (!is_plain)
		bytes_append_u8(out, '\'');
}

/* A URL's host with its port, and its path. Returns whether GRUB's (http,HOST)PATH can name it. */
static bool cut_url(struct slice url, struct slice *ret_host, struct slice *ret_path)
{
	size_t slash;

	if (!text_is_good(url) || !slice_has_prefix(url, scheme))
		return false;
	(void)slice_take(&url, scheme.len);
	slash = slice_find(url, '/', 0);
	*ret_host = slice_sub(url, 0, slash);
	*ret_path = slice_sub(url, slash, url.len);
	for (size_t i = 0; i < ret_host->len; i++)
		if (!byte_is_plain(ret_host->data[i]) || strchr("(),@%", ret_host->data[i]))
			return false;
	return ret_host->len > 0 && ret_path->len > 0 && slice_find(url, ' ', 0) == url.len;
}

/* " (http,HOST:PORT)/PATH" */
static void append_file(struct bytes *out, struct slice url)
{
	struct slice host, path;

	if (!cut_url(url, &host, &path))
		return; /* cannot be: looked at before */
	bytes_append_text(out, " (http,");
	bytes_append_slice(out, host);
	bytes_append_u8(out, ')');
	append_quoted(out, path);
}

size_t grub_script_cmdline_extra(struct slice kernel_url)
{
	/* "(http," and ")" stand where "http://" stood */
	return strlen("BOOT_IMAGE= ") + kernel_url.len;
}

static int end(const struct bytes *out)
{
	return out->overflow ? GRUB_SCRIPT_TOO_LONG : 0;
}

int grub_script_first(struct slice server, uint16_t port, int64_t session, struct bytes *out)
{
	for (size_t i = 0; i < server.len; i++)
		if (!byte_is_plain(server.data[i]))
			return GRUB_SCRIPT_BAD;
	bytes_append_text(out, "set pager=0\nset cci=(http,");
	bytes_append_slice(out, server);
	bytes_printf(out, ":%u)\n\n", port);
	bytes_append_text(out, "if insmod http; then\n\ttrue\nelse\n"
	                       "\techo \"this GRUB has no http: its http.mod belongs into"
	                       " ${prefix}/${grub_cpu}-${grub_platform}\"\n"
	                       "\tsleep 30\n\treboot\nfi\n"
	                       "while true; do\n");
	bytes_append_text(out, "\tif source \"${cci}/boot.grub/mac/${net_default_mac}");
	if (session != 0)
		bytes_printf(out, "?b=%lld", (long long)session);
	bytes_append_text(out, "\"; then\n"
	                       "\t\ttrue\n"
	                       "\telse\n"
	                       "\t\techo \"${cci} does not answer, asking again\"\n"
	                       "\t\tsleep 3\n"
	                       "\tfi\n"
	                       "done\n");
	return server.len == 0 ? GRUB_SCRIPT_BAD : end(out);
}

static void comment(struct bytes *out, const char *before, struct slice value)
{
	if (value.len == 0)
		return;
	bytes_append_text(out, before);
	bytes_append_slice(out, value);
	bytes_append_u8(out, '\n');
}

static bool cmdline_is_good(struct slice line)
{
	struct cmdline_word word;

	while (cmdline_next(&line, &word))
		if ((word.key.len > 0 && !text_is_good(word.key)) ||
		    (word.value.len > 0 && !text_is_good(word.value)))
			return false;
	return true;
}

static bool job_is_good(const struct grub_job *job)
{
	const struct slice texts[] = { job->job, job->result_root };
	const struct slice optional[] = { job->nr_nic, job->nr_disk, job->disk_size };
	struct slice host, path;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!text_is_good(texts[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
		if (optional[i].len > 0 && !text_is_good(optional[i]))
			return false;
	for (size_t i = 0; i < job->n_initrds; i++)
		if (!cut_url(job->initrds[i], &host, &path))
			return false;
	return cut_url(job->kernel, &host, &path) && cmdline_is_good(job->cmdline);
}

/* Each word as one argument; `linux` puts one with a space in it into quotes for the kernel. */
static void append_cmdline(struct bytes *out, struct slice line)
{
	struct cmdline_word word;

	while (cmdline_next(&line, &word)) {
		uint8_t room[GRUB_SCRIPT_MAX / 4];
		struct bytes whole = BYTES_ON(room);

		bytes_append_slice(&whole, word.key);
		if (word.has_value)
			bytes_append_u8(&whole, '=');
		bytes_append_slice(&whole, word.value);
		out->overflow = out->overflow || whole.overflow;
		bytes_append_u8(out, ' ');
		append_quoted(out, bytes_slice(&whole));
	}
}

static void say(struct bytes *out, const char *before, struct slice what)
{
	bytes_printf(out, "echo '%s", before);
	bytes_append_slice(out, what);
	bytes_append_text(out, "'\n");
}

static void way_back(struct bytes *out, unsigned pause_sec)
{
	bytes_printf(out, "sleep %u\n", pause_sec);
}

int grub_script_job(const struct grub_job *job, struct bytes *out)
{
	if (!job_is_good(job))
		return GRUB_SCRIPT_BAD;
	bytes_append_text(out, "#!grub\n\n");
	comment(out, "# nr_nic=", job->nr_nic);
	comment(out, "# nr_disk=", job->nr_disk);
	comment(out, "# disk_size=", job->disk_size);
	say(out, "grub will boot job id=", job->job);
	say(out, "result_root=", job->result_root);
	bytes_append_text(out, "if linux");
	append_file(out, job->kernel);
	append_cmdline(out, job->cmdline);
	bytes_append_text(out, "; then\n\tif ");
	bytes_append_text(out, job->n_initrds > 0 ? "initrd" : "true");
	for (size_t i = 0; i < job->n_initrds; i++)
		append_file(out, job->initrds[i]);
	bytes_append_text(out, "; then\n\t\tboot\n\tfi\nfi\n\n"
	                       "echo 'not booted, asking again'\n");
	way_back(out, job->pause_sec);
	return end(out);
}

int grub_script_wait(const struct grub_wait *wait, struct bytes *out)
{
	if (!text_is_good(wait->host) || (wait->note.len > 0 && !text_is_good(wait->note)))
		return GRUB_SCRIPT_BAD;
	bytes_append_text(out, "#!grub\n\n");
	say(out, "No job now for ", wait->host);
	if (wait->note.len > 0)
		say(out, "", wait->note);
	way_back(out, wait->pause_sec);
	return end(out);
}
