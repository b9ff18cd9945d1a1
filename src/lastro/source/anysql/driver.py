"""Which ADBC drivers may be loaded, and with which options (rules 1 and 2 of `adbc`)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution

from lastro.model.errors import ConfigurationError, MissingExtra
from lastro.model.text import _

ALLOWED = "LASTRO_ADBC_DRIVERS"
"""The environment variable that lists libraries, with the system's separator between (`:`)."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_PACKAGE = re.compile(r"adbc_driver_[a-z0-9_]+", re.ASCII)
_LOADING = re.compile(r"extension|entrypoint|profile|\bdriver\b", re.I)


def check_driver(driver: str, where: str) -> None:
    """Raises `ConfigurationError` for a driver that is neither a plain name nor a library that is allowed here."""
    if _PLAIN.fullmatch(driver) or driver in _allowed():
        return
    raise ConfigurationError(
        _("the driver is no plain name, and its library is not allowed on this machine"),
        where=where,
        do=_(
            "install the driver and write its name (adbc_driver_snowflake); if you trust the library, "
            "export {variable}=/its/path"
        ).format(variable=ALLOWED),
    )


def check_options(options: Mapping[str, str], where: str) -> None:
    """Raises `ConfigurationError` for options that make a driver load code."""
    for name in options:
        if _LOADING.search(name):
            raise ConfigurationError(
                _("the option {name} could make the driver load code").format(name=name[:80]),
                where=where,
                do=_("leave it out"),
            )
    if options.get("uri", "").lower().startswith("profile:"):
        raise ConfigurationError(
            _("a connection profile could load another driver"), where=where, do=_("write uri and options out")
        )


def driver_of(driver: str, where: str) -> str:
    """What the driver manager is told: an installed package's library, a name that it knows, an allowed path."""
    check_driver(driver, where)
    if not _PACKAGE.fullmatch(driver):
        return driver
    try:
        distribution(driver.replace("_", "-"))  # a folder of that name in the workspace is not it
    except PackageNotFoundError as error:
        raise MissingExtra(
            _("the driver {driver} is not installed").format(driver=driver),
            where=where,
            do=_("pip install {package}").format(package=driver.replace("_", "-")),
        ) from error
    path: str = import_module(driver)._driver_path()  # noqa: SLF001 - the way every driver's package offers
    return path


def _allowed() -> tuple[str, ...]:
    listed = os.environ.get(ALLOWED, "").split(os.pathsep)
    return tuple(path for path in listed if os.path.isabs(path))  # noqa: PTH117 - texts are compared
