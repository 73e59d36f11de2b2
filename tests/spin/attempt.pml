/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The protocol of one job's attempts: server, two machines that may be reset at any step, a network.
 *
 * A message once sent stays where it is and may arrive never, late, again, or behind others. What the
 * server does on one of them is one commit; its answer may be lost with the server (ANSWER), which is
 * all that a crash between two commits can change: deadlines are armed anew, and here they pass
 * whenever they like, save one. That one is the run's: an agent kills its code by itself when the
 * time it was last told is over, and `now` waits for that as a monotonic clock does.
 *
 * Defects are seeded by -D; each must be found: see test_spin.py.
 */
#define H 2      /* machines */
#ifndef L
#define L 2      /* lives of a machine: one more than its resets */
#endif
#ifndef A
#define A 3      /* attempts */
#endif
#ifndef T
#define T 1      /* the end of time */
#endif
#define NONE 9

#define ANSWER(what) if :: what :: skip fi

mtype = { QUEUED, OFFERED, BOOTING, RUNNING, REBOOTING, CANCELLING, FINAL };

/* the server's store: the job, its open attempt */
mtype st = QUEUED;
byte fence = 0;             /* of the newest attempt, which is the open one when there is one */
byte host, session, boot;   /* whose it is; the boots it was offered to and that said hello */
byte until;                 /* the run's end */
byte now = 0, n_results = 0;

/* machines: in which life, with which attempt, how far */
byte life[H], mine[H], limit[H];
bool executes[H], began[H];

/* what was sent in each life: the attempt it is about */
#define AT(h, l) ((h) * L + (l))
bool asked[H * L];
byte script[H * L], hello[H * L], finish[H * L], reboot[H * L];
byte granted[H * L];        /* bits: "you may run until n" */

byte h, l, n;

inline requeue()
{
	if
	:: fence < A -> st = QUEUED
	:: else -> st = FINAL
	fi
}

inline begin_code(until_when)
{
	executes[h] = true;
	began[h] = true;
	limit[h] = until_when;
	assert(executes[0] + executes[1] <= 1)          /* S7 */
}

inline offer()
{
	fence++;
	st = OFFERED;
	host = h;
	session = l;
	boot = NONE;
	ANSWER(script[AT(h, l)] = fence)
}

/* A late question of an earlier life is an echo: DHCP knows the present one. */
#ifdef NO_SESSION
#define IS_NEW_BOOT true
#else
#define IS_NEW_BOOT (l == life[h] && l != session)
#endif

inline take_boot()
{
	if
	:: st == QUEUED -> offer()
	:: st == OFFERED && host == h ->
		if
		:: IS_NEW_BOOT -> session = l
		:: else
		fi;
		ANSWER(script[AT(h, l)] = fence)
	:: st == REBOOTING && host == h ->
		if
		:: IS_NEW_BOOT -> session = l
		:: else
		fi;
		ANSWER(script[AT(h, l)] = fence)
	:: (st == BOOTING || st == RUNNING) && host == h && IS_NEW_BOOT ->
		requeue();                              /* it was reset under its attempt */
		if
		:: st == QUEUED -> offer()
		:: else
		fi
	:: st == CANCELLING && host == h && IS_NEW_BOOT -> st = FINAL
	:: else                                         /* waits */
	fi
}

inline go_on()
{
	st = RUNNING;
	if
	:: boot == NONE -> until = now
	:: else
	fi;
	boot = l;
	ANSWER(granted[AT(h, l)] = granted[AT(h, l)] | (1 << until))
}

/*
 * A hello that comes when its machine has been reset, has booted again and has been heard is taken for
 * a reset, and the attempt is given up under a machine that runs it. It would have to be under way for
 * longer than a boot; TCP gives it up with its machine, so we do not let it arrive. LATE_HELLO does.
 */
#ifdef LATE_HELLO
#define HELLO_ARRIVES true
#else
#define HELLO_ARRIVES (l == life[h])
#endif

inline take_hello()
{
	if
	:: hello[AT(h, l)] != fence || host != h || st == FINAL || st == QUEUED   /* 410 */
	:: else ->
		if
		:: st == CANCELLING
		:: st == OFFERED || st == BOOTING -> go_on()
		:: st == REBOOTING && boot != l -> go_on()
		:: st == REBOOTING && boot == l                 /* late: nothing changes */
		:: st == RUNNING && boot == l -> go_on()
		:: st == RUNNING && boot != l -> requeue()
		fi
	fi
}

