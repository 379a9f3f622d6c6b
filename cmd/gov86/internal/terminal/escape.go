package terminal

// ctrlA begins an escape, as in QEMU's serial console.
const ctrlA = 0x01

// An Action is what a typed byte asks for.
type Action uint8

// The actions.
const (
	None Action = iota // nothing: the byte is, or completes, an escape without effect
	Send               // the byte goes to the guest
	Quit
	Save
	Help
)

// HelpText lists the escapes, for a terminal in raw mode.
const HelpText = "\r\n" +
	"Ctrl-A h       list these escapes\r\n" +
	"Ctrl-A s       save the machine to the file of --save-on-exit\r\n" +
	"Ctrl-A x       quit gov86; the guest is not shut down\r\n" +
	"Ctrl-A Ctrl-A  send Ctrl-A to the guest (so does Ctrl-A a)\r\n" +
	"Every other key, Ctrl-C among them, goes to the guest.\r\n"

// Escapes tells the bytes typed for the guest from those typed for gov86. The
// zero value is ready.
type Escapes struct{ escaped bool }

// Type takes one typed byte. When the action is Send, the byte returned is
// what goes to the guest.
func (e *Escapes) Type(b byte) (byte, Action) {
	if !e.escaped {
		e.escaped = b == ctrlA
		if e.escaped {
			return 0, None
		}
		return b, Send
	}
	e.escaped = false
	switch b {
	case 'x', 'X':
		return 0, Quit
	case 's', 'S':
		return 0, Save
	case 'h', 'H', '?':
		return 0, Help
	case 'a', 'A', ctrlA:
		return ctrlA, Send
	}
	return 0, None
}
