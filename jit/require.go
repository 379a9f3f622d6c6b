package jit

// A Requirement is something that translation needs of the host, and why it is
// not there if it is not.
type Requirement struct {
	What    string
	Lacking error
}

// Available says why this host cannot have a translating engine, or nothing.
func Available() error {
	for _, r := range Requirements() {
		if r.Lacking != nil {
			return r.Lacking
		}
	}
	return nil
}
