package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// connections are the bodies that make the two connections: the addresses and the users that they sign in.
var connections = []string{
	`{"id": "mail", "name": "Mail", "platform": {"id": "microsoft365"}, "authoritative": true}`,
	`{"id": "sales", "name": "Sales", "platform": {"id": "oracle_sales"}, "authoritative": true}`,
}

// batchClients and singleClients are how many callers write at once.
const (
	batchClients  = 4
	singleClients = 32
)

func newClient() *http.Client {
	// Compression would measure the client, which shares the machine with the server.
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * singleClients, DisableCompression: true}}
}

// send sends a request with a JSON body, and returns the answer's text.
func (m *measurement) send(ctx context.Context, method, address, body, key string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+bootstrapToken)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := m.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text := bytes.NewBuffer(make([]byte, 0, max(answer.ContentLength+bytes.MinRead, bytes.MinRead)))
	if _, err := text.ReadFrom(answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s: %s: %.500s", method, address, answer.Status, text)
	}
	return text.Bytes(), nil
}

func (m *measurement) call(ctx context.Context, method, address, body, key string) error {
	_, err := m.send(ctx, method, address, body, key)
	return err
}

// timing is how long tasks took.
type timing struct {
	all  time.Duration
	each []time.Duration
	cpu  time.Duration // of the servers, which tells their work apart from that of the clients and of the database
}

// load has several clients take the tasks from 0 to n between them, until all are done or one failed.
func (m *measurement) load(clients, n int, task func(client, i int) error) (t timing, err error) {
	var next atomic.Int64
	var failed sync.Once
	var group sync.WaitGroup
	before, err := m.cpu()
	if err != nil {
		return t, err
	}
	t.each = make([]time.Duration, n)
	begun := time.Now()
	for client := range clients {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				start := time.Now()
				if e := task(client, i); e != nil {
					failed.Do(func() { err = e })
					next.Store(int64(n))
				}
				t.each[i] = time.Since(start)
			}
		})
	}
	group.Wait()
	t.all = time.Since(begun)
	after, cpuErr := m.cpu()
	t.cpu = after - before
	return t, errors.Join(err, cpuErr)
}

// cpu is the processor time of all servers so far.
func (m *measurement) cpu() (sum time.Duration, err error) {
	for _, p := range m.servers {
		one, err := p.cpu()
		if err != nil {
			return 0, err
		}
		sum += one
	}
	return sum, nil
}

// rate reports how many mappings a second were served, and what a thousand of them cost the servers.
func (m *measurement) rate(name string, mappings int, t timing, bound float64) {
	m.result(name, float64(mappings)/t.all.Seconds(), "mappings/s", bound)
	m.result(name+", CPU of the server", t.cpu.Seconds()*1000/float64(mappings)*1000, "ms/1000", 0)
}

// lookups measures look-ups of random mappings by their ids.
func (m *measurement) lookups(ctx context.Context) error {
	size := min(m.o.Batch, m.o.Mappings)
	bodies := make([]string, m.o.Lookups)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same requests in each run
	for i := range bodies {
		items := make([]string, size)
		for n := range items {
			items[n] = `{"id":"` + mappingID(random.IntN(m.o.Mappings)) + `"}`
		}
		bodies[i] = `{"items":[` + strings.Join(items, ",") + `]}`
	}
	for _, clients := range []int{1, 4} {
		took, err := m.load(clients, len(bodies), func(_, i int) error {
			text, err := m.send(ctx, http.MethodPost, m.servers[0].url+"/v1/user_mappings/lookup", bodies[i], "")
			// Decoding would cost more than the server's own work; each mapping has one user id.
			if found := bytes.Count(text, []byte(`"user_id":`)); err == nil && found != size {
				err = fmt.Errorf("a look-up of %d mappings found %d", size, found)
			}
			return err
		})
		if err != nil {
			return err
		}
		m.rate(fmt.Sprintf("lookup of %d, %d clients", size, clients), len(bodies)*size, took, 100_000)
	}
	return nil
}

