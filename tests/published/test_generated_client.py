"""A client that a generator makes from the document works against the server, types and errors included."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import cast
from tests.deployment import Deployment

pytestmark = pytest.mark.runtime

PACKAGE = "portalops_generated"
PARTS = (
    "client", "models", "types", "api.auth.login", "api.auth.me", "api.services.list_services",
    "api.services.create_service", "api.services.get_service", "api.v1_services.v_1_list_services",
)  # fmt: skip


@pytest.fixture(scope="module")
def portal(engines, templates, tmp_path_factory):
    templates("cast", "generated")
    with Deployment(tmp_path_factory.mktemp("generated"), engines.postgres.url_of("generated")) as deployment:
        deployment.start("redis", "web")
        yield deployment


@pytest.fixture(scope="module")
def generated(portal, tmp_path_factory):
    """The package, made from what the portal serves: a warning means that the generator left something out."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(portal.get("/api/openapi.json").body)
    (folder / "config.yaml").write_text("post_hooks: []\n")
    made = subprocess.run(
        [
            str(Path(sys.executable).with_name("openapi-python-client")),
            *("generate", "--path", "openapi.json", "--meta", "none", "--config", "config.yaml"),
            *("--output-path", PACKAGE, "--fail-on-warning"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        modules = {name.rpartition(".")[2]: importlib.import_module(f"{PACKAGE}.{name}") for name in PARTS}
        yield SimpleNamespace(**modules)


@pytest.fixture(scope="module")
def base(portal):
    return f"http://127.0.0.1:{portal.port}"


@pytest.fixture(scope="module")
def signed_in(generated, base):
    """Signed in as alice, by the generated call."""
    body = generated.models.LoginBody(email="Alice@example.com", password=cast.PASSWORD)
    answer = generated.login.sync(client=generated.client.Client(base_url=base), body=body)
    assert isinstance(answer, generated.models.SignedIn)
    assert answer.user.name == "Alice"
    return generated.client.AuthenticatedClient(base_url=base, token=answer.access_token)


def test_who_one_is(generated, signed_in):
    assert generated.me.sync(client=signed_in).roles == ["ServiceAdministrator"]


def test_services_are_listed_made_and_read(generated, signed_in):
    before = generated.list_services.sync(client=signed_in)
    assert [service.name for service in before] == ["Google Workspace"]
    assert sorted(product.name for product in before[0].products) == ["Drive", "Gmail"]
    body = generated.models.ServiceBody(name="Notion", url="https://www.notion.so")
    made = generated.create_service.sync_detailed(client=signed_in, body=body)
    assert made.status_code == 201
    read = generated.get_service.sync(made.parsed.id, client=signed_in)
    assert (read.name, read.url, read.product_count) == ("Notion", "https://www.notion.so", 0)
    assert read.created_at == made.parsed.created_at


def test_generated_api_is_read_too(generated, signed_in):
    answer = generated.v_1_list_services.sync(client=signed_in)
    assert "Google Workspace" in [service.name for service in answer.result]


@pytest.mark.parametrize(("key", "signs_in", "status"), [("999999", True, 404), ("1", False, 401)])
def test_refusals_have_their_type(generated, signed_in, base, key, signs_in, status):
    client = signed_in if signs_in else generated.client.AuthenticatedClient(base_url=base, token="none")
    answer = generated.get_service.sync_detailed(key, client=client)
    assert answer.status_code == status
    assert isinstance(answer.parsed, generated.models.Error)
    assert answer.parsed.error == {404: "not_found", 401: "unauthorized"}[status]


def test_field_that_does_not_validate_is_named(generated, signed_in):
    body = generated.models.ServiceBody(name="Figma", url="ftp://figma.com")
    refused = generated.create_service.sync(client=signed_in, body=body)
    assert [one.field for one in refused.detail] == ["url"]
