"""Chat addresses: Apprise's URLs, of services that are reached by HTTP and nothing else.

Apprise knows some that write files, run programs or talk to the machine's own bus, and parameters that read files: what
is not listed here is refused.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.foundation import outgoing
from app.foundation.errors import InvalidInput
from app.foundation.reachable import Refused, target

LONGEST = 1_000
# scheme -> the module and class of Apprise.
SERVICES = {
    "slack": ("slack", "NotifySlack"),
    "workflow": ("workflows", "NotifyWorkflows"),
    "workflows": ("workflows", "NotifyWorkflows"),
    "discord": ("discord", "NotifyDiscord"),
    "tgram": ("telegram", "NotifyTelegram"),
    "wxteams": ("webexteams", "NotifyWebexTeams"),
    "gchat": ("google_chat", "NotifyGoogleChat"),
    "zulip": ("zulip", "NotifyZulip"),
    "pover": ("pushover", "NotifyPushover"),
    "pbul": ("pushbullet", "NotifyPushBullet"),
    "ntfy": ("ntfy", "NotifyNtfy"),
    "ntfys": ("ntfy", "NotifyNtfy"),
    "gotify": ("gotify", "NotifyGotify"),
    "gotifys": ("gotify", "NotifyGotify"),
    "mmost": ("mattermost", "NotifyMattermost"),
    "mmosts": ("mattermost", "NotifyMattermost"),
    "rocket": ("rocketchat", "NotifyRocketChat"),
    "rockets": ("rocketchat", "NotifyRocketChat"),
    "json": ("custom_json", "NotifyJSON"),
    "jsons": ("custom_json", "NotifyJSON"),
}
# Whoever writes the address names the host.
FREE_HOSTS = frozenset(
    one for one in SERVICES if one.rstrip("s") in {"ntfy", "gotify", "mmost", "rocket", "json"}
)
# Services whose own pages show an https:// address to copy.
NATIVE = ("slack", "workflows", "discord", "gchat", "wxteams")
PARAMETERS = frozenset(
    [
        "api-version",
        "auth",
        "avatar",
        "channel",
        "format",
        "id",
        "key",
        "mode",
        "overflow",
        "priority",
        "sig",
        "sound",
        "sp",
        "stream",
        "sv",
        "threadkey",
        "to",
        "token",
        "topic",
        "ver",
        "wf",
    ]
)
EXAMPLES = "slack://, discord://, tgram://, workflows:// (Teams), gchat://, ntfys://, mmosts:// or pover://"


@dataclass(frozen=True, slots=True)
class ChatAddress:
    """An address that messages may be sent to; `shown` gives nothing of its secret away."""

    url: str
    shown: str


def check(url: str, field: str = "chat_address") -> ChatAddress:
    """A usable address. InvalidInput at the field otherwise, in words."""
    url = url.strip()
    if len(url) > LONGEST or not url.isprintable() or not url.isascii() or " " in url:
        raise InvalidInput(**{field: "Remove the blanks and whatever else does not belong into an address."})
    service = open_service(url)
    if service is None:
        raise InvalidInput(**{field: _why_not(url)})
    if service.scheme in FREE_HOSTS:
        _must_be_outside(service, field)
    return ChatAddress(url, service.shown(url))


def _why_not(url: str) -> str:
    scheme = urlsplit(url).scheme.lower() if "://" in url else ""
    if scheme in SERVICES:
        return f"Something is missing or too much in this {scheme}:// address."
    if scheme in {"http", "https"}:
        return "This is no webhook address of Slack, Teams, Discord, Google Chat or Webex."
    known = f"Addresses begin with {EXAMPLES}; webhook addresses of Slack, Teams and Discord do as they are."
    return f"{scheme}:// is not one that messages can be sent to. {known}" if scheme else known


def _must_be_outside(service: "Service", field: str) -> None:
    """What can be told without asking for the host's address; the connection is checked again when it is made."""
    plugin = service.plugin
    if getattr(plugin, "mode", "") == "cloud":
        return
    port = f":{plugin.port}" if plugin.port else ""
    scheme = "https" if plugin.secure else "http"
    try:
        target(f"{scheme}://{plugin.host}{port}/", outgoing.rules())
    except Refused as refused:
        hint = "" if plugin.secure else f" Write {service.scheme}s:// to send by https."
        raise InvalidInput(**{field: f"{refused}{hint}"}) from None


@dataclass(frozen=True, slots=True)
class Service:
    """One of Apprise's services, made of an address and ready to send."""

    scheme: str
    plugin: Any

    def shown(self, url: str) -> str:
        """Its name, the host if that was free to choose, and the last letters to tell two apart."""
        host = f" at {self.plugin.host}" if self.scheme in FREE_HOSTS and self.plugin.host else ""
        return f"{self.plugin.service_name}{host} (…{url[-4:]})"


def open_service(url: str) -> Service | None:
    """The service of an address; None if it is none of ours, or not whole."""
    scheme = urlsplit(url).scheme.lower()
    if scheme in SERVICES:
        return _opened(scheme, _class_of(scheme).parse_url(url) if _is_plain(url) else None)
    if scheme == "https":
        for name in NATIVE:
            parsed = _class_of(name).parse_native_url(url)
            if parsed:
                return _opened(name, parsed)
    return None


def _is_plain(url: str) -> bool:
    """Apprise's further parameters name files to read, how often to try, or whom to trust."""
    return {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)} <= PARAMETERS


def _opened(scheme: str, parsed: dict[str, Any] | None) -> Service | None:
    if not parsed:
        return None
    parsed = {**parsed, "asset": _asset(), "tag": set()}
    try:
        return Service(scheme, _class_of(scheme)(**parsed))
    except (TypeError, ValueError, AttributeError):
        return None


def _class_of(scheme: str) -> Any:
    """Imported one by one: all of Apprise's two hundred cost 45 MB."""
    module, name = SERVICES[scheme]
    return getattr(import_module(f"apprise.plugins.{module}"), name)


def _asset() -> Any:
    """Apprise with nothing of its own: no pictures from elsewhere, no files, no redirects, no threads."""
    from apprise import AppriseAsset  # noqa: PLC0415 - costs a quarter of a second, which few processes need

    return AppriseAsset(
        app_id="PortalOps",
        app_desc="",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        storage_mode="memory",
        http_redirects=False,
        async_mode=False,
        secure_logging=True,
    )
