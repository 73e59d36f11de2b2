/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/dhcp_record.h"

#include <errno.h>
#include <jansson.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/store/event_store.h"
#include "server/store/host_store.h"

/* {"address":"10.0.0.5","arch":7,"file":"snponly.efi"} into event->fields. */
static int fill_fields(const struct dhcp_query *query, const struct dhcp_decision *decision,
                       struct event *event)
{
	char address[IPV4_TEXT_MAX];
	json_t *fields = json_object();
	size_t len;
	int r;

	r = json_object_set_new(fields, "address",
	                        json_string(ipv4_format(decision->address, address)));
	if (query->has_arch)
		r |= json_object_set_new(fields, "arch", json_integer(query->arch));
	if (decision->reply.boot_file[0])
		r |= json_object_set_new(fields, "file", json_string(decision->reply.boot_file));
	len = json_dumpb(fields, event->fields, sizeof(event->fields) - 1, JSON_COMPACT);
	json_decref(fields);
	if (r != 0 || len == 0)
		return -ENOMEM;
	if (len >= sizeof(event->fields))
		len = 0; /* a name of 128 bytes does not come near */
	event->fields[len] = '\0';
	return 0;
}

static int append(struct db *db, const struct dhcp_query *query,
                  const struct dhcp_decision *decision, enum event_kind kind, usec_t now,
                  usec_t wall)
{
	struct event event = { .kind = kind, .wall = wall, .mono = now, .mac = query->mac };
	struct known_machine machine;
	int r;

	r = host_store_machine_of(db, query->mac, &machine);
	if (r < 0)
		return r;
	if (r == 0)
		(void)text_copy(event.host, sizeof(event.host), slice_from_text(machine.name));
	if (kind != EVENT_DHCP_DISCOVER) {
		r = fill_fields(query, decision, &event);
		if (r < 0)
			return r;
	}
	return event_store_append(db, &event);
}

int dhcp_record(struct db *db, const struct dhcp_query *query, const struct dhcp_decision *decision,
                usec_t now, usec_t wall)
{
	bool is_ipxe = query->stage == DHCP_STAGE_IPXE;
	int r;

	if (query->stage == DHCP_STAGE_OS)
		return 0;
	if (is_ipxe)
		return decision->is_new_boot
		               ? append(db, query, decision, EVENT_IPXE_DHCP, now, wall)
		               : 0;
	if (decision->action == DHCP_DO_ACK)
		return append(db, query, decision, EVENT_DHCP_ACK, now, wall);
	if (decision->action != DHCP_DO_OFFER)
		return 0;
	r = append(db, query, decision, EVENT_DHCP_DISCOVER, now, wall);
	if (r < 0)
		return r;
	return append(db, query, decision, EVENT_DHCP_OFFER, now, wall);
}
