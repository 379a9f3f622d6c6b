package rfb

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gov86/gov86/display"
)

// A guest shows what the test draws and remembers what it is told.
type guest struct {
	mu    sync.Mutex
	sink  display.Sink
	frame *display.Frame
	seq   uint64
	told  []string
	news  chan struct{}
}

func newGuest(width, height int) *guest {
	g := &guest{news: make(chan struct{}, 1)}
	g.resize(width, height)
	return g
}

func (g *guest) resize(width, height int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frame = &display.Frame{}
	g.frame.Reshape(width, height)
	for i := range g.frame.Pix {
		g.frame.Pix[i] = 255
	}
	for y := range g.frame.Changed {
		g.frame.Changed[y] = g.seq + 1
	}
	g.present()
}

// draw changes pixels and shows them.
func (g *guest) draw(y0, y1 int, at func(x, y int) (r, gr, b uint8)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for y := y0; y < y1; y++ {
		row := g.frame.Row(y)
		for x := range g.frame.Width {
			row[4*x], row[4*x+1], row[4*x+2] = at(x, y)
		}
		g.frame.Changed[y] = g.seq + 1
	}
	g.present()
}

// present shows a copy of the frame; the lock is held.
func (g *guest) present() {
	g.seq++
	if g.sink == nil {
		return
	}
	f := *g.frame
	f.Seq, f.Pix, f.Changed = g.seq, slices.Clone(f.Pix), slices.Clone(f.Changed)
	g.sink.Present(&f)
}

func (g *guest) SetScreen(s display.Sink) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sink = s
	g.present()
}

func (g *guest) tell(format string, args ...any) {
	g.mu.Lock()
	g.told = append(g.told, fmt.Sprintf(format, args...))
	g.mu.Unlock()
	select {
	case g.news <- struct{}{}:
	default:
	}
}

func (g *guest) Input(events ...display.Event) {
	for _, e := range events {
		g.tell("%T%v", e, e)
	}
}
func (g *guest) Type(_ context.Context, text string) { g.tell("type %q", text) }
func (g *guest) SetSound(display.Sound)              {}
func (g *guest) Absolute() bool                      { return true }
func (g *guest) Status() display.Status              { return display.Status{} }

// await waits until the guest has been told all of want, in order.
func (g *guest) await(t *testing.T, want ...string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		g.mu.Lock()
		rest := want
		for _, s := range g.told {
			if len(rest) > 0 && s == rest[0] {
				rest = rest[1:]
			}
		}
		told := slices.Clone(g.told)
		g.mu.Unlock()
		if len(rest) == 0 {
			return
		}
		select {
		case <-g.news:
		case <-deadline:
			t.Fatalf("the guest was told %q, want %q", told, want)
		}
	}
}

