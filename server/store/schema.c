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
	" state TEXT NOT NULL,"                 /* core/host_machine */                            \
	" flags INTEGER NOT NULL DEFAULT 0,"    /* enum host_flag */                               \
	" reason TEXT NOT NULL DEFAULT '',"     /* of a drain and its like */                      \
	" arch TEXT NOT NULL DEFAULT '',"       /* from document; empty: not known */              \
	" memory INTEGER NOT NULL DEFAULT 0,"   /* bytes, from document; 0: not known */           \
	" document TEXT NOT NULL DEFAULT '{}'," /* keys of a host file as JSON */                  \
	" seen_wall INTEGER NOT NULL DEFAULT 0"                                                    \
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

/* Times named _steady are on the server's steady clock: see server/core/attempt.h. */
#define JOB_TABLES                                                                                 \
	"CREATE TABLE jobs ("                                                                      \
	" id INTEGER PRIMARY KEY AUTOINCREMENT," /* job id on the wire: <lab>.<id> */              \
	" state TEXT NOT NULL,"                  /* core/job_machine */                            \
	" verdict TEXT NOT NULL DEFAULT '',"                                                       \
	" cause TEXT NOT NULL DEFAULT '',"                                                         \
	" upload TEXT NOT NULL DEFAULT '',"                                                        \
	" reason TEXT NOT NULL DEFAULT '',"                                                        \
	" suite TEXT NOT NULL,"                                                                    \
	" testbox TEXT NOT NULL,"                                                                  \
	" tbox_group TEXT NOT NULL,"                                                               \
	" queue TEXT NOT NULL,"                                                                    \
	" queue_2 TEXT NOT NULL DEFAULT '',"                                                       \
	" arch TEXT NOT NULL DEFAULT '',"                                                          \
	" priority INTEGER NOT NULL DEFAULT 0," /* higher goes first */                            \
	" document TEXT NOT NULL,"              /* the whole job as JSON */                        \
	" result_root TEXT NOT NULL DEFAULT '',"                                                   \
	" tries INTEGER NOT NULL DEFAULT 0,"                                                       \
	" max_tries INTEGER NOT NULL,"                                                             \
	" lost_offers INTEGER NOT NULL DEFAULT 0,"                                                 \
	" run_limit INTEGER NOT NULL,"                                                             \
	" not_before_steady INTEGER NOT NULL DEFAULT 0,"                                           \
	" expires_steady INTEGER NOT NULL,"                                                        \
	" attempt INTEGER NOT NULL DEFAULT 0," /* whose results count; 0: none */                  \
	" idempotency_key TEXT UNIQUE,"                                                            \
	" idempotency_hash INTEGER," /* of the body that came with the key */                      \
	" submitted_wall INTEGER NOT NULL,"                                                        \
	" finished_wall INTEGER NOT NULL DEFAULT 0"                                                \
	") STRICT;"                                                                                \
	"CREATE INDEX jobs_state ON jobs(state, id);"                                              \
	"CREATE INDEX jobs_testbox ON jobs(testbox, state);"                                       \
	"CREATE INDEX jobs_group ON jobs(tbox_group, state);"                                      \
	"CREATE INDEX jobs_queue ON jobs(queue, state);"                                           \
	"CREATE INDEX jobs_queue_2 ON jobs(queue_2, state) WHERE queue_2 <> '';"

/*
 * S1, S2 and S4 of state-machines also as indexes: a scheduler bug is an error, not a double run.
 * The id of an attempt rises with each offer of this server: it is its fence.
 */
