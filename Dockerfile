FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --home-dir /portal portalops \
    && install -d -o portalops -g portalops -m 700 /data
COPY --from=build /venv /venv
COPY . /portal
WORKDIR /portal
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production DATA_DIR=/data HOST=0.0.0.0
USER portalops
VOLUME /data
EXPOSE 8000
# The web process; the worker and the scheduler are the same image with `flask --app app worker` and `... scheduler`,
# and `flask --app app setup` brings the database up to date first.
CMD ["gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"]
