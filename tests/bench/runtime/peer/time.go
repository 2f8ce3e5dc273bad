package main

import (
	"sync"
	"sync/atomic"
	"time"
)

func sleepers(r *run) uint64 {
	var woken uint64
	var done sync.WaitGroup
	done.Add(int(r.n))
	r.begin()
	for i := int64(0); i < r.n; i++ {
		go func(d time.Duration) {
			time.Sleep(d)
			atomic.AddUint64(&woken, 1)
			done.Done()
		}(time.Duration(i%10+1) * time.Millisecond)
	}
	done.Wait()
	r.end()
	return woken
}

func scattered(i int64) time.Duration {
	return time.Hour + time.Duration(uint64(i)*0x9e3779b97f4a7c15%uint64(time.Hour))
}

func timerChurn(r *run) uint64 {
	live := make([]*time.Timer, r.n)
	var stopped uint64
	for i := range live {
		live[i] = time.NewTimer(scattered(int64(i)))
	}
	r.begin()
	for i := int64(0); i < r.n; i++ {
		if time.NewTimer(scattered(^i)).Stop() {
			stopped++
		}
	}
	r.end()
	for _, t := range live {
		t.Stop()
	}
	return stopped
}
