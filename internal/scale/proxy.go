package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// A proxy stands before a server and holds each request back, as a long way would. It counts what passes.
type proxy struct {
	url            string
	http           *http.Server
	requests       atomic.Int64
	refused        atomic.Int64 // with 429
	sent, received atomic.Int64 // bytes of the client, headers too
	answered       atomic.Int64 // mappings in answers, where they are counted
	ended          chan struct{}
}

// newProxy starts a proxy. Only where it counts the mappings does it look into the answers, which costs time.
func newProxy(ctx context.Context, server string, delay time.Duration, countMappings bool) (*proxy, error) {
	to, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{url: "http://" + l.Addr().String(), ended: make(chan struct{})}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		// What is compressed stays so, and there are as many connections as the client has.
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1000},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode == http.StatusTooManyRequests {
				p.refused.Add(1)
			}
			if countMappings {
				return p.count(r)
			}
			return nil
		},
	}
	p.http = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		if delay > 0 {
			select {
			case <-time.After(delay):
			case <-r.Context().Done():
				return
			}
		}
		forward.ServeHTTP(w, r)
	})}
	go func() {
		defer close(p.ended)
		_ = p.http.Serve(countingListener{l, p}) // until stop
	}()
	return p, nil
}

func (p *proxy) stop() error {
	err := p.http.Close()
	<-p.ended
	return err
}

// count counts the mappings of an answer.
func (p *proxy) count(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(plain); err != nil {
			return err
		}
	}
	if !strings.Contains(r.Request.URL.Path, "/user_mappings") || r.StatusCode != http.StatusOK {
		return nil
	}
	var answer struct {
		One  json.RawMessage   `json:"user_mapping"`
		Many []json.RawMessage `json:"user_mappings"`
		More []json.RawMessage `json:"ahead"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	for _, one := range append(append(answer.Many, answer.More...), answer.One) {
		if len(one) > len("null") {
			p.answered.Add(1)
		}
	}
	return nil
}

type countingListener struct {
	net.Listener
	proxy *proxy
}

// Accept implements [net.Listener].
func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l.proxy}, err
}

type countingConn struct {
	net.Conn
	proxy *proxy
}

// Read implements [io.Reader].
func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.proxy.sent.Add(int64(n))
	return n, err
}

// Write implements [io.Writer].
func (c countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.proxy.received.Add(int64(n))
	return n, err
}
