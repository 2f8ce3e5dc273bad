"""Every limit on what somebody else can make grow has a test that meets it.

Limits of the configuration: a test of the core, the shell or the real daemon gives each a value, or goes to the one it has.
Bounds that are constants: a test names each."""

import re

import tree

LIMITS = "daemon/core/core_limits.h"
ROW = re.compile(r'\bLIMIT\((\w+), "(\w+)", ([^,]+), "([^"]+)"')
# Where they stand: of one frame or operation; of one connection; of strangers; of the files that say who may come.
CONSTANTS = {
    "proto/message.h": ("VALUES_MAX", "CASES_MAX", "NAME_BYTES_MAX", "CTX_VALUES_MAX"),
    "proto/message_queue.h": ("SETTINGS_BYTES_MAX",),
    "proto/message_work.h": ("WORK_QUEUES_MAX", "WORK_JOBS_MAX", "WORK_BYTES_MAX", "WORK_NAMES_BYTES_MAX"),
    "daemon/wire/wire.h": ("WIRE_PARTS_MAX", "WIRE_ACKS_MAX", "WIRE_PLUGIN_BYTES_MAX"),
    "daemon/transport.h": ("PENDING_BYTES_MAX",),
    "daemon/hub.h": ("UNBOUND_MAX",),
    "daemon/plugin_file.h": ("PLUGIN_FILE_BYTES_MAX",),
    "daemon/core/rights.h": ("RIGHT_ROWS_MAX",),
    "daemon/core/cron.h": ("CRON_TEXT_BYTES_MAX",),
    "daemon/core/zone.h": ("ZONE_NAME_BYTES_MAX",),
    "daemon/zone_file.h": ("ZONE_FILE_BYTES_MAX",),
    "daemon/keys.h": ("KEYS_MAX",),
    "daemon/table_file.h": ("TABLE_FILE_BYTES_MAX",),
    "proto/keyfile.h": ("KEY_FILE_BYTES_MAX",),
}


# Members of a request have these names too.
AMBIGUOUS = {"attempts_max", "value_bytes_max"}


def sets(name):
    """A test that gives the limit a value, or takes the one it has."""
    member = "" if name in AMBIGUOUS else rf"|\.{name}\s*=[^=]"
    return re.compile(rf"\blimits_?(?:\.|->){name}\b|LIMITED\({name}\b|\"{name}=" + member)


def main():
    texts = [tree.read(path) for path in tree.files(".c", ".h", ".py", ".sh")
             if path.parts[0] == "tests" and path.parts[1] in ("unit", "e2e")]
    rows = ROW.findall(tree.read(LIMITS))
    findings = [f"{LIMITS}: no test in tests/unit or tests/e2e meets {name}"
                for name, _, _, _ in rows if not any(sets(name).search(text) for text in texts)]
    findings += [f"{LIMITS}: {name} has no unit or no words" for name, unit, _, words in rows if not unit or not words]
    for header, names in CONSTANTS.items():
        findings += [f"{header}: there is no {name}" for name in names
                     if not re.search(rf"\b{name}\s*=", tree.read(header))]
        findings += [f"{header}: no test in tests/unit or tests/e2e meets {name}" for name in names
                     if not any(re.search(rf"\b{name}\b", text) for text in texts)]
    tree.report(findings, f"{len(rows)} limits, {sum(map(len, CONSTANTS.values()))} bounds")


main()
