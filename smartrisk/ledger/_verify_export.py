"""Check an export of a ledger: python verify_export.py FILE [ANCHOR].

Needs Python only. Every line is an entry; its digest covers its fields and the digest
of the entry before it. ANCHOR, "number:digest", is a head that was kept elsewhere: with
it, a chain that was rewritten or cut off is found too. Ends with 0 when it is intact.
"""

import hashlib
import json
import sys

FIELDS = ("kind", "at", "declaration_id", "item_number", "body")


def main(path: str, anchor: str = "") -> str:
    """Return what is wrong with an export; an empty text when it is intact."""
    previous = hashlib.sha256(b"smartrisk-ledger/2").hexdigest()
    heads = [f"0:{previous}"]
    with open(path, encoding="ascii") as lines:
        for seq, line in enumerate(lines, start=1):
            entry = json.loads(line)
            if entry["seq"] != seq:
                return f"entry {seq} is missing"
            if entry["previous"] != previous:
                return f"entry {seq} does not follow the last"
            whole = [previous, seq, *(entry[name] for name in FIELDS)]
            previous = hashlib.sha256(json.dumps(whole).encode()).hexdigest()
            if entry["digest"] != previous:
                return f"entry {seq} was changed"
            heads.append(f"{seq}:{previous}")
    if anchor and anchor not in heads:
        return f"no entry is the anchored one, {anchor}"
    sys.stdout.write(f"{len(heads) - 1} entries, head {heads[-1]}\n")
    return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]) or 0)
