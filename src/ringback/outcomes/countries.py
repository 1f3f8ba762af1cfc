"""Countries: ISO code, English name and continent of every region of libphonenumber (call-outcomes.md §4.1).

Our own table: the large name data of the package need not be loaded, and a test compares the regions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers

from ringback.numbers.plan import region_of

_BY_CONTINENT: Final = {
    "AFRICA": """
        AC Ascension Island; AO Angola; BF Burkina Faso; BI Burundi; BJ Benin; BW Botswana;
        CD The Democratic Republic Of Congo; CF Central African Republic; CG Congo; CI Côte d'Ivoire;
        CM Cameroon; CV Cape Verde; DJ Djibouti; DZ Algeria; EG Egypt; EH Western Sahara; ER Eritrea;
        ET Ethiopia; GA Gabon; GH Ghana; GM Gambia; GN Guinea; GQ Equatorial Guinea; GW Guinea-Bissau;
        KE Kenya; KM Comoros; LR Liberia; LS Lesotho; LY Libya; MA Morocco; MG Madagascar; ML Mali;
        MR Mauritania; MU Mauritius; MW Malawi; MZ Mozambique; NA Namibia; NE Niger; NG Nigeria;
        RE Reunion; RW Rwanda; SC Seychelles; SD Sudan; SH Saint Helena; SL Sierra Leone; SN Senegal;
        SO Somalia; SS South Sudan; ST Sao Tome And Principe; SZ Swaziland; TA Tristan da Cunha; TD Chad;
        TG Togo; TN Tunisia; TZ Tanzania; UG Uganda; YT Mayotte; ZA South Africa; ZM Zambia; ZW Zimbabwe
    """,
    "ASIA": """
        AE United Arab Emirates; AF Afghanistan; AM Armenia; AZ Azerbaijan; BD Bangladesh; BH Bahrain;
        BN Brunei; BT Bhutan; CN China; GE Georgia; HK Hong Kong; ID Indonesia; IL Israel; IN India;
        IO British Indian Ocean Territory; IQ Iraq; IR Iran; JO Jordan; JP Japan; KG Kyrgyzstan;
        KH Cambodia; KP North Korea; KR South Korea; KW Kuwait; KZ Kazakhstan; LA Laos; LB Lebanon;
        LK Sri Lanka; MM Myanmar; MN Mongolia; MO Macao; MV Maldives; MY Malaysia; NP Nepal; OM Oman;
        PH Philippines; PK Pakistan; PS Palestine; QA Qatar; SA Saudi Arabia; SG Singapore; SY Syria;
        TH Thailand; TJ Tajikistan; TL Timor-Leste; TM Turkmenistan; TR Turkey; TW Taiwan; UZ Uzbekistan;
        VN Vietnam; YE Yemen
    """,
    "EUROPE": """
        AD Andorra; AL Albania; AT Austria; AX Åland Islands; BA Bosnia and Herzegovina; BE Belgium;
        BG Bulgaria; BY Belarus; CH Switzerland; CY Cyprus; CZ Czech Republic; DE Germany; DK Denmark;
        EE Estonia; ES Spain; FI Finland; FO Faroe Islands; FR France; GB United Kingdom; GG Guernsey;
        GI Gibraltar; GR Greece; HR Croatia; HU Hungary; IE Ireland; IM Isle Of Man; IS Iceland; IT Italy;
        JE Jersey; LI Liechtenstein; LT Lithuania; LU Luxembourg; LV Latvia; MC Monaco; MD Moldova;
        ME Montenegro; MK Macedonia; MT Malta; NL Netherlands; NO Norway; PL Poland; PT Portugal;
        RO Romania; RS Serbia; RU Russia; SE Sweden; SI Slovenia; SJ Svalbard And Jan Mayen; SK Slovakia;
        SM San Marino; UA Ukraine; VA Vatican; XK Kosovo
    """,
    "NORTH_AMERICA": """
        AG Antigua and Barbuda; AI Anguilla; AW Aruba; BB Barbados; BL Saint Barthélemy; BM Bermuda;
        BQ Bonaire, Sint Eustatius and Saba; BS Bahamas; BZ Belize; CA Canada; CR Costa Rica; CU Cuba;
        CW Curaçao; DM Dominica; DO Dominican Republic; GD Grenada; GL Greenland; GP Guadeloupe;
        GT Guatemala; HN Honduras; HT Haiti; JM Jamaica; KN Saint Kitts And Nevis; KY Cayman Islands;
        LC Saint Lucia; MF Saint Martin; MQ Martinique; MS Montserrat; MX Mexico; NI Nicaragua; PA Panama;
        PM Saint Pierre And Miquelon; PR Puerto Rico; SV El Salvador; SX Sint Maarten (Dutch part);
        TC Turks And Caicos Islands; TT Trinidad and Tobago; US United States;
        VC Saint Vincent And The Grenadines; VG British Virgin Islands; VI U.S. Virgin Islands
    """,
    "OCEANIA": """
        AS American Samoa; AU Australia; CC Cocos Islands; CK Cook Islands; CX Christmas Island; FJ Fiji;
        FM Micronesia; GU Guam; KI Kiribati; MH Marshall Islands; MP Northern Mariana Islands;
        NC New Caledonia; NF Norfolk Island; NR Nauru; NU Niue; NZ New Zealand; PF French Polynesia;
        PG Papua New Guinea; PW Palau; SB Solomon Islands; TK Tokelau; TO Tonga; TV Tuvalu; VU Vanuatu;
        WF Wallis And Futuna; WS Samoa
    """,
    "SOUTH_AMERICA": """
        AR Argentina; BO Bolivia; BR Brazil; CL Chile; CO Colombia; EC Ecuador; FK Falkland Islands;
        GF French Guiana; GY Guyana; PE Peru; PY Paraguay; SR Suriname; UY Uruguay; VE Venezuela
    """,
}
INTERNATIONAL: Final = "001"
"""Numbers of no country (+800, +870, +883 …), under the code that libphonenumber uses for them."""
_NANP: Final = "1"


@dataclass(frozen=True, slots=True)
class Place:
    """One country of the list."""

    iso_code: str
    name: str
    continent: str
    country_codes: tuple[str, ...]
    """With their ``+``."""


@lru_cache(1)
def countries() -> dict[str, Place]:
    """Every country by its ISO code, in the order of the codes; the international networks are the last."""
    codes: dict[str, list[str]] = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            codes.setdefault(region, []).append(f"+{code}")
    found = {
        iso: Place(iso, name, continent, tuple(codes.get(iso, ())))
        for continent, text in _BY_CONTINENT.items()
        for iso, _, name in (each.strip().partition(" ") for each in text.split(";"))
    }
    international = tuple(sorted(codes[INTERNATIONAL]))
    found[INTERNATIONAL] = Place(INTERNATIONAL, "International networks", "INTERNATIONAL", international)
    return dict(sorted(found.items(), key=lambda item: (item[0] == INTERNATIONAL, item[0])))


def calling_code(e164: str) -> str:
    """The country calling code at the start of an E.164 number, without ``+``; empty: there is no such code."""
    if not e164[1:4].isascii() or not e164[1:4].isdigit():
        return ""
    for length in (1, 2, 3):
        code = e164[1 : 1 + length]
        if len(code) == length and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return code
    return ""


def country_of(e164: str) -> str | None:
    """The ISO code of the country that a number belongs to; None when its calling code is not assigned.

    Where several countries share a calling code the number's range decides; a number in nobody's range
    (555 …) is the main country's.
    """
    code = calling_code(e164)
    if not code:
        return None
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
    if len(regions) == 1:
        return str(regions[0])
    if code == _NANP:
        return _of_area(e164[2:5]) or str(regions[0])
    return _of_range(e164) or str(regions[0])


@lru_cache(1000)
def _of_area(area: str) -> str | None:
    """In North America the area code alone says the country."""
    return _of_range(f"+{_NANP}{area}2345678") if len(area) == 3 else None


@lru_cache(10_000)
def _of_range(e164: str) -> str | None:
    return region_of(e164)
