"""`hookwright verify`."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from hookwright.cli import app
from hookwright.core.signing import encode_secret, signed_headers

NOW = 1_790_000_000
SECRET = encode_secret(b"k" * 32)
BODY = b'{"type":"contact.created"}'
HEADERS = signed_headers([b"k" * 32], "msg-1", NOW, BODY)


def verified(*arguments: str, body: bytes = BODY, secret: str = SECRET) -> Result:
    command = ["verify", "--secret", secret, "--at", str(NOW), *arguments]
    return CliRunner().invoke(app, command, input=body)


def as_options() -> list[str]:
    return [part for name, value in HEADERS.items() for part in ("-H", f"{name}: {value}")]


def test_a_good_signature_ends_with_exit_code_0() -> None:
    result = verified(*as_options())
    assert result.exit_code == 0
    assert "the signature is good" in result.stdout


def test_a_bad_one_ends_with_exit_code_1_and_names_the_part() -> None:
    result = verified(*as_options(), "--json", body=b'{"type": "contact.created"}')
    assert result.exit_code == 1
    assert json.loads(result.stdout)["wrong"] == "body"


def test_headers_may_be_in_a_file_as_they_came_or_as_json(tmp_path: Path) -> None:
    raw, as_json, body = tmp_path / "raw", tmp_path / "headers.json", tmp_path / "body"
    lines = ["POST /hooks?x=http://y HTTP/1.1", *(f"{name}: {value}" for name, value in HEADERS.items())]
    raw.write_text("\r\n".join(lines))
    as_json.write_text(json.dumps(HEADERS))
    body.write_bytes(BODY)
    for file in (raw, as_json):
        assert verified("--headers", str(file), "--body", str(body), body=b"").exit_code == 0


def test_what_is_not_given_is_one_line(tmp_path: Path) -> None:
    for arguments, exit_code in (([], 2), (["--headers", str(tmp_path / "none")], 1)):
        result = verified(*arguments)
        assert result.exit_code == exit_code
        assert result.stderr.startswith("hookwright: ")


def test_the_secret_is_asked_for_when_it_is_not_given() -> None:
    result = CliRunner().invoke(app, ["verify", "--at", str(NOW), *as_options(), "--body", "/dev/null"], input=SECRET)
    assert "Signing secret" in result.output
    assert "the body is empty" in result.stdout
