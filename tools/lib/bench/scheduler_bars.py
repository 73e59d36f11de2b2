# SPDX-License-Identifier: MulanPSL-2.0
"""The bars of the scheduler. Pure: numbers in, rows out."""


def rate(measured, count):
    return measured[count] / measured["seconds"]


# (what, value of the numbers, relation, limit, unit); limit None: told, not judged
BARS = (
    ("a claim, 10,000 jobs waiting, 99th percentile", lambda n: n["many"]["p99_ms"], "<=", 2.0,
     "ms CPU"),
    ("the same with 90,000 ended jobs beside them", lambda n: n["full"]["p99_ms"], "<=", 2.0,
     "ms CPU"),
    ("claim with 10,000 jobs waiting / with 100", lambda n: n["many"]["p50_ms"] / n["few"]["p50_ms"],
     "<=", 1.7, ""),
    ("claim with 100,000 jobs in the store / with 10,000",
     lambda n: n["full"]["p50_ms"] / n["many"]["p50_ms"], "<=", 1.3, ""),
    ("durable claims, one commit each", lambda n: rate(n["single"], "claims"), ">=", None, "1/s"),
    ("durable claims, 64 machines a turn", lambda n: rate(n["group"], "claims"), ">=", None, "1/s"),
    ("this disk: plain SQLite transactions of one row", lambda n: rate(n["peer"], "commits"), ">=",
     None, "1/s"),
    ("durable claims in groups / one commit each",
     lambda n: rate(n["group"], "claims") / rate(n["single"], "claims"), ">=", 1.5, ""),
    ("GET /v1/jobs, 100 rows, each with its reason", lambda n: n["list"]["p50_ms"], "<=", 5.0,
     "ms CPU"),
    ("start with a million events", lambda n: n["start"]["seconds"], "<=", 2.0, "s"),
)


def judge(numbers):
    """Rows {"what", "value", "relation", "limit", "unit", "met"}; met None: told only."""
    rows = []
    for what, value, relation, limit, unit in BARS:
        got = value(numbers)
        met = None
        if limit is not None:
            met = got <= limit if relation == "<=" else got >= limit
        rows.append({"what": what, "value": got, "relation": relation, "limit": limit, "unit": unit,
                     "met": met})
    return rows
