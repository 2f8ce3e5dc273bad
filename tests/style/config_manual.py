"""Every option and limit stands in goroutined.conf(5), a limit with its unit and default, and nothing else does."""

import re

import tree

PAGE = "daemon/goroutined.conf.5"
OPTION = re.compile(r"\bOPTION\(\w+, (\w+),")
LIMIT = re.compile(r'\bLIMIT\((\w+), "(\w+)", ([^,]+), "')
ITEM = re.compile(r"^\.It Cm (\w+)(?: Pq (\w+), (\d+))?$", re.M)


def main():
    known = {name: ("", "") for name in OPTION.findall(tree.read("daemon/config.h")) if name != "name"}
    for name, unit, value in LIMIT.findall(tree.read("daemon/core/core_limits.h")):
        left, _, shift = value.partition("<<")
        known[name] = (unit, str(int(left) << int(shift or 0)))
    told = {name: (unit, value) for name, unit, value in ITEM.findall(tree.read(PAGE))}
    findings = [f"{PAGE}: {name} is missing, {facts}" for name, facts in known.items() if name not in told]
    findings += [f"{PAGE}: {name} does not exist" for name in told if name not in known]
    findings += [f"{PAGE}: {name} is {facts}, not {told[name]}" for name, facts in known.items()
                 if name in told and told[name] != facts]
    tree.report(findings, f"{len(known)} options and limits")


main()
