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
	// OwnersMapped keeps owners, permissions and device numbers in extended
	// attributes of the host's files: the guest is root, whoever gov86 runs as.
	OwnersMapped
)

// ParseOwners reads the name of an Owners: auto, squash, mapped or host.
func ParseOwners(s string) (Owners, error) {
	switch s {
	case "auto", "":
		return OwnersAuto, nil
	case "squash":
		return OwnersSquash, nil
	case "mapped":
		return OwnersMapped, nil
	case "host":
		return OwnersHost, nil
	}
	return 0, fmt.Errorf("owners %q: there are auto, squash, mapped and host", s)
}
