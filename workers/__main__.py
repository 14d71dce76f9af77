"""`python -m workers`: one worker process."""

from workers.app import run_worker

run_worker()
