/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Tables. Times named _wall are microseconds since 1970 (they are for people and for leases that
 * outlive the process); everything is STRICT.
 */
#include "server/store/schema.h"

#include "lib/base/macro.h"

/* One row a client: its address, now or formerly, and the boot it is in. */
#define LEASE_TABLES                                                                               \
	"CREATE TABLE leases ("                                                                    \
	" key BLOB PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255)," /* core/lease */            \
	" mac BLOB NOT NULL CHECK (length(mac) = 6),"                                              \
	" address INTEGER NOT NULL UNIQUE," /* host order */                                       \
	" expires_wall INTEGER NOT NULL,"                                                          \
	" seen_wall INTEGER NOT NULL,"                                                             \
	" arch INTEGER,"                       /* option 93, NULL when none was ever sent */       \
	" hostname TEXT,"                      /* option 12 */                                     \
	" session INTEGER NOT NULL DEFAULT 0," /* boot session: see boot_service */                \
	" session_xid INTEGER NOT NULL DEFAULT 0"                                                  \
	") STRICT;"                                                                                \
	"CREATE INDEX leases_mac ON leases(mac, seen_wall);"

#define HOST_TABLES                                                                                \
	"CREATE TABLE hosts ("                                                                     \
	" name TEXT PRIMARY KEY,"                                                                  \
	" state TEXT NOT NULL," /* core/host_machine */                                            \
	" flags INTEGER NOT NULL DEFAULT 0,"                                                       \
	" document TEXT NOT NULL DEFAULT '{}'," /* keys of a host file as JSON */                  \
	" seen_wall INTEGER"                                                                       \
	") STRICT;"                                                                                \
	"CREATE TABLE host_macs ("                                                                 \
	" mac BLOB PRIMARY KEY,"                                                                   \
	" host TEXT NOT NULL REFERENCES hosts(name) ON UPDATE CASCADE ON DELETE CASCADE"           \
	") STRICT;"                                                                                \
	"CREATE INDEX host_macs_host ON host_macs(host);"                                          \
	"CREATE TABLE host_queues ("                                                               \
	" host TEXT NOT NULL," /* may be set before the host is known */                           \
	" queue TEXT NOT NULL,"                                                                    \
	" PRIMARY KEY (host, queue)"                                                               \
	") STRICT, WITHOUT ROWID;"

#define JOB_TABLES                                                                                 \
	"CREATE TABLE jobs ("                                                                      \
	" id INTEGER PRIMARY KEY AUTOINCREMENT," /* job id on the wire: <lab>.<id> */              \
	" state TEXT NOT NULL,"                  /* core/job_machine */                            \
	" verdict TEXT, cause TEXT, upload TEXT, reason TEXT,"                                     \
	" queue TEXT NOT NULL,"                                                                    \
	" testbox TEXT NOT NULL,"                                                                  \
	" priority INTEGER NOT NULL DEFAULT 5,"                                                    \
	" document TEXT NOT NULL," /* the whole job as JSON */                                     \
	" result_root TEXT NOT NULL,"                                                              \
	" tries INTEGER NOT NULL DEFAULT 0,"                                                       \
	" idempotency_key TEXT UNIQUE,"                                                            \
	" submitted_wall INTEGER NOT NULL,"                                                        \
	" finished_wall INTEGER"                                                                   \
	") STRICT;"                                                                                \
	"CREATE INDEX jobs_open ON jobs(state, priority, id);"

/* S1, S2 and S4 of state-machines also as indexes: a scheduler bug is an error, not a double run.
 */
#define ATTEMPT_TABLES                                                                             \
	"CREATE TABLE attempts ("                                                                  \
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                   \
	" job INTEGER NOT NULL REFERENCES jobs(id),"                                               \
	" host TEXT NOT NULL,"                                                                     \
	" mac BLOB NOT NULL,"                                                                      \
	" state TEXT NOT NULL,"      /* core/attempt_machine */                                    \
	" is_open INTEGER NOT NULL," /* 1 while the state is not final */                          \
	" session INTEGER NOT NULL," /* boot session it was offered to */                          \
	" token TEXT NOT NULL UNIQUE,"                                                             \
	" fence INTEGER NOT NULL,"                                                                 \
	" boot_id TEXT,"    /* of the kernel that said hello */                                    \
	" address INTEGER," /* of the client it was offered to */                                  \
	" deadline_wall INTEGER,"                                                                  \
	" cause TEXT,"                                                                             \
	" offered_wall INTEGER NOT NULL,"                                                          \
	" ended_wall INTEGER"                                                                      \
	") STRICT;"                                                                                \
	"CREATE UNIQUE INDEX one_active_attempt ON attempts(job) WHERE is_open = 1;"               \
	"CREATE UNIQUE INDEX one_job_per_host ON attempts(host) WHERE is_open = 1;"                \
	"CREATE INDEX attempts_job ON attempts(job);"                                              \
	"CREATE TABLE manifests ("                                                                 \
	" attempt INTEGER PRIMARY KEY REFERENCES attempts(id)," /* at most one each: S4 */         \
	" document TEXT NOT NULL,"                                                                 \
	" committed_wall INTEGER NOT NULL"                                                         \
	") STRICT;"                                                                                \
	"CREATE TABLE files ("                                                                     \
	" attempt INTEGER NOT NULL REFERENCES attempts(id),"                                       \
	" name TEXT NOT NULL,"                                                                     \
	" size INTEGER NOT NULL,"                                                                  \
	" sha256 TEXT NOT NULL,"                                                                   \
	" stored_wall INTEGER NOT NULL,"                                                           \
	" PRIMARY KEY (attempt, name)"                                                             \
	") STRICT;"

/* The one event table: audit, live stream, picture of the boot. */
#define EVENT_TABLES                                                                               \
	"CREATE TABLE events ("                                                                    \
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                   \
	" wall INTEGER NOT NULL,"                                                                  \
	" mono INTEGER NOT NULL,"                                                                  \
	" kind TEXT NOT NULL," /* names of interfaces.md 7 */                                      \
	" host TEXT, mac BLOB, job INTEGER, attempt INTEGER,"                                      \
	" fields TEXT NOT NULL DEFAULT '{}'" /* JSON: bytes, seconds, file, reason, ... */         \
	") STRICT;"                                                                                \
	"CREATE INDEX events_job ON events(job, id);"                                              \
	"CREATE INDEX events_mac ON events(mac, id);"

const char *const schema_migrations[] = {
	LEASE_TABLES HOST_TABLES JOB_TABLES ATTEMPT_TABLES EVENT_TABLES,
};
const size_t schema_n_migrations = ARRAY_SIZE(schema_migrations);
