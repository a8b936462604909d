"""Held families, people more forgetful than those of training (`SHIFTED`)."""
# ruff: noqa: E501 - a template is one line

from typing import Final

from tests.matching.renderers.family import Family

STREET_TALK: Final = Family(
    name="street_talk", split="held_b", unpunctuated=True,
    subjects=("эй", "кинули", "але", ""),
    bodies=(
        "здарова короче [{when:near,last_weekday,c_half,c_hours,c_plain} ][закинул {amount:slang,k,r} ][себе на {account:pairs,ten,dots} ]через вашу шарманку[ в {shop:small}][ на {street:alone,small}] {trouble}[ на ней номер {terminal}] верните бабки",
        "слушайте {trouble}[ {amount:slang,r}][ {when:ago,near,c_hours}][ на номер {account:eight,pairs}][ терминал где {shop:small}][ {street:small}]",
    ),
    troubles={
        "no_receipt": ("и чек зажал", "бумага у них кончилась видимо"),
        "not_credited": ("и тишина", "по нулям до сих пор", "ничо не капнуло"),
        "hung": ("он залип и потух", "и он сдох на полпути"),
        "copy": ("чек посеял нужна копия",),
        "fee": ("отжали процент конский",),
        "wrong_number": ("номер левый вбил",),
        "double": ("два раза отжал",),
    },
)  # fmt: skip
FOR_ANOTHER: Final = Family(
    name="for_another", split="held_b",
    subjects=("мама не может дозвониться", "Платёж за отца", "вопрос"),
    bodies=(
        "Добрый день. Пишу за маму, она не умеет. Она [{when:weekday,ago,month,c_hours,c_words} ]платила в терминале[ около {metro}][ у {street:alone,bare}][, там ещё {shop:bare}][, давала {amount:thousands,full,words}]. {trouble} [Её номер {account:eight,dashes,plus}], мне можно звонить на {contact:eight,plus_spaced}.[ Цифры с терминала она записала: {terminal}.]",
        "Здравствуйте! Отец клал деньги[, {amount:full,thousands}][, {when:near,ago,c_words}]. {trouble}[ Место — {street:alone}.][ Заканчивается его номер на {tail}.] Мой телефон {contact:ten,eight}, Антон.",
    ),
    troubles={
        "no_receipt": ("Квитанции ей не дали.",),
        "not_credited": ("До адресата деньги не добрались.", "Связи как не было, так и нет."),
        "hung": ("Говорит, всё застыло на экране «Подождите».",),
        "copy": ("Теперь просят чек, а его нет.",),
        "fee": ("Недосчитались почти сотни.",),
        "wrong_number": ("Похоже, ошиблись одной цифрой.",),
        "double": ("Положилось вдвойне.",),
    },
    charsets=("utf-8", "windows-1251"), html=True,
)  # fmt: skip
LAWYER: Final = Family(
    name="lawyer", split="held_b",
    subjects=("Досудебная претензия", "Претензия потребителя"),
    bodies=(
        "ПРЕТЕНЗИЯ\n\nВ соответствии со ст. 32 Закона «О защите прав потребителей» (ред. от 08.08.2024) и 103-ФЗ от 03.06.2009 сообщаю следующее. [{day:long,dots} ]я, являясь потребителем услуги «{service}»[ (идентификатор {account:plain,plus})], внёс наличные денежные средства[ в размере {amount:both,spaced}] в терминал[ {terminal}][, установленный: {street:house}]. {trouble} Требую в течение 10 (десяти) дней вернуть уплаченное, а также неустойку 3% и 5000 рублей морального вреда.",
    ),
    troubles={
        "no_receipt": ("Обязанность по выдаче чека исполнена не была.",),
        "not_credited": ("Услуга не оказана, обязательство не исполнено.",),
        "hung": ("Вследствие сбоя операция прервалась, наличные не возвращены.",),
        "copy": ("Требую выдать копию кассового чека.",),
        "fee": ("Размер комиссии до меня не доводился.",),
        "wrong_number": ("В реквизите допущена ошибка.",),
        "double": ("Средства удержаны повторно.",),
    },
    signatures=("\n\nПредставитель по доверенности\n{contact:plus_spaced}\nг. Москва, ул. Тверская, 1",),
    charsets=("windows-1251", "utf-8"),
)  # fmt: skip
ROADSIDE: Final = Family(
    name="roadside", split="held_b", latin=True, unpunctuated=True,
    subjects=("problema", "terminal"),
    bodies=(
        "здравствуйте [{when:near,short_dots,c_plain,c_bare} ]положил [{amount:full,r} ][на номер {account:eight,plus} ]через терминал[ {terminal}][ {street:bare}] {trouble}",
    ),
    troubles={
        "no_receipt": ("чек не выдал",),
        "not_credited": ("деньги не пришли",),
        "hung": ("терминал завис",),
        "copy": ("нужен чек",),
        "fee": ("большая комиссия",),
        "wrong_number": ("ошибся номером",),
        "double": ("оплатил два раза",),
    },
)  # fmt: skip
FAMILIES: Final = (STREET_TALK, FOR_ANOTHER, LAWYER, ROADSIDE)
