"""What the page on upgrading says about transactions that are in the way."""

import subprocess

import psycopg2

from app.foundation.embedded.postgres import binary
from tests.docs.blocks import every_block


def test_the_oldest_transaction_is_found(empty_app) -> None:
    url = empty_app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg2", "")
    [block] = [block for block in every_block() if any("test_the_oldest" in proof for proof in block.proofs)]
    connection = psycopg2.connect(url)
    try:
        connection.cursor().execute("LOCK alembic_version IN ACCESS EXCLUSIVE MODE")
        script = block.text.replace("psql", str(binary("psql")), 1)
        done = subprocess.run(
            ["bash", "-c", script], env={"DATABASE_URL": url}, capture_output=True, text=True, check=True
        )
    finally:
        connection.close()
    assert "LOCK alembic_version IN ACCESS EXCLUSIVE MODE" in done.stdout.splitlines()[2]
