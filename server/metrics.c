/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/metrics.h"

#include <inttypes.h>

#include "lib/base/macro.h"
#include "server/io/dhcp_io.h"
#include "server/io/http_io.h"
#include "server/io/tftp_io.h"
#include "server/io/worker.h"
#include "server/service/dhcp_service.h"
#include "server/service/file_service.h"

typedef const char *(*name_fn)(int value);

static void counter(struct buffer *out, const char *name, uint64_t value)
{
	buffer_printf(out, "# TYPE cci_%s counter\ncci_%s %" PRIu64 "\n", name, name, value);
}

static void gauge(struct buffer *out, const char *name, uint64_t value)
{
	buffer_printf(out, "# TYPE cci_%s gauge\ncci_%s %" PRIu64 "\n", name, name, value);
}

/* One line for each value that has been counted; the outcome 0 is good and left out. */
static void by_reason(struct buffer *out, const char *name, const char *by, const uint64_t values[],
                      int n, name_fn to_name)
{
	for (int i = 1; i < n; i++)
		if (values[i] > 0)
			buffer_printf(out, "cci_%s{by=\"%s\",reason=\"%s\"} %" PRIu64 "\n", name,
			              by, to_name(i), values[i]);
}

/* Paths and files that were asked for and not given, by who was asked and why not. */
static void append_refusals(const struct metrics *metrics, const struct worker_totals *workers,
                            struct buffer *out)
{
	const struct file_service_counters *tftp = NULL;

	if (metrics->tftp_files)
		tftp = file_service_get_counters(metrics->tftp_files);
	buffer_append_text(out, "# TYPE cci_paths_refused_total counter\n");
	if (tftp)
		by_reason(out, "paths_refused_total", "tftp", tftp->n_bad_path,
		          _URL_PATH_OUTCOME_MAX, url_path_outcome_to_name);
	if (metrics->http_io)
		by_reason(out, "paths_refused_total", "api",
		          http_io_get_counters(metrics->http_io)->bad_path, _URL_PATH_OUTCOME_MAX,
		          url_path_outcome_to_name);
	by_reason(out, "paths_refused_total", "files", workers->names.n_bad_path,
	          _URL_PATH_OUTCOME_MAX, url_path_outcome_to_name);
	by_reason(out, "paths_refused_total", "upload", workers->upload_bad_path,
	          _URL_PATH_OUTCOME_MAX, url_path_outcome_to_name);
	buffer_append_text(out, "# TYPE cci_files_refused_total counter\n");
	if (tftp)
		by_reason(out, "files_refused_total", "tftp", tftp->n, _FILE_OUTCOME_MAX,
		          file_outcome_to_name);
	by_reason(out, "files_refused_total", "files", workers->names.n, _FILE_OUTCOME_MAX,
	          file_outcome_to_name);
}

static void append_dhcp(const struct metrics *metrics, struct buffer *out)
{
	const struct dhcp_counters *dhcp;
	const struct dhcp_io_counters *io;

	if (!metrics->dhcp || !metrics->dhcp_io)
		return;
	dhcp = dhcp_service_get_counters(metrics->dhcp);
	io = dhcp_io_get_counters(metrics->dhcp_io);
	counter(out, "dhcp_received_total", io->n_received);
	counter(out, "dhcp_sent_total", io->n_sent);
	counter(out, "dhcp_unsent_total", io->n_unsent);
	counter(out, "dhcp_dropped_by_kernel_total", io->n_dropped);
	counter(out, "dhcp_failed_total", dhcp->n_failed);
	buffer_append_text(out, "# TYPE cci_dhcp_malformed_total counter\n");
	by_reason(out, "dhcp_malformed_total", "dhcp", dhcp->malformed, _DHCP_QUERY_OUTCOME_MAX,
	          dhcp_query_outcome_to_name);
	buffer_append_text(out, "# TYPE cci_dhcp_unanswered_total counter\n");
	by_reason(out, "dhcp_unanswered_total", "dhcp", dhcp->reasons, _DHCP_REASON_MAX,
	          dhcp_reason_to_name);
}

static void append_tftp(const struct metrics *metrics, struct buffer *out)
{
	const struct tftp_io_counters *tftp;

	if (!metrics->tftp_io)
		return;
	tftp = tftp_io_get_counters(metrics->tftp_io);
	counter(out, "tftp_requests_total", tftp->n_requests);
	counter(out, "tftp_malformed_total", tftp->n_malformed);
	counter(out, "tftp_refused_total", tftp->n_refused);
	counter(out, "tftp_repeated_total", tftp->n_repeated);
	counter(out, "tftp_busy_total", tftp->n_busy);
	buffer_append_text(out, "# TYPE cci_tftp_transfers_total counter\n");
	buffer_printf(out,
	              "cci_tftp_transfers_total{end=\"finished\"} %" PRIu64 "\n"
	              "cci_tftp_transfers_total{end=\"aborted\"} %" PRIu64 "\n"
	              "cci_tftp_transfers_total{end=\"timed_out\"} %" PRIu64 "\n"
	              "cci_tftp_transfers_total{end=\"failed\"} %" PRIu64 "\n",
	              tftp->n_finished, tftp->n_aborted, tftp->n_timed_out, tftp->n_failed);
	counter(out, "tftp_retransmits_total", tftp->n_retransmits);
	counter(out, "tftp_bytes_total", tftp->n_bytes);
	gauge(out, "tftp_transfers", tftp->n_sessions);
	gauge(out, "tftp_cache_bytes", tftp->cache_bytes);
}

/* One family, a line for each port. */
static void by_port(struct buffer *out, const char *name, const char *type, uint64_t api,
                    uint64_t files, uint64_t upload)
{
	buffer_printf(out,
	              "# TYPE cci_http_%s %s\n"
	              "cci_http_%s{port=\"api\"} %" PRIu64 "\n"
	              "cci_http_%s{port=\"files\"} %" PRIu64 "\n"
	              "cci_http_%s{port=\"upload\"} %" PRIu64 "\n",
	              name, type, name, api, name, files, name, upload);
}

static void append_http(const struct metrics *metrics, const struct worker_totals *workers,
                        struct buffer *out)
{
	const struct http_server_counters *files = &workers->files, *upload = &workers->upload;
	struct http_server_counters api = { .n_accepted = 0 };

	if (metrics->http_io)
		api = http_io_get_counters(metrics->http_io)->server;
	by_port(out, "requests_total", "counter", api.n_requests, files->n_requests,
	        upload->n_requests);
	by_port(out, "refused_total", "counter", api.n_refused, files->n_refused,
	        upload->n_refused);
	by_port(out, "overloaded_total", "counter", api.n_overloaded, files->n_overloaded,
	        upload->n_overloaded);
	by_port(out, "broken_total", "counter", api.n_broken, files->n_broken, upload->n_broken);
	by_port(out, "connections", "gauge", api.n_sockets, files->n_sockets, upload->n_sockets);
}

void metrics_append(const struct metrics *metrics, struct buffer *out)
{
	struct worker_totals workers = { .files = { .n_accepted = 0 } };

	if (metrics->workers) {
		worker_pool_get_totals(metrics->workers, &workers);
		gauge(out, "workers", worker_pool_get_counters(metrics->workers)->n_running);
		counter(out, "workers_died_total",
		        worker_pool_get_counters(metrics->workers)->n_died);
	}
	append_refusals(metrics, &workers, out);
	append_dhcp(metrics, out);
	append_tftp(metrics, out);
	append_http(metrics, &workers, out);
}
