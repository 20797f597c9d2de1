package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type metrics struct {
	requests *prometheus.HistogramVec
	refused  *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry) *metrics {
	m := &metrics{requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "idmap_http_request_duration_seconds", Help: "Duration of HTTP requests by route and status.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
	}, []string{"route", "status"}), refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "idmap_http_requests_refused_total", Help: "Requests for which there was no room, by what they met.",
	}, []string{"reason"})}
	for _, reason := range []string{refusedRate, refusedClientQueue, refusedQueue, refusedPatience} {
		m.refused.WithLabelValues(reason) // so that the first one is a change of the counter
	}
	registry.MustRegister(m.requests, m.refused, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// waitingRequests tells how many requests wait to be worked on.
func waitingRequests(a *admission) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "idmap_http_requests_waiting", Help: "Requests that wait until the server works on fewer others.",
	}, a.inQueueNow)
}

// observability adds the routes that operators ask: they are open, and tell nothing of what is stored.
func (s *server) observability(mux *http.ServeMux, registry *prometheus.Registry) {
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.backend.Ready(r.Context()); err != nil {
			s.opts.Logger.ErrorContext(r.Context(), "not ready", slog.Any("cause", err))
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
}

// observe gives every request an id, counts and logs it, and answers for a handler that panics.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, id := time.Now(), uuid.NewString()
		r = r.WithContext(context.WithValue(r.Context(), requestIDKey, id))
		w.Header().Set("X-Request-Id", id)
		record := &recorder{ResponseWriter: w}
		defer func() { s.record(record, r, time.Since(start)) }() // of an answer that is broken off, too
		defer func() {
			if cause := recover(); cause != nil {
				s.answerPanic(record, r, cause)
			}
		}()
		foldNouns(r)
		if hasDotSegment(r.URL.Path) {
			unknownRoute(record, r) // and no redirect: of a DELETE that would delete something else
			return
		}
		next.ServeHTTP(record, r)
	})
}

func hasDotSegment(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool { return segment == "." || segment == ".." })
}

func (s *server) answerPanic(w *recorder, r *http.Request, cause any) {
	if cause == http.ErrAbortHandler { //nolint:errorlint,err113 // the sentinel of net/http is compared, never wrapped
		panic(cause)
	}
	s.opts.Logger.ErrorContext(r.Context(), "handler panicked", slog.String("request_id", requestID(r.Context())), slog.Any("cause", cause))
	if w.status == 0 {
		writeJSONProblem(w, newProblem(http.StatusInternalServerError, internalViolation(r.Context())))
	}
}

func (s *server) record(w *recorder, r *http.Request, took time.Duration) {
	route := r.Pattern
	if route == "" || route == "/" {
		route = "unknown"
	}
	s.metrics.requests.WithLabelValues(route, strconv.Itoa(w.status)).Observe(took.Seconds())
	s.opts.Logger.InfoContext(r.Context(), "request", slog.String("request_id", requestID(r.Context())), slog.String("method", r.Method),
		slog.String("path", r.URL.Path), slog.Int("status", w.status), slog.Duration("took", took))
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// unknownRoute answers where no route is. Its code is not not_found: that says of an object that it is gone.
func unknownRoute(w http.ResponseWriter, r *http.Request) {
	writeJSONProblem(w, newProblem(http.StatusNotFound, idmap.Violation{
		Code:        idmap.CodeUnknownRoute,
		Description: "There is no route " + r.Method + " " + strconv.Quote(r.URL.Path) + ". GET /openapi.json lists the routes.",
	}))
}

func writeJSONProblem(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
