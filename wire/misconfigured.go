package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Misconfigured reports whether err is a failure to connect that another attempt cannot mend. The other end answers, but it is
// no Kafka broker, only one side speaks TLS, one side refuses the other's certificate, or the other end knows no SASL. An end
// that only hangs up or is silent does not count, nor does one that has an internal error: it may be starting.
func Misconfigured(err error) bool {
	var (
		at        *Error
		frame     *FrameError
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		lacks     *UnsupportedVersionError
		invalid   x509.CertificateInvalidError
	)
	if !errors.As(err, &at) {
		return false
	}
	if at.Stage == StageSASL {
		return errors.As(err, &lacks)
	}
	if at.Stage != StageTLS && at.Stage != StageApiVersions {
		return false
	}
	return errors.As(err, &frame) || errors.As(err, &record) || errors.As(err, &authority) || errors.As(err, &name) ||
		errors.As(err, &invalid) || isUnwelcome(err)
}
