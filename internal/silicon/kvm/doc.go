// Package kvm is as much of a virtual machine as a comparison needs: memory
// and one processor behind Linux's /dev/kvm, without any device.
//
// Whether what it answers is the processor's word or another interpreter's
// depends on the host: Probe tells.
package kvm
