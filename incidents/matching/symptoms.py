"""What went wrong, what is asked for, what was paid for: words of customers to a few names."""

import re
from dataclasses import dataclass
from typing import Final

from incidents.matching.passage import Fact
from incidents.matching.words import Sheet

_UP_TO: Final = r"(?:[ ,]{1,2}\w{1,14}){0,3}[ ,]{1,3}"
"""Up to three words between two that belong together."""
_CHEQUE: Final = r"(?:\bчек\w{0,3}|квитанц\w{1,3}|квиток|квитк\w{1,2}|cheka?\b|receipt|түбіртек)"
_MONEY: Final = (
    r"(?:ср-ва|ден[ье]г\w?|денг\w|деньг\w|бабк\w|средств\w|плат[её]ж\w?|оплат\w"
    r"|сумм\w|гроші|перевод|оплаченн\w+|пополнени\w|dengi|deneg|money|payment"
    r"|ақша\w*)"
)
_ARRIVED: Final = (
    r"(?:приш[лё]\w{1,2}|приходи\w|поступ\w{1,5}|зачисл\w{0,6}|дош\w{1,3}|доход\w+"
    r"|упа\w{1,2}|прош\w{1,3}|появи\w+|получ\w+|зашл\w|перечисл\w+|отображ\w+|видно"
    r"|отрази\w+|виж[уа]|виде?н\w?|надійш\w+|зарахова\w+|дійш\w+|prishl\w|zachisl\w+"
    r"|postupil\w)"
)


@dataclass(frozen=True, slots=True)
class Sign:
    """A family of wordings, and the name of what they say."""

    name: str
    pattern: str
    confidence: float = 0.9


