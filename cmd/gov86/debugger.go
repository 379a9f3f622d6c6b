package main

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/gov86/gov86/gdb"
	"github.com/gov86/gov86/machine"
)

// serveGDB lets m be debugged while it runs, if --gdb was given. What it returns
// ends that.
func (t *toolbox) serveGDB(x *session, m *machine.Machine) (end func()) {
	if t.debuggers == nil {
		return func() {}
	}
	s := gdb.Serve(t.debuggers, m.Debug(x.freeze, func() { x.end(errQuit) }))
	return func() { s.Close() }
}

// listenGDB listens where --gdb says.
func listenGDB(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return listenUnix(path)
	}
	const remedy = "write :PORT, or unix:PATH for a socket in the file system"
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, failure{"--gdb", fmt.Sprintf("%q is no address", address), remedy}
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	// Whoever gets through may do anything to the guest, and with it to the
	// directories that are shared.
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, failure{"--gdb", "other machines might reach " + host, remedy}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, failure{"--gdb", fmt.Sprintf("nothing can listen at %s: %s", address, cause(err)), remedy}
	}
	return l, nil
}

// listenUnix listens on the socket path, which the listener's end removes. One
// that a gov86 left behind which could not do so is replaced.
func listenUnix(path string) (net.Listener, error) {
	thing := "unix:" + path
	if path == "" {
		return nil, failure{thing, "there is no path", "write unix:PATH"}
	}
	l, err := net.Listen("unix", path)
	if err == nil {
		return l, nil
	}
	info, statErr := os.Lstat(path)
	if statErr != nil {
		return nil, failure{thing, cause(err), "give a path where a socket can be made"}
	}
	if info.Mode()&os.ModeSocket == 0 {
		return nil, failure{thing, "it exists and is no socket", "give another path"}
	}
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, failure{thing, "another program listens there", "give another path"}
	}
	if err := os.Remove(path); err != nil {
		return nil, failure{thing, cause(err), "remove the socket or give another path"}
	}
	if l, err = net.Listen("unix", path); err != nil {
		return nil, failure{thing, cause(err), "give another path"}
	}
	return l, nil
}
