"""STOP and its like: whole messages that take their sender off an account's recipients, or put it back.

English has the words that a United States carrier has to honour (47 CFR 64.1200(a)(10)) and those of the CTIA's
messaging principles; the other languages have what their networks and senders use. STOP means the same in all.
A word stops or starts only when it is the whole message: "stop sending me the blue ones" is for a person to read.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType

from gateway.messaging.inbound import folded


class Wish(Enum):
    """What a message asks for."""

    OUT = "out"
    IN = "in"


OUT: Mapping[str, str] = MappingProxyType(
    {
        "en": "stop, stop all, stopall, unsubscribe, cancel, end, quit, revoke, opt out, optout, opt-out",
        "es": "stop, alto, baja, darse de baja, dar de baja, parar, pare, cancelar, no más",
        "ca": "stop, baixa, donar de baixa, atura, prou",
        "gl": "stop, baixa, darse de baixa, parar",
        "eu": "stop, gelditu, baja",
        "fr": "stop, arrêt, arrêter, arrêtez, désabonner, désinscription, désinscrire",
        "de": "stop, stopp, abmelden, abbestellen, austragen, ende",
        "it": "stop, ferma, annulla, cancella, cancellami, disiscrivi, basta",
        "pt": "stop, parar, pare, cancelar, sair, remover",
        "nl": "stop, stoppen, afmelden, uitschrijven",
        "sv": "stop, stopp, avsluta, avregistrera",
        "da": "stop, afmeld, frameld",
        "no": "stop, stopp, avslutt, meld av",
        "fi": "stop, lopeta, peruuta",
        "pl": "stop, wypisz, rezygnuję, anuluj",
        "cs": "stop, odhlásit, zrušit",
        "ro": "stop, dezabonare, dezabonează",
        "el": "stop, στοπ, διαγραφή",
        "ru": "stop, стоп, отписка, отписаться",
        "uk": "stop, стоп, відписатися",
        "tr": "stop, dur, iptal, ret",
        "ar": "stop, توقف, إيقاف, إلغاء",
    }
)
"""By language (ISO 639-1): the words that stop, separated by commas."""

IN: Mapping[str, str] = MappingProxyType(
    {
        "en": "start, unstop, subscribe, resubscribe, opt in, optin, opt-in",
        "es": "start, alta, darse de alta, reanudar",
        "ca": "start, alta, reprendre",
        "gl": "start, alta",
        "eu": "start, alta",
        "fr": "start, reprendre, réabonner, réinscription",
        "de": "start, anmelden",
        "it": "start, riprendi, iscrivi, iscrivimi",
        "pt": "start, voltar, retomar",
        "nl": "start, aanmelden, hervatten",
        "sv": "start, återuppta",
        "da": "start, tilmeld",
        "no": "start, meld på",
        "fi": "start, aloita",
        "pl": "start, wznów",
        "cs": "start, přihlásit",
        "ro": "start, abonare",
        "el": "start, εγγραφή",
        "ru": "start, старт, подписаться",
        "uk": "start, старт, підписатися",
        "tr": "start, başla",
        "ar": "start, ابدأ, اشتراك",
    }
)
"""By language: the words that take a stop back."""

LANGUAGES = frozenset(OUT)


class Words:
    """The words in force: those of `languages` (all of them when none is named) and those given beside them.

    A word that is in both lists stops. Raises `ValueError` for a language that is not known.
    """

    def __init__(self, languages: Iterable[str] = (), out: Iterable[str] = (), in_: Iterable[str] = ()) -> None:
        chosen = set(languages) or LANGUAGES
        if unknown := sorted(chosen - LANGUAGES):
            raise ValueError(f"the language {unknown[0]!r} has no words; there are {', '.join(sorted(LANGUAGES))}")
        self._in = _all(IN, chosen) | {folded(word) for word in in_} - {""}
        self._out = _all(OUT, chosen) | {folded(word) for word in out} - {""}

    def wish(self, text: str) -> Wish | None:
        """What a whole message asks for, None for one that is for somebody to read."""
        words = folded(text)
        if words in self._out:
            return Wish.OUT
        return Wish.IN if words in self._in else None


def _all(lists: Mapping[str, str], languages: Iterable[str]) -> frozenset[str]:
    return frozenset(folded(word) for language in languages for word in lists[language].split(","))
