"""The answer of bringing data, on one screen: what would come of the file, what is still to be decided, the button."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bedside.intake.building import Report
from bedside.intake.plan import OutcomePlan
from bedside.intake.quality import Finding
from components.importing import Import
from components.panels import import_columns, import_counts, import_meanings, import_outcomes, page
from components.panels.import_words import count, listed

NAMED = 3
PLACES = {
    "“What each column is”": "import-columns", "“Who is who”": "import-who", "“What happened and when”": "import-what",
    "“What does not fit”": "import-checks", "the sentence above": "import-read", "the sentences above": "import-read",
}  # fmt: skip
"""Words that lead to a place of this page."""


def show(held: Import, report: Report | None) -> None:
    """How many patients there would be, and each outcome with the tick that says that it is read right."""
    assert held.plan is not None and held.opened is not None  # the file is read
    rows = held.opened.staged.n_rows
    if report is not None and report.outcomes:
        lost = rows - report.rows_kept
        if lost:
            page.put('<p class="bs-lead" id="import-read">Of {rows}, <b>{n}</b> would become patients and {lost} be '
                     'left out.</p>', rows=count(rows, "row"), n=f"{report.rows_kept:,}", lost=f"{lost:,}")  # fmt: skip
        else:
            page.put(
                '<p class="bs-lead" id="import-read">All <b>{rows}</b> would become patients.</p>',
                rows=count(rows, "row"),
            )
    elif not any(import_counts.complete(o) for o in held.plan.outcomes):
        page.put('<p class="bs-lead">{n} are read. What happened, and when, is still to be said.</p>',
                 n=count(rows, "row"))  # fmt: skip
    for i, outcome in enumerate(held.plan.outcomes):
        import_outcomes.answer(held, outcome, i, report)


def left(held: Import, report: Report | None, found: Sequence[Finding] | None) -> None:
    """What the reader still has to decide, or may want to look at, and where."""
    points = [*_must(held, report, found), *_may(held, report, found)]
    if points:
        page.put(
            '<div class="bs-import-left"><p class="bs-eyebrow">{head}</p><ul class="bs-sure">{points}</ul></div>',
            head="Still to decide" if any(must for must, _ in points) else "Worth a look below",
            points=page.join(
                page.fill('<li class="{kind}"><i aria-hidden="true">{mark}</i><span>{said}</span></li>',
                          said=_linked(said), kind="bs-caution" if must else "bs-unknown", mark="!" if must else "·")
                for must, said in points
            ),
        )  # fmt: skip


def _linked(said: str) -> Markup:
    """A line with the place that it names as a link to it."""
    words = next((words for words in PLACES if words in said), "")
    if not words:
        return page.fill("{said}", said=said)
    before, _, after = said.rpartition(words)
    link = page.fill('<a href="#{place}">{words}</a>', place=PLACES[words], words=words.strip("“”"))
    return page.fill("{before}{link}{after}", before=before, link=link, after=after)


def stoppers(found: Sequence[Finding] | None) -> list[Finding]:
    """What no cohort can be made with: two rows of one patient, or a patient without a name where others have one."""
    return [each for each in found or () if each.kind in ("identifier", "no identifier")]


def _must(held: Import, report: Report | None, finds: Sequence[Finding] | None) -> list[tuple[bool, str]]:
    assert held.plan is not None and held.opened is not None
    found: list[tuple[bool, str]] = []
    outcomes = held.plan.outcomes
    if not outcomes:
        found.append((True, "What happened, and when: add an outcome, under “What happened and when”."))
    for outcome in outcomes:
        if not import_counts.complete(outcome):
            found.append((True, f"{outcome.label}: choose its columns, under “What happened and when”, or remove it."))
    told = [o for o in outcomes if import_counts.complete(o) and import_counts.read_of(report, o) is not None]
    open_ = [o.label for o in told if not import_counts.is_confirmed(held, o)]
    if open_:
        what = ("the sentence", "it is") if len(open_) == 1 else ("the sentences", "they are")
        found.append((True, f"{listed(open_)}: read {what[0]} above, and tick if {what[1]} right."))
    found += [(True, said) for outcome in outcomes if (said := _unread(outcome, report))]
    if report is not None and report.outcomes and not report.rows_kept:
        found.append(
            (True, "Nobody can be followed: look under “What happened and when” at how the first outcome is read.")
        )
    found += [(True, f"{each.said} Choose what to do, under “What does not fit”.") for each in stoppers(finds)]
    return found


def _unread(outcome: OutcomePlan, report: Report | None) -> str:
    """Codes that nobody has given a meaning, such as one that is new in this month's file."""
    found = import_meanings.unanswered(import_counts.read_of(report, outcome))
    codes = [f"“{code[:40]}” ({count(n, 'row')})" for code, n in found]
    if not codes:
        return ""
    shown = listed(codes[:NAMED], more=len(codes) - NAMED)
    what = "has" if len(codes) == 1 else "have"
    return (f"{outcome.label}: {shown} {what} no meaning yet. Say what each stands for, or that it is not known (then "
            "these rows are left out), under “What happened and when”.")  # fmt: skip


def _may(held: Import, report: Report | None, found: Sequence[Finding] | None) -> list[tuple[bool, str]]:
    points: list[tuple[bool, str]] = []
    doubtful = import_columns.to_check(held)
    if doubtful:
        shown = listed([f"“{name}”" for name in doubtful[:NAMED]], more=len(doubtful) - NAMED)
        points.append((False, f"What {shown} {'is' if len(doubtful) == 1 else 'are'}: the guess is unsure, under “What "
                              "each column is”."))  # fmt: skip
    if import_outcomes.has_moments(held):
        assert held.plan is not None
        points.append((False, "Dates hold a time of day: each becomes the day that it was in "
                              f"{held.plan.time_zone}, under “Who is who”."))  # fmt: skip
    unread = [each.rows.n for each in report.unreadable if not each.placeholder] if report is not None else []
    if unread:
        points.append((False, f"{count(sum(unread), 'cell')} can't be read as what "
                              "the column is, under “What does not fit”."))  # fmt: skip
    stopping = {id(each) for each in stoppers(found)}
    faults = [each for each in found or () if each.severity == "fault" and id(each) not in stopping]
    if faults:
        more = len(faults) - 1
        points.append((False, f"{faults[0].said} {f'And {more} more. ' if more else ''}Under “What does not fit” each "
                              "can be put right with one click."))  # fmt: skip
    return points
