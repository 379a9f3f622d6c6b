package bios

import (
	"encoding/binary"

	"github.com/gov86/gov86/mem"
)

func put16(p []byte, v uint16) { binary.LittleEndian.PutUint16(p, v) }
func put32(p []byte, v uint32) { binary.LittleEndian.PutUint32(p, v) }
func put64(p []byte, v uint64) { binary.LittleEndian.PutUint64(p, v) }
func get16(p []byte) uint16    { return binary.LittleEndian.Uint16(p) }
func get32(p []byte) uint32    { return binary.LittleEndian.Uint32(p) }
func get64(p []byte) uint64    { return binary.LittleEndian.Uint64(p) }

// Offsets in the real-mode header, which boot_params holds at the same place
// (The Linux/x86 Boot Protocol, "The Real-Mode Kernel Header").
const (
	hdrSetupSects    = 0x1f1
	hdrSyssize       = 0x1f4
	hdrVidMode       = 0x1fa
	hdrBootFlag      = 0x1fe
	hdrJump          = 0x200
	hdrMagic         = 0x202
	hdrVersion       = 0x206
	hdrTypeOfLoader  = 0x210
	hdrLoadflags     = 0x211
	hdrCode32Start   = 0x214
	hdrRamdiskImage  = 0x218
	hdrRamdiskSize   = 0x21c
	hdrHeapEndPtr    = 0x224
	hdrCmdLinePtr    = 0x228
	hdrInitrdAddrMax = 0x22c
	hdrAlignment     = 0x230
	hdrRelocatable   = 0x234
	hdrXloadflags    = 0x236
	hdrCmdlineSize   = 0x238
	hdrPrefAddress   = 0x258
	hdrInitSize      = 0x260
	hdrEnd           = 0x290 // the header never reaches beyond

	bootFlag       = 0xaa55
	headerMagic    = 0x53726448 // "HdrS"
	loaderUnknown  = 0xff
	loadedHigh     = 1 << 0
	canUseHeap     = 1 << 7
	kernel64       = 1 << 0 // XLF_KERNEL_64
	defaultCmdline = 255
	defaultInitrd  = 0x37ffffff
	sector         = 512
)

// Offsets in boot_params beside the header
// (The Linux/x86 Boot Protocol, "Zero Page").
const (
	zpOrigX        = 0x00
	zpExtMemK      = 0x02
	zpVideoMode    = 0x06
	zpVideoCols    = 0x07
	zpVideoLines   = 0x0e
	zpIsVGA        = 0x0f
	zpVideoPoints  = 0x10
	zpRSDP         = 0x70
	zpAltMemK      = 0x1e0
	zpE820Entries  = 0x1e8
	zpE820Table    = 0x2d0
	zeroPageLength = 4096
)

// isLinux reports whether an image has the setup header of a Linux kernel.
func isLinux(k []byte) bool {
	return len(k) >= hdrMagic+4 && get16(k[hdrBootFlag:]) == bootFlag && get32(k[hdrMagic:]) == headerMagic
}

// A setup is the header of a kernel, with the defaults of older protocols.
type setup struct {
	version    uint16
	payload    []byte // the protected-mode kernel
	cmdline    int
	initrdMax  mem.Addr
	initSize   uint64 // of memory the kernel needs before it reads its map
	start      mem.Addr
	acpiByPage bool // takes the RSDP from boot_params
}

