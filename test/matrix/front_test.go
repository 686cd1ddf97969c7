// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

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

// privateName is a name that only the proxy of a company knows.
const privateName = "matrix.private.test"

// authority is a company's own: no system trusts it.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	bundle      string
}

func newAuthority() *authority {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := template("a private authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	certificate, err := x509.ParseCertificate(der)
	Expect(err).NotTo(HaveOccurred())
	return &authority{certificate: certificate, key: key, bundle: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

// serve starts a TLS server on loopback with a certificate of the authority.
func (a *authority) serve(handler http.Handler) *httptest.Server {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	leaf := template(privateName)
	leaf.DNSNames, leaf.IPAddresses = []string{privateName}, []net.IP{net.IPv4(127, 0, 0, 1)}
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

// front stands before the homeserver, as a reverse proxy does, and can answer in its place.
type front struct {
	*httptest.Server
	requests atomic.Int64
	mu       sync.Mutex
	answers  func(http.ResponseWriter, *http.Request) (answered bool)
}

func (a *authority) front() *front {
	GinkgoHelper()
	behind, err := url.Parse(homeserver.URL)
	Expect(err).NotTo(HaveOccurred())
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	f := &front{}
	f.Server = a.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		f.mu.Lock()
		answers := f.answers
		f.mu.Unlock()
		if answers == nil || !answers(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	return f
}

// answer has the front answer in the homeserver's place where the function says so; nil for nowhere.
func (f *front) answer(with func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = with
}

// at has the world's platform reached at another URL, with its credentials.
func (w *world) at(url string) *world {
	w.platform.Spec.Matrix.HomeserverURL = url
	w.secret.StringData["url"] = url
	return w
}
