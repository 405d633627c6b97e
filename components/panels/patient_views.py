"""One risk seen in three ways: a hundred marks, stacked bars, and a table; the same counts in each."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bedside.cohort import convert
from bedside.patient import Frequencies
from bedside.report import say
from components.panels import page, patient_words, pick
from components.panels.patient_view import View, plainly

VIEWS = {"icons": "Icons", "bar": "Bar", "table": "Table"}
LABELLED = 9
"""Of 100: narrower parts of a bar have no room for their number."""
LOOK = {"event": "bs-event", "other": "bs-other", "free": "bs-free"}


@dataclass(frozen=True)
class Count:
    """How many of 100 come to what.

    Attributes
    ----------
    key : {"event", "other", "free"}
    said : str
        The number in words.
    phrase : str
        E.g. ``"die"``, ``"alive"``.
    """

    key: str
    said: str
    phrase: str


def panel(view: View) -> None:
    """The choice of a way, and the risk seen so."""
    chosen = pick.segments("Seen as", VIEWS, key="patient_shows", default="icons", label_visibility="collapsed")
    {"icons": icons_panel, "bar": _bars, "table": _table}[chosen](view)


def counts(view: View, told: Frequencies | None = None, i: int = 0) -> list[Count]:
    """What becomes of 100 patients, in the order of the icons; the numbers add up."""
    found = told or view.states
    if found is None:
        return []
    return [
        Count(state.key, found.said(i, k, decimals=view.decimals), _phrase(view, state.key, len(found.states)))
        for k, state in enumerate(found.states)
    ]


def _phrase(view: View, key: str, states: int) -> str:
    if view.reading == "patient":
        return patient_words.phrase(view, key, states)
    if key == "event":
        return plainly(view.happens)
    if key == "other":
        return f"have {view.instead} first"
    return view.spared if states == 2 else plainly(view.outcome.free_phrase)


# ------------------------------------------------------------------ icons


def icons_panel(view: View) -> None:
    """One hundred marks, events first; the counts stand beside them, so that colour is not the only sign."""
    page.put("{icons}", icons=icons(view))


def icons(view: View) -> page.Markup:
    """The marks and their key, as our own HTML."""
    if view.states is None:
        return page.Markup("")
    told = counts(view)
    low, high = _between(view)
    drawn = [*view.states.icons(0)]
    marks = page.join(_mark(key, maybe=low <= i < high) for i, key in enumerate(drawn))
    keys = [page.fill("<span>{m}{n} {p}</span>", m=_mark(c.key), n=c.said, p=c.phrase) for c in told]
    spread = _spread(view)
    if spread:
        keys.append(page.fill("<span>{m}{t}</span>", m=_mark("event", maybe=True), t=f"half-toned: {spread}"))
    alt = f"Of 100 patients, {'; '.join(f'{c.said} {c.phrase}' for c in told)}{f'; {spread}' if spread else ''}."
    return page.fill(
        '<div class="bs-icons" role="img" aria-label="{alt}">{marks}</div>'
        '<p class="bs-key" style="margin-top:.6rem">{keys}</p>',
        alt=alt,
        marks=marks,
        keys=page.join(keys),
    )


def _mark(key: str, *, maybe: bool = False) -> page.Markup:
    return page.fill('<i class="{look}"></i>', look=f"{LOOK[key]} bs-maybe" if maybe else LOOK[key])


def _between(view: View) -> tuple[int, int]:
    """Marks that the limits leave open, from and to; none unless ranges are asked for."""
    if not view.ranges or math.isnan(view.lower) or math.isnan(view.upper):
        return 0, 0
    return round(100 * view.lower), round(100 * view.upper)


def _spread(view: View) -> str:
    """The limits in words, where ranges are asked for."""
    if not view.ranges or not view.limits or math.isnan(view.lower) or math.isnan(view.upper):
        return ""
    between = say.range_of_100(view.lower, view.upper, decimals=view.decimals)
    return f"it may be {between}" if view.reading == "patient" else f"{between} ({view.limits})"


# ------------------------------------------------------------------ bars


def _bars(view: View) -> None:
    """A stacked bar for a few round times and one for the horizon."""
    rows = [_row(view, i) for i in range(len(view.table.times))]
    keys = page.join(page.fill("<span>{m}{p}</span>", m=_mark(c.key), p=c.phrase) for c in counts(view))
    page.put(
        '<div class="bs-stacks">{rows}</div><p class="bs-key" style="margin-top:.6rem">{keys}</p>',
        rows=page.join(rows),
        keys=keys,
    )
    if _spread(view):
        page.caption(f"The line across each bar: {view.limits}.")


def _row(view: View, i: int) -> page.Markup:
    told = counts(view, view.table, i)
    low, high = float(view.table_lower[i]), float(view.table_upper[i])
    drawn = view.ranges and not (math.isnan(low) or math.isnan(high))
    alt = f"{_time(view, i)}: {'; '.join(f'{c.said} of 100 {c.phrase}' for c in told)}"
    if drawn:
        alt += f"; {view.limits} {say.range_of_100(low, high, decimals=view.decimals)}"
    line = page.Markup("")
    if drawn:
        line = page.fill(
            '<b style="left:{left}%;width:{wide}%"></b>', left=f"{100 * low:.1f}", wide=f"{100 * (high - low):.1f}"
        )
    return page.fill(
        '<div class="bs-stack{now}" role="img" aria-label="{alt}"><span>{time}</span><div>{parts}{line}</div></div>',
        now=_now(view, i), alt=f"{alt}.", time=_time(view, i), line=line,
        parts=page.join(_part(c, int(view.table.count[i, k])) for k, c in enumerate(told)),
    )  # fmt: skip


def _part(one: Count, wide: int) -> page.Markup:
    return page.fill(
        '<i class="{look}" style="width:{wide}%">{text}</i>', look=LOOK[one.key], wide=wide,
        text=one.said if wide >= LABELLED and one.said[0].isdigit() else "",
    )  # fmt: skip


# ------------------------------------------------------------------ table


def _table(view: View) -> None:
    """The same counts at each time, with their limits if asked for."""
    label = f"Of 100 such patients, {view.so_far}".rstrip(", ")
    head = ["By", *(_heading(view, c) for c in counts(view))]
    if view.ranges and view.limits:
        head.insert(2, view.limits)
    page.put(
        '<div class="bs-scroll" tabindex="0" role="region" aria-label="{label}"><table class="bs-table bs-close">'
        '<caption class="bs-muted">{label}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>',
        label=label,
        head=page.join(
            page.fill('<th scope="col" class="{k}">{t}</th>', k="bs-num bs-wrap" if i else "", t=t)
            for i, t in enumerate(head)
        ),
        body=page.join(_line(view, i) for i in range(len(view.table.times))),
    )


def _heading(view: View, one: Count) -> str:
    return one.phrase[:1].upper() + one.phrase[1:]


def _line(view: View, i: int) -> page.Markup:
    cells = [c.said for c in counts(view, view.table, i)]
    if view.ranges and view.limits:
        cells.insert(
            1, say.range_of_100(float(view.table_lower[i]), float(view.table_upper[i]), decimals=view.decimals)
        )
    now = _now(view, i)
    return page.fill(
        '<tr><th scope="row" class="{now}">{time}</th>{cells}</tr>',
        now=now.strip(),
        time=_time(view, i),
        cells=page.join(page.fill('<td class="bs-num{now}">{t}</td>', now=now, t=t) for t in cells),
    )


def _time(view: View, i: int) -> str:
    t = float(convert(float(view.table.times[i]), view.outcome.unit, view.unit))
    return say.duration(round(t, 6), view.unit)


def _now(view: View, i: int) -> str:
    """How the horizon's own row is told from the others."""
    return " bs-now" if abs(float(view.table.times[i]) - view.t) <= 1e-9 * view.t else ""
