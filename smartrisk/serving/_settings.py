"""What a service is asked to be: its engine, its limits, its address."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from smartrisk.errors import ArgumentError, check_number

#: Where the token of a service stands: not on a command line, which others can list.
TOKEN_VARIABLE = "SMARTRISK_TOKEN"
#: More fields than any administration sends. Each is a column of all items of a
#: request: a million names in a small body would be a table beyond the memory.
MOST_FIELDS = 1_000
#: Shorter tokens can be guessed: 16 letters and digits are 95 bits.
_SHORTEST_TOKEN = 16


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one request, and all of them together, may take.

    Parameters
    ----------
    max_items : int, default=10_000
        Items of one request.
    max_explained : int, default=500
        Items of one request for reasons: an explanation costs as much as forty scores.
    max_bytes : int, default=16_000_000
        Bytes of the body of a request.
    timeout : float, default=30.0
        Seconds from the first byte of a request to its answer. An update that has begun
        is finished whatever it takes.
    max_waiting : int, default=64
        Requests that may wait for one of the threads; more are refused.
    threads : int, default=2
        Threads of one process for requests of several items.
    max_connections : int, default=512
        Connections of one process.

    Examples
    --------
    >>> from smartrisk.serving import Limits
    >>> Limits(max_items=100).max_items
    100
    """

    max_items: int = 10_000
    max_explained: int = 500
    max_bytes: int = 16_000_000
    timeout: float = 30.0
    max_waiting: int = 64
    threads: int = 2
    max_connections: int = 512

    def __post_init__(self) -> None:
        """Check every limit."""
        for name, value in asdict(self).items():
            if name == "timeout":
                check_number("Limits", name, value, low=0.1)
            else:
                check_number("Limits", name, value, low=1, integer=True)


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """A service: which engine it serves, within which limits, and whether it writes.

    Parameters
    ----------
    folder : str
        Folder of a saved engine. When another one is saved there, it is loaded.
    columns : str, default=None
        Column map of the items: a TOML file or the name of a built-in one; None for
        canonical names.
    outcome_columns : str, default=None
        The same for results; None to use `columns`.
    writer : bool, default=False
        Whether ``/update`` is allowed.
    public_key : str, default=None
        File of the public key that must have signed the folder; None for no check.
    trusted : tuple of str, default=()
        As for `RiskEngine.load`.
    poll : float, default=1.0
        Seconds between two looks at the folder.
    limits : Limits, default=None
        None for ``Limits()``.

    Examples
    --------
    >>> from smartrisk.serving import ServiceSettings
    >>> ServiceSettings(folder="engine").writer
    False
    """

    folder: str
    columns: str | None = None
    outcome_columns: str | None = None
    writer: bool = False
    public_key: str | None = None
    trusted: tuple[str, ...] = ()
    poll: float = 1.0
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Check what does not need the engine."""
        check_number("ServiceSettings", "poll", self.poll, low=0.01)
        if self.writer and self.public_key is not None:
            raise ArgumentError(
                "serving.writer_cannot_sign",
                "a service that writes cannot sign what it saves, and would refuse it "
                "at the next load. Leave out the public key, or serve without "
                "--writer.",
            )

    def to_json(self) -> str:
        """Return the settings as a text, for a process that this one starts."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ServiceSettings:
        """Return the settings of such a text.

        Parameters
        ----------
        text : str
            What `to_json` returned.
        """
        found = json.loads(text)
        found["trusted"] = tuple(found["trusted"])
        return cls(**{**found, "limits": Limits(**found["limits"])})


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a service listens, and with how many processes.

    Parameters
    ----------
    host : str, default="127.0.0.1"
        Address of this machine. Any other than its own loopback needs a token in the
        environment variable SMARTRISK_TOKEN.
    port : int, default=8765
        Port; 0 for any that is free.
    workers : int, default=1
        Processes that answer.

    Examples
    --------
    >>> from smartrisk.serving import Address
    >>> Address(workers=2).host
    '127.0.0.1'
    """

    host: str = "127.0.0.1"
    port: int = 8765
    workers: int = 1

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_number("Address", "port", self.port, low=0, high=65_535, integer=True)
        check_number("Address", "workers", self.workers, low=1, integer=True)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine reach it."""
        return is_loopback(self.host)

    def check_token(self, token: str | None) -> None:
        """Refuse to listen beyond this machine without a token.

        Parameters
        ----------
        token : str or None
            What `read_token` returned.

        Raises
        ------
        ArgumentError
            If the host is not the loopback, and there is no token.
        """
        if token is None and not self.is_loopback:
            raise ArgumentError(
                "serving.no_token",
                "--host {host!r} can be reached from other machines, and there is no "
                "token. Put a secret of at least {shortest} characters into the "
                "environment variable {variable}, or serve on 127.0.0.1 only.",
                host=self.host,
                shortest=_SHORTEST_TOKEN,
                variable=TOKEN_VARIABLE,
            )


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine's own loopback."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_token(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the token of the environment; None where there is none.

    Raises
    ------
    ArgumentError
        If it is short enough to be guessed, or cannot be sent in a header.
    """
    token = environment.get(TOKEN_VARIABLE)
    if not token:
        return None
    if len(token) < _SHORTEST_TOKEN or not (token.isascii() and token.isprintable()):
        raise ArgumentError(
            "serving.token_weak",
            "the token in {variable} must have at least {shortest} characters, all of "
            "them printable ASCII; got {length}. Create one with: python -c 'import "
            "secrets; print(secrets.token_urlsafe(32))'",
            variable=TOKEN_VARIABLE,
            shortest=_SHORTEST_TOKEN,
            length=len(token),
        )
    return token


def check_folder(folder: str) -> None:
    """Raise where there is no folder to serve."""
    if not Path(folder).is_dir():
        raise ArgumentError(
            "serving.no_folder",
            "there is no folder {folder!r}. Pass the folder that 'smartrisk fit --out' "
            "or RiskEngine.save wrote.",
            folder=folder,
        )
