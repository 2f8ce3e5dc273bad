"""PROTOCOL.md says what the schema, the table of verbs and the constants say: all of it, and nothing else."""

import pathlib
import re

import tree

DOCUMENT = "proto/PROTOCOL.md"
SCHEMA = "proto/goroutined.proto"
VERBS = "proto/verbs.h"
MESSAGE = "proto/message.h"
INSPECT = "proto/message_inspect.h"
SYNC = "proto/message_sync.h"
WORK = "proto/message_work.h"
SCHEDULE = "proto/message_schedule.h"
TOPIC = "proto/message_topic.h"
FEED = "proto/message_feed.h"
LIMITS = "daemon/core/core_limits.h"
# Enumerations of message.h that are numbers on the wire. `verb` and `until_kind` have tables of another form.
ENUMS = ("value_flags", "op_fate", "result_flags", "open_flags", "right", "full_policy", "case_kind", "submit_flags",
         "job_state", "job_cause", "offer_kind", "sync_kind", "take_flags", "give_flags",
         "add_flags", "signal_flags", "op_flags", "wait_flags", "schedule_missed", "schedule_overlap",
         "schedule_flags", "full_subscription", "topic_from", "feed_argument", "feed_pause", "feed_from", "feed_flags")
CALLS = ("client/goclient.h", "client/goclient_chan.h", "client/goclient_context.h", "client/goclient_feed.h", "client/goclient_pool.h", "client/goclient_queue.h", "client/goclient_inspect.h",
         "client/goclient_job.h", "client/goclient_schedule.h", "client/goclient_sync.h", "client/goclient_topic.h", "client/goclient_worker.h")
STATUS = "daemon/wire/status.c"
WIRE = "daemon/wire/wire.h"
TRANSPORT = "daemon/transport.h"
CONSTANTS = ("PROTOCOL_VERSION", "SECRET_BYTES", "VALUES_MAX", "CASES_MAX", "NAME_BYTES_MAX", "PAYLOAD_FRAME_BYTES",
             "CTX_VALUES_MAX", "WORK_QUEUES_MAX", "WORK_JOBS_MAX", "WORK_BYTES_MAX", "WORK_NAMES_BYTES_MAX", "WIRE_PARTS_MAX", "WIRE_ACKS_MAX", "WIRE_PLUGIN_BYTES_MAX", "PENDING_BYTES_MAX")
HELPERS = ("JOB_STATES", "OPEN_FLAGS_ALL", "SYNC_KINDS")  # how many there are, and all of them: no numbers of the wire
FLAGS = {"VERB_HOST": "host", "VERB_FREE": "free", "VERB_STORED": "stored", "VERB_STANDING": "standing",
         "VERB_PARKS": "parks", "VERB_TEST": "test", "VERB_WORKER": "worker"}


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def schema():
    """({message: {(number, field, type)}}, {enum: {(number, name)}}, {(verb field, number, message)})."""
    text = without_comments(tree.read(SCHEMA))
    messages, verbs = {}, set()
    for name, body in re.findall(r"^message (\w+) \{(?:\}|(.*?)^\})", text, re.S | re.M):
        for oneof in re.findall(r"oneof \w+ \{(.*?)\}", body, re.S):
            verbs |= {(field, int(number), kind) for kind, field, number in
                      re.findall(r"(\w+) (\w+) = (\d+);", oneof)}
        body = re.sub(r"oneof \w+ \{.*?\}", "", body, flags=re.S)
        messages[name] = {(int(number), field, kind) for kind, field, number in
                          re.findall(r"((?:repeated )?\w+) (\w+) = (\d+);", body)}
    enums = {name: {(int(number), word) for word, number in re.findall(r"(\w+) = (\d+);", body)}
             for name, body in re.findall(r"^enum (\w+) \{(.*?)^\}", text, re.S | re.M)}
    return messages, enums, verbs


def verb_rows():
    """{(number, NAME, marks, field)} of verbs.h."""
    rows = re.findall(r"VERB\((\w+), (\w+), (\d+), ([\w |]+),", tree.read(VERBS))
    return {(int(number), upper, ", ".join(sorted(FLAGS[flag] for flag in flags.split(" | ") if flag in FLAGS)), lower)
            for upper, lower, number, flags in rows}


def c_enums(header):
    """{enum: {(value, name)}} of a header; enumerators without a value count up."""
    found = {}
    for name, body in re.findall(r"^enum (\w*) ?\{(.*?)\};", without_comments(tree.read(header)), re.S | re.M):
        value, members = -1, found.setdefault(name, set())
        for member in filter(None, (part.strip() for part in body.split(","))):
            word, _, number = (part.strip() for part in member.partition("="))
            value = eval(number, {"__builtins__": {}}) if number else value + 1
            if word not in HELPERS:
                members.add((value, word))
    return found


def limit_rows():
    """{name: value} of the table of limits."""
    rows = re.findall(r'LIMIT\((\w+), "[^"]*", ([^,]+),', tree.read(LIMITS))
    return {name: eval(value, {"__builtins__": {}}) for name, value in rows}


