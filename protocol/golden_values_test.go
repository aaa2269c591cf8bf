package protocol

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// goldenAliases names the fields of a schema that have a shorter or plainer name here.
var goldenAliases = map[string]string{
	"ProduceRequest.Topics":                  "topicData",
	"ProduceTopic.Partitions":                "partitionData",
	"ProduceResponse.Topics":                 "responses",
	"ProduceTopicResponse.Partitions":        "partitionResponses",
	"ProducePartitionResponse.LogAppendTime": "logAppendTimeMs",
	"RecordError.Message":                    "batchIndexErrorMessage",

	// Java keeps the fields of v0 to v3, which are all that a client speaks, apart from those of v4, which brokers speak.
	"AddPartitionsToTxnRequest.TransactionalID": "v3AndBelowTransactionalId",
	"AddPartitionsToTxnRequest.ProducerID":      "v3AndBelowProducerId",
	"AddPartitionsToTxnRequest.ProducerEpoch":   "v3AndBelowProducerEpoch",
	"AddPartitionsToTxnRequest.Topics":          "v3AndBelowTopics",
	"AddPartitionsToTxnResponse.ResultsByTopic": "resultsByTopicV3AndBelow",
}

// value is the message that v describes.
func (v *goldenVector) value() (Message, error) {
	m := v.newMessage()
	dst := reflect.ValueOf(m).Elem()
	dst.SetZero()
	return m, v.file.setStruct(dst, "", v.Fields)
}

// setStruct gives each field of dst the value that fields has for it, else the default of the schema. It is an error if a field
// of either side is without a counterpart, so that none goes untested.
func (f *goldenFile) setStruct(dst reflect.Value, path string, fields map[string]any) error {
	defaults, ok := f.Defaults[path]
	if !ok {
		return fmt.Errorf("%s %q: not a struct in the schema", f.Message, path)
	}
	claimed := map[string]bool{}
	for i := range dst.NumField() {
		field := dst.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name, ok := schemaName(dst.Type(), field, defaults)
		if !ok || claimed[name] {
			return fmt.Errorf("%s %q: %v.%s has no field of its own in the schema", f.Message, path, dst.Type(), field.Name)
		}
		claimed[name] = true
		value, present := fields[name]
		if !present {
			value = defaults[name]
		}
		if !present && field.Type == reflect.TypeFor[*string]() && value == "" {
			value = nil // Java's default for a string that may be null, but not in this version
		}
		if err := f.set(dst.Field(i), strings.TrimPrefix(path+"."+name, "."), value); err != nil {
			return err
		}
	}
	for name := range defaults {
		if !claimed[name] {
			return fmt.Errorf("%s %q: %v has no field for %q of the schema", f.Message, path, dst.Type(), name)
		}
	}
	for name := range fields {
		if !claimed[name] {
			return fmt.Errorf("%s %q: the vector has %q, which is not in the schema", f.Message, path, name)
		}
	}
	return nil
}

// schemaName finds the schema's spelling of a field: brokerIds for BrokerIDs, timeoutMs for Timeout.
func schemaName(owner reflect.Type, field reflect.StructField, schema map[string]any) (string, bool) {
	if alias, ok := goldenAliases[owner.Name()+"."+field.Name]; ok {
		_, ok = schema[alias]
		return alias, ok
	}
	wanted := field.Name
	if field.Type == reflect.TypeFor[time.Duration]() {
		wanted += "Ms"
	}
	for name := range schema {
		if strings.EqualFold(name, wanted) {
			return name, true
		}
	}
	return "", false
}