// readSetup checks a bzImage.
func readSetup(k []byte) (s setup, err error) {
	const remedy = "give an i386 bzImage"
	if len(k) < hdrEnd {
		return s, bad("kernel", "give the whole file", "it is truncated within its header")
	}
	s.version = get16(k[hdrVersion:])
	if s.version < 0x200 {
		return s, bad("kernel", remedy, "its boot protocol %d.%02d is too old", s.version>>8, s.version&0xff)
	}
	if k[hdrLoadflags]&loadedHigh == 0 {
		return s, bad("kernel", remedy, "it is a zImage, which loads low")
	}
	if s.version >= 0x20c && get16(k[hdrXloadflags:])&kernel64 != 0 {
		return s, bad("kernel", "give an i386 kernel, such as Debian's linux-image-686", "it is for 64-bit processors")
	}
	sects := int(k[hdrSetupSects])
	if sects == 0 {
		sects = 4
	}
	from := (sects + 1) * sector
	size := int(get32(k[hdrSyssize:])) * 16
	if s.version < 0x204 {
		size = int(get16(k[hdrSyssize:])) * 16 // the upper half was not part of it
		if size == 0 || size > len(k)-from {
			size = len(k) - from
		}
	}
	// The file may end in the last paragraph the size counts.
	if from >= len(k) || size-15 > len(k)-from {
		return s, bad("kernel", "give the whole file", "it is truncated: %d of %d bytes are there", len(k), from+size)
	}
	if size == 0 {
		return s, bad("kernel", remedy, "its header says that no kernel follows")
	}
	s.payload = k[from:min(from+size, len(k))]
	s.cmdline, s.initrdMax = defaultCmdline, defaultInitrd
	if s.version >= 0x203 {
		s.initrdMax = mem.Addr(get32(k[hdrInitrdAddrMax:]))
	}
	if s.version >= 0x206 {
		s.cmdline = int(get32(k[hdrCmdlineSize:]))
	}
	s.initSize = uint64(len(s.payload))
	s.start = highMemory
	if s.version >= 0x20a {
		s.initSize = max(s.initSize, uint64(get32(k[hdrInitSize:])))
		// The kernel unpacks itself to where it prefers to run, or above.
		s.start = max(s.start, mem.Addr(get64(k[hdrPrefAddress:])))
	}
	s.acpiByPage = s.version >= 0x20e
	return s, nil
}

// placeLinux loads a bzImage (The Linux/x86 Boot Protocol, "32-bit Boot Protocol").
func placeLinux(m *mem.Space, b Boot) (entry, error) {
	s, err := readSetup(b.Kernel)
	if err != nil {
		return entry{}, err
	}
	if s.start >= 1<<32 {
		return entry{}, bad("kernel", "give an i386 bzImage", "it wants to run at %#x, beyond 4 GiB", s.start)
	}
	kernelEnd := s.start + mem.Addr(s.initSize)
	if err := checkRoom(m, kernelEnd); err != nil {
		return entry{}, err
	}
	if err := write(m, "kernel", highMemory, s.payload); err != nil {
		return entry{}, err
	}
	zp := make([]byte, zeroPageLength)
	// The header reaches from setup_sects to where its jump leads.
	end := min(hdrMagic+int(b.Kernel[hdrJump+1]), hdrEnd)
	copy(zp[hdrSetupSects:end], b.Kernel[hdrSetupSects:])
	if err := handOver(m, zp, b, kernelEnd, s.initrdMax+1, s.cmdline); err != nil {
		return entry{}, err
	}
	if s.acpiByPage {
		put64(zp[zpRSDP:], uint64(b.RSDP))
	}
	put32(zp[hdrCode32Start:], uint32(highMemory))
	return entry{eip: uint32(highMemory), esi: uint32(paramsAt)}, write(m, "memory", paramsAt, zp)
}

// handOver stores initrd and command line and fills in the zero page. The
// kernel occupies memory up to kernelEnd.
func handOver(m *mem.Space, zp []byte, b Boot, kernelEnd, initrdLimit mem.Addr, cmdline int) error {
	if b.Initrd != nil {
		at, err := placeInitrd(m, b.Initrd, kernelEnd, initrdLimit)
		if err != nil {
			return err
		}
		put32(zp[hdrRamdiskImage:], uint32(at))
		put32(zp[hdrRamdiskSize:], uint32(len(b.Initrd)))
	}
	if err := placeCommandLine(m, b.CommandLine, cmdline); err != nil {
		return err
	}
	put32(zp[hdrCmdLinePtr:], uint32(commandLineAt))
	zp[hdrTypeOfLoader] = loaderUnknown
	zp[hdrLoadflags] |= canUseHeap | loadedHigh
	put16(zp[hdrHeapEndPtr:], 0xfe00)
	put16(zp[hdrVidMode:], 0xffff) // normal
	// Text mode 3 on a VGA: 80 columns, 25 lines of 16 points.
	zp[zpVideoMode], zp[zpVideoCols], zp[zpVideoLines], zp[zpIsVGA] = 3, 80, 25, 1
	put16(zp[zpVideoPoints:], 16)
	kib := (m.RAMSize() - uint64(highMemory)) >> 10
	put16(zp[zpExtMemK:], uint16(min(kib, 0xffff)))
	put32(zp[zpAltMemK:], uint32(kib))
	for i, r := range memoryMap(m.RAMSize()) {
		e := zp[zpE820Table+20*i:]
		put64(e, r.at)
		put64(e[8:], r.size)
		put32(e[16:], r.kind)
		zp[zpE820Entries] = uint8(i + 1)
	}
	return nil
}
