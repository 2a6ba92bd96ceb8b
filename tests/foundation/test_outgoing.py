"""Calls to other systems: what is refused, what is connected to, and how long it may take."""

import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.foundation import outgoing
from app.foundation.outgoing import LARGEST_ANSWER, NoAnswer, post
from app.foundation.reachable import Refused, Rules, parse_network, parse_ports, target
from tests.receiver import answer, breaking_off, dripping, dripping_headers, never, no_http, receiving

HOME = Rules(ports=(range(1, 65536),), networks=(ip_network("127.0.0.1"),), http=True)
STRICT = Rules(ports=(range(1, 65536),), http=True)

INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.8",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%2",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.0.1",
    "2606:4700:4700::1111",
    "2a00:1450::1",
]


@pytest.fixture
def names(monkeypatch):
    """Replaces the resolver: `names({"a.test": [["127.0.0.1"], ...]})`, one list for each time it is asked."""
    asked = []

    def know(known):
        def lookup(host, _port):
            asked.append(host)
            answers = known[host]
            return answers.pop(0) if len(answers) > 1 else answers[0]

        monkeypatch.setattr(outgoing, "lookup", lookup)
        return asked

    return know


def send(url, allowed=HOME, seconds=5.0):
    return post(url, b'{"a":1}', {"Content-Type": "application/json"}, allowed, seconds)


@pytest.mark.parametrize("address", INSIDE)
def test_address_inside_a_network_is_refused(address, names):
    names({"inside.test": [[address]]})
    with pytest.raises(Refused, match="inside of a network"):
        send("http://inside.test/", STRICT)


@pytest.mark.parametrize("address", INSIDE)
def test_address_inside_a_network_is_refused_in_the_url_itself(address):
    if "%" in address:
        return
    written = f"[{address}]" if ":" in address else address
    with pytest.raises(Refused, match="inside of a network"):
        target(f"http://{written}/", STRICT)


@pytest.mark.parametrize("address", OUTSIDE)
def test_address_of_the_internet_is_admitted(address):
    assert str(STRICT.admit(address)) == address


@pytest.mark.parametrize("address", ["0x7f.1", "2130706433", "017700000001", "127.1"])
def test_other_spellings_of_an_address_are_what_they_resolve_to(address):
    with pytest.raises(Refused):
        send(f"http://{address}/", STRICT)


def test_network_of_ones_own_is_admitted_and_its_neighbour_is_not():
    allowed = Rules(networks=(ip_network("10.20.0.0/16"), ip_network("fd00:1::/32")))
    assert allowed.admit("10.20.3.4")
    assert allowed.admit("::ffff:10.20.3.4")
    assert allowed.admit("fd00:1::7")
    for address in ("10.21.0.1", "fd00:2::7", "127.0.0.1"):
        with pytest.raises(Refused):
            allowed.admit(address)


@pytest.mark.parametrize("addresses", [["8.8.8.8", "127.0.0.2"], ["127.0.0.2", "8.8.8.8"]])
def test_name_with_addresses_inside_and_outside_is_refused(addresses, names):
    names({"mixed.test": [addresses]})
    with pytest.raises(Refused):
        send("http://mixed.test/", STRICT)


def test_name_that_changes_its_meaning_gains_nothing(names):
    """The second answer is the one a client would connect to that looks a name up twice."""
    with receiving(answer(200)) as here, receiving(answer(200), host="127.0.0.2") as elsewhere:
        asked = names({"rebinding.test": [["127.0.0.1"], ["127.0.0.2"]]})
        found = send(here.url("rebinding.test"))
        assert (found.status, found.address, asked) == (200, "127.0.0.1", ["rebinding.test"])
        assert here.requests[0].headers["host"] == f"rebinding.test:{here.port}"
        with pytest.raises(Refused):
            send(elsewhere.url("rebinding.test"))
        assert elsewhere.requests == []


def test_second_address_is_tried_when_the_first_is_closed(names):
    with receiving(answer(200), host="127.0.0.2") as receiver:
        names({"two.test": [["127.0.0.1", "127.0.0.2"]]})
        allowed = Rules(HOME.ports, (ip_network("127.0.0.0/8"),), http=True)
        assert send(receiver.url("two.test"), allowed).address == "127.0.0.2"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_an_answer_and_not_followed(status):
    with receiving(answer(200)) as inside:
        with receiving(answer(status, Location=inside.url(path="/secret"))) as receiver:
            found = send(receiver.url())
        assert (found.status, inside.requests) == (status, [])
        assert found.headers["location"] == inside.url(path="/secret")


def test_request_arrives_as_it_was_meant():
    with receiving(answer(202, b"thanks", X_Kind="test")) as receiver:
        found = send(receiver.url(path="/a%20b?c=d&e=ü"))
    assert (found.status, found.body, found.is_cut) == (202, b"thanks", False)
    assert found.headers["x-kind"] == "test"
    request = receiver.requests[0]
    assert (request.path, request.body) == ("/a%20b?c=d&e=%C3%BC", b'{"a":1}')
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with receiving(answer(200)) as receiver:
        assert send(receiver.url()).status == 200