// serve starts a server for g and returns its address.
func serve(t *testing.T, g *guest, password string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- New(l, "a guest", password).Show(ctx, g) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// text is as few colours as a text mode has, noise as many as there are.
func text(x, y int) (r, g, b uint8) {
	if (x*7+y*13)%11 < 4 {
		return 0xaa, 0xaa, 0xaa
	}
	return uint8(y / 64 * 40), 0, 0x55
}

func noise(int, int) (r, g, b uint8) {
	v := rand.Uint32()
	return uint8(v), uint8(v >> 8), uint8(v >> 16)
}

func TestEveryEncodingAndFormatShowsThePicture(t *testing.T) {
	formats := map[string]pixelFormat{
		"native": native,
		"BGR":    {32, 24, 0, 1, native.max, [3]uint8{16, 8, 0}},
		"high":   {32, 24, 0, 1, native.max, [3]uint8{24, 16, 8}},
		"big":    {32, 24, 1, 1, native.max, [3]uint8{16, 8, 0}},
		"565":    {16, 16, 0, 1, [3]uint16{31, 63, 31}, [3]uint8{11, 5, 0}},
		"332":    {8, 8, 0, 1, [3]uint16{7, 7, 3}, [3]uint8{0, 3, 6}},
	}
	for name, f := range formats {
		for _, e := range []int32{encodingRaw, encodingZlib, encodingZRLE} {
			t.Run(fmt.Sprintf("%s/%d", name, e), func(t *testing.T) {
				t.Parallel()
				g := newGuest(200, 150)
				v := dial(t, serve(t, g, ""), 8)
				v.choose(f, e, pseudoDesktopSize)
				v.update(false)
				for i, draw := range []func(int, int) (uint8, uint8, uint8){text, noise, text} {
					g.draw(10*i, 140-20*i, draw)
					v.follow(g)
				}
				g.resize(130, 70)
				g.draw(3, 60, text)
				v.follow(g)
			})
		}
	}
}

func TestTilesOfTwoColours(t *testing.T) {
	g := newGuest(640, 130)
	v := dial(t, serve(t, g, ""), 8)
	v.choose(usual, encodingZRLE)
	v.update(false)
	g.draw(0, 130, func(x, y int) (uint8, uint8, uint8) {
		v := uint8((x*x + 3*y*x>>2 + y) >> 1 & 1 * 0xaa)
		return v, v, v
	})
	v.follow(g)
}

func TestOnlyWhatChangedIsSent(t *testing.T) {
	g := newGuest(640, 480)
	v := dial(t, serve(t, g, ""), 8)
	v.choose(native, encodingRaw)
	v.update(false)
	g.draw(100, 116, func(x, y int) (uint8, uint8, uint8) {
		if x >= 320 && x < 329 {
			return 1, 2, 3
		}
		return 255, 255, 255
	})
	v.request(true)
	if got, want := v.receive(), []rect{{320, 100, 9, 16}}; !slices.Equal(got, want) {
		t.Errorf("the parts sent are %v, want %v", got, want)
	}
}

func TestAViewerThatCannotFollowTheSizeSeesWhatFits(t *testing.T) {
	g := newGuest(100, 100)
	v := dial(t, serve(t, g, ""), 3)
	v.choose(native, encodingRaw)
	v.update(false)
	g.resize(300, 50)
	v.request(true)
	if got, want := v.receive(), []rect{{0, 0, 100, 50}}; !slices.Equal(got, want) {
		t.Errorf("the parts sent are %v, want %v", got, want)
	}
}

func TestKeysAndPointer(t *testing.T) {
	g := newGuest(100, 100)
	v := dial(t, serve(t, g, ""), 8)
	v.choose(native, encodingRaw, pseudoQEMUKeys)
	v.update(false)
	v.send(keyEvent, 1, 0, 0, 0, 0, 0, 'A')
	v.send(keyEvent, 1, 0, 0, 0, 0, 0, 'A') // repeated
	v.send(keyEvent, 0, 0, 0, 0, 0, 0, 'A')
	v.send(qemuMessage, qemuKeyEvent, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xcb)
	v.send(qemuMessage, qemuKeyEvent, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xcb)
	v.send(pointerEvent, 1, 0, 0, 0, 99)
	v.send(pointerEvent, 1|1<<4, 0, 0, 0, 99)
	v.send(pointerEvent, 4, 0, 0, 0, 99)
	g.await(t, "display.Key{4 true}", "display.Key{4 false}", "display.Key{80 true}", "display.Key{80 false}",
		"display.Position{163 32604}", "display.Buttons1", "display.Wheel{-1 0}", "display.Buttons2")
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.told); n != 8 {
		t.Errorf("%d events: %q", n, g.told)
	}
}

func TestCutTextIsTypedWhenAskedFor(t *testing.T) {
	g := newGuest(100, 100)
	v := dial(t, serve(t, g, ""), 8)
	v.send(cutText, 0, 0, 0, 0, 0, 0, 3, 'd', 0xe9, '\n')
	for _, k := range [][2]byte{{0xff, 0xe3}, {0xff, 0xe9}, {0, 'v'}} {
		v.send(keyEvent, 1, 0, 0, 0, 0, k[0], k[1])
	}
	// The keys are let go first, or they would be held while it is typed.
	g.await(t, "display.Key{224 true}", "display.Key{226 true}", "display.Key{224 false}", "display.Key{226 false}", `type "dé\n"`)
}

