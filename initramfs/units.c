/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The units, as they were tried on Debian 12: one text serves an initramfs with networkd and one
 * with dracut's own network (After= of what does not exist is harmless). Every unit of ours has a
 * timeout and names the report; without Before=initrd-root-fs.target of the last one systemd would
 * read the new root's fstab before it is filtered.
 */
#include "initramfs/units.h"

#include <stdarg.h>
#include <stdio.h>

#include "initramfs/paths.h"
#include "initramfs/unit_name.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

#define SYSTEM_UNITS "/lib/systemd/system/"

/* How long things may take, besides cci.timeout. */
#define MOUNT_SEC       30
#define LAYERS_SEC      60
#define SERVER_SEC      120 /* a mount that the kernel is at, per version and answer */
#define DEPLOY_SEC      120
#define FETCH_SEC       300
#define DISK_SEC        300 /* more while bytes flow (EXTEND_TIMEOUT_USEC=) */
#define REPORT_SEC      60
#define FETCH_SLOW_RATE (1 << 20) /* bytes a second below which an image is given up */

struct maker {
	struct units *units;
	struct bytes text; /* over units->text */
};

/* Starts a file or a link; its text follows until the next one begins. */
static void begin(struct maker *m, bool is_link, const char *format, ...) PRINTF_LIKE(3, 4);

static void begin(struct maker *m, bool is_link, const char *format, ...)
{
	struct unit *unit;
	va_list args;
	int len;

	assert(m->units->n_units < UNITS_MAX);
	unit = &m->units->units[m->units->n_units++];
	va_start(args, format);
	len = vsnprintf(unit->name, sizeof(unit->name), format, args);
	va_end(args);
	assert(len > 0 && (size_t)len < sizeof(unit->name));
	unit->is_link = is_link;
	unit->offset = m->text.len;
}

static void end(struct maker *m)
{
	struct unit *unit = &m->units->units[m->units->n_units - 1];

	assert(!m->text.overflow);
	unit->len = m->text.len - unit->offset;
}

#define LINE(m, ...) bytes_printf(&(m)->text, __VA_ARGS__)

static void add_link(struct maker *m, const char *directory, const char *name, const char *target)
{
	begin(m, true, "%s/%s", directory, name);
	LINE(m, "%s", target);
	end(m);
}

/* A unit of ours in the same directory: links point beside themselves. */
static void add_own_link(struct maker *m, const char *directory, const char *name)
{
	begin(m, true, "%s/%s", directory, name);
	LINE(m, "../%s", name);
	end(m);
}

static unsigned long long seconds(usec_t time)
{
	return (unsigned long long)((time + USEC_PER_SEC - 1) / USEC_PER_SEC);
}

static bool needs_disk(const struct plan *plan)
{
	return plan->local != PLAN_LOCAL_NONE && plan->refused[0] == '\0';
}

/* What goes to a disk is fetched by who writes it there, if it is not there. */
static bool needs_fetch(const struct plan *plan)
{
	return plan->kind == PLAN_HTTP && !needs_disk(plan) && plan->refused[0] == '\0';
}

static bool needs_device(const struct plan *plan)
{
	return plan->kind == PLAN_DEVICE && plan->refused[0] == '\0';
}

static bool needs_upper_device(const struct plan *plan)
{
	return plan->overlay && plan->upper == PLAN_UPPER_DEVICE && plan->refused[0] == '\0';
}

/* A root that stays on a file server: layers itself speaks with it. */
static bool needs_server(const struct plan *plan)
{
	return (plan->kind == PLAN_NFS || plan->kind == PLAN_CIFS) && !needs_disk(plan) &&
	       plan->refused[0] == '\0';
}

static void put_head(struct maker *m, const char *description)
{
	LINE(m,
	     "# Made by cci-generator from the kernel command line.\n"
	     "[Unit]\n"
	     "Description=%s\n"
	     "Documentation=man:cci-init(8)\n"
	     "DefaultDependencies=no\n",
	     description);
}

/* A step of the boot: fails into the report. */
static void put_step_head(struct maker *m, const char *description)
{
	put_head(m, description);
	LINE(m, "Conflicts=shutdown.target\n"
	        "Before=shutdown.target\n"
	        "OnFailure=cci-report.service\n"
	        "OnFailureJobMode=replace-irreversibly\n");
}

static void put_service(struct maker *m, const char *verb, unsigned long long timeout)
{
	LINE(m,
	     "\n[Service]\n"
	     "Type=oneshot\n"
	     "RemainAfterExit=yes\n"
	     "ExecStart=" CCI_INIT_PROGRAM " %s\n"
	     "StandardOutput=journal+console\n"
	     "StandardError=journal+console\n"
	     "TimeoutStartSec=%llu\n",
	     verb, timeout);
}

