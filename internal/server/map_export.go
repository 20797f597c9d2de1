package server

import (
	"bufio"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// chunkTime is how long a client may take for what it was sent last. The server's own timeout is for an answer as a whole,
// and a file may be long.
const chunkTime = 5 * time.Minute

// chunkSize is how much of a file is sent at once.
const chunkSize = 64 << 10

// moreTime gives the client chunkTime from now on. It does nothing where the connection has no deadlines, as in a process.
func moreTime(ctx huma.Context) {
	_, w := humago.Unwrap(ctx)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(chunkTime))
}

// export writes the rows of a report as a file while they are made.
func (m *maps[N]) export(subject backend.MapSubject, f idmap.ResolutionFilter) func(huma.Context) {
	name := string(m.kind)
	if subject.Proposed == nil {
		name += "-" + fileName(subject.ID)
	}
	return func(ctx huma.Context) {
		out := &fileAnswer{ctx: ctx, name: name + ".csv"}
		chunks := bufio.NewWriterSize(out, chunkSize)
		rows := directory.NewPairWriter(chunks)
		err := m.backend.ExportMap(ctx.Context(), subject, f, func(r idmap.Resolution) error { return rows.Write(r.Source, r.Destination) })
		if err == nil {
			err = rows.Close()
		}
		if err == nil {
			err = chunks.Flush()
		}
		switch {
		case err != nil && out.begun:
			m.opts.Logger.ErrorContext(ctx.Context(), "export broken off", slog.String("request_id", requestID(ctx.Context())), slog.Any("cause", err))
			panic(http.ErrAbortHandler) // the client must not take what it has for the whole
		case err != nil:
			m.writeRefusal(ctx, err)
		}
	}
}

// fileName leaves out what could break out of the header that it stands in.
func fileName(id string) string {
	kept := make([]rune, 0, len(id))
	for _, r := range id {
		if r > ' ' && r < 0x7f && r != '"' && r != '\\' && r != ';' && r != '/' {
			kept = append(kept, r)
		}
	}
	return string(kept)
}

// fileAnswer is an answer that begins with the first byte, so that until then it can still become a refusal.
type fileAnswer struct {
	ctx   huma.Context
	name  string
	begun bool
}

func (a *fileAnswer) Write(p []byte) (int, error) {
	if !a.begun {
		a.begun = true
		a.ctx.SetHeader("Content-Type", directory.CSV.ContentType()+"; charset=utf-8")
		a.ctx.SetHeader("Content-Disposition", `attachment; filename="`+a.name+`"`)
		a.ctx.SetStatus(http.StatusOK)
	}
	moreTime(a.ctx)
	return a.ctx.BodyWriter().Write(p)
}
