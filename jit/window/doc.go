// Package window lets generated code access memory of the guest at addresses of
// the host that stand for the guest's own: what is not mapped there faults, and
// the fault is noticed without Go.
package window
