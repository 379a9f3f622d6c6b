package hw

// A DMAChannel is a channel of the DMA controller, as the device sees it that
// requests on it.
type DMAChannel interface {
	// Move moves p to memory, or fills it from there, as far as the channel goes.
	// It returns how much that was, and whether the terminal count was reached
	// with it. Less than p without a terminal count means that the channel is
	// masked: the device is told when it no longer is, and tries again.
	Move(p []byte, toMemory bool) (n int, terminal bool)
}
