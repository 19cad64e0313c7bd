"""What may be a target. The traps are ones that resolvers and URL parsers are known to fall for."""

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.addresses import TargetPolicy, address_allowed, parse_target, target_problem

PRODUCTION = TargetPolicy()
PRIVATE = TargetPolicy(allow_private=True)

PUBLIC_ADDRESSES = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80f::200e",
    "3ffe:ffff::1",
    "::ffff:8.8.8.8",
    "161.25.255.255",
    "166.12.0.0",
]

SPECIAL_ADDRESSES = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "161.26.0.1",
    "166.8.0.1",
    "166.11.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.0.10",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b:1::10.0.0.1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:30::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:4700::5efe:10.0.0.1",
    "2606:4700::200:5efe:10.0.0.1",
]

NOT_ADDRESSES = [
    "",
    "example.com",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    "0x7f000001",
    "2130706433",
    "[::1]",
    "fe80::1%eth0",
    "2606:4700::1%1",
    "8.8.8.8%eth0",
    "８.8.8.8",
    "8.8.8.8\0",
    " 8.8.8.8",
]

# Never, even where private addresses are allowed: credentials of the machine, and everybody.
NEVER_ALLOWED = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fe80::a9fe:a9fe",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "64:ff9b:1::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::1",
    "2001:0:808:808:0:0:5601:5601",
    "fe80::200:5efe:169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "ff02::1",
]

GOOD_TARGETS = [
    "https://example.com",
    "https://example.com/",
    "https://example.com/hooks?token=a%20b&list[]=1",
    "https://EXAMPLE.com/Hooks",
    "HTTPS://example.com/",
    "https://example.com:443/",
    "https://example.com:80/",
    "https://example.com:8443/",
    "https://example.com:3000/",
    "https://example.com:65535/",
    "https://a.b.c.example.co.uk/x",
    "https://xn--mnchen-3ya.example/",
    "https://münchen.example/",
    "https://MÜNCHEN.example/",
    "https://example.com/schön?ort=münchen",
    "https://under_score.example.com/",
    "https://1.example.com/",
    "https://0xabc.example.com/",
    "https://127.0.0.1.example.com/",
    "https://example.com/@user",
    "https://example.com/http://127.0.0.1/",
    "https://example.com?query=only",
    "https://1.1.1.1/hooks",
    "https://[2606:4700:4700::1111]/hooks",
    "https://[2606:4700:4700::1111]:8443/hooks",
    "https://[::ffff:8.8.8.8]/",
    "https://" + "a" * 63 + ".example.com/",
]