@pytest.mark.parametrize("slow", [never, dripping, dripping_headers])
def test_deadline_holds_for_everything(slow):
    with receiving(slow) as receiver:
        began = time.monotonic()
        with pytest.raises(NoAnswer, match=r"within 0\.5 seconds"):
            send(receiver.url(), seconds=0.5)
        assert time.monotonic() - began < 3


def test_deadline_holds_for_the_lookup_too(monkeypatch):
    with receiving(never) as receiver:
        monkeypatch.setattr(outgoing, "lookup", lambda *_: receiver.over.wait(30))
        with pytest.raises(NoAnswer, match=r"within 0\.3 seconds"):
            send(receiver.url("slow.test"), seconds=0.3)


def test_large_answer_is_cut():
    with receiving(answer(200, b"x" * 10_000_000)) as receiver:
        found = send(receiver.url())
    assert (len(found.body), found.is_cut) == (LARGEST_ANSWER, True)


def test_packed_answer_stays_packed():
    with receiving(answer(200, b"\x1f\x8b not really", Content_Encoding="gzip")) as receiver:
        assert send(receiver.url()).body == b"\x1f\x8b not really"
    assert receiver.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(("strange", "said"), [(no_http, "not HTTP"), (breaking_off, "broke off")])
def test_what_is_no_answer_is_said_so(strange, said):
    with receiving(strange) as receiver, pytest.raises(NoAnswer, match=said):
        send(receiver.url())


def test_nobody_listens():
    with receiving() as receiver:
        url = receiver.url()
    with pytest.raises(NoAnswer, match="No connection"):
        send(url)


def test_unknown_host_is_said_so(monkeypatch):
    def lookup(_host, _port):
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(outgoing, "lookup", lookup)
    with pytest.raises(NoAnswer, match=r"nowhere\.test is not known"):
        send("http://nowhere.test/")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("javascript:alert(1)", "begins with https://"),
        ("ftp://example.com/", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("//example.com/", "begins with https://"),
        ("https:///path", "begins with https://"),
        ("example.com", "begins with https://"),
        ("", "begins with https://"),
        ("http://example.com/", "begins with https://"),
        ("https://user:password@example.com/", "must not stand"),
        ("https://user@example.com/", "must not stand"),
        ("https://example.com@127.0.0.1/", "must not stand"),
        ("https://example.com:22/", "Port 22"),
        ("https://example.com:0/", "Port 0"),
        ("https://example.com:99999/", "no URL"),
        ("https://example.com:x/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://exa mple.com/", "blanks"),
        ("https://example.com/\r\nX: y", "blanks"),
        ("https://exam\x00ple.com/", "blanks"),
        ("https://example.com\\@127.0.0.1/", "must not stand|no URL"),
        ("https://ex%61mple.com/", "no URL"),
        ("https://" + "a" * 70_000, "At most 2,000"),
        ("https://999.1.1.1/", "not a valid one"),
        ("https://127.0.0.1/", "inside of a network"),
        ("https://[::ffff:127.0.0.1]/", "inside of a network"),
    ],
)
def test_url_that_may_not_be_called_is_refused(url, said):
    with pytest.raises(Refused, match=said):
        target(url, Rules())


def test_url_that_may_be_called_is_taken_apart():
    found = target("https://Bücher.example:8443/a b".replace(" ", "%20") + "?q=1#top", Rules())
    assert (found.host, found.port, found.path) == ("xn--bcher-kva.example", 8443, "/a%20b?q=1")
    assert found.authority == "xn--bcher-kva.example:8443"
    assert target("https://example.com", Rules()).path == "/"


def test_ports_and_networks_are_read_from_text():
    assert parse_ports("9000-9100") == range(9000, 9101)
    assert parse_network("10.0.0.0/8") == ip_network("10.0.0.0/8")
    for text in ("", "x", "0", "9-1", "1-70000", "-1"):
        with pytest.raises(ValueError, match=r"not a port|invalid literal"):
            parse_ports(text)


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """A certificate for hooks.test, which the system trusts, and the server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        made.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    outgoing._tls.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    yield context
    outgoing._tls.cache_clear()


def test_certificate_is_checked_for_the_name_in_the_url(trusted, names):
    """The address is connected to, and the name is asked for and proved."""
    asked = []
    trusted.sni_callback = lambda _socket, name, _context: asked.append(name)
    names({"hooks.test": [["127.0.0.1"]], "other.test": [["127.0.0.1"]]})
    with receiving(answer(200), tls=trusted) as receiver:
        assert send(receiver.url("hooks.test")).status == 200
        assert asked == ["hooks.test"]
        with pytest.raises(NoAnswer, match="No secure connection"):
            send(receiver.url("other.test"))
    assert [one.headers["host"] for one in receiver.requests] == [f"hooks.test:{receiver.port}"]
