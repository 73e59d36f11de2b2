/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/cci.h"
#include "cli/format_job.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	struct format_table table;
	const json_t *hosts;
	int status = cci_get_json(cci, "hosts", "/v1/hosts", &answer);

	if (status != CCI_EXIT_PASS)
		return status;
	if (cci->is_json)
		return cci_print_json(cci, answer);
	hosts = json_object_get(answer, "hosts");
	if (json_array_size(hosts) == 0 && cci->terminal.is_err) {
		cci_say("no host yet: boot a machine from the network, and it appears here");
		return CCI_EXIT_PASS;
	}
	format_hosts(&table, hosts, clock_wall());
	return cci_print_table(cci, &table);
}

const struct verb verb_hosts = {
	.name = "hosts",
	.words = "",
	.summary = "list the lab's machines, those that nobody has described too",
	.details = "A machine that booted without being known has a name of the server's making.\n",
	.group = VERB_GROUP_HOSTS,
	.run = run,
};
