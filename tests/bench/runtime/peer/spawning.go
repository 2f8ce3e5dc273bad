package main

import (
	"runtime"
	"sync"
	"sync/atomic"
)

const fan = 100

func mark(done *sync.WaitGroup, mark *byte) {
	*mark = 1
	done.Done()
}

func markAll(done *sync.WaitGroup, marks []byte) {
	done.Add(len(marks))
	for i := range marks {
		go mark(done, &marks[i])
	}
	done.Wait()
}

func count(marks []byte) uint64 {
	var sum uint64
	for _, m := range marks {
		sum += uint64(m)
	}
	return sum
}

func marksNew(n int64) []byte {
	marks := make([]byte, n)
	for i := range marks {
		marks[i] = 0
	}
	return marks
}

func spawnJoin(r *run) uint64 {
	marks := marksNew(r.n)
	var done sync.WaitGroup
	r.begin()
	markAll(&done, marks)
	r.end()
	return count(marks)
}

func fanOut(r *run) uint64 {
	marks := marksNew(r.n)
	var done sync.WaitGroup
	r.begin()
	for i := int64(0); i < r.n; i += fan {
		markAll(&done, marks[i:i+fan])
	}
	r.end()
	return count(marks)
}

func skynet(parent chan int64, first, size int64) {
	if size == 1 {
		parent <- first
		return
	}
	children := make(chan int64)
	var sum int64
	for i := int64(0); i < 10; i++ {
		go skynet(children, first+i*(size/10), size/10)
	}
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	parent <- sum
}

func skynetAll(r *run) uint64 {
	root := make(chan int64)
	r.begin()
	go skynet(root, 0, r.n)
	sum := <-root
	r.end()
	return uint64(sum)
}

func yields(r *run, yielders int) uint64 {
	var done sync.WaitGroup
	var sum uint64
	n := r.n / int64(yielders)
	done.Add(yielders)
	r.begin()
	for i := 0; i < yielders; i++ {
		go func() {
			for j := int64(0); j < n; j++ {
				runtime.Gosched()
			}
			atomic.AddUint64(&sum, uint64(n))
			done.Done()
		}()
	}
	done.Wait()
	r.end()
	return sum
}