#define ATTEMPT_TABLES                                                                             \
	"CREATE TABLE attempts ("                                                                  \
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                   \
	" job INTEGER NOT NULL REFERENCES jobs(id),"                                               \
	" host TEXT NOT NULL,"                                                                     \
	" mac BLOB NOT NULL,"                                                                      \
	" state TEXT NOT NULL,"      /* core/attempt_machine */                                    \
	" is_open INTEGER NOT NULL," /* 1 while the state is not final */                          \
	" session INTEGER NOT NULL," /* boot session it was last served to */                      \
	" token TEXT NOT NULL UNIQUE,"                                                             \
	" boot_id TEXT NOT NULL DEFAULT ''," /* of the kernel that said hello */                   \
	" address INTEGER NOT NULL,"         /* of the machine when it asked */                    \
	" server INTEGER NOT NULL,"          /* our address it asked at */                         \
	" kernel_path TEXT NOT NULL,"        /* URL path of its kernel */                          \
	" script TEXT NOT NULL,"             /* as handed out, to be handed out again */           \
	" verdict TEXT NOT NULL DEFAULT '',"                                                       \
	" cause TEXT NOT NULL DEFAULT '',"                                                         \
	" deadline_steady INTEGER NOT NULL,"                                                       \
	" seen_steady INTEGER NOT NULL," /* last sign of life */                                   \
	" offered_wall INTEGER NOT NULL,"                                                          \
	" hello_wall INTEGER NOT NULL DEFAULT 0,"                                                  \
	" ended_wall INTEGER NOT NULL DEFAULT 0"                                                   \
	") STRICT;"                                                                                \
	"CREATE UNIQUE INDEX one_active_attempt ON attempts(job) WHERE is_open = 1;"               \
	"CREATE UNIQUE INDEX one_job_per_host ON attempts(host) WHERE is_open = 1;"                \
	"CREATE INDEX attempts_due ON attempts(deadline_steady) WHERE is_open = 1;"                \
	"CREATE INDEX attempts_job ON attempts(job);"                                              \
	"CREATE INDEX attempts_host ON attempts(host);"                                            \
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

/* Kinds of jobs, held ones, whose they are; runs that may be made longer; reserved hosts. */
#define MACHINE_COLUMNS                                                                            \
	"ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'user';"                           \
	"ALTER TABLE jobs ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0;"                          \
	"ALTER TABLE jobs ADD COLUMN submitter TEXT NOT NULL DEFAULT '';"                          \
	"UPDATE jobs SET submitter = substr(CAST(coalesce("                                        \
	" nullif(json_extract(document, '$.my_account'), ''),"                                     \
	" json_extract(document, '$.my_email'), '') AS TEXT), 1, 128);"                            \
	"ALTER TABLE attempts ADD COLUMN run_limit INTEGER NOT NULL DEFAULT 0;"                    \
	"ALTER TABLE attempts ADD COLUMN run_until_steady INTEGER NOT NULL DEFAULT 0;"             \
	"UPDATE attempts SET run_limit = (SELECT run_limit FROM jobs WHERE id = attempts.job);"    \
	"UPDATE attempts SET run_until_steady = deadline_steady - 60000000"                        \
	" WHERE state = 'running';" /* RUN_MARGIN */                                               \
	"ALTER TABLE hosts ADD COLUMN reserved_for TEXT NOT NULL DEFAULT '';"                      \
	"ALTER TABLE hosts ADD COLUMN reserved_until_steady INTEGER NOT NULL DEFAULT 0;"           \
	"ALTER TABLE hosts ADD COLUMN checks_passed INTEGER NOT NULL DEFAULT 0;"                   \
	"CREATE INDEX attempts_infra ON attempts(host, ended_wall) WHERE state = 'infra';"         \
	"CREATE INDEX jobs_health ON jobs(testbox) WHERE kind = 'health';"

/* Tells lanes apart; later jobs of the same kind make a lane of their own beside such a one. */
#define OLD_LANE_KEY                                                                               \
	" json_array(testbox, tbox_group, queue, queue_2, arch, submitter, kind, priority)"

/*
 * Lanes: jobs of one submitter and priority that want the same machine wait in one, by their rank.
 * A host looks at the first job of each lane that has one of its names, so that what a claim costs
 * does not depend on how many jobs wait. is_ready: may be offered now; is_pending: has not begun.
 */
