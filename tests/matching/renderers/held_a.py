"""Held families, people as forgetful as those of training."""
# ruff: noqa: E501 - a template is one line

from typing import Final

from tests.matching.renderers.family import Family

ELDERLY: Final = Family(
    name="elderly", split="held_a",
    subjects=("Прошу помощи", "От пенсионерки", "Здравствуйте"),
    bodies=(
        "Здравствуйте, дорогие сотрудники. Мне семьдесят два года, пишу с помощью соседки. [{when:month,number,c_words,c_h_min} ]я платила за {service} в автомате[ в {shop}][ на {street:house,bare}][, что у станции {metro}].[ Опустила я туда {amount:words}.] {trouble}[ Лицевой мой счёт {account:spaced,dashes}.][ На автомате сбоку цифры {terminal}.] Пенсия у меня маленькая, пожалуйста, найдите мои деньги.",
        "Добрый день! Обращаюсь по такому вопросу. [{when:weekday,month,c_words} ]ходила платить[, телефон дочери {account:dashes,spaced}][, дала {amount:words,full}].[ Автомат стоит: {street}.] {trouble} Очень прошу вас помочь, дай бог вам здоровья.",
    ),
    troubles={
        "no_receipt": ("А бумажечку он мне не отдал.", "Квиток так и не вылез."),
        "not_credited": ("Дочка говорит, ничего ей не поступило.", "А на счету как было, так и осталось."),
        "hung": ("Автомат загудел и потух, а деньги мои внутри остались.",),
        "copy": ("Чек я куда-то задевала, а он нужен для субсидии.",),
        "fee": ("Взял с меня лишнего.",),
        "wrong_number": ("Видно, не ту кнопочку нажала, ушло не туда.",),
        "double": ("Я нажала, он не ответил, я ещё раз опустила, и он взял оба раза.",),
    },
    signatures=("\n\nАнна Семёновна. Домашний телефон {contact:dashes}", ""),
    charsets=("utf-8", "koi8-r"),
)  # fmt: skip
RETYPED: Final = Family(
    name="retyped", split="held_a", picture=0.4,
    subjects=("чек", "Квитанция", "Fwd: чек"),
    bodies=(
        "{trouble} Переписываю с чека:\n[КВИТАНЦИЯ № {receipt}\n][Терминал № {terminal}\n][{city}, {street}\n][Дата: {when:dots,c_seconds}\n]{service}\n[Счёт: {account:plus,plain}\n][Код операции: {reference}\n][Внесено {amount:receipt}\n][Комиссия {fee:receipt}\n][Зачислено {credited:receipt}\n]",
        "{trouble}\n[QR с чека: {qr}\n][Номер {account:plus,eight}.] [{amount:receipt,full}.]",
        "{trouble} [{when:dots,slash,c_plain,c_bare}, ][{amount:sign,spaced}, ][на счет {account:plain,plus_spaced}, ][автомат {terminal}, ][{street:bare,small}]. [Фискальный чек: {qr}]",
    ),
    troubles={
        "no_receipt": ("Чек не напечатался, только на экране было.",),
        "not_credited": ("По этому чеку деньги не дошли.", "Чек есть, а денег нет."),
        "hung": ("Аппарат завис в процессе.",),
        "copy": ("Чек выцвел, нужен новый.",),
        "fee": ("Объясните комиссию.",),
        "wrong_number": ("Ошибка в номере, можно переслать куда надо?",),
        "double": ("Платёж задвоился.",),
    },
)  # fmt: skip
REPLYING: Final = Family(
    name="replying", split="held_a",
    subjects=("Re: Ваше обращение", "RE: информация о терминалах"),
    bodies=(
        "Добрый день, пишу в ответ на вашу рассылку. {trouble} [Было это {when:month,near,weekday,c_plain,c_dash}.] [Сумма {amount:full,sign}.] [Абонент {account:brackets,plus_spaced}.] [Точка: {street:bare}, ][{shop:straight}].[ Терминал {terminal}.]\n\n> Уважаемый клиент! Терминал № 104999 на ул. Южная, 3 временно не работает.\n> Платежи до 500 рублей принимаются без паспорта.\n> Телефон поддержки 8 800 000-00-02, круглосуточно.\n> 1 ноября 2026 г., 12:00",
    ),
    troubles={
        "no_receipt": ("Терминал остался должен мне чек.",),
        "not_credited": ("У меня не прошло пополнение.", "Пополнение так и висит."),
        "hung": ("Ваш терминал зажевал деньги и ушёл в перезагрузку.",),
        "copy": ("Пришлите чек ещё раз, пожалуйста.",),
        "fee": ("Вопрос по комиссии.",),
        "wrong_number": ("Пополнил не тот номер по ошибке.",),
        "double": ("Пополнение прошло дважды.",),
    },
    signatures=("", "\n--\nд. соколов / {contact:ten}"),
    charsets=("utf-8", "windows-1251"),
)  # fmt: skip
ABROAD: Final = Family(
    name="abroad", split="held_a",
    subjects=("payment problem", "Terminal", "Проблема з терміналом", "терминал"),
    bodies=(
        "Hello, I paid[ {amount:bare} rubles] at your terminal[ no. {terminal}][ at {street:bare}][ on {day:dots,iso}][ for the number {account:plus,plus_spaced}]. {trouble} Please check. [My receipt is {receipt}.]",
        "Доброго дня! Платив через термінал[ {terminal}][, вулиця {street:bare}][, {day:dots,short_dots}][, номер {account:plus,plain}][, сума {amount:bare} рублів]. {trouble} Прошу перевірити.",
        "Сәлеметсіз бе! Терминал[ {terminal}][, {street:bare}][, {day:dots}][, нөмір {account:plus}][, {amount:bare} рубль]. {trouble}",
    ),
    troubles={
        "no_receipt": ("No receipt! Чек не дали.",),
        "not_credited": ("The money did not arrive / деньги не пришли.",),
        "hung": ("The machine froze, terminal zavis.",),
        "copy": ("I need a copy of the receipt / копию чека.",),
        "fee": ("The commission is too high.",),
        "wrong_number": ("I typed a wrong number.",),
        "double": ("It was charged twice.",),
    },
)  # fmt: skip
FAMILIES: Final = (ELDERLY, RETYPED, REPLYING, ABROAD)
