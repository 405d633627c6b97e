"""What the guard needs to know about this installation, read once at start."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from streamlit import config

from bedside.store.key import server_key, subkey
from components.guard import identity

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Whether a name or address can only mean this machine."""
    plain = host.strip("[]").rstrip(".").lower()
    if plain == "localhost":
        return True
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Settings:
    """The guard's view of the configuration.

    Parameters
    ----------
    key : bytes
        Signs the passes of this installation.
    hosts : tuple of str
        Names under which the app may be asked for, lower case, without ports.
    address : str
        Where the server listens.
    base : str
        Path under which the app lies, ``""`` or ``"/name"``.
    providers : tuple of str
        Identity providers; empty when sign-in is not configured.
    cookie_secret : str
        Signs Streamlit's identity cookie; only of use with `providers`.
    redirect_uri : str
        Where the identity provider sends the reader back to.
    """

    key: bytes
    hosts: tuple[str, ...] = LOOPBACK_NAMES
    address: str = "127.0.0.1"
    base: str = ""
    providers: tuple[str, ...] = ()
    cookie_secret: str = ""
    redirect_uri: str = ""

    @property
    def sign_in(self) -> bool:
        """Whether readers are asked who they are."""
        return bool(self.providers)

    @property
    def exposed(self) -> bool:
        """Whether anyone beyond this machine could reach the app."""
        return not (is_loopback(self.address) and all(is_loopback(host) for host in self.hosts))

    @property
    def secure(self) -> bool:
        """Whether readers reach the app through TLS, as far as the configuration tells."""
        return urlsplit(self.redirect_uri).scheme == "https"

    @classmethod
    def from_config(cls) -> Settings:
        """Read Streamlit's configuration and secrets."""
        auth = identity.configuration()
        base = (config.get_option("server.baseUrlPath") or "").strip("/")
        hosts = config.get_option("server.allowedHosts") or ()
        return cls(
            key=subkey(server_key(), "pass"),
            hosts=tuple(host.strip().lower().rstrip(".") for host in hosts) or LOOPBACK_NAMES,
            # Streamlit listens on every interface when no address is set.
            address=config.get_option("server.address") or "0.0.0.0",
            base=f"/{base}" if base else "",
            providers=auth.providers,
            cookie_secret=auth.cookie_secret,
            redirect_uri=auth.redirect_uri,
        )
