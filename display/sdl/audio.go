//go:build sdl && cgo

package sdl

import (
	"encoding/binary"
	"time"

	"github.com/veandco/go-sdl2/sdl"

	"github.com/gov86/gov86/display"
)

const (
	sampleRate = 48000
	chunkTime  = 10 * time.Millisecond
	// ahead is how much sound waits to be heard, in samples: what a busy host may
	// be late by.
	ahead = sampleRate * 50 / 1000
)

// An audio is the speaker's sound. Without a device it is silent.
type audio struct {
	speaker display.Speaker
	device  sdl.AudioDeviceID
	playing bool
}

func (a *audio) openAudio() {
	if sdl.InitSubSystem(sdl.INIT_AUDIO) != nil {
		return
	}
	want := sdl.AudioSpec{Freq: sampleRate, Format: sdl.AUDIO_S16LSB, Channels: 1, Samples: 512}
	if id, err := sdl.OpenAudioDevice("", false, &want, nil, 0); err == nil {
		a.device = id
	}
}

func (a *audio) closeAudio() {
	if a.device != 0 {
		sdl.CloseAudioDevice(a.device)
	}
}

// sound queues what is to be heard next. In silence the device rests.
func (a *audio) sound() {
	if a.device == 0 {
		return
	}
	heard := false
	for range 16 {
		if sdl.GetQueuedAudioSize(a.device) >= 2*ahead {
			heard = true
			break
		}
		var samples [sampleRate * int(chunkTime) / int(time.Second)]int16
		if !a.speaker.Samples(samples[:], sampleRate) {
			break
		}
		heard = true
		var b []byte
		for _, s := range samples {
			b = binary.LittleEndian.AppendUint16(b, uint16(s))
		}
		sdl.QueueAudio(a.device, b)
	}
	if heard != a.playing {
		a.playing = heard
		sdl.PauseAudioDevice(a.device, !heard)
	}
}
