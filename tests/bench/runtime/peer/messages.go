package main

import (
	"sync"
	"sync/atomic"
)

func send(c chan int64, first, n int64) {
	for i := first; i < first+n; i++ {
		c <- i
	}
}

func stream(r *run, capacity int, pairs int) uint64 {
	c := make(chan int64, capacity)
	var sum uint64
	var done sync.WaitGroup
	n := r.n / int64(pairs)
	done.Add(pairs)
	r.begin()
	for i := 0; i < pairs; i++ {
		go func() {
			var mine uint64
			for j := int64(0); j < n; j++ {
				mine += uint64(<-c)
			}
			atomic.AddUint64(&sum, mine)
			done.Done()
		}()
		go send(c, int64(i)*n, n)
	}
	done.Wait()
	r.end()
	return sum
}

func pingPong(r *run) uint64 {
	there, back := make(chan int64), make(chan int64)
	var sum uint64
	go func() {
		for value := range there {
			back <- value
		}
		close(back)
	}()
	r.begin()
	for i := int64(0); i < r.n; i++ {
		there <- i
		sum += uint64(<-back)
	}
	r.end()
	close(there)
	<-back
	return sum
}

func ring503(r *run) uint64 {
	const members = 503
	var c [members]chan int64
	for i := range c {
		c[i] = make(chan int64)
	}
	for i := 0; i+1 < members; i++ {
		go func(in, out chan int64) {
			for left := range in {
				out <- left - 1
			}
			close(out)
		}(c[i], c[i+1])
	}
	left := r.n
	r.begin()
	for left > 0 {
		c[0] <- left
		left = <-c[members-1] - 1
	}
	r.end()
	close(c[0])
	<-c[members-1]
	return uint64(r.n - left)
}

func select4(r *run) uint64 {
	var c [4]chan int64
	var sum uint64
	var value int64
	r.begin()
	for i := range c {
		c[i] = make(chan int64)
		go send(c[i], int64(i)*(r.n/4), r.n/4)
	}
	for i := int64(0); i < r.n; i++ {
		select {
		case value = <-c[0]:
		case value = <-c[1]:
		case value = <-c[2]:
		case value = <-c[3]:
		}
		sum += uint64(value)
	}
	r.end()
	return sum
}

func sieve(r *run) uint64 {
	var prime int64
	r.begin()
	c := make(chan int64)
	go func(out chan int64) {
		for i := int64(2); ; i++ {
			out <- i
		}
	}(c)
	for i := int64(0); i < r.n; i++ {
		prime = <-c
		next := make(chan int64)
		go func(in, out chan int64, prime int64) {
			for i := range in {
				if i%prime != 0 {
					out <- i
				}
			}
		}(c, next, prime)
		c = next
	}
	r.end()
	return uint64(prime)
}
