package ide

// Offsets in the command block (ATA/ATAPI-7, "I/O registers"). What is read
// and what is written at some of them differ.
const (
	regData    = 0
	regError   = 1 // when written, Features
	regCount   = 2 // of a packet command, Interrupt Reason
	regLow     = 3
	regMid     = 4
	regHigh    = 5
	regDevice  = 6
	regStatus  = 7 // when written, Command
	commandLen = 8
)

// Bits of Status.
const (
	statusERR  = 1 << 0 // of a packet command, CHK
	statusDRQ  = 1 << 3
	statusDSC  = 1 << 4
	statusDF   = 1 << 5
	statusDRDY = 1 << 6
	statusBSY  = 1 << 7
)

// Bits of Error.
const (
	errABRT = 1 << 2
	errIDNF = 1 << 4
	errUNC  = 1 << 6
	// diagnosticPassed is the code that a reset leaves in Error.
	diagnosticPassed = 1
)

// Bits of Device.
const (
	deviceDEV = 1 << 4
	deviceLBA = 1 << 6
	// deviceObsolete read as ones, as in devices before ATA-6.
	deviceObsolete = 1<<7 | 1<<5
)

// Bits of Device Control.
const (
	controlNIEN = 1 << 1
	controlSRST = 1 << 2
	controlHOB  = 1 << 7
)

// Bits of Interrupt Reason.
const (
	reasonCoD = 1 << 0 // command, not data
	reasonIO  = 1 << 1 // to the host
)

// Registers of a bus master channel (PIIX3 data sheet, "Bus Master IDE
// Interface Registers").
const (
	bmCommand   = 0
	bmStatus    = 2
	bmTable     = 4
	bmLen       = 8
	bmStart     = 1 << 0 // of the command
	bmToMemory  = 1 << 3
	bmActive    = 1 << 0 // of the status
	bmError     = 1 << 1
	bmInterrupt = 1 << 2
	bmCapable   = 3 << 5
)

// Sizes in bytes.
const (
	sectorSize = 512
	frameSize  = 2048
	// chunkSize is how much a drive asks of its medium at once.
	chunkSize = 128 << 10
)
