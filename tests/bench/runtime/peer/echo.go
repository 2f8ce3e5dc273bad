package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

const connections, messageBytes = 64, 64

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func serve(c net.Conn) {
	message := make([]byte, messageBytes)
	for {
		if _, err := io.ReadFull(c, message); err != nil {
			c.Close()
			return
		}
		_, err := c.Write(message)
		must(err)
	}
}

func ask(c net.Conn, n int64, answers *uint64) {
	message := make([]byte, messageBytes)
	var right uint64
	for i := int64(0); i < n; i++ {
		message[i%messageBytes]++
		_, err := c.Write(message)
		must(err)
		_, err = io.ReadFull(c, message)
		must(err)
		if message[i%messageBytes] == byte(i/messageBytes+1) {
			right++
		}
	}
	c.Close()
	atomic.AddUint64(answers, right)
}

// Go's connections have TCP_NODELAY set from the start.
func echo64(r *run) uint64 {
	var answers uint64
	var done sync.WaitGroup
	var clients [connections]net.Conn
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	for i := range clients {
		clients[i], err = net.Dial("tcp", listener.Addr().String())
		must(err)
		server, err := listener.Accept()
		must(err)
		go serve(server)
	}
	listener.Close()
	done.Add(connections)
	r.begin()
	for _, c := range clients {
		go func(c net.Conn) {
			ask(c, r.n/connections, &answers)
			done.Done()
		}(c)
	}
	done.Wait()
	r.end()
	return answers
}