SYMPTOMS: Final = (
    Sign(
        "no_receipt",
        rf"{_CHEQUE}(?: об оплате)?{_UP_TO}?(?:\bне(?:т"
        r"|ту)?\b[ ,]{1,2}(?:\w{1,12} ){0,2}?(?:вы[дшлпб]\w{1,7}"
        r"|да[лн]\w{0,2}|нап[еи]ч\w+|расп[еи]ч\w+|отп[еи]ч\w+|п[еи]ч\w+|был\w?"
        r"|получ\w+|вылез\w*|пробил\w?|появи\w+|выскочил|дождал\w+|видав|роздрук\w+"
        rf"|дал)|(?:was |did )?not|бермеді|шықпады)|{_CHEQUE},? (?:не |і не )(?:выд"
        r"|вид|дал|выш|напеч|распеч|печат|отпеч|был|получ|вылез|пробил)\w*",
    ),
    Sign(
        "no_receipt",
        r"\b(?:не|без|нет|нету|никакого|ни|отсутству\w+|no|without(?: a)?"
        rf"|жоқ) (?:(?!при[хш]|поступ|зачисл|сохран|наш)\w{{2,14}} ){{0,4}}?{_CHEQUE}"
        r"(?! (?:не )?(?:сохран|потер))",
        0.85,
    ),
    Sign(
        "no_receipt",
        rf"{_CHEQUE} (?:\w{{1,10}} ){{0,1}}?(?:нет\b|нету\b|net\b|отсутств\w+|жоқ"
        r"|бермеді|шықпады|ne vydal|ne dal|не напеч\w+)|(?:did not|didn't"
        r"|never) (?:\w{1,10} ){0,3}receipt|ne (?:vydal|dal"
        r"|raspechatal) (?:\w{1,8} )?chek",
    ),
    Sign(
        "no_receipt",
        r"чек(?: \w{1,12}){0,2} (?:пуст\w{2,4}|белый|чист\w{2,4}|бледн\w+"
        r"|заж[её]в\w+|застрял\w?|смял\w?|остался внутри|не отда\w+)|(?:заж[её]вал"
        r"|не отдал)\w? чек",
    ),
    Sign("no_receipt", r"(?:кончил\w+|закончил\w+|нет) (?:чеков\w{2} )?(?:бумаг\w|лент\w)", 0.7),
    Sign(
        "not_credited",
        rf"{_MONEY}(?:[ ,]{{1,2}}(?!(?:верн|не)\b)\w{{1,14}}){{0,5}}[ ,]{{1,2}}(?:не"
        r"(?=\w)|не|ni|ne|did not|didn't|hasn't|has not|have not|haven't|never"
        rf"|так и не|not)[ ]{{0,2}}(?:\w{{1,10}} ){{0,2}}?(?:{_ARRIVED}|arriv\w+"
        r"|credited|come|came|received|түскен жоқ)",
    ),
    Sign(
        "not_credited",
        r"\b(?:не(?= ?\w)|ничего не|так и не|до сих пор не|все еще не|еще не|ne"
        rf"|not yet|never|not)[ ]{{0,2}}(?:\w{{1,9}} ){{0,2}}?(?:{_ARRIVED}|arrived"
        r"|credited|received)(?! (?:\w+ ){0,2}(?:чек|звон|ответ|квит))",
    ),
    Sign(
        "not_credited",
        r"\bденег (?:до сих пор |так и |на \w+ |все еще |еще |пока )?(?:нет|нету"
        r"|не вид\w+)|(?:нет|нету) (?:до сих пор )?(?:денег|зачислени\w|оплаты"
        r"|платежа|поступлени\w)|deneg net|где (?:мои )?деньги|деньги (?:зависли"
        r"|пропали|исчезли|потерял\w+|ушли в никуда|где)|(?:баланс"
        r"|счет)\w? (?:\w+ ){0,2}(?:не (?:изменил\w+|увеличил\w+|пополнил\w+)"
        r"|пуст\w*|ноль)|\bи ничего\b|\bих (?:все еще |до сих пор |так и )?нет\b"
        r"|зачислено:? {0,2}0\b|ничего нет\b|без движения|(?:түспеді"
        r"|түскен жоқ|келмеді)|остальное не",
    ),
    Sign(
        "not_credited",
        r"(?:третий|второй|четвертый|пятый|третьи|вторые) (?:день|сутки) (?:жду|нет"
        r"|не)|(?:жду|ждем) (?:уже |свои |мои )?(?:\w{1,8} ){0,3}(?:ден[ье]г"
        r"|[0-9]{2,6} ?р)",
        0.7,
    ),
    Sign(
        "partly_credited",
        r"(?:пришл\w|зачисл\w+|поступил\w|дошл\w|упал\w)(?: на \w+)? (?:только|лишь"
        r"|всего|меньше|не вся|частичн\w+|не полностью|не все\b)|(?:только|но|а"
        r"|лишь) (?:пришл\w|зачисл\w+|поступил\w)(?: только)? (?!на |и )[0-9а-я]{2,12}"
        r"|не вс[яюе] (?:сумм\w )?(?:пришл\w|зачисл\w+|поступил\w)|меньше,? чем",
    ),
    Sign(
        "note_swallowed",
        r"(?:с[ъь]?[ео]л[аои]?|сожр\w+|сажр\w+|жр[её]т|пр[оа]глот\w+|заже?вал\w?"
        r"|заж[её]в\w+|зажал\w?|проглатыва\w+|слопал\w?|схавал\w?|захавал\w?"
        r"|хапнул\w?|заглотил\w?|swallowed|ate|жұтып қойд\w+|жұтты|з'їв|зжер"
        r"|проковтнув)\b(?! \w+ батаре)(?:[ ,]{1,2}\w{1,14}){0,4}?[ ,]{1,2}"
        r"(?:купюр\w|ден[ье]г\w|деньг\w|бумажк\w|банкнот\w|мо[июея]\w{0,2}"
        r"|[0-9]{2,6}|тысяч\w|пятисот\w+|сот\w{2}|пятихат\w+|тыщ\w|косарь|note|bill"
        r"|money|my|их|ее|и\b|рубл\w*|гроші|ақша\w*)",
        0.9,
    ),
    Sign(
        "note_swallowed",
        r"(?:купюр\w{1,2}|деньг\w|банкнот\w|бумажк\w)(?:[ ,]{1,2}\w{1,12}){0,3}?["
        r" ,]{1,2}(?:с[ъь]ел\w?|сожрал\w?|проглотил\w?|зажевал\w?|застрял\w?|зажало"
        r"|зажевало|заклинил\w+|з[ао]стряла)|ақша\w* жұт\w+|застряла купюра"
        r"|(?:тысяч\w|[0-9]{2,5}|пят\w{3}отк\w|сотк\w) (?:\w+ )?"
        r"(?:зажевал|съел|сожрал|пр[ао]глотил)\w?"
        r"|(?:купюра|она|бумажка|сотка) (?:\w+ )?(?:застряла|не вышла)|жұтып қойды",
    ),
    Sign(
        "hung",
        r"\bзавис\w{0,4}|\bвисит (?:терминал|экран|аппарат)|подвис\w*|заглючи\w+"
        r"|глючи\w+|\bглюк\w*|залип\w*|не реагир\w+"
        r"|экран (?:\w{1,10} ){0,2}?(?:погас|завис|потух|замер)\w{0,2}|\bhung\b"
        r"|froze\w?|stuck|зависл?о?|вис[ни]ет|қатып қал\w+|тормоз\w+|zavis\w?"
        r"|вырубил\w{1,3}",
    ),
    Sign(
        "rebooted",
        r"перезагру\w+|пере[зс]апуст\w+|ребут\w*|reboot\w*|restart\w*"
        r"|перезавантаж\w+|включился заново|начал\w? загружаться|вылетел\w?"
        r"|perezagru\w+",
    ),
    Sign(
        "wrong_number",
        r"(?:не тот|не на тот|не той|не туда|чужо\w{1,2}|ошибочн\w{2,3}"
        r"|неправильн\w{2}|неверн\w{2}|друг\w{2,3}) (?:\w{1,12} ){0,2}?(?:номер\w?"
        r"|телефон\w?|абонент\w?|счет\w?|лицев\w+|договор\w?|цифр\w)"
        r"|ошиб\w{2,6} (?:\w{1,8} ){0,3}?(?:в номер\w|номер\w{0,2}|цифр\w{1,2}"
        r"|в цифр\w|телефон\w)|(?:wrong|another) (?:number|phone|account)"
        r"|помилк\w+ (?:\w+ )?номер\w*|вместо (?:номера )?(?:\+?[78]"
        r"|9)[0-9 ()-]{9,14}|перепута\w+ (?:\w+ )?(?:номер|цифр)\w*|не туда"
        r"|промахнул\w+|вместо (?:\+?[78]|9)[0-9 ()-]{9,14}|опечат\w+ в номер\w",
    ),
    Sign(
        "wrong_number",
        r"(?:ошиб\w+|неправильн\w+|чужой|вместо)[^.!?\n]{0,60}(?:номер"
        r"|телефон)[^.!?\n]{0,40}(?:надо|нужно|правильн)",
        0.7,
    ),
    Sign(
        "wrong_service",
        r"не (?:тот|того|тому|та|ту|той) (?:оператор\w?|услуг\w|компани\w"
        r"|провайдер\w?|кошел\w+|игр\w)|перепута\w+ (?:оператор|услуг|провайдер)\w*"
        r"|вместо (?:мтс|билайн\w?|мегафон\w?|теле2)",
        0.85,
    ),
    Sign(
        "double_payment",
        r"(?:дважды|два раза|2 раза|двойн\w{2,3}|повторн\w{2,3}|задвоил\w+|двічі"
        r"|twice|double|екі рет)(?:[ ,]{1,2}\w{1,14}){0,3}?[ ,]{0,2}(?:спис\w+"
        r"|снял\w?|опла[тч]\w+|плат[её]ж\w?|прош\w+|ушл\w|внес\w*|взял\w?|провел\w?"
        r"|перевел\w?|зачисл\w+|paid|charged|payment|по [0-9]+)|(?:спис\w+"
        r"|опла[тч]\w+|платеж|снял\w?|прош\w+|ушл\w) (?:\w{1,10} ){0,3}?(?:дважды"
        r"|два раза|2 раза|двічі|twice|задвоил\w+)|платеж (?:\w+ )?задвоил\w+"
        r"|задво\w+",
    ),
    Sign(
        "fee",
        r"(?:сн[яи]\w{1,4}|взя\w{1,3}|взима\w+|удерж\w+|содра\w+|больш\w{2,3}"
        r"|огромн\w{2,3}|грабител\w+|какая|почему|откуда|за что|верните|обман\w*"
        r"|скрыт\w{2,3}|высок\w{2,3}|завышен\w*|списал\w?)(?:["
        r" ,]{1,2}\w{1,12}){0,4}?[ ,]{1,2}комис+и\w{1,2}"
        r"|комис+и\w{1,2}(?:[ ,]{1,2}\w{1,12}){0,3}?[ ,]{1,2}(?:сн[яи]\w+|взя\w+"
        r"|удерж\w+|содра\w+|слишком|не указан\w+|огромн\w+|больш\w+"
        r"|[0-9]{1,2} ?%)|commission|\bfee\b",
    ),
    Sign(
        "no_change",
        r"сдач\w (?:\w{1,8} ){0,2}?не\b|не (?:\w{1,8} ){0,3}?сдач\w|без сдачи"
        r"|где (?:моя )?сдача|no change",
    ),
    Sign(
        "wrong_amount",
        r"(?:не та|не ту|неправильн\w{2}|неверн\w{2}) сумм\w"
        r"|ошиб\w+ (?:\w{1,6} ){0,2}сумм\w{1,2}|(?:хотел\w?"
        r"|собирал\w{1,3})[^.!?\n]{0,30}[0-9]{2,5}[^.!?\n]{0,12}(?:а"
        r"|но) (?:\w+ ){0,2}?(?:встав|положи|внес|засунул|оплати|закину"
        r"|отправи)\w+ [0-9]{2,6}"
        r"|вместо [0-9]{2,5} ?(?:руб\w*|р)? (?:\w+ )?[0-9]{2,6}(?![0-9 -])"
        r"|лишн\w{2} (?:ноль|сумм\w|деньги)",
        0.85,
    ),
    Sign(
        "note_misread",
        r"(?:принял|распознал|прочита?л|посчитал|засчитал|увидел"
        r"|определил)\w?[^.!?\n]{0,34} как [0-9а-я]{2,10}"
        r"|вместо [0-9]{2,5} ?(?:руб\w*|р)? (?:засчитал|распознал|принял"
        r"|зачислил)\w{0,2} [0-9]{2,5}",
        0.85,
    ),
    Sign(
        "declined",
        r"(?:платеж|операци\w|оплата) (?:был\w? )?(?:отклонен\w?|отменен\w?"
        r"|отказан\w?|отменил\w+)|отказ в (?:оплате|обслуживании)|ошибка (?:платежа"
        r"|оплаты|связи)|declined|cancelled",
    ),
    Sign(
        "money_not_returned",
        r"(?:не вернул\w?|не отда[ле]\w?|не выплюнул\w?"
        r"|не возвращ\w+)(?! (?:\w+ )?(?:звон|чек))",
        0.7,
    ),
    Sign(
        "out_of_order",
        r"(?:не работа\w+|не включа\w+|сломан\w?|сломал\w{1,3}|неисправ\w+"
        r"|не исправ\w+|вышел из строя|out of order|broken|не працює|істемейді"
        r"|не принима\w+ (?:купюр\w|деньги|банкнот\w)|почин\w+)",
        0.75,
    ),
)

