package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"syscall"
)

// listener is a place where requests arrive, with TLS or without.
type listener struct {
	net.Listener
	tls *tls.Config // nil: none
}

// listen opens the address. Cert and key are PEM files, or both empty.
func listen(ctx context.Context, address, cert, key string) (*listener, error) {
	l := &listener{}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("the certificate %q and the key %q cannot be used: %w; both must be PEM files, and the key the certificate's", cert, key, err)
		}
		l.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	var config net.ListenConfig
	var err error
	if l.Listener, err = config.Listen(ctx, "tcp", address); err != nil {
		return nil, explainListen(address, err)
	}
	return l, nil
}

func explainListen(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("the address %s is in use by another program; stop that one, or take another port with --listen (0 takes a free one)", address)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user may not listen on %s; take a port of 1024 or above with --listen", address)
	}
	return fmt.Errorf("cannot listen on %s: %w; give --listen a host and a port of this machine, such as 127.0.0.1:8080", address, err)
}

// private reports whether nobody can listen in: by TLS, or because only this machine can connect.
func (l *listener) private() bool {
	address, ok := l.Addr().(*net.TCPAddr)
	return l.tls != nil || ok && address.IP.IsLoopback()
}

// url is where the listener can be reached, with its real port.
func (l *listener) url() string {
	if l.tls != nil {
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}

// serve runs the server on the listener until that is closed.
func (l *listener) serve(s *http.Server) error {
	if l.tls != nil {
		s.TLSConfig = l.tls
		return s.ServeTLS(l.Listener, "", "")
	}
	return s.Serve(l.Listener)
}