// walk measures the walk of one client over all pages.
func (m *measurement) walk(ctx context.Context) error {
	begun, seen := time.Now(), 0
	for next := "/v1/user_mappings?limit=1000"; next != ""; {
		text, err := m.send(ctx, http.MethodGet, m.servers[0].url+next, "", "")
		if err != nil {
			return err
		}
		seen += bytes.Count(text, []byte(`"user_id":`))
		if next, err = nextPage(text); err != nil {
			return err
		}
	}
	if seen != m.o.Mappings {
		return fmt.Errorf("a walk over %d mappings saw %d", m.o.Mappings, seen)
	}
	m.result("walk over all pages of 1000", float64(seen)/time.Since(begun).Seconds(), "mappings/s", 0)
	return nil
}

// nextPage reads the address of the next page out of the end of an answer, where it stands.
func nextPage(text []byte) (string, error) {
	at := bytes.LastIndex(text, []byte(`"meta":`))
	if at < 0 {
		return "", fmt.Errorf("a page has no meta: %.200s", text)
	}
	var meta struct {
		Links struct{ Next struct{ Href string } }
	}
	err := json.NewDecoder(bytes.NewReader(text[at+len(`"meta":`):])).Decode(&meta)
	return meta.Links.Next.Href, err
}

// A mode is a form of a batch.
type mode int

const (
	together mode = iota // all or none, with one key
	separate             // each by itself, with its own key
)

// batches measures creates in batches: the rules, the ledger and the audit with them.
func (m *measurement) batches(ctx context.Context) error {
	if err := m.batch(ctx, "batch creates, all or none", together); err != nil {
		return err
	}
	return m.batch(ctx, "batch creates, each with its key", separate)
}

func (m *measurement) batch(ctx context.Context, name string, as mode) error {
	bodies := make([]string, m.o.Creates/m.o.Batch)
	for i := range bodies {
		bodies[i] = m.nextBatch(as)
	}
	took, err := m.load(batchClients, len(bodies), func(client, i int) error {
		server := m.servers[client%len(m.servers)]
		key := ""
		if as == together {
			key = fmt.Sprintf("batch-%d-%d", m.taken, i)
		}
		text, err := m.send(ctx, http.MethodPost, server.url+"/v1/user_mappings/batch", bodies[i], key)
		if made := bytes.Count(text, []byte(`"revision":1,`)); err == nil && made != m.o.Batch {
			err = fmt.Errorf("a batch of %d made %d: %.500s", m.o.Batch, made, text)
		}
		return err
	})
	if err != nil {
		return err
	}
	m.rate(name, len(bodies)*m.o.Batch, took, 5000)
	m.result(name+", median", percentile(took.each, 0.5), "ms", 0)
	return nil
}

// nextBatch is a body that creates mappings for the next accounts that have none.
func (m *measurement) nextBatch(as mode) string {
	items := make([]string, m.o.Batch)
	for n := range items {
		key := ""
		if as == separate {
			key = `"idempotency_key":"item-` + strconv.Itoa(m.taken) + `",`
		}
		items[n] = `{"operation":"create",` + key + `"user_mapping":` + m.nextMapping() + `}`
	}
	return `{"items":[` + strings.Join(items, ",") + `],"separate":` + strconv.FormatBool(as == separate) + `}`
}

// nextMapping is the body of a mapping for the next account that has none.
func (m *measurement) nextMapping() string {
	i := m.o.Mappings + m.taken
	m.taken++
	return `{"source":{"connection":{"id":"mail"}},"destination":{"connection":{"id":"sales"}},"email":"` +
		email(i) + `","user_id":"` + userID(i) + `"}`
}

// singles measures creates of one mapping each, by many clients at once.
func (m *measurement) singles(ctx context.Context) error {
	bodies := make([]string, m.o.Creates)
	for i := range bodies {
		bodies[i] = m.nextMapping()
	}
	took, err := m.load(singleClients, len(bodies), func(_, i int) error {
		return m.call(ctx, http.MethodPost, m.servers[0].url+"/v1/user_mappings", bodies[i], "single-"+strconv.Itoa(i))
	})
	if err != nil {
		return err
	}
	bound, limit := 2000.0, 50.0
	if m.engine.shared {
		bound, limit = 0, 0
	}
	m.rate(fmt.Sprintf("single creates, %d clients", singleClients), len(bodies), took, bound)
	m.most(fmt.Sprintf("single creates, %d clients, p99", singleClients), percentile(took.each, 0.99), "ms", limit)
	return nil
}