REQUESTS: Final = (
    Sign(
        "receipt_copy",
        r"(?:копи[юяие]\w?|дубл[ие]кат\w?|повторн\w{2,3}|скан|выслать|вышлите"
        r"|пришлите|прислать|нуж[еён]\w{0,2}|получить|восстановить|распечатать"
        r"|предостав\w+|copy of(?: the)?|duplicate|need(?: a)?|send me(?: a)?|дайте"
        r"|выдать|сформируйте|отправьте)[ ,]{1,2}(?:\w{1,12}[ ,]{1,2}){0,3}?"
        rf"(?:{_CHEQUE})",
    ),
    Sign(
        "refund",
        r"верн(?:ите|уть|ите-ка|ули бы|ёте|ете)\b|возврат\w?|возвратите|возместит\w"
        r"|отдайте (?:мои )?деньги|refund|money back|give back|поверн(?:іть|ути"
        r"|ення)|қайтар\w+|vernite|верніть|хочу (?:свои |мои )?деньги (?:назад"
        r"|обратно)|верн[её]т\w? деньги",
    ),
    Sign(
        "correction",
        r"зачислите|перекин(?:уть|ьте)|перев(?:ести|едите) (?:\w{1,12} ){0,3}?(?:на"
        r"|деньги|платеж)|исправ(?:ить|ьте|ление)|скорректир\w+|корректиров\w+"
        r"|переброс(?:ить|ьте)|на правильный|перенести|перенесите|перезачисл\w+"
        r"|проведите плат|дозачисл\w+|провести платеж|correct(?:ion)? (?:the|my)"
        r"|зарахуйте",
    ),
    Sign(
        "status",
        r"подтверд\w+ (?:\w+ )?(?:оплат|плат[её]ж)\w*|разобраться|разберитесь"
        r"|разбер\w+|статус\w?|проверьте|проверить|провер(?:ка|ку)|уточни(?:те|ть)"
        r"|выясни\w+|подскажите|что (?:мне )?делать|где (?:мои )?(?:деньги|платеж"
        r"|оплата)|когда (?:\w{1,10} ){0,2}?(?:прид\w+|поступ\w+|зачисл\w+|будут"
        r"|вернут)|сколько (?:\w{1,6} )?ждать|найти платеж|найдите|розберіться"
        r"|what happened|please check|check (?:the|my)|узнать|в обработке"
        r"|сколько можно ждать|помогите|тексер\w+",
    ),
)

