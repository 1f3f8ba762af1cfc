"""URLs that read as two hosts are refused before anything is looked up; honest ones are not (issue 11, point 22)."""

from __future__ import annotations

import pytest

from ringback.web.webhooks.request import Hook, Unsendable, first_request, read_target, redirected

PUBLIC = "203.0.113.7"


@pytest.mark.parametrize(
    "url",
    [
        # a host in the user name
        "http://127.0.0.1%2f@example.com/", "http://127.0.0.1%2F%2F@example.com/", "http://127.0.0.1%252f@example.com/",
        "http://127.0.0.1%25252f@example.com/", "http://127.0.0.1%5c@example.com/", "http://localhost%23@example.com/",
        "http://127.0.0.1%3f@example.com/", "http://example.com%2f@127.0.0.1/", "http://127.0.0.1:80%2f@example.com/",
        "http://internal.local:8080%2fadmin@example.com/", "http://127.0.0.1:%2f@example.com/",
        "http://a@127.0.0.1@example.com/", "http://127.0.0.1%40x@example.com/", "http://localhost%40x@example.com/",
        "http://a%40b%40c@example.com/", "http://a%20b@example.com/", "http://127.0.0.1%09@example.com/",
        "http://127.0.0.1%0d%0a@example.com/",
        # backslashes, blanks, tabs, control characters
        "http://example.com\\@127.0.0.1/", "http://127.0.0.1\\@example.com/", "http:\\\\127.0.0.1/",
        "http://example.com\\.evil/", "http://exa mple.com/", "http://exam\tple.com/", "http://example.com\n.evil/",
        "http://\x00127.0.0.1/", "http:///127.0.0.1/", "http:/127.0.0.1/", "http:127.0.0.1/", "http://", "http://@/",
        "http://:80/", "http://a@:80/",
        # in the host itself
        "http://127.0.0.1%2f.example.com/", "http://127.0.0.1%00.example.com/", "http://%31%32%37.0.0.1/",
        "http://127.0.0.1%20/", "http://127.0.0.1%e3%80%82/", "http://example.com%40127.0.0.1/",
        "http://example.com%23.evil/", "http://exa$mple/", "http://a,b/", "http://a;b/", "http://a!b/", "http://(a)/",
        # dots and digits that are none
        "http://127\u30020\u30020\u30021/", "http://127\uff0e0\uff0e0\uff0e1/", "http://127\uff610\uff610\uff611/",
        "http://\uff11\uff12\uff17.0.0.1/", "http://\u2460\u2461\u2466.0.0.1/", "http://\u24d4xample.com/",
        "http://exa\u00admple.com/", "http://exa\u200bmple.com/", "http://127.0.0.1\u2044x/", "http://a\u2100b/",
        "http://\u2488\u2488/", "http://example.com\u2024evil/", "http://\ufe52x/", "http://\U0001d4d1.com/",
        # brackets
        "http://[::1/", "http://[::1]x/", "http://[127.0.0.1]/", "http://[example.com]/", "http://x[::1]/",
        "http://[::1%25eth0@x]/", "http://[v1.a]/", "http://[]/",
    ],
)  # fmt: skip
def test_refused(url: str) -> None:
    with pytest.raises(Unsendable) as refusal:
        read_target(url)
    assert refusal.value.code == 11100
    wire, _, _ = first_request(Hook(url=f"http://{PUBLIC}/x"))
    with pytest.raises(Unsendable) as again:
        redirected(Hook(url=""), wire, 302, url)
    assert again.value.code == 11216


@pytest.mark.parametrize(
    ("url", "host", "user", "password"),
    [
        ("http://example.com/", "example.com", "", ""), ("https://EXAMPLE.com:8443/a?b", "example.com", "", ""),
        ("http://u:p%40ss@example.com/", "example.com", "u", "p@ss"),
        ("http://u:p%2Fq%3Fr@example.com/", "example.com", "u", "p/q?r"),
        ("http://u:8080%2Fx@example.com/", "example.com", "u", "8080/x"),
        ("http://ann%40example.org:x@example.com/", "example.com", "ann@example.org", "x"),
        ("http://AC1:0a@example.com/", "example.com", "AC1", "0a"), ("http://u@example.com/", "example.com", "u", ""),
        ("http://foo_bar.example.com/", "foo_bar.example.com", "", ""),
        ("http://example.com./", "example.com.", "", ""),
        ("http://m\u00fcller.example/", "xn--mller-kva.example", "", ""),
        ("http://M\u00dcLLER.example/", "xn--mller-kva.example", "", ""),
        ("http://\u4f8b\u3048.\u30c6\u30b9\u30c8/", "xn--r8jz45g.xn--zckzah", "", ""),
        ("http://xn--mller-kva.example/", "xn--mller-kva.example", "", ""),
        ("http://127.0.0.1:8080/", "127.0.0.1", "", ""), ("http://localhost/", "localhost", "", ""),
        ("http://[::1]:80/", "::1", "", ""), ("http://[2001:db8::1]/", "2001:db8::1", "", ""),
        ("http://a/?x=http://b@c/%2f@d", "a", "", ""), ("http://a/x@y:z%2f@", "a", "", ""),
    ],
)  # fmt: skip
def test_taken(url: str, host: str, user: str, password: str) -> None:
    target = read_target(url)
    assert (target.host, target.user, target.password) == (host, user, password)
