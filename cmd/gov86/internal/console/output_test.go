package console

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"
)

const grace = 10 * time.Second

func nothing() {}

// A gate is a writer that writes when it is opened.
type gate struct {
	open chan struct{}
	bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.Buffer.Write(p)
}

func TestOutputWritesEverythingInOrder(t *testing.T) {
	var got bytes.Buffer
	o := NewOutput(&got, nothing, func(err error) { t.Error(err) })
	want := bytes.Repeat([]byte("0123456789\r\n"), 1000)
	for _, b := range want {
		for !o.Put(b) {
			time.Sleep(time.Millisecond)
		}
	}
	o.Close(grace)
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d bytes written, want the %d that were put", got.Len(), len(want))
	}
}

func TestAFullOutputRefusesAndTellsWhenThereIsRoom(t *testing.T) {
	room := make(chan struct{}, 1)
	g := &gate{open: make(chan struct{})}
	o := NewOutput(g, func() { room <- struct{}{} }, func(err error) { t.Error(err) })
	accepted := 0
	for o.Put('x') {
		accepted++
		if accepted > 3*outputSize {
			t.Fatal("an Output nobody reads accepts without end")
		}
	}
	close(g.open)
	<-room
	if !o.Put('y') {
		t.Error("no room after being told that there is")
	}
	o.Close(grace)
	if g.Len() != accepted+1 {
		t.Errorf("%d bytes written, want %d", g.Len(), accepted+1)
	}
}

func TestCloseDoesNotWaitForAReaderThatNeverComes(t *testing.T) {
	o := NewOutput(&gate{open: make(chan struct{})}, nothing, func(error) {})
	o.Put('x')
	o.Close(time.Millisecond)
}

func TestAFailedWriteIsReportedOnceAndTheRestIsDropped(t *testing.T) {
	r, w := io.Pipe()
	gone := errors.New("gone")
	r.CloseWithError(gone)
	reports := make(chan error, 2)
	o := NewOutput(w, nothing, func(err error) { reports <- err })
	o.Put('x')
	if err := <-reports; !errors.Is(err, gone) {
		t.Errorf("the failure reported is %v, want %v", err, gone)
	}
	for range 3 * outputSize {
		o.Put('x')
	}
	o.Close(grace)
	if len(reports) != 0 {
		t.Error("the failure was reported twice")
	}
}
