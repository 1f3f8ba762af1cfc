"""Digest: published examples, both ways, and what must be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.sip.digest import NONCE_SECONDS, NonceMint, answer_challenge, parse_digest

MINT = NonceMint(b"secret key of the test")
PASSWORDS = {"alice": "pass:word"}


def test_rfc_7616_example() -> None:
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    value = answer_challenge(
        [challenge],
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert value is not None
    assert "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" in value
    md5 = answer_challenge(
        [challenge.replace("SHA-256", "MD5")],
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert md5 is not None
    assert "8ca523f5e9506fed4657c9700eebdbec" in md5


def credentials(index: int = 0, password: str = "pass:word", now: float = 1000.0, **change: str) -> str:
    value = answer_challenge(
        [MINT.challenges("r", "192.0.2.1", now)[index]],
        method="REGISTER",
        uri=change.pop("uri", "sip:x"),
        username=change.pop("username", "alice"),
        password=password,
        cnonce="c",
        nc=int(change.pop("count", "1")),
    )
    assert value is not None
    for old, new in change.items():
        value = value.replace(old, new)
    return value


def verify(
    value: str,
    now: float = 1000.0,
    method: str = "REGISTER",
    target: str = "sip:x",
    source: str = "192.0.2.1",
) -> str:
    return MINT.verify(
        value, method=method, target=target, source=source, realm="r", password=PASSWORDS.get, now=now
    )


@pytest.mark.parametrize("index", [0, 1])
def test_both_algorithms(index: int) -> None:
    assert verify(credentials(index)) == "ok"
    assert verify(credentials(index), now=1000 + NONCE_SECONDS + 1) == "stale"
    assert verify(credentials(index, password="other")) == "wrong"
    assert verify(credentials(index), method="INVITE") == "wrong"
    assert verify(credentials(index, username="nobody")) == "wrong"


def test_foreign_nonce_zero_count_and_rubbish() -> None:
    other = NonceMint(b"another").challenges("r", "192.0.2.1", 1000.0)
    value = answer_challenge(
        other, method="REGISTER", uri="sip:x", username="alice", password="pass:word", cnonce="c"
    )
    assert value is not None
    assert verify(value) == "wrong"
    assert verify(credentials(nc="nd")) == "malformed"
    assert verify(credentials().replace("nc=00000001", "nc=00000000")) == "malformed"
    assert verify("Basic Zm9v") == "malformed"
    assert verify('Digest username="alice') == "malformed"


def test_a_request_that_is_sent_again_is_refused() -> None:
    """Who has heard it may not use it: not with its number, not with a lower one."""
    nonce = MINT.mint("r", "192.0.2.1", 1000.0)

    def use(count: int, qop: str = ', qop="auth"') -> str:
        value = answer_challenge(
            [f'Digest realm="r", nonce="{nonce}"{qop}'],
            method="REGISTER", uri="sip:x", username="alice", password="pass:word", cnonce="c", nc=count,
        )  # fmt: skip
        assert value is not None
        return verify(value)

    assert [use(count) for count in (1, 2, 2, 1, 5, 3, 6)] == [
        "ok",
        "ok",
        "stale",
        "stale",
        "ok",
        "stale",
        "ok",
    ]
    assert use(1, qop="") == "stale", "without a number a nonce is good once"
    nonce = MINT.mint("r", "192.0.2.1", 1000.0)
    assert [use(1, qop="") for _ in range(2)] == ["ok", "stale"]


def test_what_was_used_is_forgotten_when_it_is_stale() -> None:
    mint = NonceMint(b"k")
    for second in range(300):
        nonce = mint.mint("r", "a", second)
        assert mint._counted(nonce, 1, second)
        assert not mint._counted(nonce, 1, second)
    assert len(mint._counts) <= NONCE_SECONDS + 1


def test_a_nonce_is_of_use_only_where_it_was_given() -> None:
    """A phone whose address has changed is asked anew, not told that its password is wrong."""
    value = credentials()
    assert verify(value, source="198.51.100.9") == "stale"
    assert verify(credentials(password="other"), source="198.51.100.9") == "wrong"
    assert verify(value) == "ok"


@pytest.mark.parametrize(
    ("signed", "target", "verdict"),
    [
        ("sip:100@x", "sip:100@x", "ok"),
        ("sip:100@x", "sip:100@X:5060;transport=udp", "ok"),
        ("sip:x:5060", "sip:100@x", "ok"),
        ("sip:100@x", "sip:900@x", "wrong"),
        ("sip:100@x", "sip:100@y", "wrong"),
        ("sip:100@x", "sip:100@x:5070", "wrong"),
        ("sip:100@x", "sips:100@x", "wrong"),
        ("tel:+1555", "tel:+1555", "ok"),
        ("tel:+1555", "tel:+1900", "wrong"),
        ("nothing", "sip:100@x", "wrong"),
    ],
)
def test_credentials_are_for_one_target(signed: str, target: str, verdict: str) -> None:
    assert verify(credentials(uri=signed), target=target) == verdict


def test_unusable_challenges_are_passed_over() -> None:
    unusable = ['Digest realm="r", nonce="n", algorithm=SHA-512', "NTLM x"]
    assert answer_challenge(unusable, method="A", uri="u", username="a", password="b", cnonce="c") is None
    chosen = answer_challenge(
        ['Digest realm="r", nonce="n", algorithm=SHA-512', 'Digest realm="r", nonce="m"'],
        method="A",
        uri="u",
        username='a"b',
        password="b",
        cnonce="c",
    )
    assert chosen is not None
    assert 'nonce="m"' in chosen
    parsed = parse_digest(chosen)
    assert parsed is not None
    assert parsed["username"] == 'a"b'


@given(st.text(max_size=200))
def test_fuzz(text: str) -> None:
    assert verify(text) != "ok"
    assert verify("Digest " + text) != "ok"
