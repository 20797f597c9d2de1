package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// EntryInput names one account or group of a connection.
type EntryInput struct {
	IDInput
	FieldsInput
	EntryID string `path:"entry_id" maxLength:"255"`
}

// EntryWriteInput names one account or group that is to be written.
type EntryWriteInput struct {
	EntryInput
	IfMatch string `header:"If-Match" maxLength:"1000" doc:"Entity tags; the write is refused unless one is the object's."`
}

// revision returns what If-Match demands of the entry; current reads the stored revision.
func (in *EntryWriteInput) revision(current func() (int64, error)) (int64, error) {
	revision, err := ifMatch(in.IfMatch, current)
	if err == nil && strings.TrimSpace(in.IfMatch) == "*" {
		_, err = current() // which fails where there is nothing that could match
	}
	if idmap.IsNotFound(err) {
		return noRevision, nil
	}
	return revision, err
}

// importInput is a directory file. It is read as it arrives, not by huma, so that its size is bounded by what the file
// holds and not by a buffer for the whole of it.
type importInput struct {
	WriteInput
	ContentType string `header:"Content-Type"`

	file io.Reader
}

// Resolve takes the body before anybody reads it.
func (in *importInput) Resolve(ctx huma.Context) []error {
	in.file = ctx.BodyReader()
	return nil
}

func importOperation(path, summary string) huma.Operation {
	op := operation(http.MethodPost, path, idmap.ScopeWrite, summary)
	op.Description = "The file becomes the whole directory: what it has not is marked as gone. With a bad row nothing is imported."
	op.Metadata[fileKey] = true
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		directory.CSV.ContentType():       {Schema: &huma.Schema{Type: huma.TypeString}},
		directory.JSONLines.ContentType(): {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	return op
}

// readFile parses a directory file while it arrives. A file that is too large is refused as such.
func readFile[T any](in *importInput, parse func(io.Reader, directory.Format) ([]T, error)) (backend.Import[T], error) {
	var file backend.Import[T]
	format, err := directory.FormatOfContentType(in.ContentType)
	if err != nil {
		return file, idmap.Refusef(idmap.CodeMalformed, "header.Content-Type", "%s", idmap.Sentences(idmap.ViolationsOf(err)))
	}
	body := &io.LimitedReader{R: in.file, N: maxFileBody + 1}
	digest := sha256.New()
	if file.Rows, err = parse(io.TeeReader(body, digest), format); err == nil {
		_, err = io.Copy(digest, body) // what the parser left unread
	}
	if body.N <= 0 {
		return file, idmap.Refusef(idmap.CodeTooLarge, "", "The file is larger than %d MiB. Split the directory into several connections.", maxFileBody>>20)
	}
	file.SHA256 = hex.EncodeToString(digest.Sum(nil))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = idmap.Refusef(idmap.CodeMalformed, "", "The file ended before it was complete. Send it again.")
	}
	return file, err
}

func importFile[T any](
	ctx context.Context, s *server, in *importInput, parse func(io.Reader, directory.Format) ([]T, error),
	store func(context.Context, backend.Call, string, backend.Import[T]) (idmap.ImportReport, error),
) (*plainOutput[importReportNoun, idmap.ImportReport], error) {
	revision, err := s.connectionRevision(ctx, &in.WriteInput)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	file, err := readFile(in, parse)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	file.Revision = revision
	report, err := store(ctx, callOf(ctx, ""), in.ID, file)
	return answer(ctx, s, plain[importReportNoun](report), err)
}
