// Package rfb shows a screen to VNC viewers: a server of the Remote Framebuffer
// Protocol 3.8 (RFC 6143), with extensions of the community's description of it
// (The RFB Protocol, rfbproto).
package rfb

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/gov86/gov86/display"
)

// maxClients bounds how many may look at once.
const maxClients = 32

// A Server is a display.Face for viewers that connect to a listener.
type Server struct {
	listen   net.Listener
	name     string
	password string

	box   display.Mailbox
	guest display.Guest

	// frame is the newest. Who draws from it holds the lock for reading.
	frames sync.RWMutex
	frame  *display.Frame

	mu      sync.Mutex
	clients map[*client]bool
}

// New returns a server for who connects to l and knows the password, unless that
// is empty. Of a password eight bytes count. Viewers show the name.
func New(l net.Listener, name, password string) *Server {
	return &Server{listen: l, name: name, password: password, clients: map[*client]bool{}}
}

// Show implements display.Face. It closes the listener.
func (s *Server) Show(ctx context.Context, g display.Guest) error {
	s.guest = g
	var viewers sync.WaitGroup
	defer viewers.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	viewers.Go(func() { s.follow(ctx) })
	defer context.AfterFunc(ctx, func() { s.listen.Close() })()
	for {
		conn, err := s.listen.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // such as too many open files
			time.Sleep(100 * time.Millisecond)
			continue
		}
		c := newClient(s, conn)
		if !s.enter(c) {
			conn.Close()
			continue
		}
		viewers.Go(func() {
			defer s.leave(c)
			c.serve(ctx)
		})
	}
}

// enter adds a client, if there is room. The screen is drawn while there are some.
func (s *Server) enter(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.clients) == maxClients {
		return false
	}
	s.clients[c] = true
	if len(s.clients) == 1 {
		s.guest.SetScreen(&s.box)
	}
	return true
}

func (s *Server) leave(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
	if len(s.clients) == 0 {
		s.guest.SetScreen(nil)
	}
}

// follow takes frames as they come, and wakes the clients.
func (s *Server) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.box.Ready():
		}
		f := s.box.Take(nil)
		if f == nil {
			continue
		}
		s.frames.Lock()
		last := s.frame
		s.frame = f
		s.frames.Unlock()
		if last != nil {
			s.box.Return(last)
		}
		s.mu.Lock()
		for c := range s.clients {
			c.wake()
		}
		s.mu.Unlock()
	}
}

// size is that of the screen, or what it is at power-on when nothing was drawn yet.
func (s *Server) size() (width, height int) {
	s.frames.RLock()
	defer s.frames.RUnlock()
	if s.frame == nil {
		return 720, 400
	}
	return s.frame.Width, s.frame.Height
}
