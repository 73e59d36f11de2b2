/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The machines whose boot request is held, so that one that nothing changed for is put back without
 * a look at the database: with hundreds of them, each event would cost a transaction a machine.
 */
#pragma once

#include "server/service/context.h"

/* Most machines remembered; past it requests are held all the same, only less cheaply. */
#define HELD_MAX 65536

void held_init(struct services *s);
void held_deinit(struct services *s);

/* Remembers that this machine was looked at now. */
void held_note(struct services *s, struct mac mac);

/* Whether nothing a machine waits for has changed since held_note. */
bool held_is_current(const struct services *s, struct mac mac);

void held_forget(struct services *s, struct mac mac);
void held_forget_all(struct services *s);
size_t held_count(const struct services *s);
