package bios

import "github.com/gov86/gov86/mem"

// Multiboot Specification 0.6.96, "Specification".
const (
	multibootMagic  = 0x1badb002
	multibootLoaded = 0x2badb002 // EAX at the entry
	multibootSearch = 8192

	multibootPageAlign = 1 << 0
	multibootMemory    = 1 << 1
	multibootVideo     = 1 << 2
	multibootAddresses = 1 << 16
	// Features below bit 16 that this loader does not know must stop it.
	multibootRequired = 0xffff &^ (multibootPageAlign | multibootMemory | multibootVideo)

	infoMemory      = 1 << 0
	infoCommandLine = 1 << 2
	infoModules     = 1 << 3
	infoMemoryMap   = 1 << 6
	infoLoaderName  = 1 << 9
)

// multibootHeader is the offset of the header in an image, or -1.
func multibootHeader(k []byte) int {
	for i := 0; i+12 <= min(len(k), multibootSearch); i += 4 {
		if get32(k[i:]) == multibootMagic && get32(k[i:])+get32(k[i+4:])+get32(k[i+8:]) == 0 {
			return i
		}
	}
	return -1
}

// placeMultiboot loads a Multiboot image; the initrd is its first module.
func placeMultiboot(m *mem.Space, b Boot) (entry, error) {
	at := multibootHeader(b.Kernel)
	flags := get32(b.Kernel[at+4:])
	if flags&multibootRequired != 0 {
		return entry{}, bad("kernel", "give an image that asks for less", "its Multiboot flags %#x are not known", flags)
	}
	var start uint32
	var end mem.Addr
	var err error
	if flags&multibootAddresses != 0 {
		start, end, err = loadByHeader(m, b.Kernel, at)
	} else {
		start, end, err = loadELF(m, b.Kernel)
	}
	if err != nil {
		return entry{}, err
	}
	info := make([]byte, 512)
	known := uint32(infoMemory | infoCommandLine | infoMemoryMap | infoLoaderName)
	put32(info[4:], uint32(lowMemoryEnd>>10))
	put32(info[8:], uint32((m.RAMSize()-uint64(highMemory))>>10))
	if err := placeCommandLine(m, b.CommandLine, commandLineLimit); err != nil {
		return entry{}, err
	}
	put32(info[16:], uint32(commandLineAt))
	if b.Initrd != nil {
		known |= infoModules
		where, err := placeInitrd(m, b.Initrd, end, 1<<32)
		if err != nil {
			return entry{}, err
		}
		module := make([]byte, 16)
		put32(module, uint32(where))
		put32(module[4:], uint32(where)+uint32(len(b.Initrd)))
		put32(module[8:], uint32(commandLineAt)+uint32(len(b.CommandLine))) // an empty string
		if err := write(m, "memory", moduleAt, module); err != nil {
			return entry{}, err
		}
		put32(info[20:], 1)
		put32(info[24:], uint32(moduleAt))
	}
	const mapOffset, nameOffset = 128, 384
	regions := memoryMap(m.RAMSize())
	for i, r := range regions {
		e := info[mapOffset+24*i:]
		put32(e, 20) // the size of what follows
		put64(e[4:], r.at)
		put64(e[12:], r.size)
		put32(e[20:], r.kind)
	}
	put32(info[44:], uint32(24*len(regions)))
	put32(info[48:], uint32(paramsAt)+mapOffset)
	copy(info[nameOffset:], "gov86\x00")
	put32(info[64:], uint32(paramsAt)+nameOffset)
	put32(info, known)
	return entry{eip: start, eax: multibootLoaded, ebx: uint32(paramsAt)}, write(m, "memory", paramsAt, info)
}

// loadByHeader loads an image as the address fields of its header at offset h say.
func loadByHeader(m *mem.Space, k []byte, h int) (start uint32, end mem.Addr, err error) {
	const remedy = "give a sound Multiboot image"
	if h+32 > len(k) {
		return 0, 0, bad("kernel", "give the whole file", "it is truncated within its Multiboot header")
	}
	header, load := get32(k[h+12:]), get32(k[h+16:])
	loadEnd, bssEnd, entry := get32(k[h+20:]), get32(k[h+24:]), get32(k[h+28:])
	from := h - int(header-load)
	if header < load || from < 0 || loadEnd != 0 && loadEnd < load {
		return 0, 0, bad("kernel", remedy, "its Multiboot addresses contradict each other")
	}
	size := len(k) - from
	if loadEnd != 0 {
		size = int(loadEnd - load)
		if size > len(k)-from {
			return 0, 0, bad("kernel", "give the whole file", "it is truncated: %d of %d bytes are there", len(k), from+size)
		}
	}
	loaded := mem.Addr(load) + mem.Addr(size)
	end = max(loaded, mem.Addr(bssEnd))
	if err := checkPart(m, mem.Addr(load), end); err != nil {
		return 0, 0, err
	}
	if mem.Addr(entry) < mem.Addr(load) || mem.Addr(entry) >= end {
		return 0, 0, bad("kernel", remedy, "its entry point %#x lies outside of it", entry)
	}
	if err := write(m, "kernel", mem.Addr(load), k[from:from+size]); err != nil {
		return 0, 0, err
	}
	return entry, end, zero(m, loaded, end-loaded)
}
