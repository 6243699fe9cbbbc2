"""Checks of schemathesis (SCHEMATHESIS_HOOKS=test/fuzz/checks.py): an engine may refuse, and never tells of its own insides."""
import re

import schemathesis

INSIDES = re.compile(
    r"\n\s+at .*[(/]|TypeError|ReferenceError|RangeError|is not a function|Cannot read propert|undefined \(reading|ZodError|/proc/self/fd/\d|file:///"
)


@schemathesis.check
def tells_no_insides(ctx, response, case):
    # archives are no text
    text = response.content.decode(errors="replace")
    found = INSIDES.search(text)
    assert found is None, f"{response.status_code} tells of the engine's insides: {text[-300:]}"


@schemathesis.serializer("application/x-tar")
def tar(ctx, value):
    """Whatever bytes there are: no tar, most of the time."""
    return value if isinstance(value, bytes) else repr(value).encode()
