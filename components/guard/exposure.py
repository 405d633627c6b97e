"""Nothing is served beyond this machine unless readers sign in."""

from __future__ import annotations

from components.guard.settings import Settings

SECRET_BYTES = 32


def complaint(settings: Settings) -> str | None:
    """Why this configuration must not be served, or None."""
    if settings.exposed and not settings.sign_in:
        return (
            "Bedside would be reachable from beyond this machine "
            f"(server.address = {settings.address}, server.allowedHosts = {', '.join(settings.hosts)}), "
            "and sign-in is not configured. Add an [auth] section to .streamlit/secrets.toml, "
            "or serve on 127.0.0.1 only."
        )
    if settings.sign_in and len(settings.cookie_secret.encode()) < SECRET_BYTES:
        return (
            f"cookie_secret in .streamlit/secrets.toml is shorter than {SECRET_BYTES} bytes. "
            "Make a new one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return None


def refuse_if_exposed() -> None:
    """End the process with a sentence if this configuration must not be served.

    Raises
    ------
    SystemExit
        With exit code 1; the sentence goes to standard error.
    """
    reason = complaint(Settings.from_config())
    if reason:
        raise SystemExit(f"Bedside did not start. {reason}")