/* Makes the network come up for those units that want it, and for as long as the plan allows. */
static void add_network(struct maker *m, const struct plan *plan)
{
	if (!plan->networkd)
		return;
	begin(m, false, "systemd-networkd-wait-online.service.d/z-cci.conf");
	LINE(m,
	     "# Made by cci-generator: any one interface, within cci.timeout.\n"
	     "[Service]\n"
	     "ExecStart=\n"
	     "ExecStart=/lib/systemd/systemd-networkd-wait-online --any --timeout=%llu\n"
	     "TimeoutStartSec=%llu\n",
	     seconds(plan->timeout), seconds(plan->timeout) + 5);
	end(m);
	add_link(m, "network-online.target.wants", "systemd-networkd-wait-online.service",
	         SYSTEM_UNITS "systemd-networkd-wait-online.service");
}

static void add_fetch(struct maker *m, const struct plan *plan)
{
	unsigned long long timeout =
		seconds(plan->timeout) + FETCH_SEC + plan->size / FETCH_SLOW_RATE;

	begin(m, false, "cci-fetch.service");
	put_step_head(m, "Fetch the root image");
	LINE(m, "Wants=network-online.target\n"
	        "After=network-online.target dracut-initqueue.service\n");
	put_service(m, "fetch", timeout);
	/* a slow but steady download may ask for more time (EXTEND_TIMEOUT_USEC=) */
	LINE(m, "NotifyAccess=main\n");
	end(m);
	if (plan->networkd)
		add_link(m, "cci-fetch.service.wants", "systemd-networkd.service",
		         SYSTEM_UNITS "systemd-networkd.service");
}

/*
 * The network comes up beside it; cci-init waits for it when a source is not on a disk yet. deploy
 * waits in any case, since it hands the network over.
 */
static void add_disk(struct maker *m, const struct plan *plan)
{
	begin(m, false, "cci-disk.service");
	put_step_head(m, "Make the root on a disk");
	LINE(m, "Wants=network-online.target\n"
	        "After=dracut-initqueue.service systemd-udevd.service\n");
	put_service(m, "disk", 2 * seconds(plan->timeout) + DISK_SEC);
	/* a process of its own fetches the image */
	LINE(m, "NotifyAccess=all\n");
	end(m);
	if (plan->networkd)
		add_link(m, "cci-disk.service.wants", "systemd-networkd.service",
		         SYSTEM_UNITS "systemd-networkd.service");
}

static void put_requires(struct maker *m, const char *unit)
{
	LINE(m, "Requires=%s\nAfter=%s\n", unit, unit);
}

static void put_device_requires(struct maker *m, const char *node)
{
	char name[UNIT_NAME_MAX];
	int r = unit_name_from_node(node, name);

	assert(r == 0);
	put_requires(m, name);
}

/* A device that does not appear fails after cci.timeout: sorts behind dracut's timeout.conf. */
static void add_device_timeout(struct maker *m, const struct plan *plan, const char *node)
{
	char name[UNIT_NAME_MAX];
	int r = unit_name_from_node(node, name);

	assert(r == 0);
	begin(m, false, "%s.d/z-cci.conf", name);
	LINE(m,
	     "# Made by cci-generator: cci.timeout.\n"
	     "[Unit]\n"
	     "JobTimeoutSec=%llu\n"
	     "JobRunningTimeoutSec=%llu\n",
	     seconds(plan->timeout), seconds(plan->timeout));
	end(m);
}

static void add_layers(struct maker *m, const struct plan *plan)
{
	begin(m, false, "cci-layers.service");
	put_step_head(m, "Make the layers of the root");
	if (needs_fetch(plan))
		put_requires(m, "cci-fetch.service");
	if (needs_disk(plan))
		put_requires(m, "cci-disk.service");
	if (needs_device(plan))
		put_device_requires(m, plan->device);
	if (needs_upper_device(plan))
		put_device_requires(m, plan->upper_device);
	if (needs_server(plan))
		LINE(m, "Wants=network-online.target\n"
		        "After=network-online.target dracut-initqueue.service\n");
	put_service(m, "layers",
	            LAYERS_SEC + (needs_server(plan) ? seconds(plan->timeout) + SERVER_SEC : 0));
	end(m);
	if (needs_server(plan) && plan->networkd)
		add_link(m, "cci-layers.service.wants", "systemd-networkd.service",
		         SYSTEM_UNITS "systemd-networkd.service");
	if (needs_device(plan))
		add_device_timeout(m, plan, plan->device);
	if (needs_upper_device(plan))
		add_device_timeout(m, plan, plan->upper_device);
}

static void put_what(struct maker *m, const struct plan *plan)
{
	if (plan->overlay) {
		LINE(m, "What=cci-root\n"
		        "Type=overlay\n"
		        "Options=lowerdir=" CCI_LOWER_DIR ",upperdir=" CCI_UPPER_DIR
		        ",workdir=" CCI_WORK_DIR "\n");
	} else if (needs_server(plan)) {
		/* layers has mounted it, with what systemd should not see or wait for */
		LINE(m,
		     "What=cci-root\n"
		     "Type=none\n"
		     "Options=bind%s\n",
		     plan->read_only ? ",ro" : "");
	} else if (needs_disk(plan)) {
		/* layers has mounted it: named here, its node would be waited for, and udev without
		   rules for device-mapper never tells of it */
		LINE(m, "What=cci-root\n"
		        "Type=none\n"
		        "Options=bind\n");
	} else if (plan->kind == PLAN_DEVICE) {
		LINE(m, "What=");
		unit_name_append_value(&m->text, plan->device);
		LINE(m, "\nOptions=%s\n", plan->read_only ? "ro" : "rw");
	} else {
		/* an image without overlay: it stays where layers mounted it, read-only */
		LINE(m, "What=" CCI_LOWER_DIR "\n"
		        "Type=none\n"
		        "Options=bind,ro\n");
	}
}

