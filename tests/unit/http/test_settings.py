"""Settings as data: what `reconciler providers` prints is what a connection takes."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import Field, SecretStr, ValidationError

from reconciler.kernel.money import Rounding
from reconciler.providers.http import HttpSettings
from reconciler.providers.settings import FromEnvironment, settings_of


class ErpSettings(HttpSettings):
    endpoint: Annotated[str, FromEnvironment(), Field(description="where")]
    token: SecretStr
    mode: Literal["test", "live"] = "test"
    rounding: Rounding | None = None
    names: Annotated[tuple[str, ...], Field(description="some")] = ()
    limit: int | None = 5


def test_settings_are_told_as_they_are():
    told = {setting.name: setting for setting in settings_of(ErpSettings)}
    assert list(told)[:6] == ["endpoint", "token", "mode", "rounding", "names", "limit"]
    assert set(told) == set(ErpSettings.model_fields)
    facts = {
        name: (setting.type, setting.required, setting.default, setting.secret, setting.environment)
        for name, setting in told.items()
    }
    assert facts["endpoint"] == ("text", True, None, False, True)
    assert facts["token"] == ("secret", True, None, True, True)
    assert facts["mode"] == ("test or live", False, "test", False, False)
    assert facts["rounding"] == ("half_up or half_even", False, None, False, False)
    assert facts["names"] == ("list of text", False, None, False, False)
    assert facts["limit"] == ("whole number", False, "5", False, False)
    assert facts["requests_per_second"] == ("number", False, "0", False, False)
    assert facts["allow_plain_http"] == ("true or false", False, "false", False, False)
    assert facts["proxy_password"] == ("secret", False, None, True, True)


def test_settings_come_as_text():
    settings = HttpSettings.model_validate(
        {"timeout_seconds": "30", "requests_per_second": "2.5", "allow_plain_http": "true"}
    )
    assert (settings.timeout_seconds, settings.requests_per_second, settings.allow_plain_http) == (
        30,
        Decimal("2.5"),
        True,
    )


@pytest.mark.parametrize(
    "setting",
    [
        {"timeout_seconds": 0},
        {"timeout_seconds": 601},
        {"connections": 0},
        {"requests_per_second": "-1"},
        {"requests_per_second": "NaN"},
        {"max_response_mb": 0},
        {"verify": "false"},
        {"ca_file": ""},
    ],
)
def test_what_makes_no_sense_is_refused(setting):
    with pytest.raises(ValidationError):
        HttpSettings.model_validate(setting)
