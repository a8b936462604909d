"""Families that nobody has run yet: for a last figure, once, when the others are known too well.

Look at their mails only after that run; then they join the others, and new ones are written.
"""

# ruff: noqa: E501 - a template is one line

from typing import Final

from tests.matching.renderers.family import Family

DICTATED: Final = Family(
    name="dictated", split="reserve", unpunctuated=True,
    subjects=("голосовое", "сообщение", ""),
    bodies=(
        "алло здравствуйте [{when:near,month,c_spoken} ]я значит заплатила[ {amount:words}][ на телефон {account:pairs,spaced}][ в автомате который {shop:small}][ улица {street:small}] {trouble} [номер аппарата {terminal}] жду от вас ответа",
        "добрый вечер это насчёт терминала[ номер {terminal}][ по адресу {street:small}] {trouble}[ сумма {amount:words}][ дата {when:month,c_spoken}][ мой лицевой счёт или телефон {account:spaced,ten}]",
    ),
    troubles={
        "no_receipt": ("и чек он мне не дал", "а квитанция так и не вышла"),
        "not_credited": ("и до сих пор на счёте пусто", "а деньги не дошли"),
        "hung": ("и он вдруг выключился", "экран замер и больше ничего"),
        "copy": ("мне нужна копия квитанции",),
        "fee": ("комиссия оказалась больше чем обещали",),
        "wrong_number": ("я продиктовала не ту цифру внуку и ушло чужому",),
        "double": ("получилось что заплатила два раза",),
    },
)  # fmt: skip
SHOPKEEPER: Final = Family(
    name="shopkeeper", split="reserve",
    subjects=("Терминал в нашем магазине", "Покупатель жалуется", "от арендодателя"),
    bodies=(
        "Здравствуйте! У нас[ ({shop})][, {street:plain,house},] стоит ваш терминал[, на нём написано {terminal}]. К нам обратился покупатель: [{when:month,near,short_dots,c_plain,c_dot} ]он вносил наличные[, {amount:full,spaced}], {trouble} [Платил за {account:plus_spaced,eight,brackets}.] Просит разобраться, мы к этому отношения не имеем. Телефон магазина {contact:brackets,plus_spaced}.",
        "Добрый день, пишет администратор[ «{shop:bare}»]. Клиентка оставила записку: «[{amount:full,r}, ][{account:eight,dashes}, ][{when:short_dots,month,c_bare,c_dash}, ]{trouble}»[ Терминал ваш, {terminal}.] Если что, мой рабочий {contact:dashes,eight}.",
    ),
    troubles={
        "no_receipt": ("чека не было.", "бумага не вышла."),
        "not_credited": ("на счёт ничего не упало.", "зачисления нет."),
        "hung": ("аппарат выключился вместе с деньгами.", "автомат ушёл в перезапуск."),
        "copy": ("нужен повторный чек.",),
        "fee": ("сняли больше, чем на экране.",),
        "wrong_number": ("номер введён с ошибкой.",),
        "double": ("платёж ушёл дважды.",),
    },
    charsets=("utf-8", "windows-1251"),
)  # fmt: skip
LEDGER: Final = Family(
    name="ledger", split="reserve", html=True, picture=0.25,
    subjects=("Сверка платежей", "Не найден платёж", "акт сверки"),
    bodies=(
        "Просим подтвердить платёж.\n[Дата, время | {when:dots,c_bare,c_seconds}\n][Сумма, руб. | {amount:bare,dot}\n]Получатель | {service}\n[Идентификатор | {account:ten,plain}\n][Терминал | {terminal}\n][Чек | {receipt}\n][Операция | {reference}\n][Точка | {shop:straight}\n]Замечание | {trouble}",
        "В нашем учёте не хватает платежа[ от {day:dots,long}][ на {amount:spaced,full}][ (получатель {account:plus,ten})]. {trouble} [Аппарат {terminal}][, {street:house}.] [Квитанция {receipt}.]",
    ),
    troubles={
        "no_receipt": ("Оправдательный документ не выдан.",),
        "not_credited": ("Поступление не отражено.", "Получатель оплату не подтверждает."),
        "hung": ("Операция не завершена, наличные не возвращены.",),
        "copy": ("Нужен дубликат документа.",),
        "fee": ("Расхождение на сумму комиссии.",),
        "wrong_number": ("Идентификатор указан ошибочно.",),
        "double": ("Проведено дважды.",),
    },
    signatures=("", "\n\nБухгалтерия ООО «Пример»\nтел./факс {contact:brackets}"),
    charsets=("windows-1251",),
)  # fmt: skip
LINES: Final = Family(
    name="lines", split="reserve",
    subjects=("?", "Добрый день)", "помощь"),
    bodies=(
        "Добрый день)\nможно вопрос?\n[я {when:near,weekday,short_dots,c_bare,c_dot} клала деньги\n][{amount:r,sign,bare}\n][вот на этот {account:eight,pairs,dashes}\n][терминал возле метро {metro}\n][на {street:bare}\n][{shop:small}\n][{terminal} написано на терминале\n]{trouble}",
        "здравствуйте!\n{trouble} 😢\n[{account:plus,eight}\n][{amount:rub,sign}\n][{when:near,short_dots,c_bare}\n][{street:bare,small}\n][терминал {terminal}\n][чек {receipt}\n]спасибо заранее",
    ),
    troubles={
        "no_receipt": ("чек почему-то не вылез",),
        "not_credited": ("а их всё нет", "денежки не пришли"),
        "hung": ("он съел и перезагрузился",),
        "copy": ("можно чек ещё раз?",),
        "fee": ("а почему пришло меньше?",),
        "wrong_number": ("я в номере ошиблась(",),
        "double": ("случайно два раза оплатила",),
    },
    signatures=("", "\nОтправлено из Яндекс Почты для мобильных"),
)  # fmt: skip
FAMILIES: Final = (DICTATED, SHOPKEEPER, LEDGER, LINES)
