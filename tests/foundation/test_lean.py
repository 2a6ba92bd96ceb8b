"""What Flask is spared must not matter: no coroutines, and cookies are sealed with the secrets of now."""

from inspect import iscoroutinefunction

from flask.sessions import SecureCookieSessionInterface

from app.foundation.lean import LeanFlask


def test_no_function_that_flask_calls_is_a_coroutine(app):
    hooks = [app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs]
    called = [hook for kind in hooks for listed in kind.values() for hook in listed]
    called += [*app.teardown_appcontext_funcs, *app.view_functions.values()]
    called += [handler for codes in app.error_handler_spec[None].values() for handler in codes.values()]
    assert len(called) > 200
    assert [one for one in called if iscoroutinefunction(one)] == []


def test_cookies_are_sealed_as_flask_seals_them():
    app = LeanFlask("app")
    sealed = []
    for secret, fallbacks in (("one", None), ("two", ["one"]), ("two", None), ("one", None)):
        app.secret_key, app.config["SECRET_KEY_FALLBACKS"] = secret, fallbacks
        ours = app.session_interface.get_signing_serializer(app)
        assert app.session_interface.get_signing_serializer(app) is ours
        theirs = SecureCookieSessionInterface().get_signing_serializer(app)
        assert theirs.loads(ours.dumps({"a": 1})) == {"a": 1}
        sealed.append((ours.secret_keys, ours.signer_kwargs))
    assert [keys for keys, _ in sealed] == [[b"one"], [b"one", b"two"], [b"two"], [b"one"]]
    app.secret_key = None
    assert app.session_interface.get_signing_serializer(app) is None
