//go:build linux && amd64

package kvm

// Requests of /dev/kvm, of a machine and of a processor (Linux, "The
// Definitive KVM (Kernel-based Virtual Machine) API Documentation").
const (
	getAPIVersion   = 0xae00
	createVM        = 0xae01
	getRunSize      = 0xae04
	getSupportedID  = 0xc008ae05
	createVCPU      = 0xae41
	setMemoryRegion = 0x4020ae46
	setTSSAddress   = 0xae47
	setIdentityMap  = 0x4008ae48
	run             = 0xae80
	getRegs         = 0x8090ae81
	setRegs         = 0x4090ae82
	getSregs2       = 0x8140aecc
	setSregs2       = 0x4140aecd
	setCPUID        = 0x4008ae90
	getEvents       = 0x8040ae9f
	setEvents       = 0x4040aea0
	getDebugRegs    = 0x8080aea1
	setDebugRegs    = 0x4080aea2
	apiVersion      = 12
)

// Offsets in struct kvm_run.
const (
	runImmediateExit = 1
	runReason        = 8
	runHardware      = 32 // hardware_exit_reason, or the first of its union
	runIODirection   = 32
	runIOSize        = 33
	runIOPort        = 34
	runIOCount       = 36
	runIOData        = 40
	runMMIOAddress   = 32
	runMMIOData      = 40
	runMMIOLength    = 48
	runMMIOWrite     = 52
	runSuberror      = 32
	runDataCount     = 36
	runData          = 40
)

// A Segment is struct kvm_segment.
type Segment struct {
	Base     uint64
	Limit    uint32
	Selector uint16
	Type     uint8
	Present  uint8
	DPL      uint8
	DB       uint8
	S        uint8
	L        uint8
	G        uint8
	AVL      uint8
	Unusable uint8
	_        uint8
}

// A Table is struct kvm_dtable.
type Table struct {
	Base  uint64
	Limit uint16
	_     [3]uint16
}

// Regs is struct kvm_regs.
type Regs struct {
	RAX, RBX, RCX, RDX, RSI, RDI, RSP, RBP uint64
	R                                      [8]uint64 // R8 to R15
	RIP, RFLAGS                            uint64
}

// Sregs is struct kvm_sregs2.
type Sregs struct {
	CS, DS, ES, FS, GS, SS, TR, LDT Segment
	GDT, IDT                        Table
	CR0, CR2, CR3, CR4, CR8         uint64
	EFER, APICBase                  uint64
	Flags                           uint64 // PDPTRsValid
	PDPTRs                          [4]uint64
}

// PDPTRsValid of Sregs.Flags says that PDPTRs has what CR3 loaded.
const PDPTRsValid = 1

// DebugRegs is struct kvm_debugregs.
type DebugRegs struct {
	DB       [4]uint64
	DR6, DR7 uint64
	_        [10]uint64
}

// Events is struct kvm_vcpu_events.
type Events struct {
	Exception struct {
		Injected, Number, HasCode, Pending uint8
		Code                               uint32
	}
	Interrupt  struct{ Injected, Number, Soft, Shadow uint8 }
	NMI        struct{ Injected, Pending, Masked, _ uint8 }
	SIPI       uint32
	Flags      uint32
	SMI        [4]uint8
	Triple     uint8
	_          [26]uint8
	HasPayload uint8
	Payload    uint64
}

// Bits of Events.Flags: what of Events counts.
const (
	NMIPendingValid = 1 << 0
	ShadowValid     = 1 << 2
)

// memoryRegion is struct kvm_userspace_memory_region.
type memoryRegion struct {
	_           [2]uint32 // slot and flags
	_           uint64    // the address in the guest
	size, where uint64
}

// A Leaf is struct kvm_cpuid_entry2: what CPUID says of a leaf.
type Leaf struct {
	Function, Index, Flags uint32
	EAX, EBX, ECX, EDX     uint32
	_                      [3]uint32
}

// leaves is struct kvm_cpuid2 with room for every leaf.
type leaves struct {
	count, _ uint32
	entries  [256]Leaf
}
