"""Checks of schemathesis (SCHEMATHESIS_HOOKS=test/fuzz/checks.py): an engine may refuse, and never tells of its own insides."""
import re
import zlib

import schemathesis

INSIDES = re.compile(
    r"\n\s+at .*[(/]|TypeError|ReferenceError|RangeError|is not a function|Cannot read propert|undefined \(reading|ZodError|\"(?:message|error)\":\"[^\"]*/proc/self/fd/\d|file:///"
)


# those may go on for good when they are about what is there
ENDLESS = re.compile(r"/(wait|logs|stats|attach|ws|drain|hand-over)$")


@schemathesis.hook
def before_call(ctx, case, **kwargs):
    """Every second request is about what test/fuzz/targets.ts has made, but for those that would then go on for good."""
    endless = ENDLESS.search(case.operation.path)
    there = "busybox" if case.operation.path.startswith("/images") else "none" if endless else "fuzz"
    # a new one: cases may have theirs in common
    case.path_parameters = {
        key: there if key in ("id", "name") and (endless or zlib.crc32(repr(value).encode()) % 2) else value
        for key, value in (case.path_parameters or {}).items()
    }


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
