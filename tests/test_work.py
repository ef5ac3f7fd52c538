"""The worker: one job after the other, one thread, and none when it rests."""

import threading
import time

from ispguide.engine.errors import GuideError
from ispguide.notebook.work import Job, Worker, worker


def job(owner, work, log, quiet=False, paint=lambda running: None):
    return Job(owner, "doing", work, log.append, log.append, paint, quiet)


def ispguide_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("ispguide")]


def test_jobs_run_in_their_order_and_the_thread_goes():
    log, line = [], Worker("test")
    for number in range(20):
        line.submit(job(None, lambda _, n=number: n, log))
    line.join()
    assert log == list(range(20))
    assert not ispguide_threads() and not line.busy


def test_quiet_jobs_come_last_and_only_once():
    log, line, gate = [], Worker("test"), threading.Event()
    line.submit(job(None, lambda _: gate.wait(5), log))
    for _ in range(3):
        line.submit(job("map", lambda _: "quiet", log, quiet=True))
    line.submit(job(None, lambda _: "loud", log))
    gate.set()
    line.join()
    assert log == [True, "loud", "quiet"]


def test_what_an_owner_waits_for_can_be_forgotten():
    log, line, gate = [], Worker("test"), threading.Event()
    line.submit(job(None, lambda _: gate.wait(5), log))
    line.submit(job("gone", lambda _: "never", log))
    line.drop("gone")
    gate.set()
    line.join()
    assert log == [True]


def test_an_error_is_handed_over_and_the_next_job_runs():
    log, line = [], Worker("test")

    def fails(_):
        raise GuideError("It is so.")

    line.submit(job(None, fails, log))
    line.submit(job(None, lambda _: "next", log))
    line.join()
    assert isinstance(log[0], GuideError) and log[1] == "next"


def test_progress_is_painted_while_it_runs_and_hears_the_lines():
    log, seen, line = [], [], Worker("test")

    def work(watch):
        watch("tls: web server")
        end = time.monotonic() + 5
        while len(seen) < 4:
            assert time.monotonic() < end
            time.sleep(0.01)
        return "done"

    line.submit(
        job(None, work, log, paint=lambda running: seen.append(running.doing_now.step))
    )
    line.join()
    assert log == ["done"] and seen[-1] == "tls: web server"
    assert not ispguide_threads()


def test_one_worker_a_server():
    assert worker("a") is worker("a") and worker("a") is not worker("b")