BAD_TARGETS = [
    # shape
    "",
    "example.com",
    "//example.com/",
    "https:",
    "https:/example.com",
    "https://",
    "https:///path",
    "https://:443/",
    "https://?x",
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "https://example.com/" + "a" * 2048,
    "https://example.com/#fragment",
    "https://example.com#@127.0.0.1/",
    # characters
    " https://example.com/",
    "https://example.com/ ",
    "https://example.com/a b",
    "https://exam\tple.com/",
    "https://exam\nple.com/",
    "https://example.com/\r\nx-injected: 1",
    "https://example.com/\0",
    "https://127.0.0.1\0.example.com/",
    "https://example.com/\x7f",
    "https://example.com/\x85",
    "https://example.com/\u2028",
    "https://example.com/\u00a0",
    "https://example.com/\ud800",
    "https://evil.example\\@127.0.0.1/",
    "https:\\\\example.com\\",
    # user names
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://a@b@c.example/",
    "https://example.com@127.0.0.1/",
    "https://@example.com/",
    # ports
    "https://example.com:/",
    "https://example.com:0/",
    "https://example.com:00443/",
    "https://example.com:65536/",
    "https://example.com:99999999999/",
    "https://example.com:-1/",
    "https://example.com:+443/",
    "https://example.com:٤٤٣/",
    "https://example.com:443:443/",
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:53/",
    "https://example.com:110/",
    "https://example.com:143/",
    "https://example.com:445/",
    "https://example.com:465/",
    "https://example.com:587/",
    "https://example.com:993/",
    "https://example.com:995/",
    "https://example.com:2375/",
    "https://example.com:3306/",
    "https://example.com:5432/",
    "https://example.com:6379/",
    "https://example.com:9200/",
    "https://example.com:11211/",
    "https://example.com:27017/",
    "https://example.com:6667/",
    "https://example.com:10080/",
    # host names
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost:8443/",
    "https://localhost./",
    "https://app.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router.lan/",
    "https://nas.home.arpa/",
    "https://wiki.corp/",
    "https://abcdef.onion/",
    "https://intranet/",
    "https://example.com./",
    "https://.example.com/",
    "https://example..com/",
    "https://-example.com/",
    "https://example-.com/",
    "https://exa mple.com/",
    "https://exam%70le.com/",
    "https://*.example.com/",
    "https://" + "a" * 64 + ".example.com/",
    "https://" + "a." * 130 + "com/",
    "https://" + "ü" * 300 + ".com/",
    "https://ⓛocalhost/",
    "https://straße.example/",
    "https://\u212aajabi.example/",
    "https://exam\u200bple.com/",
    "https://exam\u00adple.com/",
    "https://xn--\u2603.example/",
    # numbers that resolvers read as addresses
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0x7F.0.0.0x1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0x/",
    "https://1.2.3.4.5/",
    "https://example.1/",
    "https://1.1.1.1./",
    "https://1.1.1.256/",
    "https://01.1.1.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://１２７.0.0.1/",
    # addresses
    "https://127.0.0.1/",
    "https://10.0.0.1:8443/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://[2606:4700::1%eth0]/",
    "https://[fd00:ec2::254]/",
    "https://[v1.example]/",
    "https://[example.com]/",
    "https://[]/",
    "https://[::1/",
    "https://::1/",
    "https://[2606:4700::1]x/",
]


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_a_public_address_may_be_dialled(address: str) -> None:
    assert address_allowed(address, PRODUCTION)


@pytest.mark.parametrize("address", SPECIAL_ADDRESSES)
def test_a_special_address_is_refused_in_production(address: str) -> None:
    assert not address_allowed(address, PRODUCTION)


@pytest.mark.parametrize("address", NOT_ADDRESSES)
@pytest.mark.parametrize("policy", [PRODUCTION, PRIVATE], ids=["production", "private"])
def test_what_is_no_plain_address_is_refused_always(address: str, policy: TargetPolicy) -> None:
    assert not address_allowed(address, policy)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.17.0.1", "::1", "fd12::1", "fe80::1"]
)
def test_private_addresses_may_be_dialled_where_the_operator_says_so(address: str) -> None:
    assert address_allowed(address, PRIVATE)


@pytest.mark.parametrize("address", NEVER_ALLOWED)
def test_metadata_services_and_multicast_are_refused_even_there(address: str) -> None:
    assert not address_allowed(address, PRIVATE)


@pytest.mark.parametrize("url", GOOD_TARGETS)
def test_a_public_https_url_may_be_a_target(url: str) -> None:
    assert target_problem(url, PRODUCTION) is None


