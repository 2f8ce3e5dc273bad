"""The assertions of the core as its source has them: where each stands, and by what it is called."""

import collections
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = "daemon/core"
BEGIN = re.compile(r"(?<!\w)assert\(")
# What glibc says of one that does not hold.
SAID = re.compile(r"([\w.-]+\.[ch]):\d+: (\w+): Assertion `(.*)' failed\.")
FUNCTION = re.compile(r"^(?!typedef|struct \w+ \{|enum|union|return)[a-z][^;={]*?\b(\w+)\([^;{]*\)\n\{", re.M)
WORDS = re.compile(r'"((?:[^"\\]|\\.)*)"$')
COMMENT = re.compile(r"/\*.*?\*/", re.S)

# `name`: its words, or its expression where it has none.
Assertion = collections.namedtuple("Assertion", "file function expression name")


def blank(match):
    """As long and with as many lines, without a word."""
    return re.sub(r"[^\n]", " ", match.group())


def argument(text, begin):
    """What stands between this parenthesis and its other half."""
    depth, quoted, at = 1, False, begin
    while depth:
        char = text[at]
        if char == "\\" and quoted:
            at += 1
        elif char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char == "(") - (char == ")")
        at += 1
    return text[begin:at - 1]


def plain(expression):
    """As the preprocessor writes it down: each gap is one blank."""
    return " ".join(expression.split())


def of_file(name, text):
    """The assertions of one file, in their order."""
    text = COMMENT.sub(blank, text)
    functions = [(match.end(), match.group(1)) for match in FUNCTION.finditer(text)]
    for match in BEGIN.finditer(text):
        expression = plain(argument(text, match.end()))
        words = WORDS.search(expression)
        function = [called for at, called in functions if at <= match.start()][-1]
        yield Assertion(name, function, expression, words.group(1) if words else expression)


def of_core(root=ROOT):
    """All of them."""
    return [found for path in sorted((root / CORE).glob("*.c"))
            for found in of_file(path.name, path.read_text(encoding="utf-8"))]


def fired(said):
    """The one whose message is in what a program said, as file, function and expression; None: none is."""
    match = SAID.search(said)
    return (match.group(1), match.group(2), plain(match.group(3))) if match else None
