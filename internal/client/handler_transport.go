package client

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// HandlerTransport returns a transport that calls h in this process: the way to a backend that runs inside the
// provider. Bodies are buffered whole. A cancelled request returns at once, and its handler sees the cancelled context;
// a panic of the handler is an error of that request.
func HandlerTransport(h http.Handler) http.RoundTripper { return handlerTransport{h} }

type handlerTransport struct{ handler http.Handler }

// handlerPanicError says that the handler failed in a way that it would again.
type handlerPanicError struct{ value any }

func (e *handlerPanicError) Error() string { return fmt.Sprintf("the handler panicked: %v", e.value) }

func (t handlerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	// The handler gets its own request, as a server would make it: RoundTrip must not touch the caller's.
	in := req.Clone(req.Context())
	in.RequestURI = in.URL.RequestURI()
	in.RemoteAddr = "embedded"
	in.URL.Scheme, in.URL.Host = "", ""
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	done := make(chan error, 1)
	out := &recorder{header: http.Header{}}
	go func() {
		defer func() { _ = in.Body.Close() }()
		done <- t.serve(out, in)
	}()
	select {
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case err := <-done:
		if err != nil {
			return nil, err
		}
		return out.response(req), nil
	}
}

func (t handlerTransport) serve(w http.ResponseWriter, req *http.Request) (err error) {
	defer func() {
		switch value := recover(); value {
		case nil:
		case http.ErrAbortHandler: // the handler's way to break the connection off
			err = io.ErrUnexpectedEOF
		default:
			err = &handlerPanicError{value}
		}
	}()
	t.handler.ServeHTTP(w, req)
	return nil
}

// recorder keeps an answer. Only the handler's goroutine touches it until that is done.
type recorder struct {
	header http.Header
	sent   http.Header // as it was when the status was written; later changes do not count
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 { // 1xx are not the answer yet
		r.status, r.sent = status, r.header.Clone()
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) response(req *http.Request) *http.Response {
	r.WriteHeader(http.StatusOK)
	return &http.Response{
		Status:     strconv.Itoa(r.status) + " " + http.StatusText(r.status),
		StatusCode: r.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        r.sent,
		Body:          io.NopCloser(&r.body),
		ContentLength: int64(r.body.Len()),
		Request:       req,
	}
}
