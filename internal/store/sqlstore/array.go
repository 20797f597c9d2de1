package sqlstore

import (
	"fmt"
	"strings"
)

// rowsAtOnce bounds the memory that one INSERT of arrays takes.
const rowsAtOnce = 5000

// arrays says rows in SQL with one array for each column. It cannot where a column has values of other types than ours.
func arrays(rows [][]any) (query string, args []any, ok bool) {
	var sources, sourceNames, columns []string
	for i := range rows[0] {
		array, kind, ok := column(rows, i)
		switch {
		case !ok:
			return "", nil, false
		case array == nil:
			columns = append(columns, "NULL") // which has the type of its column, as an array of nothing else has not
			continue
		}
		name := fmt.Sprintf("c%d", i)
		columns, sourceNames = append(columns, name), append(sourceNames, name)
		sources, args = append(sources, "CAST(? AS "+kind+"[])"), append(args, array)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM unnest(" + strings.Join(sources, ", ") + ") AS v (" +
		strings.Join(sourceNames, ", ") + ")", args, true
}

// column returns the values of a column as an array and what SQL calls their type; nil if all are NULL.
func column(rows [][]any, i int) (array any, kind string, ok bool) {
	for _, row := range rows {
		switch row[i].(type) {
		case nil:
			continue
		case string:
			array, ok = arrayOf(rows, i, func(v any) (string, bool) { s, ok := v.(string); return s, ok })
			return array, "TEXT", ok
		case bool, *bool:
			array, ok = arrayOf(rows, i, asFlag)
			return array, "BOOLEAN", ok
		default:
			array, ok = arrayOf(rows, i, asNumber)
			return array, "BIGINT", ok
		}
	}
	return nil, "", true
}

func arrayOf[T any](rows [][]any, i int, convert func(any) (T, bool)) ([]T, bool) {
	array := make([]T, len(rows))
	for n, row := range rows {
		var ok bool
		if array[n], ok = convert(row[i]); !ok {
			return nil, false
		}
	}
	return array, true
}

func asFlag(v any) (*bool, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case bool:
		return &v, true
	case *bool:
		return v, true
	}
	return nil, false
}

func asNumber(v any) (*int64, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case int:
		return new(int64(v)), true
	case int64:
		return &v, true
	}
	return nil, false
}