SERVICES: Final = (
    Sign("мтс", r"\bмтс\w?\b|\bmts\b"),
    Sign("билайн", r"билай?н\w{0,2}|beeline|\bбилан\b"),
    Sign("мегафон", r"м[еи]гафон\w{0,2}|megafon"),
    Sign("теле2", r"теле ?-?2|tele ?-?2|\bt2\b|\bт2\b"),
    Sign("йота", r"\bйот[аыуе]\b|yota"),
    Sign("ростелеком", r"ростелеком\w{0,2}"),
    Sign("дом.ру", r"дом\.ру|домру"),
    Sign("тинькофф мобайл", r"тинькофф\w? мобайл|т-мобайл"),
    Sign("киви", r"\bкиви\b|\bqiwi\b|\bvisa qiwi\b"),
    Sign("юмани", r"ю ?мани|яндекс[. ]деньг\w*|yoomoney|юmoney"),
    Sign("вебмани", r"вебмани|webmoney|\bwm[rz]\b"),
    Sign("монета", r"кошел\w+ \"?монет\w\"?|\"монет[аыу]\""),
    Sign("луч", r"\"луч\"|интернет\w? луч\b"),
    Sign("север", r"\"север\"|связь север"),
    Sign("альфа", r"\"альфа\"|связь альфа"),
    Sign("стим", r"\bстим\w?\b|\bsteam\b"),
    Sign("танки", r"world of tanks|танк(?:и|ов|ах)\b|wargaming"),
    Sign("тройка", r"карт\w \"?тройк\w|\bтройк[уаие]\b"),
    Sign("актив", r"\bактив\b|\bactiv\b"),
    Sign("алтел", r"алтел|altel"),
    Sign("kcell", r"kcell|кселл"),
    Sign("киевстар", r"ки[еї]в ?стар\w?|київстар\w?|kyivstar"),
    Sign("водафон", r"водафон\w?|vodafone"),
    Sign("лайфселл", r"лайфсел+|lifecell"),
    Sign("интернет", r"(?:за|домашн\w+|оплат\w+) интернет\w{0,2}", 0.7),
    Sign(
        "жкх",
        r"жкх|жку|квартплат\w|за квартиру|коммунал\w+|за свет\b|за газ\b|единый счет"
        r"|электроэнерг\w+|єрц",
        0.8,
    ),
    Sign("штрафы", r"штраф\w{0,2} гибдд|штраф\w? ", 0.6),
    Sign("кредит", r"(?:погаш\w+|за|оплат\w+) кредит\w{0,2}", 0.7),
    Sign("сбербанк", r"сбербанк\w?|\bсбер\b", 0.7),
)
"""Services by the words for them; the matcher compares them with a transaction's service name."""

