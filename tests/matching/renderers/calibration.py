"""Families that thresholds are looked at on."""
# ruff: noqa: E501 - a template is one line

from typing import Final

from tests.matching.renderers.family import Family

OFFICE: Final = Family(
    name="office", split="calibration",
    subjects=("О незачислении денежных средств", "Запрос", "Обращение гражданина"),
    bodies=(
        "Уважаемые господа!\n\nНастоящим сообщаю, что [{when:long,dots,c_h_min,c_plain} ]мною посредством платёжного терминала[ № {terminal}][, расположенного по адресу: {city}, {street:house}][ ({shop})], была произведена оплата услуги «{service}»[ (лицевой счёт {account:plain,plus,numbered})][ на сумму {amount:both,full}]. {trouble}\n[Квитанция № {receipt}[, код операции {reference}] прилагается.]\n\nПрошу в установленный законом срок дать ответ.",
        "Прошу Вас провести проверку платежа.[ Плательщиком внесено {amount:full,both}.][ Дата: {day:long,dots}.][ Реквизит: {account:ten,plus}.][ Устройство {terminal}.][ Место: {street:house}.] {trouble}",
    ),
    troubles={
        "no_receipt": ("Кассовый чек устройством не выдан.",),
        "not_credited": ("Денежные средства на лицевой счёт не поступили.", "Зачисление не произведено."),
        "hung": ("В момент проведения операции устройство прекратило работу.",),
        "copy": ("Прошу предоставить дубликат кассового чека.",),
        "fee": ("Размер удержанного вознаграждения не соответствует заявленному.",),
        "wrong_number": ("Мною ошибочно указан номер, прошу отменить операцию.",),
        "double": ("Операция проведена дважды.",),
    },
    signatures=("\nС уважением,\nПетров Н. И.\nМоб.: {contact:plus_spaced}", "\nКузнецова Е.А.\n{contact:brackets}"),
    charsets=("windows-1251", "utf-8"), picture=0.2,
)  # fmt: skip
POCKET: Final = Family(
    name="pocket", split="calibration", unpunctuated=True,
    subjects=("", "деньги", "терминал", "не пришло"),
    bodies=(
        "[кинул {amount:r,k,bare} ][на {account:eight,ten} ][{when:near,c_dot,c_bare,c_plain} ]{trouble}[ терминал {terminal}][ на {street:small}][ {shop:small}]",
        "привет {trouble}[ {amount:r,slang}][ {account:ten,pairs}][ {when:near,weekday,c_plain,c_hours}][ возле метро {metro:small}][ {street:small}] че делать",
    ),
    troubles={
        "no_receipt": ("чека нет", "чек не дал"),
        "not_credited": ("не пришло", "баланс пустой", "где деньги"),
        "hung": ("завис", "глюкнул и ребут", "вырубился"),
        "copy": ("скиньте чек плиз",),
        "fee": ("а че комиссия такая",),
        "wrong_number": ("номером промазал",),
        "double": ("два раза снял",),
    },
    signatures=("\n\nОтправлено с iPhone", ""),
)  # fmt: skip
FROM_FORM: Final = Family(
    name="from_form", split="calibration", html=True,
    subjects=("Сообщение с сайта", "Обратная связь"),
    bodies=(
        "Имя: Гульнара\n[Телефон для связи: {contact:plus}\n]Сообщение: {trouble} [Платила {when:near,month,c_plain} ][{amount:full,r} ][за {service} {account:plain,eight}].[ Терминал на {street:bare}.][ Около метро {metro}.][ №{terminal}.]",
    ),
    troubles={
        "no_receipt": ("Терминал не распечатал чек.",),
        "not_credited": ("Платёж завис, деньги не дошли.",),
        "hung": ("Терминал проглотил деньги и завис.",),
        "copy": ("Нужен чек на почту.",),
        "fee": ("Комиссия почему-то больше чем было написано.",),
        "wrong_number": ("Перепутала номер!",),
        "double": ("Деньги ушли двумя платежами вместо одного.",),
    },
)  # fmt: skip
FAMILIES: Final = (OFFICE, POCKET, FROM_FORM)
