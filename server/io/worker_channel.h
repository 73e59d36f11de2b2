/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One end of the socketpair between main and a worker: whole messages with file descriptors, never
 * waiting. What the other end does not take yet is queued.
 */
#pragma once

#include <stddef.h>

#include "server/core/worker_message.h"

struct event_base;
struct worker_channel;

/* A message came; slices are valid during the call; fd (-1: none) belongs to the callee. */
typedef void (*worker_message_fn)(void *userdata, const struct worker_message *message, int fd);

/* The other end has gone, or sent nonsense. Called once, nothing is called after it; the channel
 * may be freed in it. */
typedef void (*worker_gone_fn)(void *userdata);

/* Takes fd, a SOCK_SEQPACKET socket, also on an error. Returns 0 or -errno. */
int worker_channel_new(struct event_base *base, int fd, worker_message_fn message,
                       worker_gone_fn gone, void *userdata, struct worker_channel **ret);

struct worker_channel *worker_channel_free(struct worker_channel *channel);

/*
 * Sends a message, and fd (-1: none) beside it. Takes fd, also on an error.
 * Returns 0, -ENOMEM, or -EMSGSIZE for one that is longer than WORKER_MESSAGE_MAX. That the other
 * end has gone is told by worker_gone_fn, not here.
 */
int worker_channel_send(struct worker_channel *channel, const struct worker_message *message,
                        int fd);
