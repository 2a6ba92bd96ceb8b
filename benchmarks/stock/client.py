"""Signed in at stock FAB, as a script with a token and as a browser with a cookie."""

import json
import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from benchmarks import wrk
from benchmarks.cases import Stock
from benchmarks.stock.fab import PASSWORD


class StockClient:
    def __init__(self, address: str) -> None:
        self.address = address
        self.token = self._token()
        self.cookie = self._cookie()

    def target(self, wanted: Stock) -> wrk.Target:
        """What to drive, signed in the way it asks for."""
        by_token = {"Authorization": f"Bearer {self.token}"}
        headers = {"Cookie": self.cookie} if wanted.as_page else by_token
        return wrk.Target(self.address + wanted.path, headers, wanted.body)

    def _token(self) -> str:
        sent = {"username": "root", "password": PASSWORD, "provider": "db"}
        request = urllib.request.Request(
            f"{self.address}/api/v1/security/login",
            json.dumps(sent).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return str(json.load(answer)["access_token"])

    def _cookie(self) -> str:
        jar = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        address = f"{self.address}/login/"
        with browser.open(address) as answer:
            [csrf] = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode()) or [""]
        form = {"username": "root", "password": PASSWORD, "csrf_token": csrf}
        with browser.open(address, urllib.parse.urlencode(form).encode()) as answer:
            if "/login" in answer.url:
                raise SystemExit("Stock FAB refused the sign-in.")
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
