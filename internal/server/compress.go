package server

import (
	"compress/gzip"
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// minCompressed is the smallest answer that is compressed: what is smaller fits into a packet.
const minCompressed = 1 << 10

// compressed compresses answers for clients that take them so.
func compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressed), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // the options are ours
	}
	return wrap(next)
}