def table_rows(text):
    """The cells of each row of the first table in text, without heading and rule."""
    rows = []
    for line in text.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


def after(document, heading):
    """What follows a line that begins with heading; empty when there is none."""
    hit = re.search(rf"^{re.escape(heading)}.*$", document, re.M)
    return document[hit.end():].lstrip() if hit else ""


def differences(what, documented, real):
    for row in sorted(real - documented, key=str):
        yield f"{DOCUMENT}: {what}: lacks {row}"
    for row in sorted(documented - real, key=str):
        yield f"{DOCUMENT}: {what}: has {row}, which is not there"


def message_findings(document, messages):
    named = set(re.findall(r"^\*\*(\w+)\*\*$", document, re.M))
    yield from differences("messages", named, set(messages))
    for name, fields in messages.items():
        section = re.split(r"^(?:\*\*\w+\*\*$|#)", after(document, f"**{name}**"), maxsplit=1, flags=re.M)[0]
        rows = {(int(row[0]), row[1], row[2]) for row in table_rows(section)}
        yield from differences(name, rows, fields)


def verb_findings(document, schema_verbs):
    real = verb_rows()
    yield from (finding.replace(DOCUMENT, SCHEMA) for finding in
                differences("verbs of verbs.h", {(field, number) for field, number, _ in schema_verbs},
                            {(field, number) for number, _, _, field in real}))
    rows = table_rows(document[document.find("| number | verb |"):])
    documented = {(int(number), name, ", ".join(sorted(marks.replace("–", "").split(", "))), field)
                  for number, name, marks, field, _ in rows}
    yield from differences("verbs", documented, real)
    requests = {(field, message) for _, _, _, field, message in rows}
    yield from differences("requests of verbs", requests, {(field, message) for field, _, message in schema_verbs})
    explained = set(re.findall(r"^([A-Z_]+)(?: |:)", document, re.M))
    yield from (f"{DOCUMENT}: {name} has no paragraph of its own" for _, name, _, _ in sorted(real)
                if name not in explained)


def errno_rows(document):
    return {(row[1], row[2]) for row in table_rows(after(document, "`enum Status`")) if row[2].startswith("E")}


def enum_findings(document, schema_enums):
    constants = c_enums(MESSAGE) | c_enums(INSPECT) | c_enums(SYNC) | c_enums(SCHEDULE) | c_enums(TOPIC) | c_enums(FEED)
    for name in ENUMS:
        rows = {(int(row[0]), row[1]) for row in table_rows(after(document, f"`enum {name}`"))}
        yield from differences(f"enum {name}", rows, constants[name])
    rows = {(int(row[0]), row[1]) for row in table_rows(after(document, "`enum Status`"))}
    yield from differences("enum Status", rows, schema_enums["Status"])
    yield from differences("errno of statuses", errno_rows(document), set(
        re.findall(r"\{STATUS\((\w+)\), (E\w+)\}", tree.read(STATUS))))
    rows = {(int(row[0]), row[1]) for row in table_rows(after(document, "`until` says"))}
    yield from differences("enum UntilKind", rows, schema_enums["UntilKind"])


def limit_findings(document):
    limits = limit_rows()
    named = c_enums(MESSAGE)[""] | c_enums(WORK)[""] | c_enums(WIRE)[""] | c_enums(TRANSPORT)[""]
    real = limits | {word: value for value, word in named if word in CONSTANTS}
    rows = {row[0]: int(row[1]) for row in table_rows(after(document, "## Limits"))}
    for name, value in rows.items():
        if real.get(name) != value:
            yield f"{DOCUMENT}: limits: {name} is {real.get(name, 'not there')}, not {value}"
    yield from (f"{DOCUMENT}: limits: lacks {name}" for name in CONSTANTS if name not in rows)
    cited = set(re.findall(r"`(\w+_(?:max|default|per_session|per_account|ms|s))`", document))
    yield from (f"{DOCUMENT}: cites {name}, which is no limit" for name in sorted(cited - set(limits)))


def cost_findings(document):
    """Each call that waits for the daemon has its row in the table of frames; test_client_costs proves them."""
    named = set(re.findall(r"\bgc_\w+", " ".join(row[0] for row in table_rows(after(document, "## Frames per call")))))
    for header in CALLS:
        calls = re.findall(r"GC_API\s[^;]*?\b(gc_\w+)\([^;]*\bgc_until until\);", without_comments(tree.read(header)))
        yield from (f"{DOCUMENT}: frames per call: lacks {call}" for call in calls if call not in named)


def main():
    if not (tree.ROOT / pathlib.Path(SCHEMA)).exists():
        tree.report([f"{SCHEMA} does not exist"], "protocol")
    document = tree.read(DOCUMENT)
    messages, enums, verbs = schema()
    findings = [*message_findings(document, messages), *verb_findings(document, verbs),
                *enum_findings(document, enums), *limit_findings(document), *cost_findings(document)]
    tree.report(findings, f"protocol: {len(messages)} messages, {len(verbs)} verbs")


main()
