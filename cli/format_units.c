/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/format_units.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define SEC_PER_HOUR UINT64_C(3600)
#define SEC_PER_DAY  UINT64_C(86400)

void format_duration(struct buffer *out, usec_t duration)
{
	uint64_t sec = usec_add(duration, USEC_PER_SEC / 2) / USEC_PER_SEC;
	double exact = (double)duration / (double)USEC_PER_SEC;

	if (exact < 0.995)
		buffer_printf(out, "%.2fs", exact);
	else if (exact < 9.95)
		buffer_printf(out, "%.1fs", exact);
	else if (sec < 60)
		buffer_printf(out, "%llus", (unsigned long long)sec);
	else if (sec < SEC_PER_HOUR)
		buffer_printf(out, "%llum%02llus", (unsigned long long)sec / 60,
		              (unsigned long long)sec % 60);
	else if (sec < SEC_PER_DAY)
		buffer_printf(out, "%lluh%02llum", (unsigned long long)(sec / SEC_PER_HOUR),
		              (unsigned long long)(sec % SEC_PER_HOUR / 60));
	else
		buffer_printf(out, "%llud%lluh", (unsigned long long)(sec / SEC_PER_DAY),
		              (unsigned long long)(sec % SEC_PER_DAY / SEC_PER_HOUR));
}

/* A number below about 1000 with three figures at most, and its unit. */
static void format_scaled(struct buffer *out, double value, const char *const units[], size_t n)
{
	size_t i = 0;

	while (i + 1 < n && value >= 999.5) {
		value /= 1000;
		i++;
	}
	buffer_printf(out, i > 0 && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[i]);
}

void format_size(struct buffer *out, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };

	format_scaled(out, (double)bytes, units, ARRAY_SIZE(units));
}

void format_rate(struct buffer *out, uint64_t bytes, usec_t duration)
{
	double rate;

	if (duration == 0) {
		buffer_append_text(out, "-");
		return;
	}
	/* always MB/s: rates are compared with each other, down a column */
	rate = (double)bytes / (double)duration;
	buffer_printf(out, rate < 0.995 ? "%.2f MB/s" : "%.1f MB/s", rate);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, years from 1970 on. */
static uint64_t days_before(unsigned year, unsigned month, unsigned day)
{
	static const unsigned before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	uint64_t y = year - 1;
	uint64_t leaps = y / 4 - y / 100 + y / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return (uint64_t)(year - 1970) * 365 + leaps + before[month - 1] + (month > 2 && is_leap) +
	       day - 1;
}

/* Takes `digits` digits and, unless it is NUL, the separator after them. */
static bool take_number(struct slice *s, size_t digits, char separator, unsigned max, unsigned *ret)
{
	uint64_t value;

	if (s->len < digits || text_parse_u64(slice_sub(*s, 0, digits), max, &value) != 0)
		return false;
	(void)slice_take(s, digits);
	*ret = (unsigned)value;
	if (separator == '\0')
		return true;
	if (s->len == 0 || char_lower((char)s->data[0]) != char_lower(separator))
		return separator == 'T' && s->len > 0 && s->data[0] == ' ' &&
		       slice_take(s, 1).len == 1;
	(void)slice_take(s, 1);
	return true;
}

/* The fraction of a second after '.', in microseconds. */
static bool take_fraction(struct slice *s, usec_t *ret)
{
	usec_t unit = USEC_PER_SEC, value = 0;

	if (s->len == 0 || s->data[0] != '.') {
		*ret = 0;
		return true;
	}
	(void)slice_take(s, 1);
	if (s->len == 0 || !char_is_digit((char)s->data[0]))
		return false;
	while (s->len > 0 && char_is_digit((char)s->data[0])) {
		unit /= 10;
		value += (usec_t)(slice_take(s, 1).data[0] - '0') * unit;
	}
	*ret = value;
	return true;
}

/* Z or +hh:mm, in seconds east of UTC. */
static bool take_offset(struct slice s, int64_t *ret)
{
	unsigned hour, minute;
	bool is_west;

	if (s.len == 1 && char_lower((char)s.data[0]) == 'z') {
		*ret = 0;
		return true;
	}
	if (s.len == 0 || (s.data[0] != '+' && s.data[0] != '-'))
		return false;
	is_west = slice_take(&s, 1).data[0] == '-';
	if (!take_number(&s, 2, ':', 23, &hour) || !take_number(&s, 2, '\0', 59, &minute) ||
	    s.len > 0)
		return false;
	*ret = (int64_t)(hour * 3600 + minute * 60) * (is_west ? -1 : 1);
	return true;
}

int format_parse_time(struct slice text, usec_t *ret_wall)
{
	unsigned year, month, day, hour, minute, second;
	usec_t fraction;
	int64_t offset, sec;

	if (!take_number(&text, 4, '-', 9999, &year) || !take_number(&text, 2, '-', 12, &month) ||
	    !take_number(&text, 2, 'T', 31, &day) || !take_number(&text, 2, ':', 23, &hour) ||
	    !take_number(&text, 2, ':', 59, &minute) || !take_number(&text, 2, '\0', 60, &second))
		return FORMAT_BAD_TIME;
	if (!take_fraction(&text, &fraction) || !take_offset(text, &offset))
		return FORMAT_BAD_TIME;
	if (year < 1970 || month < 1 || day < 1)
		return FORMAT_BAD_TIME;
	sec = (int64_t)(days_before(year, month, day) * SEC_PER_DAY + hour * SEC_PER_HOUR +
	                minute * 60 + second) -
	      offset;
	if (sec < 0)
		return FORMAT_BAD_TIME;
	*ret_wall = (usec_t)sec * USEC_PER_SEC + fraction;
	return 0;
}
