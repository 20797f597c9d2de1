package testenv_test

import (
	"fmt"
	"testing"
)

// A fatalSpy is a test that only remembers with what it was failed. Failing it
// panics, since the code under test must not go on.
type fatalSpy struct {
	testing.TB
	message string
}

func (s *fatalSpy) Helper() {}

func (s *fatalSpy) Fatal(args ...any) {
	s.message = fmt.Sprint(args...)
	panic(s)
}

func (s *fatalSpy) Fatalf(format string, args ...any) {
	s.message = fmt.Sprintf(format, args...)
	panic(s)
}
