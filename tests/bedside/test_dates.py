"""Dates as people write them: each way of writing is one day, and what can't be read says so."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.intake.dates import DateStyle, look_at, read_date

DAY = DateStyle(day_first=True, this_year=2026)
MONTH = DateStyle(day_first=False, this_year=2026)


@pytest.mark.parametrize(
    ("text", "day", "how"),
    [
        ("2020-01-02", date(2020, 1, 2), "read"),
        ("2020/1/2", date(2020, 1, 2), "read"),
        ("20200102", date(2020, 1, 2), "read"),
        ("2020-01-02 13:45:10.123", date(2020, 1, 2), "read"),
        ("3.4.2020", date(2020, 4, 3), "either way"),
        ("31/12/2019", date(2019, 12, 31), "read"),
        ("12/31/2019", date(2019, 12, 31), "read"),
        ("31.12.19", date(2019, 12, 31), "two-digit year"),
        ("31.12.31", date(1931, 12, 31), "two-digit year"),
        ("3 Apr 2020", date(2020, 4, 3), "read"),
        ("3. März 2021", date(2021, 3, 3), "read"),
        ("Apr 3, 2020", date(2020, 4, 3), "read"),
        ("12 déc. 2018", date(2018, 12, 12), "read"),
        ("1 agosto 2018", date(2018, 8, 1), "read"),
        ("03-APR-55", date(1955, 4, 3), "two-digit year"),
        ("2020", date(2020, 7, 1), "partial"),
        ("2020-05", date(2020, 5, 15), "partial"),
        ("05/2020", date(2020, 5, 15), "partial"),
        ("Mai 2019", date(2019, 5, 15), "partial"),
        ("1900-01-01", None, "placeholder"),
        ("31.12.9999", None, "placeholder"),
        ("31.02.2020", None, "unreadable"),
        ("43831", None, "unreadable"),
        ("unknown", None, "unreadable"),
        ("", None, "unreadable"),
    ],
)
def test_a_date(text, day, how):
    found = read_date(text, DAY)
    assert (found.day, found.how) == (day, how)


def test_the_order_decides_only_where_both_are_possible():
    assert read_date("03/04/2020", MONTH).day == date(2020, 3, 4)
    assert read_date("13/04/2020", MONTH).day == date(2020, 4, 13)


def test_numbers_are_days_of_a_spreadsheet_only_if_asked():
    serials = DateStyle(serials=True, this_year=2026)
    assert read_date("43831", serials).day == date(2020, 1, 1)
    assert read_date("43831.75", serials).day == date(2020, 1, 1)
    assert read_date("2020", serials).day == date(2020, 7, 1)


def test_a_point_in_time_is_a_day_in_one_zone():
    late = "2020-01-02T23:30:00-05:00"
    assert read_date(late, DateStyle(time_zone="UTC")).day == date(2020, 1, 3)
    assert read_date(late, DateStyle(time_zone="America/New_York")).day == date(2020, 1, 2)
    assert read_date("2020-01-02T23:30:00", DateStyle(time_zone="Asia/Tokyo")).day == date(2020, 1, 2)


@settings(max_examples=60)
@given(st.dates(date(1900, 1, 2), date(2090, 1, 1)), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %b %Y"]))
def test_every_day_comes_back(day, form):
    assert read_date(day.strftime(form), DAY).day == day


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_nothing_is_an_error(text):
    found = read_date(text, DateStyle(serials=True))
    assert (found.day is None) == (found.precision == "none")


@pytest.mark.parametrize(
    ("cells", "day_first", "sure", "mixed", "serials"),
    [
        ({"03/04/2020": 3, "05/13/2020": 1}, False, True, False, False),
        ({"03/04/2020": 3, "13/05/2020": 1}, True, True, False, False),
        ({"03/04/2020": 3, "05/06/2020": 1}, True, False, False, False),
        ({"03.04.2020": 3, "05.06.2020": 1}, True, True, False, False),
        ({"13/05/2020": 3, "05/13/2020": 1}, True, True, True, False),
        ({"43831": 3, "44000": 1, "03.04.2020": 4}, True, True, False, True),
        ({"2020-01-02": 3}, True, True, False, False),
    ],
)
def test_how_a_column_is_read(cells, day_first, sure, mixed, serials):
    found = look_at(cells, this_year=2026)
    assert (found.style.day_first, found.sure, found.mixed, found.style.serials) == (day_first, sure, mixed, serials)
    assert found.share == 1


def test_follow_up_in_days_is_no_column_of_dates():
    assert look_at({"812": 3, "305": 1, "1460": 2}, this_year=2026).share == 0
