package main

import "sync"

const lockers, writeEvery = 8, 100

func mutex8(r *run) uint64 {
	var mutex sync.Mutex
	var value uint64
	var done sync.WaitGroup
	n := r.n / lockers
	done.Add(lockers)
	r.begin()
	for i := 0; i < lockers; i++ {
		go func() {
			for j := int64(0); j < n; j++ {
				mutex.Lock()
				value++
				mutex.Unlock()
			}
			done.Done()
		}()
	}
	done.Wait()
	r.end()
	return value
}

func mostlyRead(mutex *sync.RWMutex, value *uint64, n int64) {
	var before uint64
	for i := int64(1); i <= n; i++ {
		if i%writeEvery == 0 {
			mutex.Lock()
			*value++
			mutex.Unlock()
		} else {
			mutex.RLock()
			if *value < before {
				panic("a value that goes back")
			}
			before = *value
			mutex.RUnlock()
		}
	}
}

func rwmutex8(r *run) uint64 {
	var mutex sync.RWMutex
	var value uint64
	var done sync.WaitGroup
	done.Add(lockers)
	r.begin()
	for i := 0; i < lockers; i++ {
		go func() {
			mostlyRead(&mutex, &value, r.n/lockers)
			done.Done()
		}()
	}
	done.Wait()
	r.end()
	return value
}
