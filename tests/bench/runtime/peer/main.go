// The figures of ../main.c, in Go: NAME PROCS N prints a line: name, n, wall_ns, cpu_ns, bytes, result.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

type run struct {
	n           int64
	wallNs      int64
	cpuNs       int64
	wallStarted time.Time
}

func cpuNs() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func (r *run) begin() {
	r.cpuNs = -cpuNs()
	r.wallStarted = time.Now()
}

func (r *run) end() {
	r.wallNs = int64(time.Since(r.wallStarted))
	r.cpuNs += cpuNs()
}

var figures = map[string]func(r *run) uint64{
	"spawn-join":     spawnJoin,
	"ping-pong":      pingPong,
	"yield":          func(r *run) uint64 { return yields(r, 8) },
	"buffered-1x1":   func(r *run) uint64 { return stream(r, 128, 1) },
	"unbuffered-1x1": func(r *run) uint64 { return stream(r, 0, 1) },
	"buffered-4x4":   func(r *run) uint64 { return stream(r, 128, 4) },
	"ring-503":       ring503,
	"skynet":         skynetAll,
	"select-4":       select4,
	"sieve":          sieve,
	"mutex-8":        mutex8,
	"rwmutex-8":      rwmutex8,
	"waitgroup-fan":  fanOut,
	"sleepers-cpu":   sleepers,
	"timer-churn":    timerChurn,
	"echo-64":        echo64,
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	if len(os.Args) != 4 || figures[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: peer NAME PROCS N")
		os.Exit(2)
	}
	r := run{n: number(os.Args[3])}
	runtime.GOMAXPROCS(int(number(os.Args[2])))
	result := figures[os.Args[1]](&r)
	fmt.Printf("%s n=%d wall_ns=%d cpu_ns=%d bytes=0 result=%d\n", os.Args[1], r.n, r.wallNs, r.cpuNs, result)
}