// set gives dst the value that JSON has for it: a number of milliseconds for a Duration, base64 for bytes and UUIDs.
func (f *goldenFile) set(dst reflect.Value, path string, value any) error {
	mismatch := fmt.Errorf("%s %s: no %v in %v", f.Message, path, dst.Type(), value)
	switch target := dst.Addr().Interface().(type) {
	case *time.Duration:
		var ms int64
		if err := f.set(reflect.ValueOf(&ms).Elem(), path, value); err != nil {
			return err
		}
		*target = time.Duration(ms) * time.Millisecond
		return nil
	case *UUID:
		text, ok := value.(string)
		bytes, err := base64.RawURLEncoding.DecodeString(text)
		if !ok || err != nil || copy(target[:], bytes) != len(target) || target.String() != text {
			return mismatch
		}
		return nil
	case *[]byte:
		return setBytes(target, value, mismatch)
	case *[][]byte:
		var whole []byte
		if err := setBytes(&whole, value, mismatch); err != nil || whole == nil {
			return err
		}
		half := len(whole) / 2
		*target = [][]byte{whole[:half], whole[half:]}
		return nil
	case **string:
		if value == nil {
			return nil
		}
		*target = new(string)
		return f.set(reflect.ValueOf(*target).Elem(), path, value)
	}
	return f.setPlain(dst, path, value, mismatch)
}

// setPlain sets what JSON has a type of its own for, or a composite of it.
func (f *goldenFile) setPlain(dst reflect.Value, path string, value any, mismatch error) error {
	switch value := value.(type) {
	case json.Number:
		n, err := value.Int64()
		if err != nil || !dst.CanInt() || dst.OverflowInt(n) {
			return mismatch
		}
		dst.SetInt(n)
		return nil
	case string, bool:
		if reflect.TypeOf(value).Kind() != dst.Kind() {
			return mismatch
		}
		dst.Set(reflect.ValueOf(value).Convert(dst.Type()))
		return nil
	case map[string]any:
		if dst.Kind() != reflect.Struct {
			return mismatch
		}
		return f.setStruct(dst, path, value)
	case []any:
		if dst.Kind() != reflect.Slice {
			return mismatch
		}
		dst.Set(reflect.MakeSlice(dst.Type(), len(value), len(value)))
		for i := range value {
			if err := f.set(dst.Index(i), path, value[i]); err != nil {
				return err
			}
		}
		return nil
	case nil:
		if dst.Kind() == reflect.Slice {
			return nil // a null array
		}
	}
	return mismatch
}

func setBytes(dst *[]byte, value any, mismatch error) error {
	if value == nil {
		return nil
	}
	text, ok := value.(string)
	bytes, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		return mismatch
	}
	*dst = bytes
	return nil
}

// differences lists where got is not want, one line for each field. A null array equals an empty one: where a version tells
// them apart, their bytes do too.
func differences(path string, got, want reflect.Value) []string {
	if chunks, ok := got.Interface().([][]byte); ok {
		got, want = reflect.ValueOf(whole(chunks)), reflect.ValueOf(whole(want.Interface().([][]byte)))
	}
	switch got.Kind() {
	case reflect.Struct:
		var all []string
		for i := range got.NumField() {
			if field := got.Type().Field(i); field.IsExported() {
				all = append(all, differences(path+"."+field.Name, got.Field(i), want.Field(i))...)
			}
		}
		return all
	case reflect.Slice:
		if got.Len() != want.Len() {
			return []string{fmt.Sprintf("%s: got %d elements, want %d", path, got.Len(), want.Len())}
		}
		var all []string
		for i := range got.Len() {
			all = append(all, differences(fmt.Sprintf("%s[%d]", path, i), got.Index(i), want.Index(i))...)
		}
		return all
	case reflect.Pointer:
		if got.IsNil() || want.IsNil() {
			if got.IsNil() != want.IsNil() {
				return []string{fmt.Sprintf("%s: got null %t, want null %t", path, got.IsNil(), want.IsNil())}
			}
			return nil
		}
		return differences(path, got.Elem(), want.Elem())
	}
	if got.Interface() != want.Interface() {
		return []string{fmt.Sprintf("%s: got %v, want %v", path, got.Interface(), want.Interface())}
	}
	return nil
}

func whole(chunks [][]byte) []byte {
	var all []byte
	for _, chunk := range chunks {
		all = append(all, chunk...)
	}
	return all
}
