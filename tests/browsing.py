"""A browser without scripts: cookies, redirects, and forms that are filled in and sent as they stand in the page."""

import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar

from tests import cast


@dataclass
class Form:
    action: str = ""
    method: str = "get"
    fields: dict[str, str | list[str]] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page as it came: status, final address, headers, HTML, and the forms in it."""

    status: int
    url: str
    headers: dict[str, str]
    html: str

    @property
    def path(self) -> str:
        return urllib.parse.urlsplit(self.url).path

    @property
    def forms(self) -> list[Form]:
        reader = _FormReader()
        reader.feed(self.html)
        return reader.forms

    def form_with(self, *names: str) -> Form:
        """The only form that has all these fields."""
        fitting = [form for form in self.forms if set(names) <= set(form.fields)]
        assert len(fitting) == 1, f"{len(fitting)} forms with {names} on {self.url}:\n{self.html[:3000]}"
        return fitting[0]


class Browser:
    """One person's browser. `follow=False` shows a redirect instead of following it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies = CookieJar()
        keeping = urllib.request.HTTPCookieProcessor(self.cookies)
        self._following = urllib.request.build_opener(keeping)
        self._staying = urllib.request.build_opener(keeping, _NoRedirect())

    def get(self, path: str, *, follow: bool = True) -> Page:
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.address, path)), follow=follow)

    def submit(self, page: Page, form: Form, *, press: str = "", **filled: str | list[str]) -> Page:
        """Fill in some fields of a form of the page and send it, with whatever else stands in it.

        `press` is the value of the button, where that makes a difference.
        """
        pressed = {form.buttons[press]: press} if press else {}
        data = urllib.parse.urlencode({**form.fields, **filled, **pressed}, doseq=True).encode()
        target = urllib.parse.urljoin(page.url, form.action)
        return self._open(urllib.request.Request(target, data, method="POST"), follow=True)

    def upload(self, page: Page, form: Form, field: str, file: tuple[str, bytes], **filled: str) -> Page:
        """Fill in a form with a file (its name, its content) and send it."""
        mark, (name, content) = uuid.uuid4().hex, file
        values = {key: value for key, value in {**form.fields, **filled}.items() if isinstance(value, str)}
        values.pop(field, None)
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in values.items()
        ]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        body = b"".join([*parts, head.encode(), content, f"\r\n--{mark}--\r\n".encode()])
        target = urllib.parse.urljoin(page.url, form.action)
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        return self._open(urllib.request.Request(target, body, headers, method="POST"), follow=True)

    def sign_in(self, name: str, password: str = cast.PASSWORD) -> Page:
        """As somebody of the cast, on the sign-in page."""
        page = self.get("/login/")
        form = page.form_with("username", "password", "csrf_token")
        return self.submit(page, form, username=f"{name}@example.com", password=password)

    def _open(self, request: urllib.request.Request, *, follow: bool) -> Page:
        opener = self._following if follow else self._staying
        try:
            answer = opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
        return Page(answer.status, answer.url, dict(answer.headers), text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        return None


class _FormReader(HTMLParser):
    """Forms, the fields that a browser would send (boxes and multiple choices as lists), and the value -> name of each button."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open_form: Form | None = None
        self._selected = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open_form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open_form)
        elif self._open_form is None:
            return
        elif tag in {"input", "button", "select", "textarea"} and given.get("name"):
            getattr(self, f"_{tag}")(self._open_form, given["name"], given)
        elif tag == "option" and self._selected:
            self._option(self._open_form.fields, given)

    @staticmethod
    def _input(form: Form, name: str, given: dict[str, str]) -> None:
        kind, value = given.get("type", "text"), given.get("value", "on")
        if kind == "checkbox":
            ticked = [*form.fields.get(name, []), *([value] if "checked" in given else [])]
            form.fields[name] = ticked
        elif kind != "submit" and (kind != "radio" or "checked" in given):
            form.fields[name] = given.get("value", "")

    @staticmethod
    def _button(form: Form, name: str, given: dict[str, str]) -> None:
        form.buttons[given.get("value", "")] = name

    def _select(self, form: Form, name: str, given: dict[str, str]) -> None:
        self._selected = name
        form.fields[name] = [] if "multiple" in given else ""

    def _option(self, fields: dict[str, str | list[str]], given: dict[str, str]) -> None:
        value, so_far = given.get("value", ""), fields[self._selected]
        if isinstance(so_far, list):
            so_far.extend([value] if "selected" in given else [])
        elif "selected" in given or not so_far:
            fields[self._selected] = value

    def _textarea(self, form: Form, name: str, _given: dict[str, str]) -> None:
        self._area, form.fields[name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open_form = None
        elif tag == "select":
            self._selected = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._open_form:
            self._open_form.fields[self._area] = f"{self._open_form.fields[self._area]}{data}"
