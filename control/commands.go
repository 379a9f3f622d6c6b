package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gov86/gov86/display"
)

// A command does what a client asks, with its arguments, and returns what there
// is to answer.
type command func(x *session, arguments json.RawMessage) (any, error)

// commands are QEMU's under QEMU's names, and type and query-screen.
var commands map[string]command

func init() {
	commands = map[string]command{
		"qmp_capabilities": negotiate,
		"query-version":    func(x *session, _ json.RawMessage) (any, error) { return versionOf(x.server), nil },
		"query-commands":   list,
		"query-status":     status,
		"query-screen":     screen,
		"stop":             pause,
		"cont":             resume,
		"quit":             quit,
		"system_powerdown": powerDown,
		"system_reset":     restart,
		"screendump":       screenDump,
		"send-key":         sendKey,
		"input-send-event": sendEvents,
		"type":             typeText,
	}
}

// read fills the struct at to from the arguments, and refuses what it lacks.
func read(arguments json.RawMessage, to any) error {
	if len(arguments) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(arguments))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	return nil
}

func versionOf(s *Server) map[string]any {
	return map[string]any{"package": "gov86 " + s.version, "qemu": map[string]int{"major": 7, "minor": 2, "micro": 0}}
}

func negotiate(x *session, _ json.RawMessage) (any, error) {
	x.ready = true
	return nil, nil
}

func list(*session, json.RawMessage) (any, error) {
	type name struct {
		Name string `json:"name"`
	}
	var all []name
	for _, n := range slices.Sorted(maps.Keys(commands)) {
		all = append(all, name{n})
	}
	return all, nil
}

func status(x *session, _ json.RawMessage) (any, error) {
	s := x.server.machine.Status()
	word := "running"
	if s.Paused {
		word = "paused"
	}
	return map[string]any{"status": word, "running": !s.Paused, "instructions": s.Retired}, nil
}

func pause(x *session, _ json.RawMessage) (any, error) {
	x.server.machine.Pause()
	x.server.tell("STOP")
	return nil, nil
}

func resume(x *session, _ json.RawMessage) (any, error) {
	x.server.machine.Resume()
	x.server.tell("RESUME")
	return nil, nil
}

func quit(x *session, _ json.RawMessage) (any, error) {
	time.AfterFunc(50*time.Millisecond, x.server.quit) // the answer goes first
	return nil, nil
}

func powerDown(x *session, _ json.RawMessage) (any, error) {
	x.server.machine.PressPower()
	x.server.tell("POWERDOWN")
	return nil, nil
}

func restart(x *session, _ json.RawMessage) (any, error) {
	x.server.machine.Restart()
	x.server.tell("RESET")
	return nil, nil
}

// frame is what is on the screen.
func (x *session) frame() (*display.Frame, error) {
	if f := x.server.machine.Screenshot(); f != nil {
		return f, nil
	}
	return nil, errors.New("the machine has ended")
}

// screen is the size of the screen in pixels, and what text is on it.
func screen(x *session, _ json.RawMessage) (any, error) {
	f, err := x.frame()
	if err != nil {
		return nil, err
	}
	text := []string{}
	for y := range f.Text.Rows {
		text = append(text, f.Text.String(y))
	}
	return map[string]any{"width": f.Width, "height": f.Height, "text": text}, nil
}

// screenDump writes the screen to a file, or answers with it as a PNG file when
// there is no name.
func screenDump(x *session, arguments json.RawMessage) (any, error) {
	var a struct {
		Filename, Format, Device string
		Head                     int
	}
	if err := read(arguments, &a); err != nil {
		return nil, err
	}
	f, err := x.frame()
	if err != nil {
		return nil, err
	}
	var picture bytes.Buffer
	format := a.Format
	if format == "" && a.Filename != "" && filepath.Ext(a.Filename) != ".png" {
		format = "ppm" // as QEMU has it
	}
	switch format {
	case "", "png":
		e := png.Encoder{CompressionLevel: png.BestSpeed}
		if err := e.Encode(&picture, f.Image()); err != nil {
			return nil, err
		}
	case "ppm":
		fmt.Fprintf(&picture, "P6\n%d %d\n255\n", f.Width, f.Height)
		for i := 0; i < len(f.Pix); i += 4 {
			picture.Write(f.Pix[i : i+3])
		}
	default:
		return nil, fmt.Errorf("format %q: write png or ppm", format)
	}
	if a.Filename == "" {
		return map[string][]byte{"image": picture.Bytes()}, nil
	}
	return nil, os.WriteFile(a.Filename, picture.Bytes(), 0o666)
}

// A keyValue is a key as QEMU's KeyValue has it.
type keyValue struct {
	Type string
	Data json.RawMessage
}

func (k *keyValue) usage() (uint16, error) {
	var name string
	var number uint16
	switch k.Type {
	case "qcode":
		if err := json.Unmarshal(k.Data, &name); err != nil {
			return 0, errors.New("a key of type qcode is a string")
		}
		if u, ok := display.KeyNamed(name); ok {
			return u, nil
		}
		return 0, fmt.Errorf("there is no key %q; some are %s", name, strings.Join(display.KeyNames()[36:52], ", "))
	case "number":
		if err := json.Unmarshal(k.Data, &number); err != nil {
			return 0, errors.New("a key of type number is a scan code of set 1")
		}
		if u, ok := display.KeyOfCode(uint8(number)); ok && number < 0x100 {
			return u, nil
		}
		return 0, fmt.Errorf("there is no key with the scan code %#x", number)
	}
	return 0, fmt.Errorf("there is no type of key %q; write qcode or number", k.Type)
}

// maxHold is the longest time a key can be held by one command.
const maxHold = 10 * time.Second

func sendKey(x *session, arguments json.RawMessage) (any, error) {
	a := struct {
		Keys []keyValue
		Hold int `json:"hold-time"`
	}{Hold: 100}
	if err := read(arguments, &a); err != nil {
		return nil, err
	}
	var usages []uint16
	for _, k := range a.Keys {
		u, err := k.usage()
		if err != nil {
			return nil, err
		}
		usages = append(usages, u)
	}
	hold := time.Duration(a.Hold) * time.Millisecond
	if hold < 0 || hold > maxHold {
		return nil, fmt.Errorf("hold-time %d: write 0 to %d milliseconds", a.Hold, maxHold.Milliseconds())
	}
	x.server.machine.SendKey(x.server.ctx, hold, usages...)
	return nil, nil
}

// typeText types its text and answers when the guest has read it.
func typeText(x *session, arguments json.RawMessage) (any, error) {
	var a struct{ Text string }
	if err := read(arguments, &a); err != nil {
		return nil, err
	}
	x.server.machine.Type(x.server.ctx, a.Text)
	return nil, nil
}