TOPICS: Final = (
    "wrong_number",
    "wrong_service",
    "wrong_amount",
    "note_swallowed",
    "double_payment",
    "note_misread",
    "not_credited",
    "partly_credited",
    "no_receipt",
    "fee",
    "no_change",
    "declined",
    "money_not_returned",
    "hung",
    "rebooted",
    "out_of_order",
)
"""What a report is about: the first of its symptoms in this order."""

_COMPILED: Final = {
    kind: tuple((sign, re.compile(rf"(?<!\w)(?:{sign.pattern})")) for sign in signs)
    for kind, signs in (("symptom", SYMPTOMS), ("request", REQUESTS), ("service", SERVICES))
}


def read_symptoms(sheet: Sheet) -> list[Fact]:
    """Return symptoms, requests and services that a passage names, each once."""
    facts = []
    for kind, signs in _COMPILED.items():
        seen: set[str] = set()
        for sign, pattern in signs:
            if sign.name in seen:
                continue
            all_found = pattern.finditer(sheet.even)
            found = next((f for f in all_found if not _denied(sheet, kind, sign.name, f)), None)
            if found:
                seen.add(sign.name)
                facts.append(sheet.fact(kind, sign.name, found.span(), sign.confidence))
    return _sensible(facts)


def _denied(sheet: Sheet, kind: str, name: str, found: re.Match[str]) -> bool:
    """Tell whether a wording is of something that did not happen."""
    before = sheet.even[max(0, found.start() - 7) : found.start()]
    if kind == "service":
        return before.endswith("вместо ")
    return name in {"hung", "rebooted", "double_payment", "note_swallowed"} and before.endswith(
        "не "
    )


def _sensible(facts: list[Fact]) -> list[Fact]:
    """Drop what a nearer name already says."""
    names = {fact.value for fact in facts if fact.kind == "symptom"}
    drop: set[object] = set()
    if (
        "no_receipt" in names
        or "not_credited" in names
        or "note_swallowed" in names
        or "no_change" in names
    ):
        drop.add("money_not_returned")
    if names - {"out_of_order"}:
        drop.add("out_of_order")
    if names & {"note_misread", "fee"}:
        drop.add("partly_credited")
    return [fact for fact in facts if not (fact.kind == "symptom" and fact.value in drop)]


def topic(facts: list[Fact]) -> Fact | None:
    """Return the fact whose symptom or request is what the whole report is about."""
    order = {name: number for number, name in enumerate(TOPICS)}
    symptoms = [fact for fact in facts if fact.kind == "symptom"]
    best = min(symptoms, key=lambda fact: order.get(str(fact.value), 99), default=None)
    if best is None:
        best = next((fact for fact in facts if fact.kind == "request"), None)
    return best
