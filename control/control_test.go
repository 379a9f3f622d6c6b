package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/display"
)

// A script is a machine that writes down what it is told.
type script struct{ told []string }

func (s *script) note(format string, args ...any) {
	s.told = append(s.told, fmt.Sprintf(format, args...))
}
func (s *script) Input(events ...display.Event) {
	for _, e := range events {
		s.note("%T%v", e, e)
	}
}
func (s *script) Type(_ context.Context, text string) { s.note("type %q", text) }
func (s *script) SetScreen(display.Sink)              {}
func (s *script) SetSound(display.Sound)              {}
func (s *script) Absolute() bool                      { return false }
func (s *script) Status() display.Status              { return display.Status{Paused: len(s.told) > 0, Retired: 7} }
func (s *script) Pause()                              { s.note("pause") }
func (s *script) Resume()                             { s.note("resume") }
func (s *script) Restart()                            { s.note("restart") }
func (s *script) PressPower()                         { s.note("power") }
func (s *script) SendKey(_ context.Context, hold time.Duration, usages ...uint16) {
	s.note("%v %#x", hold, usages)
}

func (s *script) Screenshot() *display.Frame {
	f := &display.Frame{}
	f.Reshape(2, 1)
	copy(f.Pix, []byte{1, 2, 3, 255, 4, 5, 6, 255})
	f.Text = display.Text{Columns: 1, Rows: 1, Cells: []display.Cell{{Code: 0xe1}}}
	return f
}

// A rig is a server, and a connection to it that reads and writes lines.
type rig struct {
	*script
	*Server
	path  string
	conn  net.Conn
	lines *bufio.Scanner
	quits chan bool
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{script: &script{}, path: filepath.Join(t.TempDir(), "c"), quits: make(chan bool, 1)}
	l, err := net.Listen("unix", r.path)
	if err != nil {
		t.Skip(err)
	}
	r.Server = Serve(l, r.script, "v1", func() { r.quits <- true })
	t.Cleanup(r.Server.Close)
	if r.conn, err = net.Dial("unix", r.path); err != nil {
		t.Fatal(err)
	}
	r.conn.SetDeadline(time.Now().Add(time.Minute))
	r.lines = bufio.NewScanner(r.conn)
	return r
}

func (r *rig) say(line string) string {
	r.conn.Write([]byte(line + "\n"))
	r.lines.Scan()
	return r.lines.Text()
}

func (r *rig) begin() *rig {
	r.lines.Scan()
	r.say(`{"execute":"qmp_capabilities"}`)
	return r
}

func TestTheFirstWordsAreQMPs(t *testing.T) {
	r := newRig(t)
	r.lines.Scan()
	var hello struct {
		QMP struct {
			Version      struct{ Package string }
			Capabilities []string
		}
	}
	if err := json.Unmarshal(r.lines.Bytes(), &hello); err != nil || hello.QMP.Version.Package != "gov86 v1" || hello.QMP.Capabilities == nil {
		t.Errorf("greeting %s, %v", r.lines.Text(), err)
	}
	for _, c := range []struct{ line, want string }{
		{`{"execute":"query-status"}`, `{"error":{"class":"CommandNotFound","desc":"qmp_capabilities comes first"}}`},
		{`{"execute":"qmp_capabilities","id":[1]}`, `{"return":{},"id":[1]}`},
		{`{"execute":"query-status","id":"x"}`, `{"return":{"instructions":7,"running":true,"status":"running"},"id":"x"}`},
		{`{"execute":"foo","id":2}`, `{"error":{"class":"CommandNotFound","desc":"there is no command foo; query-commands lists them"},"id":2}`},
	} {
		if got := r.say(c.line); got != c.want {
			t.Errorf("%s: %s, want %s", c.line, got, c.want)
		}
	}
	if got := r.say("{"); !strings.Contains(got, "no command in JSON") {
		t.Errorf("half a line: %s", got)
	}
}

