"""Flask-AppBuilder as its documentation sets it out: every default kept, one model of 20,000 rows.

`python -m benchmarks.stock.fab` makes and fills the tables in `STOCK_DATABASE_URL`, as `flask fab create-admin` and
the first start would.
"""

import os
from datetime import timedelta

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelRestApi, ModelView
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Column, Date, Integer, String, text

ROWS = 20_000
PASSWORD = "a long test password"
db = SQLAlchemy(model_class=Model)

FILL = """
    INSERT INTO contact (id, name, address, birthday, personal_phone, personal_cellphone)
    SELECT nextval('contact_id_seq'), 'Contact ' || n, n || ' Long Street', date '1970-01-01' + n, '555-' || n,
        '556-' || n
    FROM generate_series(1, :rows) AS n
"""


class Contact(Model):
    __tablename__ = "contact"

    id = Column(Integer, primary_key=True)
    name = Column(String(150), unique=True, nullable=False)
    address = Column(String(564), default="Street")
    birthday = Column(Date)
    personal_phone = Column(String(20))
    personal_cellphone = Column(String(20))

    def __repr__(self) -> str:
        return str(self.name)


class ContactView(ModelView):
    datamodel = SQLAInterface(Contact)
    list_columns = ["name", "address", "birthday", "personal_phone", "personal_cellphone"]


class ContactApi(ModelRestApi):
    datamodel = SQLAInterface(Contact)
    resource_name = "contact"


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=os.environ["STOCK_DATABASE_URL"],
        SECRET_KEY="stock " * 8,
        # Not to run out while it is measured.
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(hours=12),
    )
    db.init_app(app)
    with app.app_context():
        appbuilder = AppBuilder(app, db.session)
        appbuilder.add_view(ContactView, "Contacts", category="Contacts")
        appbuilder.add_api(ContactApi)
        # What the start asked the database for stays in the parent: workers must not share its connections.
        db.session.remove()
        db.engine.dispose()
    return app


def main() -> None:
    app = create_app()
    with app.app_context():
        security = app.appbuilder.sm
        security.add_user("root", "Root", "Root", "root@example.com", security.find_role("Admin"), PASSWORD)
        db.session.execute(text(FILL), {"rows": ROWS})
        db.session.commit()
        with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


if __name__ == "__main__":
    main()