#define LANE_TABLES                                                                                \
	"CREATE TABLE lanes (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;"            \
	"CREATE TABLE lane_names ("                                                                \
	" name TEXT NOT NULL," /* a testbox, group or queue */                                     \
	" lane INTEGER NOT NULL REFERENCES lanes(id) ON DELETE CASCADE,"                           \
	" PRIMARY KEY (name, lane)) STRICT, WITHOUT ROWID;"                                        \
	"CREATE INDEX lane_names_lane ON lane_names(lane);"                                        \
	"CREATE TABLE shares ("                                                                    \
	" submitter TEXT PRIMARY KEY,"                                                             \
	" used INTEGER NOT NULL," /* core/share, at that moment: */                                \
	" at_steady INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                                      \
	"ALTER TABLE jobs ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;"                             \
	"ALTER TABLE jobs ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;"                             \
	"ALTER TABLE jobs ADD COLUMN is_pending INTEGER NOT NULL DEFAULT 0;"                       \
	"ALTER TABLE jobs ADD COLUMN is_ready INTEGER NOT NULL DEFAULT 0;"                         \
	"ALTER TABLE jobs ADD COLUMN is_idle INTEGER NOT NULL DEFAULT 0;"                          \
	"ALTER TABLE jobs ADD COLUMN memory INTEGER NOT NULL DEFAULT 0;"                           \
	"ALTER TABLE jobs ADD COLUMN n_hdd INTEGER NOT NULL DEFAULT 0;"                            \
	"ALTER TABLE jobs ADD COLUMN n_ssd INTEGER NOT NULL DEFAULT 0;"                            \
	"ALTER TABLE jobs ADD COLUMN tags TEXT NOT NULL DEFAULT '';"                               \
	"UPDATE jobs SET rank = submitted_wall - max(0, min(9, priority)) * 1800000000,"           \
	" priority = max(0, min(9, priority)),"                                                    \
	" is_pending = state IN ('queued', 'waiting'),"                                            \
	" is_ready = state IN ('queued', 'waiting') AND is_held = 0 AND not_before_steady = 0;"    \
	"INSERT INTO lanes (key) SELECT DISTINCT" OLD_LANE_KEY " FROM jobs"                        \
	" WHERE state IN ('queued', 'waiting', 'active');"                                         \
	"UPDATE jobs SET lane = coalesce((SELECT id FROM lanes WHERE key =" OLD_LANE_KEY "), 0)"   \
	" WHERE state IN ('queued', 'waiting', 'active');"                                         \
	"INSERT OR IGNORE INTO lane_names SELECT testbox, lane FROM jobs WHERE lane;"              \
	"INSERT OR IGNORE INTO lane_names SELECT tbox_group, lane FROM jobs WHERE lane;"           \
	"INSERT OR IGNORE INTO lane_names SELECT queue, lane FROM jobs WHERE lane;"                \
	"INSERT OR IGNORE INTO lane_names SELECT queue_2, lane FROM jobs"                          \
	" WHERE lane AND queue_2 <> '';"                                                           \
	"DROP INDEX jobs_testbox; DROP INDEX jobs_group;"                                          \
	"DROP INDEX jobs_queue; DROP INDEX jobs_queue_2;"                                          \
	"CREATE INDEX jobs_ready ON jobs(lane, rank, id) WHERE is_ready = 1;"                      \
	"CREATE INDEX jobs_later ON jobs(not_before_steady)"                                       \
	" WHERE is_pending = 1 AND is_ready = 0 AND is_held = 0;"                                  \
	"CREATE INDEX jobs_expires ON jobs(expires_steady) WHERE is_pending = 1;"                  \
	"ALTER TABLE hosts ADD COLUMN n_hdd INTEGER NOT NULL DEFAULT -1;"                          \
	"ALTER TABLE hosts ADD COLUMN n_ssd INTEGER NOT NULL DEFAULT -1;"                          \
	"ALTER TABLE hosts ADD COLUMN tags TEXT NOT NULL DEFAULT '';"

/*
 * What deadlines are learned from, the newest of each kind; state_limit: as learned or said, 0 of
 * attempts of before.
 */
#define STAGE_TABLES                                                                               \
	"CREATE TABLE stages ("                                                                    \
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                   \
	" host TEXT NOT NULL,"                                                                     \
	" os_mount TEXT NOT NULL,"                                                                 \
	" state TEXT NOT NULL," /* of the attempt that left it for the next one */                 \
	" length INTEGER NOT NULL) STRICT;"                                                        \
	"CREATE INDEX stages_host ON stages(host, os_mount, state, id);"                           \
	"ALTER TABLE attempts ADD COLUMN os_mount TEXT NOT NULL DEFAULT '';"                       \
	"ALTER TABLE attempts ADD COLUMN since_steady INTEGER NOT NULL DEFAULT 0;"                 \
	"ALTER TABLE attempts ADD COLUMN state_limit INTEGER NOT NULL DEFAULT 0;"

/* What all jobs of a lane have alike and a choice between lanes asks for, so that the choice reads
 * no job. */
#define LANE_COLUMNS                                                                               \
	"ALTER TABLE lanes ADD COLUMN submitter TEXT NOT NULL DEFAULT '';"                         \
	"ALTER TABLE lanes ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"                        \
	"ALTER TABLE lanes ADD COLUMN is_idle INTEGER NOT NULL DEFAULT 0;"                         \
	"UPDATE lanes SET submitter = j.submitter, priority = j.priority, is_idle = j.is_idle"     \
	" FROM (SELECT lane, submitter, priority, is_idle FROM jobs GROUP BY lane) j"              \
	" WHERE j.lane = lanes.id;"

