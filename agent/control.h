/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The control channel: what the agent tells the server of its attempt, one call at a time, and what
 * the server answers.
 */
#pragma once

#include <stdbool.h>

#include "agent/client.h"
#include "agent/identity.h"
#include "agent/spool.h"
#include "agent/step.h"
#include "lib/doc/message.h"

struct control;

/* The call has an answer, or none. body: what a 2xx said; NULL when it is no 2xx or unreadable. */
typedef void (*control_answer_fn)(void *userdata, const struct client_reply *reply,
                                  const struct message_answer *body);

/* client and id must outlive the channel. Returns 0 or -ENOMEM. */
int control_new(struct client *client, const struct identity *id, control_answer_fn on_answer,
                void *userdata, struct control **ret);

/* Forgets a call that is under way. */
void control_free(struct control *control);

/*
 * Sends step->call. For FINISH: the manifest of spool, and whether the job's output was cut.
 * Returns 0, then on_answer is called once, from the loop; or -errno.
 */
int control_send(struct control *control, const struct step *step, struct spool *spool,
                 bool is_output_cut);
