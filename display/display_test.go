package display

import (
	"bytes"
	"image/png"
	"testing"
)

func TestMailboxKeepsTheNewest(t *testing.T) {
	var b Mailbox
	frames := [4]*Frame{{Seq: 1}, {Seq: 2}, {Seq: 3}, {Seq: 4}}
	if b.Take(nil) != nil {
		t.Error("there is a frame before one was presented")
	}
	if spare := b.Present(frames[0]); spare != nil {
		t.Error("the first frame was exchanged for another")
	}
	if spare := b.Present(frames[1]); spare != frames[0] {
		t.Error("a frame that nobody took was not given back")
	}
	select {
	case <-b.Ready():
	default:
		t.Error("not told of a frame")
	}
	if f := b.Take(nil); f != frames[1] {
		t.Errorf("took frame %v, want the newest", f)
	}
	if spare := b.Present(frames[2]); spare != nil {
		t.Error("a frame that is looked at was given back")
	}
	if f := b.Take(frames[1]); f != frames[2] || b.Take(nil) != nil {
		t.Error("want frame 3, once")
	}
	if spare := b.Present(frames[3]); spare != frames[1] {
		t.Error("a frame that was done with was not given back")
	}
}

func TestReshapeForgetsOnlyWhatIsOfAnotherSize(t *testing.T) {
	var f Frame
	f.Reshape(3, 2)
	f.Seq, f.Pix[23] = 7, 255
	f.Reshape(3, 2)
	if f.Seq != 7 {
		t.Error("a frame that keeps its size is to be kept")
	}
	if f.Reshape(2, 2); f.Seq != 0 || len(f.Pix) != 16 || len(f.Changed) != 2 || len(f.Row(1)) != 8 {
		t.Errorf("reshaped to %+v", f)
	}
}

func TestAFrameIsAPicture(t *testing.T) {
	var f Frame
	f.Reshape(2, 2)
	copy(f.Pix, []byte{1, 2, 3, 255, 4, 5, 6, 255, 7, 8, 9, 255, 10, 11, 12, 255})
	var b bytes.Buffer
	if err := f.WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	p, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if r, g, blue, _ := p.At(1, 1).RGBA(); p.Bounds().Dx() != 2 || r>>8 != 10 || g>>8 != 11 || blue>>8 != 12 {
		t.Errorf("the last pixel is %d, %d, %d", r>>8, g>>8, blue>>8)
	}
}
