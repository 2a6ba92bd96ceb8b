"""Which addresses a message of ours may go to: those of the public internet, and what the settings name besides.

Python's `is_global` and `is_private` are not asked: they miss translated addresses (NAT64, 6to4), and differ between
versions. The list is IANA's of special-purpose addresses (RFC 6890 and its registry).
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

import idna

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2_000
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")
_AS_IT_IS = "/%:=&?~+!$,;'@()*[]-._"
_SPECIAL_4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; clouds keep their secrets at 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
# Of IPv6 only this is given out to the internet: loopback, private, link-local, NAT64 and multicast lie outside.
_GIVEN_OUT = IPv6Network("2000::/3")
_SPECIAL_6 = [
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo and other protocols
        "2001:db8::/32",
        "2002::/16",  # 6to4: holds any address of IPv4
        "3fff::/20",
    )
]


class Refused(Exception):
    """Nothing of ours may go there; the message is for people."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings allow: ports, networks of one's own, and whether without TLS."""

    ports: tuple[range, ...] = (range(443, 444), range(8443, 8444))
    networks: tuple[Network, ...] = ()
    http: bool = False

    def admit(self, address: str) -> Address:
        """The address, or Refused if nothing of ours may go there."""
        found = _plain(address)
        if any(found in network for network in self.networks if network.version == found.version):
            return found
        if _is_special(found):
            raise Refused(f"{address} is an address inside of a network, not on the internet.")
        return found


def _plain(address: str) -> Address:
    """An IPv4 address that was written as one of IPv6 is that IPv4 address."""
    found = ip_address(address)
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _is_special(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _SPECIAL_4)
    return address not in _GIVEN_OUT or any(address in network for network in _SPECIAL_6)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: where to connect to, and what to ask for. `authority` is its host and port as written there."""

    scheme: str
    host: str
    port: int
    path: str
    authority: str


def target(url: str, rules: Rules) -> Target:
    """A URL that may be called as far as one can tell without asking for its host's address. Refused otherwise."""
    if len(url) > LONGEST_URL:
        raise Refused(f"At most {LONGEST_URL:,} characters.")
    if not url.isprintable() or " " in url:
        raise Refused("Remove the blanks and the characters that can't be seen.")
    found = _taken_apart(url, ("https", "http") if rules.http else ("https",))
    if not any(found.port in allowed for allowed in rules.ports):
        raise Refused(f"Port {found.port} is not one that messages may be sent to (OUTGOING_PORTS).")
    if ":" in found.host or found.host.replace(".", "").isdigit():
        try:
            rules.admit(found.host)
        except ValueError:
            raise Refused("The address in this URL is not a valid one.") from None
    return found


def _taken_apart(url: str, schemes: tuple[str, ...]) -> Target:
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _host(parts.hostname or "")
    except (ValueError, idna.IDNAError):
        raise Refused("This is no URL.") from None
    if parts.scheme not in schemes or not host:
        raise Refused(f"Enter a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    if "@" in parts.netloc:
        raise Refused("A user name or a password must not stand in the URL.")
    written = f"[{host}]" if ":" in host else host
    path = quote(parts.path or "/", _AS_IT_IS) + (f"?{quote(parts.query, _AS_IT_IS)}" if parts.query else "")
    return Target(
        parts.scheme,
        host,
        _DEFAULT_PORTS[parts.scheme] if port is None else port,
        path,
        written if port is None else f"{written}:{port}",
    )


def _host(name: str) -> str:
    """As the internet writes it: `bücher.example` is `xn--bcher-kva.example`. ValueError for what is no name."""
    if ":" in name:
        return str(ip_address(name))
    if not name.isascii():
        name = idna.encode(name, uts46=True).decode()
    if name and not _HOST.fullmatch(name):
        raise ValueError
    return name


def parse_ports(text: str) -> range:
    """`443` or `9000-9100`. ValueError for anything else."""
    first, _, last = text.partition("-")
    found = range(int(first), int(last or first) + 1)
    if not (found and found[0] >= 1 and found[-1] <= 65535):
        raise ValueError("not a port such as 443, or ports such as 9000-9100")
    return found


def parse_network(text: str) -> Network:
    """`10.0.0.0/8` or an address. ValueError for anything else."""
    return ip_network(text)
