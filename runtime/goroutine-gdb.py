"""gdb commands for programs of libgoroutine, on a live process and on a core file. Needs the library's debug information.

    (gdb) source goroutine-gdb.py       # not needed where gdb finds it by itself
    (gdb) info goroutines               # id, state, reason, function and place of the start of each
    (gdb) goroutine 7 bt                # any command in the context of goroutine 7: bt full, up, info locals, ...
    (gdb) goroutine 7                   # and stay there: frame 3, info locals; frame 0 is the thread's own
    (gdb) goroutine 0                   # back to the thread

A goroutine that does not run has its registers on its stack. An unwinder says that whatever the selected thread executes
was called from there, so that gdb shows the frames of the goroutine behind the thread's innermost one; nothing in the
process is changed.
"""
import gdb
import gdb.unwinder

TOKEN_PARKED = 2

# Where goroutine_switch leaves registers, from the saved stack pointer up (switch.c); bytes in all; pc; sp.
SAVED = {
    "x86-64": (["r15", "r14", "r13", "r12", "rbx", "rbp", "rip"], 56, "rip", "rsp"),
    "aarch64": ([f"x{n}" for n in range(19, 31)], 160, "pc", "sp"),
}


def machine():
    name = gdb.selected_inferior().architecture().name()
    return SAVED["aarch64" if name.startswith("aarch64") else "x86-64"]


def runtime_variable(name):
    symbol = gdb.lookup_global_symbol(name)
    if symbol is None:
        raise gdb.GdbError("this program has no libgoroutine, or no debug information of it")
    return symbol.value()


def text(pointer):
    return pointer.string() if int(pointer) else ""


class Goroutine:
    def __init__(self, g, running):
        self.g = g
        self.id = int(g["id"])
        self.tid = running.get(int(g.address))
        if self.tid is not None:
            self.state = "running"
        else:
            self.state = "parked" if int(g["token"]) == TOKEN_PARKED else "ready"
        self.reason = text(g["reason"]) if self.state == "parked" else ""

    def begun(self):
        return int(self.g["stack"]) != 0

    def name(self):
        name = self.g["name"].string()
        if not name and int(self.g["site"]):
            name = text(self.g["site"].dereference()["function"])
        return name or str(self.g["fn"]).split("<")[-1].rstrip(">")

    def place(self):
        if not int(self.g["site"]):
            return ""
        site = self.g["site"].dereference()
        return f"{text(site['file'])}:{int(site['line'])}"

    def registers(self):
        names, size, pc, sp = machine()
        word = gdb.lookup_type("unsigned long")
        at = int(self.g["sp"])
        found = {}
        for i, name in enumerate(names):
            found[name] = gdb.Value(at + 8 * i).cast(word.pointer()).dereference()
        if pc not in found:
            found[pc] = found["x30"]
        found[sp] = gdb.Value(at + size).cast(word)
        return found

    def holds(self, address):
        return int(self.g["stack"]) <= address <= int(self.g["begun"])


def running_goroutines():
    """Address of each goroutine that a processor runs -> its thread."""
    sched = runtime_variable("sched")
    found = {}
    for i in range(int(sched["made"])):
        proc = sched["proc"][i].dereference()
        found[int(proc["thread"]["current"])] = int(proc["tid"])
    return found


def goroutines():
    running = running_goroutines()
    chunk = runtime_variable("g_all")["chunks"]
    found = []
    while int(chunk):
        gs = chunk.dereference()["gs"]
        first, last = gs.type.range()
        for i in range(first, last + 1):
            g = gs[i]
            if int(g["id"]) and not g["thread"] and not g["system"]:
                found.append(Goroutine(g, running))
        chunk = chunk.dereference()["next"]
    return sorted(found, key=lambda goroutine: goroutine.id)


def goroutine(number):
    for found in goroutines():
        if found.id == number:
            return found
    raise gdb.GdbError(f"there is no goroutine {number}")


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class SelectedGoroutine(gdb.unwinder.Unwinder):
    """Continues the innermost frame of the thread on the stack of the goroutine that was chosen."""

    def __init__(self):
        super().__init__("goroutine")
        self.goroutine = None

    def choose(self, chosen):
        self.goroutine = chosen
        gdb.invalidate_cached_frames()

    def __call__(self, frame):
        if self.goroutine is None:
            return None
        _, _, pc, sp = machine()
        here = frame.read_register(sp)
        if self.goroutine.holds(int(here)):
            return None
        # gdb wants callers further out than what they call: the frame is named as if it stood on that stack.
        info = frame.create_unwind_info(FrameId(self.goroutine.g["sp"], frame.read_register(pc)))
        for name, value in self.goroutine.registers().items():
            info.add_saved_register(name, value)
        return info


selected = SelectedGoroutine()
gdb.unwinder.register_unwinder(None, selected, replace=True)


def without_innermost(output):
    """A back-trace less frame 0, which is the thread's."""
    start = output.find("\n#1 ")
    return output[start + 1:] if start >= 0 else output


class InfoGoroutines(gdb.Command):
    """Lists all goroutines: id, state, reason of the wait, function, place of the start."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        print(f"{'Id':>6} {'State':8} {'Reason':22} {'Function':24} Started at")
        for g in goroutines():
            print(f"{g.id:6} {g.state:8} {g.reason:22} {g.name():24} {g.place()}")


class GoroutineCommand(gdb.Command):
    """goroutine ID COMMAND: a command in the context of a goroutine. goroutine ID: stay there. goroutine 0: go back."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split(None, 1)
        if not words or not words[0].isdigit():
            raise gdb.GdbError("goroutine ID [COMMAND]")
        selected.choose(None)
        if int(words[0]) == 0:
            return
        chosen = goroutine(int(words[0]))
        if chosen.state == "running":
            self.on_thread(chosen, words[1] if len(words) > 1 else None)
        elif not chosen.begun():
            raise gdb.GdbError(f"goroutine {chosen.id} has not begun to run {chosen.name()}")
        elif len(words) > 1:
            self.once(chosen, words[1])
        else:
            selected.choose(chosen)
            gdb.execute("frame 1")

    def on_thread(self, chosen, command):
        for thread in gdb.selected_inferior().threads():
            if thread.ptid[1] == chosen.tid or thread.ptid[2] == chosen.tid:
                thread.switch()
        if command:
            gdb.execute(command)

    def once(self, chosen, command):
        selected.choose(chosen)
        try:
            gdb.execute("frame 1", to_string=True)
            if command.split()[0] in ("bt", "backtrace", "where"):
                print(without_innermost(gdb.execute(command, to_string=True)), end="")
            else:
                gdb.execute(command)
        finally:
            selected.choose(None)


InfoGoroutines()
GoroutineCommand()
