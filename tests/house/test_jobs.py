"""Background jobs: in a process of their own, seen by their session only, stopped when told, and mute."""

from __future__ import annotations

import gc
import logging
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.runtime.caching import clear_session_resource_cache
from streamlit.testing.v1 import AppTest

from bedside import risk
from bedside.errors import Fixable
from bedside.intake import read_cohort
from components import jobs
from tests.house import job_work
from tests.serving import ROOT

PAGE = Path(__file__).with_name("job_page.py")


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that happens in another thread or process."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_in(file: Path) -> int:
    until(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


def test_the_result_is_that_of_this_process():
    cohort = read_cohort(ROOT / "sample_data" / "lung_ncctg")
    job = jobs.start("Fitting", risk.fit, cohort, cohort.outcomes[0].key)
    assert job.ended.wait(60) and job.phase == "done"
    here = risk.fit(cohort, cohort.outcomes[0])
    assert job.result.fingerprint == here.fingerprint
    np.testing.assert_array_equal(job.result.coef, here.coef)


def test_work_happens_elsewhere_and_tells_how_far_it_is():
    job = jobs.start("Doubling", job_work.double, np.array([1.5, 2.0]))
    assert job.ended.wait(60)
    doubled, pid = job.result
    assert doubled.tolist() == [3.0, 4.0]
    assert pid != os.getpid()
    until(lambda: not alive(pid))
    assert (job.share, job.sentence) == (0.5, "Halfway")


def test_stop_ends_the_process(tmp_path: Path):
    job = jobs.start("Forever", job_work.forever, str(tmp_path / "pid"))
    pid = pid_in(tmp_path / "pid")
    until(lambda: job.share == 0.25)
    assert jobs.said(job).startswith("Forever: inner fold 1 of 4. ")
    job.cancel()
    assert job.phase == "stopped"
    until(lambda: not alive(pid))


def test_a_refusal_comes_as_it_is():
    job = jobs.start("Refused", job_work.refused)
    assert job.ended.wait(60) and job.phase == "failed"
    assert (job.stop.what, job.stop.why, job.stop.next_step) == (
        "No model.", "Too few events.", "Include more patients.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("work", "logged", "why"),
    [
        (job_work.broken, "ValueError at tests/house/job_work.py:", "the log names the place"),
        (job_work.killed, "process ended", "more memory or time"),
        (job_work.greedy, "MemoryError at tests/house/job_work.py:", "more memory or time"),
        (job_work.unsendable, "at components/job_child.py:", "the log names the place"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_crash_is_a_stop_and_quotes_nobody(
    work: Callable[[], object], logged: str, why: str,
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
):  # fmt: skip
    with caplog.at_level(logging.DEBUG, logger="bedside"):
        job = jobs.start("Broken", work)
        assert job.ended.wait(60) and job.phase == "failed"
    assert isinstance(job.stop, Fixable) and why in job.stop.why
    assert logged in caplog.text
    told = "".join(capfd.readouterr()) + caplog.text + str(job.stop)
    assert job_work.SECRET not in told and "Traceback" not in told


def test_a_result_that_cannot_be_read_back_ends_the_job_and_quotes_nobody(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    job = jobs.start("Unreadable", job_work.unreadable)
    assert job.ended.wait(60) and job.phase == "failed" and isinstance(job.stop, Fixable)
    until(lambda: job.process is not None and job.process.poll() is not None)
    told = "".join([caplog.text, *capfd.readouterr(), job.stop.what, job.stop.why, job.stop.next_step])
    assert "Ada" not in told and "Traceback" not in told and "ValueError at the way back of its result" in caplog.text


def test_results_that_nobody_takes_are_let_go():
    own = jobs.Jobs()
    for i in range(jobs.MOST_ENDED + 3):
        assert own.begin((i,), "Doubling", job_work.double, np.ones(2)).ended.wait(60)
    assert len(own) == jobs.MOST_ENDED + 1 and (0,) not in own


def test_two_at_once_and_the_third_waits(tmp_path: Path):
    first, second = (jobs.start("Forever", job_work.forever, str(tmp_path / name)) for name in "ab")
    pid_in(tmp_path / "a"), pid_in(tmp_path / "b")
    third = jobs.start("Doubling", job_work.double, np.ones(1))
    assert not third.ended.wait(0.3) and third.phase == "waiting"
    assert jobs.said(third) == "Doubling: waiting for another computation to end"
    first.cancel()
    assert third.ended.wait(60) and third.phase == "done"
    second.cancel()


def test_what_waits_can_be_stopped_before_it_begins(tmp_path: Path):
    running = [jobs.start("Forever", job_work.forever, str(tmp_path / name)) for name in "ab"]
    pid_in(tmp_path / "a"), pid_in(tmp_path / "b")
    waiting = jobs.start("Forever", job_work.forever, str(tmp_path / "c"))
    waiting.cancel()
    for job in running:
        job.cancel()
    assert jobs.start("Doubling", job_work.double, np.ones(1)).ended.wait(60)
    assert waiting.process is None and not (tmp_path / "c").exists()


def test_a_job_ends_with_its_session(tmp_path: Path):
    session = jobs._Holder()
    session.jobs.begin(("a",), "Forever", job_work.forever, str(tmp_path / "pid"))
    pid = pid_in(tmp_path / "pid")
    del session
    gc.collect()
    until(lambda: not alive(pid))


def test_a_session_has_only_so_many(tmp_path: Path):
    own = jobs.Jobs()
    made = [own.begin((i,), "Forever", job_work.forever, str(tmp_path / str(i))) for i in range(jobs.MOST_OF_A_SESSION)]
    assert own.begin((0,), "Forever", job_work.forever, "unused") is made[0]
    own.begin(("one more",), "Forever", job_work.forever, str(tmp_path / "more"))
    assert len(own) == jobs.MOST_OF_A_SESSION
    assert sum(job.phase == "stopped" for job in made) == 1
    own.end()
    assert all(job.phase == "stopped" for job in made) and not own


# ------------------------------------------------------------------ on a page


def page(**state: object) -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in {"session": secrets.token_hex(8), **state}.items():
        at.session_state[name] = value
    return at


def texts(at: AppTest) -> list[str]:
    assert not at.exception
    return [element.value for element in at.text]


def test_a_page_lives_while_it_waits_and_keeps_the_result():
    at = page().run()
    assert texts(at) == ["the rest of the page"]
    assert [button.label for button in at.button] == ["Stop"]

    def there() -> bool:
        return len(texts(at.run())) == 2

    until(there)
    found = texts(at)[1]
    assert found.startswith("found [0.0, 2.0, 4.0] ")
    assert not at.button
    assert texts(at.run())[1] == found  # the same process: nothing was computed again


def test_sessions_do_not_see_each_others_results(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(jobs.PATIENCE, "60")
    one, other = page(session="one"), page(session="other")
    first = texts(one.run())[1]
    assert texts(other.run())[1] != first  # made by two processes
    assert texts(one.run())[1] == first


def test_sessions_do_not_see_each_others_jobs(tmp_path: Path):
    one = page(which="forever", pid_file=str(tmp_path / "one"), session="one").run()
    other = page(which="forever", pid_file=str(tmp_path / "other"), session="other").run()
    here, there = pid_in(tmp_path / "one"), pid_in(tmp_path / "other")
    one.button[0].click().run()
    until(lambda: not alive(here))
    assert [button.label for button in other.run().button] == ["Stop"]
    assert alive(there)
    clear_session_resource_cache("other")  # what Streamlit does when a session goes
    until(lambda: not alive(there))


def test_a_page_may_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(jobs.PATIENCE, "60")
    assert texts(page().run())[1].startswith("found [0.0, 2.0, 4.0] ")


def test_stop_and_start_again_on_a_page(tmp_path: Path):
    at = page(which="forever", pid_file=str(tmp_path / "pid")).run()
    pid = pid_in(tmp_path / "pid")
    at.button[0].click().run()
    until(lambda: not alive(pid))
    assert texts(at) == ["the rest of the page"]
    assert [button.label for button in at.button] == ["Start again"]
    (tmp_path / "pid").unlink()
    at.button[0].click().run()
    assert [button.label for button in at.button] == ["Stop"]
    again = pid_in(tmp_path / "pid")
    at.button[0].click().run()
    until(lambda: not alive(again))


def test_a_refusal_is_shown_in_its_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(jobs.PATIENCE, "60")
    at = page(which="refused").run()
    assert texts(at) == ["the rest of the page"]
    assert "Too few events" in at.warning[0].value
    assert [button.label for button in at.button] == ["Try again"]


def test_a_process_that_is_ready_takes_the_next_job_and_another_one_the_job_after_that():
    jobs.warm("json")
    jobs.warm("json")  # one is enough
    first, second = jobs.start("one", os.getpid), jobs.start("two", os.getpid)
    assert first.ended.wait(60) and second.ended.wait(60)
    assert first.phase == second.phase == "done"
    assert {first.result, second.result} == {first.process.pid, second.process.pid}
    assert len({first.result, second.result, os.getpid()}) == 3


def test_a_ready_process_that_died_is_not_waited_for():
    jobs.warm("json")
    jobs.SPARE.drop()
    job = jobs.start("after", os.getpid)
    assert job.ended.wait(60) and job.phase == "done"
