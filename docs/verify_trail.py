"""Verifies an export of the audit trail, without the service: `verify_trail.py KEYFILE < export.jsonl`.

KEYFILE has the value of AUDIT_KEY. The export has a JSON object a line for each sealed row; trail.md has the SQL.
Prints the rows that are false or missing; exit status 0 if there are none, else 1. What was cut off an end or, as by
a purge, a beginning shows only in a comparison with an anchor.
"""

import hashlib
import hmac
import ipaddress
import json
import sys
from datetime import UTC, datetime
from typing import Any

COMMON = ["id", "at", "user_id", "contract", "ip", "user_agent", "request_id"]
COLUMNS = {
    "attempt": [*COMMON, "identifier", "status", "failure_reason", "repeats", "factor"],
    "event": [*COMMON, "event", "actor_id", "detail"],
}


def keys(text: str) -> dict[str, bytes]:
    secrets = [hmac.digest(key.strip().encode(), b"authsvc trail seal", "sha256") for key in text.split(",")]
    return {hashlib.sha256(b"authsvc trail key name" + secret).hexdigest()[:16]: secret for secret in secrets}


def canonical(row: dict[str, Any]) -> bytes:
    at = datetime.fromisoformat(row["at"])
    at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    row["at"] = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if row["ip"] is not None:
        row["ip"] = ipaddress.ip_address(row["ip"]).packed.hex()
    if isinstance(row.get("detail"), str):
        row["detail"] = json.loads(row["detail"])
    values = [row[name] for name in ["kind", "lane", "number", "key_name", *COLUMNS[row["kind"]]]]
    if not row.get("factor", True):
        values.pop()
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        known = keys(file.read())
    rows = sorted((json.loads(line) for line in sys.stdin), key=lambda row: (row["lane"], row["number"]))
    faults, lane, number, previous = 0, -1, 0, b""
    for row in rows:
        place = f"{row['kind']} {row['id']} (lane {row['lane']}, number {row['number']})"
        mac = bytes.fromhex(row["mac"].removeprefix("\\x"))
        if row["lane"] != lane:
            # The first row of a lane that was purged is taken as it is.
            lane, number, previous = row["lane"], row["number"] - 1, bytes(32) if row["number"] == 1 else b""
        if row["number"] != number + 1:
            faults, previous = faults + 1, b""
            print(f"before {place}: the row before it is number {number}")
        secret = known.get(row["key_name"], b"")
        if previous and mac != hmac.digest(secret, previous + canonical(row), "sha256"):
            faults += 1
            print(f"{place}: {'its MAC is false' if secret else 'its key is not in KEYFILE'}")
        number, previous = row["number"], mac
    print(f"{len(rows)} rows, {faults} faults")
    return 1 if faults else 0


sys.exit(main())
