"""What callers hear, by language; every text can be replaced in the settings (callback-voicemail.md §5, messages)."""

from __future__ import annotations

from ringback.callbacks.options import Options

ENGLISH = {
    "greeting": "Thank you for calling. Please hold for the next available agent.",
    "repeating_prompt": "To request a callback, or to leave a voicemail, press the star key.",
    "repeating_prompt_no_voicemail": "To request a callback, press the star key.",
    "not_available": "All agents are busy. The option of a callback is not available now. Please stay on the line.",
    "choice": "To be called back when an agent is free, press 1. To leave a voicemail, press 2. "
    "To stay on the line, press any other key or wait.",
    "choice_no_voicemail": "To be called back when an agent is free, press 1. "
    "To stay on the line, press any other key or wait.",
    "number_choice": "To be called back at the number that you are calling from, press 1. "
    "For another number, press 2. To return to the queue, wait.",
    "number_withheld": "We cannot see the number that you are calling from. Please enter the number at which we can "
    "call you, with its country code, then press the pound key.",
    "number_needed": "We have no number at which we can call you. You are still in the queue.",
    "enter_number": "Please enter the number with its country code, then press the pound key.",
    "you_entered": "You entered",
    "confirm_number": "If this is correct, press 1. To enter it again, press any other key.",
    "invalid_input": "That is no number that we can call.",
    "callback_submitted": "Your callback has been requested, and you keep your place in line. Goodbye.",
    "callback_submitted_no_place": "Your callback has been requested. An agent will call you. Goodbye.",
    "callback_delayed": "Your request has been noted. An agent will call you. Goodbye.",
    "agent_coming": "An agent is taking your call now.",
    "record_voicemail": "Please leave a message at the tone. Press the star key when you are finished.",
    "record_voicemail_withheld": "We cannot see your number. Please leave a message at the tone, and say in it how "
    "we can reach you. Press the star key when you are finished.",
    "voicemail_not_captured": "Sorry, we did not hear anything.",
    "voicemail_recorded": "Your voicemail has been recorded. An agent will call you. Goodbye.",
    "voicemail_recorded_withheld": "Your voicemail has been recorded, and an agent will listen to it. We cannot see "
    "your number to call you back. Goodbye.",
    "voicemail_failed": "Sorry, your message cannot be recorded now. An agent will call you instead. Goodbye.",
    "voicemail_lost": "Sorry, your message cannot be recorded now, and we cannot see your number to call you back. "
    "Please call again. Goodbye.",
    "processing_error": "Sorry, that did not work. You are still in the queue.",
}
GERMAN = {
    "greeting": "Danke für Ihren Anruf. Bitte warten Sie auf den nächsten freien Mitarbeiter.",
    "repeating_prompt": "Für einen Rückruf oder eine Nachricht drücken Sie die Sterntaste.",
    "repeating_prompt_no_voicemail": "Für einen Rückruf drücken Sie die Sterntaste.",
    "not_available": "Alle Mitarbeiter sprechen gerade. Ein Rückruf ist jetzt nicht möglich. Bitte bleiben Sie dran.",
    "choice": "Für einen Rückruf drücken Sie die 1. Für eine Nachricht drücken Sie die 2. "
    "Um in der Leitung zu bleiben, warten Sie einfach.",
    "choice_no_voicemail": "Für einen Rückruf drücken Sie die 1. Um in der Leitung zu bleiben, warten Sie einfach.",
    "number_choice": "Für einen Rückruf an die Nummer, von der Sie anrufen, drücken Sie die 1. "
    "Für eine andere Nummer drücken Sie die 2.",
    "number_withheld": "Wir sehen die Nummer nicht, von der Sie anrufen. Bitte geben Sie die Nummer ein, unter der "
    "wir Sie erreichen, mit Ländervorwahl, dann die Rautetaste.",
    "number_needed": "Wir haben keine Nummer, unter der wir Sie erreichen. Sie sind weiter in der Warteschlange.",
    "enter_number": "Bitte geben Sie die Nummer mit Ländervorwahl ein, dann die Rautetaste.",
    "you_entered": "Ihre Eingabe war",
    "confirm_number": "Wenn das richtig ist, drücken Sie die 1. Zum Ändern drücken Sie eine andere Taste.",
    "invalid_input": "Das ist keine Nummer, die wir anrufen können.",
    "callback_submitted": "Ihr Rückruf ist vorgemerkt, und Sie behalten Ihren Platz. Auf Wiederhören.",
    "callback_submitted_no_place": "Ihr Rückruf ist vorgemerkt. Auf Wiederhören.",
    "callback_delayed": "Ihr Wunsch ist notiert. Wir rufen Sie zurück. Auf Wiederhören.",
    "agent_coming": "Ein Mitarbeiter nimmt Ihren Anruf gerade an.",
    "record_voicemail": "Bitte sprechen Sie nach dem Ton. Drücken Sie die Sterntaste, wenn Sie fertig sind.",
    "record_voicemail_withheld": "Wir sehen Ihre Nummer nicht. Bitte sprechen Sie nach dem Ton, und sagen Sie, wie "
    "wir Sie erreichen. Drücken Sie die Sterntaste, wenn Sie fertig sind.",
    "voicemail_not_captured": "Wir haben leider nichts gehört.",
    "voicemail_recorded": "Ihre Nachricht ist aufgezeichnet. Wir rufen Sie zurück. Auf Wiederhören.",
    "voicemail_recorded_withheld": "Ihre Nachricht ist aufgezeichnet, ein Mitarbeiter hört sie ab. Wir sehen Ihre "
    "Nummer nicht und können Sie nicht zurückrufen. Auf Wiederhören.",
    "voicemail_failed": "Ihre Nachricht kann jetzt nicht aufgezeichnet werden. Wir rufen Sie zurück. Auf Wiederhören.",
    "voicemail_lost": "Ihre Nachricht kann jetzt nicht aufgezeichnet werden, und wir sehen Ihre Nummer nicht. Bitte "
    "rufen Sie noch einmal an. Auf Wiederhören.",
    "processing_error": "Das hat leider nicht geklappt. Sie sind weiter in der Warteschlange.",
}
SPANISH = {
    "greeting": "Gracias por llamar. Espere, por favor, al próximo agente disponible.",
    "repeating_prompt": "Para que le devolvamos la llamada o para dejar un mensaje, pulse asterisco.",
    "repeating_prompt_no_voicemail": "Para que le devolvamos la llamada, pulse asterisco.",
    "not_available": "Todos los agentes están ocupados. Ahora no se puede pedir una llamada. Siga en línea.",
    "choice": "Para que le llamemos, pulse 1. Para dejar un mensaje, pulse 2. Para seguir en línea, espere.",
    "choice_no_voicemail": "Para que le llamemos, pulse 1. Para seguir en línea, espere.",
    "number_choice": "Para el número desde el que llama, pulse 1. Para otro número, pulse 2.",
    "number_withheld": "No vemos el número desde el que llama. Marque el número en el que podemos llamarle, con el "
    "código del país, y después la tecla almohadilla.",
    "number_needed": "No tenemos ningún número en el que llamarle. Sigue usted en la cola.",
    "enter_number": "Marque el número con el código del país y después la tecla almohadilla.",
    "you_entered": "Ha marcado",
    "confirm_number": "Si es correcto, pulse 1. Para cambiarlo, pulse otra tecla.",
    "invalid_input": "No podemos llamar a ese número.",
    "callback_submitted": "Su llamada está solicitada y conserva su lugar. Hasta luego.",
    "callback_submitted_no_place": "Su llamada está solicitada. Hasta luego.",
    "callback_delayed": "Hemos anotado su solicitud. Le llamaremos. Hasta luego.",
    "agent_coming": "Un agente está atendiendo su llamada.",
    "record_voicemail": "Deje su mensaje después de la señal. Pulse asterisco al terminar.",
    "record_voicemail_withheld": "No vemos su número. Deje su mensaje después de la señal y diga cómo podemos "
    "localizarle. Pulse asterisco al terminar.",
    "voicemail_not_captured": "No hemos oído nada.",
    "voicemail_recorded": "Su mensaje está grabado. Le llamaremos. Hasta luego.",
    "voicemail_recorded_withheld": "Su mensaje está grabado y un agente lo escuchará. No vemos su número y no podemos "
    "llamarle. Hasta luego.",
    "voicemail_failed": "Ahora no podemos grabar su mensaje. Le llamaremos. Hasta luego.",
    "voicemail_lost": "Ahora no podemos grabar su mensaje y no vemos su número. Llame otra vez, por favor. Hasta "
    "luego.",
    "processing_error": "Lo sentimos, no ha funcionado. Sigue usted en la cola.",
}
LANGUAGES = {"en-US": ENGLISH, "de-DE": GERMAN, "es-ES": SPANISH}
"""The built-in languages; the settings may add others."""


def language_of(wanted: str, options: Options) -> str:
    """The language to speak: the wanted one (``de`` finds ``de-DE``), else the setting's, else English."""
    known = [*options.texts, *LANGUAGES]
    for name in (wanted.strip(), options.language):
        if not name:
            continue
        for one in known:
            if one.lower() == name.lower():
                return one
        for one in known:
            if one.lower().partition("-")[0] == name.lower().partition("-")[0]:
                return one
    return "en-US"


def text(name: str, language: str, options: Options) -> str:
    """A text: the setting's, else the built-in one, else the English one."""
    chosen = options.texts.get(language, {}).get(name)
    return chosen if chosen is not None else LANGUAGES.get(language, ENGLISH).get(name, ENGLISH[name])
