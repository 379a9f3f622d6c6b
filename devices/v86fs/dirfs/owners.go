package dirfs

import "fmt"

// Owners says whose the files are that a guest sees and makes.
type Owners uint8

const (
	// OwnersAuto is OwnersHost where gov86 runs as root, else OwnersSquash.
	OwnersAuto Owners = iota
	// OwnersSquash shows what belongs to the user that gov86 runs as as root's.
	// Owners cannot be changed.
	OwnersSquash
	// OwnersHost passes numbers through as they are. What the guest makes belongs
	// to whom it says, which only root of the host may do.
	OwnersHost
)

// ParseOwners reads the name of an Owners: auto, squash or host.
func ParseOwners(s string) (Owners, error) {
	switch s {
	case "auto", "":
		return OwnersAuto, nil
	case "squash":
		return OwnersSquash, nil
	case "host":
		return OwnersHost, nil
	}
	return 0, fmt.Errorf("owners %q: there are auto, squash and host", s)
}
