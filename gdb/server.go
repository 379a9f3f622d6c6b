package gdb

import (
	"bufio"
	"io"
	"net"
	"sync"
	"time"
)

// A Server lets one debugger after another work on a target.
type Server struct {
	target   Target
	listener net.Listener

	mu     sync.Mutex
	conn   net.Conn // of the debugger at work, or nil
	closed bool
	done   chan struct{}
}

// Serve serves the debuggers that connect to l, until Close.
func Serve(l net.Listener, t Target) *Server {
	s := &Server{target: t, listener: l, done: make(chan struct{})}
	go s.accept()
	return s
}

// lastWords is how long a debugger may take to be told that the machine ended.
const lastWords = time.Second

// Close ends the service. A debugger that waits for the machine is told of its
// end first.
func (s *Server) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	s.closed = true
	if s.conn != nil {
		s.conn.SetDeadline(time.Now().Add(lastWords))
	}
	s.mu.Unlock()
	<-s.done
	return err
}

func (s *Server) accept() {
	defer close(s.done)
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			conn.Close()
			return
		}
		s.conn = conn
		s.mu.Unlock()
		converse(conn, s.target)
		s.mu.Lock()
		s.conn = nil
		s.mu.Unlock()
		conn.Close()
	}
}

// A session is one debugger at work.
type session struct {
	target   Target
	out      io.Writer
	err      error // of writing: the debugger is gone
	running  bool  // a stop reply is owed
	over     bool  // nothing more will be said
	detached bool  // as the debugger asked
	last     []byte
	noAck    bool
	knows    struct{ swbreak, hwbreak bool }
	stop     Stop // the latest
	points   points
}

// converse serves the debugger at the other end of conn until either goes away.
func converse(conn io.ReadWriter, t Target) {
	s := &session{target: t, out: conn, points: points{}}
	stops := make(chan Stop, 2) // one for each Continue or Step, and the end
	attached := t.Attach(func(stop Stop) {
		select {
		case stops <- stop:
		default:
		}
	})
	if !attached {
		return
	}
	defer func() { t.Detach(s.detached) }()
	messages := make(chan message)
	quit := make(chan struct{})
	defer close(quit)
	go func() {
		defer close(messages)
		r := bufio.NewReader(conn)
		for {
			m, err := receive(r)
			if err != nil {
				return
			}
			select {
			case messages <- m:
			case <-quit:
				return
			}
		}
	}()
	for s.err == nil && !s.over {
		select {
		case m, ok := <-messages:
			if !ok {
				return
			}
			s.take(m)
		case stop := <-stops:
			s.stopped(stop)
		}
	}
}

// take acts on a message.
func (s *session) take(m message) {
	switch m.kind {
	case kindInterrupt:
		if s.running {
			s.target.Interrupt()
		}
	case kindNak:
		if !s.noAck && s.last != nil {
			s.write(s.last)
		}
	case kindBad:
		if !s.noAck {
			s.write([]byte{'-'})
		}
	case kindPacket:
		if s.running {
			return // while the guest runs there is only the interrupt
		}
		if !s.noAck {
			s.write([]byte{'+'})
		}
		s.command(string(m.data))
	}
}

func (s *session) write(p []byte) {
	if s.err == nil {
		_, s.err = s.out.Write(p)
	}
}

// reply sends a packet.
func (s *session) reply(data string) {
	s.last = frame([]byte(data))
	s.write(s.last)
}

// resume notes that the guest runs: the reply is sent when it stops.
func (s *session) resume(how func()) {
	s.running = true
	how()
}

// stopped is told of every stop after Continue or Step, and of the machine's end.
func (s *session) stopped(stop Stop) {
	s.stop = stop
	if s.running {
		s.reply(s.stopReply())
	}
	s.running = false
	s.over = stop.Reason.over()
}
