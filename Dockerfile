# syntax=docker/dockerfile:1
# One image for the api and the worker: `docker run guildhall` serves, `… python -m workers` works.

ARG PYTHON=3.11-slim-bookworm

# Everything that the lock names is fetched and its hash checked; only what runs is installed.
FROM python:${PYTHON} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip download --quiet --require-hashes --requirement requirements.lock --dest wheels
COPY pyproject.toml ./
RUN python -c "import tomllib; \
print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > runtime.txt \
    && python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --quiet --no-index --find-links wheels \
        --requirement runtime.txt

FROM python:${PYTHON}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
RUN printf '#!/bin/sh\nexec python -m workers.cli "$@"\n' > /usr/local/bin/guildhall \
    && chmod 755 /usr/local/bin/guildhall \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin guildhall
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /app
COPY api api
COPY workers workers
# what `guildhall doctor` compares a database with
COPY supabase supabase
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# of the api; a worker's life is its heartbeat in the database, see /readyz and `guildhall doctor`
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["python", "-m", "api", "--host", "0.0.0.0", "--port", "8000"]