static void add_sysroot(struct maker *m, const struct plan *plan)
{
	begin(m, false, "sysroot.mount");
	put_head(m, plan->overlay ? "The root, an overlay" : "The root");
	LINE(m, "Before=initrd-root-fs.target\n"
	        "OnFailure=cci-report.service\n"
	        "OnFailureJobMode=replace-irreversibly\n");
	put_requires(m, "cci-layers.service");
	LINE(m, "\n[Mount]\nWhere=" CCI_NEW_ROOT "\n");
	put_what(m, plan);
	LINE(m, "TimeoutSec=%d\n", MOUNT_SEC);
	end(m);
	add_own_link(m, "initrd-root-fs.target.requires", "sysroot.mount");
}

static void add_deploy(struct maker *m, const struct plan *plan)
{
	begin(m, false, "cci-deploy.service");
	put_step_head(m, "Fit the new root for this machine");
	put_requires(m, "sysroot.mount");
	LINE(m, "Before=initrd-root-fs.target\n");
	if (needs_disk(plan) && plan->kind != PLAN_DEVICE)
		LINE(m, "After=network-online.target\n");
	put_service(m, "deploy", DEPLOY_SEC);
	end(m);
	add_own_link(m, "initrd-root-fs.target.requires", "cci-deploy.service");
}

/*
 * Of an image's fstab deploy leaves nothing that would be mounted before switch-root, so systemd
 * need not look at it; what is left of its unit begins the end of the initramfs.
 */
static void add_parse_etc(struct maker *m)
{
	begin(m, false, "initrd-parse-etc.service.d/z-cci.conf");
	LINE(m, "# Made by cci-generator: cci-deploy has seen to fstab.\n"
	        "[Service]\n"
	        "ExecStart=\n"
	        "ExecStart=systemctl --no-block start initrd-cleanup.service\n");
	end(m);
}

/* What happens after the report, whether it was sent or not: there is always an end. */
static void put_end(struct maker *m, const struct plan *plan)
{
	const char *action = plan->onfail == BOOT_ONFAIL_POWEROFF ? "poweroff" : "reboot";

	if (plan->onfail == BOOT_ONFAIL_SHELL && plan->has_shell)
		LINE(m, "OnSuccess=emergency.target\n"
		        "OnSuccessJobMode=replace-irreversibly\n"
		        "OnFailure=emergency.target\n"
		        "OnFailureJobMode=replace-irreversibly\n");
	else
		LINE(m,
		     "SuccessAction=%s-force\n"
		     "FailureAction=%s-force\n"
		     "JobTimeoutAction=%s-force\n",
		     action, action, action);
	LINE(m, "JobTimeoutSec=%llu\n", seconds(plan->timeout) + 2 * REPORT_SEC);
}

static void add_report(struct maker *m, const struct plan *plan)
{
	begin(m, false, "cci-report.service");
	put_head(m, "Report the boot that failed, then end it");
	LINE(m, "Wants=network-online.target\n"
	        "After=network-online.target\n");
	put_end(m, plan);
	LINE(m,
	     "\n[Service]\n"
	     "Type=oneshot\n"
	     "ExecStart=" CCI_INIT_PROGRAM " report\n"
	     "StandardOutput=journal+console\n"
	     "StandardError=journal+console\n"
	     "TimeoutStartSec=%d\n",
	     REPORT_SEC);
	end(m);
	if (plan->networkd)
		add_link(m, "cci-report.service.wants", "systemd-networkd.service",
		         SYSTEM_UNITS "systemd-networkd.service");
}

void units_make(const struct plan *plan, struct units *ret)
{
	struct maker m = { .units = ret };

	ret->n_units = 0;
	m.text = (struct bytes){ .data = (uint8_t *)ret->text, .cap = sizeof(ret->text) };
	add_network(&m, plan);
	if (needs_fetch(plan))
		add_fetch(&m, plan);
	if (needs_disk(plan))
		add_disk(&m, plan);
	add_layers(&m, plan);
	add_sysroot(&m, plan);
	if (plan->refused[0] == '\0') {
		add_deploy(&m, plan);
		if (plan->overlay)
			add_parse_etc(&m);
	}
	add_report(&m, plan);
	ret->text_len = m.text.len;
}

struct slice units_text(const struct units *units, const struct unit *unit)
{
	return slice_make(units->text + unit->offset, unit->len);
}