#ifdef NO_BOOT_ID
#define OF_THIS_BOOT true
#else
#define OF_THIS_BOOT (boot == l)
#endif

inline take_reboot()
{
	if
	:: reboot[AT(h, l)] == fence && host == h && st == RUNNING && OF_THIS_BOOT -> st = REBOOTING
	:: else
	fi
}

#ifdef NO_FENCE
#define MAY_FINISH true
#else
#define MAY_FINISH (finish[AT(h, l)] == fence && host == h && \
	(st == RUNNING || st == REBOOTING || st == CANCELLING))
#endif

inline take_finish()
{
	if
	:: MAY_FINISH ->
		n_results++;
		assert(n_results <= 1);                         /* S4 */
		st = FINAL
	:: else
	fi
}

inline miss_deadline()
{
	if
	:: st == OFFERED || st == BOOTING || st == REBOOTING -> requeue()
	:: st == RUNNING && now > until ->
		assert(!executes[host] || mine[host] != fence); /* the agent was first */
		st = FINAL
	:: st == CANCELLING -> st = FINAL
	fi
}

inline cancel()
{
	if
	:: st == QUEUED || st == OFFERED || st == BOOTING -> st = FINAL
	:: st == RUNNING || st == REBOOTING -> st = CANCELLING
	fi
}

inline renew()
{
	l = boot;
	h = host;
#ifdef ANSWER_BEFORE_COMMIT
	granted[AT(h, l)] = granted[AT(h, l)] | (1 << (until + 1));
	if
	:: until++
	:: skip
	fi
#else
	until++;
	ANSWER(granted[AT(h, l)] = granted[AT(h, l)] | (1 << until))
#endif
}

inline reset()
{
	life[h]++;
	mine[h] = 0;
	executes[h] = false;
	began[h] = false;
	limit[h] = 0
}

/* Time passes when no code runs past what its agent was told. */
#define MAY_PASS(m) (!executes[m] || now < limit[m])

#define LIFE life[h]
#define HERE AT(h, life[h])

active proctype world()
{
	do
	/* the server: something arrives */
	:: atomic { select(h : 0 .. 1); select(l : 0 .. L - 1);
		if
		:: asked[AT(h, l)] -> take_boot()
		:: hello[AT(h, l)] && HELLO_ARRIVES -> take_hello()
		:: reboot[AT(h, l)] -> take_reboot()
		:: finish[AT(h, l)] -> take_finish()
		:: else
		fi; h = 0; l = 0 }
	:: atomic { st == OFFERED && mine[host] == fence -> st = BOOTING }   /* the kernel was sent */
	/* or by itself, or for a person */
	:: atomic { st == OFFERED || st == BOOTING || st == REBOOTING || st == CANCELLING ||
		(st == RUNNING && now > until) -> miss_deadline() }
	:: atomic { st != FINAL && st != CANCELLING -> cancel() }
	:: atomic { st == RUNNING && until < T -> renew(); h = 0; l = 0 }
	:: atomic { now < T && MAY_PASS(0) && MAY_PASS(1) -> now++ }
	/* a machine */
	:: atomic { select(h : 0 .. 1);
		if
		:: mine[h] == 0 -> asked[HERE] = true
		:: mine[h] == 0 && script[HERE] -> mine[h] = script[HERE]
		:: mine[h] && !began[h] -> hello[HERE] = mine[h];
#ifdef EARLY_START
			begin_code(T)
#endif
		:: mine[h] && granted[HERE] ->
			select(n : 0 .. T);
			if
			:: !(granted[HERE] & (1 << n)) || n < now
			:: else ->
				if
				:: !began[h] -> begin_code(n)
				:: executes[h] && n > limit[h] -> limit[h] = n
				:: else
				fi
			fi; n = 0
		:: executes[h] -> executes[h] = false; finish[HERE] = mine[h]
		:: executes[h] && LIFE < L - 1 -> executes[h] = false; reboot[HERE] = mine[h]
		:: executes[h] && st == CANCELLING -> executes[h] = false; finish[HERE] = mine[h]
		:: LIFE < L - 1 -> reset()
		:: else
		fi; h = 0 }
	od
}