@pytest.mark.parametrize("url", BAD_TARGETS)
def test_anything_else_is_refused_with_a_reason(url: str) -> None:
    problem = target_problem(url, PRODUCTION)
    assert problem
    assert problem.isprintable()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/hooks",
        "http://localhost/",
        "http://[::1]:9000/",
        "http://receiver:5432/",
        "http://receiver.internal:22/",
        "https://10.0.0.1/",
        "http://example.com/",
    ],
)
def test_private_hosts_plain_http_and_any_port_are_allowed_where_the_operator_says_so(url: str) -> None:
    assert target_problem(url, PRIVATE) is None
    assert target_problem(url, PRODUCTION) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://user@127.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1/#x",
        "ftp://127.0.0.1/",
    ],
)
def test_allowing_private_addresses_allows_nothing_malformed(url: str) -> None:
    assert target_problem(url, PRIVATE) is not None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/", "https://"),
        ("https://example.com/#top", "fragment"),
        ("https://me:secret@example.com/", "password"),
        ("https://example.com:6379/", "6379"),
        ("https://straße.example/", "xn--"),
        ("https://example.com:21/", "use 80, 443 or 1024 to 65535"),
        ("https://2130706433/", "four plain numbers"),
        ("https://example.com/a b", "%20"),
    ],
)
def test_the_reason_names_the_fault_or_its_cure(url: str, words: str) -> None:
    assert words in (target_problem(url, PRODUCTION) or "")


def test_a_reason_never_repeats_a_password() -> None:
    assert "hunter2" not in (target_problem("https://me:hunter2@example.com/", PRODUCTION) or "")


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://Example.COM", "example.com", 443, "/", "example.com"),
        ("https://example.com:443/a", "example.com", 443, "/a", "example.com"),
        ("http://example.com:443/a", "example.com", 443, "/a", "example.com:443"),
        ("https://example.com:8443?x=1", "example.com", 8443, "/?x=1", "example.com:8443"),
        ("https://[2606:4700:0::1]/a?", "2606:4700::1", 443, "/a?", "[2606:4700::1]"),
        ("https://[::1]:9000", "::1", 9000, "/", "[::1]:9000"),
        (
            "https://münchen.example/ü?ü=[]",
            "xn--mnchen-3ya.example",
            443,
            "/%C3%BC?%C3%BC=[]",
            "xn--mnchen-3ya.example",
        ),
        (
            "https://example.com/%7Ea//b/../c;d=1?e=%2f&f=+g",
            "example.com",
            443,
            "/%7Ea//b/../c;d=1?e=%2f&f=+g",
            "example.com",
        ),
        ('https://example.com/{a}"<b>|^`', "example.com", 443, "/%7Ba%7D%22%3Cb%3E%7C%5E%60", "example.com"),
    ],
)
def test_path_and_query_are_kept_as_given_but_for_what_http_forbids(
    url: str, host: str, port: int, path: str, authority: str
) -> None:
    target = parse_target(url)
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)


HOSTS = st.one_of(
    st.ip_addresses().map(lambda address: f"[{address}]" if address.version == 6 else str(address)),
    st.text(alphabet="0123456789abcdefx.:[]%-①。", max_size=20),
    st.integers(0, 2**32 - 1).map(str),
    st.integers(0, 2**32 - 1).map(hex),
)


@given(st.text())
def test_no_text_is_too_strange_to_be_judged(text: str) -> None:
    for policy in (PRODUCTION, PRIVATE):
        target_problem(text, policy)
        target_problem(f"https://{text}", policy)
        target_problem(f"https://{text}.example.com/{text}", policy)
        address_allowed(text, policy)


@given(HOSTS)
def test_an_address_that_passes_the_check_is_one_that_may_be_dialled(host: str) -> None:
    url = f"https://{host}/"
    if target_problem(url, PRODUCTION) is None:
        target = parse_target(url)
        assert target.is_address == _is_address(target.host)
        assert not target.is_address or address_allowed(target.host, PRODUCTION)
        # What the C library reads as a number is an address to us too: `inet_aton` is what getaddrinfo calls.
        assert target.is_address or not _is_number_to_the_resolver(target.host)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50))
def test_what_goes_into_the_request_line_is_printable_ascii_without_spaces(path: str) -> None:
    try:
        target = parse_target(f"https://example.com/{path}")
    except ValueError:
        return
    assert target.path.isascii()
    assert target.path.isprintable()
    assert " " not in target.path


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_number_to_the_resolver(host: str) -> bool:
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True
