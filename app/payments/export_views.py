"""The register as a download."""

from typing import Any

from flask import Response, request, send_file
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.foundation import clock
from app.foundation.errors import NotFound
from app.foundation.transactions import transaction
from app.foundation.views import PortalView
from app.payments import exporting
from app.payments.filters import RegisterFilter


class RegisterExportView(PortalView):
    """What somebody sees of the register, in the same filter as the page."""

    route_base = "/payments/export"
    noun = "PaymentInfo"
    base_permissions = ["can_read", "can_edit"]
    default_view = "download"

    @expose("/<kind>")
    @has_access
    @permission_name("read")
    def download(self, kind: str) -> Any:
        """`csv` or `xlsx`."""
        if kind not in exporting.KINDS:
            raise NotFound("The register comes as CSV and as XLSX.")
        wanted = RegisterFilter.parse(request.args)
        with transaction():
            file = exporting.export(kind, wanted)
        name = f"payment-register-{clock.today().isoformat()}.{kind}"
        answer: Response = send_file(
            file, mimetype=exporting.KINDS[kind], as_attachment=True, download_name=name
        )
        return answer