func TestAViewerThatGoesLetsGoItsKeys(t *testing.T) {
	g := newGuest(100, 100)
	v := dial(t, serve(t, g, ""), 8)
	v.send(keyEvent, 1, 0, 0, 0, 0, 0, 'x')
	v.send(pointerEvent, 1, 0, 1, 0, 1)
	g.await(t, "display.Key{27 true}", "display.Buttons1")
	v.conn.Close()
	g.await(t, "display.Key{27 false}", "display.Buttons0")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		g.mu.Lock()
		unwatched := g.sink == nil
		g.mu.Unlock()
		if unwatched {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the screen is drawn for nobody")
		}
	}
}

func TestManyViewersSeeTheSame(t *testing.T) {
	g := newGuest(320, 200)
	address := serve(t, g, "")
	var all []*viewer
	for range 8 {
		v := dial(t, address, 8)
		v.choose(native, encodingZRLE)
		v.update(false)
		all = append(all, v)
	}
	for range 3 {
		g.draw(0, 200, text)
		g.draw(50, 60, noise)
		for _, v := range all {
			v.follow(g)
		}
	}
}

func TestNonsenseEndsTheConnectionAndNothingElse(t *testing.T) {
	g := newGuest(100, 100)
	address := serve(t, g, "")
	for _, b := range [][]byte{
		{99}, {qemuMessage, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		append([]byte{setPixelFormat, 0, 0, 0}, make([]byte, 16)...),
		append([]byte{setPixelFormat, 0, 0, 0}, bytes.Repeat([]byte{32}, 16)...),
	} {
		v := dial(t, address, 8)
		v.send(b...)
		if _, err := v.in.ReadByte(); err == nil {
			t.Errorf("after % x the server answers", b)
		}
	}
	v := dial(t, address, 8)
	v.choose(native, encodingRaw)
	v.update(false)
}

// TestIndependentViewers has the viewers of others look and type, where they are
// installed.
func TestIndependentViewers(t *testing.T) {
	g := newGuest(640, 400)
	g.draw(0, 400, text)
	g.draw(300, 360, func(x, y int) (uint8, uint8, uint8) { return uint8(x), uint8(y), uint8(x * y) })
	file := filepath.Join(t.TempDir(), "seen.png")
	check := func(t *testing.T) {
		t.Helper()
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p, err := png.Decode(f)
		if err != nil || p.Bounds().Dx() != 640 || p.Bounds().Dy() != 400 {
			t.Fatalf("a picture %v, %v", p.Bounds(), err)
		}
		for i := range 640 * 400 {
			got := color.NRGBAModel.Convert(p.At(i%640, i/640)).(color.NRGBA) // some leave alpha undefined
			if want := g.frame.Pix[4*i:]; got.R != want[0] || got.G != want[1] || got.B != want[2] {
				t.Fatalf("pixel %d, %d is %v, want % x", i%640, i/640, got, want[:3])
			}
		}
	}
	call := func(t *testing.T, name string, args ...string) {
		t.Helper()
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("there is no %s here; on Debian: apt-get install gvncviewer perl libnet-vnc-perl", name)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	t.Run("gvnccapture", func(t *testing.T) {
		address := serve(t, g, "")
		_, port, _ := net.SplitHostPort(address)
		var n int
		fmt.Sscan(port, &n)
		call(t, "gvnccapture", fmt.Sprintf("127.0.0.1:%d", n-5900), file)
		check(t)
	})
	t.Run("Net::VNC with a password", func(t *testing.T) {
		if exec.Command("perl", "-MNet::VNC", "-e", "1").Run() != nil {
			t.Skip("there is no Net::VNC here; it is in Debian's libnet-vnc-perl")
		}
		host, port, _ := net.SplitHostPort(serve(t, g, "secret"))
		const script = `use Net::VNC; my ($host, $port, $password, $file) = @ARGV;
			my $v = Net::VNC->new({hostname => $host, port => $port, password => $password});
			$v->depth(24); $v->login; $v->capture->save($file);
			$v->send_key_event(0x61); $v->mouse_move_to(320, 200); $v->mouse_click;`
		call(t, "perl", "-e", script, host, port, "secret", file)
		check(t)
		g.await(t, "display.Key{4 true}", "display.Key{4 false}", "display.Position{16409 16424}", "display.Buttons1", "display.Buttons0")
		if out, err := exec.Command("perl", "-e", script, host, port, "wrong", file).CombinedOutput(); err == nil {
			t.Errorf("let in with a wrong password: %s", out)
		}
	})
}
