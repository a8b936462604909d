"""Families that weights are estimated on."""
# ruff: noqa: E501 - a template is one line

from typing import Final

from tests.matching.renderers.family import Family

PLAIN: Final = Family(
    name="plain", split="train",
    subjects=("Платёж через терминал", "Не поступили деньги", "вопрос по платежу", "Терминал", ""),
    bodies=(
        "<Здравствуйте!|Добрый день.|Добрый вечер!>\n\n[{when:near,month,short_dots,c_plain,c_bare} ]<оплачивал|оплачивала> через ваш терминал {service}[, номер {account:plus,eight,brackets,ten}][, сумма {amount:full,rub}]. {trouble}[ Терминал стоит <по адресу|тут:> {street:plain,house}.][ Это {shop}.][ Метро {metro}.][ Номер терминала {terminal}.]\n[Чек сохранился: квитанция № {receipt}[, код операции {reference}].]\n<Помогите, пожалуйста.|Прошу разобраться.|Что мне делать?>",
        "<Здравствуйте|Добрый день>, {trouble} [Внёс {amount:full,rub,r} ][на {account:plus_spaced,eight,ten}][, {when:month,dots,c_plain}].[ Аппарат № {terminal}][, {street:bare,house}][, {shop:plain,straight}][, м. {metro}].[\nНа чеке номер {receipt}.]\nСпасибо.",
        "Подскажите, пожалуйста, где мои деньги? {trouble}\n[Дата и время: {when:dots,c_bare}.\n][Сумма: {amount:full}.\n][Телефон: {account:eight,dashes}.\n][Адрес: {street:plain}.\n][{shop}.\n][Терминал {terminal}.]",
    ),
    troubles={
        "no_receipt": ("Деньги терминал взял, а чек не напечатал.", "Чек не вышел.", "Аппарат не выдал квитанцию."),
        "not_credited": ("Деньги до сих пор не пришли.", "На счёт ничего не зачислено.", "Баланс не изменился."),
        "hung": ("После внесения купюр терминал завис и перезагрузился.", "Экран погас, деньги остались внутри."),
        "copy": ("Нужна копия чека для отчёта.", "Можно ли получить дубликат чека?"),
        "fee": ("Почему сняли такую большую комиссию?",),
        "wrong_number": ("Я ошибся в номере, хочу вернуть деньги.",),
        "double": ("Оплата прошла два раза подряд, а нужна была одна.",),
    },
    signatures=("", "", "--\nС уважением, Ирина\nтел. {contact:plus_spaced,eight}"),
    charsets=("utf-8", "utf-8", "windows-1251"), picture=0.15,
)  # fmt: skip
LISTING: Final = Family(
    name="listing", split="train",
    subjects=("Претензия", "Обращение по платежу", "Заявка"),
    bodies=(
        "[Терминал: {terminal}\n][Адрес терминала: {street}\n][Место: {shop}\n][Дата платежа: {when:dots,c_bare,c_seconds}\n][Сумма: {amount:bare,rub,receipt}\n]Услуга: {service}\n[Номер счёта/телефона: {account:ten,plus,eight}\n][Номер чека: {receipt}\n][Код операции: {reference}\n]Суть: {trouble}\n[Контактный телефон: {contact:eight,plus}\n]",
        "1) {service}\n[2) номер: {account:ten,eight}\n][3) внесено {amount:rub,dash}\n][4) когда: {when:year2,dots,c_bare}\n][5) где: {street:bare,house}\n][6) терминал {terminal}\n]7) {trouble}",
    ),
    troubles={
        "no_receipt": ("не выдан чек", "чек отсутствует"),
        "not_credited": ("платёж не зачислен", "средства не поступили"),
        "hung": ("терминал завис после приёма купюр", "терминал выключился во время оплаты"),
        "copy": ("прошу прислать копию чека",),
        "fee": ("комиссия выше заявленной",),
        "wrong_number": ("ошибочно указан номер, прошу возврат",),
        "double": ("двойной платёж",),
    },
    charsets=("utf-8", "windows-1251"),
)  # fmt: skip
CHATTY: Final = Family(
    name="chatty", split="train",
    subjects=("Ну как так можно", "мои деньги!!", "Терминал съел деньги"),
    bodies=(
        "Добрый день! Пишу вам уже от отчаяния. Шла с работы, решила положить на телефон, [{when:near,weekday,c_words,c_plain} ]зашла[ в {shop:small,plain}][, это на {street:bare}][, рядом метро {metro}]. [Сунула {amount:full,words,thousands}, ]{trouble} Стояла минут десять, звонила на горячую линию 8 800 000-00-01, никто не берёт![ Номер мой {account:eight,pairs,dashes}.][ На терминале наклейка {terminal}.]\nВерните деньги или зачислите, это для меня не копейки!",
        "Здравствуйте. Терминалом пользуюсь давно, никогда проблем не было. А тут [{when:month,near,c_plain,c_words} ][кладу {amount:full,words} ][на {account:eight,ten} ]и {trouble} [Стоит он {street:bare,small}][ ({shop:small})].[ Номер на корпусе {terminal}.] Второй раз к нему не подойду. Жду ответа.",
    ),
    troubles={
        "no_receipt": ("чек не вылез, только пожужжало и всё!", "бумажки никакой не дал."),
        "not_credited": ("а денег на телефоне как не было так и нет.", "ничего не пришло!"),
        "hung": ("он взял и завис намертво.", "экран стал синий и всё пропало."),
        "copy": ("чек я потеряла, сделайте мне копию пожалуйста.",),
        "fee": ("комиссию содрал такую, что стыдно сказать.",),
        "wrong_number": ("цифру нажала не ту, ушло чужому человеку.",),
        "double": ("сдуру нажала ещё раз, и ушло дважды.",),
    },
    signatures=("", "Отправлено из мобильной Почты Mail.ru"),
    charsets=("utf-8", "koi8-r", "windows-1251"), html=True,
)  # fmt: skip
CALL_NOTE: Final = Family(
    name="call_note", split="train", staff=True,
    subjects=("звонок", "обращение с линии", "Заявка от клиента"),
    bodies=(
        "Звонок клиента. [Терм. {terminal}.] [{street:bare}.] [{shop:bare}.] [{when:short_dots,dots,c_bare}.] [Внёс {amount:r,bare}.] {service}[, л/с {account:ten,plain}]. {trouble} [Чек {receipt}.] Обр. связь {contact:eight,ten}.",
        "кл. сообщает: {trouble} [сумма {amount:r,rub}], [номер {account:ten}], [дата {when:year2,short_dots,c_bare}], [адрес {street:bare,small}], [терминал {terminal}]. перезвонить {contact:ten,eight}",
    ),
    troubles={
        "no_receipt": ("Чек не выдан.", "б/чека."),
        "not_credited": ("Не зачислено.", "деньги не поступили."),
        "hung": ("Завис, купюра внутри.", "перезагрузка после внесения."),
        "copy": ("Просит копию чека.",),
        "fee": ("Недоволен комиссией.",),
        "wrong_number": ("Ошибка в номере, просит возврат.",),
        "double": ("Оплатил дважды.",),
    },
)  # fmt: skip
SHOUTING: Final = Family(
    name="shouting", split="train", capitals=True,
    subjects=("ВЕРНИТЕ ДЕНЬГИ", "ЖАЛОБА!!!"),
    bodies=(
        "верните деньги!!! [{when:near,short_dots,c_dash,c_plain} ][кинул {amount:r,rub} ][на номер {account:eight,ten} ]{trouble}[ терминал {terminal}][ {street:bare}][ в {shop:bare}] сколько можно!!!",
        "безобразие! {trouble} [положил {amount:full,rub}][, {when:month,near,c_plain}][, на {account:eight}].[ адрес: {street}.][ терминал номер {terminal}.] буду жаловаться в роспотребнадзор!",
    ),
    troubles={
        "no_receipt": ("чека нет!",),
        "not_credited": ("деньги не пришли!", "на счету ноль!"),
        "hung": ("ваш ящик завис!", "он перезагрузился!"),
        "copy": ("срочно нужен чек!",),
        "fee": ("грабительская комиссия!",),
        "wrong_number": ("номер набрал не тот!",),
        "double": ("списали два раза!",),
    },
)  # fmt: skip
FAMILIES: Final = (PLAIN, LISTING, CHATTY, CALL_NOTE, SHOUTING)
