/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/http_date.h"

#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define DAY_SECONDS   86400
#define LAST_SECOND   INT64_C(253402300799) /* 9999-12-31 23:59:59 */
#define EPOCH_WEEKDAY 4                     /* 1970-01-01 was a Thursday */

static const char *const weekdays[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

struct date {
	int64_t year;
	unsigned month, day; /* from 1 */
	unsigned hour, minute, second;
};

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(int64_t year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

/* Days from 1970-01-01 to the first day of a year from 1 on. */
static int64_t days_before_year(int64_t year)
{
	int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int64_t date_to_seconds(const struct date *d)
{
	int64_t days = days_before_year(d->year) + d->day - 1;

	for (unsigned month = 1; month < d->month; month++)
		days += month_days(d->year, month);
	return days * DAY_SECONDS + d->hour * 3600 + d->minute * 60 + d->second;
}

static struct date date_from_days(int64_t days)
{
	struct date d = { .year = 1970 + days / 366, .month = 1 };

	while (days_before_year(d.year + 1) <= days)
		d.year++;
	days -= days_before_year(d.year);
	while (days >= month_days(d.year, d.month))
		days -= month_days(d.year, d.month++);
	d.day = (unsigned)days + 1;
	return d;
}

const char *http_date_format(int64_t seconds, char to[HTTP_DATE_MAX])
{
	int64_t at = MIN(seconds, LAST_SECOND);
	int64_t days = MAX(at, INT64_C(0)) / DAY_SECONDS, rest = MAX(at, INT64_C(0)) % DAY_SECONDS;
	struct date d = date_from_days(days);

	(void)snprintf(to, HTTP_DATE_MAX, "%s, %02u %s %04u %02u:%02u:%02u GMT",
	               weekdays[(days + EPOCH_WEEKDAY) % 7], d.day, months[d.month - 1],
	               (unsigned)d.year % 10000, (unsigned)(rest / 3600),
	               (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
	return to;
}

static bool take_text(struct slice *in, const char *text)
{
	struct slice want = slice_from_text(text);

	if (!slice_has_prefix(*in, want))
		return false;
	(void)slice_take(in, want.len);
	return true;
}

/* A number of exactly n digits. */
static bool take_number(struct slice *in, size_t n, unsigned max, unsigned *ret)
{
	uint64_t value;

	if (in->len < n || text_parse_u64(slice_sub(*in, 0, n), max, &value) != 0)
		return false;
	(void)slice_take(in, n);
	*ret = (unsigned)value;
	return true;
}

static bool take_month(struct slice *in, unsigned *ret)
{
	for (unsigned i = 0; i < ARRAY_SIZE(months); i++)
		if (take_text(in, months[i])) {
			*ret = i + 1;
			return true;
		}
	return false;
}

static bool take_clock(struct slice *in, struct date *d)
{
	return take_number(in, 2, 23, &d->hour) && take_text(in, ":") &&
	       take_number(in, 2, 59, &d->minute) && take_text(in, ":") &&
	       take_number(in, 2, 60, &d->second);
}

/* 06 Nov 1994 08:49:37 GMT */
static bool take_preferred(struct slice in, struct date *d)
{
	unsigned year;

	if (!take_number(&in, 2, 31, &d->day) || !take_text(&in, " ") ||
	    !take_month(&in, &d->month) || !take_text(&in, " ") ||
	    !take_number(&in, 4, 9999, &year) || !take_text(&in, " ") || !take_clock(&in, d))
		return false;
	d->year = year;
	return text_equal(in, " GMT");
}

/* 06-Nov-94 08:49:37 GMT: a year more than 50 years ahead is one of the past. */
static bool take_rfc850(struct slice in, int64_t now, struct date *d)
{
	int64_t this_year = date_from_days(MAX(now, INT64_C(0)) / DAY_SECONDS).year;
	unsigned year;

	if (!take_number(&in, 2, 31, &d->day) || !take_text(&in, "-") ||
	    !take_month(&in, &d->month) || !take_text(&in, "-") ||
	    !take_number(&in, 2, 99, &year) || !take_text(&in, " ") || !take_clock(&in, d))
		return false;
	d->year = this_year - this_year % 100 + year;
	if (d->year > this_year + 50)
		d->year -= 100;
	return text_equal(in, " GMT");
}

/* Nov  6 08:49:37 1994 */
static bool take_asctime(struct slice in, struct date *d)
{
	unsigned year;

	if (!take_month(&in, &d->month) || !take_text(&in, " "))
		return false;
	if (take_text(&in, " ") ? !take_number(&in, 1, 9, &d->day)
	                        : !take_number(&in, 2, 31, &d->day))
		return false;
	if (!take_text(&in, " ") || !take_clock(&in, d) || !take_text(&in, " ") ||
	    !take_number(&in, 4, 9999, &year))
		return false;
	d->year = year;
	return in.len == 0;
}

int http_date_parse(struct slice text, int64_t now, int64_t *ret)
{
	struct slice rest = text, weekday = slice_cut(&rest, ' ');
	struct date d = { .year = 0 };
	bool is_good;

	/* The name of the day is not needed; its length and its comma tell the form. */
	if (weekday.len == 4 && weekday.data[3] == ',')
		is_good = take_preferred(rest, &d);
	else if (weekday.len > 4 && weekday.data[weekday.len - 1] == ',')
		is_good = take_rfc850(rest, now, &d);
	else
		is_good = weekday.len == 3 && take_asctime(rest, &d);
	if (!is_good || d.year < 1970 || d.day < 1 || d.day > month_days(d.year, d.month))
		return HTTP_DATE_BAD;
	*ret = date_to_seconds(&d);
	return 0;
}
