package client

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// through returns a proxy in front of a server that does to connections what real networks do.
func through(t *testing.T, s *script) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", strings.TrimPrefix(s.URL, "http://"))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return proxy
}

func poison(t *testing.T, proxy *toxiproxy.Proxy, toxic string) {
	t.Helper()
	if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
}

// heal removes the toxic once the server has seen n requests, so that the next attempt comes through.
func heal(t *testing.T, proxy *toxiproxy.Proxy, s *script, n int) <-chan struct{} {
	t.Helper()
	healed := make(chan struct{})
	go func() {
		defer close(healed)
		for len(s.seen()) < n {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		proxy.Toxics.ResetToxics(t.Context())
	}()
	return healed
}

// The write reaches the server, and its answer is lost on the way: the next attempt is the same request.
func TestNetworkLosesTheAnswer(t *testing.T) {
	for name, toxic := range map[string]string{
		"closed":         `{"name":"x","type":"limit_data","stream":"downstream","attributes":{"bytes":0}}`,
		"closed halfway": `{"name":"x","type":"limit_data","stream":"downstream","attributes":{"bytes":250}}`,
		"reset":          `{"name":"x","type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`,
		"silent":         `{"name":"x","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`,
		"slow":           `{"name":"x","type":"latency","stream":"downstream","attributes":{"latency":60000}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, mapping)
			proxy := through(t, s)
			poison(t, proxy, toxic)
			c := clientOf(t, "http://"+proxy.Listen, func(c *Config) { c.RequestTimeout, c.MaxRetries = 500*time.Millisecond, 30 })
			c.retry.RetryWaitMin, c.retry.RetryWaitMax = 20*time.Millisecond, 50*time.Millisecond
			lost := 1
			if name == "slow" {
				lost = 2 // late data comes through after all when the toxic goes, so the first attempt must end before
			}
			healed := heal(t, proxy, s, lost)
			m, _, err := c.CreateUserMapping(t.Context(), "key-1", idmap.UserMapping{UserID: "a"})
			<-healed
			if err != nil || m.ID != "um_1" {
				t.Fatalf("got %+v, %v", m, err)
			}
			requests := s.seen()
			if len(requests) < 2 {
				t.Fatalf("%d requests, so nothing was lost", len(requests))
			}
			for _, r := range requests {
				if r.header.Get("Idempotency-Key") != "key-1" || r.body != requests[0].body {
					t.Errorf("key %q, body %q", r.header.Get("Idempotency-Key"), r.body)
				}
			}
		})
	}
}

func TestNetworkStaysDown(t *testing.T) {
	s := serve(t, mapping)
	proxy := through(t, s)
	poison(t, proxy, `{"name":"x","type":"reset_peer","stream":"upstream","attributes":{"timeout":0}}`)
	c := clientOf(t, "http://"+proxy.Listen, func(c *Config) { c.MaxRetries = 2 })
	_, err := c.UserMapping(t.Context(), "um_1")
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Attempts != 3 {
		t.Fatalf("got %v", err)
	}
	wantWords(t, err.Error(), "3 attempts", "could not be reached")
}
