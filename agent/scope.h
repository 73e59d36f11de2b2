/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * systemd through its private socket /run/systemd/private, so that no D-Bus daemon is needed: a
 * transient scope around a process (org.freedesktop.systemd1(5), StartTransientUnit), and the start
 * of a target.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct scope_request;

/* r: 0 when the process is in the scope, -errno when that failed. Called once, never from within
 * scope_start. */
typedef void (*scope_done_fn)(void *userdata, int r);

/*
 * Asks systemd to put a process into a new scope `name` (ending in .scope) that lives and dies with
 * this service, if this is one. Returns 0 and a request to free, or -errno when systemd cannot be
 * asked.
 */
int scope_start(sd_event *event, const char *name, pid_t pid, scope_done_fn done, void *userdata,
                struct scope_request **ret);

/* Ends the request; done is not called any more. The scope stays. */
void scope_request_free(struct scope_request *request);

/*
 * Starts a unit as `systemctl --no-block --job-mode=replace-irreversibly start`. Returns 0 once
 * systemd has queued it, or -errno.
 */
int scope_start_unit(const char *unit);
