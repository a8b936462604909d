"""Where a fleet stands: made-up addresses in the form that people import."""

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from random import Random
from typing import Final

from wire.topics import TerminalId


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row of the terminals' file (contract, end of section 6)."""

    terminal: TerminalId
    name: str
    country: str
    city: str
    address: str
    metro: str
    place: str
    lat: str
    lon: str
    timezone: str
    region: str
    technician: str
    opens: str
    closes: str


_CITIES: Final = (
    ("Москва", "Europe/Moscow", "Москва", 55.75, 37.62,
     ("Сокольники", "Текстильщики", "Медведково", "Кузьминки", "Щёлковская", "Войковская")),
    ("Санкт-Петербург", "Europe/Moscow", "Санкт-Петербург", 59.94, 30.31,
     ("Петроградская", "Купчино", "Озерки", "Ладожская", "Московская")),
    ("Екатеринбург", "Asia/Yekaterinburg", "Свердловская область", 56.84, 60.61,
     ("Уралмаш", "Геологическая", "Ботаническая")),
    ("Новосибирск", "Asia/Novosibirsk", "Новосибирская область", 55.03, 82.92,
     ("Речной вокзал", "Студенческая", "Заельцовская")),
    ("Рязань", "Europe/Moscow", "Рязанская область", 54.63, 39.74, ("",)),
)  # fmt: skip
_STREETS: Final = (
    "ул. Ленина", "ул. Гагарина", "пр. Мира", "ул. Садовая", "ул. Строителей", "пр. Победы",
    "ул. Кирова", "Каменный проезд", "ул. Лесная", "Вокзальная площадь",
)  # fmt: skip
_SHOPS: Final = (
    "Продукты «Уют»", "Магазин «Ромашка»", "Аптека «Подорожник»", "ТЦ «Меридиан», 1 этаж",
    "Салон связи", "Автовокзал, зал ожидания", "Почтовое отделение", "Супермаркет «Лукошко»",
)  # fmt: skip
_TECHNICIANS: Final = ("Орлов П.", "Гусева А.", "Ким В.", "Сафин Р.", "Белова Н.")


def places(terminals: list[TerminalId], seed: int) -> list[Place]:
    """Return a place for each terminal; none of them closes, so that silence is silence."""
    chance = Random(f"{seed}:places")
    out = list[Place]()
    for terminal in terminals:
        city, timezone, region, lat, lon, metros = chance.choice(_CITIES)
        shop = chance.choice(_SHOPS)
        out.append(
            Place(
                terminal=terminal,
                name=f"Терминал {terminal}",
                country="RU",
                city=city,
                address=f"{chance.choice(_STREETS)}, {chance.randint(1, 120)}",
                metro=chance.choice(metros),
                place=shop,
                lat=f"{lat + chance.uniform(-0.1, 0.1):.5f}",
                lon=f"{lon + chance.uniform(-0.15, 0.15):.5f}",
                timezone=timezone,
                region=region,
                technician=chance.choice(_TECHNICIANS),
                opens="",
                closes="",
            )
        )
    return out


def write_csv(path: Path, rows: list[Place]) -> None:
    """Write the file for `kvitok terminal import`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[field.name for field in fields(Place)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
