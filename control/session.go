package control

import (
	"bufio"
	"encoding/json"
	"net"
	"time"
)

const (
	// maxRequest bounds a command with its arguments, in bytes.
	maxRequest = 4 << 20
	// maxWaiting bounds the messages a client has not read yet.
	maxWaiting = 64
	// patience is how long a client may take to read one.
	patience = 10 * time.Second
)

// A session is one connection. Its goroutine reads and obeys; another writes.
type session struct {
	server *Server
	conn   net.Conn
	out    chan message
	over   chan struct{}
	ready  bool // qmp_capabilities was executed
}

func newSession(s *Server, conn net.Conn) *session {
	return &session{server: s, conn: conn, out: make(chan message, maxWaiting), over: make(chan struct{})}
}

func (x *session) close() { x.conn.SetReadDeadline(time.Unix(1, 0)) }

// put sends a message. A client that does not read loses the connection.
func (x *session) put(m message) {
	select {
	case x.out <- m:
	default:
		x.conn.Close()
	}
}

// serve obeys until the client or the server ends the connection.
func (x *session) serve() {
	written := make(chan struct{})
	go func() {
		x.write()
		close(written)
	}()
	x.put(message{QMP: &greeting{Version: versionOf(x.server), Capabilities: []string{}}})
	lines := bufio.NewScanner(x.conn)
	lines.Buffer(make([]byte, 4096), maxRequest)
	for lines.Scan() {
		if len(lines.Bytes()) > 0 {
			x.put(x.obey(lines.Bytes()))
		}
	}
	close(x.over)
	<-written
	x.conn.Close()
}

func (x *session) write() {
	e := json.NewEncoder(x.conn)
	e.SetEscapeHTML(false)
	for {
		select {
		case m := <-x.out:
			x.conn.SetWriteDeadline(time.Now().Add(patience))
			if e.Encode(m) != nil {
				x.conn.Close()
			}
		case <-x.over:
			for len(x.out) > 0 {
				x.conn.SetWriteDeadline(time.Now().Add(patience))
				e.Encode(<-x.out)
			}
			return
		}
	}
}

// obey executes a line and returns the answer.
func (x *session) obey(line []byte) message {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return message{Error: &Error{"GenericError", "this is no command in JSON: " + err.Error()}}
	}
	c, known := commands[r.Execute]
	switch {
	case !known:
		return refusal(r, "CommandNotFound", "there is no command "+r.Execute+"; query-commands lists them")
	case !x.ready && r.Execute != "qmp_capabilities":
		return refusal(r, "CommandNotFound", "qmp_capabilities comes first")
	}
	value, err := c(x, r.Arguments)
	if err != nil {
		return refusal(r, "GenericError", err.Error())
	}
	if value == nil {
		value = struct{}{}
	}
	return message{Return: value, ID: r.ID}
}

func refusal(r request, class, desc string) message {
	return message{Error: &Error{class, desc}, ID: r.ID}
}
