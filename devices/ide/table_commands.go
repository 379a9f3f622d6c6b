package ide

// Command codes that are spoken of elsewhere.
const (
	cmdDeviceReset = 0x08
	cmdDiagnostic  = 0x90
	cmdPacket      = 0xa0
	cmdFlush       = 0xe7
	cmdFlushExt    = 0xea

	// maxMultiple is the most sectors of a DRQ block of READ MULTIPLE.
	maxMultiple = 16
	// maxLBA28 is how many sectors 28 bits reach.
	maxLBA28 = 1 << 28
)

// A command is a row of the table below.
type command struct {
	run      func(*drive)
	kinds    uint8 // bits of the Kinds that have it
	extended bool  // takes registers of 48 bits
}

const (
	hd   = 1 << Disk
	cd   = 1 << CDROM
	both = hd | cd
)

// commands are those of ATA/ATAPI-7, "Command descriptions", by their codes, and
// of earlier revisions that BIOSes and DOS use. EXECUTE DEVICE DIAGNOSTIC is the
// channel's.
var commands [256]command

func init() {
	commands = [256]command{
		cmdDeviceReset: {deviceReset, cd, false},
		0x20:           {readPIO, hd, false}, // READ SECTOR(S)
		0x21:           {readPIO, hd, false},
		0x24:           {readPIO, hd, true},
		0x25:           {readDMA, hd, true},
		0x27:           {readNativeMax, hd, true},
		0x29:           {readPIO, hd, true}, // READ MULTIPLE EXT
		0x30:           {writePIO, hd, false},
		0x31:           {writePIO, hd, false},
		0x34:           {writePIO, hd, true},
		0x35:           {writeDMA, hd, true},
		0x39:           {writePIO, hd, true}, // WRITE MULTIPLE EXT
		0x3d:           {writeLastingDMA, hd, true},
		0x40:           {verify, hd, false},
		0x41:           {verify, hd, false},
		0x42:           {verify, hd, true},
		0x91:           {initParameters, hd, false},
		0x94:           {spinDown, both, false},
		0x95:           {spinUp, both, false},
		0x96:           {spinDown, both, false},
		0x97:           {spinUp, both, false},
		0x98:           {checkPower, both, false},
		0x99:           {spinDown, both, false}, // SLEEP
		cmdPacket:      {packetCommand, cd, false},
		0xa1:           {identifyPacket, cd, false},
		0xb0:           {smart, hd, false},
		0xc4:           {readPIO, hd, false}, // READ MULTIPLE
		0xc5:           {writePIO, hd, false},
		0xc6:           {setMultiple, hd, false},
		0xc8:           {readDMA, hd, false},
		0xc9:           {readDMA, hd, false},
		0xca:           {writeDMA, hd, false},
		0xcb:           {writeDMA, hd, false},
		0xce:           {writeLastingPIO, hd, true}, // WRITE MULTIPLE FUA EXT
		0xe0:           {spinDown, both, false},     // STANDBY IMMEDIATE
		0xe1:           {spinUp, both, false},       // IDLE IMMEDIATE
		0xe2:           {spinDown, both, false},
		0xe3:           {spinUp, both, false},
		0xe5:           {checkPower, both, false},
		0xe6:           {spinDown, both, false},
		cmdFlush:       {flush, hd, false},
		cmdFlushExt:    {flush, hd, true},
		0xec:           {identify, both, false},
		0xef:           {setFeatures, both, false},
		0xf8:           {readNativeMax, hd, false},
	}
	for i := range 16 {
		commands[0x10+i] = command{recalibrate, hd, false}
		commands[0x70+i] = command{seek, hd, false}
	}
}

func recalibrate(d *drive) { d.complete() }

// multipleCommand reports whether the blocks of a command are those of SET
// MULTIPLE MODE.
func multipleCommand(code uint8) bool {
	switch code {
	case 0x29, 0x39, 0xc4, 0xc5, 0xce:
		return true
	}
	return false
}
