"""What `prebind.ScramKeys.derive` makes, as tests/vectors/scram-derived.json has it."""

import json
from base64 import b64decode

import prebind
import pytest
from conftest import ROOT

FILE = json.loads((ROOT / "tests/vectors/scram-derived.json").read_text())


@pytest.mark.parametrize("row", FILE["derived"], ids=lambda row: row["name"])
def test_derived(row):
    salt = b64decode(row["salt"])
    keys, stored_key = prebind.ScramKeys.derive(
        row["password"], row["hash"], row["iterations"], salt
    )
    expected = [b64decode(row[name]) for name in ("client_key", "server_key", "stored_key")]
    assert [keys.client_key, keys.server_key, stored_key] == expected
    assert (keys.hash, keys.salt, keys.iterations) == (row["hash"], salt, row["iterations"])


def test_a_salt_is_drawn_anew_and_is_text():
    salts = [prebind.ScramKeys.derive("pencil", "SHA-256", 4096)[0].salt for _ in range(2)]
    assert salts[0] != salts[1]
    assert all(salt.decode().isprintable() for salt in salts)


@pytest.mark.parametrize("row", FILE["refused"], ids=lambda row: row["name"])
def test_refused(row):
    with pytest.raises(prebind.ConfigError) as caught:
        prebind.ScramKeys.derive(row["password"], row["hash"], row["iterations"])
    assert caught.value.field == row["field"]