/* What has become of a job's results: core/retention. */
#define RETENTION_COLUMNS                                                                          \
	"ALTER TABLE jobs ADD COLUMN is_kept INTEGER NOT NULL DEFAULT 0;"                          \
	"ALTER TABLE jobs ADD COLUMN results TEXT NOT NULL DEFAULT 'there';"                       \
	"ALTER TABLE jobs ADD COLUMN results_cause TEXT NOT NULL DEFAULT '';"                      \
	"ALTER TABLE jobs ADD COLUMN results_wall INTEGER NOT NULL DEFAULT 0;"                     \
	"CREATE INDEX jobs_results ON jobs(finished_wall)"                                         \
	" WHERE finished_wall > 0 AND results = 'there' AND is_kept = 0;"                          \
	"CREATE INDEX jobs_removing ON jobs(id) WHERE results = 'removing';"

/* What is wanted of a host's power: core/power. */
#define POWER_TABLES                                                                               \
	"CREATE TABLE power ("                                                                     \
	" host TEXT PRIMARY KEY REFERENCES hosts(name) ON UPDATE CASCADE ON DELETE CASCADE,"       \
	" phase TEXT NOT NULL,"                                                                    \
	" goal TEXT NOT NULL, action TEXT NOT NULL,"                                               \
	" tries INTEGER NOT NULL, is_asked INTEGER NOT NULL,"                                      \
	" at_steady INTEGER NOT NULL,"                                                             \
	" cause TEXT NOT NULL,"                                                                    \
	" last_wall INTEGER NOT NULL, last_action TEXT NOT NULL, last_error TEXT NOT NULL"         \
	") STRICT, WITHOUT ROWID;"                                                                 \
	"CREATE INDEX power_phase ON power(phase, at_steady) WHERE phase <> 'idle';"

/* Its first ready job stands in the lane itself, whoever writes a job: a choice between a hundred
 * lanes then costs half. */
#define FIRST_OF_LANE(lane)                                                                        \
	"(SELECT id, rank FROM jobs WHERE lane = " lane " AND is_ready = 1"                        \
	" ORDER BY rank, id LIMIT 1)"
#define LANE_HEADS                                                                                                                                  \
	"ALTER TABLE lanes ADD COLUMN head INTEGER;" /* a job; NULL: none is ready */                                                               \
	"ALTER TABLE lanes ADD COLUMN head_rank INTEGER;"                                                                                           \
	"UPDATE lanes SET (head, head_rank) = " FIRST_OF_LANE(                                                                                      \
		"lanes.id") ";"                                                                                                                     \
			    "CREATE TRIGGER lanes_of_new AFTER INSERT ON jobs WHEN NEW.is_ready = 1 BEGIN"                                          \
			    " UPDATE lanes SET (head, head_rank) = " FIRST_OF_LANE(                                                                 \
				    "NEW.lane") " WHERE id = NEW.lane; END;"                                                                        \
						"CREATE TRIGGER lanes_of_moved AFTER UPDATE OF lane, rank, is_ready ON jobs"                        \
						" WHEN OLD.is_ready <> NEW.is_ready OR OLD.rank <> NEW.rank OR OLD.lane <> NEW.lane BEGIN"          \
						" UPDATE lanes SET (head, head_rank) = " FIRST_OF_LANE(                                             \
							"lanes.id") " WHERE id IN (OLD.lane, NEW.lane); END;"                                       \
								    "CREATE TRIGGER lanes_of_gone AFTER DELETE ON jobs WHEN OLD.is_ready = 1 BEGIN" \
								    " UPDATE lanes SET (head, head_rank) = " FIRST_OF_LANE(                         \
									    "OLD.lane") " WHERE id = OLD.lane; END;"

const char *const schema_migrations[] = {
	LEASE_TABLES HOST_TABLES JOB_TABLES ATTEMPT_TABLES EVENT_TABLES,
	MACHINE_COLUMNS,
	LANE_TABLES,
	STAGE_TABLES,
	LANE_COLUMNS,
	RETENTION_COLUMNS,
	POWER_TABLES,
	LANE_HEADS,
};
const size_t schema_n_migrations = ARRAY_SIZE(schema_migrations);
