"""The least that Flask can do: what our requests are measured against."""

from flask import Flask, Response, jsonify


def create_app() -> Flask:
    app = Flask(__name__)

    @app.get("/ping")
    def ping() -> Response:
        return jsonify(message="pong")

    return app
