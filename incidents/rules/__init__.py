"""The rules: literal tuples of pure functions."""

from typing import Final

from incidents.rules.devices import DEVICE_RULES, DeviceRule
from incidents.rules.money import MONEY_RULES, MoneyRule

__all__: Final = ["DEVICE_RULES", "MONEY_RULES", "DeviceRule", "MoneyRule"]
