"""Something on loopback that speaks S3, with one bucket, `files`."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

ACCESS = {"region": "us-east-1", "access_key_id": "key", "secret_access_key": "secret"}


@contextmanager
def object_storage() -> Iterator[str]:
    """Its address, as long as the block lasts."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name=ACCESS["region"],
            aws_access_key_id=ACCESS["access_key_id"],
            aws_secret_access_key=ACCESS["secret_access_key"],
        )
        client.create_bucket(Bucket="files")
        yield address
    finally:
        server.stop()
