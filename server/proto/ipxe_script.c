/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Writes iPXE scripts.
 */
#include "server/proto/ipxe_script.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

static bool is_operator(struct slice word)
{
	return text_equal(word, "||") || text_equal(word, "&&") || text_equal(word, ";") ||
	       (word.len > 0 && word.data[0] == '#');
}

static bool byte_is_good(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '$' && c != '{' && c != '}' && c != '"' && c != '\'' &&
	       c != '\\' && c != '`';
}

bool ipxe_word_is_good(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!byte_is_good(text.data[i]))
			return false;
	return text.len > 0 && !is_operator(text);
}

/* A kernel command line may have spaces and the kernel's own quotes; iPXE passes both on. */
static bool cmdline_is_good(struct slice line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] < ' ' || line.data[i] >= 0x7f || line.data[i] == '$')
			return false;
	while (line.len > 0)
		if (is_operator(slice_cut(&line, ' ')))
			return false;
	return true;
}

/* A sentence for echo: words, each good. */
static bool note_is_good(struct slice note)
{
	while (note.len > 0) {
		struct slice word = slice_cut(&note, ' ');

		if (word.len > 0 && !ipxe_word_is_good(word))
			return false;
	}
	return true;
}

static int end(const struct bytes *out)
{
	return out->overflow ? IPXE_SCRIPT_TOO_LONG : 0;
}

static void line(struct bytes *out, const char *before, struct slice value, const char *after)
{
	bytes_append_text(out, before);
	bytes_append_slice(out, value);
	bytes_append_text(out, after);
	bytes_append_u8(out, '\n');
}

int ipxe_script_first(struct slice server, uint16_t port, int64_t session, struct bytes *out)
{
	if (!ipxe_word_is_good(server))
		return IPXE_SCRIPT_BAD;
	line(out, "#!ipxe\nset scheduler ", server, "");
	bytes_printf(out, "set port %u\n\n:again\n", port);
	bytes_append_text(out, "chain --replace "
	                       "http://${scheduler}:${port}/boot.ipxe/mac/${mac:hexhyp}");
	if (session != 0)
		bytes_printf(out, "?b=%lld", (long long)session);
	bytes_append_text(out,
	                  " || echo http://${scheduler}:${port} does not answer, asking again\n"
	                  "sleep 3\n"
	                  "goto again\n");
	return end(out);
}

static void comment(struct bytes *out, const char *before, struct slice value)
{
	if (value.len > 0)
		line(out, before, value, "");
}

static bool job_is_good(const struct ipxe_job *job)
{
	const struct slice words[] = { job->job, job->result_root, job->kernel, job->again };
	const struct slice optional[] = { job->nr_nic, job->nr_disk, job->disk_size };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!ipxe_word_is_good(words[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
		if (optional[i].len > 0 && !ipxe_word_is_good(optional[i]))
			return false;
	for (size_t i = 0; i < job->n_initrds; i++)
		if (!ipxe_word_is_good(job->initrds[i]))
			return false;
	return cmdline_is_good(job->cmdline);
}

static void way_back(struct bytes *out, struct slice again, unsigned pause_sec)
{
	bytes_append_text(out, "\n:retry\nimgfree\n");
	bytes_printf(out, "sleep %u\n", pause_sec);
	line(out, "chain --replace ", again, " || goto retry");
}

int ipxe_script_job(const struct ipxe_job *job, struct bytes *out)
{
	if (!job_is_good(job))
		return IPXE_SCRIPT_BAD;
	bytes_append_text(out, "#!ipxe\n\n");
	comment(out, "# nr_nic=", job->nr_nic);
	comment(out, "# nr_disk=", job->nr_disk);
	comment(out, "# disk_size=", job->disk_size);
	for (size_t i = 0; i < job->n_initrds; i++)
		line(out, "initrd ", job->initrds[i], " || goto retry");
	bytes_append_text(out, "kernel ");
	bytes_append_slice(out, job->kernel);
	line(out, " ", job->cmdline, " || goto retry");
	line(out, "echo ipxe will boot job id=", job->job, ", ip=${ip}, mac=${mac}");
	line(out, "echo result_root=", job->result_root, "");
	bytes_append_text(out, "boot || goto retry\n");
	way_back(out, job->again, job->pause_sec);
	return end(out);
}

int ipxe_script_wait(const struct ipxe_wait *wait, struct bytes *out)
{
	if (!ipxe_word_is_good(wait->host) || !ipxe_word_is_good(wait->again) ||
	    !note_is_good(wait->note))
		return IPXE_SCRIPT_BAD;
	line(out, "#!ipxe\n\necho No job now for ", wait->host, "");
	if (wait->note.len > 0)
		line(out, "echo ", wait->note, "");
	way_back(out, wait->again, wait->pause_sec);
	return end(out);
}
