// Package control lets other programs drive a running machine: a server on a
// socket that speaks JSON, a message a line, in the shape of QEMU's QMP (QEMU
// Machine Protocol Specification), and a client.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/gov86/gov86/display"
)

// A Machine is what is driven. Its methods may be called from any goroutine.
type Machine interface {
	display.Guest
	Pause()
	Resume()
	Restart()
	PressPower()
	// Screenshot is what is on the screen, nil when the machine has ended.
	Screenshot() *display.Frame
	// SendKey presses keys together and lets them go after hold.
	SendKey(ctx context.Context, hold time.Duration, usages ...uint16)
}

// A Server serves those who connect to a listener.
type Server struct {
	machine Machine
	version string
	quit    func()
	listen  net.Listener
	ctx     context.Context
	end     context.CancelFunc

	mu       sync.Mutex
	sessions map[*session]bool
	held     display.Buttons  // of the pointer
	place    display.Position // of the pointer
	done     sync.WaitGroup
}

// Serve lets m be driven by who connects to l. It says that it is version, and
// calls quit when the machine is to end.
func Serve(l net.Listener, m Machine, version string, quit func()) *Server {
	s := &Server{machine: m, version: version, quit: quit, listen: l, sessions: map[*session]bool{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.done.Add(1)
	go s.accept()
	return s
}

// Close tells those who are connected that the machine has ended, and ends their
// connections and the listener.
func (s *Server) Close() {
	s.tell("SHUTDOWN")
	s.end()
	s.listen.Close()
	s.mu.Lock()
	for x := range s.sessions {
		x.close()
	}
	s.mu.Unlock()
	s.done.Wait()
}

func (s *Server) accept() {
	defer s.done.Done()
	for {
		conn, err := s.listen.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files
			time.Sleep(100 * time.Millisecond)
			continue
		}
		x := newSession(s, conn)
		s.mu.Lock()
		s.sessions[x] = true
		s.mu.Unlock()
		s.done.Add(1)
		go func() {
			defer s.done.Done()
			x.serve()
			s.mu.Lock()
			delete(s.sessions, x)
			s.mu.Unlock()
		}()
		if s.ctx.Err() != nil {
			x.close()
		}
	}
}

// tell tells all who are connected of an event.
func (s *Server) tell(event string) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.sessions {
		x.put(message{Event: event, Timestamp: &timestamp{now.Unix(), int64(now.Nanosecond()) / 1000}})
	}
}

// A message is what the server sends: a greeting, an answer or an event.
type message struct {
	QMP       *greeting       `json:"QMP,omitempty"`
	Return    any             `json:"return,omitempty"`
	Error     *Error          `json:"error,omitempty"`
	ID        json.RawMessage `json:"id,omitempty"`
	Event     string          `json:"event,omitempty"`
	Timestamp *timestamp      `json:"timestamp,omitempty"`
}

type greeting struct {
	Version      map[string]any `json:"version"`
	Capabilities []string       `json:"capabilities"`
}

type timestamp struct {
	Seconds      int64 `json:"seconds"`
	Microseconds int64 `json:"microseconds"`
}

// An Error is why a command was refused.
type Error struct {
	Class string `json:"class"`
	Desc  string `json:"desc"`
}

func (e *Error) Error() string { return e.Desc }

// A request is a command of the client.
type request struct {
	Execute   string          `json:"execute"`
	Arguments json.RawMessage `json:"arguments"`
	ID        json.RawMessage `json:"id"`
}