func TestCommandsReachTheMachine(t *testing.T) {
	for _, c := range []struct {
		execute, arguments string
		want               []string
	}{
		{"system_powerdown", "", []string{"power"}},
		{"system_reset", "", []string{"restart"}},
		{"stop", "", []string{"pause"}},
		{"cont", "", []string{"resume"}},
		{"type", `{"text":"dir\n"}`, []string{`type "dir\n"`}},
		{"send-key", `{"keys":[{"type":"qcode","data":"ctrl"},{"type":"number","data":211}],"hold-time":5}`, []string{"5ms [0xe0 0x4c]"}},
		{"input-send-event", `{"events":[{"type":"key","data":{"down":true,"key":{"type":"qcode","data":"a"}}}]}`, []string{"display.Key{4 true}"}},
		{"input-send-event", `{"events":[{"type":"abs","data":{"axis":"x","value":5}},{"type":"abs","data":{"axis":"y","value":6}},
			{"type":"btn","data":{"button":"left","down":true}},{"type":"btn","data":{"button":"wheel-down","down":true}}]}`,
			[]string{"display.Position{5 6}", "display.Buttons1", "display.Wheel{-1 0}"}},
		{"input-send-event", `{"events":[{"type":"rel","data":{"axis":"x","value":-5}},{"type":"rel","data":{"axis":"y","value":6}}]}`,
			[]string{"display.Motion{-5 6}"}},
	} {
		r := newRig(t).begin()
		line := map[string]any{"execute": c.execute}
		if c.arguments != "" {
			line["arguments"] = json.RawMessage(c.arguments)
		}
		b, _ := json.Marshal(line)
		got := r.say(string(b))
		for strings.Contains(got, `"event"`) {
			r.lines.Scan()
			got = r.lines.Text()
		}
		if got != `{"return":{}}` || !reflect.DeepEqual(r.told, c.want) {
			t.Errorf("%s %s: %s; the machine was told %q, want %q", c.execute, c.arguments, got, r.told, c.want)
		}
	}
}

func TestBadArgumentsAreRefusedWhole(t *testing.T) {
	for _, line := range []string{
		`{"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"nosuch"}]}}`,
		`{"execute":"send-key","arguments":{"keys":[{"type":"number","data":5000}]}}`,
		`{"execute":"send-key","arguments":{"keys":[],"hold-time":-1}}`,
		`{"execute":"send-key","arguments":{"kyes":[]}}`,
		`{"execute":"type","arguments":7}`,
		`{"execute":"input-send-event","arguments":{"events":[{"type":"rel","data":{"axis":"x","value":1}},{"type":"foo"}]}}`,
		`{"execute":"input-send-event","arguments":{"events":[{"type":"abs","data":{"axis":"x","value":40000}}]}}`,
		`{"execute":"input-send-event","arguments":{"events":[{"type":"btn","data":{"button":"nose","down":true}}]}}`,
		`{"execute":"screendump","arguments":{"format":"gif"}}`,
	} {
		r := newRig(t).begin()
		if got := r.say(line); !strings.HasPrefix(got, `{"error":{"class":"GenericError"`) || len(r.told) > 0 {
			t.Errorf("%s: %s, and the machine was told %q", line, got, r.told)
		}
	}
}

func TestScreenDumps(t *testing.T) {
	r := newRig(t).begin()
	name := filepath.Join(t.TempDir(), "screen.ppm")
	r.say(fmt.Sprintf(`{"execute":"screendump","arguments":{"filename":%q}}`, name))
	if got, err := os.ReadFile(name); err != nil || string(got) != "P6\n2 1\n255\n\x01\x02\x03\x04\x05\x06" {
		t.Errorf("PPM: %q, %v", got, err)
	}
	c, err := Dial(r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := c.Execute("screendump", nil)
	if err != nil {
		t.Fatal(err)
	}
	var a struct{ Image []byte }
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	if p, err := png.Decode(bytes.NewReader(a.Image)); err != nil || p.Bounds().Dx() != 2 {
		t.Errorf("PNG: %v, %v", p, err)
	}
	if b, err := c.Execute("query-screen", nil); err != nil || string(b) != `{"height":1,"text":["ß"],"width":2}` {
		t.Errorf("query-screen: %s, %v", b, err)
	}
	if _, err := c.Execute("nosuch", nil); err == nil || !strings.Contains(err.Error(), "query-commands") {
		t.Errorf("a command that is none: %v", err)
	}
}

func TestEventsReachEveryClient(t *testing.T) {
	r := newRig(t).begin()
	c, err := Dial(r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Execute("stop", nil); err != nil {
		t.Fatal(err)
	}
	if r.lines.Scan(); !strings.Contains(r.lines.Text(), `"event":"STOP","timestamp":{"seconds":`) {
		t.Errorf("the other client was told %s", r.lines.Text())
	}
	if _, err := c.Execute("quit", nil); err != nil {
		t.Fatal(err)
	}
	<-r.quits
	go r.Server.Close()
	if r.lines.Scan(); !strings.Contains(r.lines.Text(), "SHUTDOWN") {
		t.Errorf("at the end: %s", r.lines.Text())
	}
	if r.lines.Scan() {
		t.Errorf("after the end: %s", r.lines.Text())
	}
}

func TestAClientThatDoesNotReadHoldsUpNobody(t *testing.T) {
	r := newRig(t)
	for range 10 * maxWaiting {
		r.Server.tell("STOP")
	}
}
