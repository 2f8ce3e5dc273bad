"""Every option, limit and setting of a queue, of a pool, of topics or of a plugin's hosts stands in goroutined.conf(5), limits and settings with their unit and default,
and nothing else does; every group of rights stands there with the verbs that need it. Every denied system call stands in
goroutined-host(8) with its answer."""

import re

import tree

PAGE = "daemon/goroutined.conf.5"
OPTION = re.compile(r"\bOPTION\(\w+, (\w+),")
POLICY = re.compile(r'\b(?:POLICY|HOST_SETTING|NUMBER)\((\w+), "([^"]+)", (\d+), ')
LIMIT = re.compile(r'\bLIMIT\((\w+), "(\w+)", ([^,]+), "')
ITEM = re.compile(r"^\.It Cm (\w+)(?: Pq ([\w -]+), ([\w-]+))?$", re.M)
HOST_PAGE = "daemon/host/goroutined-host.8"
DENIED = re.compile(r"\bDENIED\((\w+), ([A-Z]+)\)")
DENIED_ITEM = re.compile(r"^\.It Ic (\w+) Pq ([A-Z]+)$", re.M)
# Settings of topics have names that settings of queues have, too.
TOPICS = re.compile(r"^\.Ss Topics\n.*?(?=^\.S[sh] )", re.M | re.S)
GROUP = re.compile(r"\bRIGHT\((\w+), (\w+),")
NEEDS = re.compile(r"\bVERB_RIGHT\((\w+), (\w+), (\w+),")


def rights_findings(page):
    """Items of groups are `.It Ic`; what follows one up to the next names its verbs."""
    rights = tree.read("daemon/core/rights.h")
    told = {}
    for words, text in re.findall(r"^\.It Ic ([\w ,]+)\n(.*?)(?=^\.(?:It|El))", page, re.M | re.S):
        for word in words.split(" , "):
            told[word] = set(re.findall(r"\b[A-Z][A-Z_]+\b", text))
    groups = {name: word for name, word in GROUP.findall(rights) if name != "NAME"}
    yield from (f"{PAGE}: the group {word} is missing" for word in groups.values() if word not in told)
    yield from (f"{PAGE}: there is no group {word}" for word in told if word not in groups.values())
    for verb, group, kind in NEEDS.findall(rights):
        if verb != "NAME" and kind != "FREE" and verb not in told.get(groups[group], ()):
            yield f"{PAGE}: {verb} needs {groups[group]}, and does not stand there"


def denied_findings():
    denied = DENIED.findall(tree.read("daemon/host/denied.h"))
    told = DENIED_ITEM.findall(tree.read(HOST_PAGE))
    yield from (f"{HOST_PAGE}: {call} is missing, {answer}" for call, answer in denied if (call, answer) not in told)
    yield from (f"{HOST_PAGE}: {call} is not denied with {answer}" for call, answer in told if (call, answer) not in denied)


def settings_of(headers):
    """name: (unit, default) of each row."""
    for name, unit, value in POLICY.findall("".join(tree.read(f"daemon/{header}.h") for header in headers)):
        words = unit.split("|")
        value = "none" if unit == "topic" or unit.startswith("list of ") else words[int(value)] if len(words) > 1 else value
        yield name, (" or ".join(words), value)


def compared(known, page):
    told = {name: (unit, value) for name, unit, value in ITEM.findall(page)}
    yield from (f"{PAGE}: {name} is missing, {facts}" for name, facts in known.items() if name not in told)
    yield from (f"{PAGE}: {name} does not exist" for name in told if name not in known)
    yield from (f"{PAGE}: {name} is {facts}, not {told[name]}" for name, facts in known.items()
                if name in told and told[name] != facts)


def main():
    known = {name: ("", "") for name in OPTION.findall(tree.read("daemon/config.h")) if name != "name"}
    for name, unit, value in LIMIT.findall(tree.read("daemon/core/core_limits.h")):
        left, _, shift = value.partition("<<")
        known[name] = (unit, str(int(left) << int(shift or 0)))
    known.update(settings_of(("core/queue_policy", "core/pool_settings", "host_settings")))
    topics = dict(settings_of(("core/topic_policy",)))
    page = tree.read(PAGE)
    findings = [*compared(known, TOPICS.sub("", page)), *compared(topics, "".join(TOPICS.findall(page)))]
    findings += rights_findings(page)
    findings += denied_findings()
    tree.report(findings, f"{len(known) + len(topics)} options and limits")


main()
