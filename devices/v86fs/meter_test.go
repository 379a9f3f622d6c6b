package v86fs_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/trace"
)

func TestRequestsAreMeasured(t *testing.T) {
	d := extended(t)
	for range 5 {
		d.must(wire.Getattr2, d.root, &wire.HandleRequest{}, nil)
	}
	l := d.dev.Latencies()["GETATTR2"]
	if l == nil || l.Count != 5 || l.Total <= 0 || l.Max > l.Total {
		t.Fatalf("%+v", l)
	}
	if p50, p99 := l.Within(0.5), l.Within(0.99); p50 > p99 || p99 > l.Max || p50 <= 0 {
		t.Errorf("half within %v, 99 %% within %v, all within %v", p50, p99, l.Max)
	}
}

func TestTraceIsALineForARequest(t *testing.T) {
	var out strings.Builder
	trace.Enable(trace.V86FS, &out)
	defer trace.Enable(0, &out)
	d := extended(t)
	o := d.create("a\x1b[31m\n", 2)
	d.must(wire.Read2, o.Attr.Node, &wire.Read2Request{Handle: o.Handle, Offset: 7, Size: 100}, nil)
	d.fails(v86fs.ENOENT, wire.Lookup2, d.root, &wire.Name2Request{Name: "none"})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for i, want := range []string{
		`^v86fs MOUNT2 tag \d+ mount 0 node 0 .* ok \d+ us$`,
		`^v86fs CREATE2 tag \d+ mount 1 node 1 .*Name:a\\x1b\[31m\\x0a ok \d+ us$`,
		`^v86fs READ2 tag \d+ mount 1 node 2 Handle:\d+ Offset:7 Size:100.* ok \d+ us$`,
		`^v86fs LOOKUP2 .*Name:none errno 2 \(no such file or directory\) \d+ us$`,
	} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Errorf("line %d of %q is not %s", i, lines, want)
		}
	}
}

// TestLatencies compares parts of a distribution with what was added.
func TestLatencies(t *testing.T) {
	var l v86fs.Latency
	for i := range 1000 {
		v86fs.AddLatency(&l, time.Duration(i+1)*time.Microsecond)
	}
	for part, want := range map[float64]time.Duration{0.5: 500 * time.Microsecond, 0.99: 990 * time.Microsecond, 1: time.Millisecond} {
		if got := l.Within(part); got < want || got > want*5/4 {
			t.Errorf("%.2f are within %v, want %v to %v", part, got, want, want*5/4)
		}
	}
}
