/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Old results and events removed while everything else goes on: retention_service says what, a
 * worker removes it in pieces with pauses between them.
 */
#pragma once

struct event_base;
struct remover;
struct retention_service;
struct worker_pool;

/* All borrowed until remover_free. Returns 0 or -ENOMEM. */
int remover_new(struct event_base *base, struct retention_service *retention,
                struct worker_pool *workers, struct remover **ret);

/* To be freed before the workers. NULL is fine. */
struct remover *remover_free(struct remover *remover);
