// Package snapshottest proves that a field list is complete.
package snapshottest

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/gov86/gov86/snapshot"
)

// Complete fills every field of a T, unexported ones too, with distinct
// values, saves it with sync, loads it into a zero T and compares by name.
// A field forgotten in the list fails under its name. Slices of bytes get a
// few bytes; fix, if not nil, makes the filled value legal before it is saved.
func Complete[T any](t *testing.T, sync func(*T, *snapshot.Codec), fix func(*T)) {
	t.Helper()
	var want, got T
	n := 0
	fill(reflect.ValueOf(&want).Elem(), &n)
	if fix != nil {
		fix(&want)
	}
	s := snapshot.NewSaver()
	sync(&want, s)
	b, err := s.Close()
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	l := snapshot.NewLoader(b)
	sync(&got, l)
	if _, err := l.Close(); err != nil {
		t.Fatalf("load: %v", err)
	}
	compare(t, reflect.TypeOf(want).Name(), reflect.ValueOf(&want).Elem(), reflect.ValueOf(&got).Elem())
}

func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		v.SetUint(uint64(*n%250 + 1))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(int64(*n%120 + 1))
	case reflect.String:
		v.SetString(fmt.Sprint("s", *n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(settable(v.Field(i)), n)
		}
	default:
		panic(fmt.Sprintf("BUG: saved state has a %s; state is plain data", v.Type()))
	}
}

func compare(t *testing.T, name string, want, got reflect.Value) {
	t.Helper()
	if want.Kind() == reflect.Struct {
		for i := range want.NumField() {
			compare(t, name+"."+want.Type().Field(i).Name, settable(want.Field(i)), settable(got.Field(i)))
		}
		return
	}
	if !reflect.DeepEqual(want.Interface(), got.Interface()) {
		t.Errorf("%s: saved %v, loaded %v: it is missing from the list", name, want.Interface(), got.Interface())
	}
}
