/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Main's side of the process that runs power commands: started before main is confined, given what
 * is due.
 */
#pragma once

#include "server/service/power_service.h"

struct event_base;
struct power_io;

/* Starts the process. Returns 0 or -errno. */
int power_io_new(struct event_base *base, struct power_service *service, struct power_io **ret);

/* Ends the process, and with it what it runs. NULL is fine. */
struct power_io *power_io_free(struct power_io *io);

/* Something may have become due: looks, in this turn of the loop or the next. NULL is fine. */
void power_io_poke(struct power_io *io);
