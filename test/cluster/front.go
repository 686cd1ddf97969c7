// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// PrivateName is a name that only the proxy of a company knows.
const PrivateName = "matrix.private.test"

// Authority is a company's own: no system trusts it.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	// Bundle is its certificate, as a Platform's caBundle.
	Bundle string
}

// NewAuthority makes one.
func NewAuthority() *Authority {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := template("a private authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	certificate, err := x509.ParseCertificate(der)
	Expect(err).NotTo(HaveOccurred())
	return &Authority{certificate: certificate, key: key, Bundle: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

// Serve starts a TLS server on loopback with a certificate of the authority.
func (a *Authority) Serve(handler http.Handler) *httptest.Server {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	leaf := template(PrivateName)
	leaf.DNSNames, leaf.IPAddresses = []string{PrivateName}, []net.IP{net.IPv4(127, 0, 0, 1)}
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.certificate, key.Public(), a.key)
	Expect(err).NotTo(HaveOccurred())
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of who doesn't trust it
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	DeferCleanup(func() {
		server.CloseClientConnections() // long polls would keep it from closing
		server.Close()
	})
	return server
}

// Front stands before a server, as a reverse proxy does, and can answer in its place.
type Front struct {
	*httptest.Server
	// Requests are those that came so far.
	Requests atomic.Int64
	mu       sync.Mutex
	answers  func(http.ResponseWriter, *http.Request) (answered bool)
}

// Front stands before a server, with a certificate of the authority.
func (a *Authority) Front(server string) *Front {
	GinkgoHelper()
	behind, err := url.Parse(server)
	Expect(err).NotTo(HaveOccurred())
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	f := &Front{}
	f.Server = a.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.Requests.Add(1)
		f.mu.Lock()
		answers := f.answers
		f.mu.Unlock()
		if answers == nil || !answers(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	return f
}

// Answer has the front answer in the server's place where the function says so; nil for nowhere.
func (f *Front) Answer(with func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = with
}
