"""Requests that no client of ours would send: parameters, keys, filters, bodies and headers."""

PARAMETERS = ("search", "page", "limit", "status", "actorUserId", "action", "targetId", "from", "to")
PAGE_PARAMETERS = (
    "scope",
    "type",
    "status",
    "person",
    "page",
    "part",
    "from",
    "to",
    "actor",
    "action",
    "next",
    "q",
    "month",
    "day",
    "kind",
    "mine",
)
HOSTILE_KEYS = ("0", "-1", "abc", "1.5", str(2**31), str(2**70), "%00", "%FF", "..%2f..%2fetc%2fpasswd", "%F0%9F%92%A9",
                "'", "null", "x" * 5_000, "{{7*7}}", "\u0661")  # fmt: skip
RISON = ("", "(", "!t", "!(", "''", "null", "1e400", "(page:-1)", f"(page:{2**70})", "(page_size:-1)", "(page_size:!t)",
         "(page:1.5)", f"(page_size:{2**70})", "(filters:!n)", "(filters:!(!n))", "(filters:!((col:id,opr:eq,value:!())))",
         f"(filters:!((col:id,opr:eq,value:{2**70})))", "(filters:!((col:id,opr:eq,value:'%00')))", "(filters:!((col:!t,opr:!t,value:1)))",
         "(filters:!((col:__class__,opr:eq,value:1)))", "(order_column:id,order_direction:up)", "(order_column:!t)", "(columns:!(password))",
         "(columns:!t)", "(keys:!(x))", '{"page": 1e400}', "(select_columns:!(id,__dict__))", "(" * 3_000, "!(" * 3_000,
         f"(filters:!({'(col:id,opr:eq,value:1),' * 200}(col:id,opr:eq,value:1)))", "%FF", "%00", "x" * 70_000)  # fmt: skip
RAW_BODIES = {
    "empty": b"",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "half": b'{"name": ',
    "text": b"name=x",
    "list": b"[]",
    "number": b"7",
    "null": b"null",
    "deep": b"[" * 100_000,
    "duplicate keys": b'{"name": "a", "name": 7, "name": null}',
    "NUL": b"\x00" * 64,
    "12 MB": b'{"name": "' + b"x" * (12 * 1024 * 1024) + b'"}',
}
HEADERS = [
    {"Authorization": value}
    for value in ("", "Bearer", "Bearer ", "Bearer a.b.c", "Basic cm9vdDpyb290", "Bearer " + "x" * 20_000, "Bearer \xff",
                  "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "bearer a b c", "Bearer ..", "Token x")
] + [{"Accept": value} for value in ("text/html", "image/png", "*", ";;;,q=x", "text/html;q=nan", "\xff", "x" * 20_000)] + [
    {"X-Request-ID": "\xff"}, {"Range": "bytes=5-1"}, {"If-None-Match": '"'}, {"If-Match": "\xff"},
    {"If-Modified-Since": "never"}, {"Cookie": "portalops=\xff; ="}, {"Content-Encoding": "gzip"},
    {"X-API-Key": "\xff"}, {"X-HTTP-Method-Override": "DELETE"}, {"Accept-Language": "\xff;q=x"},
]  # fmt: skip
