"""Changes in Punjab 0.15 what 2to3 leaves of Python 2 and of an old Twisted."""

import sys
from pathlib import Path

CHANGES = {
    "httpb.py": [
        ("from zope.interface import Interface, implements", "from zope.interface import Interface"),
        ("    implements(IHttpbService)\n", ""),
        ("'content-length', len(bxml)", "'content-length', str(len(bxml))"),
        ('"content-length", len(bxml)', '"content-length", str(len(bxml))'),
        ("in self.sessions.values():\n            if", "in list(self.sessions.values()):\n            if"),
        ("for wr in session.waiting_requests:", "for wr in list(session.waiting_requests):"),
    ],
    "session.py": [
        ('"%02x" % ord(i)', '"%02x" % i'),
        ("\t", "        "),
    ],
    "jabber.py": [
        ("from twisted.words import version\n", ""),
        ("hasNewTwisted = version.major >= 8\n", "hasNewTwisted = True\n"),
        ("if version.major == 0 and version.minor < 5: raise", "if False: raise"),
        ("self.streamHost.encode('utf-8')", "self.streamHost"),
    ],
}

for name, changes in CHANGES.items():
    file = Path(sys.argv[1]) / name
    text = file.read_text()
    for old, new in changes:
        if old not in text:
            sys.exit(f"{name} has no {old!r}")
        text = text.replace(old, new)
    file.write_text(text)
